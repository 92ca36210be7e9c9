from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmscore.dates.nights import (
    FIRST_DAY,
    LAST_DAY,
    MAX_NIGHTS,
    StayRange,
    check_day,
    day_of_ordinal,
    parse_date,
)
from pmscore.dates.ranges import DateRange
from pmscore.kernel.errors import InvalidInputError, MisuseError

ORIGIN = date(2027, 1, 1)


def stays(first: date = date(2027, 1, 1), days: int = 60) -> st.SearchStrategy[StayRange]:
    return st.builds(
        lambda offset, length: StayRange.of(first + timedelta(days=offset), length),
        st.integers(0, days),
        st.integers(1, 20),
    )


def model(stay: StayRange) -> frozenset[date]:
    return frozenset(
        stay.arrival + timedelta(days=each) for each in range((stay.departure - stay.arrival).days)
    )


def refusal(error: pytest.ExceptionInfo[InvalidInputError]) -> tuple[str, str]:
    return error.value.field, error.value.reason


@given(stays(), stays())
def test_stay_algebra_agrees_with_sets_of_days(one: StayRange, other: StayRange):
    """Overlap, containment, intersection and length are those of the sets of nights."""
    mine, theirs = model(one), model(other)
    assert one.overlaps(other) == bool(mine & theirs) == other.overlaps(one)
    assert one.contains(other) == (theirs <= mine)
    assert one.length == len(mine)
    shared = one.intersection(other)
    assert (model(shared) if shared else frozenset()) == mine & theirs
    assert shared == other.intersection(one)
    assert one.touches(other) == (one.departure == other.arrival or other.departure == one.arrival)
    assert not (one.touches(other) and one.overlaps(other))


@given(stays())
def test_nights_are_ascending_and_end_before_the_departure(stay: StayRange):
    nights = stay.nights()
    assert list(nights) == sorted(model(stay))
    assert (nights[0], nights[-1]) == (stay.first_night, stay.last_night)
    assert stay.departure not in stay
    assert all(night in stay for night in nights)
    assert stay.end_ordinal - stay.first_ordinal == stay.length


@given(stays(), st.integers(0, 400))
def test_a_mask_has_exactly_the_bits_of_the_nights(stay: StayRange, back: int):
    origin = stay.arrival - timedelta(days=back)
    mask = stay.mask(origin)
    assert {origin + timedelta(days=bit) for bit in range(mask.bit_length()) if mask >> bit & 1} == model(
        stay
    )


@given(stays(), st.integers(-500, 500))
def test_shifting_there_and_back_changes_nothing(stay: StayRange, days: int):
    moved = stay.shifted(days)
    assert moved.arrival == stay.arrival + timedelta(days=days)
    assert moved.length == stay.length
    assert moved.shifted(-days) == stay


@given(stays())
def test_a_stay_survives_its_text(stay: StayRange):
    assert StayRange.parse(stay.arrival.isoformat(), stay.departure.isoformat()) == stay
    assert StayRange.parse(*str(stay).split("/")) == stay


@given(st.lists(stays()))
def test_stays_sort_by_arrival_then_departure(several: list[StayRange]):
    assert sorted(several) == sorted(several, key=lambda stay: (stay.arrival, stay.departure))


@given(st.dates(), st.dates())
def test_two_dates_make_a_stay_or_name_the_field(arrival: date, departure: date):
    """Whatever the two dates: a valid stay, or a refusal that names one of its fields."""
    is_valid = FIRST_DAY <= arrival < departure <= LAST_DAY and (departure - arrival).days <= MAX_NIGHTS
    if is_valid:
        assert StayRange(arrival, departure).length == (departure - arrival).days
    else:
        with pytest.raises(InvalidInputError) as error:
            StayRange(arrival, departure)
        assert error.value.field in {"arrival", "departure"}


def test_a_stay_of_the_greatest_length_is_accepted_and_one_night_more_is_not():
    assert StayRange.of(ORIGIN, MAX_NIGHTS).length == MAX_NIGHTS
    with pytest.raises(InvalidInputError) as built:
        StayRange(ORIGIN, ORIGIN + timedelta(days=MAX_NIGHTS + 1))
    with pytest.raises(InvalidInputError) as counted:
        StayRange.of(ORIGIN, MAX_NIGHTS + 1)
    assert refusal(built) == refusal(counted) == ("departure", "too_long")
    assert built.value.params["max_nights"] == MAX_NIGHTS


