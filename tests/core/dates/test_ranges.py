from __future__ import annotations

import copy
from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmscore.dates.nights import FIRST_DAY, LAST_DAY, StayRange
from pmscore.dates.ranges import DateRange, DateSet, weekday_mask
from pmscore.kernel.errors import InvalidInputError

START = date(2027, 12, 1)


def day(offset: int) -> date:
    return START + timedelta(days=offset)


def dates(days: int = 90) -> st.SearchStrategy[date]:
    return st.integers(0, days).map(day)


def ranges(days: int = 90) -> st.SearchStrategy[DateRange]:
    return st.builds(
        lambda offset, length: DateRange.of(day(offset), length), st.integers(0, days), st.integers(1, 40)
    )


def night_sets() -> st.SearchStrategy[frozenset[date]]:
    of_single_nights = st.frozensets(dates(), max_size=40)
    of_ranges = st.lists(ranges(), max_size=4).map(
        lambda several: frozenset(night for each in several for night in each.nights())
    )
    return of_single_nights | of_ranges


def refusal(error: pytest.ExceptionInfo[InvalidInputError]) -> tuple[str, str]:
    return error.value.field, error.value.reason


@given(ranges(), ranges())
def test_range_algebra_agrees_with_sets_of_days(one: DateRange, other: DateRange):
    """Span, difference and intersection of ranges are those of the sets of nights."""
    mine, theirs = set(one.nights()), set(other.nights())
    assert {night for part in one.minus(other) for night in part.nights()} == mine - theirs
    shared = one.intersection(other)
    assert set(shared.nights() if shared else ()) == mine & theirs
    assert one.span(other) == DateRange(min(mine | theirs), max(mine | theirs) + timedelta(days=1))
    assert one.contains(other) == (theirs <= mine)


@given(ranges())
def test_months_cut_a_range_without_loss(whole: DateRange):
    months = whole.months()
    assert [night for month in months for night in month.nights()] == list(whole.nights())
    assert all(len({(night.year, night.month) for night in month.nights()}) == 1 for month in months)
    assert all(before.end == after.start and after.start.day == 1 for before, after in pairwise(months))


@given(night_sets(), night_sets())
def test_set_algebra_agrees_with_sets_of_days(one: frozenset[date], other: frozenset[date]):
    """Union, intersection, difference and symmetric difference are those of Python's sets."""
    a, b = DateSet.of_nights(one), DateSet.of_nights(other)
    assert a | b == DateSet.of_nights(one | other)
    assert a & b == DateSet.of_nights(one & other)
    assert a - b == DateSet.of_nights(one - other)
    assert a ^ b == DateSet.of_nights(one ^ other)
    assert a.overlaps(b) == bool(one & other)
    assert a.contains(b) == (other <= one)
    assert (a == b) == (one == other)
    assert a != b or hash(a) == hash(b)


@given(night_sets())
def test_a_set_gives_back_its_nights_in_order(nights: frozenset[date]):
    some = DateSet.of_nights(nights)
    assert list(some) == sorted(nights)
    assert len(some) == len(nights)
    assert bool(some) == bool(nights)
    assert all((day(offset) in some) == (day(offset) in nights) for offset in range(-3, 95))


@given(night_sets())
def test_the_ranges_of_a_set_are_the_fewest_and_ascending(nights: frozenset[date]):
    """Runs rebuild the set, and between two of them there is always a free night."""
    some = DateSet.of_nights(nights)
    runs = some.ranges()
    assert DateSet.of(*runs) == some
    assert DateSet.of(*reversed(runs)) == some
    assert all(before.end < after.start for before, after in pairwise(runs))


@given(night_sets())
def test_gaps_and_nights_fill_the_span_exactly(nights: frozenset[date]):
    some = DateSet.of_nights(nights)
    span = some.span()
    if span is None:
        assert not nights
        assert some.gaps() == DateSet.EMPTY
    else:
        assert not some.overlaps(some.gaps())
        assert some | some.gaps() == DateSet.of(span)
        assert (span.first_night, span.last_night) == (min(nights), max(nights))


@given(night_sets(), ranges())
def test_the_complement_is_what_is_missing_within_a_range(nights: frozenset[date], within: DateRange):
    some = DateSet.of_nights(nights)
    assert set(some.complement(within)) == set(within.nights()) - nights
    assert some.complement(within).complement(within) == some & DateSet.of(within)


@given(night_sets(), st.integers(0, 127))
def test_weekdays_of_a_set_are_those_of_the_calendar(nights: frozenset[date], days: int):
    chosen = DateSet.of_nights(nights).on_weekdays(days)
    assert set(chosen) == {night for night in nights if days >> night.weekday() & 1}


@given(night_sets())
def test_by_month_splits_a_set_without_loss(nights: frozenset[date]):
    parts = DateSet.of_nights(nights).by_month()
    assert [night for _, part in parts for night in part] == sorted(nights)
    assert [first for first, _ in parts] == sorted({night.replace(day=1) for night in nights})
    assert all(night.replace(day=1) == first for first, part in parts for night in part)


