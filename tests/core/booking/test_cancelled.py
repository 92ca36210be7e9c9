"""A cancelled booking keeps what that came to, and its event tells the folio."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from pmscore.booking.model.cancellation import CancellationFee
from pmscore.booking.model.lifecycle import Act
from pmscore.booking.use_cases.create import CreateBooking, create_booking
from pmscore.booking.use_cases.previews import PreviewCancellation, preview_cancellation
from pmscore.kernel.errors import MisuseError
from pmscore.kernel.money import Money
from pmscore.pricing.model.settlement import Payer
from pmscore.testing.memory import InMemoryStore, SeededIds
from pmscore.testing.price_scenes import COUPLE, book_kept, keep_one, with_prices
from pmscore.testing.scenes import EUR, open_scene, pool, stay


@pytest.fixture
def scene():
    return with_prices(open_scene(InMemoryStore(), SeededIds("cancelled"), evolve(pool(3), largest_party=4)))


@pytest.fixture
def booking_id(scene):
    """A couple from Thursday to Saturday: 100.00 and 120.00; from two days before, 80 % of the nights are owed."""
    return book_kept(scene, keep_one(scene, stay(30, 2), COUPLE).quote.quote_id).booking_id


def last_event(scene):
    return scene.store.events_after(agency_id=scene.agency_id)[-1]


def test_the_booking_keeps_what_the_preview_of_that_moment_said(scene, booking_id):
    scene.clock.advance(timedelta(days=29))
    query = PreviewCancellation(**scene.asked(), booking_id=booking_id)
    shown = preview_cancellation(query, uow=scene.store, clock=scene.clock)
    found = scene.act(booking_id, Act.CANCEL).cancellation
    # 80 % of 220.00 = 176.00, all of it still to be paid
    assert found == CancellationFee(
        at=scene.clock.now(), fee=17_600, captured=0, refund=0, receivable=17_600, payer=Payer.GUEST
    )
    assert (shown.fee, shown.receivable) == (Money(17_600, EUR), Money(17_600, EUR))
    assert found == CancellationFee.of(shown, scene.clock.now())
    assert scene.booking(booking_id).cancellation == found


def test_the_event_has_the_amounts_and_nobody_s_name(scene, booking_id):
    scene.clock.advance(timedelta(days=29))
    booking = scene.act(booking_id, Act.CANCEL)
    event = last_event(scene)
    assert event.kind == "booking.cancelled"
    assert event.payload == {
        "property_id": str(booking.property_id),
        "guest_id": str(booking.guest_id),
        "from_status": "confirmed",
        "to_status": "cancelled",
        "business_date": "2030-01-01",
        "at": scene.clock.now().isoformat(),
        "reason": "scene",
        "currency": "EUR",
        "cancellation": {
            "at": scene.clock.now().isoformat(),
            "fee": 17_600,
            "captured": 0,
            "refund": 0,
            "receivable": 17_600,
            "payer": "guest",
            "tax_code": "",
        },
    }
    assert CancellationFee.from_json(event.payload["cancellation"]) == booking.cancellation
    assert scene.guest().name not in json.dumps(event.payload)


def test_cancelled_twice_it_is_owed_what_was_owed_the_first_time(scene, booking_id):
    first = scene.act(booking_id, Act.CANCEL)
    assert first.cancellation.fee == 0
    events = scene.store.events_after()
    scene.clock.advance(timedelta(days=29))
    assert scene.act(booking_id, Act.CANCEL) == first
    assert scene.store.events_after() == events


def test_reinstated_nothing_is_owed_and_refunded_it_is_remembered(scene, booking_id):
    scene.clock.advance(timedelta(days=29))
    scene.act(booking_id, Act.CANCEL)
    assert scene.act(booking_id, Act.REINSTATE).cancellation is None
    kept = scene.act(booking_id, Act.CANCEL).cancellation
    assert scene.act(booking_id, Act.REFUND).cancellation == kept
    assert kept.fee == 17_600


def test_other_steps_say_nothing_of_a_fee(scene, booking_id):
    scene.advance(30)
    assert scene.act(booking_id, Act.CHECK_IN).cancellation is None
    assert "cancellation" not in last_event(scene).payload


@pytest.mark.parametrize("terms", [{}, {"policy": "flexible"}, {"version": 1}])
def test_terms_that_nobody_can_read_keep_nobody_from_cancelling(scene, terms):
    command = CreateBooking(
        **scene.asked(),
        property_id=scene.property_id,
        guest=scene.guest_id,
        rooms=(scene.request(stay(1, 2)),),
        terms=terms,
    )
    receipt = create_booking(command, uow=scene.store, clock=scene.clock, ids=scene.ids)
    assert scene.act(receipt.booking_id, Act.CANCEL).cancellation is None
    assert last_event(scene).payload["cancellation"] is None


fees = st.builds(
    CancellationFee,
    at=st.datetimes(timezones=st.sampled_from((UTC, timezone(timedelta(hours=2))))),
    fee=st.integers(0, 10**12),
    captured=st.integers(0, 10**12),
    refund=st.integers(0, 10**12),
    receivable=st.integers(0, 10**12),
    payer=st.sampled_from(Payer),
    tax_code=st.text(max_size=5),
)


@given(fees)
def test_what_is_written_is_read_again(fee):
    assert CancellationFee.from_json(json.loads(json.dumps(fee.to_json()))) == fee


@pytest.mark.parametrize("name", ["at", "fee", "captured", "refund", "receivable", "payer", "tax_code"])
def test_a_record_that_lacks_something_is_none_of_ours(name):
    whole = CancellationFee(
        at=datetime(2030, 1, 1, tzinfo=UTC), fee=1, captured=0, refund=0, receivable=1, payer=Payer.GUEST
    )
    with pytest.raises(MisuseError):
        CancellationFee.from_json({key: value for key, value in whole.to_json().items() if key != name})
