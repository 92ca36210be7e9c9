"""Calendars as platforms write them: whose they are, and the words for a guest and for nights that are only kept.

Owns the text of a feed and its tag. Written after what feeds look like, without a look at how we read or write one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from hashlib import sha256
from typing import Final

from attrs import frozen

from pmscore.dates.ranges import DateRange

__all__ = ["AIRBNB", "VRBO", "Event", "FeedStyle", "feed_tag", "feed_text", "taken_nights"]

_FOLD: Final = 74


@frozen(kw_only=True)
class Event:
    """Nights of a calendar; ``code`` is the number of a reservation, empty where the nights are only kept."""

    uid: str
    nights: DateRange
    code: str = ""
    name: str = ""


@frozen(kw_only=True)
class FeedStyle:
    """The manner of one platform."""

    producer: str
    host: str
    reserved: str
    kept: str
    tells_code: bool
    tells_name: bool

    def uid(self, *of: str) -> str:
        """Return the name of an event, always the same for the same booking."""
        digest = sha256("/".join(of).encode()).hexdigest()
        return f"{digest[:12]}-{digest[12:44]}{self.host}"


AIRBNB: Final = FeedStyle(
    producer="PRODID;X-RICAL-TZSOURCE=TZINFO:-//Airbnb Inc//Hosting Calendar 1.0//EN",
    host="@airbnb.com",
    reserved="Reserved",
    kept="Airbnb (Not available)",
    tells_code=True,
    tells_name=False,
)
VRBO: Final = FeedStyle(
    producer="PRODID:-//HomeAway.com\\, Inc.//EN",
    host="",
    reserved="Reserved",
    kept="Blocked",
    tells_code=False,
    tells_name=True,
)


def feed_text(style: FeedStyle, events: Iterable[Event], *, made_at: datetime) -> bytes:
    """Return the calendar of a room; each one is stamped anew, as platforms do."""
    stamp = f"{made_at:%Y%m%dT%H%M%SZ}"
    lines = ["BEGIN:VCALENDAR", style.producer, "CALSCALE:GREGORIAN", "VERSION:2.0"]
    for event in events:
        lines += _event(style, event, stamp)
    lines.append("END:VCALENDAR")
    return "".join(f"{each}\r\n" for line in lines for each in _folded(line)).encode()


def feed_tag(events: Iterable[Event]) -> str:
    """Return the tag of what a calendar says; its stamps do not matter."""
    said = "\n".join(f"{each.uid} {each.nights.start} {each.nights.end}" for each in events)
    return f'W/"{sha256(said.encode()).hexdigest()[:24]}"'


def taken_nights(body: bytes) -> tuple[DateRange, ...]:
    """Return the nights that somebody else's calendar takes, as far as it writes whole days; the order is its own."""
    found: list[DateRange] = []
    values: dict[str, str] = {}
    for line in body.decode().replace("\r\n ", "").split("\r\n"):
        name, _, value = line.partition(":")
        if name == "BEGIN":
            values = {}
        elif line == "END:VEVENT":
            start = datetime.strptime(values["DTSTART"], "%Y%m%d")  # noqa: DTZ007 - a day has no zone
            end = datetime.strptime(values["DTEND"], "%Y%m%d")  # noqa: DTZ007 - a day has no zone
            found.append(DateRange(start.date(), end.date()))
        values[name.partition(";")[0]] = value
    return tuple(found)


def _event(style: FeedStyle, event: Event, stamp: str) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"DTSTAMP:{stamp}"
    yield f"DTEND;VALUE=DATE:{event.nights.end:%Y%m%d}"
    yield f"DTSTART;VALUE=DATE:{event.nights.start:%Y%m%d}"
    yield f"UID:{event.uid}"
    if event.code and style.tells_code:
        yield (
            f"DESCRIPTION:Reservation URL: https://www.airbnb.com/hosting/reservations/details/{event.code}"
            "\\nPhone Number (Last 4 Digits): 0000"
        )
    if event.code:
        yield f"SUMMARY:{style.reserved}{f' - {event.name}' if style.tells_name and event.name else ''}"
    else:
        yield f"SUMMARY:{style.kept}"
    yield "END:VEVENT"


def _folded(line: str) -> Iterator[str]:
    """Yield a line cut where it is too long; names are plain letters here, so letters are octets."""
    yield line[:_FOLD]
    for at in range(_FOLD, len(line), _FOLD - 1):
        yield f" {line[at : at + _FOLD - 1]}"
