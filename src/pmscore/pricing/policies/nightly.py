"""From the price of a plan to the amount of a night: the stages, exactly, rounded once.

Law: between stages an amount is an exact fraction; it is rounded half up to the minor unit after the last stage, and
is never below zero. The amount and its trace come from the same steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pmscore.kernel.percent import WHOLE, Percent
from pmscore.pricing.model.changes import Base, Change
from pmscore.pricing.model.night_steps import NightStep, Ratio
from pmscore.pricing.model.rules import PriceRule
from pmscore.pricing.policies.occupancy import PartyCharge

__all__ = ["changed_night", "night_amount", "night_steps"]


def night_amount(price: int, charge: PartyCharge, changes: Sequence[Change]) -> int:
    """Return the amount of a night in minor units.

    Raises:
        InvalidInputError: field ``amount``; larger than any amount of money may be.
    """
    occupied = charge.factor * price + charge.addition
    numer, denom = occupied, WHOLE
    for change in changes:
        numer, denom = _changed(change, numer, denom, price, occupied)
    return Ratio(numer, denom).rounded()


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
