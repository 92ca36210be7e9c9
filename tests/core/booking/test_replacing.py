"""A booking takes over the rooms that were sold elsewhere: what stays is kept, what does not fit is told."""

from __future__ import annotations

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from pmscore.booking.model.lifecycle import Act
from pmscore.booking.use_cases.replace_rooms import ReplaceRooms, replace_rooms
from pmscore.inventory.model.party import Party
from pmscore.kernel.errors import (
    InvalidInputError,
    NightsTakenError,
    NotFoundError,
    RefusedError,
    StaleVersionError,
    TransitionError,
)
from pmscore.kernel.ids import BookingId, UnitTypeId
from pmscore.kernel.money import Money
from pmscore.restrictions.model.rules import Rule
from pmscore.restrictions.use_cases import SetRestrictions, set_restrictions
from pmscore.testing.memory import InMemoryStore, SeededIds
from pmscore.testing.scenes import EUR, FIRST_DAY, hotel, nights, open_scene, pool, stay


@pytest.fixture
def scene():
    return open_scene(InMemoryStore(), SeededIds("replacing"), hotel(2), pool(3), hotel(1))


def replace(scene, booking_id, *rooms, **more):
    said = {"overrides_rules": True, "may_oversell": True} | more
    return replace_rooms(
        ReplaceRooms(**scene.asked(), booking_id=booking_id, rooms=rooms, **said),
        uow=scene.store,
        clock=scene.clock,
        ids=scene.ids,
    )


def in_pool(scene, when, **more):
    return scene.request(when, unit_type_id=scene.type_ids[1], **more)


def test_a_room_with_nights_in_common_keeps_id_unit_and_lock(scene):
    before = scene.booking(scene.book(stay(2, 3)).booking_id)
    unit = scene.unit(1)
    before = scene.assign(before.booking_id, before.rooms[0].room_id, unit.unit_id, locks=True)
    after = replace(scene, before.booking_id, scene.request(stay(3, 4)))
    (room,) = after.rooms
    assert (room.room_id, room.stay, room.is_locked) == (before.rooms[0].room_id, stay(3, 4), True)
    assert [(each.unit_id, each.nights) for each in room.placements] == [(unit.unit_id, nights(3, 4))]
    assert after.version == before.version + 1
    assert scene.store.violated_invariants() == ()


def test_other_types_and_other_nights_are_other_rooms(scene):
    before = scene.booking(scene.book(stay(2, 3), in_pool(scene, stay(2, 3))).booking_id)
    after = replace(scene, before.booking_id, in_pool(scene, stay(2, 2)), in_pool(scene, stay(8, 1)))
    kept, new = after.rooms
    assert kept.room_id == before.rooms[1].room_id
    assert new.room_id not in {room.room_id for room in before.rooms}
    assert scene.store.violated_invariants() == ()


def test_of_rooms_of_one_type_the_likest_is_kept(scene):
    before = scene.booking(
        scene.book(
            in_pool(scene, stay(0, 5)), in_pool(scene, stay(0, 3)), in_pool(scene, stay(2, 2))
        ).booking_id
    )
    after = replace(scene, before.booking_id, in_pool(scene, stay(2, 2)))
    assert after.rooms == (before.rooms[2],)


def test_the_same_list_in_any_order_changes_nothing(scene):
    rooms = (in_pool(scene, stay(0, 2)), scene.request(stay(0, 2)), in_pool(scene, stay(1, 2)))
    before = scene.booking(scene.book(*rooms).booking_id)
    written = len(scene.store.events_after())
    assert replace(scene, before.booking_id, *reversed(rooms)) == before
    assert len(scene.store.events_after()) == written


def test_amounts_are_taken_over_as_they_were_sold(scene):
    booking_id = scene.book(stay(0, 2)).booking_id
    sold = (Money(99_99, EUR), Money(100_01, EUR), Money(1, EUR))
    after = replace(scene, booking_id, evolve(scene.request(stay(0, 3)), nightly=sold, party=Party(2, 1)))
    assert after.rooms[0].nightly == (99_99, 100_01, 1)
    assert after.rooms[0].party == Party(2, 1)
    assert after.total == Money(200_01, EUR)


def test_requests_are_taken_over_or_left(scene):
    booking_id = scene.book(stay(0, 2)).booking_id
    asked = scene.request(stay(0, 2))
    assert replace(scene, booking_id, asked, requests="a quiet room").requests == "a quiet room"
    assert replace(scene, booking_id, asked).requests == "a quiet room"


