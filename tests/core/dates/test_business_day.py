from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmscore.dates.business_day import BusinessDate, due_rolls
from pmscore.dates.nights import LAST_DAY
from pmscore.dates.zones import Zone, instant_at, local_date
from pmscore.kernel.errors import InvalidInputError, TransitionError

PRAGUE = Zone("Europe/Prague")
FIRST_OF_MAY = BusinessDate(date(2027, 5, 1))
ZONES = ("Europe/Prague", "America/Santiago", "America/St_Johns", "Asia/Beirut", "Pacific/Apia", "UTC")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_the_business_date_moves_forward_by_one_day():
    assert FIRST_OF_MAY.advance() == BusinessDate(date(2027, 5, 2))


def test_advancing_to_a_day_names_every_day_to_close():
    closed = FIRST_OF_MAY.advance_to(date(2027, 5, 4))
    assert closed == (date(2027, 5, 1), date(2027, 5, 2), date(2027, 5, 3))
    assert FIRST_OF_MAY.advance_to(date(2027, 5, 1)) == ()


def test_the_business_date_never_moves_back():
    with pytest.raises(TransitionError) as error:
        FIRST_OF_MAY.advance_to(date(2027, 4, 30))
    assert error.value.params["reason"] == "not_forward"


def test_the_calendar_ends_and_so_does_the_business_date():
    with pytest.raises(InvalidInputError) as error:
        BusinessDate(LAST_DAY).advance()
    assert (error.value.field, error.value.reason) == ("business_date", "out_of_calendar")


def test_the_lag_counts_local_days():
    # 22:30 UTC on 2 May is 00:30 on 3 May in Prague.
    assert FIRST_OF_MAY.calendar_lag(at("2027-05-02T22:30"), PRAGUE) == 2
    assert FIRST_OF_MAY.calendar_lag(at("2027-05-01T12:00"), PRAGUE) == 0
    assert FIRST_OF_MAY.calendar_lag(at("2027-04-30T12:00"), PRAGUE) == -1


@pytest.mark.parametrize(
    ("now", "closed"),
    [
        ("2027-05-01T12:00", ()),
        ("2027-05-02T01:59:59", ()),
        ("2027-05-02T02:00", (date(2027, 5, 1),)),
        ("2027-05-04T01:00", (date(2027, 5, 1), date(2027, 5, 2))),
        ("2020-01-01T00:00", ()),
    ],
)
def test_a_day_is_due_when_the_next_one_shows_the_roll_hour(now: str, closed: tuple[date, ...]):
    # Four o'clock in Prague is two o'clock UTC in May.
    assert due_rolls(FIRST_OF_MAY, at(now), PRAGUE, 4) == closed


def test_a_roll_hour_that_the_clocks_skip_is_due_after_the_gap():
    pointer = BusinessDate(date(2026, 3, 28))
    assert due_rolls(pointer, at("2026-03-29T00:59:59"), PRAGUE, 2) == ()
    assert due_rolls(pointer, at("2026-03-29T01:00"), PRAGUE, 2) == (date(2026, 3, 28),)


def test_a_roll_hour_that_comes_twice_rolls_at_the_first_and_not_again():
    pointer = BusinessDate(date(2026, 10, 24))
    assert due_rolls(pointer, at("2026-10-25T00:00"), PRAGUE, 2) == (date(2026, 10, 24),)
    assert due_rolls(BusinessDate(date(2026, 10, 25)), at("2026-10-25T01:00"), PRAGUE, 2) == ()


def test_a_day_that_never_was_is_closed_together_with_the_one_before():
    pointer = BusinessDate(date(2011, 12, 29))
    apia = Zone("Pacific/Apia")
    closed = due_rolls(pointer, instant_at(date(2011, 12, 31), time(4), apia), apia, 4)
    assert closed == (date(2011, 12, 29), date(2011, 12, 30))


def test_a_day_stays_due_while_the_clocks_show_yesterday_again():
    # St John's put its clocks back at 00:01 on 7 November 2010, to 23:01 on the 6th.
    st_johns = Zone("America/St_Johns")
    pointer = BusinessDate(date(2010, 11, 6))
    assert due_rolls(pointer, at("2010-11-07T02:29:59"), st_johns, 0) == ()
    assert due_rolls(pointer, at("2010-11-07T02:30"), st_johns, 0) == (date(2010, 11, 6),)
    assert local_date(at("2010-11-07T02:45"), st_johns) == date(2010, 11, 6)
    assert due_rolls(pointer, at("2010-11-07T02:45"), st_johns, 0) == (date(2010, 11, 6),)


@pytest.mark.parametrize("hour", [-1, 24])
def test_a_roll_hour_outside_the_day_is_refused(hour: int):
    with pytest.raises(InvalidInputError) as error:
        due_rolls(FIRST_OF_MAY, at("2027-05-01T12:00"), PRAGUE, hour)
    assert (error.value.field, error.value.reason) == ("roll_hour", "out_of_range")


@given(
    st.sampled_from(ZONES),
    st.integers(0, 23),
    st.datetimes(datetime(2010, 1, 1), datetime(2012, 12, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.integers(-10, 3),
)
def test_a_roll_closes_exactly_the_days_whose_hour_has_come(name: str, hour: int, now: datetime, offset: int):
    """Due are the days from the pointer on for which the hour of the following day is not in the future."""
    zone = Zone(name)
    pointer = BusinessDate(now.date() + timedelta(days=offset))
    expected: list[date] = []
    day = pointer.day
    while instant_at(day + timedelta(days=1), time(hour), zone) <= now:
        expected.append(day)
        day += timedelta(days=1)
    assert due_rolls(pointer, now, zone, hour) == tuple(expected)


@given(
    st.sampled_from(ZONES),
    st.integers(0, 23),
    st.datetimes(datetime(2010, 1, 1), datetime(2012, 12, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.integers(0, 10**6),
)
def test_rolling_often_closes_the_same_days_as_rolling_once(name: str, hour: int, now: datetime, later: int):
    zone = Zone(name)
    pointer = BusinessDate(now.date() - timedelta(days=3))
    end = now + timedelta(seconds=later)
    once = due_rolls(pointer, end, zone, hour)
    first = due_rolls(pointer, now, zone, hour)
    moved = BusinessDate(first[-1]).advance() if first else pointer
    assert first + due_rolls(moved, end, zone, hour) == once
