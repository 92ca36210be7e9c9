"""A calendar feed read as nights that are taken: all of it, or nothing and a word why.

Owns components and which events take nights. Half a feed would free what its other half keeps, so one event that
cannot be understood refuses the feed. Events that repeat are refused too: no platform that sells rooms writes them.
Leaves lines, dates and words to its neighbours, and what has changed since the last time to
``pmscore.channels.policies.feeds``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from attrs import frozen

from pms_adapters.channels.ical.kinds import EventKind, kind_of, reference_of
from pms_adapters.channels.ical.lines import MOST_BYTES, ContentLine, content_lines, unescaped
from pms_adapters.channels.ical.times import nights_of
from pms_adapters.serialization.unreadable import UnreadableError
from pmscore.dates.ranges import DateRange
from pmscore.dates.zones import Zone

__all__ = ["BusyEvent", "read_calendar"]

_MOST_COMPONENTS: Final = 20_000
_MOST_DEPTH: Final = 8
_CALENDAR: Final = "VCALENDAR"
_EVENT: Final = "VEVENT"
_REPEATS: Final = ("RRULE", "RDATE", "RECURRENCE-ID")


@frozen(kw_only=True)
class BusyEvent:
    """Nights that are taken; ``reference`` is the platform's number of the reservation where it says one."""

    uid: str
    nights: DateRange
    kind: EventKind
    reference: str = ""


def read_calendar(body: bytes, zone: Zone, *, most_bytes: int = MOST_BYTES) -> tuple[BusyEvent, ...]:
    """Return the events that take nights, in the order of the feed; ``zone`` is that of the house.

    Cancelled and transparent events take none, nor do those that begin and end on one day.

    Raises:
        UnreadableError: ``reason`` is ``not_a_calendar``, ``cut_off``, ``not_balanced``, ``too_large``,
            ``too_many_lines``,
            ``too_many_components``, ``too_deep``, ``bad_line``, ``bad_date``, ``bad_duration``,
            ``ends_before_start``, ``event_without_start`` or ``repeating_event``.
    """
    reading = _Reading()
    found: list[BusyEvent] = []
    for event in reading.events(content_lines(body, most_bytes=most_bytes)):
        busy = _busy(event, reading.producer, zone)
        if busy is not None:
            found.append(busy)
    return tuple(found)


class _Reading:
    """Where in the components a reader is, and whose calendar it is."""

    def __init__(self) -> None:
        self.producer = ""
        self._open: list[str] = []
        self._count = 0

    def events(self, lines: Iterator[ContentLine]) -> Iterator[Mapping[str, ContentLine]]:
        """Yield the first line of each name of every event; what else a calendar may hold is passed over."""
        event: dict[str, ContentLine] = {}
        for line in lines:
            if line.name == "BEGIN":
                self._begin(line.value.strip().upper())
                if len(self._open) == 2:
                    event = {}
            elif not self._open:
                raise UnreadableError("not_a_calendar")
            elif line.name == "END":
                self._end(line.value.strip().upper())
                if self._open == [_CALENDAR] and line.value.strip().upper() == _EVENT:
                    yield event
            elif self._open == [_CALENDAR, _EVENT]:
                event.setdefault(line.name, line)
            elif line.name == "PRODID" and self._open == [_CALENDAR]:
                self.producer = line.value
        if self._open:
            raise UnreadableError("cut_off")
        if not self._count:
            raise UnreadableError("not_a_calendar")

    def _begin(self, name: str) -> None:
        if (name == _CALENDAR) == bool(self._open):
            raise UnreadableError("not_balanced" if self._open else "not_a_calendar")
        self._open.append(name)
        self._count += 1
        if len(self._open) > _MOST_DEPTH:
            raise UnreadableError("too_deep", most=_MOST_DEPTH)
        if self._count > _MOST_COMPONENTS:
            raise UnreadableError("too_many_components", most=_MOST_COMPONENTS)
        if name == _CALENDAR:
            self.producer = ""

    def _end(self, name: str) -> None:
        if self._open.pop() != name:
            raise UnreadableError("not_balanced")


def _busy(event: Mapping[str, ContentLine], producer: str, zone: Zone) -> BusyEvent | None:
    status = _word(event, "STATUS")
    if status == "CANCELLED" or _word(event, "TRANSP") == "TRANSPARENT":
        return None
    if any(name in event for name in _REPEATS):
        raise UnreadableError("repeating_event")
    if "DTSTART" not in event:
        raise UnreadableError("event_without_start")
    nights = nights_of(event["DTSTART"], event.get("DTEND"), event.get("DURATION"), zone)
    if nights is None:
        return None
    summary, description = _text(event, "SUMMARY"), _text(event, "DESCRIPTION")
    reference = reference_of(summary, description)
    return BusyEvent(
        uid=_uid(event, nights),
        nights=nights,
        kind=kind_of(producer, summary, status, reference),
        reference=reference,
    )


def _uid(event: Mapping[str, ContentLine], nights: DateRange) -> str:
    """Return what an event is known by; without a name it is known by its nights."""
    told = "".join(each if each.isprintable() else "\ufffd" for each in _text(event, "UID").strip())
    return told or f"unnamed:{nights.start.isoformat()}:{nights.end.isoformat()}"


def _text(event: Mapping[str, ContentLine], name: str) -> str:
    return unescaped(event[name].value) if name in event else ""


def _word(event: Mapping[str, ContentLine], name: str) -> str:
    return event[name].value.strip().upper() if name in event else ""
