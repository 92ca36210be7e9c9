"""Nights of an event: what its start, its end or its length say, in the calendar of the house.

Owns the values DATE, DATE-TIME and DURATION of RFC 5545, and its rule for events without an end. Leaves lines and
components to the reader.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from attrs import frozen

from pms_adapters.channels.ical.lines import ContentLine
from pms_adapters.serialization.unreadable import UnreadableError
from pmscore.dates.ranges import DateRange
from pmscore.dates.zones import Zone, instant_at, local_date, local_time
from pmscore.kernel.errors import InvalidInputError

__all__ = ["nights_of"]

_DAY: Final = timedelta(days=1)
_MIDNIGHT: Final = time(0)
_DATE: Final = re.compile(r"(\d{4})(\d\d)(\d\d)", re.ASCII)
_TIME: Final = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(Z?)", re.ASCII | re.IGNORECASE)
_LENGTH: Final = re.compile(
    r"\+?P(?:(\d{1,5})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,7})S)?)?",
    re.ASCII | re.IGNORECASE,
)


@frozen
class _Moment:
    """A start or an end as clocks of the house show it; ``is_day`` where only a date was told."""

    wall: datetime
    is_day: bool
    is_utc_midnight: bool = False
    told: date = date.min


def nights_of(
    start: ContentLine, end: ContentLine | None, length: ContentLine | None, zone: Zone
) -> DateRange | None:
    """Return the nights from the local date of the start to that of the end; None where no night lies between.

    A date without an end is one day, and so is one that ends on the day it begins.

    Raises:
        UnreadableError: ``bad_date``, ``bad_duration`` or ``ends_before_start``.
    """
    try:
        begin = _moment(start, zone)
        finish = begin
        if end is not None:
            finish = _moment(end, zone)
        elif length is not None:
            lasts = _duration(length.value)
            # Of a day that has begun the night is taken.
            lasts = -(-lasts // _DAY) * _DAY if begin.is_day else lasts
            finish = _Moment(begin.wall + lasts, is_day=begin.is_day)
        first, last = _dates(begin, finish)
        if last < first or (not begin.is_day and finish.wall < begin.wall):
            raise UnreadableError("ends_before_start")
        if begin.is_day and last == first:
            last = first + _DAY
        return DateRange(first, last) if first < last else None
    except (InvalidInputError, OverflowError, ValueError) as error:
        raise UnreadableError("bad_date") from error


def _dates(begin: _Moment, finish: _Moment) -> tuple[date, date]:
    """Return the first night and the day after the last one.

    From midnight to midnight in UTC is how some write dates, wherever the house is.
    """
    if begin.is_utc_midnight and finish.is_utc_midnight:
        return begin.told, finish.told
    return begin.wall.date(), finish.wall.date()


def _moment(line: ContentLine, zone: Zone) -> _Moment:
    value = line.value.strip()
    if day := _DATE.fullmatch(value):
        return _Moment(datetime.combine(_date(*day.groups()), _MIDNIGHT), is_day=True)
    told = _TIME.fullmatch(value)
    if told is None:
        raise UnreadableError("bad_date")
    at_day = _date(told[1], told[2], told[3])
    # A leap second has no place in a datetime.
    wall = time(int(told[4]), int(told[5]), min(int(told[6]), 59))
    if told[7]:
        instant = datetime.combine(at_day, wall, tzinfo=UTC)
        return _Moment(_local(instant, zone), is_day=False, is_utc_midnight=wall == _MIDNIGHT, told=at_day)
    there = _zone_of(line)
    if there is None:
        return _Moment(datetime.combine(at_day, wall), is_day=False)
    return _Moment(_local(instant_at(at_day, wall, there), zone), is_day=False)


def _zone_of(line: ContentLine) -> Zone | None:
    """Return the zone that a line names; one that nobody knows is taken for the house's own."""
    try:
        return Zone(line.params["TZID"]) if "TZID" in line.params else None
    except InvalidInputError:
        return None


def _local(instant: datetime, zone: Zone) -> datetime:
    return datetime.combine(local_date(instant, zone), local_time(instant, zone))


def _date(year: str, month: str, day: str) -> date:
    return date(int(year), int(month), int(day))


def _duration(value: str) -> timedelta:
    found = _LENGTH.fullmatch(value.strip())
    if found is None or not any(found.groups()):
        raise UnreadableError("bad_duration")
    weeks, days, hours, minutes, seconds = (int(each or 0) for each in found.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
