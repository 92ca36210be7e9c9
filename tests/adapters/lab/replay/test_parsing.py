from __future__ import annotations

import gzip
from datetime import date

import pytest

from adapters.lab.replay.booking_files import USUAL, row, text_of, write
from pms_adapters.lab.replay.parsing import read_bookings
from pms_adapters.lab.replay.rows import COLUMNS, Ending, SkipReason
from pmscore.inventory.model.party import Party
from pmscore.kernel.errors import InvalidInputError


@pytest.fixture
def read(tmp_path):
    return lambda *rows: read_bookings(write(tmp_path / "bookings.csv", *rows))


@pytest.fixture
def refusal(read):
    def refused(**changes):
        with pytest.raises(InvalidInputError) as error:
            read(row(), row(**changes))
        return error.value

    return refused


def test_a_row_becomes_a_stay_with_all_that_the_house_needs(read):
    file = read(row(children="1", babies="2", adr="61.5"))
    (stay,) = file.stays
    assert (stay.stay.arrival, stay.stay.departure) == (date(2024, 5, 10), date(2024, 5, 12))
    assert stay.booked_on == date(2024, 5, 5)
    assert stay.party == Party(2, 1, 2)
    assert stay.rate_minor == 6150
    assert (stay.source.channel, stay.source.segment) == ("ta_to", "online_ta")
    assert stay.terms == {
        "meal": "bb",
        "deposit": "no_deposit",
        "customer": "transient",
        "reserved_type": "a",
    }
    assert (stay.ending, stay.ended_on) == (Ending.CHECK_OUT, date(2024, 5, 12))
    assert (file.rows, file.skipped, file.rounded_rates) == (1, (), 0)


def test_children_that_are_not_known_are_none(read):
    assert read(row(children="NA")).stays[0].party == Party(2)


def test_padding_a_byte_order_mark_and_whole_numbers_with_a_point_are_read(tmp_path):
    path = tmp_path / "bookings.csv"
    padded = row(assigned_room_type="A      ", children="2.0", country="NULL", market_segment="Undefined ")
    path.write_text("\ufeff" + text_of([padded]), encoding="utf-8")
    (stay,) = read_bookings(path).stays
    assert (stay.unit_type, stay.party.children, stay.source.segment) == ("A", 2, "undefined")


@pytest.mark.parametrize(
    ("rate", "cents", "rounded"),
    [
        ("0", 0, 0),
        ("75", 7500, 0),
        ("75.5", 7550, 0),
        ("75.500", 7550, 0),
        ("75.505", 7551, 1),
        ("75.504999", 7550, 1),
        ("0.995", 100, 1),
        ("-0.00", 0, 0),
    ],
)
def test_a_rate_is_read_exactly_and_half_a_cent_is_rounded_up(read, rate, cents, rounded):
    file = read(row(adr=rate))
    assert (file.stays[0].rate_minor, file.rounded_rates) == (cents, rounded)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"stays_in_weekend_nights": 0, "stays_in_week_nights": 0}, SkipReason.ZERO_NIGHTS),
        (
            {"stays_in_weekend_nights": 0, "stays_in_week_nights": 0, "adults": 0, "adr": "-1"},
            SkipReason.ZERO_NIGHTS,
        ),
        ({"adults": 0}, SkipReason.NO_ADULT),
        ({"adults": 0, "children": 2, "adr": "-1"}, SkipReason.NO_ADULT),
        ({"adr": "-6.38"}, SkipReason.NEGATIVE_RATE),
        ({"adr": "-0.001"}, SkipReason.NEGATIVE_RATE),
    ],
)
def test_a_row_that_is_no_stay_is_skipped_for_the_first_reason_and_listed(read, changes, reason):
    file = read(row(), row(**changes), row())
    assert [each.number for each in file.stays] == [1, 3]
    (skipped,) = file.skipped
    assert (skipped.number, skipped.line, skipped.reason) == (2, 3, reason)
    assert (skipped.arrival, skipped.unit_type) == (date(2024, 5, 10), "A")


