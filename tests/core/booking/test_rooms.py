"""What one room of a booking claims, and which rooms cannot be."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from pmscore.booking.model.rooms import BookedRoom, Placement
from pmscore.inventory.model.party import Party
from pmscore.inventory.model.stock import ClaimKind
from pmscore.kernel.errors import InvalidInputError
from pmscore.testing.scenes import FIRST_DAY, nights, stay
from pmscore.testing.strategies import booked_rooms, houses

ROOM_ID, SOLD, OTHER, UNIT, UNIT_2 = (UUID(int=number) for number in range(1, 6))


def room(length=4, **fields):
    base = {"room_id": ROOM_ID, "unit_type_id": SOLD, "stay": stay(0, length), "party": Party(2)}
    return BookedRoom(**{**base, "nightly": (100,) * length, **fields})


def facts(claims):
    return [(each.kind.value, each.unit_type_id, each.unit_id, str(each.nights)) for each in claims]


def test_an_unplaced_room_claims_its_type():
    assert facts(room().claims()) == [("booked", SOLD, None, str(nights(0, 4)))]


def test_a_placed_room_claims_the_type_of_its_unit():
    placed = room(placements=(Placement(UNIT, OTHER, nights(0, 4)),))
    assert facts(placed.claims()) == [("booked", OTHER, UNIT, str(nights(0, 4)))]


def test_a_split_stay_claims_each_part_and_what_is_left_by_type():
    split = room(placements=(Placement(UNIT, OTHER, nights(1, 1)), Placement(UNIT_2, SOLD, nights(3, 1))))
    assert facts(split.claims()) == [
        ("booked", SOLD, None, str(nights(0, 1))),
        ("booked", OTHER, UNIT, str(nights(1, 1))),
        ("booked", SOLD, None, str(nights(2, 1))),
        ("booked", SOLD, UNIT_2, str(nights(3, 1))),
    ]
    assert not split.is_placed


def test_turnover_is_claimed_where_the_stay_ends():
    placed = room(
        turnover_nights=2,
        placements=(Placement(UNIT, OTHER, nights(0, 2)), Placement(UNIT_2, SOLD, nights(2, 2))),
    )
    assert facts(placed.claims())[-1] == ("buffer", SOLD, UNIT_2, str(nights(4, 2)))


def test_an_oversold_room_claims_neither_unit_nor_turnover():
    claims = room(is_oversold=True, turnover_nights=2).claims()
    assert [each.kind for each in claims] == [ClaimKind.OVERSOLD]


@pytest.mark.parametrize(("left_after", "kept"), [(0, 1), (1, 1), (2, 2), (4, 4), (9, 4)])
def test_after_an_early_departure_only_the_nights_before_it_are_claimed(left_after, kept):
    claims = room(turnover_nights=1).claims(left_on=FIRST_DAY + timedelta(days=left_after))
    assert [str(each.nights) for each in claims] == [str(nights(0, kept)), str(nights(kept, 1))]


@given(st.data())
def test_claims_tile_the_stay_and_the_turnover_after_it(data):
    """Law: every night of the stay is claimed once, and turnover nights follow without a gap."""
    house = data.draw(houses())
    unit_type = data.draw(st.sampled_from(tuple(house.types.values())))
    drawn = data.draw(booked_rooms(unit_type, house.units_of(unit_type.unit_type_id)))
    claimed = [night for claim in drawn.claims() for night in claim.nights.nights()]
    turnover = 0 if drawn.is_oversold else drawn.turnover_nights
    end = drawn.stay.departure + timedelta(days=turnover)
    assert claimed == [
        drawn.stay.arrival + timedelta(days=at) for at in range((end - drawn.stay.arrival).days)
    ]
    assert {claim.source_id for claim in drawn.claims()} == {drawn.room_id}


@pytest.mark.parametrize(
    ("fields", "field", "reason"),
    [
        ({"nightly": (1, 2, 3)}, "nightly", "not_one_amount_a_night"),
        ({"nightly": ()}, "nightly", "not_one_amount_a_night"),
        ({"nightly": (1, 2, -3, 4)}, "nightly", "negative_amount"),
        ({"nightly": (1, 2, 10**13, 4)}, "nightly", "out_of_range"),
        (
            {"placements": (Placement(UNIT, SOLD, nights(0, 3)), Placement(UNIT_2, SOLD, nights(2, 2)))},
            "placements",
            "overlap_or_before_arrival",
        ),
        ({"placements": (Placement(UNIT, SOLD, nights(-1, 2)),)}, "placements", "overlap_or_before_arrival"),
        ({"placements": (Placement(UNIT, SOLD, nights(3, 2)),)}, "placements", "after_departure"),
        (
            {"placements": (Placement(UNIT, SOLD, nights(0, 4)),), "is_oversold": True},
            "placements",
            "oversold_room_has_no_unit",
        ),
    ],
)
def test_a_room_that_cannot_be_is_refused_by_field(fields, field, reason):
    with pytest.raises(InvalidInputError) as refused:
        room(**fields)
    assert (refused.value.field, refused.value.reason) == (field, reason)


def test_the_total_is_the_sum_of_the_nights():
    assert room(nightly=(1, 2, 3, 4)).total_minor == 10
    assert evolve(room(), nightly=(0, 0, 0, 0)).total_minor == 0