@given(night_sets(), st.integers(-30, 30))
def test_a_mask_is_relative_to_any_origin(nights: frozenset[date], offset: int):
    some = DateSet.of_nights(nights)
    origin = day(offset)
    assert DateSet.of_mask(origin, some.mask(origin)) == DateSet.of_nights(n for n in nights if n >= origin)


@given(night_sets(), st.integers(-900, 900))
def test_shifting_a_set_moves_every_night(nights: frozenset[date], days: int):
    moved = DateSet.of_nights(nights).shifted(days)
    assert set(moved) == {night + timedelta(days=days) for night in nights}


@given(st.integers(0, 127), dates(), st.integers(0, 60))
def test_the_weekday_mask_repeats_the_week_from_any_day(days: int, first: date, length: int):
    mask = weekday_mask(days, first.toordinal(), length)
    nights = [first + timedelta(days=each) for each in range(length)]
    assert [mask >> bit & 1 for bit in range(length)] == [days >> night.weekday() & 1 for night in nights]
    assert mask.bit_length() <= length


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (date(2027, 5, 1), date(2027, 5, 1), ("end", "not_after_start")),
        (date(2027, 5, 2), date(2027, 5, 1), ("end", "not_after_start")),
        (date(1, 1, 1), date(2027, 5, 1), ("start", "out_of_calendar")),
        (date(2027, 5, 1), date(2200, 1, 1), ("end", "out_of_calendar")),
        (datetime(2027, 5, 1), date(2027, 5, 2), ("start", "not_a_date")),  # noqa: DTZ001
    ],
)
def test_a_range_that_cannot_be_is_refused(start: date, end: date, expected: tuple[str, str]):
    with pytest.raises(InvalidInputError) as error:
        DateRange(start, end)
    assert refusal(error) == expected


def test_a_range_may_be_as_long_as_the_calendar_but_a_stay_may_not():
    whole = DateRange(FIRST_DAY, LAST_DAY)
    assert whole.length == (LAST_DAY - FIRST_DAY).days
    with pytest.raises(InvalidInputError) as error:
        whole.to_stay()
    assert refusal(error) == ("departure", "too_long")


def test_a_stay_becomes_a_range_and_a_stay_again():
    stay = StayRange.parse("2027-05-01", "2027-05-04")
    assert DateRange.from_stay(stay) == DateRange.parse("2027-05-01", "2027-05-04")
    assert DateRange.from_stay(stay).to_stay() == stay


def test_the_empty_set_is_one_value():
    assert DateSet.of() == DateSet.of_nights(()) == DateSet.of_mask(START, 0) == DateSet() == DateSet.EMPTY
    assert not DateSet.EMPTY
    assert DateSet.EMPTY.ranges() == DateSet.EMPTY.by_month() == ()
    assert DateSet.EMPTY.shifted(5) == DateSet.EMPTY.on_weekdays(127) == DateSet.EMPTY
    assert START not in DateSet.EMPTY
    assert repr(DateSet.EMPTY) == "DateSet()"


def test_touching_ranges_become_one_run():
    joined = DateSet.of(DateRange.of(day(5), 3), DateRange.of(day(0), 5))
    assert joined.ranges() == (DateRange.of(day(0), 8),)
    assert repr(joined) == "DateSet(2027-12-01/2027-12-09)"


def test_a_set_can_be_copied_and_cannot_be_changed():
    some = DateSet.of(DateRange.of(day(0), 5))
    assert copy.deepcopy(some) == some
    with pytest.raises(AttributeError):
        some.bits = 0  # type: ignore[misc]


def test_a_set_that_is_not_normalised_or_leaves_the_calendar_is_refused():
    with pytest.raises(InvalidInputError) as even:
        DateSet(START.toordinal(), 0b10)
    with pytest.raises(InvalidInputError) as negative:
        DateSet.of_mask(START, -1)
    with pytest.raises(InvalidInputError) as late:
        DateSet.of_mask(LAST_DAY, 1)
    with pytest.raises(InvalidInputError) as early:
        DateSet.of_nights([date(1899, 12, 31)])
    with pytest.raises(InvalidInputError) as an_instant:
        DateSet.of_nights([datetime(2027, 5, 1)])  # noqa: DTZ001
    with pytest.raises(InvalidInputError) as moved:
        DateSet.of(DateRange.of(day(0), 5)).shifted(400_000)
    reasons = [each.value.reason for each in (even, negative, late, early, an_instant, moved)]
    assert reasons == [
        "not_normalised",
        "negative_mask",
        "out_of_calendar",
        "out_of_calendar",
        "not_a_date",
        "out_of_calendar",
    ]


def test_a_set_over_the_whole_calendar_has_every_night():
    whole = DateSet.of(DateRange(FIRST_DAY, LAST_DAY))
    assert len(whole) == (LAST_DAY - FIRST_DAY).days
    assert len(whole.by_month()) == 300 * 12
    assert whole.on_weekdays(0b1) | whole.on_weekdays(0b1111110) == whole
