"""Platforms that number no states: a booking that is once more as it was, told under the name that it had then."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pmscore.channels.model.calls import Outcome, OutcomeKind, Pulled
from pmscore.channels.model.revisions import RevisionStatus, StoredState
from pmscore.testing.inbound_scenes import DONE, open_inbound_scene
from pmscore.testing.memory import InMemoryStore, SeededIds
from pmscore.testing.scenes import hotel, open_scene, stay

CHANGED = RevisionStatus.CHANGED


@pytest.fixture
def inbound():
    store = InMemoryStore(lock_timeout=timedelta(milliseconds=300))
    return open_inbound_scene(open_scene(store, SeededIds("told anew"), hotel(2), hotel(1)))


def state(inbound, first, *, minute, number=1):
    """Return a booking as it is, named by its nights alone."""
    room = inbound.room(stay(first, 2), number)
    return inbound.revision(CHANGED, room, minute=minute, revision_id=f"K1:{first}:{number}")


def arrivals(inbound):
    return [room.stay.arrival for booking in inbound.bookings() for room in booking.rooms]


def test_a_booking_that_goes_back_to_other_nights_goes_back(inbound):
    for minute, first in enumerate((3, 6, 3, 6)):
        inbound.tell(state(inbound, first, minute=minute))
        assert arrivals(inbound) == [stay(first, 2).arrival]
    assert inbound.gateway.acknowledged == ["K1:3:1", "K1:6:1", "K1:3:1", "K1:6:1"]


def test_what_counts_now_and_comes_again_is_left_alone(inbound):
    inbound.tell(state(inbound, 3, minute=0))
    end = inbound.tell(state(inbound, 3, minute=1))
    assert end.details == {"repeated": 1}
    assert inbound.gateway.acknowledged == ["K1:3:1"]


def test_what_was_before_and_comes_late_changes_nothing(inbound):
    before = state(inbound, 3, minute=0)
    inbound.tell(before)
    inbound.tell(state(inbound, 6, minute=5))
    inbound.tell(before)
    assert arrivals(inbound) == [stay(6, 2).arrival]
    assert len(inbound.gateway.acknowledged) == 2


def test_what_waits_for_its_room_is_as_new_as_it_was_told_last(inbound):
    inbound.map_rooms(1)
    inbound.tell(state(inbound, 3, minute=0, number=2))
    inbound.tell(state(inbound, 6, minute=1))
    end = inbound.tell(state(inbound, 3, minute=2, number=2))
    assert end.details.get("received") is None
    assert arrivals(inbound) == [stay(6, 2).arrival]
    inbound.map_rooms(1, 2)
    inbound.run()
    assert arrivals(inbound) == [stay(3, 2).arrival]
    assert inbound.stored("K1:3:2").state is StoredState.APPLIED


def test_nothing_is_acknowledged_where_the_platform_was_not_heard_to_the_end(inbound):
    inbound.keep(state(inbound, 3, minute=0))
    page = Pulled(outcome=DONE, revisions=(state(inbound, 6, minute=1),))
    lost = Pulled(outcome=Outcome(OutcomeKind.UNSURE, "broken_connection"))
    inbound.gateway.pages = [page, lost]
    end = inbound.run()
    assert (end.outcome, end.is_all, end.details["applied"]) == (lost.outcome, False, 2)
    assert inbound.gateway.acknowledged == []
    inbound.run()
    assert inbound.gateway.acknowledged == ["K1:3:1", "K1:6:1"]
