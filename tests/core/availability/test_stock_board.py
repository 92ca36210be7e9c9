"""The stock board against walking over the claims, however it came to what stands on it."""

from __future__ import annotations

from datetime import date, timedelta
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
    CountingReader,
    a_house,
    a_type,
    an_inn,
    claim_lists,
    stays,
)
from pmscore.availability.views.stock_board import Standing, StockBoard
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.house import Unit
from pmscore.inventory.model.stock import Claim, ClaimKind
from pmscore.kernel.errors import MisuseError
from pmscore.kernel.ids import UnitId, UnitTypeId

HORIZON = DateRange.of(ORIGIN + timedelta(3), 40)
TYPES = (POOL, ROOMS, HOME, UnitTypeId(UUID(int=99)))
LATER = NOW + timedelta(minutes=5)


@st.composite
def standing_lists(draw):
    """Standings in which no unit is claimed twice on a night; some end in turnover nights, some expire."""
    found = []
    for claim in draw(claim_lists()):
        turnover = 0
        if claim.kind is not ClaimKind.OVERSOLD and claim.nights.length > 1:
            turnover = draw(st.integers(0, claim.nights.length - 1))
        found.append(
            (
                str(draw(st.sampled_from([claim.source_id, UUID(int=500)]))),
                claim.kind.value,
                str(claim.unit_type_id),
                None if claim.unit_id is None else str(claim.unit_id),
                claim.nights.first_ordinal,
                claim.nights.end_ordinal - turnover,
                turnover,
                None,
            )
        )
    # All of a source is a hold or none of it, as in a store.
    oversold = {each[0] for each in found if each[1] == "oversold"}
    holds = draw(st.sets(st.sampled_from([str(UUID(int=500 + at)) for at in range(14)]))) - oversold
    return [(each[0], "held", *each[2:-1], LATER) if each[0] in holds else each for each in found]


def claims_of(standing: Standing):
    """What a standing says in words."""
    source_id, kind, unit_type, unit, first, end, turnover, _ = standing
    for of_kind, start, upto in ((kind, first, end), ("buffer", end, end + turnover)):
        if start < upto:
            nights = DateRange(date.fromordinal(start), date.fromordinal(upto))
            unit_id = None if unit is None else UnitId(UUID(unit))
            yield Claim(ClaimKind(of_kind), UUID(source_id), UnitTypeId(UUID(unit_type)), nights, unit_id)


def check(board, standings, stay, now=NOW, houses=None):
    """The board says what walking over the claims says."""
    houses = houses or (an_inn(),)
    walking = CountingReader(
        houses,
        tuple(claim for each in standings for claim in claims_of(each)),
        expiries={UUID(each[0]): each[-1] for each in standings if each[-1] is not None},
    )
    asked = DateRange.from_stay(stay).intersection(HORIZON)
    if asked is None:
        return
    counted = {key: each for key, each in walking.claimed(TYPES, asked, now).items() if any(each)}
    assert {key: each for key, each in board.claimed(TYPES, asked, now).items() if any(each)} == counted
    kinds = {
        type_id: {kind: counts for kind, counts in each.items() if any(counts)}
        for type_id, each in walking.claims_by_kind(TYPES, asked, now).items()
    }
    found = board.claims_by_kind(TYPES, asked, now)
    assert {key: each for key, each in found.items() if each} == {
        key: each for key, each in kinds.items() if each
    }
    wanted = {
        POOL: asked,
        ROOMS: asked,
        HOME: DateRange(asked.start, min(asked.end, asked.start + timedelta(1))),
    }
    free = {key: each for key, each in walking.free_units(wanted, now).items() if each}
    assert {key: each for key, each in board.free_units(wanted, now).items() if each} == free


@given(standing_lists(), stays())
def test_a_board_that_is_made_at_once_says_what_walking_over_the_claims_says(standings, stay):
    board = StockBoard([an_inn()], HORIZON, standings)
    check(board, standings, stay)
    check(board, standings, stay, LATER)


@given(standing_lists(), standing_lists(), stays(), st.booleans())
def test_a_board_whose_sources_were_replaced_is_one_that_was_made_so(before, after, stay, expires_first):
    board = StockBoard([an_inn()], HORIZON, before)
    if expires_first:
        board.expire(LATER)
    sources = {each[0] for each in (*before, *after)}
    board.replace(sources, after)
    check(board, after, stay)
    assert len(board) == len({each[0] for each in after})
    board.replace(sources, ())
    check(board, [], stay)
    assert len(board) == 0


@given(standing_lists(), stays())
def test_new_units_leave_every_claim_where_it_was(standings, stay):
    board = StockBoard([an_inn()], HORIZON, standings)
    inn = an_inn()
    units = [*inn.units.values(), Unit(unit_id=UnitId(UUID(int=41)), unit_type_id=ROOMS, name="001")]
    larger = a_house(*inn.types.values(), units=units)
    other = a_house(a_type(UnitTypeId(UUID(int=77))), name="Other", number=2)
    houses = (larger, other)
    check(board.for_houses(houses), standings, stay, houses=houses)


def test_a_house_whose_units_are_the_same_keeps_its_board():
    board = StockBoard([an_inn()], HORIZON)
    assert board.for_houses([an_inn(overbooking=2, turnover_nights=1)]) is board


def test_a_hold_that_was_prolonged_stands_until_its_new_end():
    first, longer = HORIZON.first_ordinal, LATER + timedelta(minutes=5)
    hold = (str(UUID(int=1)), "held", str(HOME), str(LODGE), first, first + 2, 1)
    board = StockBoard([an_inn()], HORIZON, [(*hold, LATER)])
    board.replace([hold[0]], [(*hold, longer)])
    nights = DateRange.of(HORIZON.start, 4)
    assert board.claimed([HOME], nights, LATER) == {HOME: (1, 1, 1, 0)}
    assert board.claimed([HOME], nights, longer) == {HOME: (0, 0, 0, 0)}


def test_an_agency_without_houses_has_an_empty_board():
    board = StockBoard([], HORIZON)
    nights = DateRange.of(HORIZON.start, 1)
    assert board.claimed(TYPES, nights, NOW) == {}
    assert board.free_units({ROOMS: nights}, NOW) == {}


def test_nights_that_are_not_all_on_the_board_are_not_covered():
    board = StockBoard([an_inn()], HORIZON)
    assert board.covers(HORIZON)
    for outside in (
        DateRange.of(HORIZON.start - timedelta(1), 2),
        DateRange.of(HORIZON.end - timedelta(1), 2),
    ):
        assert not board.covers(outside)
        with pytest.raises(MisuseError):
            board.claimed([ROOMS], outside, NOW)


@pytest.mark.parametrize("stranger", [(str(POOL), str(UUID(int=404))), (str(UUID(int=404)), None)])
def test_a_type_or_unit_that_no_house_has_is_refused(stranger):
    first = HORIZON.first_ordinal
    unknown = (str(UUID(int=1)), "booked", *stranger, first, first + 1, 0, None)
    with pytest.raises(MisuseError):
        StockBoard([an_inn()], HORIZON, [unknown])
    board = StockBoard([an_inn()], HORIZON)
    with pytest.raises(MisuseError):
        board.replace([unknown[0]], [unknown])
