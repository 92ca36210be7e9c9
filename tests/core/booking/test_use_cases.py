"""Making, amending and assigning bookings, and every input that is refused with nothing written."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest
from attrs import evolve

from pmscore.booking.model.booking import Booking, Source
from pmscore.booking.model.lifecycle import Act, Status
from pmscore.booking.policies.drafting import RoomRequest
from pmscore.booking.use_cases.amend import RoomAmendment
from pmscore.booking.views import BookingReceipt
from pmscore.dates.nights import StayRange
from pmscore.inventory.model.party import Party
from pmscore.kernel.errors import (
    InvalidInputError,
    MisuseError,
    NightsTakenError,
    NotFoundError,
    RefusedError,
    TransitionError,
)
from pmscore.kernel.money import Currency, Money
from pmscore.testing.memory import InMemoryStore, SeededIds
from pmscore.testing.scenes import EUR, FIRST_DAY, hotel, nights, open_scene, pool, stay

USD, JPY = Currency.of("USD"), Currency.of("JPY")


@pytest.fixture
def scene():
    return open_scene(InMemoryStore(), SeededIds("use cases"), hotel(2), pool(2), hotel(1))


def nothing_written(scene, do, kind):
    before = scene.store.events_after()
    guests, bookings = (
        dict(scene.store.books(scene.agency_id).guests),
        dict(scene.store.books(scene.agency_id).bookings),
    )
    with pytest.raises(kind) as refused:
        do()
    assert scene.store.events_after() == before
    assert scene.store.books(scene.agency_id).guests == guests
    assert scene.store.books(scene.agency_id).bookings == bookings
    assert scene.store.violated_invariants() == ()
    return refused.value


BAD_VALUES = {
    "no nights": (lambda: StayRange(FIRST_DAY, FIRST_DAY), "departure", "not_after_arrival"),
    "reversed": (
        lambda: StayRange(FIRST_DAY, FIRST_DAY - timedelta(days=1)),
        "departure",
        "not_after_arrival",
    ),
    "29 February in a common year": (
        lambda: StayRange.parse("2030-01-01", "2030-02-29"),
        "departure",
        "no_such_day",
    ),
    "year 1": (lambda: StayRange(date(1, 1, 1), date(1, 1, 2)), "arrival", "out_of_calendar"),
    "year 9999": (lambda: StayRange(date(9999, 12, 30), date(9999, 12, 31)), "arrival", "out_of_calendar"),
    "5,000 nights by length": (lambda: StayRange.of(FIRST_DAY, 5_000), "departure", "too_long"),
    "5,000 nights by dates": (
        lambda: StayRange(FIRST_DAY, FIRST_DAY + timedelta(days=5_000)),
        "departure",
        "too_long",
    ),
    "no guest": (lambda: Party(0), "adults", "no_adult"),
    "fewer than no guest": (lambda: Party(-1), "adults", "no_adult"),
    "fewer than no child": (lambda: Party(1, -1), "children", "negative"),
    "fewer than no infant": (lambda: Party(1, 0, -1), "children", "negative"),
    "a crowd": (lambda: Party(99, 2), "adults", "out_of_range"),
    "a channel that is no code": (lambda: Source(channel="Booking.com!"), "channel", "not_a_code"),
    "a segment with NUL": (lambda: Source(segment="\x00"), "segment", "not_a_code"),
    "a reference with NUL": (lambda: Source(reference="a\x00b"), "reference", "control_character"),
    "a reference that is too long": (lambda: Source(reference="x" * 101), "reference", "too_long"),
}


@pytest.mark.parametrize(("make", "field", "reason"), list(BAD_VALUES.values()), ids=list(BAD_VALUES))
def test_a_value_that_cannot_be_is_refused_by_field_and_reason(make, field, reason):
    with pytest.raises(InvalidInputError) as refused:
        make()
    assert (refused.value.field, refused.value.reason) == (field, reason)


@pytest.mark.parametrize(
    ("nightly", "reason"),
    [
        ((Money(-1, EUR), Money(1, EUR)), "negative_amount"),
        ((Money(1, EUR), Money(1, USD)), "mixed_currencies"),
        ((Money(1, JPY), Money(1, JPY)), "mixed_currencies"),
        ((Money(1, EUR),), "not_one_amount_a_night"),
        ((), "not_one_amount_a_night"),
        ((Money(10**15, EUR),) * 2, "out_of_range"),
    ],
)
def test_amounts_that_cannot_be_are_refused_and_nothing_is_written(scene, nightly, reason):
    room = RoomRequest(stay=stay(0, 2), party=Party(1), nightly=nightly, unit_type_id=scene.type_ids[0])
    error = nothing_written(scene, lambda: scene.book(room), InvalidInputError)
    assert (error.field, error.reason) == ("nightly", reason)


def test_no_rooms_and_too_many_rooms_are_refused(scene):
    for rooms in ((), (stay(0),) * 101):
        assert (
            nothing_written(scene, lambda rooms=rooms: scene.book(*rooms), InvalidInputError).field == "rooms"
        )


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "bell\x07", "x" * 5_000])
def test_requests_and_notes_are_text_that_every_store_can_keep(scene, text):
    booking = scene.booking(scene.book(stay(0)).booking_id)
    for name in ("requests", "notes"):
        with pytest.raises(InvalidInputError) as refused:
            evolve(booking, **{name: text})
        assert refused.value.field == name


def test_unknown_things_are_not_found_and_nothing_is_written(scene):
    nobody = UUID(int=12345)
    for room in (
        scene.request(stay(0), unit_type_id=nobody),
        scene.request(stay(0), unit_id=nobody),
    ):
        nothing_written(scene, lambda room=room: scene.book(room), NotFoundError)
    nothing_written(scene, lambda: scene.book(stay(0), guest=nobody), NotFoundError)
    nothing_written(scene, lambda: scene.book(stay(0), hold_ids=(nobody,)), NotFoundError)
    nothing_written(scene, lambda: evolve(scene, property_id=nobody).book(stay(0)), NotFoundError)


def test_a_type_must_be_named_where_there_are_several(scene):
    room = RoomRequest(stay=stay(0), party=Party(1), nightly=(Money(1, EUR),))
    assert nothing_written(scene, lambda: scene.book(room), InvalidInputError).field == "unit_type_id"


def test_an_option_that_is_over_is_refused(scene):
    error = nothing_written(
        scene, lambda: scene.book(stay(0), option_until=scene.clock.now()), InvalidInputError
    )
    assert (error.field, error.reason) == ("option_until", "in_the_past")


def test_a_party_that_is_too_large_and_an_arrival_in_the_past_are_named_together(scene):
    room = evolve(scene.request(stay(-1, 2)), party=Party(3))
    error = nothing_written(scene, lambda: scene.book(room), RefusedError)
    assert {each.code for each in error.violations} == {"party_too_large", "arrival_in_past"}


def test_the_longest_stay_can_be_booked(scene):
    receipt = scene.book(StayRange.of(FIRST_DAY, 1096))
    assert receipt.total == Money(1096 * 100_00, EUR)
    assert scene.store.violated_invariants() == ()


def test_a_home_with_one_unit_is_claimed_at_once(scene):
    receipt = scene.book(scene.request(stay(0, 2), unit_type_id=scene.type_ids[2]))
    room = scene.booking(receipt.booking_id).rooms[0]
    assert room.is_placed
    assert room.placements[0].unit_id == scene.unit(0, 2).unit_id


def test_a_hold_is_taken_up_with_its_nights(scene):
    unit_id = scene.unit(0, 2).unit_id
    hold = scene.hold(stay(0, 2), unit_type_id=scene.type_ids[2], unit_id=unit_id)
    wanted = scene.request(stay(0, 2), unit_type_id=scene.type_ids[2])
    nothing_written(scene, lambda: scene.book(wanted), NightsTakenError)
    scene.book(wanted, hold_ids=(hold.hold_id,))
    nothing_written(scene, lambda: scene.book(stay(5), hold_ids=(hold.hold_id,)), TransitionError)
    assert scene.store.violated_invariants() == ()


def test_a_hold_whose_time_is_over_is_not_taken_up(scene):
    hold = scene.hold(stay(0, 2))
    scene.clock.advance(timedelta(minutes=30))
    error = nothing_written(scene, lambda: scene.book(stay(0, 2), hold_ids=(hold.hold_id,)), TransitionError)
    assert error.params["status"] == "expired"


def test_nights_that_stay_keep_their_amount_and_new_ones_need_one(scene):
    receipt = scene.book(evolve(scene.request(stay(2, 3)), nightly=tuple(Money(n, EUR) for n in (1, 2, 3))))
    shorter = scene.amend(receipt.booking_id, RoomAmendment(room_id=receipt.room_ids[0], stay=stay(3, 2)))
    assert shorter.rooms[0].nightly == (2, 3)
    longer = RoomAmendment(room_id=receipt.room_ids[0], stay=stay(3, 4))
    error = nothing_written(scene, lambda: scene.amend(receipt.booking_id, longer), InvalidInputError)
    assert (error.reason, error.params["first_night"]) == ("required_for_new_nights", "2030-01-06")


def test_an_amendment_that_asks_for_nothing_new_changes_nothing(scene):
    receipt = scene.book(stay(2, 2))
    before = scene.booking(receipt.booking_id)
    events = scene.store.events_after()
    assert scene.amend(receipt.booking_id, RoomAmendment(room_id=receipt.room_ids[0])) == before
    assert scene.store.events_after() == events


@pytest.mark.parametrize("act", [Act.CANCEL, Act.MARK_NO_SHOW])
def test_a_booking_that_has_ended_is_not_amended_or_assigned(scene, act):
    receipt = scene.book(stay(0, 2))
    scene.act(receipt.booking_id, act)
    amendment = RoomAmendment(room_id=receipt.room_ids[0], party=Party(2))
    nothing_written(scene, lambda: scene.amend(receipt.booking_id, amendment), TransitionError)
    unit_id = scene.unit().unit_id
    nothing_written(
        scene, lambda: scene.assign(receipt.booking_id, receipt.room_ids[0], unit_id), TransitionError
    )


def test_an_upgrade_claims_the_other_type_and_keeps_what_was_sold(scene):
    receipt = scene.book(stay(0, 2))
    home = scene.unit(0, 2)
    after = scene.assign(receipt.booking_id, receipt.room_ids[0], home.unit_id)
    assert after.rooms[0].unit_type_id == scene.type_ids[0]
    nothing_written(
        scene, lambda: scene.book(scene.request(stay(1), unit_type_id=home.unit_type_id)), NightsTakenError
    )
    scene.book(stay(0, 2))
    scene.book(stay(0, 2))
    assert scene.store.violated_invariants() == ()


def test_an_upgraded_room_keeps_its_unit_when_the_stay_grows(scene):
    receipt = scene.book(scene.request(stay(0, 2), unit_type_id=scene.type_ids[2]))
    upgraded = scene.unit(1)
    scene.assign(receipt.booking_id, receipt.room_ids[0], upgraded.unit_id)
    scene.act(receipt.booking_id, Act.CHECK_IN)
    after = scene.move_stay(receipt.booking_id, stay(0, 4))
    assert [each.unit_id for each in after.rooms[0].placements] == [upgraded.unit_id]
    assert scene.store.violated_invariants() == ()


def test_a_guest_in_house_keeps_arrival_and_type(scene):
    receipt = scene.book(scene.request(stay(0, 3), unit_id=scene.unit().unit_id))
    scene.act(receipt.booking_id, Act.CHECK_IN)
    scene.advance()
    for amendment, reason in (
        (RoomAmendment(room_id=receipt.room_ids[0], stay=stay(1, 2)), "guest_has_arrived"),
        (
            RoomAmendment(room_id=receipt.room_ids[0], unit_type_id=scene.type_ids[1]),
            "guest_is_in_house",
        ),
    ):
        error = nothing_written(
            scene,
            lambda amendment=amendment: scene.amend(receipt.booking_id, amendment),
            TransitionError,
        )
        assert error.params["reason"] == reason


def test_a_guest_in_house_moves_from_today_on(scene):
    first, second = scene.unit(0).unit_id, scene.unit(1).unit_id
    receipt = scene.book(scene.request(stay(0, 3), unit_id=first))
    scene.act(receipt.booking_id, Act.CHECK_IN)
    scene.advance()
    room_id = receipt.room_ids[0]
    error = nothing_written(scene, lambda: scene.assign(receipt.booking_id, room_id, second), TransitionError)
    assert error.params["reason"] == "nights_have_passed"
    tomorrow = FIRST_DAY + timedelta(days=1)
    after = scene.assign(receipt.booking_id, room_id, second, from_night=tomorrow)
    assert [(each.unit_id, each.nights) for each in after.rooms[0].placements] == [
        (first, nights(0, 1)),
        (second, nights(1, 2)),
    ]
    assert scene.store.violated_invariants() == ()


def test_a_locked_room_moves_only_with_its_lock_taken_off(scene):
    first, second = scene.unit(0).unit_id, scene.unit(1).unit_id
    receipt = scene.book(stay(0, 2))
    room_id = receipt.room_ids[0]
    assert scene.assign(receipt.booking_id, room_id, first, locks=True).rooms[0].is_locked
    error = nothing_written(scene, lambda: scene.assign(receipt.booking_id, room_id, second), TransitionError)
    assert error.params["reason"] == "room_is_locked"
    after = scene.assign(receipt.booking_id, room_id, second, locks=False)
    assert not after.rooms[0].is_locked


def test_a_unit_is_assigned_within_the_stay_only(scene):
    receipt = scene.book(stay(1, 2))
    for night in (0, 3):
        error = nothing_written(
            scene,
            lambda night=night: scene.assign(
                receipt.booking_id,
                receipt.room_ids[0],
                scene.unit().unit_id,
                from_night=FIRST_DAY + timedelta(days=night),
            ),
            InvalidInputError,
        )
        assert error.reason == "outside_the_stay"


def test_rooms_are_assigned_together_and_what_is_left_is_proven(scene):
    for first in (0, 1, 2):
        scene.book(stay(first, 2))
    report = scene.assign_all(nights(0, 5))
    assert (len(report.moves), report.unplaced) == (3, ())
    assert scene.store.violated_invariants() == ()


def test_an_oversold_booking_is_stored_and_flagged(scene):
    for _ in range(2):
        scene.book(stay(0))
    receipt = scene.book(stay(0), may_oversell=True)
    booking = scene.booking(receipt.booking_id)
    assert (receipt.is_oversold, booking.is_oversold, booking.status) == (True, True, Status.CONFIRMED)


def test_a_receipt_survives_being_stored(scene):
    receipt = scene.book(stay(0, 2), stay(0, 2))
    assert BookingReceipt.from_reply(receipt.reply()) == receipt
    with pytest.raises(MisuseError):
        BookingReceipt.from_reply({"booking_id": "1"})


def test_the_reference_is_ten_letters_and_digits_that_cannot_be_misread(scene):
    booking = scene.booking(scene.book(stay(0)).booking_id)
    assert len(booking.reference) == 10
    assert not set(booking.reference) & set("ILOUilou")
    assert booking.reference == evolve(booking, notes="x").reference


def test_a_booking_has_nothing_personal_in_its_events(scene):
    booking = scene.booking(scene.book(stay(0)).booking_id)
    secret = evolve(booking, notes="allergic to nuts", requests="quiet room")
    assert isinstance(secret, Booking)
    shown = repr(secret) + "".join(str(each.payload) for each in scene.store.events_after())
    for word in ("nuts", "quiet", "Ada Novak"):
        assert word not in shown