@pytest.mark.parametrize("column", COLUMNS)
def test_a_missing_column_is_named(tmp_path, column):
    path = tmp_path / "bookings.csv"
    path.write_text(text_of([row()], without=(column,)), encoding="utf-8")
    with pytest.raises(InvalidInputError) as error:
        read_bookings(path)
    assert (error.value.field, error.value.reason) == (column, "missing_column")


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("arrival_date_month", "Juli", "unknown_month"),
        ("arrival_date_month", "july", "unknown_month"),
        ("arrival_date_month", "", "missing"),
        ("arrival_date_day_of_month", "32", "no_such_day"),
        ("arrival_date_year", "0", "no_such_day"),
        ("arrival_date_year", "1850", "out_of_calendar"),
        ("arrival_date_year", "9999", "out_of_calendar"),
        ("adults", "two", "not_a_whole_number"),
        ("adults", "NA", "missing"),
        ("adults", "1.5", "not_a_whole_number"),
        ("adults", "101", "out_of_range"),
        ("adults", "٣", "not_a_whole_number"),
        ("babies", "-1", "negative"),
        ("children", "x", "not_a_whole_number"),
        ("stays_in_week_nights", "5000", "too_long"),
        ("stays_in_week_nights", "-1", "negative"),
        ("lead_time", "999999", "out_of_calendar"),
        ("lead_time", "", "missing"),
        ("adr", "free", "not_decimal"),
        ("adr", "1e2", "not_decimal"),
        ("adr", "NULL", "missing"),
        ("adr", "nan", "not_decimal"),
        ("adr", "99999999999", "out_of_range"),
        ("assigned_room_type", " ", "missing"),
        ("assigned_room_type", "A\x00", "unprintable"),
        ("reservation_status", "Cancelled", "unknown_status"),
        ("reservation_status_date", "12/05/2024", "not_iso_date"),
        ("reservation_status_date", "2023-02-29", "no_such_day"),
        ("reservation_status_date", "0001-01-01", "out_of_calendar"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_its_row_and_column(refusal, column, value, reason):
    error = refusal(**{column: value})
    assert (error.field, error.reason) == (column, reason)
    assert (error.params["row"], error.params["line"]) == (2, 3)


def test_the_29th_of_february_of_a_common_year_is_no_day(refusal):
    error = refusal(arrival_date_year=2023, arrival_date_month="February", arrival_date_day_of_month=29)
    assert (error.field, error.reason) == ("arrival_date_day_of_month", "no_such_day")


def test_a_skipped_row_is_checked_like_all_others(refusal):
    assert refusal(adults=0, reservation_status="Gone").field == "reservation_status"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\n", "empty"),
        (b"\xff\xfe\x00", "not_utf8"),
        (b"\x1f\x8bnonsense", "broken_gzip"),
        (gzip.compress(text_of([row()] * 500).encode())[:-20], "broken_gzip"),
        (text_of([row()]).encode() + b'"open', "not_csv"),
        (text_of([row()]).encode() + b"1,2,3\n", "wrong_number_of_fields"),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path, content, reason):
    path = tmp_path / "bookings"
    path.write_bytes(content)
    with pytest.raises(InvalidInputError) as error:
        read_bookings(path)
    assert (error.value.field, error.value.reason) == ("file", reason)


def test_a_file_called_gz_that_is_not_packed_is_broken(tmp_path):
    path = write(tmp_path / "bookings.csv.gz", row())
    with pytest.raises(InvalidInputError) as error:
        read_bookings(path)
    assert error.value.reason == "broken_gzip"


def test_a_file_that_is_not_there_or_is_a_folder_is_refused(tmp_path):
    for path, reason in ((tmp_path / "nothing.csv", "not_found"), (tmp_path, "not_readable")):
        with pytest.raises(InvalidInputError) as error:
            read_bookings(path)
        assert (error.value.field, error.value.reason) == ("file", reason)


def test_a_column_that_stands_twice_is_refused(tmp_path):
    path = tmp_path / "bookings.csv"
    path.write_text(",".join([*USUAL, "adr"]) + "\n", encoding="utf-8")
    with pytest.raises(InvalidInputError) as error:
        read_bookings(path)
    assert (error.value.field, error.value.reason) == ("adr", "column_twice")


def test_a_file_with_a_heading_only_has_no_rows(read):
    assert read().rows == 0
