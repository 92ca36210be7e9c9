"""When which part of a booking's total is due.

Owns the dates and the split, made once on the total of the booking. Leaves asking for the money and
recording it to ``folio``. The rules, with worked figures: ``docs/algorithms/terms.md``.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Final

from attrs import frozen

from pmscore.dates.nights import StayRange
from pmscore.dates.zones import Zone, day_start, local_date
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.money import Money
from pmscore.kernel.percent import WHOLE
from pmscore.pricing.model.instalments import Due, Milestone
from pmscore.pricing.model.terms import Terms
from pmscore.pricing.model.tiers import stepped

__all__ = ["DueAmount", "deposit_schedule"]

# Which of two milestones on one date is named first, and takes a left-over unit first.
_RANK: Final = {due: rank for rank, due in enumerate(Due)}


@frozen(kw_only=True)
class DueAmount:
    """A part of the total, due from ``due_at`` on; ``due_on`` is that date at the property.

    ``due_at`` is the booking's own instant, or else the first of the date: the guest has the whole day.
    """

    due_at: datetime
    due_on: date
    amount: Money
    milestone: Milestone


def deposit_schedule(
    terms: Terms, total: Money, *, booked_at: datetime, stay: StayRange, zone: Zone
) -> tuple[DueAmount, ...]:
    """Return what is due when, by date; the amounts sum to ``total``, and none of them is zero.

    ``total`` is the booking's, all rooms together, and ``stay`` reaches from its first arrival to its last
    departure. A milestone whose date is past when the booking is made is due at once.

    Raises:
        InvalidInputError: field ``currency``, ``mixed_currencies``; field ``total``, ``negative_amount``;
            field ``booked_at``, ``naive``.
    """
    if total.currency is not terms.currency:
        raise InvalidInputError(
            "currency", "mixed_currencies", first=terms.currency.code, second=total.currency.code
        )
    if total.minor < 0:
        raise InvalidInputError("total", "negative_amount")
    if booked_at.utcoffset() is None:
        raise InvalidInputError("booked_at", "naive")
    today = local_date(booked_at, zone)
    dated = sorted(
        ((_date_of(each, today, stay), each) for each in terms.deposit.milestones),
        key=lambda pair: (pair[0], _RANK[pair[1].due]),
    )
    amounts = _amounts(tuple(milestone for _, milestone in dated), total)
    at_once = booked_at.astimezone(UTC)
    return tuple(
        DueAmount(
            due_at=at_once if day <= today else day_start(day, zone),
            due_on=max(day, today),
            amount=amount,
            milestone=milestone,
        )
        for (day, milestone), amount in zip(dated, amounts, strict=True)
        if amount
    )


def _date_of(milestone: Milestone, today: date, stay: StayRange) -> date:
    days = milestone.days or 0
    match milestone.due:
        case Due.BOOKING:
            return today
        case Due.AFTER_BOOKING:
            return stepped(today, days)
        case Due.ON_DATE:
            return milestone.on or today
        case Due.BEFORE_ARRIVAL:
            return stepped(stay.arrival, -days)
        case Due.ARRIVAL:
            return stay.arrival
        case Due.DEPARTURE:
            return stay.departure


def _amounts(milestones: tuple[Milestone, ...], total: Money) -> tuple[Money, ...]:
    """Return what each milestone takes, in the given order; together the total.

    The percentages, and what they leave, are split once by largest remainder. Amounts are taken as stated.
    Where all this is more than the total, the earlier ones take theirs and the later ones what is left.
    """
    shares = [0 if each.percent is None else each.percent.millionths for each in milestones]
    split = total.allocate([*shares, WHOLE - sum(shares)])
    left = total.minor
    taken: list[int] = []
    for milestone, share in zip(milestones, split[:-1], strict=True):
        wanted = share.minor if milestone.amount is None else milestone.amount
        taken.append(0 if milestone.is_rest else min(wanted, left))
        left -= taken[-1]
    return tuple(
        Money(left if milestone.is_rest else minor, total.currency)
        for milestone, minor in zip(milestones, taken, strict=True)
    )
