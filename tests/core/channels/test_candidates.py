"""What is proposed for an oversold room really fits; what is not proposed does not."""

from __future__ import annotations

from contextlib import suppress

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from pmscore.booking.model.rooms import BookedRoom
from pmscore.channels.policies.candidates import Standing, candidates, nights_needed
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.party import Party
from pmscore.kernel.errors import NightsTakenError
from pmscore.kernel.ids import BookingRoomId
from pmscore.testing.memory import InMemoryStore, SeededIds
from pmscore.testing.scenes import hotel, nights, open_scene, pool, stay


def room_of(scene, when, number=0, adults=1):
    return BookedRoom(
        room_id=BookingRoomId(scene.ids.new()),
        unit_type_id=scene.type_ids[number],
        stay=when,
        party=Party(adults),
        nightly=(100,) * when.length,
        is_oversold=True,
    )


def standing_of(scene, room):
    house = scene.house()
    wanted = nights_needed(house, room)
    with scene.begin() as work:
        staying = work.bookings.staying(scene.property_id, wanted)
        window = wanted
        for booking in staying:
            for claim in booking.claims():
                window = window.span(claim.nights)
        occupied = {
            unit: mask
            for type_id in house.types
            for unit, mask in work.stock.unit_occupancy(type_id, window).items()
        }
    reader = scene.store.availability(scene.agency_id)
    claimed = reader.claimed(house.types, window, scene.clock.now())
    return Standing(nights=window, claimed=claimed, occupied=occupied, staying=staying)


def proposed(scene, room, price=None):
    return candidates(scene.house(), standing_of(scene, room), room, price=price or {})


def opened(*types):
    return open_scene(InMemoryStore(), SeededIds("candidates"), *types)


def test_its_own_type_comes_first_then_the_cheapest_then_those_without_a_price():
    scene = opened(pool(1), *(evolve(pool(1), name=name) for name in ("A", "B", "C")))
    price = {scene.type_ids[1]: 900, scene.type_ids[2]: 300}
    found = proposed(scene, room_of(scene, stay(2)), price)
    assert [each.unit_type_id for each in found] == [scene.type_ids[at] for at in (0, 2, 1, 3)]


def test_types_that_are_full_on_some_night_or_too_small_are_left_out():
    scene = opened(pool(1), evolve(pool(2), name="A"), evolve(pool(3), name="B", largest_party=4))
    scene.book(stay(3))
    room = room_of(scene, stay(2, 2), adults=3)
    (found,) = proposed(scene, room)
    assert (found.unit_type_id, found.free_rooms) == (scene.type_ids[2], 3)


def test_turnover_nights_have_to_be_free_too():
    scene = opened(evolve(pool(1), turnover_nights=2))
    scene.book(stay(4))
    assert proposed(scene, room_of(scene, stay(3))) == ()
    assert proposed(scene, room_of(scene, stay(1)))


def test_the_allowance_for_overbooking_is_no_room():
    scene = opened(evolve(pool(1), overbooking=1))
    scene.book(stay(2))
    assert proposed(scene, room_of(scene, stay(2))) == ()


def test_moves_of_others_make_room_where_a_type_is_full_by_placement_only():
    """Two units, each with one half of the nights taken: one of the two guests has to move."""
    scene = opened(hotel(2))
    first = scene.booking(scene.book(stay(0, 2)).booking_id)
    second = scene.booking(scene.book(stay(2, 2)).booking_id)
    scene.assign(first.booking_id, first.rooms[0].room_id, scene.unit(0).unit_id)
    scene.assign(second.booking_id, second.rooms[0].room_id, scene.unit(1).unit_id)
    room = room_of(scene, stay(0, 4))
    (found,) = proposed(scene, room)
    assert len(found.moves) == 1
    for move in found.moves:
        (booking,) = [each for each in (first, second) if each.rooms[0].room_id == move.room_id]
        scene.assign(booking.booking_id, move.room_id, move.to_unit)
    scene.book(scene.request(stay(0, 4), unit_id=found.unit_id))
    assert found.to_json()["moves"][0]["to_unit"] == str(found.moves[0].to_unit)


def test_who_is_locked_is_not_moved():
    scene = opened(hotel(2))
    for first, number in ((0, 0), (2, 1)):
        booking = scene.booking(scene.book(stay(first, 2)).booking_id)
        unit = scene.unit(number)
        scene.assign(booking.booking_id, booking.rooms[0].room_id, unit.unit_id, locks=True)
    assert proposed(scene, room_of(scene, stay(0, 4))) == ()


def test_units_that_are_blocked_are_no_place():
    scene = opened(hotel(2))
    scene.block(scene.unit(0).unit_id, nights(0, 9))
    (found,) = proposed(scene, room_of(scene, stay(2, 2)))
    assert found.unit_id == scene.unit(1).unit_id


@settings(max_examples=30, deadline=None)
@given(
    others=st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 6), st.integers(1, 3), st.integers(-1, 1)), max_size=9
    ),
    wanted=st.tuples(st.integers(0, 6), st.integers(1, 3)),
)
def test_by_search_a_type_is_proposed_exactly_if_it_can_be_booked(others, wanted):
    """Tried with the store as the judge: moves are made, then the room is booked in the unit that was named."""
    scene = opened(hotel(2), pool(2), evolve(hotel(2), name="Other", turnover_nights=1))
    bookings = {}
    for number, first, length, unit in others:
        request = scene.request(stay(first, length), unit_type_id=scene.type_ids[number])
        with suppress(NightsTakenError):
            made = scene.booking(scene.book(request).booking_id)
            bookings[made.rooms[0].room_id] = made.booking_id
            if unit >= 0 and number != 1:
                scene.assign(made.booking_id, made.rooms[0].room_id, scene.unit(unit, number).unit_id)
    when = stay(*wanted)
    found = proposed(scene, room_of(scene, when))
    for each in found:
        for move in sorted(each.moves, key=lambda move: move.from_unit is not None):
            if move.from_unit is not None:
                scene.assign(bookings[move.room_id], move.room_id, None)
        for move in each.moves:
            scene.assign(bookings[move.room_id], move.room_id, move.to_unit)
        made = scene.book(
            scene.request(
                when, unit_type_id=None if each.unit_id else each.unit_type_id, unit_id=each.unit_id
            )
        )
        assert not made.is_oversold
        assert DateRange.from_stay(when).contains(scene.booking(made.booking_id).rooms[0].stay)
        assert scene.store.violated_invariants() == ()
    if scene.type_ids[1] not in {each.unit_type_id for each in found}:
        with pytest.raises(NightsTakenError):
            scene.book(scene.request(when, unit_type_id=scene.type_ids[1]))
