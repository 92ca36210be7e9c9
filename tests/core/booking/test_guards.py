"""What speaks against an act besides the status."""

from __future__ import annotations

import pytest

from pmscore.booking.model.lifecycle import Act, Status
from pmscore.kernel.errors import StaleVersionError, TransitionError
from pmscore.testing.memory import InMemoryStore, SeededIds
from pmscore.testing.scenes import hotel, open_scene, pool, stay


@pytest.fixture
def scene():
    return open_scene(InMemoryStore(), SeededIds("guards"), hotel(2), pool(2))


def refused(do):
    with pytest.raises(TransitionError) as error:
        do()
    return error.value.params["reason"]


def placed(scene, when):
    return scene.book(scene.request(when, unit_id=scene.unit().unit_id)).booking_id


def test_check_in_waits_for_the_arrival_date(scene):
    booking_id = placed(scene, stay(1, 2))
    assert refused(lambda: scene.act(booking_id, Act.CHECK_IN)) == "before_arrival"
    scene.advance()
    assert scene.act(booking_id, Act.CHECK_IN).checked_in_on == stay(1).arrival


def test_check_in_ends_with_the_departure_date(scene):
    booking_id = placed(scene, stay(0, 2))
    scene.advance(2)
    assert refused(lambda: scene.act(booking_id, Act.CHECK_IN)) == "after_departure"


def test_check_in_needs_a_unit_where_the_type_has_units(scene):
    unplaced = scene.book(stay(0, 2)).booking_id
    by_number = scene.book(scene.request(stay(0, 2), unit_type_id=scene.type_ids[1])).booking_id
    assert refused(lambda: scene.act(unplaced, Act.CHECK_IN)) == "no_unit_assigned"
    assert scene.act(by_number, Act.CHECK_IN).status is Status.CHECKED_IN


def test_check_in_of_an_oversold_booking_waits_until_it_is_placed(scene):
    first = placed(scene, stay(0, 2))
    scene.book(stay(0, 2))
    oversold = scene.book(stay(0, 2), may_oversell=True)
    assert refused(lambda: scene.act(oversold.booking_id, Act.CHECK_IN)) == "oversold"
    scene.act(first, Act.CANCEL)
    after = scene.assign(oversold.booking_id, oversold.room_ids[0], scene.unit().unit_id)
    assert not after.is_oversold
    assert scene.act(oversold.booking_id, Act.CHECK_IN).status is Status.CHECKED_IN
    assert scene.store.violated_invariants() == ()


@pytest.mark.parametrize("do", [(), (Act.CHECK_OUT,)], ids=["check-in", "check-out"])
def test_an_act_can_be_undone_on_its_business_date_only(scene, do):
    booking_id = placed(scene, stay(0, 3))
    scene.act(booking_id, Act.CHECK_IN)
    for act in do:
        scene.act(booking_id, act)
    undo = Act.UNDO_CHECK_OUT if do else Act.UNDO_CHECK_IN
    scene.advance()
    assert refused(lambda: scene.act(booking_id, undo)) == "business_date_has_moved"


def test_nobody_is_a_no_show_before_the_arrival_date(scene):
    booking_id = scene.book(stay(1, 2)).booking_id
    assert refused(lambda: scene.act(booking_id, Act.MARK_NO_SHOW)) == "before_arrival"
    scene.advance()
    assert scene.act(booking_id, Act.MARK_NO_SHOW).status is Status.NO_SHOW


def test_a_stay_that_is_over_is_not_reinstated(scene):
    booking_id = scene.book(stay(0, 2)).booking_id
    scene.act(booking_id, Act.CANCEL)
    scene.advance(2)
    assert refused(lambda: scene.act(booking_id, Act.REINSTATE)) == "stay_is_over"


def test_a_reinstated_booking_loses_units_that_are_taken_and_keeps_its_nights(scene):
    booking_id = placed(scene, stay(0, 2))
    scene.act(booking_id, Act.CANCEL)
    placed(scene, stay(1, 1))
    after = scene.act(booking_id, Act.REINSTATE)
    assert (after.status, after.rooms[0].placements) == (Status.CONFIRMED, ())
    assert scene.store.violated_invariants() == ()


def test_cancelling_twice_changes_nothing_the_second_time(scene):
    booking_id = scene.book(stay(0, 2)).booking_id
    first = scene.act(booking_id, Act.CANCEL)
    events = len(scene.store.events_after())
    assert scene.act(booking_id, Act.CANCEL) == first
    assert len(scene.store.events_after()) == events


def test_an_asker_who_has_seen_an_older_version_is_told(scene):
    from pmscore.booking.use_cases.change_status import ChangeStatus, change_status

    booking_id = scene.book(stay(0, 2)).booking_id
    command = ChangeStatus(**scene.asked(), booking_id=booking_id, act=Act.CANCEL, expected_version=7)
    with pytest.raises(StaleVersionError):
        change_status(command, uow=scene.store, clock=scene.clock)
    assert scene.booking(booking_id).status is Status.CONFIRMED
