"""What a channel has sold of its allotments follows the bookings that stand, whoever made or ended them."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from pmscore.booking.model.lifecycle import Act
from pmscore.channels.model.revisions import IssueKind
from pmscore.channels.reactions.noting import Happened
from pmscore.channels.reactions.recounting import Recount, recount_allotments
from pmscore.inventory.model.allotments import Allotment
from pmscore.inventory.model.stock import StockChange
from pmscore.kernel.ids import AllotmentId
from pmscore.testing.inbound_scenes import open_inbound_scene
from pmscore.testing.memory import InMemoryStore, SeededIds
from pmscore.testing.scenes import nights, open_scene, pool, stay


@pytest.fixture
def inbound():
    """Three rooms of a pool, one of them kept for the channel on ten nights, and sold by it on two of them."""
    store = InMemoryStore(lock_timeout=timedelta(milliseconds=300))
    inbound = open_inbound_scene(open_scene(store, SeededIds("recounting"), pool(3), pool(1)))
    scene = inbound.scene
    allotment = Allotment(
        allotment_id=AllotmentId(scene.ids.new()),
        property_id=scene.property_id,
        unit_type_id=scene.type_ids[0],
        channel="beds",
        nights=nights(0, 10),
        guaranteed=1,
    )
    with scene.begin() as work:
        work.allotments.add(allotment)
        work.stock.change(StockChange.claiming(*allotment.claims()))
        work.commit()
    inbound.apply(inbound.revision())
    return inbound


def recounted(inbound, kind="booking.statusChanged", **payload):
    scene = inbound.scene
    payload = payload or {"property_id": str(scene.property_id)}
    event = Happened(kind=kind, aggregate="booking", aggregate_id=uuid4(), payload=payload)
    changed = recount_allotments(
        Recount(**scene.asked(), event=event), uow=scene.store, clock=scene.clock, ids=scene.ids
    )
    assert scene.store.violated_invariants() == ()
    return changed


def sold(inbound):
    with inbound.scene.begin() as work:
        (found,) = work.allotments.of(inbound.scene.property_id, "beds")
    return found.sold[2:6], found.kept()[2:6]


def guarantees(inbound):
    return [issue for issue in inbound.issues() if issue.kind is IssueKind.NO_GUARANTEE]


def test_what_a_platform_sold_is_counted_already(inbound):
    assert sold(inbound) == ((0, 1, 1, 0), (1, 0, 0, 1))
    assert recounted(inbound) == ()


def test_a_booking_that_the_desk_cancels_gives_its_room_back_to_the_channel(inbound):
    inbound.scene.act(inbound.booking().booking_id, Act.CANCEL)
    assert sold(inbound) == ((0, 1, 1, 0), (1, 0, 0, 1))
    (after,) = recounted(inbound)
    assert sold(inbound) == ((0, 0, 0, 0), (1, 1, 1, 1))
    assert recounted(inbound) == ()
    assert (after.sold[3], guarantees(inbound)) == (0, [])


def test_a_stay_that_the_desk_moves_is_counted_where_it_is(inbound):
    inbound.scene.move_stay(inbound.booking().booking_id, stay(4, 2))
    recounted(inbound, "booking.updated")
    assert sold(inbound) == ((0, 0, 1, 1), (1, 1, 0, 0))


def test_a_room_that_the_house_has_sold_meanwhile_is_told_once_and_kept_again_when_it_is_free(inbound):
    scene = inbound.scene
    scene.act(inbound.booking().booking_id, Act.CANCEL)
    others = [scene.book(stay(3, 1)) for _ in range(3)]
    assert recounted(inbound) == ()
    (told,) = guarantees(inbound)
    assert told.details["from"] == nights(0, 10).start.isoformat()
    assert recounted(inbound) == ()
    assert len(guarantees(inbound)) == 1
    assert sold(inbound) == ((0, 1, 1, 0), (1, 0, 0, 1))
    scene.act(others[0].booking_id, Act.CANCEL)
    assert len(recounted(inbound)) == 1
    assert sold(inbound) == ((0, 0, 0, 0), (1, 1, 1, 1))
    assert guarantees(inbound) == []


def test_nights_of_the_past_stay_as_they_were(inbound):
    inbound.scene.act(inbound.booking().booking_id, Act.CANCEL)
    inbound.scene.clock.advance(timedelta(days=4))
    recounted(inbound)
    assert sold(inbound)[0] == (0, 1, 0, 0)


@pytest.mark.parametrize(
    ("kind", "payload"), [("hold.created", {}), ("booking.created", {"property_id": str(uuid4())})]
)
def test_other_events_and_other_houses_change_nothing(inbound, kind, payload):
    inbound.scene.act(inbound.booking().booking_id, Act.CANCEL)
    assert recounted(inbound, kind, **payload) == ()
    assert sold(inbound)[0] == (0, 1, 1, 0)
