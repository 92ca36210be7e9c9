"""What a quote agreed on stays agreed for whatever of a room was not changed."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from pmscore.booking.model.rooms import BookedRoom
from pmscore.booking.policies.quoted import QuotedRoom, agreed_of, quoted_rooms
from pmscore.dates.nights import StayRange
from pmscore.inventory.model.party import Party
from pmscore.kernel.ids import BookingRoomId, UnitTypeId
from pmscore.pricing.model.settlement import AgreedRoom
from pmscore.testing.memory import InMemoryStore, SeededIds
from pmscore.testing.price_scenes import COUPLE, keep_one, with_prices
from pmscore.testing.scenes import hotel, open_scene, stay

MONDAY = date(2030, 2, 4)


def booked(nightly: tuple[int, ...], first: int = 0) -> BookedRoom:
    return BookedRoom(
        room_id=BookingRoomId(UUID(int=1)),
        unit_type_id=UnitTypeId(UUID(int=2)),
        stay=StayRange.of(MONDAY + timedelta(days=first), len(nightly)),
        party=Party(2),
        nightly=nightly,
    )


def test_a_room_that_nobody_quoted_is_worth_its_nights() -> None:
    room = booked((10_000, 12_000))
    assert agreed_of(room, None) == AgreedRoom(stay=room.stay, nightly=room.nightly)


def test_the_rooms_of_a_quote_come_to_what_is_due() -> None:
    scene = with_prices(open_scene(InMemoryStore(), SeededIds("quoted"), hotel(3)))
    quote = keep_one(scene, stay(3, 9), COUPLE, COUPLE).quote
    rooms = quoted_rooms(quote)
    assert [each.nightly for each in rooms] == [tuple(each) for each in quote.nightly]
    worth = [sum(each.agreed.nightly) + sum(each.agreed.fees) + sum(each.agreed.taxes) for each in rooms]
    assert sum(worth) == quote.totals.due
    # Cleaning is 45.00 a stay and room; city tax belongs to its nights, VAT is in the prices.
    assert [(each.fees_of_stay, each.taxes_of_stay) for each in rooms] == [(4_500, 0)] * 2


amounts = st.integers(0, 10**6)


@st.composite
def quoted_and_now(draw):
    """Draw a room as it was quoted, and as it is after any change: other nights, and other amounts of some."""
    length = draw(st.integers(1, 6))
    lists = st.lists(amounts, min_size=length, max_size=length)
    nightly, gross, fees, taxes = (tuple(draw(lists)) for _ in range(4))
    fee, tax = draw(amounts), draw(amounts)
    agreed = AgreedRoom(
        stay=StayRange.of(MONDAY, length),
        nightly=gross,
        fees=(fees[0] + fee, *fees[1:]),
        taxes=(taxes[0] + tax, *taxes[1:]),
    )
    quoted = QuotedRoom(nightly=nightly, agreed=agreed, fees_of_stay=fee, taxes_of_stay=tax)
    first, now = draw(st.integers(-6, 6)), draw(st.integers(1, 8))
    after = [
        nightly[at] if 0 <= at < length and draw(st.booleans()) else draw(amounts)
        for at in range(first, first + now)
    ]
    return quoted, booked(tuple(after), first), (nightly, gross, fees, taxes)


@given(quoted_and_now())
def test_nights_that_were_not_changed_keep_all_and_others_have_the_amount_of_the_booking(drawn) -> None:
    quoted, room, (nightly, gross, fees, taxes) = drawn
    found = agreed_of(room, quoted)
    assert found.stay == room.stay
    once = (quoted.fees_of_stay, quoted.taxes_of_stay)
    origin = (room.stay.arrival - MONDAY).days
    for at, amount in enumerate(room.nightly):
        then = origin + at
        is_kept = 0 <= then < len(nightly) and nightly[then] == amount
        fee, tax = once if at == 0 else (0, 0)
        expected = (gross[then], fees[then] + fee, taxes[then] + tax) if is_kept else (amount, fee, tax)
        assert (found.nightly[at], found.fees[at], found.taxes[at]) == expected


@given(quoted_and_now())
def test_a_room_that_was_never_changed_is_agreed_as_it_was_quoted(drawn) -> None:
    quoted, _, (nightly, *_) = drawn
    assert agreed_of(booked(nightly), quoted) == quoted.agreed
