from __future__ import annotations

import csv
import json
import os
import tempfile
from pathlib import Path

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.lab.replay.booking_files import MONTHS, row, write
from adapters.lab.replay.naive import figures
from pms_adapters.bootstrap import connect
from pms_adapters.lab.race.audit import audit_stock
from pms_adapters.lab.replay import run_replay, write_skipped
from pms_adapters.settings import Settings
from pmscore.kernel.errors import InvalidInputError

pytestmark = pytest.mark.postgres

SMALL = Path(__file__).parents[3] / "data" / "replay"
RESORT = "data/resort_bookings.csv.gz"


@pytest.fixture(scope="module")
def services(postgres_database):
    with connect(Settings(database_url=postgres_database.app_url)) as connected:
        yield connected


@pytest.fixture(scope="module", params=["small.csv", "small.csv.gz"])
def small(request, services):
    return run_replay(SMALL / request.param, services=services)


def as_printed(report) -> object:
    return json.loads(json.dumps(report.to_json()))


def test_the_small_house_has_the_figures_that_were_worked_out_by_hand(small):
    assert as_printed(small) == json.loads((SMALL / "small_expected.json").read_text("utf-8"))
    assert small.rounded_rates == 1


def test_the_independent_count_agrees_with_the_figures_worked_out_by_hand():
    with (SMALL / "small.csv").open(encoding="utf-8", newline="") as text:
        rows = [{name: value.strip() for name, value in each.items()} for each in csv.DictReader(text)]
    assert figures(rows) == json.loads((SMALL / "small_expected.json").read_text("utf-8"))


def test_every_command_is_counted_and_the_business_date_moves_day_by_day(small, postgres_database):
    # One to ask for each of 292 stays, one to end each of 28 and 22, two for each of 148.
    assert small.commands == 292 + 28 + 22 + 2 * 148
    with psycopg.connect(postgres_database.admin_url) as connection:
        rolls, last = connection.execute(
            "SELECT p.version - 1, p.business_date FROM properties p WHERE property_id = %s",
            [small.property_id],
        ).fetchone()
    assert rolls == small.day_rolls
    assert last.isoformat() == "2019-11-06"
    assert small.commands_per_second > 0


def test_history_shows_each_event_at_its_own_time(small, postgres_database):
    with psycopg.connect(postgres_database.admin_url) as connection:
        kinds = dict(
            connection.execute(
                "SELECT e.kind, bool_and(CASE e.kind"
                " WHEN 'booking.created' THEN e.at <= r.arrival + time '23:59'"
                " WHEN 'booking.checkedIn' THEN e.at::date = r.arrival"
                " WHEN 'booking.checkedOut' THEN e.at::date = r.departure"
                " WHEN 'booking.noShow' THEN e.at::date = r.arrival ELSE true END)"
                " FROM events e JOIN booking_rooms r"
                " ON r.agency_id = e.agency_id AND r.booking_id = e.aggregate_id"
                " WHERE e.agency_id = %s GROUP BY e.kind",
                [small.agency_id],
            ).fetchall()
        )
    assert kinds == dict.fromkeys(
        (
            "booking.created",
            "booking.cancelled",
            "booking.checkedIn",
            "booking.checkedOut",
            "booking.noShow",
        ),
        True,
    )


def test_the_stock_of_a_replayed_house_agrees_with_its_bookings(small, services):
    assert audit_stock(services.engine, small.agency_id).is_clean


def test_each_replay_makes_an_agency_of_its_own(tmp_path, services):
    path = write(tmp_path / "bookings.csv", row())
    one, other = (run_replay(path, services=services) for _ in range(2))
    assert one.agency_id != other.agency_id
    assert as_printed(one) == as_printed(other)


def test_the_skipped_rows_are_listed_in_a_file(small, tmp_path):
    write_skipped(tmp_path / "skipped.csv", small.skipped)
    lines = (tmp_path / "skipped.csv").read_text("utf-8").splitlines()
    assert len(lines) == 1 + 18
    assert lines[0] == "row,line,reason,arrival,nights,assigned_room_type,adr"
    assert lines[1] == "17,18,zero_nights,2019-03-03,0,D,0"
    with pytest.raises(InvalidInputError):
        write_skipped(tmp_path, small.skipped)