@pytest.mark.parametrize(
    ("arrival", "departure", "expected"),
    [
        (date(2027, 5, 1), date(2027, 5, 1), ("departure", "not_after_arrival")),
        (date(2027, 5, 2), date(2027, 5, 1), ("departure", "not_after_arrival")),
        (date(1, 1, 1), date(2027, 5, 1), ("arrival", "out_of_calendar")),
        (date(2027, 5, 1), date(9999, 12, 31), ("departure", "out_of_calendar")),
        (date(1899, 12, 31), date(1900, 1, 2), ("arrival", "out_of_calendar")),
        (date(2199, 12, 31), date(2200, 1, 1), ("departure", "out_of_calendar")),
        (datetime(2027, 5, 1), date(2027, 5, 2), ("arrival", "not_a_date")),  # noqa: DTZ001
        (date(2027, 5, 1), datetime(2027, 5, 2), ("departure", "not_a_date")),  # noqa: DTZ001
    ],
)
def test_a_stay_that_cannot_be_is_refused(arrival: date, departure: date, expected: tuple[str, str]):
    with pytest.raises(InvalidInputError) as error:
        StayRange(arrival, departure)
    assert refusal(error) == expected


def test_a_stay_of_five_thousand_nights_is_refused():
    with pytest.raises(InvalidInputError) as error:
        StayRange.of(ORIGIN, 5000)
    assert refusal(error) == ("departure", "too_long")


@pytest.mark.parametrize("length", [0, -1])
def test_a_stay_of_no_nights_is_refused(length: int):
    with pytest.raises(InvalidInputError) as error:
        StayRange.of(ORIGIN, length)
    assert refusal(error) == ("departure", "not_after_arrival")


def test_a_stay_may_not_be_shifted_out_of_the_calendar():
    for days, field in ((-400_000, "arrival"), (400_000, "arrival")):
        with pytest.raises(InvalidInputError) as error:
            StayRange.of(ORIGIN, 2).shifted(days)
        assert refusal(error) == (field, "out_of_calendar")


def test_a_mask_from_an_origin_inside_the_stay_is_a_mistake_of_the_program():
    with pytest.raises(MisuseError):
        StayRange.of(ORIGIN, 3).mask(ORIGIN + timedelta(days=1))


def test_a_stay_cannot_be_changed_and_equal_stays_are_one_key():
    stay = StayRange.of(ORIGIN, 3)
    with pytest.raises(AttributeError):
        stay.arrival = ORIGIN  # type: ignore[misc]
    assert {stay: 1}[StayRange(ORIGIN, ORIGIN + timedelta(days=3))] == 1


def test_stays_and_other_ranges_meet_in_one_algebra():
    block = DateRange.parse("2027-05-03", "2027-05-10")
    stay = StayRange.parse("2027-05-01", "2027-05-04")
    assert stay.overlaps(block)
    assert stay.intersection(block) == StayRange.parse("2027-05-03", "2027-05-04")
    assert block.intersection(stay) == DateRange.parse("2027-05-03", "2027-05-04")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2027-02-29", "no_such_day"),
        ("2100-02-29", "no_such_day"),
        ("2027-13-01", "no_such_day"),
        ("2027-00-10", "no_such_day"),
        ("0001-01-01", "out_of_calendar"),
        ("0000-01-01", "out_of_calendar"),
        ("9999-12-31", "out_of_calendar"),
        ("1899-12-31", "out_of_calendar"),
        ("20270501", "not_iso_date"),
        ("2027-W18-1", "not_iso_date"),
        ("2027-5-1", "not_iso_date"),
        ("2027-05-01T00:00", "not_iso_date"),
        (" 2027-05-01", "not_iso_date"),
        ("2027-05-01\n", "not_iso_date"),
        ("\u0662\u0660\u0662\u0667-05-01", "not_iso_date"),
        ("", "not_iso_date"),
        ("\ud800\x00", "not_iso_date"),
    ],
)
def test_text_that_names_no_day_is_refused_with_its_reason(text: str, reason: str):
    with pytest.raises(InvalidInputError) as error:
        parse_date(text, field="arrival")
    assert refusal(error) == ("arrival", reason)
    str(error.value).encode("utf-8")


def test_the_twenty_ninth_of_february_is_read_in_leap_years():
    assert parse_date("2028-02-29", field="arrival") == date(2028, 2, 29)
    assert parse_date("2000-02-29", field="arrival") == date(2000, 2, 29)


def test_a_stay_from_text_names_the_field_that_is_wrong():
    with pytest.raises(InvalidInputError) as error:
        StayRange.parse("2027-05-01", "2027-02-30")
    assert refusal(error) == ("departure", "no_such_day")


@given(st.dates(FIRST_DAY, LAST_DAY))
def test_every_day_of_the_calendar_is_accepted(day: date):
    check_day(day, field="day")
    assert day_of_ordinal(day.toordinal(), field="day") == day
    assert parse_date(day.isoformat(), field="day") == day
