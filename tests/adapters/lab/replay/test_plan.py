from __future__ import annotations

import pytest

from adapters.lab.replay.booking_files import row, write
from pms_adapters.lab.replay.parsing import read_bookings
from pms_adapters.lab.replay.plan import Phase, checked_rooms, lanes_of, moments_of, peak_rooms, steps_of
from pmscore.kernel.errors import InvalidInputError


@pytest.fixture
def stays(tmp_path):
    return lambda *rows: read_bookings(write(tmp_path / "bookings.csv", *rows)).stays


def test_a_day_has_its_phases_in_order_and_a_phase_its_rows(stays):
    steps = steps_of(
        stays(
            row(lead_time=0, reservation_status="No-Show"),
            row(lead_time=0, reservation_status="Canceled", reservation_status_date="2024-05-10"),
            row(lead_time=0),
            row(arrival_date_day_of_month=8),
        )
    )
    tenth = [(step.phase, step.row.number) for step in steps if step.day.day == 10]
    assert tenth == [
        (Phase.CHECK_OUT, 4),
        (Phase.BOOK, 1),
        (Phase.BOOK, 2),
        (Phase.BOOK, 3),
        (Phase.CANCEL, 2),
        (Phase.CHECK_IN, 3),
        (Phase.NO_SHOW, 1),
    ]


def test_the_default_rooms_are_the_peak_of_checked_out_stays_and_a_room_left_today_is_free_today(stays):
    rows = [
        row(),
        row(arrival_date_day_of_month=11),
        row(arrival_date_day_of_month=12),
        row(reservation_status="Canceled"),
        row(reservation_status="No-Show", assigned_room_type="B"),
        row(assigned_room_type="C"),
        row(assigned_room_type="C", adults=0),
    ]
    assert peak_rooms(stays(*rows)) == {"A": 2, "C": 1}


def test_bookings_of_one_type_stay_in_one_lane_in_their_order(stays):
    rows = [row(assigned_room_type=name) for name in "AABACBDAE"]
    (moment, *_) = moments_of(steps_of(stays(*rows)))
    lanes = lanes_of(moment, 3)
    assert len(lanes) == 3
    assert sorted(step.row.number for lane in lanes for step in lane) == list(range(1, 10))
    for name in "ABCDE":
        (numbers,) = (
            found for lane in lanes if (found := [s.row.number for s in lane if s.row.unit_type == name])
        )
        assert numbers == sorted(numbers)


def test_the_rooms_given_are_used_and_impossible_ones_refused(tmp_path):
    file = read_bookings(write(tmp_path / "bookings.csv", row()))
    assert checked_rooms({"B": 2, "A": 0}, file) == {"A": 0, "B": 2}
    for wrong in ({"A": -1}, {"A": 100_001}, {"A": True}, {"": 1}):
        with pytest.raises(InvalidInputError) as error:
            checked_rooms(wrong, file)
        assert error.value.field == "rooms"
