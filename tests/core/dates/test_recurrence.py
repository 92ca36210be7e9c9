from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmscore.dates.nights import FIRST_DAY, LAST_DAY
from pmscore.dates.ranges import DateRange, DateSet
from pmscore.dates.recurrence import MonthDay, Season, Weekdays, YearlyRule, seasons_by_night
from pmscore.kernel.errors import InvalidInputError

WEEKEND = Weekdays.from_names(("fri", "sat"))

weekdays = st.integers(0, 127).map(Weekdays)
month_days = st.dates(date(2028, 1, 1), date(2028, 12, 31)).map(MonthDay.of)
windows = st.builds(
    DateRange.of,
    st.dates(date(2025, 1, 1), date(2033, 1, 1)),
    st.integers(1, 900),
)


def seasons() -> st.SearchStrategy[Season]:
    nights = st.builds(
        lambda offset, length: DateSet.of(DateRange.of(date(2027, 1, 1) + timedelta(days=offset), length)),
        st.integers(0, 100),
        st.integers(1, 60),
    )
    return st.builds(
        Season,
        name=st.sampled_from("abcdef"),
        nights=nights | st.just(DateSet.EMPTY),
        weekdays=weekdays,
        priority=st.integers(-2, 2),
    )


def by_hand(rule: YearlyRule, night: date) -> bool:
    """Return whether the rule names the night, walking back to the latest start."""
    if night not in rule.weekdays:
        return False
    starts = [rule.start.in_year(year) for year in (night.year - 1, night.year)]
    latest = max(start for start in starts if start <= night)
    end = rule.end.in_year(latest.year + (rule.end <= rule.start))
    return night < end


@given(weekdays, windows)
def test_weekdays_of_a_range_are_those_of_the_calendar(days: Weekdays, window: DateRange):
    expected = [night in days for night in window.nights()]
    mask = days.mask_over(window)
    assert [bool(mask >> bit & 1) for bit in range(window.length)] == expected
    assert set(days.within(window)) == {night for night in window.nights() if night in days}


@given(weekdays, weekdays)
def test_weekdays_are_a_small_boolean_algebra(one: Weekdays, other: Weekdays):
    assert ~(one | other) == ~one & ~other
    assert one | ~one == Weekdays.EVERY
    assert one & ~one == Weekdays.NONE
    assert Weekdays.from_names(one.names()) == one


def test_weekdays_have_names_and_monday_is_bit_zero():
    assert Weekdays.from_names(("mon",)).mask == 1
    assert WEEKEND.names() == ("fri", "sat")
    assert date(2027, 5, 1) in WEEKEND
    assert date(2027, 5, 2) not in WEEKEND


@pytest.mark.parametrize("name", ["Mon", "monday", "", "\ud800"])
def test_an_unknown_weekday_is_refused(name: str):
    with pytest.raises(InvalidInputError) as error:
        Weekdays.from_names((name,))
    assert (error.value.field, error.value.reason) == ("weekdays", "unknown_weekday")


@pytest.mark.parametrize("mask", [-1, 128])
def test_a_mask_of_more_than_a_week_is_refused(mask: int):
    with pytest.raises(InvalidInputError):
        Weekdays(mask)


@given(month_days, month_days, weekdays, windows)
def test_a_yearly_rule_names_the_nights_found_by_hand(
    start: MonthDay, end: MonthDay, days: Weekdays, window: DateRange
):
    """The expansion over a window is the walk over its nights, whatever the window."""
    rule = YearlyRule(start, end, days)
    assert set(rule.nights_in(window)) == {night for night in window.nights() if by_hand(rule, night)}


@given(month_days, month_days, windows, st.integers(1, 899))
def test_a_yearly_rule_does_not_care_how_the_window_is_cut(
    start: MonthDay, end: MonthDay, window: DateRange, cut: int
):
    if cut >= window.length:
        return
    rule = YearlyRule(start, end)
    parts = (DateRange.of(window.start, cut), DateRange(window.start + timedelta(days=cut), window.end))
    assert rule.nights_in(parts[0]) | rule.nights_in(parts[1]) == rule.nights_in(window)


