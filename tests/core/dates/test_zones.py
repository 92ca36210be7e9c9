from __future__ import annotations

import zoneinfo
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmscore.dates.zones import Zone, day_start, elapsed, instant_at, local_date, local_time
from pmscore.kernel.errors import InvalidInputError

NAMES = sorted(zoneinfo.available_timezones() - {"Factory", "localtime"})
QUARTER = timedelta(minutes=15)
DAY = timedelta(days=1)

instants = st.integers(0, 4_100_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def offset_at(instant: datetime, name: str) -> timedelta:
    offset = instant.astimezone(zoneinfo.ZoneInfo(name)).utcoffset()
    assert offset is not None
    return offset


def expected_instant(wall: datetime, name: str) -> datetime:
    """Return what the stated rule gives, from offsets of instants alone: no fold, no wall-time look-up."""
    around = wall.replace(tzinfo=UTC)
    offsets = {offset_at(around + hours * timedelta(hours=1), name) for hours in range(-30, 31)}
    shown = [around - offset for offset in offsets if offset_at(around - offset, name) == offset]
    if shown:
        return min(shown)
    # In a gap: the clock that nobody put forward shows this time; its offset is the one from before.
    return around - min(offsets)


@cache
def changes(name: str) -> tuple[datetime, ...]:
    """Return the instants from 2007 to 2032 at which the offset changes, to the second."""
    found: list[datetime] = []
    at = utc("2007-01-01T00:00")
    while at < utc("2032-01-01T00:00"):
        after = at + timedelta(days=7)
        if offset_at(at, name) != offset_at(after, name):
            early, late = at, after
            while late - early > timedelta(seconds=1):
                middle = early + timedelta(seconds=(late - early) // timedelta(seconds=1) // 2)
                early, late = (
                    (middle, late) if offset_at(middle, name) == offset_at(at, name) else (early, middle)
                )
            found.append(late)
        at = after
    return tuple(found)


@st.composite
def times_near_a_change(draw: st.DrawFn) -> tuple[str, datetime]:
    name = draw(st.sampled_from(NAMES))
    near = changes(name)
    instant = draw(st.sampled_from(near)) if near else utc("2020-06-01T00:00")
    wall = (instant + offset_at(instant, name)).replace(tzinfo=None)
    return name, wall + draw(st.integers(-16, 16)) * QUARTER


@pytest.mark.parametrize(
    ("zone", "day", "wall", "expected"),
    [
        # An ordinary day.
        ("Europe/Prague", "2026-07-01", "15:00", "2026-07-01T13:00"),
        ("Europe/Prague", "2026-01-15", "15:00", "2026-01-15T14:00"),
        # Gap 02:00 to 03:00: 02:30 is read as 03:30 in summer time.
        ("Europe/Prague", "2026-03-29", "02:30", "2026-03-29T01:30"),
        ("Europe/Prague", "2026-03-29", "02:00", "2026-03-29T01:00"),
        ("Europe/Prague", "2026-03-29", "01:59", "2026-03-29T00:59"),
        # Fold 03:00 to 02:00: the first of the two.
        ("Europe/Prague", "2026-10-25", "02:30", "2026-10-25T00:30"),
        ("Europe/Prague", "2026-10-25", "03:00", "2026-10-25T02:00"),
        # The gap lies at midnight: 00:00 to 01:00.
        ("Asia/Beirut", "2022-03-27", "00:00", "2022-03-26T22:00"),
        ("Asia/Beirut", "2022-03-27", "00:30", "2022-03-26T22:30"),
        ("Asia/Beirut", "2022-03-27", "01:00", "2022-03-26T22:00"),
        # Half an hour, southern hemisphere: gap in October, fold in April.
        ("Australia/Lord_Howe", "2026-10-04", "02:10", "2026-10-03T15:40"),
        ("Australia/Lord_Howe", "2026-04-05", "01:45", "2026-04-04T14:45"),
        ("America/Santiago", "2026-09-06", "00:00", "2026-09-06T04:00"),
        # Quarters of an hour.
        ("Asia/Kathmandu", "2026-05-01", "15:00", "2026-05-01T09:15"),
        # A day that never was: a gap of 24 hours.
        ("Pacific/Apia", "2011-12-30", "12:00", "2011-12-30T22:00"),
        ("Pacific/Apia", "2011-12-31", "12:00", "2011-12-30T22:00"),
    ],
)
def test_a_wall_time_becomes_the_instant_of_the_stated_rule(zone: str, day: str, wall: str, expected: str):
    found = instant_at(date.fromisoformat(day), time.fromisoformat(wall), Zone(zone))
    assert found == utc(expected)
    assert found.tzinfo is UTC


@given(times_near_a_change())
def test_the_rule_holds_around_the_changes_of_every_zone(case: tuple[str, datetime]):
    """Gap: forward by its length. Fold: the first. Checked from the offsets of instants alone."""
    name, wall = case
    assert instant_at(wall.date(), wall.time(), Zone(name)) == expected_instant(wall, name)


@given(st.sampled_from(NAMES), st.dates(date(1971, 1, 1), date(2099, 12, 30)), st.times())
def test_a_wall_time_comes_back_unless_it_lies_in_a_gap(name: str, day: date, wall: time):
    """Instant and local time are inverse to each other outside gaps."""
    zone = Zone(name)
    instant = instant_at(day, wall, zone)
    back = datetime.combine(local_date(instant, zone), local_time(instant, zone))
    asked = datetime.combine(day, wall)
    if back != asked:
        gap = back - asked
        assert timedelta(0) < gap <= DAY
        assert offset_at(instant, name) - offset_at(instant - gap, name) == gap


@given(st.sampled_from(NAMES), instants)
def test_local_date_and_time_are_those_of_the_standard_library(name: str, instant: datetime):
    local = instant.astimezone(zoneinfo.ZoneInfo(name))
    zone = Zone(name)
    assert local_date(instant, zone) == local.date()
    assert local_time(instant, zone) == local.time().replace(fold=0)
    elsewhere = instant.astimezone(timezone(timedelta(hours=-9, minutes=-30)))
    assert local_date(elsewhere, zone) == local.date()


@given(times_near_a_change())
def test_a_day_starts_at_the_first_instant_that_shows_its_date(case: tuple[str, datetime]):
    """At the start it is the day (or the day after a skipped one); a moment before it was not."""
    name, wall = case
    zone = Zone(name)
    start = day_start(wall.date(), zone)
    assert local_date(start, zone) >= wall.date()
    assert local_date(start - timedelta(seconds=1), zone) < wall.date()
    assert day_start(wall.date() + DAY, zone) >= start


def test_every_change_of_every_zone_follows_the_rule():
    """Each zone, its latest changes: a second before, the edge of the gap or fold, and half-way into it."""
    checked = 0
    for name in NAMES:
        for change in changes(name)[-3:]:
            before = offset_at(change - timedelta(seconds=1), name)
            step = offset_at(change, name) - before
            for into in (timedelta(seconds=-1), min(step, timedelta(0)), step / 2):
                wall = (change + before + into).replace(tzinfo=None)
                # In the gap and in the first pass through the fold, the offset from before tells the instant.
                found = instant_at(wall.date(), wall.time(), Zone(name))
                assert found == change + into, (name, change, into)
                checked += 1
    assert checked > 1000


def test_a_skipped_midnight_starts_the_day_at_the_end_of_the_gap():
    beirut = Zone("Asia/Beirut")
    start = day_start(date(2022, 3, 27), beirut)
    assert start == utc("2022-03-26T22:00")
    assert local_time(start, beirut) == time(1, 0)


def test_a_gap_across_midnight_starts_the_day_where_the_gap_ends():
    # Toronto put its clocks forward at 23:30 on 30 March 1919, to 00:30.
    toronto = Zone("America/Toronto")
    start = day_start(date(1919, 3, 31), toronto)
    assert (local_date(start, toronto), local_time(start, toronto)) == (date(1919, 3, 31), time(0, 30))
    assert instant_at(date(1919, 3, 31), time(0), toronto) == start + timedelta(minutes=30)


def test_a_day_that_never_was_starts_with_the_next_one():
    apia = Zone("Pacific/Apia")
    assert day_start(date(2011, 12, 30), apia) == day_start(date(2011, 12, 31), apia)
    assert local_date(day_start(date(2011, 12, 30), apia), apia) == date(2011, 12, 31)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Prague", date(2026, 3, 29), 23),
        ("Europe/Prague", date(2026, 10, 25), 25),
        ("Europe/Prague", date(2026, 10, 26), 24),
        ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
        ("Pacific/Apia", date(2011, 12, 30), 0),
    ],
)
def test_the_hours_of_a_day_are_elapsed_time_between_its_midnights(zone: str, day: date, hours: float):
    where = Zone(zone)
    assert elapsed(day_start(day, where), day_start(day + DAY, where)) == timedelta(hours=hours)


