from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.availability.scene import (
    HOME,
    LODGE,
    NOW,
    ORIGIN,
    POOL,
    ROOMS,
    UNITS,
    CountingReader,
    a_claim,
    an_inn,
    claim_lists,
    stays,
)
from pmscore.availability.views.night_board import NightBoard
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.stock import Claim, ClaimKind
from pmscore.kernel.errors import MisuseError
from pmscore.kernel.ids import UnitId, UnitTypeId

HORIZON = DateRange.of(ORIGIN, 60)


def check(board: NightBoard, claims: tuple[Claim, ...], stay) -> None:
    """The board says what walking over the claims says."""
    house = an_inn()
    walking = CountingReader((house,), claims)
    nights = DateRange.from_stay(stay)
    free = walking.free_units(dict.fromkeys((ROOMS, HOME, POOL), nights), NOW)
    assert board.free_units(stay) == (*free[ROOMS], *free[HOME])
    assert {each: board.free_units_of(each, stay) for each in free} == free
    assert board.free_unit_counts(stay) == {each: len(free[each]) for each in (ROOMS, HOME)}
    counted = walking.claimed(house.types, nights, NOW)
    for each in house.types:
        assert board.claimed(each, nights) == counted.get(each, (0,) * nights.length)


@given(claim_lists(), stays())
def test_a_board_says_what_walking_over_the_claims_says(claims, stay):
    check(NightBoard.of(an_inn(), HORIZON, claims), claims, stay)


@given(claim_lists(), claim_lists(), stays(), st.randoms())
def test_a_board_fed_claim_by_claim_in_any_order_ends_like_one_built_at_once(gone, kept, stay, random):
    board = NightBoard.of(an_inn(), HORIZON, gone)
    for claim in random.sample(gone, len(gone)):
        board.give_up(claim)
    for claim in random.sample(kept, len(kept)):
        board.take(claim)
    check(board, kept, stay)


@given(claim_lists(), stays(days=20))
def test_what_lies_outside_of_the_board_is_cut_off(claims, stay):
    part = DateRange.of(ORIGIN + timedelta(10), 30)
    inside = stay.shifted(10)
    fed = NightBoard(an_inn(), part)
    for claim in claims:
        fed.take(claim)
    check(fed, claims, inside)
    check(NightBoard.of(an_inn(), part, claims), claims, inside)


def test_a_hold_is_there_until_its_time_is_over():
    board = NightBoard(an_inn(), HORIZON)
    stay = DateRange.of(ORIGIN, 2)
    claims = (a_claim(HOME, 0, 2, LODGE, ClaimKind.HELD), a_claim(HOME, 2, 1, LODGE, ClaimKind.BUFFER))
    board.hold(UUID(int=500), claims, NOW)
    board.expire(NOW - timedelta(seconds=1))
    assert board.free_units_of(HOME, stay) == ()
    assert board.claimed(HOME, DateRange.of(ORIGIN, 4)) == (1, 1, 1, 0)
    board.expire(NOW)
    assert board.free_units_of(HOME, stay) == (LODGE,)
    assert board.claimed(HOME, DateRange.of(ORIGIN, 4)) == (0, 0, 0, 0)
    board.drop_hold(UUID(int=500))
    assert board.claimed(HOME, stay) == (0, 0)


def test_a_hold_that_is_prolonged_outlives_its_old_time():
    board = NightBoard(an_inn(), HORIZON)
    claims = (a_claim(HOME, 0, 2, LODGE, ClaimKind.HELD),)
    board.hold(UUID(int=500), claims, NOW)
    board.hold(UUID(int=500), claims, NOW + timedelta(hours=1))
    board.expire(NOW)
    assert board.claimed(HOME, DateRange.of(ORIGIN, 2)) == (1, 1)
    board.expire(NOW + timedelta(hours=1))
    assert board.claimed(HOME, DateRange.of(ORIGIN, 2)) == (0, 0)


def test_a_dropped_hold_is_free_at_once():
    board = NightBoard(an_inn(), HORIZON)
    board.hold(UUID(int=500), (a_claim(ROOMS, 0, 2, UNITS[1], ClaimKind.HELD),), NOW)
    board.drop_hold(UUID(int=500))
    assert board.free_units_of(ROOMS, DateRange.of(ORIGIN, 2)) == UNITS


def test_occupying_a_unit_leaves_the_counters_as_they_are():
    board = NightBoard(an_inn(), HORIZON)
    night = DateRange.of(ORIGIN, 1)
    board.occupy(UNITS[0], night)
    assert (board.free_units_of(ROOMS, night), board.claimed(ROOMS, night)) == (UNITS[1:], (0,))
    board.release(UNITS[0], night)
    assert board.free_units_of(ROOMS, night) == UNITS


@pytest.mark.parametrize("start", [-1, 59])
def test_nights_that_are_not_on_the_board_are_refused(start):
    board = NightBoard(an_inn(), HORIZON)
    asked = DateRange.of(ORIGIN + timedelta(start), 2)
    for ask in (board.free_units, board.free_unit_counts, lambda nights: board.claimed(POOL, nights)):
        with pytest.raises(MisuseError):
            ask(asked)


def test_strangers_are_refused():
    board = NightBoard(an_inn(), HORIZON)
    night = DateRange.of(ORIGIN, 1)
    stranger, other = UnitId(UUID(int=99)), UnitTypeId(UUID(int=98))
    for act in (
        lambda: board.occupy(stranger, night),
        lambda: board.release(stranger, night),
        lambda: board.claimed(other, night),
        lambda: board.take(a_claim(other, 0, 1)),
        lambda: NightBoard.of(an_inn(), HORIZON, [a_claim(other, 0, 1)]),
        lambda: NightBoard.of(an_inn(), HORIZON, [a_claim(ROOMS, 0, 1, stranger)]),
    ):
        with pytest.raises(MisuseError):
            act()
    assert board.free_units_of(other, night) == ()
