"""What the in-memory store does beyond the laws: isolation, misuse, waiting, and its own audit."""

from __future__ import annotations

import threading
from datetime import timedelta
from uuid import UUID

import pytest
from attrs import evolve

from pmscore.booking.model.lifecycle import Status
from pmscore.inventory.model.stock import Claim, ClaimKind, StockChange
from pmscore.kernel.errors import BusyError, MisuseError, NotFoundError
from pmscore.kernel.events import OnceKey
from pmscore.restrictions.model.book import RuleBook
from pmscore.testing.ledger import TypeNight, UnitNight
from pmscore.testing.memory import InMemoryStore, SeededIds
from pmscore.testing.scenes import FIRST_DAY, hotel, nights, open_scene, pool, stay


@pytest.fixture
def scene():
    return open_scene(InMemoryStore(lock_timeout=timedelta(milliseconds=50)), SeededIds("memory"), hotel(2))


def test_a_transaction_sees_its_own_writes_and_others_do_not(scene):
    booking_id = scene.book(stay(0)).booking_id
    with scene.begin() as work:
        work.bookings.save(evolve(work.bookings.get(booking_id), notes="mine"))
        assert work.bookings.get(booking_id).notes == "mine"
        with scene.begin() as other, pytest.raises(BusyError):
            other.bookings.get(booking_id)
    assert scene.booking(booking_id).notes == ""


def test_a_transaction_sees_the_house_it_has_saved(scene):
    with scene.begin() as work:
        house = work.houses.lock(scene.property_id)
        work.houses.save(evolve(house, property=evolve(house.property, name="Renamed")))
        assert work.houses.get(scene.property_id).property.name == "Renamed"
    assert scene.house().property.name == "Seehof"


def test_a_house_that_is_locked_can_be_read_and_not_locked_again(scene):
    with scene.begin() as work:
        work.houses.lock(scene.property_id)
        with scene.begin() as other:
            assert other.houses.get(scene.property_id).property.version == 1
            with pytest.raises(BusyError):
                other.houses.lock(scene.property_id)


def test_whoever_waits_for_a_lock_gets_it_when_the_holder_ends():
    scene = open_scene(InMemoryStore(lock_timeout=timedelta(seconds=30)), SeededIds("wait"), hotel(1))
    booking_id = scene.book(stay(0)).booking_id
    seen = []
    waiter = threading.Thread(target=lambda: seen.append(scene.booking(booking_id).notes))
    with scene.begin() as work:
        booking = work.bookings.get(booking_id)
        waiter.start()
        work.bookings.save(evolve(booking, notes="done", version=2))
        work.commit()
    waiter.join()
    assert seen == ["done"]


def test_a_block_that_was_lifted_while_waiting_is_not_found():
    scene = open_scene(InMemoryStore(lock_timeout=timedelta(seconds=30)), SeededIds("wait"), hotel(1))
    block = scene.block(scene.unit().unit_id, nights(0))
    errors = []

    def lift_too():
        try:
            scene.lift(block.block_id)
        except NotFoundError as error:
            errors.append(error)

    waiter = threading.Thread(target=lift_too)
    with scene.begin() as work:
        found = work.blocks.get(block.block_id)
        waiter.start()
        work.blocks.remove(found)
        work.stock.change(StockChange.releasing(*found.claims()))
        work.commit()
    waiter.join()
    assert len(errors) == 1


def test_a_transaction_that_is_over_cannot_be_used(scene):
    with scene.begin() as work:
        work.commit()
        for use in (
            work.commit,
            work.record,
            lambda: work.bookings.get(UUID(int=1)),
            lambda: work.houses.get(scene.property_id),
            lambda: work.guests.get(scene.guest_id),
            lambda: work.stock.change(StockChange((), ())),
            lambda: work.commit_once({}),
        ):
            with pytest.raises(MisuseError):
                use()


def test_what_was_not_read_cannot_be_saved(scene):
    booking = scene.booking(scene.book(stay(0)).booking_id)
    hold = scene.hold(stay(2))
    block = scene.block(scene.unit().unit_id, nights(5))
    house = scene.house()
    with scene.begin() as work:
        for save in (
            lambda: work.bookings.save(booking),
            lambda: work.holds.save(hold),
            lambda: work.blocks.remove(block),
            lambda: work.houses.save(house),
            lambda: work.restrictions.save(scene.property_id, RuleBook()),
        ):
            with pytest.raises(MisuseError):
                save()


def test_what_is_there_cannot_be_added_again(scene):
    booking = scene.booking(scene.book(stay(0)).booking_id)
    guest = scene.guest()
    for add in (lambda work: work.bookings.add(booking), lambda work: work.guests.add(guest)):
        with scene.begin() as work:
            add(work)
            with pytest.raises(MisuseError, match="added_twice"):
                work.commit()


