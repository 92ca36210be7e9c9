"""Rules that name nights without listing them: weekdays, seasons, days that return each year.

Owns how such a rule becomes a set of nights. Leaves the sets to ``ranges`` and what a season is worth to
``pricing``. How it works: ``docs/algorithms/nights.md``.
"""

from __future__ import annotations

import re
from calendar import isleap
from collections.abc import Iterable, Sequence
from datetime import date
from typing import ClassVar, Final

from attrs import frozen

from pmscore.dates.nights import HalfOpen
from pmscore.dates.ranges import DateSet, weekday_mask
from pmscore.kernel.errors import InvalidInputError

__all__ = ["MonthDay", "Season", "Weekdays", "YearlyRule", "seasons_by_night"]

_NAMES: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTH_DAY: Final = re.compile(r"[0-9]{2}-[0-9]{2}")
_LONGEST: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@frozen(order=True)
class Weekdays:
    """A set of weekdays as seven bits; Monday is bit 0."""

    EVERY: ClassVar[Weekdays]
    NONE: ClassVar[Weekdays]

    mask: int

    def __attrs_post_init__(self) -> None:
        if not 0 <= self.mask <= 0b1111111:
            raise InvalidInputError("weekdays", "out_of_range", lowest=0, highest=127)

    @classmethod
    def from_names(cls, names: Iterable[str]) -> Weekdays:
        """Return the set of ``mon``, ``tue``, ``wed``, ``thu``, ``fri``, ``sat``, ``sun`` in any order.

        Raises:
            InvalidInputError: field ``weekdays``, reason ``unknown_weekday``.
        """
        mask = 0
        for name in names:
            if name not in _NAMES:
                shown = name[:16].encode("ascii", "backslashreplace").decode("ascii")
                raise InvalidInputError("weekdays", "unknown_weekday", value=shown)
            mask |= 1 << _NAMES.index(name)
        return cls(mask)

    def names(self) -> tuple[str, ...]:
        """Return the short names, Monday first."""
        return tuple(name for bit, name in enumerate(_NAMES) if self.mask >> bit & 1)

    def __contains__(self, day: date) -> bool:
        return bool(self.mask >> day.weekday() & 1)

    def __or__(self, other: Weekdays) -> Weekdays:
        return Weekdays(self.mask | other.mask)

    def __and__(self, other: Weekdays) -> Weekdays:
        return Weekdays(self.mask & other.mask)

    def __invert__(self) -> Weekdays:
        return Weekdays(~self.mask & 0b1111111)

    def mask_over(self, nights: HalfOpen) -> int:
        """Return these weekdays among ``nights``; bit ``i`` is the first night plus ``i`` days."""
        return weekday_mask(self.mask, nights.first_ordinal, nights.length)

    def within(self, nights: HalfOpen) -> DateSet:
        """Return the nights of a range that fall on these weekdays."""
        return DateSet.of_mask(nights.first_night, self.mask_over(nights))


Weekdays.EVERY = Weekdays(0b1111111)
Weekdays.NONE = Weekdays(0)


@frozen(order=True)
class MonthDay:
    """A day that returns each year. 29 February is read as 1 March in a common year."""

    month: int
    day: int

    def __attrs_post_init__(self) -> None:
        if not 1 <= self.month <= 12 or not 1 <= self.day <= _LONGEST[self.month - 1]:
            raise InvalidInputError("month_day", "no_such_day", month=self.month, day=self.day)

    @classmethod
    def of(cls, day: date) -> MonthDay:
        """Return the month and day of ``day``."""
        return cls(day.month, day.day)

    @classmethod
    def parse(cls, text: str, *, field: str = "month_day") -> MonthDay:
        """Return the day written ``MM-DD``.

        Raises:
            InvalidInputError: names ``field``; reason ``not_month_day``, or ``no_such_day``.
        """
        if _MONTH_DAY.fullmatch(text) is None:
            shown = text[:16].encode("ascii", "backslashreplace").decode("ascii")
            raise InvalidInputError(field, "not_month_day", value=shown)
        try:
            return cls(int(text[:2]), int(text[3:]))
        except InvalidInputError as error:
            raise InvalidInputError(field, error.reason, value=text) from None

    def in_year(self, year: int) -> date:
        """Return the day in ``year``; 29 February of a common year is its 1 March."""
        if (self.month, self.day) == (2, 29) and not isleap(year):
            return date(year, 3, 1)
        return date(year, self.month, self.day)

    def __str__(self) -> str:
        return f"{self.month:02}-{self.day:02}"


@frozen
class YearlyRule:
    """Nights from ``start`` until the night before ``end``, each year, on some weekdays.

    Half-open like every range. An end that is not after the start lies in the next year: 20 December to
    7 January has the night of 6 January as its last; equal days mean the whole year. In a common year
    29 February to 1 March has no night.
    """

    start: MonthDay
    end: MonthDay
    weekdays: Weekdays = Weekdays.EVERY

    def nights_in(self, window: HalfOpen) -> DateSet:
        """Return the nights of ``window`` that the rule names."""
        origin = window.first_ordinal
        rest = window.end_ordinal
        bits = 0
        for year in range(window.first_night.year - 1, window.day_after.year + 1):
            first = max(self.start.in_year(year).toordinal(), origin)
            end_year = year + 1 if self.end <= self.start else year
            end = min(self.end.in_year(end_year).toordinal(), rest)
            if first < end:
                bits |= ((1 << (end - first)) - 1) << (first - origin)
        return DateSet.of_mask(window.first_night, bits & self.weekdays.mask_over(window))


@frozen(kw_only=True)
class Season:
    """Named nights with a weight: where seasons overlap, the higher ``priority`` has the night."""

    name: str
    nights: DateSet
    weekdays: Weekdays = Weekdays.EVERY
    priority: int = 0

    def __contains__(self, night: date) -> bool:
        return night in self.weekdays and night in self.nights

    def nights_in(self, window: HalfOpen) -> DateSet:
        """Return the nights of ``window`` that the season names, stronger seasons not considered."""
        return (self.nights & DateSet.of(window)).on_weekdays(self.weekdays.mask)


def seasons_by_night(seasons: Sequence[Season], window: HalfOpen) -> tuple[tuple[Season, DateSet], ...]:
    """Return each season that has nights in ``window`` with the nights that are its own.

    The highest priority has a night; among equals the earlier in ``seasons``. The sets are disjoint, their
    union is the union of all seasons within the window, and the strongest season comes first.
    """
    left = DateSet.of(window)
    owned: list[tuple[Season, DateSet]] = []
    for season in sorted(seasons, key=lambda each: -each.priority):
        own = season.nights_in(window) & left
        if own.bits:
            owned.append((season, own))
            left -= own
    return tuple(owned)