def test_where_the_unit_is_taken_the_old_nights_keep_it_and_the_new_ones_wait(scene):
    """The type still has a room, so nothing is oversold."""
    first = scene.booking(scene.book(stay(0, 2)).booking_id)
    unit, other = scene.unit(0), scene.unit(1)
    scene.assign(first.booking_id, first.rooms[0].room_id, unit.unit_id, locks=True)
    next_one = scene.booking(scene.book(stay(2, 2)).booking_id)
    scene.assign(next_one.booking_id, next_one.rooms[0].room_id, unit.unit_id)
    after = replace(scene, first.booking_id, scene.request(stay(0, 4)))
    (room,) = after.rooms
    assert not room.is_oversold
    assert [(each.unit_id, each.nights) for each in room.placements] == [(unit.unit_id, nights(0, 2))]
    assert scene.assign(
        first.booking_id, room.room_id, other.unit_id, from_night=stay(2).arrival, locks=False
    )
    assert scene.store.violated_invariants() == ()


def test_only_the_room_that_does_not_fit_is_oversold(scene):
    before = scene.booking(scene.book(stay(0, 2), in_pool(scene, stay(0, 2))).booking_id)
    scene.book(stay(2, 2))
    scene.book(stay(2, 2))
    after = replace(scene, before.booking_id, scene.request(stay(0, 3)), in_pool(scene, stay(0, 3)))
    assert [room.is_oversold for room in after.rooms] == [True, False]
    assert [room.room_id for room in after.rooms] == [room.room_id for room in before.rooms]
    assert scene.store.violated_invariants() == ()
    scene.book(stay(0, 2))


def test_of_two_rooms_that_want_the_last_one_only_one_is_oversold(scene):
    booking_id = scene.book(in_pool(scene, stay(0, 1))).booking_id
    scene.book(in_pool(scene, stay(4, 2)), in_pool(scene, stay(4, 2)))
    after = replace(scene, booking_id, in_pool(scene, stay(4, 1)), in_pool(scene, stay(4, 1)))
    assert sorted(room.is_oversold for room in after.rooms) == [False, True]
    assert scene.store.violated_invariants() == ()


def test_an_oversold_room_is_tried_again_when_its_stay_changes(scene):
    scene.book(stay(0, 2), stay(0, 2))
    booking_id = scene.book(stay(0, 2), may_oversell=True).booking_id
    assert scene.booking(booking_id).is_oversold
    assert replace(scene, booking_id, scene.request(stay(0, 2))).is_oversold
    assert replace(scene, booking_id, scene.request(stay(1, 2), rate=Money(5, EUR))).is_oversold is not False
    assert not replace(scene, booking_id, scene.request(stay(2, 2))).is_oversold
    assert scene.store.violated_invariants() == ()


def test_a_villa_that_is_taken_is_oversold(scene):
    villa = scene.type_ids[2]
    booking_id = scene.book(scene.request(stay(0, 2), unit_type_id=villa)).booking_id
    scene.book(scene.request(stay(2, 2), unit_type_id=villa))
    after = replace(scene, booking_id, scene.request(stay(1, 2), unit_type_id=villa))
    assert after.is_oversold
    assert after.rooms[0].placements == ()
    assert scene.store.violated_invariants() == ()


def test_expired_holds_make_way(scene):
    booking_id = scene.book(in_pool(scene, stay(0, 1))).booking_id
    for _ in range(3):
        scene.hold(stay(4, 2), unit_type_id=scene.type_ids[1], minutes=1)
    assert replace(scene, booking_id, in_pool(scene, stay(4, 1))).is_oversold
    scene.advance()
    assert not replace(scene, booking_id, in_pool(scene, stay(4, 2))).is_oversold


class TestGuestsInTheHouse:
    @pytest.fixture
    def booking_id(self, scene):
        booking = scene.booking(scene.book(stay(0, 3)).booking_id)
        scene.assign(booking.booking_id, booking.rooms[0].room_id, scene.unit(0).unit_id)
        scene.act(booking.booking_id, Act.CHECK_IN)
        return booking.booking_id

    def test_they_may_stay_longer_and_pay_otherwise(self, scene, booking_id):
        after = replace(scene, booking_id, scene.request(stay(0, 4), rate=Money(5, EUR)))
        assert (after.rooms[0].stay, after.total) == (stay(0, 4), Money(20, EUR))
        assert after.rooms[0].is_placed

    @pytest.mark.parametrize(
        ("rooms", "reason"),
        [
            (lambda scene: [scene.request(stay(1, 2))], "guest_has_arrived"),
            (lambda scene: [in_pool(scene, stay(0, 3))], "guest_is_in_house"),
            (lambda scene: [scene.request(stay(0, 3)), in_pool(scene, stay(0, 3))], "guest_is_in_house"),
            (lambda scene: [scene.request(stay(5, 3))], "guest_is_in_house"),
        ],
        ids=["another arrival", "another type", "one room more", "other nights"],
    )
    def test_they_are_not_moved(self, scene, booking_id, rooms, reason):
        before = scene.booking(booking_id)
        with pytest.raises(TransitionError) as refused:
            replace(scene, booking_id, *rooms(scene))
        assert refused.value.params["reason"] == reason
        assert scene.booking(booking_id) == before

    def test_a_departure_that_has_passed_is_refused(self, scene, booking_id):
        scene.advance(2)
        with pytest.raises(TransitionError) as refused:
            replace(scene, booking_id, scene.request(stay(0, 1)))
        assert refused.value.params["reason"] == "departure_in_the_past"

    def test_they_are_never_oversold(self, scene, booking_id):
        scene.book(stay(3, 1), stay(3, 1))
        before = scene.booking(booking_id)
        with pytest.raises(NightsTakenError):
            replace(scene, booking_id, scene.request(stay(0, 4)))
        assert scene.booking(booking_id) == before

    def test_they_keep_their_unit_while_another_one_is_found_for_the_rest(self, scene, booking_id):
        other = scene.booking(scene.book(stay(3, 1)).booking_id)
        scene.assign(other.booking_id, other.rooms[0].room_id, scene.unit(0).unit_id)
        after = replace(scene, booking_id, scene.request(stay(0, 4)))
        assert [each.nights for each in after.rooms[0].placements] == [nights(0, 3)]
        assert not after.is_oversold