def test_without_a_key_commit_once_is_a_commit(scene):
    with scene.begin() as work:
        assert work.find_reply() is None
        work.record(*scene.guest().added().events)
        assert work.commit_once({"is": "done"}) == {"is": "done"}
    assert scene.store.events_after()[-1].kind == "guest.created"


def test_a_reply_can_be_looked_up_without_doing_anything(scene):
    once = OnceKey("k", "r", "f")
    with scene.begin(once) as work:
        assert work.find_reply() is None
        work.commit_once({"number": 1})
    with scene.begin(once) as work:
        assert work.find_reply() == {"number": 1}


def test_an_unknown_agency_holds_nothing(scene):
    stranger = evolve(scene, agency_id=scene.ids.new())
    for read in (stranger.house, stranger.guest, lambda: stranger.booking(UUID(int=1))):
        with pytest.raises(NotFoundError):
            read()


def test_a_reader_waits_for_the_oldest_transaction_that_runs(scene):
    last = scene.store.events_after()[-1].position
    with scene.begin():
        scene.book(stay(0))
        assert scene.store.events_after(last) == ()
    assert [each.kind for each in scene.store.events_after(last)] == ["booking.created"]


def tampered_counters(books):
    key, row = next(iter(books.ledger.rows.items()))
    books.ledger.rows[key] = evolve(row, booked=row.booked + 1)


def lost_counters(books):
    books.ledger.rows.clear()


def tampered_capacity(books):
    key, row = next(iter(books.ledger.rows.items()))
    books.ledger.rows[key] = evolve(row, capacity=9)


def overfull(books):
    key, row = next(iter(books.ledger.rows.items()))
    books.ledger.rows[key] = evolve(row, capacity=0)


def lost_owner(books):
    books.ledger.units.popitem()


def stranger_in_a_unit(books):
    unit_id = next(iter(books.units))
    type_id = next(iter(books.types))
    books.ledger.units[unit_id, 800_000] = UnitNight(ClaimKind.BOOKED, UUID(int=1), type_id)


def nights_of_a_cancelled_booking(books):
    booking_id, booking = next(iter(books.bookings.items()))
    books.bookings[booking_id] = evolve(booking, status=Status.CANCELLED)


def second_booking_of_a_unit(books):
    booking = next(iter(books.bookings.values()))
    books.bookings[UUID(int=5)] = evolve(booking, booking_id=UUID(int=5))


def tampered_figures(books):
    guest_id, guest = next(iter(books.guests.items()))
    books.guests[guest_id] = evolve(guest, metrics=evolve(guest.metrics, total_bookings=7))


def lost_guest(books):
    books.guests.clear()


TAMPERED = (
    (tampered_counters, "counts"),
    (lost_counters, "no counters"),
    (tampered_capacity, "capacity"),
    (overfull, "more than"),
    (lost_owner, "not kept"),
    (stranger_in_a_unit, "not kept"),
    (nights_of_a_cancelled_booking, "counts"),
    (second_booking_of_a_unit, "twice"),
    (tampered_figures, "figures"),
    (lost_guest, "no profile"),
)


@pytest.mark.parametrize(("tamper", "words"), TAMPERED, ids=[each.__name__ for each, _ in TAMPERED])
def test_the_audit_finds_whatever_does_not_agree(scene, tamper, words):
    scene.book(scene.request(stay(0, 2), unit_id=scene.unit().unit_id))
    assert scene.store.violated_invariants() == ()
    tamper(scene.store.books(scene.agency_id))
    assert any(words in each for each in scene.store.violated_invariants())


def test_a_row_of_counters_is_within_its_limit_without_the_oversold():
    row = TypeNight(capacity=2, overbooking=1, booked=2, buffer=1, oversold=5)
    assert (row.claimed, row.is_within_limit) == (3, True)
    assert not row.moved({ClaimKind.HELD: 1}).is_within_limit
    assert row.moved({ClaimKind.OVERSOLD: -5}).oversold == 0


def test_claims_of_an_unknown_kind_of_unit_leave_no_trace(scene):
    claim = Claim(ClaimKind.BOOKED, UUID(int=1), scene.type_ids[0], nights(0), UUID(int=2))
    with scene.begin() as work:
        work.stock.change(StockChange.claiming(claim))
        with pytest.raises(NotFoundError):
            work.commit()
    assert scene.store.books(scene.agency_id).ledger.rows == {}


def test_a_change_of_capacity_leaves_past_nights_as_they_were():
    scene = open_scene(InMemoryStore(), SeededIds("past"), pool(2))
    scene.book(stay(0, 3))
    scene.book(stay(0, 1))
    scene.advance(1)
    scene.set_rooms(scene.type_ids[0], 1)
    rows = scene.store.books(scene.agency_id).ledger.rows
    by_night = {ordinal - FIRST_DAY.toordinal(): row.capacity for (_, ordinal), row in rows.items()}
    assert by_night == {0: 2, 1: 1, 2: 1}
    assert scene.store.violated_invariants() == ()
