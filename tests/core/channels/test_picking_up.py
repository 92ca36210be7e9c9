"""A sale through a channel takes a room that is kept for it, and adds no claim; what ends goes back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve

from pmscore.booking.model.lifecycle import Act
from pmscore.channels.model.revisions import RevisionStatus
from pmscore.inventory.model.allotments import Allotment
from pmscore.inventory.model.stock import ClaimKind, StockChange
from pmscore.kernel.errors import NightsTakenError
from pmscore.kernel.ids import AllotmentId
from pmscore.testing.inbound_scenes import open_inbound_scene
from pmscore.testing.memory import InMemoryStore, SeededIds
from pmscore.testing.scenes import nights, open_scene, pool, stay

NEW, CHANGED, CANCELLED = RevisionStatus.NEW, RevisionStatus.CHANGED, RevisionStatus.CANCELLED


@pytest.fixture
def inbound():
    """Three rooms of a pool, one of them kept for the channel on ten nights."""
    store = InMemoryStore(lock_timeout=timedelta(milliseconds=300))
    inbound = open_inbound_scene(open_scene(store, SeededIds("allotted"), pool(3), pool(1)))
    keep(inbound, channel="beds")
    return inbound


def keep(inbound, *, channel, rooms=1):
    scene = inbound.scene
    allotment = Allotment(
        allotment_id=AllotmentId(scene.ids.new()),
        property_id=scene.property_id,
        unit_type_id=scene.type_ids[0],
        channel=channel,
        nights=nights(0, 10),
        guaranteed=rooms,
    )
    with scene.begin() as work:
        work.allotments.add(allotment)
        work.stock.change(StockChange.claiming(*allotment.claims()))
        work.commit()


def kept(inbound, channel="beds"):
    with inbound.scene.begin() as work:
        (found,) = work.allotments.of(inbound.scene.property_id, channel)
    assert inbound.scene.store.violated_invariants() == ()
    return found


def counts(inbound, first):
    scene = inbound.scene
    reader = scene.store.availability(scene.agency_id)
    found = reader.claims_by_kind([scene.type_ids[0]], nights(first), scene.clock.now())
    by_kind = {kind: each[0] for kind, each in found[scene.type_ids[0]].items() if each[0]}
    return by_kind.get(ClaimKind.BOOKED, 0), by_kind.get(ClaimKind.ALLOTTED, 0)


def test_a_sale_moves_a_claim_and_adds_none(inbound):
    assert counts(inbound, 3) == (0, 1)
    inbound.apply(inbound.revision())
    assert [counts(inbound, first) for first in (2, 3, 4, 5)] == [(0, 1), (1, 0), (1, 0), (0, 1)]
    assert kept(inbound).sold[2:6] == (0, 1, 1, 0)


def test_in_a_full_house_the_kept_room_is_the_channels(inbound):
    inbound.scene.book(stay(3, 2), stay(3, 2))
    with pytest.raises(NightsTakenError):
        inbound.scene.book(stay(3, 2))
    inbound.apply(inbound.revision())
    assert not inbound.booking().is_oversold
    inbound.apply(inbound.revision(key="K2"))
    assert inbound.booking("K2").is_oversold


def test_what_is_sold_beyond_the_kept_rooms_is_the_houses(inbound):
    for number in range(3):
        inbound.apply(inbound.revision(key=f"K{number}"))
    assert counts(inbound, 3) == (3, 0)
    assert kept(inbound).sold[3] == 3


def test_other_nights_go_back_and_are_taken_up(inbound):
    inbound.apply(inbound.revision(), inbound.revision(CHANGED, inbound.room(stay(4, 3)), minute=5))
    assert kept(inbound).sold[2:8] == (0, 0, 1, 1, 1, 0)
    assert counts(inbound, 3) == (0, 1)


def test_another_type_gives_them_back(inbound):
    inbound.apply(inbound.revision(), inbound.revision(CHANGED, inbound.room(stay(3, 2), 2), minute=5))
    assert kept(inbound).sold == (0,) * 10


def test_a_cancellation_gives_them_back_once(inbound):
    inbound.apply(inbound.revision(), inbound.revision(key="K2"))
    for minute in (5, 6):
        inbound.apply(inbound.revision(CANCELLED, minute=minute))
    assert kept(inbound).sold[3:5] == (1, 1)
    assert counts(inbound, 3) == (1, 0)


def test_what_staff_cancelled_before_is_not_given_back_again(inbound):
    """Counting what ends without the platform is the recount's."""
    inbound.apply(inbound.revision(), inbound.revision(key="K2"))
    with inbound.scene.begin() as work:
        booking = work.bookings.get(inbound.booking().booking_id)
    inbound.scene.act(booking.booking_id, Act.CANCEL)
    inbound.apply(inbound.revision(CANCELLED, minute=5))
    assert kept(inbound).sold[3:5] == (2, 2)


def test_other_channels_keep_their_rooms(inbound):
    keep(inbound, channel="others")
    inbound.apply(inbound.revision(), evolve(inbound.revision(key="K2"), channel="others"))
    assert (kept(inbound).sold[3], kept(inbound, "others").sold[3]) == (1, 1)
    assert counts(inbound, 3) == (2, 0)


def test_a_price_alone_moves_nothing(inbound):
    inbound.apply(inbound.revision())
    version = kept(inbound).version
    inbound.apply(inbound.revision(CHANGED, inbound.room(stay(3, 2), night=1), minute=5))
    assert kept(inbound).version == version