@pytest.mark.parametrize("act", [Act.CANCEL, Act.MARK_NO_SHOW])
def test_an_ended_booking_takes_no_rooms(scene, act):
    booking_id = scene.book(stay(0, 2)).booking_id
    scene.act(booking_id, act)
    with pytest.raises(TransitionError):
        replace(scene, booking_id, scene.request(stay(4, 2)))


def test_what_cannot_be_is_refused_with_nothing_written(scene):
    before = scene.booking(scene.book(stay(0, 2)).booking_id)
    asked = scene.request(stay(0, 3))
    written = len(scene.store.events_after())
    for kind, rooms, more in (
        (NotFoundError, (evolve(asked, unit_type_id=UnitTypeId(scene.ids.new())),), {}),
        (InvalidInputError, (), {}),
        (InvalidInputError, (evolve(asked, nightly=asked.nightly[1:]),), {}),
        (StaleVersionError, (asked,), {"expected_version": 7}),
    ):
        with pytest.raises(kind):
            replace(scene, before.booking_id, *rooms, **more)
    with pytest.raises(NotFoundError):
        replace(scene, BookingId(scene.ids.new()), asked)
    assert scene.booking(before.booking_id) == before
    assert len(scene.store.events_after()) == written


def test_rules_hold_unless_overridden(scene):
    booking_id = scene.book(stay(0, 2)).booking_id
    rule = Rule(kind="min_stay_arrival", nights=nights(0, 30), value=3)
    set_restrictions(
        SetRestrictions(**scene.asked(), property_id=scene.property_id, nights=nights(0, 30), rules=(rule,)),
        uow=scene.store,
    )
    assert replace(scene, booking_id, scene.request(stay(0, 2), rate=Money(5, EUR)), overrides_rules=False)
    with pytest.raises(RefusedError):
        replace(scene, booking_id, scene.request(stay(3, 2)), overrides_rules=False)
    assert replace(scene, booking_id, scene.request(stay(3, 2))).arrival == stay(3).arrival


@settings(max_examples=60, deadline=None)
@given(
    lists=st.lists(
        st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4), st.integers(1, 4)), min_size=1, max_size=4),
        min_size=1,
        max_size=5,
    ),
    others=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 6), st.integers(1, 3)), max_size=6),
)
def test_whatever_comes_after_whatever_the_last_list_stands(lists, others):
    """All other bookings stay as they are, and a room that fitted and takes no new night is never oversold."""
    scene = open_scene(InMemoryStore(), SeededIds("replacing"), hotel(2), pool(3), hotel(1))

    def asked(number, first, length):
        return scene.request(stay(first, length), unit_type_id=scene.type_ids[number])

    standing = [scene.book(asked(*each), may_oversell=True).booking_id for each in others]
    booking_id = scene.book(scene.request(stay(9, 1))).booking_id
    untouched = [scene.booking(each) for each in standing]
    for told in lists:
        before = scene.booking(booking_id)
        after = replace(scene, booking_id, *(asked(*each) for each in told))
        assert sorted(told) == sorted(
            (
                scene.type_ids.index(room.unit_type_id),
                (room.stay.arrival - FIRST_DAY).days,
                room.stay.length,
            )
            for room in after.rooms
        )
        fitted = {room.room_id: room.stay for room in before.rooms if not room.is_oversold}
        for room in after.rooms:
            if room.room_id in fitted and fitted[room.room_id].contains(room.stay):
                assert not room.is_oversold
        assert replace(scene, booking_id, *(asked(*each) for each in reversed(told))) == after
        assert scene.store.violated_invariants() == ()
    assert [scene.booking(each) for each in standing] == untouched
