"""Re-pricing a changed stay: only what the basis names gets another price."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmscore.booking.model.rooms import BookedRoom
from pmscore.booking.policies.repricing import RepricingBasis, repriced
from pmscore.dates.nights import StayRange
from pmscore.inventory.model.party import Party
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.ids import BookingRoomId, UnitTypeId

MONDAY = date(2030, 2, 4)


def booked(*nightly: int, first: int = 0) -> BookedRoom:
    return BookedRoom(
        room_id=BookingRoomId(UUID(int=1)),
        unit_type_id=UnitTypeId(UUID(int=2)),
        stay=StayRange.of(MONDAY + timedelta(days=first), len(nightly)),
        party=Party(2),
        nightly=nightly,
    )


def stay(first: int, length: int) -> StayRange:
    return StayRange.of(MONDAY + timedelta(days=first), length)


def test_a_longer_stay_keeps_the_agreed_nights_and_quotes_the_new_ones() -> None:
    # agreed 100, 110; now 150 a night: the two nights stay, two more at 150
    found = repriced(booked(10_000, 11_000), stay(0, 4), (15_000,) * 4, RepricingBasis.AGREED)
    assert found.nightly == (10_000, 11_000, 15_000, 15_000)
    assert found.added == {MONDAY + timedelta(days=2): 15_000, MONDAY + timedelta(days=3): 15_000}
    assert (found.dropped, found.changed, found.difference) == ({}, {}, 30_000)


def test_a_shifted_stay_drops_what_is_left_behind() -> None:
    found = repriced(booked(10_000, 11_000), stay(1, 2), (15_000, 16_000), RepricingBasis.AGREED)
    assert found.nightly == (11_000, 16_000)
    assert found.dropped == {MONDAY: 10_000}
    assert found.difference == 6_000


def test_all_nights_are_quoted_anew_where_the_command_says_so() -> None:
    found = repriced(booked(10_000, 11_000), stay(0, 2), (9_000, 11_000), RepricingBasis.CURRENT)
    assert found.nightly == (9_000, 11_000)
    assert found.changed == {MONDAY: (10_000, 9_000)}
    assert found.difference == -1_000


def test_a_quote_for_other_nights_is_refused() -> None:
    with pytest.raises(InvalidInputError) as refused:
        repriced(booked(10_000), stay(0, 2), (9_000,), RepricingBasis.AGREED)
    assert (refused.value.field, refused.value.reason) == ("quoted", "not_one_amount_a_night")


amounts = st.integers(0, 10**7)


@given(
    agreed=st.lists(amounts, min_size=1, max_size=10),
    first=st.integers(-12, 12),
    quoted=st.lists(amounts, min_size=1, max_size=10),
    basis=st.sampled_from(RepricingBasis),
)
def test_differences_add_up_and_agreed_nights_stay(agreed, first, quoted, basis) -> None:
    room = booked(*agreed)
    found = repriced(room, stay(first, len(quoted)), quoted, basis)
    assert sum(found.nightly) == sum(agreed) + found.difference
    before = dict(zip(room.stay.nights(), agreed, strict=True))
    for night, amount in zip(found.stay.nights(), found.nightly, strict=True):
        if basis is RepricingBasis.AGREED and night in before:
            assert amount == before[night]
        if basis is RepricingBasis.CURRENT:
            assert amount == quoted[(night - found.stay.arrival).days]
