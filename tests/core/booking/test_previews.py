"""What a change or a cancellation would cost is shown before, and nothing is written by looking."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve

from pmscore.booking.model.lifecycle import Act
from pmscore.booking.policies.repricing import RepricingBasis
from pmscore.booking.use_cases.amend import RoomAmendment
from pmscore.booking.use_cases.previews import (
    PreviewCancellation,
    PreviewStay,
    preview_cancellation,
    preview_stay,
)
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError, NotFoundError, RefusedError, TransitionError
from pmscore.kernel.ids import BookingId
from pmscore.kernel.money import Money
from pmscore.pricing.model.guests import GuestParty
from pmscore.pricing.model.tiers import CancellationPolicy, FeeBase
from pmscore.testing.memory import InMemoryStore, SeededIds
from pmscore.testing.price_scenes import COUPLE, book_kept, keep_one, price_book, repriced, set_book
from pmscore.testing.scenes import EUR, nights, open_scene, pool, stay


def owing(scene, base):
    """Make 80 % of the base what is owed from two days before the arrival on, in the next version of the prices."""
    book = price_book(scene)
    (late,) = book.terms["usual"].cancellation.tiers
    tiers = (evolve(late, fee=evolve(late.fee, base=base)),)
    terms = evolve(book.terms["usual"], cancellation=CancellationPolicy(tiers))
    with scene.begin() as work:
        before = work.prices.find(scene.property_id)
    set_book(scene, evolve(book, terms={"usual": terms}), based_on=None if before is None else before.version)
    return scene


@pytest.fixture
def scene():
    opened = open_scene(InMemoryStore(), SeededIds("previews"), evolve(pool(3), largest_party=4))
    return owing(opened, FeeBase.TOTAL)


@pytest.fixture
def booked(scene):
    """Two nights for a couple, 100.00 and 100.00 (Wednesday and Thursday)."""
    kept = keep_one(scene, stay(1, 2), COUPLE)
    assert kept.quote.nightly == ((10_000, 10_000),)
    return book_kept(scene, kept.quote.quote_id)


def look(scene, booking_id, when, basis=RepricingBasis.AGREED):
    return preview_stay(
        PreviewStay(**scene.asked(), booking_id=booking_id, stay=when, basis=basis),
        uow=scene.store,
        availability=scene.store.availability(scene.agency_id),
        prices=scene.store.prices(scene.agency_id),
        clock=scene.clock,
        ids=scene.ids,
    )


def cancel(scene, booking_id, **more):
    query = PreviewCancellation(**scene.asked(), booking_id=booking_id, **more)
    return preview_cancellation(query, uow=scene.store, clock=scene.clock)


def test_a_longer_stay_costs_the_agreed_nights_and_the_new_one_at_its_price_now(scene, booked):
    repriced(scene, night=13_000)
    events = scene.store.events_after()
    shown = look(scene, booked.booking_id, stay(0, 3))
    ((room_id, found),) = shown.rooms.items()
    assert found.nightly == (13_000, 10_000, 10_000)
    assert (shown.before, shown.after) == (Money(20_000, EUR), Money(33_000, EUR))
    assert scene.booking(booked.booking_id).rooms[0].room_id == room_id
    assert scene.store.events_after() == events


def test_all_nights_are_priced_anew_where_that_is_asked_for(scene, booked):
    repriced(scene, night=13_000)
    shown = look(scene, booked.booking_id, stay(1, 2), RepricingBasis.CURRENT)
    assert shown.after == Money(26_000, EUR)
    (found,) = shown.rooms.values()
    assert list(found.changed.values()) == [(10_000, 13_000)] * 2


def test_nights_without_a_price_are_refused_with_their_reasons(scene, booked):
    with pytest.raises((RefusedError, InvalidInputError)):
        look(scene, booked.booking_id, stay(3_000, 2))


def test_a_booking_without_a_quote_cannot_be_priced_anew(scene):
    plain = scene.book(stay(1, 2))
    with pytest.raises(InvalidInputError) as refused:
        look(scene, plain.booking_id, stay(1, 3))
    assert (refused.value.field, refused.value.reason) == ("booking_id", "made_without_quote")


LATE = timedelta(days=29)
"""From the opening of the scene to noon of the day before the arrival of ``stay(30, 2)``: 80 % are owed by then."""


@pytest.fixture
def thursday(scene):
    """A couple from Thursday to Saturday: 100.00 and 120.00.

    Cleaning is 45.00 a stay; city tax is 2.00 for each of two adults on each of two nights, 8.00: 273.00 in all.
    """
    kept = keep_one(scene, stay(30, 2), COUPLE)
    assert kept.quote.nightly == ((10_000, 12_000),)
    assert kept.quote.due == Money(27_300, EUR)
    return book_kept(scene, kept.quote.quote_id).booking_id


def late(scene, booking_id, **more):
    return cancel(scene, booking_id, at=scene.clock.now() + LATE, **more)


def test_cancelling_is_free_until_two_days_before_and_costs_four_fifths_of_all_after(scene, thursday):
    free = cancel(scene, thursday, captured=Money(6_000, EUR))
    assert (free.fee, free.refund) == (Money(0, EUR), Money(6_000, EUR))
    # 80 % of 273.00 = 218.40, of which 60.00 are there: 158.40 are still to be paid
    charge = late(scene, thursday, captured=Money(6_000, EUR))
    assert (charge.fee, charge.refund, charge.receivable) == (
        Money(21_840, EUR),
        Money(0, EUR),
        Money(15_840, EUR),
    )


@pytest.mark.parametrize(
    ("base", "fee"),
    [
        (FeeBase.NIGHTS, 17_600),  # 80 % of 220.00
        (FeeBase.NIGHTS_AND_FEES, 21_200),  # 80 % of 265.00: with the cleaning
        (FeeBase.TOTAL, 21_840),  # 80 % of 273.00: with city tax, too
    ],
)
def test_the_base_of_the_terms_says_what_the_fee_is_taken_of(scene, base, fee):
    owing(scene, base)
    booked = book_kept(scene, keep_one(scene, stay(30, 2), COUPLE).quote.quote_id)
    assert late(scene, booked.booking_id).fee == Money(fee, EUR)


def test_who_has_paid_nothing_is_asked_for_the_fee(scene, thursday):
    charge = late(scene, thursday)
    assert (charge.captured, charge.refund, charge.receivable) == (
        Money(0, EUR),
        Money(0, EUR),
        Money(21_840, EUR),
    )


def test_what_is_paid_above_the_fee_goes_back(scene, thursday):
    # 273.00 paid, 218.40 kept: 54.60 go back
    assert late(scene, thursday, captured=Money(27_300, EUR)).refund == Money(5_460, EUR)


def test_giving_up_one_end_of_the_stay_is_charged_for_its_nights_with_what_stands_there(scene, thursday):
    (room,) = scene.booking(thursday).rooms
    # the last night is 120.00 and 4.00 of city tax: 80 % of 124.00 = 99.20; 273.00 - 124.00 = 149.00 are kept
    last = late(scene, thursday, captured=Money(27_300, EUR), removed={room.room_id: nights(31)})
    assert (last.fee, last.retained, last.refund) == (
        Money(9_920, EUR),
        Money(14_900, EUR),
        Money(2_480, EUR),
    )
    # the first is 100.00 and 4.00, and the cleaning stands with it: 80 % of 149.00 = 119.20
    first = late(scene, thursday, removed={room.room_id: nights(30)})
    assert first.fee == Money(11_920, EUR)


def test_a_night_at_another_amount_counts_at_that_amount_and_the_others_as_agreed(scene, thursday):
    (room,) = scene.booking(thursday).rooms
    change = RoomAmendment(room_id=room.room_id, nightly=(Money(10_000, EUR), Money(9_000, EUR)))
    scene.amend(thursday, change)
    # Thursday 100.00 with 4.00 of city tax as agreed, Friday 90.00 as it is now, cleaning 45.00: 239.00; 80 % = 191.20
    assert late(scene, thursday).fee == Money(19_120, EUR)


def test_a_stay_that_begins_earlier_keeps_what_was_agreed_for_its_old_nights(scene, thursday):
    (room,) = scene.booking(thursday).rooms
    wednesday = (Money(9_500, EUR), Money(10_000, EUR), Money(12_000, EUR))
    scene.amend(thursday, RoomAmendment(room_id=room.room_id, stay=stay(29, 3), nightly=wednesday))
    # 95.00 new; 104.00 and 124.00 as agreed; cleaning 45.00: 368.00; 80 % = 294.40
    assert late(scene, thursday).fee == Money(29_440, EUR)
    # the cleaning is owed once a stay, so it stands with the new first night: 80 % of 95.00 + 45.00 = 112.00
    assert late(scene, thursday, removed={room.room_id: nights(29)}).fee == Money(11_200, EUR)


def test_a_stay_of_other_nights_keeps_what_is_owed_once(scene, thursday):
    scene.move_stay(thursday, stay(31, 2))
    scene.move_stay(thursday, stay(32, 2))
    # two nights at 100.00 that nobody has quoted, cleaning 45.00: 245.00; 80 % = 196.00, from two days before the new arrival
    at = scene.clock.now() + timedelta(days=31)
    assert cancel(scene, thursday, at=at).fee == Money(19_600, EUR)


def test_a_shorter_stay_keeps_its_first_night_whole(scene, thursday):
    (room,) = scene.booking(thursday).rooms
    scene.amend(thursday, RoomAmendment(room_id=room.room_id, stay=stay(30)))
    # 100.00, 4.00 of city tax, cleaning 45.00: 149.00; 80 % = 119.20
    assert late(scene, thursday).fee == Money(11_920, EUR)


def test_of_two_rooms_each_has_its_own_part(scene):
    kept = keep_one(scene, stay(30, 2), COUPLE, GuestParty(adults=1))
    booked = book_kept(scene, kept.quote.quote_id)
    # rooms: 220.00 each; city tax 8.00 and 4.00; cleaning 45.00 a room: 273.00 and 269.00
    assert kept.quote.due == Money(54_200, EUR)
    couple, single = scene.booking(booked.booking_id).rooms
    assert late(scene, booked.booking_id).fee == Money(43_360, EUR)
    paid = Money(54_200, EUR)
    one = late(scene, booked.booking_id, captured=paid, removed={single.room_id: None})
    # 80 % of 269.00 = 215.20; the couple's 273.00 are kept; 542.00 - 273.00 - 215.20 = 53.80 go back
    assert (one.fee, one.retained, one.refund) == (
        Money(21_520, EUR),
        Money(27_300, EUR),
        Money(5_380, EUR),
    )
    other = late(scene, booked.booking_id, removed={couple.room_id: None})
    assert other.fee == Money(21_840, EUR)


def test_a_booking_without_terms_owes_nothing(scene):
    plain = scene.book(stay(30, 2))
    assert late(scene, plain.booking_id) is None


def test_what_was_paid_must_be_in_the_currency_of_the_booking(scene, thursday):
    with pytest.raises(InvalidInputError) as refused:
        late(scene, thursday, captured=Money(0, Currency.of("JPY")))
    assert (refused.value.field, refused.value.reason) == ("captured", "mixed_currencies")


def test_what_has_ended_or_begun_is_not_cancelled(scene, thursday):
    scene.advance(30)
    (room,) = scene.booking(thursday).rooms
    scene.act(thursday, Act.CHECK_IN)
    with pytest.raises(TransitionError):
        cancel(scene, thursday)
    # the guest may leave a day early, for what the terms ask
    assert cancel(scene, thursday, removed={room.room_id: nights(31)}).fee == Money(9_920, EUR)
    scene.act(thursday, Act.UNDO_CHECK_IN)
    scene.act(thursday, Act.CANCEL)
    for removed in (None, {room.room_id: nights(31)}):
        with pytest.raises(TransitionError) as refused:
            cancel(scene, thursday, removed=removed)
        assert refused.value.params["status"] == "cancelled"
    with pytest.raises(TransitionError):
        look(scene, thursday, stay(30, 3))


def test_nobody_looks_at_a_booking_that_there_is_not(scene):
    unknown = BookingId(scene.ids.new())
    with pytest.raises(NotFoundError):
        look(scene, unknown, stay(1, 2))
    with pytest.raises(NotFoundError):
        cancel(scene, unknown, captured=Money(0, EUR))