def test_elapsed_time_is_that_of_instants_not_of_wall_clocks():
    prague = zoneinfo.ZoneInfo("Europe/Prague")
    evening = datetime(2026, 3, 28, 22, tzinfo=prague)
    morning = datetime(2026, 3, 29, 8, tzinfo=prague)
    assert morning - evening == timedelta(hours=10)
    assert elapsed(evening, morning) == timedelta(hours=9)
    assert elapsed(morning, evening) == timedelta(hours=-9)


def test_a_fold_flag_on_the_wall_time_changes_nothing():
    first = instant_at(date(2026, 10, 25), time(2, 30), Zone("Europe/Prague"))
    assert instant_at(date(2026, 10, 25), time(2, 30, fold=1), Zone("Europe/Prague")) == first


@pytest.mark.parametrize(
    "name",
    [
        "Mars/Olympus",
        "europe/prague",
        "",
        "Factory",
        "../UTC",
        "/etc/passwd",
        "Europe/Prague\x00",
        "\ud800",
        "+02:00",
    ],
)
def test_an_unknown_zone_is_refused(name: str):
    with pytest.raises(InvalidInputError) as error:
        Zone(name)
    assert (error.value.field, error.value.reason) == ("zone", "unknown_zone")
    str(error.value).encode("utf-8")


