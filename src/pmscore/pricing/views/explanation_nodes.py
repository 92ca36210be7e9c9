"""What an explanation is made of: nodes that say where an amount comes from.

Owns the nodes, the codes they have, and their form as JSON. Leaves the making to ``explaining`` and its
neighbours, and the text for people to ``explanation_text`` and ``pms_web``. Every code and name:
``docs/algorithms/quotes.md``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from math import gcd
from typing import Final, TypeAlias

from attrs import frozen

from pmscore.kernel.currency import Currency
from pmscore.kernel.events import Json
from pmscore.kernel.percent import Percent
from pmscore.pricing.model.night_steps import Ratio
from pmscore.pricing.model.quote import RuleVersion

__all__ = ["Amount", "Explained", "Explanation", "Part", "amount_text", "explanation_json", "is_exact"]

Amount: TypeAlias = "int | Ratio"
"""Minor units, or an exact fraction of them."""

_LEAST: Final = 10_000
"""Into how many parts of a minor unit the text of an amount goes: four digits."""


class Part(StrEnum):
    """What a node is about; the values are part of the JSON form and never renamed."""

    QUOTE = "quote"
    ROOM = "room"
    NIGHT = "night"
    PLAN_PRICE = "plan_price"
    DATED_PRICE = "dated_price"
    SEASON_PRICE = "season_price"
    DEFAULT_PRICE = "default_price"
    OPERATION = "operation"
    STEP = "step"
    FLOOR = "floor"
    CEILING = "ceiling"
    NOT_BELOW_ZERO = "not_below_zero"
    OCCUPANCY = "occupancy"
    UNIT = "unit"
    ADULTS = "adults"
    EXTRA_ADULTS = "extra_adults"
    CHILD = "child"
    CHILD_IN_PLACE = "child_in_place"
    EMPTY_PLACES = "empty_places"
    RULE = "rule"
    ROUNDING = "rounding"
    PASSED_OVER = "passed_over"
    SAME_GROUP = "same_group"
    EXCLUDED = "excluded"
    INCLUSIONS = "inclusions"
    INCLUSION = "inclusion"
    FEES = "fees"
    FEE = "fee"
    LINE = "line"
    TAXES = "taxes"
    CITY_TAXES = "city_taxes"
    TAX = "tax"
    TAX_LINE = "tax_line"
    TOTALS = "totals"
    TOTAL = "total"
    DEPOSITS = "deposits"
    DEPOSIT = "deposit"
    CANCELLATION = "cancellation"
    STRETCH = "stretch"
    NO_SHOW = "no_show"
    FEE_STEP = "fee_step"
    SOURCES = "sources"
    SOURCE = "source"


@frozen(slots=False)  # quicker to make, and there are many
class Explained:
    """One step to an amount, or one group of them; ``children`` say how it came to be.

    ``name`` is what it is called: the code of a rule or fee, a season, an age. ``kind`` narrows the code: the kind
    of a rule, ``included`` or ``added`` for a tax. ``rule`` is set where a rule, plan or book was used. ``operand``
    is what was applied, ``quantity`` how often, ``of`` the amount that a percentage was taken of where that is not
    ``before``. ``before`` and ``after`` are the exact amounts around the step; for a tax ``before`` is what it
    comes to before rounding, and ``share`` that in relation to the price. ``rounding`` names the mode, or
    ``largest_remainder`` for a part of a sum that was rounded as a whole. ``on`` is the night or the day, ``room``
    counts from 1.
    """

    code: Part
    name: str = ""
    after: Amount | None = None
    children: tuple[Explained, ...] = ()
    before: Amount | None = None
    operand: Percent | int | None = None
    rule: RuleVersion | None = None
    kind: str = ""
    quantity: int | None = None
    of: Amount | None = None
    rounding: str | None = None
    on: date | None = None
    room: int | None = None
    share: tuple[int, int] | None = None

    def walk(self) -> Iterator[Explained]:
        """Yield this node and all below it, each before its children."""
        yield self
        for child in self.children:
            yield from child.walk()


@frozen
class Explanation:
    """How a quote came to what it comes to; amounts are minor units of ``currency``."""

    currency: Currency
    root: Explained

    def part(self, code: Part) -> Explained | None:
        """Return the part of the quote of this code: ``fees`` for instance; None where there is none."""
        return next((each for each in self.root.children if each.code is code), None)

    @property
    def rooms(self) -> tuple[Explained, ...]:
        """The rooms, in the order of the request."""
        return tuple(each for each in self.root.children if each.code is Part.ROOM)


def is_exact(amount: Amount) -> bool:
    """Return whether :func:`amount_text` says all of an amount."""
    return isinstance(amount, int) or amount.numer * _LEAST % amount.denom == 0


def amount_text(amount: Amount, currency: Currency) -> str:
    """Return an amount as decimal text, with up to four digits more than the currency has; the rest is cut off."""
    if not isinstance(amount, int):
        return amount.plain(currency.digits)
    digits = currency.digits
    text = str(abs(amount)).rjust(digits + 1, "0")
    shown = f"{text[:-digits]}.{text[-digits:]}" if digits else text
    return f"-{shown}" if amount < 0 else shown


def explanation_json(explanation: Explanation) -> dict[str, Json]:
    """Return the tree as JSON; what a node does not have is left out.

    Amounts are decimal text. Where that cuts digits off, ``before_exact`` (``after_exact``, ``of_exact``) has the
    fraction of minor units in full: ``"100000/7"``. Nights that came about alike share their children.
    """
    writer = _Writer(explanation.currency)
    return {"currency": explanation.currency.code, **writer.node(explanation.root)}


class _Writer:
    """Writes the nodes of one explanation, children that several nodes share once."""

    def __init__(self, currency: Currency) -> None:
        self._currency = currency
        self._children: dict[int, list[Json]] = {}

    def node(self, node: Explained) -> dict[str, Json]:
        """Return one node with all below it."""
        written: dict[str, Json] = {"code": node.code.value}
        if node.name:
            written["name"] = node.name
        if node.kind:
            written["kind"] = node.kind
        if node.rule is not None:
            written["rule"] = {"kind": node.rule.kind, "code": node.rule.code, "version": node.rule.version}
        if node.room is not None:
            written["room"] = node.room
        if node.on is not None:
            written["on"] = node.on.isoformat()
        if node.quantity is not None:
            written["quantity"] = node.quantity
        self._write_amounts(node, written)
        if node.rounding is not None:
            written["rounding"] = node.rounding
        if node.children:
            written["children"] = self._written(node.children)
        return written

    def _write_amounts(self, node: Explained, written: dict[str, Json]) -> None:
        if isinstance(node.operand, Percent):
            written["percent"] = node.operand.plain()
        elif node.operand is not None:
            written["amount"] = amount_text(node.operand, self._currency)
        if node.share is not None:
            written["share"] = f"{node.share[0]}/{node.share[1]}"
        for name, amount in (("of", node.of), ("before", node.before), ("after", node.after)):
            if amount is None:
                continue
            written[name] = amount_text(amount, self._currency)
            if not isinstance(amount, int) and not is_exact(amount):
                common = gcd(amount.numer, amount.denom)
                written[f"{name}_exact"] = f"{amount.numer // common}/{amount.denom // common}"

    def _written(self, children: tuple[Explained, ...]) -> list[Json]:
        # The explanation outlives its writer, so an identity means the same children throughout.
        found = self._children.get(id(children))
        if found is None:
            found = self._children[id(children)] = [self.node(each) for each in children]
        return found
