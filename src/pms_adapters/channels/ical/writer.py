"""The calendar that we give out, as text: nights that are taken, and nothing about whom or why.

Owns the form (CRLF, folds at 75 octets, dates with exclusive ends) and a tag by which a reader asks for what
is newer. Leaves which nights those are to ``pmscore.channels.views.calendar``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Final

from pms_adapters.channels.ical.lines import folded
from pmscore.channels.ports.calendars import CalendarWriter
from pmscore.channels.views.calendar import BusyRange

__all__ = ["IcalWriter", "calendar_tag", "written_calendar"]

_HEAD: Final = (
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "PRODID:-//pmscore//Calendar//EN",
    "CALSCALE:GREGORIAN",
    "METHOD:PUBLISH",
)
_SUMMARY: Final = "Not available"


class IcalWriter(CalendarWriter):
    """Writes iCalendar (RFC 5545)."""

    def written(self, ranges: Iterable[BusyRange], *, made_at: datetime) -> bytes:
        """Return the calendar."""
        return written_calendar(ranges, made_at=made_at)

    def tag(self, ranges: Iterable[BusyRange]) -> str:
        """Return its tag, without quotes."""
        return calendar_tag(ranges).strip('"')


def written_calendar(ranges: Iterable[BusyRange], *, made_at: datetime) -> bytes:
    """Return the calendar; ``made_at`` is the instant that it was asked for, or that of the last change."""
    stamp = f"{made_at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    lines = (*_HEAD, *(line for each in ranges for line in _event(each, stamp)), "END:VCALENDAR")
    return b"".join(map(folded, lines))


def calendar_tag(ranges: Iterable[BusyRange]) -> str:
    """Return an entity tag (RFC 9110): the same as long as the calendar says the same, whenever it was made."""
    said = "\n".join(f"{each.uid} {each.nights.start} {each.nights.end}" for each in ranges)
    return f'"{sha256(said.encode()).hexdigest()[:32]}"'


def _event(busy: BusyRange, stamp: str) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{busy.uid}"
    yield f"DTSTAMP:{stamp}"
    yield f"DTSTART;VALUE=DATE:{_day(busy.nights.start)}"
    yield f"DTEND;VALUE=DATE:{_day(busy.nights.end)}"
    yield f"SUMMARY:{_SUMMARY}"
    yield "TRANSP:OPAQUE"
    yield "END:VEVENT"


def _day(day: date) -> str:
    return f"{day.year:04}{day.month:02}{day.day:02}"
