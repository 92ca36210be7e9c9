"""How long before the arrival a stay must, and may, be asked for.

Owns the lead time and the booking window, both read on the arrival date, both in the property's zone. Days
are steps on the calendar, hours elapse on the instant line: when the clocks change on the way, 24 hours are
not a day. The difference to the clock of the business day: ``docs/algorithms/restrictions.md``.
"""

from __future__ import annotations

import re
from datetime import timedelta
from enum import Enum
from typing import ClassVar, Final, Self

from attrs import frozen

from pmscore.dates.nights import FIRST_DAY
from pmscore.dates.zones import day_start, elapsed, instant_at, local_date
from pmscore.kernel.errors import InvalidInputError
from pmscore.restrictions.model.rules import RULE_KINDS, Reads, RuleValue, StayQuestion

__all__ = ["Anchor", "BookingWindow", "LeadTime", "LeadUnit"]

_MOST_DAYS: Final = 3660
_LEAD: Final = re.compile(r"(0|[1-9][0-9]{0,5})(d|h) before (arrival|check_in)")


class LeadUnit(Enum):
    """What a lead time counts."""

    DAYS = "d"
    HOURS = "h"


class Anchor(Enum):
    """What a lead time is counted back from: the property's midnight of the arrival date, or check-in."""

    ARRIVAL = "arrival"
    CHECK_IN = "check_in"


@RULE_KINDS.register("lead_time")
@frozen
class LeadTime:
    """A stay that begins on this date is asked for at least so long before.

    Stored as text: ``2d before arrival``, ``36h before check_in``. Days before arrival compare dates: with
    one day, the last moment is the midnight that ends the day before. The other three are deadlines: asking
    at the very instant is in time.
    """

    reads: ClassVar[Reads] = Reads.ARRIVAL

    amount: int
    unit: LeadUnit
    anchor: Anchor

    @classmethod
    def of(cls, value: RuleValue) -> Self:
        """Return the rule written in ``value``.

        Raises:
            InvalidInputError: not written as above, or more than ten years.
        """
        written = _LEAD.fullmatch(value) if isinstance(value, str) else None
        if written is None:
            raise InvalidInputError("value", "not_a_lead_time")
        amount, unit = int(written.group(1)), LeadUnit(written.group(2))
        if amount > _MOST_DAYS * (1 if unit is LeadUnit.DAYS else 24):
            raise InvalidInputError("value", "out_of_range", most_days=_MOST_DAYS)
        return cls(amount, unit, Anchor(written.group(3)))

    def allows(self, question: StayQuestion) -> bool:
        """Return whether the stay was asked for in time."""
        arrival = question.stay.arrival
        if self.unit is LeadUnit.DAYS:
            if self.anchor is Anchor.ARRIVAL:
                return _days_ahead(question) >= self.amount
            last_day = arrival - timedelta(days=self.amount)
            if last_day < FIRST_DAY:
                return False
            last_at = instant_at(last_day, question.check_in_at, question.zone)
            return question.asked_at <= last_at
        if self.anchor is Anchor.ARRIVAL:
            anchor_at = day_start(arrival, question.zone)
        else:
            anchor_at = instant_at(arrival, question.check_in_at, question.zone)
        return elapsed(question.asked_at, anchor_at) >= timedelta(hours=self.amount)

    def shown(self) -> str:
        """Return the lead time as it is stored."""
        return f"{self.amount}{self.unit.value} before {self.anchor.value}"


@RULE_KINDS.register("booking_window")
@frozen
class BookingWindow:
    """A stay that begins on this date is asked for at most so many days before; today is day zero."""

    reads: ClassVar[Reads] = Reads.ARRIVAL

    days: int

    @classmethod
    def of(cls, value: RuleValue) -> Self:
        """Return the rule.

        Raises:
            InvalidInputError: not a number of days up to ten years.
        """
        if type(value) is not int or not 0 <= value <= _MOST_DAYS:
            raise InvalidInputError("value", "not_days", most=_MOST_DAYS)
        return cls(value)

    def allows(self, question: StayQuestion) -> bool:
        """Return whether the arrival is near enough."""
        return _days_ahead(question) <= self.days

    def shown(self) -> int:
        """Return the days."""
        return self.days


def _days_ahead(question: StayQuestion) -> int:
    today = local_date(question.asked_at, question.zone)
    return question.stay.arrival.toordinal() - today.toordinal()