def test_a_rule_over_the_turn_of_the_year_is_one_run():
    rule = YearlyRule(MonthDay(12, 20), MonthDay(1, 7))
    window = DateRange.parse("2027-06-01", "2028-06-01")
    assert rule.nights_in(window).ranges() == (DateRange.parse("2027-12-20", "2028-01-07"),)
    new_year = DateRange.parse("2028-01-01", "2028-02-01")
    assert rule.nights_in(new_year).ranges() == (DateRange.parse("2028-01-01", "2028-01-07"),)


def test_equal_days_mean_the_whole_year():
    rule = YearlyRule(MonthDay(5, 1), MonthDay(5, 1))
    window = DateRange.parse("2027-01-01", "2030-01-01")
    assert rule.nights_in(window) == DateSet.of(window)


def test_the_leap_day_is_the_first_of_march_in_a_common_year():
    assert MonthDay(2, 29).in_year(2027) == date(2027, 3, 1)
    assert MonthDay(2, 29).in_year(2028) == date(2028, 2, 29)
    assert MonthDay(2, 29).in_year(2100) == date(2100, 3, 1)
    only_then = YearlyRule(MonthDay(2, 29), MonthDay(3, 1))
    window = DateRange.parse("2025-01-01", "2033-01-01")
    assert list(only_then.nights_in(window)) == [date(2028, 2, 29), date(2032, 2, 29)]
    until = YearlyRule(MonthDay(2, 28), MonthDay(2, 29))
    assert list(until.nights_in(DateRange.parse("2027-01-01", "2029-01-01"))) == [
        date(2027, 2, 28),
        date(2028, 2, 28),
    ]


def test_rules_work_at_both_ends_of_the_calendar():
    rule = YearlyRule(MonthDay(12, 20), MonthDay(1, 7))
    first = DateRange.of(FIRST_DAY, 30)
    last = DateRange(date(2199, 12, 1), LAST_DAY)
    assert rule.nights_in(first).ranges() == (DateRange.parse("1900-01-01", "1900-01-07"),)
    assert rule.nights_in(last).ranges() == (DateRange.parse("2199-12-20", "2199-12-31"),)


@pytest.mark.parametrize(
    ("text", "reason"),
    [("02-30", "no_such_day"), ("13-01", "no_such_day"), ("00-10", "no_such_day"), ("04-31", "no_such_day")]
    + [(text, "not_month_day") for text in ("2-29", "0229", "", "\u0660\u0662-\u0662\u0669", "02-29\n")],
)
def test_text_that_names_no_day_of_the_year_is_refused(text: str, reason: str):
    with pytest.raises(InvalidInputError) as error:
        MonthDay.parse(text, field="season_start")
    assert (error.value.field, error.value.reason) == ("season_start", reason)


@given(month_days)
def test_a_day_of_the_year_survives_its_text(each: MonthDay):
    assert MonthDay.parse(str(each)) == each


@given(st.lists(seasons(), max_size=6), st.integers(0, 120), st.integers(1, 90))
def test_each_night_belongs_to_the_strongest_season_that_names_it(
    several: list[Season], offset: int, length: int
):
    """Disjoint, complete within the window, highest priority first, earliest among equals."""
    window = DateRange.of(date(2027, 1, 1) + timedelta(days=offset), length)
    owned = seasons_by_night(several, window)
    for night in window.nights():
        naming = [season for season in several if night in season]
        owners = [season for season, nights in owned if night in nights]
        expected = [max(naming, key=lambda season: season.priority)] if naming else []
        assert [id(each) for each in owners] == [id(each) for each in expected]
    assert all(DateSet.of(window).contains(nights) for _, nights in owned)
    priorities = [season.priority for season, _ in owned]
    assert priorities == sorted(priorities, reverse=True)