def test_a_mistake_in_the_last_row_leaves_nothing_behind(tmp_path, services, postgres_database):
    def agencies() -> int:
        with psycopg.connect(postgres_database.admin_url) as connection:
            return connection.execute("SELECT count(*) FROM agencies").fetchone()[0]

    before = agencies()
    path = write(tmp_path / "bookings.csv", row(), row(), row(adr="free"))
    with pytest.raises(InvalidInputError):
        run_replay(path, services=services)
    with pytest.raises(InvalidInputError):
        run_replay(write(path, row()), services=services, rooms={"A": -1})
    assert agencies() == before


def test_a_file_in_which_nobody_stays_has_empty_figures(tmp_path, services):
    for rows in ([], [row(adults=0)]):
        report = run_replay(write(tmp_path / "bookings.csv", *rows), services=services)
        assert report.to_json()["months"] == {}
        assert (report.accepted, report.refused, report.commands) == (0, 0, 0)
        assert report.skipped_by_reason == ({"no_adult": 1} if rows else {})


def test_rooms_may_be_given_and_a_type_without_any_is_full(tmp_path, services):
    rows = [row(), row(), row(assigned_room_type="B")]
    path = write(tmp_path / "bookings.csv", *rows)
    report = run_replay(path, services=services, rooms={"A": 1, "Z": 9})
    assert as_printed(report) == figures(rows, {"A": 1, "Z": 9})
    assert (report.accepted, report.refused) == (1, 2)


def test_progress_ends_when_all_is_done(tmp_path, services):
    heard: list[tuple[int, int]] = []
    path = write(tmp_path / "bookings.csv", row(), row(reservation_status="No-Show"))
    run_replay(path, services=services, progress=lambda done, total: heard.append((done, total)))
    assert heard == sorted(heard)
    assert heard[-1] == (5, 5)


arrivals = st.integers(20, 31)
rows = st.builds(
    lambda day, lead, nights, adults, children, name, rate, ending, ended: row(
        arrival_date_month=MONTHS[4],
        arrival_date_day_of_month=day,
        lead_time=lead,
        stays_in_weekend_nights=nights // 2,
        stays_in_week_nights=nights - nights // 2,
        adults=adults,
        children=children,
        assigned_room_type=name,
        adr=rate,
        reservation_status=ending,
        # Between the booking and three days after the arrival.
        reservation_status_date=f"2024-05-{day - lead:02}" if ended > lead else f"2024-05-{day - ended:02}",
    ),
    arrivals,
    st.integers(0, 6),
    st.integers(0, 5),
    st.sampled_from([1, 2, 2, 2, 0]),
    st.sampled_from(["0", "1", "NA"]),
    st.sampled_from("AAB"),
    st.sampled_from(["0", "80", "99.9", "61.25", "33.335", "-6.38"]),
    st.sampled_from(["Check-Out", "Check-Out", "Canceled", "No-Show"]),
    st.integers(0, 6),
)


EXAMPLES = 300 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 25


class TestRandomFiles:
    @settings(max_examples=EXAMPLES)
    @given(
        st.lists(rows, max_size=25),
        st.none() | st.fixed_dictionaries({"A": st.integers(0, 3), "B": st.integers(0, 2)}),
    )
    def test_any_small_file_has_the_figures_of_an_independent_count(self, services, some, rooms):
        with tempfile.TemporaryDirectory() as folder:
            report = run_replay(write(Path(folder) / "bookings.csv", *some), services=services, rooms=rooms)
        assert as_printed(report) == figures(some, rooms)


@pytest.fixture
def resort(shared_dir) -> Path:
    path = shared_dir / RESORT
    if not path.exists():
        pytest.skip(f"needs ../shared/{RESORT}")
    return path


def test_ten_thousand_real_bookings_give_the_known_figures(resort, services):
    report = run_replay(resort, services=services)
    assert as_printed(report) == json.loads((resort.parent / "resort_expected.json").read_text("utf-8"))
    assert report.commands == 23_341
    assert audit_stock(services.engine, report.agency_id).is_clean
