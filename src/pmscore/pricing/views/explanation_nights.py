"""The nights of a quote, from the price of the plan through every rule to the rounded amount.

Owns the nodes of rooms, nights and rules, and of rules that stood back. Nights that come about alike share their
steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from pmscore.dates.nights import StayRange
from pmscore.kernel.ids import UnitTypeId
from pmscore.kernel.money import Rounding
from pmscore.kernel.percent import Percent
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.changes import Base, Change
from pmscore.pricing.model.guests import GuestParty
from pmscore.pricing.model.night_steps import NightStep, Ratio
from pmscore.pricing.model.quote import Quote, RuleVersion
from pmscore.pricing.model.rules import PriceRule
from pmscore.pricing.model.stack import Applied, Stack
from pmscore.pricing.policies.nightly import night_steps
from pmscore.pricing.policies.occupancy import party_charge
from pmscore.pricing.views.explanation_nodes import Explained, Part
from pmscore.pricing.views.explanation_prices import PriceExplainer, explained_occupancy

__all__ = ["NightExplainer", "explained_passed_over"]

_HALF_UP: Final = Rounding.HALF_UP.value
MOST_STEPS: Final = 20_000
_Changes: TypeAlias = "tuple[Change | None, ...]"
_Remembered: TypeAlias = "tuple[tuple[Explained, ...], _Changes]"


class NightExplainer:
    """Explains the nights of quotes of one book; remembers what they have in common, as tables do for amounts."""

    def __init__(self, book: PriceBook) -> None:
        self._book = book
        self._prices: dict[tuple[str, UnitTypeId], PriceExplainer] = {}
        self._steps: dict[
            tuple[str, UnitTypeId, GuestParty, tuple[int, ...]], dict[tuple[int, ...], _Remembered]
        ] = {}
        self._count = 0

    def rooms(self, quote: Quote, stack: Stack) -> list[Explained]:
        """Return the rooms of a quote with their nights."""
        nights = quote.stay.nights()
        rules = tuple([applied.rule for applied in stack.applied])
        columns = list(zip(*[_by_night(each, quote.stay) for each in stack.applied], strict=True))
        by_night = list(
            zip(nights, map(self._prices_of(quote).on, nights), columns or [()] * len(nights), strict=True)
        )
        rooms: list[Explained] = []
        for room, (party, amounts) in enumerate(zip(quote.parties, quote.nightly, strict=True), start=1):
            # Prices, rules and changes are remembered or the book's own, so their identities tell nights apart, and
            # quicker than their values.
            kind = (quote.plan, quote.unit_type_id, party, tuple(map(id, rules)))
            known = self._steps.setdefault(kind, {})
            found: list[Explained] = []
            for (night, price, changes), amount in zip(by_night, amounts, strict=True):
                key = (id(price), *map(id, changes))
                steps = known.get(key)
                if steps is None:
                    steps = known[key] = self._explained(quote, party, price, rules, changes)
                found.append(
                    Explained(Part.NIGHT, "", amount, steps[0], None, None, None, "", None, None, None, night)
                )
            rooms.append(Explained(Part.ROOM, _said(party), sum(amounts), tuple(found), room=room))
        return rooms

    @property
    def is_full(self) -> bool:
        """Whether it remembers so much that it is time for a new one."""
        return self._count > MOST_STEPS

    def _prices_of(self, quote: Quote) -> PriceExplainer:
        key = (quote.plan, quote.unit_type_id)
        found = self._prices.get(key)
        if found is None:
            plan = self._book.plan(quote.plan)
            found = self._prices[key] = PriceExplainer(self._book, plan, quote.unit_type_id)
        return found

    def _explained(
        self,
        quote: Quote,
        party: GuestParty,
        price: Explained,
        rules: tuple[PriceRule, ...],
        changes: _Changes,
    ) -> _Remembered:
        """Return the steps of a night, and what their key is made of."""
        self._count += 1
        plan = self._book.plan(quote.plan)
        before = price.after if isinstance(price.after, int) else 0
        pairs = [(rule, change) for rule, change in zip(rules, changes, strict=True) if change is not None]
        terms = self._book.occupancy(plan, quote.unit_type_id)
        first, *rest = night_steps(before, party_charge(terms, party), pairs)
        occupancy = explained_occupancy(terms, party, before, first.after)
        ruled = [_ruled(step, before, first.after) for step in rest]
        exact = rest[-1].after if rest else first.after
        return (price, occupancy, *ruled, *_rounded(exact)), changes


def explained_passed_over(stack: Stack) -> list[Explained]:
    """Return the rules that stood back on some night, each with the one that stood before it and why."""
    pairs = {(each.rule.code, each.by.code): each for each in stack.passed_over}
    return [
        Explained(
            Part.PASSED_OVER,
            each.rule.code,
            None,
            (
                Explained(
                    _reason(each.rule, each.by), each.by.code, rule=_version(each.by), kind=each.by.kind
                ),
            ),
            rule=_version(each.rule),
            kind=each.rule.kind,
        )
        for each in pairs.values()
    ]


def _by_night(applied: Applied, stay: StayRange) -> Sequence[Change | None]:
    """Return what a rule does to each night of a stay; None for nothing."""
    mask = applied.rule.mask_over(stay)
    changes = applied.changes
    by_night = [changes] * stay.length if isinstance(changes, Change) else changes
    if mask == (1 << stay.length) - 1:
        return by_night
    return [change if mask >> night & 1 else None for night, change in enumerate(by_night)]


def _ruled(step: NightStep, price: int, occupied: Ratio) -> Explained:
    rule, change = step.rule, step.change
    if rule is None or change is None:
        return Explained(Part.OCCUPANCY, "", step.after, (), step.before)
    of: int | Ratio | None = None
    if isinstance(change.operand, Percent) and change.base is not Base.RUNNING:
        of = price if change.base is Base.PLAN else occupied
    return Explained(
        Part.RULE, rule.code, step.after, (), step.before, change.operand, _version(rule), rule.kind, None, of
    )


def _rounded(exact: Ratio) -> list[Explained]:
    """Return the rounding to whole minor units, and that an amount is never below zero."""
    amount = exact.rounded()
    if exact.numer >= 0:
        return [Explained(Part.ROUNDING, "", amount, (), exact, rounding=_HALF_UP)]
    return [Explained(Part.NOT_BELOW_ZERO, "", amount, (), exact)]


def _reason(rule: PriceRule, by: PriceRule) -> Part:
    return Part.EXCLUDED if rule.group in by.excludes else Part.SAME_GROUP


def _version(rule: PriceRule) -> RuleVersion:
    return RuleVersion("rule", rule.code, rule.version)


def _said(party: GuestParty) -> str:
    return f"{party.adults} + {', '.join(map(str, party.ages))}" if party.ages else str(party.adults)
