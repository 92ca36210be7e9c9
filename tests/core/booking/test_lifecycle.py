"""The whole transition table, every pair of status and act, written down a second time by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import product
from uuid import UUID

import pytest
from attrs import evolve

from pmscore.booking.model.booking import Booking
from pmscore.booking.model.lifecycle import (
    CLAIMING,
    COUNTED,
    EVENT_KINDS,
    TRANSITIONS,
    Act,
    Status,
    target_of,
)
from pmscore.booking.model.rooms import BookedRoom
from pmscore.booking.policies.transitions import stepped
from pmscore.dates.nights import StayRange
from pmscore.inventory.model.party import Party
from pmscore.kernel.errors import TransitionError
from pmscore.kernel.money import Currency

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
TODAY = date(2030, 1, 1)

# One line a status; a cell is the status that the act leads to, a dot where it is refused.
TABLE = """
             confirm   decline  expire  cancel    check_in   undo_check_in check_out   undo_check_out mark_no_show reinstate refund
pending      confirmed declined expired cancelled .          .             .           .              .            .         .
confirmed    .         .        .       cancelled checked_in .             .           .              no_show      .         .
checked_in   .         .        .       .         .          confirmed     checked_out .              .            .         .
checked_out  .         .        .       .         .          .             .           checked_in     .            .         refunded
cancelled    .         .        .       .         .          .             .           .              .            confirmed refunded
declined     .         .        .       .         .          .             .           .              .            .         .
expired      .         .        .       .         .          .             .           .              .            confirmed .
no_show      .         .        .       .         .          .             .           .              .            confirmed refunded
refunded     .         .        .       .         .          .             .           .              .            .         .
"""


def table():
    head, *lines = (line.split() for line in TABLE.strip().splitlines())
    return {
        (Status(status), Act(act)): None if cell == "." else Status(cell)
        for status, *cells in lines
        for act, cell in zip(head, cells, strict=True)
    }


def booking(status):
    room = BookedRoom(
        room_id=UUID(int=2),
        unit_type_id=UUID(int=3),
        stay=StayRange.of(TODAY, 2),
        party=Party(2),
        nightly=(100, 100),
    )
    return Booking(
        booking_id=UUID(int=1),
        property_id=UUID(int=4),
        guest_id=UUID(int=5),
        status=status,
        currency=Currency.of("EUR"),
        rooms=(room,),
        created_at=NOW,
        version=3,
    )


def test_the_table_covers_every_pair():
    assert set(table()) == set(product(Status, Act))


@pytest.mark.parametrize(("status", "act"), tuple(product(Status, Act)), ids=lambda each: each.value)
def test_each_act_leads_where_the_table_says_or_is_refused(status, act):
    target = table()[status, act]
    if target is None:
        with pytest.raises(TransitionError) as refused:
            stepped(booking(status), act, today=TODAY, now=NOW, reason="test")
        assert refused.value.params == {"act": act.value, "status": status.value, "reason": "status"}
        return
    assert target_of(status, act) is target
    before = booking(status)
    decision = stepped(before, act, today=TODAY, now=NOW, reason="test")
    after, (event,) = decision.state, decision.events
    assert (after.status, after.version) == (target, before.version + 1)
    dates = {"checked_in_on": before.checked_in_on, "checked_out_on": before.checked_out_on}
    unchanged = evolve(after, status=before.status, version=before.version, **dates)
    assert unchanged == before
    assert (event.kind, event.version) == (EVENT_KINDS[act], after.version)
    assert (event.from_status, event.to_status) == (status.value, target.value)
    assert (event.business_date, event.at, event.reason) == (TODAY, NOW, "test")


def test_no_transition_stands_in_the_table_that_is_not_written_here():
    assert dict(TRANSITIONS) == {pair: target for pair, target in table().items() if target is not None}


def test_every_act_has_a_kind_of_event_of_its_own():
    assert set(EVENT_KINDS) == set(Act)
    assert len(set(EVENT_KINDS.values())) == len(Act)


def test_who_has_nights_and_who_counts():
    assert {each.value for each in CLAIMING} == {"pending", "confirmed", "checked_in", "checked_out"}
    assert {Status.NO_SHOW} == COUNTED - CLAIMING
    for status in Status:
        assert bool(booking(status).claims()) == (status in CLAIMING)


@pytest.mark.parametrize(
    ("status", "act", "checked_in_on", "checked_out_on"),
    [
        (Status.CONFIRMED, Act.CHECK_IN, TODAY, None),
        (Status.CHECKED_IN, Act.UNDO_CHECK_IN, None, None),
        (Status.CHECKED_IN, Act.CHECK_OUT, date(2029, 12, 31), TODAY),
        (Status.CHECKED_OUT, Act.UNDO_CHECK_OUT, date(2029, 12, 31), None),
        (Status.CHECKED_OUT, Act.REFUND, date(2029, 12, 31), date(2029, 12, 31)),
    ],
)
def test_business_dates_are_set_and_cleared_by_their_acts(status, act, checked_in_on, checked_out_on):
    yesterday = date(2029, 12, 31)
    before = evolve(
        booking(status),
        checked_in_on=yesterday if status in {Status.CHECKED_IN, Status.CHECKED_OUT} else None,
        checked_out_on=yesterday if status is Status.CHECKED_OUT else None,
    )
    after = stepped(before, act, today=TODAY, now=NOW, reason="test").state
    assert (after.checked_in_on, after.checked_out_on) == (checked_in_on, checked_out_on)


@pytest.mark.parametrize(("status", "act"), [(Status.PENDING, Act.CONFIRM), (Status.EXPIRED, Act.REINSTATE)])
def test_a_confirmed_booking_has_no_option_any_more(status, act):
    before = evolve(booking(status), option_until=NOW)
    assert stepped(before, act, today=TODAY, now=NOW, reason="test").state.option_until is None


def test_figures_follow_from_the_two_states_alone():
    """Law: over any chain of steps the changes add up to the figures of the last state."""
    for path in product(Act, repeat=4):
        before, counted, spent = None, 0, 0
        now = booking(Status.PENDING)
        for act in (None, *path):
            if act is not None:
                if (now.status, act) not in TRANSITIONS:
                    break
                before, now = now, stepped(now, act, today=TODAY, now=NOW, reason="test").state
            change = now.metrics_since(before)
            counted += change.bookings
            spent += change.spent.minor
            assert counted == (now.status in COUNTED)
            assert spent == (200 if now.status is Status.CHECKED_OUT else 0)