def test_every_zone_of_the_database_can_be_named_and_used():
    noon = utc("2026-06-01T12:00")
    assert all(abs((local_date(noon, Zone(name)) - noon.date()).days) <= 1 for name in NAMES)
    assert len(NAMES) > 400


def test_naive_datetimes_are_refused():
    naive = datetime(2026, 5, 1, 12)  # noqa: DTZ001
    zone = Zone("Europe/Prague")
    aware = utc("2026-05-01T12:00")
    for call in (
        lambda: local_date(naive, zone),
        lambda: local_time(naive, zone),
        lambda: elapsed(naive, aware),
        lambda: elapsed(aware, naive),
    ):
        with pytest.raises(InvalidInputError) as error:
            call()
        assert (error.value.field, error.value.reason) == ("instant", "naive")


def test_a_wall_time_with_a_zone_and_an_instant_as_a_day_are_refused():
    with pytest.raises(InvalidInputError) as wall:
        instant_at(date(2026, 5, 1), time(12, tzinfo=UTC), Zone("Europe/Prague"))
    with pytest.raises(InvalidInputError) as day:
        instant_at(utc("2026-05-01T12:00"), time(12), Zone("Europe/Prague"))
    assert (wall.value.field, wall.value.reason) == ("wall_time", "not_local")
    assert (day.value.field, day.value.reason) == ("day", "not_a_date")


@pytest.mark.parametrize("year", [1, 1899, 2200, 9999])
def test_instants_outside_the_calendar_are_refused(year: int):
    with pytest.raises(InvalidInputError) as error:
        local_date(datetime(year, 1, 1, tzinfo=UTC), Zone("Pacific/Apia"))
    assert (error.value.field, error.value.reason) == ("instant", "out_of_calendar")


@pytest.mark.parametrize("year", [1900, 2199])
def test_instants_of_the_first_and_the_last_year_are_read(year: int):
    assert local_date(datetime(year, 6, 1, 12, tzinfo=UTC), Zone("UTC")) == date(year, 6, 1)
    assert str(Zone("UTC")) == "UTC"
