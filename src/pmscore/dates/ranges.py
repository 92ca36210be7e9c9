"""Ranges of dates that are no stays, and normalised sets of nights.

Owns ``DateRange`` (blocks, seasons, validity) and ``DateSet``, the algebra on integer masks. Leaves stays
to ``nights`` and rules that repeat to ``recurrence``. How it works: ``docs/algorithms/nights.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import ClassVar, Final

from attrs import frozen

from pmscore.dates.nights import (
    FIRST_DAY,
    LAST_DAY,
    HalfOpen,
    StayRange,
    check_day,
    day_of_ordinal,
    parse_date,
)
from pmscore.kernel.errors import InvalidInputError

__all__ = ["DateRange", "DateSet", "weekday_mask"]

_FIRST_ORDINAL: Final = FIRST_DAY.toordinal()
_LAST_ORDINAL: Final = LAST_DAY.toordinal()
_WEEK: Final = 0b1111111


@frozen(order=True)
class DateRange(HalfOpen):
    """Half-open ``[start, end)``, never empty, as long as the calendar (1900 to 2199) allows.

    Sorted by start, then end.
    """

    start: date
    end: date

    def __attrs_post_init__(self) -> None:
        check_day(self.start, field="start")
        check_day(self.end, field="end")
        if self.end <= self.start:
            raise InvalidInputError("end", "not_after_start")

    @classmethod
    def of(cls, start: date, length: int) -> DateRange:
        """Return the range of ``length`` nights from ``start`` on.

        Raises:
            InvalidInputError: field ``start`` or ``end``.
        """
        check_day(start, field="start")
        return cls(start, day_of_ordinal(start.toordinal() + length, field="end"))

    @classmethod
    def parse(cls, start_text: str, end_text: str) -> DateRange:
        """Return the range between two dates written ``YYYY-MM-DD``; the end is exclusive.

        Raises:
            InvalidInputError: field ``start`` or ``end``.
        """
        start = parse_date(start_text, field="start")
        return cls(start, parse_date(end_text, field="end"))

    @classmethod
    def from_stay(cls, stay: StayRange) -> DateRange:
        """Return the nights of ``stay``."""
        return cls(stay.arrival, stay.departure)

    def to_stay(self) -> StayRange:
        """Return the stay over exactly these nights.

        Raises:
            InvalidInputError: longer than a stay may be.
        """
        return StayRange(self.start, self.end)

    @property
    def first_night(self) -> date:
        """The start."""
        return self.start

    @property
    def day_after(self) -> date:
        """The end, which is no part of the range."""
        return self.end

    def span(self, other: HalfOpen) -> DateRange:
        """Return the smallest range that contains both."""
        return DateRange(min(self.start, other.first_night), max(self.end, other.day_after))

    def minus(self, other: HalfOpen) -> tuple[DateRange, ...]:
        """Return what is left without the nights of ``other``: no, one or two ranges."""
        if not self.overlaps(other):
            return (self,)
        before = (self.start, other.first_night)
        after = (other.day_after, self.end)
        return tuple(DateRange(start, end) for start, end in (before, after) if start < end)

    def months(self) -> tuple[DateRange, ...]:
        """Return the range cut at the first of each month, ascending."""
        parts: list[DateRange] = []
        start = self.start
        while start < self.end:
            end = min(_next_month(start), self.end)
            parts.append(DateRange(start, end))
            start = end
        return tuple(parts)

    def _of_ordinals(self, first: int, end: int) -> DateRange:
        return DateRange(day_of_ordinal(first, field="start"), day_of_ordinal(end, field="end"))


@frozen(repr=False)
class DateSet:
    """An immutable set of nights; equal sets are equal values, however they were made.

    Bit ``i`` of ``bits`` is the night with the ordinal ``first_ordinal + i``. Normalised: the lowest bit
    is set, and the empty set is ``(0, 0)``. Build one with ``of``, ``of_nights`` or ``of_mask``.
    """

    EMPTY: ClassVar[DateSet]

    first_ordinal: int = 0
    bits: int = 0

    def __attrs_post_init__(self) -> None:
        if self.bits == 0 and self.first_ordinal == 0:
            return
        end = self.first_ordinal + self.bits.bit_length()
        if self.first_ordinal < _FIRST_ORDINAL or end > _LAST_ORDINAL:
            raise InvalidInputError("nights", "out_of_calendar")
        if self.bits < 0 or not self.bits & 1:
            raise InvalidInputError("nights", "not_normalised")

    @classmethod
    def of(cls, *ranges: HalfOpen) -> DateSet:
        """Return the nights of all ``ranges``, which may overlap and come in any order."""
        if not ranges:
            return cls.EMPTY
        first = min(each.first_ordinal for each in ranges)
        origin = date.fromordinal(first)
        bits = 0
        for each in ranges:
            bits |= each.mask(origin)
        return cls(first, bits)

    @classmethod
    def of_nights(cls, nights: Iterable[date]) -> DateSet:
        """Return the set of these nights.

        Raises:
            InvalidInputError: field ``nights``; no plain date, or outside the calendar.
        """
        ordinals: list[int] = []
        for night in nights:
            check_day(night, field="nights")
            ordinals.append(night.toordinal())
        first = min(ordinals, default=0)
        bits = 0
        for ordinal in ordinals:
            bits |= 1 << (ordinal - first)
        return cls(first, bits)

    @classmethod
    def of_mask(cls, origin: date, mask: int) -> DateSet:
        """Return the nights ``origin + i`` days for every bit ``i`` of ``mask``.

        Raises:
            InvalidInputError: field ``nights``; a negative mask, or a night outside the calendar.
        """
        return _normalised(origin.toordinal(), mask)

    def mask(self, origin: date) -> int:
        """Return the set as an integer relative to ``origin``; nights before it are left out."""
        offset = self.first_ordinal - origin.toordinal()
        return self.bits << offset if offset >= 0 else self.bits >> -offset

    def __len__(self) -> int:
        return self.bits.bit_count()

    def __iter__(self) -> Iterator[date]:
        for first, end in self._runs():
            yield from map(date.fromordinal, range(first, end))

    def __contains__(self, night: date) -> bool:
        offset = night.toordinal() - self.first_ordinal
        return offset >= 0 and bool(self.bits >> offset & 1)

    def __or__(self, other: DateSet) -> DateSet:
        origin, mine, theirs = self._aligned(other)
        return _normalised(origin, mine | theirs)

    def __and__(self, other: DateSet) -> DateSet:
        origin, mine, theirs = self._aligned(other)
        return _normalised(origin, mine & theirs)

    def __sub__(self, other: DateSet) -> DateSet:
        origin, mine, theirs = self._aligned(other)
        return _normalised(origin, mine & ~theirs)

    def __xor__(self, other: DateSet) -> DateSet:
        origin, mine, theirs = self._aligned(other)
        return _normalised(origin, mine ^ theirs)

    def __repr__(self) -> str:
        return f"DateSet({', '.join(str(each) for each in self.ranges())})"

    def overlaps(self, other: DateSet) -> bool:
        """Return whether the two share a night."""
        _, mine, theirs = self._aligned(other)
        return bool(mine & theirs)

    def contains(self, other: DateSet) -> bool:
        """Return whether every night of ``other`` is in this set."""
        _, mine, theirs = self._aligned(other)
        return not theirs & ~mine

    def complement(self, within: HalfOpen) -> DateSet:
        """Return the nights of ``within`` that are not in this set."""
        return DateSet.of(within) - self

    def span(self) -> DateRange | None:
        """Return the smallest range that contains the set, None if it is empty."""
        if not self.bits:
            return None
        return _range(self.first_ordinal, self.first_ordinal + self.bits.bit_length())

    def gaps(self) -> DateSet:
        """Return the nights between the first and the last that are missing."""
        return _normalised(self.first_ordinal, ~self.bits & ((1 << self.bits.bit_length()) - 1))

    def ranges(self) -> tuple[DateRange, ...]:
        """Return the set as the fewest ranges, ascending; no two of them overlap or touch."""
        return tuple(_range(first, end) for first, end in self._runs())

    def by_month(self) -> tuple[tuple[date, DateSet], ...]:
        """Return the set cut by month: the first of each month that has nights, and its nights."""
        span = self.span()
        if span is None:
            return ()
        parts = ((month.start.replace(day=1), self & DateSet.of(month)) for month in span.months())
        return tuple((month, nights) for month, nights in parts if nights.bits)

    def on_weekdays(self, days: int) -> DateSet:
        """Return the nights that fall on ``days``, a mask of seven bits with Monday as bit 0."""
        pattern = weekday_mask(days, self.first_ordinal, self.bits.bit_length())
        return _normalised(self.first_ordinal, self.bits & pattern)

    def shifted(self, days: int) -> DateSet:
        """Return every night ``days`` later (earlier where negative).

        Raises:
            InvalidInputError: a night leaves the calendar.
        """
        return DateSet(self.first_ordinal + days, self.bits) if self.bits else self

    def _aligned(self, other: DateSet) -> tuple[int, int, int]:
        if not self.bits or not other.bits:
            return self.first_ordinal or other.first_ordinal, self.bits, other.bits
        ahead = self.first_ordinal - other.first_ordinal
        if ahead >= 0:
            return other.first_ordinal, self.bits << ahead, other.bits
        return self.first_ordinal, self.bits, other.bits << -ahead

    def _runs(self) -> Iterator[tuple[int, int]]:
        at = self.first_ordinal
        rest = self.bits
        while rest:
            zeros = (rest & -rest).bit_length() - 1
            rest >>= zeros
            ones = (~rest & (rest + 1)).bit_length() - 1
            rest >>= ones
            yield at + zeros, at + zeros + ones
            at += zeros + ones


DateSet.EMPTY = DateSet()


def weekday_mask(days: int, first_ordinal: int, length: int) -> int:
    """Return the nights of ``days`` (Monday is bit 0) among ``length`` nights from an ordinal on."""
    # Ordinal 1 is a Monday, so the pattern is turned by (ordinal - 1) mod 7 and then repeated.
    turn = (first_ordinal - 1) % 7
    week = (days >> turn | days << (7 - turn)) & _WEEK
    weeks = -(-length // 7)
    return week * (((1 << 7 * weeks) - 1) // _WEEK) & ((1 << length) - 1)


def _normalised(origin: int, bits: int) -> DateSet:
    if bits <= 0:
        if bits < 0:
            raise InvalidInputError("nights", "negative_mask")
        return DateSet.EMPTY
    zeros = (bits & -bits).bit_length() - 1
    return DateSet(origin + zeros, bits >> zeros)


def _range(first: int, end: int) -> DateRange:
    return DateRange(date.fromordinal(first), date.fromordinal(end))


def _next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)
