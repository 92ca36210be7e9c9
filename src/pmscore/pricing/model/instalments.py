"""When a booking's total is due: milestones and the deposit policy made of them.

Owns the values a property writes down and what makes them impossible. Leaves the dates and the amounts for
one booking to ``policies.deposits``. The rules: ``docs/algorithms/terms.md``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from typing import Final

from attrs import field, frozen

from pmscore.dates.nights import check_day
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.percent import WHOLE, Percent
from pmscore.pricing.model.tiers import MOST_DAYS, check_amount, check_share

__all__ = ["DepositPolicy", "Due", "Milestone"]

MOST_MILESTONES: Final = 24


class Due(StrEnum):
    """What makes an amount due; persisted, never renamed."""

    BOOKING = "booking"
    """At once."""
    AFTER_BOOKING = "after_booking"
    """So many days after the date of booking."""
    ON_DATE = "on_date"
    """On a stated date."""
    BEFORE_ARRIVAL = "before_arrival"
    """So many days before the arrival date."""
    ARRIVAL = "arrival"
    """On the arrival date."""
    DEPARTURE = "departure"
    """On the departure date."""


_COUNTING_DAYS: Final = frozenset({Due.AFTER_BOOKING, Due.BEFORE_ARRIVAL})


@frozen(kw_only=True)
class Milestone:
    """A part of the booking's total and when it is due; without percentage and amount it is the rest.

    ``days`` goes with the two kinds that count days, ``on`` with ``Due.ON_DATE``. Dates are the property's.
    ``amount`` is minor units of the terms' currency.
    """

    due: Due
    days: int | None = None
    on: date | None = None
    percent: Percent | None = None
    amount: int | None = None

    def __attrs_post_init__(self) -> None:
        if (self.due in _COUNTING_DAYS) != (self.days is not None):
            raise InvalidInputError(
                "days", "missing" if self.days is None else "not_counted", due=self.due.value
            )
        if self.days is not None and not (type(self.days) is int and 1 <= self.days <= MOST_DAYS):
            raise InvalidInputError("days", "out_of_range", least=1, most=MOST_DAYS)
        if (self.due is Due.ON_DATE) != (self.on is not None):
            raise InvalidInputError(
                "on", "missing" if self.on is None else "not_on_a_date", due=self.due.value
            )
        if self.on is not None:
            check_day(self.on, field="on")
        if self.percent is not None:
            check_share(self.percent)
            if self.percent.millionths == 0:
                raise InvalidInputError("percent", "empty")
            if self.amount is not None:
                raise InvalidInputError("amount", "besides_percent")
        if self.amount is not None:
            check_amount(self.amount, field="amount")
            if self.amount == 0:
                raise InvalidInputError("amount", "empty")

    @property
    def is_rest(self) -> bool:
        """Whether it takes what the others leave."""
        return self.percent is None and self.amount is None

    @property
    def moment(self) -> tuple[str, int, str]:
        """What tells its moment from those of others, without a booking; sorts them in a fixed order."""
        return self.due.value, self.days or 0, "" if self.on is None else self.on.isoformat()


def _in_fixed_order(milestones: Iterable[Milestone]) -> tuple[Milestone, ...]:
    return tuple(sorted(milestones, key=lambda each: each.moment))


@frozen
class DepositPolicy:
    """Milestones that together are the whole total, whatever it is.

    Either there is one rest, beside percentages of less than 100 % and any amounts; or the percentages are
    100 % and there are no amounts. The order in which milestones are given does not matter.
    """

    milestones: tuple[Milestone, ...] = field(converter=_in_fixed_order)

    def __attrs_post_init__(self) -> None:
        if not 1 <= len(self.milestones) <= MOST_MILESTONES:
            raise InvalidInputError("milestones", "out_of_range", least=1, most=MOST_MILESTONES)
        moments = [each.moment for each in self.milestones]
        if len(set(moments)) < len(moments):
            raise InvalidInputError("milestones", "same_moment")
        rests = sum(each.is_rest for each in self.milestones)
        if rests > 1:
            raise InvalidInputError("milestones", "two_rests")
        shares = sum(each.percent.millionths for each in self.milestones if each.percent is not None)
        if shares > WHOLE:
            raise InvalidInputError("percent", "more_than_the_total")
        if rests and shares == WHOLE:
            raise InvalidInputError("milestones", "rest_of_nothing")
        if not rests and shares < WHOLE:
            raise InvalidInputError("milestones", "less_than_the_total")
        if not rests and any(each.amount is not None for each in self.milestones):
            raise InvalidInputError("amount", "more_than_the_total")

    @classmethod
    def all_due(cls, due: Due) -> DepositPolicy:
        """Return: the whole total at booking, on arrival or on departure.

        Raises:
            InvalidInputError: another kind, which needs days or a date.
        """
        return cls((Milestone(due=due),))

    @classmethod
    def part_at_booking(cls, percent: Percent, *, rest: Due = Due.ARRIVAL) -> DepositPolicy:
        """Return: a share at booking, the rest on arrival or departure.

        Raises:
            InvalidInputError: not more than 0 % and less than 100 %.
        """
        return cls((Milestone(due=Due.BOOKING, percent=percent), Milestone(due=rest)))
