"""The business date of a property: a stored pointer that only moves forward.

Owns how far it may move and when an automatic roll is due. Leaves what closing a day does (postings,
no-shows, due-outs) to the contexts, and storing the pointer to ``inventory``.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from attrs import frozen

from pmscore.dates.nights import LAST_DAY, check_day
from pmscore.dates.zones import Zone, instant_at, local_date
from pmscore.kernel.errors import InvalidInputError, TransitionError

__all__ = ["BusinessDate", "due_rolls"]

_DAY = timedelta(days=1)


@frozen(order=True)
class BusinessDate:
    """The day that the house is working on; arrivals at 01:30 still belong to it until it is closed.

    Invariant: it moves forward, one day at a time, so that every day is closed exactly once.
    """

    day: date

    def __attrs_post_init__(self) -> None:
        check_day(self.day, field="business_date")

    def advance(self) -> BusinessDate:
        """Return the next business date; the present one is closed.

        Raises:
            InvalidInputError: ``out_of_calendar``.
        """
        if self.day == LAST_DAY:
            raise InvalidInputError("business_date", "out_of_calendar")
        return BusinessDate(self.day + _DAY)

    def advance_to(self, day: date) -> tuple[date, ...]:
        """Return the days to close, ascending, so that ``day`` becomes the business date.

        Empty where it is that day already.

        Raises:
            InvalidInputError: field ``business_date``; no date of the calendar.
            TransitionError: ``day`` lies before the present business date; reason ``not_forward``.
        """
        check_day(day, field="business_date")
        if day < self.day:
            raise TransitionError("advance", self.day.isoformat(), "not_forward", wanted=day.isoformat())
        return tuple(map(date.fromordinal, range(self.day.toordinal(), day.toordinal())))

    def calendar_lag(self, now: datetime, zone: Zone) -> int:
        """Return by how many days the pointer is behind the local calendar; negative if it is ahead.

        Raises:
            InvalidInputError: field ``instant``; ``now`` is naive.
        """
        return (local_date(now, zone) - self.day).days


def due_rolls(pointer: BusinessDate, now: datetime, zone: Zone, hour: int) -> tuple[date, ...]:
    """Return the days that an automatic roll has to close at ``now``, ascending.

    A business date is due when the clocks of the property first show ``hour``:00 on the day after it. A
    clock that was set back makes nothing due.

    Raises:
        InvalidInputError: field ``roll_hour`` (not 0 to 23) or ``instant``.
    """
    if not 0 <= hour <= 23:
        raise InvalidInputError("roll_hour", "out_of_range", lowest=0, highest=23)
    at = time(hour)
    # Begin one day late: clocks set back over midnight show yesterday's date after today's has begun.
    reached = min(local_date(now, zone) + _DAY, LAST_DAY)
    while reached > pointer.day and instant_at(reached, at, zone) > now:
        reached -= _DAY
    return pointer.advance_to(reached) if reached > pointer.day else ()
