"""What a change or a cancellation would cost is shown before, and nothing is written by looking."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve

from pmscore.booking.policies.repricing import RepricingBasis
from pmscore.booking.use_cases.previews import (
    PreviewCancellation,
    PreviewStay,
    preview_cancellation,
    preview_stay,
)
from pmscore.kernel.errors import InvalidInputError, NotFoundError, RefusedError
from pmscore.kernel.ids import BookingId
from pmscore.kernel.money import Money
from pmscore.testing.memory import InMemoryStore, SeededIds
from pmscore.testing.price_scenes import COUPLE, book_kept, keep_one, repriced, with_prices
from pmscore.testing.scenes import EUR, open_scene, pool, stay


@pytest.fixture
def scene():
    return with_prices(open_scene(InMemoryStore(), SeededIds("previews"), evolve(pool(3), largest_party=4)))


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


def test_cancelling_is_free_until_two_days_before_and_costs_four_fifths_after(scene):
    booked = book_kept(scene, keep_one(scene, stay(30, 2), COUPLE).quote.quote_id)
    (agreed,) = scene.booking(booked.booking_id).rooms
    free = cancel(scene, booked.booking_id, captured=Money(6_000, EUR))
    assert (free.fee, free.refund) == (Money(0, EUR), Money(6_000, EUR))
    late = cancel(
        scene, booked.booking_id, captured=Money(6_000, EUR), at=scene.clock.now() + timedelta(days=29)
    )
    fee = sum(agreed.nightly) * 8 // 10
    assert (late.fee, late.refund, late.receivable) == (
        Money(fee, EUR),
        Money(0, EUR),
        Money(fee - 6_000, EUR),
    )


def test_nobody_looks_at_a_booking_that_there_is_not(scene):
    unknown = BookingId(scene.ids.new())
    with pytest.raises(NotFoundError):
        look(scene, unknown, stay(1, 2))
    with pytest.raises(NotFoundError):
        cancel(scene, unknown, captured=Money(0, EUR))
