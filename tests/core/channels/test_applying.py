"""What platforms have sold becomes bookings, as it was sold; what cannot become one is put aside and told."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve

from pmscore.booking.model.lifecycle import Act, Status
from pmscore.channels.model.revisions import IssueKind, RevisionStatus, SaleKind, SoldTo, StoredState
from pmscore.channels.reactions.applying import apply_revision
from pmscore.inventory.model.party import Party
from pmscore.kernel.errors import NightsTakenError, NotFoundError
from pmscore.kernel.money import Money
from pmscore.testing.inbound_scenes import open_inbound_scene
from pmscore.testing.memory import InMemoryStore, SeededIds
from pmscore.testing.scenes import EUR, hotel, nights, open_scene, pool, stay

NEW, CHANGED, CANCELLED = RevisionStatus.NEW, RevisionStatus.CHANGED, RevisionStatus.CANCELLED
BLOCK = SaleKind.BLOCK


@pytest.fixture
def inbound():
    store = InMemoryStore(lock_timeout=timedelta(milliseconds=300))
    return open_inbound_scene(open_scene(store, SeededIds("applying"), hotel(2), pool(3), hotel(1)))


def state_of(inbound, told):
    stored = inbound.stored(told.revision_id)
    return stored.state, stored.reason


def kinds(inbound):
    return [issue.kind for issue in inbound.issues()]


class TestAsSold:
    def test_prices_guest_and_source_are_those_that_were_told(self, inbound):
        told = inbound.revision(NEW, inbound.room(stay(3, 3), nightly=(99_99, 100_01, 1)), requests="a cot")
        inbound.apply(told)
        booking = inbound.booking()
        assert booking.rooms[0].nightly == (99_99, 100_01, 1)
        assert booking.total == Money(200_01, EUR)
        assert (booking.source.channel, booking.source.reference) == ("beds", "ref K1")
        assert booking.requests == "a cot"
        assert booking.terms == {}
        with inbound.scene.begin() as work:
            guest = work.guests.get(booking.guest_id)
        assert (guest.name, guest.email, guest.country) == ("Ada Novak", "ada@example.org", "AT")

    def test_a_changed_price_is_taken_over_to_the_cent(self, inbound):
        inbound.apply(
            inbound.revision(), inbound.revision(CHANGED, inbound.room(stay(3, 2), nightly=(1, 2)), minute=1)
        )
        assert inbound.booking().total == Money(3, EUR)

    def test_a_channel_behind_a_hub_is_the_source(self, inbound):
        inbound.apply(evolve(inbound.revision(), channel="booking_com"))
        assert inbound.booking().source.channel == "booking_com"
        inbound.apply(evolve(inbound.revision(key="K2"), channel="Booking.com!"))
        assert inbound.booking("K2").source.channel == "beds"

    def test_what_a_platform_does_not_say_is_not_made_up(self, inbound):
        room = evolve(inbound.room(stay(3, 2)), nightly=(), adults=0, rate_code="", child_ages=(3, 9))
        told = inbound.revision(NEW, room, currency="", guest=SoldTo(email="not an address", country="?"))
        inbound.apply(told)
        booking = inbound.booking()
        assert (booking.total, booking.terms) == (Money(0, EUR), {"price": "unknown"})
        assert booking.rooms[0].party == Party(1, 2)
        with inbound.scene.begin() as work:
            guest = work.guests.get(booking.guest_id)
        assert (guest.name, guest.email, guest.country) == ("Guest of Telling", "", "")

    def test_rules_of_the_house_do_not_refuse_what_is_sold(self, inbound):
        inbound.apply(inbound.revision(NEW, evolve(inbound.room(stay(3, 2)), adults=9)))
        assert inbound.booking().rooms[0].party == Party(9)

    def test_guest_and_booking_are_told_by_events_without_anything_personal(self, inbound):
        inbound.apply(inbound.revision())
        events = inbound.scene.store.events_after()
        told = [each for each in events if each.kind.startswith("pms.")]
        assert [each.kind for each in told] == ["pms.guest.synced", "pms.booking.synced"]
        assert told[1].payload["booking_id"] == str(inbound.booking().booking_id)
        assert "Ada" not in str([each.payload for each in told])

    def test_the_unit_that_is_sold_by_itself_is_the_one_that_is_booked(self, inbound):
        unit = inbound.scene.unit(1)
        inbound.map_rooms(1, unit_ids={1: unit.unit_id})
        inbound.apply(inbound.revision())
        assert [each.unit_id for each in inbound.booking().rooms[0].placements] == [unit.unit_id]


class TestOrder:
    def test_a_cancellation_before_its_booking_leaves_nothing(self, inbound):
        cancelled, new = inbound.revision(CANCELLED, minute=5), inbound.revision()
        inbound.apply(cancelled, new)
        assert inbound.bookings() == ()
        assert state_of(inbound, cancelled) == (StoredState.APPLIED, "bury")
        assert state_of(inbound, new) == (StoredState.SUPERSEDED, "late")

    def test_a_change_before_its_booking_makes_it(self, inbound):
        changed, new = inbound.revision(CHANGED, inbound.room(stay(5, 1)), minute=5), inbound.revision()
        inbound.apply(changed, new)
        assert inbound.booking().rooms[0].stay == stay(5, 1)
        assert state_of(inbound, new)[0] is StoredState.SUPERSEDED
        assert inbound.stored(new.revision_id).booking_id == inbound.booking().booking_id

    def test_what_is_done_is_left_as_it_is(self, inbound):
        told = inbound.revision()
        inbound.apply(told)
        events = len(inbound.scene.store.events_after())
        inbound.scene.clock.advance(timedelta(hours=1))
        assert apply_revision(inbound.applying(), told.revision_id) == inbound.stored(told.revision_id)
        assert len(inbound.scene.store.events_after()) == events

    def test_a_revision_that_says_the_same_is_noted_and_changes_nothing(self, inbound):
        inbound.apply(inbound.revision())
        before = inbound.booking()
        inbound.apply(inbound.revision(CHANGED, minute=5))
        assert inbound.booking() == before
        assert inbound.link().revision_id == "K1-changed-5"
        assert state_of(inbound, inbound.revision(CHANGED, minute=5)) == (StoredState.APPLIED, "change")

    def test_what_staff_changed_stands_until_the_platform_says_otherwise(self, inbound):
        inbound.apply(inbound.revision())
        booking = inbound.booking()
        unit = inbound.scene.unit(1)
        inbound.scene.assign(booking.booking_id, booking.rooms[0].room_id, unit.unit_id, locks=True)
        inbound.apply(inbound.revision(CHANGED, inbound.room(stay(3, 3)), minute=5))
        (room,) = inbound.booking().rooms
        assert (room.is_locked, room.placements[0].unit_id) == (True, unit.unit_id)

    def test_an_unknown_revision_is_not_found(self, inbound):
        with pytest.raises(NotFoundError):
            apply_revision(inbound.applying(), "nobody's")


class TestForPeople:
    def test_a_guest_in_the_house_is_not_moved(self, inbound):
        inbound.apply(inbound.revision(NEW, inbound.room(stay(0, 3))))
        booking = inbound.booking()
        inbound.scene.assign(booking.booking_id, booking.rooms[0].room_id, inbound.scene.unit().unit_id)
        here = inbound.scene.act(booking.booking_id, Act.CHECK_IN)
        told = inbound.revision(CHANGED, inbound.room(stay(0, 3), 2), minute=5)
        inbound.apply(told)
        assert inbound.booking() == here
        assert state_of(inbound, told) == (StoredState.CONFLICT, "guest_is_in_house")
        assert kinds(inbound) == [IssueKind.CHANGED_AFTER_END]
        longer = inbound.revision(CHANGED, inbound.room(stay(0, 4)), minute=6)
        inbound.apply(longer)
        assert inbound.booking().rooms[0].stay == stay(0, 4)

    def test_a_guest_in_the_house_is_not_cancelled(self, inbound):
        inbound.apply(inbound.revision(NEW, inbound.room(stay(0, 3))))
        booking = inbound.booking()
        inbound.scene.assign(booking.booking_id, booking.rooms[0].room_id, inbound.scene.unit().unit_id)
        inbound.scene.act(booking.booking_id, Act.CHECK_IN)
        told = inbound.revision(CANCELLED, minute=5)
        inbound.apply(told)
        assert inbound.booking().status is Status.CHECKED_IN
        assert state_of(inbound, told)[0] is StoredState.CONFLICT
        assert not inbound.link().is_cancelled

    def test_where_a_guest_in_the_house_cannot_stay_longer_people_are_told(self, inbound):
        inbound.apply(inbound.revision(NEW, inbound.room(stay(0, 3))))
        booking = inbound.booking()
        inbound.scene.assign(booking.booking_id, booking.rooms[0].room_id, inbound.scene.unit().unit_id)
        inbound.scene.act(booking.booking_id, Act.CHECK_IN)
        inbound.scene.book(stay(3, 1), stay(3, 1))
        told = inbound.revision(CHANGED, inbound.room(stay(0, 4)), minute=5)
        inbound.apply(told)
        assert not inbound.booking().is_oversold
        assert state_of(inbound, told)[0] is StoredState.CONFLICT
        assert kinds(inbound) == [IssueKind.OVERSOLD]

    def test_a_booking_that_ended_here_is_not_brought_back(self, inbound):
        inbound.apply(inbound.revision())
        inbound.scene.act(inbound.booking().booking_id, Act.CANCEL)
        told = inbound.revision(CHANGED, inbound.room(stay(3, 3)), minute=5)
        inbound.apply(told)
        assert inbound.booking().status is Status.CANCELLED
        assert state_of(inbound, told) == (StoredState.CONFLICT, "status")

    def test_a_booking_that_the_platform_ended_and_brings_back_is_for_people(self, inbound):
        told = inbound.revision(CHANGED, minute=9)
        inbound.apply(inbound.revision(), inbound.revision(CANCELLED, minute=5), told)
        assert len(inbound.bookings()) == 1
        assert state_of(inbound, told) == (StoredState.CONFLICT, "ended_here")
        assert kinds(inbound) == [IssueKind.CHANGED_AFTER_END]

    def test_cancelling_what_staff_cancelled_is_no_matter(self, inbound):
        inbound.apply(inbound.revision())
        inbound.scene.act(inbound.booking().booking_id, Act.CANCEL)
        told = inbound.revision(CANCELLED, minute=5)
        inbound.apply(told)
        assert state_of(inbound, told) == (StoredState.APPLIED, "cancel")
        assert inbound.link().is_cancelled


class TestAside:
    @pytest.mark.parametrize(
        ("change", "kind", "reason"),
        [
            ({"room_code": "R9"}, IssueKind.UNMAPPED, "unmapped_room"),
            ({"rate_code": "NRF"}, IssueKind.UNMAPPED, "unmapped_rate"),
            ({"nightly": (1,)}, IssueKind.MALFORMED, "not_one_amount_a_night"),
            ({"nightly": (1, 10**13)}, IssueKind.MALFORMED, "out_of_range"),
            ({"adults": 101}, IssueKind.MALFORMED, "out_of_range"),
        ],
    )
    def test_it_is_kept_with_its_reason_and_told(self, inbound, change, kind, reason):
        told = inbound.revision(NEW, evolve(inbound.room(stay(3, 2)), **change))
        inbound.apply(told)
        assert inbound.bookings() == ()
        assert state_of(inbound, told) == (StoredState.QUARANTINED, reason)
        (issue,) = inbound.issues()
        assert (issue.kind, issue.revision_id, issue.details["reason"]) == (kind, told.revision_id, reason)
        assert inbound.stored(told.revision_id).revision == told

    def test_another_currency_is_never_taken_for_ours(self, inbound):
        told = inbound.revision(currency="USD")
        inbound.apply(told)
        assert state_of(inbound, told) == (StoredState.QUARANTINED, "other_currency")
        assert kinds(inbound) == [IssueKind.CURRENCY]

    def test_a_type_that_is_gone_is_put_aside(self, inbound):
        other = open_scene(InMemoryStore(), SeededIds("other"))
        at = inbound.applying()
        told = inbound.revision()
        inbound.keep(told)
        rooms = tuple(evolve(each, unit_type_id=other.type_ids[0]) for each in at.mappings.rooms)
        apply_revision(evolve(at, mappings=evolve(at.mappings, rooms=rooms)), told.revision_id)
        assert state_of(inbound, told) == (StoredState.QUARANTINED, "no_such_unit_type")

    def test_a_cancellation_needs_no_mapping(self, inbound):
        inbound.apply(inbound.revision())
        inbound.map_rooms(2)
        inbound.apply(inbound.revision(CANCELLED, minute=5))
        assert inbound.booking().status is Status.CANCELLED

    def test_what_was_put_aside_is_late_after_its_cancellation(self, inbound):
        told = inbound.revision(NEW, inbound.room(stay(3, 2), 9))
        inbound.apply(told, inbound.revision(CANCELLED, minute=5))
        apply_revision(inbound.applying(), told.revision_id)
        assert state_of(inbound, told)[0] is StoredState.SUPERSEDED
        assert inbound.issues() == ()


class TestBlocks:
    def block(self, inbound, status, first, number=3, kind=BLOCK):
        minute = (NEW, CHANGED, CANCELLED).index(status)
        rooms = () if status is CANCELLED else (inbound.room(stay(first, 2), number),)
        return inbound.revision(status, *rooms, minute=minute, kind=kind)

    def test_a_block_keeps_a_unit_from_sale_and_is_no_booking(self, inbound):
        inbound.apply(self.block(inbound, NEW, 3))
        assert inbound.bookings() == ()
        (block,) = inbound.blocks()
        assert (block.nights, block.unit_id, block.note) == (
            nights(3, 2),
            inbound.scene.unit(0, 2).unit_id,
            "Telling",
        )
        with pytest.raises(NightsTakenError):
            inbound.scene.book(inbound.scene.request(stay(3), unit_type_id=inbound.scene.type_ids[2]))

    def test_on_taken_nights_it_is_remembered_and_told(self, inbound):
        scene = inbound.scene
        scene.book(scene.request(stay(3), unit_type_id=scene.type_ids[2]))
        inbound.apply(self.block(inbound, NEW, 3))
        assert inbound.blocks() == ()
        assert inbound.link().block_ids == ()
        (issue,) = inbound.issues()
        assert (issue.kind, issue.details["reason"]) == (IssueKind.OVERSOLD, "block_on_taken_nights")
        inbound.apply(self.block(inbound, CHANGED, 6))
        assert [each.nights for each in inbound.blocks()] == [nights(6, 2)]
        assert inbound.issues() == ()

    def test_where_the_new_nights_are_taken_the_old_ones_are_given_back(self, inbound):
        scene = inbound.scene
        inbound.apply(self.block(inbound, NEW, 3))
        scene.book(scene.request(stay(6), unit_type_id=scene.type_ids[2]))
        inbound.apply(self.block(inbound, CHANGED, 6))
        assert inbound.blocks() == ()
        assert kinds(inbound) == [IssueKind.OVERSOLD]
        assert scene.store.violated_invariants() == ()

    def test_a_block_needs_one_unit(self, inbound):
        told = self.block(inbound, NEW, 3, number=1)
        inbound.apply(told)
        assert state_of(inbound, told) == (StoredState.QUARANTINED, "block_needs_unit")
        inbound.map_rooms(1, unit_ids={1: inbound.scene.unit(1).unit_id})
        apply_revision(inbound.applying(), told.revision_id)
        assert [each.unit_id for each in inbound.blocks()] == [inbound.scene.unit(1).unit_id]
        assert inbound.issues() == ()

    def test_a_block_that_becomes_a_booking_makes_way_for_it(self, inbound):
        inbound.apply(self.block(inbound, NEW, 3), self.block(inbound, CHANGED, 3, kind=SaleKind.BOOKING))
        assert inbound.blocks() == ()
        assert not inbound.booking().is_oversold
        assert inbound.scene.store.violated_invariants() == ()

    def test_a_booking_that_becomes_a_block_ends(self, inbound):
        inbound.apply(self.block(inbound, NEW, 3, kind=SaleKind.BOOKING))
        booking = inbound.booking()
        inbound.apply(self.block(inbound, CHANGED, 4))
        assert inbound.scene.booking(booking.booking_id).status is Status.CANCELLED
        assert [each.nights for each in inbound.blocks()] == [nights(4, 2)]
        assert inbound.scene.store.violated_invariants() == ()

    def test_a_block_that_staff_lifted_is_no_matter(self, inbound):
        inbound.apply(self.block(inbound, NEW, 3))
        inbound.scene.lift(inbound.blocks()[0].block_id)
        inbound.apply(self.block(inbound, CANCELLED, 3))
        assert inbound.link().is_cancelled
