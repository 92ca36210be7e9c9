"""A stay as a half-open range of nights, and the calendar that every date must lie in.

Owns ``[arrival, departure)``, the algebra that all half-open ranges share, and the reading of dates from
text. Leaves ranges that are no stays, and sets of them, to ``ranges``; instants and zones to ``zones``.
How masks work: ``docs/algorithms/nights.md``.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from datetime import date
from typing import Final, Self

from attrs import frozen

from pmscore.kernel.errors import InvalidInputError, MisuseError

__all__ = [
    "FIRST_DAY",
    "LAST_DAY",
    "MAX_NIGHTS",
    "HalfOpen",
    "StayRange",
    "check_day",
    "day_of_ordinal",
    "parse_date",
]

FIRST_DAY: Final = date(1900, 1, 1)
LAST_DAY: Final = date(2199, 12, 31)
MAX_NIGHTS: Final = 1096

_FIRST_ORDINAL: Final = FIRST_DAY.toordinal()
_LAST_ORDINAL: Final = LAST_DAY.toordinal()
_ISO_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def parse_date(text: str, *, field: str) -> date:
    """Return the day that ``text`` names, written ``YYYY-MM-DD`` (ISO 8601 extended form) and nothing else.

    Raises:
        InvalidInputError: names ``field``; reason ``not_iso_date``, ``out_of_calendar`` (a year outside
            1900 to 2199) or ``no_such_day`` (29 February in a common year, for instance).
    """
    shown = text[:32].encode("ascii", "backslashreplace").decode("ascii")
    if _ISO_DAY.fullmatch(text) is None:
        raise InvalidInputError(field, "not_iso_date", value=shown)
    if not FIRST_DAY.year <= int(text[:4]) <= LAST_DAY.year:
        raise InvalidInputError(field, "out_of_calendar", value=shown)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInputError(field, "no_such_day", value=shown) from None


def check_day(day: date, *, field: str) -> None:
    """Accept a plain date of the calendar.

    Raises:
        InvalidInputError: names ``field``; reason ``not_a_date`` (a ``datetime`` is none) or
            ``out_of_calendar``.
    """
    if type(day) is not date:
        raise InvalidInputError(field, "not_a_date", type=type(day).__name__)
    if not FIRST_DAY <= day <= LAST_DAY:
        raise InvalidInputError(field, "out_of_calendar", value=day.isoformat())


def day_of_ordinal(ordinal: int, *, field: str) -> date:
    """Return the day with this proleptic Gregorian ordinal (``date.toordinal``).

    Raises:
        InvalidInputError: names ``field``; reason ``out_of_calendar``.
    """
    if not _FIRST_ORDINAL <= ordinal <= _LAST_ORDINAL:
        raise InvalidInputError(field, "out_of_calendar")
    return date.fromordinal(ordinal)


class HalfOpen(ABC):
    """What all half-open ranges of local dates can do; the end is no part of the range."""

    __slots__ = ()

    @property
    @abstractmethod
    def first_night(self) -> date:
        """The first night of the range."""

    @property
    @abstractmethod
    def day_after(self) -> date:
        """The first day that is no longer part of the range."""

    @abstractmethod
    def _of_ordinals(self, first: int, end: int) -> Self: ...

    @property
    def last_night(self) -> date:
        """The last night of the range."""
        return date.fromordinal(self.day_after.toordinal() - 1)

    @property
    def first_ordinal(self) -> int:
        """The first night as a proleptic Gregorian ordinal."""
        return self.first_night.toordinal()

    @property
    def end_ordinal(self) -> int:
        """The day after the last night as a proleptic Gregorian ordinal."""
        return self.day_after.toordinal()

    @property
    def length(self) -> int:
        """The number of nights; at least one."""
        return self.day_after.toordinal() - self.first_night.toordinal()

    def nights(self) -> tuple[date, ...]:
        """Return every night, ascending."""
        return tuple(map(date.fromordinal, range(self.first_ordinal, self.end_ordinal)))

    def __contains__(self, night: date) -> bool:
        return self.first_night <= night < self.day_after

    def __str__(self) -> str:
        return f"{self.first_night.isoformat()}/{self.day_after.isoformat()}"

    def overlaps(self, other: HalfOpen) -> bool:
        """Return whether the two share a night."""
        return self.first_night < other.day_after and other.first_night < self.day_after

    def touches(self, other: HalfOpen) -> bool:
        """Return whether one begins on the day on which the other ends; they share no night."""
        return self.day_after == other.first_night or other.day_after == self.first_night

    def contains(self, other: HalfOpen) -> bool:
        """Return whether every night of ``other`` is a night of this range."""
        return self.first_night <= other.first_night and other.day_after <= self.day_after

    def intersection(self, other: HalfOpen) -> Self | None:
        """Return the shared nights, None if there are none."""
        if not self.overlaps(other):
            return None
        first = max(self.first_ordinal, other.first_ordinal)
        return self._of_ordinals(first, min(self.end_ordinal, other.end_ordinal))

    def shifted(self, days: int) -> Self:
        """Return a range of the same length, ``days`` later (earlier where negative).

        Raises:
            InvalidInputError: ``out_of_calendar``.
        """
        return self._of_ordinals(self.first_ordinal + days, self.end_ordinal + days)

    def mask(self, origin: date) -> int:
        """Return the nights as an integer in which bit ``i`` is the night ``origin + i`` days.

        Raises:
            MisuseError: a night lies before ``origin``.
        """
        first = self.first_night.toordinal()
        offset = first - origin.toordinal()
        if offset < 0:
            raise MisuseError(mask_origin=origin.isoformat(), first_night=self.first_night.isoformat())
        return ((1 << (self.day_after.toordinal() - first)) - 1) << offset


@frozen(order=True)
class StayRange(HalfOpen):
    """The nights of a stay: from the arrival date until the night before the departure date.

    Invariants: both are plain dates of the years 1900 to 2199; the departure is after the arrival; there
    are at most ``MAX_NIGHTS`` nights. Sorted by arrival, then departure.
    """

    arrival: date
    departure: date

    def __attrs_post_init__(self) -> None:
        arrival = self.arrival
        departure = self.departure
        # One test for the good case, because stays are built by the hundred thousand; the reason is
        # worked out only for the bad one.
        if type(arrival) is date and type(departure) is date:
            first = arrival.toordinal()
            end = departure.toordinal()
            if _FIRST_ORDINAL <= first < end <= _LAST_ORDINAL and end - first <= MAX_NIGHTS:
                return
        _refuse_stay(arrival, departure)

    @classmethod
    def of(cls, arrival: date, length: int) -> StayRange:
        """Return the stay of ``length`` nights that begins on ``arrival``.

        Raises:
            InvalidInputError: field ``arrival`` or ``departure``, as for a stay built from two dates.
        """
        check_day(arrival, field="arrival")
        if length > MAX_NIGHTS:
            raise InvalidInputError("departure", "too_long", nights=length, max_nights=MAX_NIGHTS)
        if length < 1:
            raise InvalidInputError("departure", "not_after_arrival")
        return cls(arrival, day_of_ordinal(arrival.toordinal() + length, field="departure"))

    @classmethod
    def parse(cls, arrival_text: str, departure_text: str) -> StayRange:
        """Return the stay between two dates written ``YYYY-MM-DD``.

        Raises:
            InvalidInputError: field ``arrival`` or ``departure``; see :func:`parse_date`.
        """
        arrival = parse_date(arrival_text, field="arrival")
        return cls(arrival, parse_date(departure_text, field="departure"))

    @property
    def first_night(self) -> date:
        """The arrival date."""
        return self.arrival

    @property
    def day_after(self) -> date:
        """The departure date."""
        return self.departure

    def _of_ordinals(self, first: int, end: int) -> StayRange:
        return StayRange(day_of_ordinal(first, field="arrival"), day_of_ordinal(end, field="departure"))


def _refuse_stay(arrival: date, departure: date) -> None:
    check_day(arrival, field="arrival")
    check_day(departure, field="departure")
    nights = (departure - arrival).days
    if nights < 1:
        raise InvalidInputError("departure", "not_after_arrival")
    raise InvalidInputError("departure", "too_long", nights=nights, max_nights=MAX_NIGHTS)
