"""Our own calendars: what was written is read back as it was, and says nothing about anybody."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from pms_adapters.channels.ical.reader import read_calendar
from pms_adapters.channels.ical.writer import calendar_tag, written_calendar
from pmscore.channels.model.calls import Feed, FeedStay
from pmscore.channels.model.revisions import SaleKind
from pmscore.channels.policies.feeds import FeedVerdict, compare
from pmscore.channels.views.calendar import BusyRange
from pmscore.dates.ranges import DateRange
from pmscore.dates.zones import Zone

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
ZONES = ("Europe/Berlin", "America/New_York", "Pacific/Kiritimati")


@st.composite
def busy_ranges(draw: st.DrawFn) -> tuple[BusyRange, ...]:
    ids = draw(st.lists(st.uuids(), max_size=6, unique=True))
    days = st.dates(date(2000, 1, 1), date(2190, 1, 1))
    return tuple(
        BusyRange(f"{each}@pmscore", DateRange.of(draw(days), draw(st.integers(1, 400)))) for each in ids
    )


@given(busy_ranges(), st.sampled_from(ZONES))
def test_what_is_written_is_read_back_as_the_same_nights_under_the_same_names(
    ranges: tuple[BusyRange, ...], zone: str
) -> None:
    body = written_calendar(ranges, made_at=NOW)
    found = read_calendar(body, Zone(zone))
    assert tuple(BusyRange(each.uid, each.nights) for each in found) == ranges
    lines = body.split(b"\r\n")
    assert lines[-1] == b""
    assert all(len(line) <= 75 and b"\n" not in line for line in lines)


def test_a_calendar_is_written_as_the_standard_asks() -> None:
    nights = DateRange(date(2026, 12, 30), date(2027, 1, 2))
    name = f"{UUID(int=7)}@pmscore"
    assert written_calendar([BusyRange(name, nights)], made_at=NOW).decode().split("\r\n") == [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//pmscore//Calendar//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        f"UID:{name}",
        "DTSTAMP:20261121T090000Z",
        "DTSTART;VALUE=DATE:20261230",
        "DTEND;VALUE=DATE:20270102",
        "SUMMARY:Not available",
        "TRANSP:OPAQUE",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]


def test_the_tag_is_the_same_until_something_else_is_said() -> None:
    busy = BusyRange("a@pmscore", DateRange.of(date(2026, 12, 1), 2))
    tag = calendar_tag([busy])
    assert calendar_tag([busy]) == tag
    assert tag.strip('"').isalnum()
    moved = evolve(busy, nights=DateRange.of(date(2026, 12, 1), 3))
    others = [calendar_tag(each) for each in ([], [moved], [evolve(busy, uid="b@pmscore")])]
    assert len({tag, *others}) == 4


@given(busy_ranges())
def test_our_own_events_are_no_stays_when_they_come_back(ranges: tuple[BusyRange, ...]) -> None:
    found = read_calendar(written_calendar(ranges, made_at=NOW), Zone("Europe/Berlin"))
    stays = tuple(FeedStay(uid=each.uid, nights=each.nights, kind=SaleKind.BLOCK) for each in found)
    feed = Feed(room_code="A", stays=stays, read_at=NOW)
    assert compare((), feed, today=date(1999, 1, 1)) == FeedVerdict()
