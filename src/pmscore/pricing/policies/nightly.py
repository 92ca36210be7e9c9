"""From the price of a plan to the amount of a night: the stages, exactly, rounded once.

Law: between stages an amount is an exact fraction; it is rounded half up to the minor unit after the last stage, and
is never below zero. The amount and its trace come from the same steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import frozen

from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.money import MAX_MINOR
from pmscore.kernel.percent import WHOLE, Percent
from pmscore.pricing.model.changes import Base, Change
from pmscore.pricing.model.rules import PriceRule
from pmscore.pricing.policies.occupancy import PartyCharge

__all__ = ["NightStep", "Ratio", "changed_night", "night_amount", "night_steps"]


@frozen
class Ratio:
    """An exact amount between two stages, in minor units: ``numer / denom``."""

    numer: int
    denom: int

    def rounded(self) -> int:
        """Return the amount rounded half up, never below zero; refused as by :func:`night_amount`."""
        return _rounded(self.numer, self.denom)

    def plain(self, digits: int) -> str:
        """Return the amount as decimal text with four digits more than the currency has, cut off."""
        shown = digits + 4
        scaled = abs(self.numer) * 10**4 // self.denom
        text = str(scaled).rjust(shown + 1, "0")
        whole, rest = text[:-shown], text[-shown:]
        fraction = rest[:digits] + rest[digits:].rstrip("0")
        return f"{'-' if self.numer < 0 and scaled else ''}{whole}{'.' if fraction else ''}{fraction}"


@frozen
class NightStep:
    """What one rule did to the amount of a night; without a rule it is the party's."""

    rule: PriceRule | None
    change: Change | None
    before: Ratio
    after: Ratio


def night_amount(price: int, charge: PartyCharge, changes: Sequence[Change]) -> int:
    """Return the amount of a night in minor units.

    Raises:
        InvalidInputError: field ``amount``; larger than any amount of money may be.
    """
    occupied = charge.factor * price + charge.addition
    numer, denom = occupied, WHOLE
    for change in changes:
        numer, denom = _changed(change, numer, denom, price, occupied)
    return _rounded(numer, denom)


def night_steps(
    price: int, charge: PartyCharge, changes: Sequence[tuple[PriceRule, Change]]
) -> Iterator[NightStep]:
    """Yield the steps from the price of the plan to the amount of a night, before it is rounded."""
    occupied = charge.factor * price + charge.addition
    numer, denom = occupied, WHOLE
    yield NightStep(None, None, Ratio(price, 1), Ratio(numer, denom))
    for rule, change in changes:
        before = Ratio(numer, denom)
        numer, denom = _changed(change, numer, denom, price, occupied)
        yield NightStep(rule, change, before, Ratio(numer, denom))


def changed_night(price: int, operations: Sequence[Change]) -> Ratio:
    """Return a price after the operations of a derived plan, from the first to the last."""
    numer, denom = price, 1
    for change in operations:
        numer, denom = _changed(change, numer, denom, price, price * WHOLE)
    return Ratio(numer, denom)


def _rounded(numer: int, denom: int) -> int:
    amount = max((2 * numer + denom) // (2 * denom), 0)
    if amount > MAX_MINOR:
        raise InvalidInputError("amount", "too_large")
    return amount


def _changed(change: Change, numer: int, denom: int, price: int, occupied: int) -> tuple[int, int]:
    """Return the amount after a change; ``occupied`` is in millionths of the minor unit."""
    operand = change.operand
    if not isinstance(operand, Percent):
        return numer + operand * denom, denom
    share = operand.millionths
    match change.base:
        case Base.RUNNING:
            return numer * (WHOLE + share), denom * WHOLE
        case Base.PLAN:
            return numer * WHOLE + price * share * denom, denom * WHOLE
        case Base.OCCUPIED:
            return numer * WHOLE * WHOLE + occupied * share * denom, denom * WHOLE * WHOLE
