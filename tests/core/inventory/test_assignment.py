"""Assignment against brute force on small houses, by hand, and on a house of 120 rooms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import combinations, count, pairwise
from uuid import UUID

import pytest
from attrs import evolve
from hypothesis import example, given
from hypothesis import strategies as st

from pmscore.dates.ranges import DateRange, DateSet
from pmscore.inventory.policies.assignment.assign import assign
from pmscore.inventory.policies.assignment.plans import (
    Impossible,
    Lodger,
    Move,
    NotFound,
    Obstacle,
    Plan,
    SplitPlan,
    is_valid,
)
from pmscore.inventory.policies.assignment.split import free_throughout, split
from pmscore.kernel.errors import MisuseError
from pmscore.kernel.ids import BookingRoomId, UnitId

ORIGIN = date(2026, 3, 1)
A, B, C, D, E = UNITS = tuple(UnitId(UUID(int=number)) for number in range(1, 6))
Taken = Mapping[UnitId, DateSet]
House = tuple[tuple[UnitId, ...], Taken, tuple[Lodger, ...]]


def night(offset: int) -> date:
    return ORIGIN + timedelta(offset)


def nights(first: int, end: int) -> DateRange:
    return DateRange(night(first), night(end))


def room(number: int) -> BookingRoomId:
    return BookingRoomId(UUID(int=100 + number))


def lodger(number, first, end, unit=None, *, pinned=False, of=None) -> Lodger:
    admissible = None if of is None else frozenset(of)
    return Lodger(
        room_id=room(number), nights=nights(first, end), unit_id=unit, is_pinned=pinned, admissible=admissible
    )


def closed(first: int, end: int) -> DateSet:
    return DateSet.of(nights(first, end))


# --- brute force: every combination, on plain sets of (unit, night) -------------------------------------


def choices(each: Lodger, units: Sequence[UnitId], *, everybody_stays: bool) -> list[UnitId]:
    if each.is_pinned:
        return [each.unit_id]
    allowed = [unit for unit in units if each.admissible is None or unit in each.admissible]
    if everybody_stays and each.unit_id is not None:
        return [unit for unit in allowed if unit == each.unit_id]
    return allowed


def can_be_assigned(units, taken: Taken, lodgers: Sequence[Lodger], *, everybody_stays: bool = False) -> bool:
    options = [(each, choices(each, units, everybody_stays=everybody_stays)) for each in lodgers]

    def place(index: int, occupied: frozenset[tuple[UnitId, date]]) -> bool:
        if index == len(options):
            return True
        each, allowed = options[index]
        for unit in allowed:
            cells = {(unit, day) for day in each.nights.nights()}
            if not cells & occupied and place(index + 1, occupied | cells):
                return True
        return False

    return place(0, frozenset((unit, day) for unit, days in taken.items() for day in days))


def fewest_changes(units, taken: Taken, stay: DateRange, turnover: int = 0) -> int | None:
    """Count the changes of the best split by trying every set of nights of the stay to change on."""
    days = stay.nights()
    for changes in range(len(days)):
        for cuts in combinations(range(1, len(days) - turnover), changes):
            edges = [0, *cuts, len(days)]
            parts = [days[a:b] for a, b in pairwise(edges)]
            if all(any(not set(part) & set(taken.get(unit, ())) for unit in units) for part in parts):
                return changes
    return None


# --- strategies -----------------------------------------------------------------------------------------


# Plain integers, because a strategy for every value of every lodger made these tests three times as slow.
RANGES = st.tuples(st.integers(0, 7), st.integers(1, 8)).map(
    lambda drawn: nights(drawn[0], min(8, sum(drawn)))
)
LODGERS = st.tuples(RANGES, st.integers(0, 7), st.integers(0, 4), st.integers(0, 63))


def drawn_lodger(number: int, units: tuple[UnitId, ...], drawn: tuple[DateRange, int, int, int]) -> Lodger:
    stay, unit, pin, wishes = drawn
    admissible = frozenset(each for bit, each in enumerate(units) if wishes >> bit & 1)
    unit_id = units[unit] if unit < len(units) else None
    return Lodger(
        room_id=room(number),
        nights=stay,
        unit_id=unit_id,
        is_pinned=unit_id is not None and pin == 4,
        admissible=admissible if admissible and wishes < 32 else None,
    )


@st.composite
def houses(draw) -> House:
    units = UNITS[: draw(st.integers(1, 5))]
    blocks = draw(st.lists(st.tuples(st.sampled_from(units), RANGES), max_size=3))
    taken: dict[UnitId, DateSet] = {}
    for unit, stay in blocks:
        taken[unit] = taken.get(unit, DateSet.EMPTY) | DateSet.of(stay)
    drawn = draw(st.lists(LODGERS, min_size=1, max_size=7))
    return units, taken, tuple(drawn_lodger(number, units, each) for number, each in enumerate(drawn))


@st.composite
def plain_houses(draw) -> House:
    """Nothing pinned, nothing taken, every unit will do; some have a unit already, perhaps the same one."""
    units, _, found = draw(houses())
    return units, {}, tuple(evolve(each, is_pinned=False, admissible=None) for each in found)


CUTS = st.tuples(st.integers(0, 127), st.lists(st.integers(0, 255), min_size=8, max_size=8))


@st.composite
def full_houses(draw, *, is_plain: bool, may_be_elsewhere: bool) -> House:
    """Cut the nights of each unit into stays, so that there is a plan but hardly a free night.

    A lodger has the unit it was cut from, or none, or perhaps any.
    """
    units = UNITS[: draw(st.integers(2, 5))]
    found: list[Lodger] = []
    for own in units:
        cuts, kinds = draw(CUTS)
        edges = [0, *(at for at in range(1, 8) if cuts >> at & 1), 8]
        for (first, end), kind in zip(pairwise(edges), kinds, strict=False):
            elsewhere = units[kind % len(units)] if may_be_elsewhere else own
            unit = (None, own, elsewhere, None)[kind & 3]
            is_pinned = unit == own and kind & 12 == 12 and not is_plain
            wish = (own, units[kind // 16 % len(units)]) if kind & 12 == 8 and not is_plain else None
            if kind < 240:
                found.append(lodger(len(found), first, end, unit, pinned=is_pinned, of=wish))
    return units, {}, tuple(found)


# --- laws -----------------------------------------------------------------------------------------------

EXHAUSTIBLE: House = (
    (A, B),
    {A: closed(3, 4)},
    (lodger(0, 4, 6, B), lodger(1, 0, 5, B), lodger(2, 5, 6, A, of=[A])),
)
FRAGMENTED: House = (
    (A, B),
    {},
    (lodger(0, 0, 2, A, pinned=True), lodger(1, 2, 4, B, pinned=True), lodger(2, 1, 4)),
)
NEEDS_TWO_NEWCOMERS_TO_GIVE_WAY: House = (
    (A, B),
    {},
    (lodger(0, 0, 1), lodger(1, 1, 7), lodger(2, 7, 8, A), lodger(3, 0, 3), lodger(4, 3, 8)),
)
NEEDS_THE_ORDER_OF_ARRIVAL: House = (
    (A, B, C),
    {},
    (
        *(lodger(0, 0, 4), lodger(1, 4, 8, B), lodger(2, 0, 1), lodger(3, 1, 2, B), lodger(4, 2, 3)),
        *(lodger(5, 3, 5, A), lodger(6, 5, 6), lodger(7, 6, 8), lodger(8, 0, 7, B), lodger(9, 7, 8, A)),
    ),
)


@given(houses())
@example(EXHAUSTIBLE)
@example(FRAGMENTED)
def test_a_plan_is_valid_and_impossible_is_impossible(house):
    """A small house always gets an answer, and brute force agrees with it."""
    outcome = assign(*house)
    if isinstance(outcome, Plan):
        assert is_valid(outcome, *house)
        assert can_be_assigned(*house)
    else:
        assert isinstance(outcome, Impossible)
        assert not can_be_assigned(*house)


@given(houses())
@example(EXHAUSTIBLE)
@example(FRAGMENTED)
def test_the_named_lodgers_alone_prove_that_it_is_impossible(house):
    """Beside the pinned and the taken, the lodgers of the proof have no assignment of their own."""
    units, taken, lodgers = house
    outcome = assign(units, taken, lodgers)
    if isinstance(outcome, Impossible):
        named = [each for each in lodgers if each.room_id in outcome.lodgers]
        beside = [each for each in lodgers if each.is_pinned and each not in named]
        assert not can_be_assigned(units, taken, named + beside)
        assert outcome.nights == tuple(sorted(set(outcome.nights)))
        assert all(any(day in each.nights for each in named) for day in outcome.nights)


@given(houses())
def test_each_overfull_night_is_too_full_by_itself(house):
    """Cut down to one night of the proof, the lodgers of that night still do not fit."""
    units, taken, lodgers = house
    outcome = assign(units, taken, lodgers)
    if isinstance(outcome, Impossible) and outcome.reason is Obstacle.OVERFULL:
        for day in outcome.nights:
            tonight = DateRange.of(day, 1)
            present = [evolve(each, nights=tonight) for each in lodgers if day in each.nights]
            assert not can_be_assigned(units, taken, present)


@given(houses())
@example(FRAGMENTED)
def test_a_fragmented_house_has_room_on_every_night(house):
    """Fragmented is only said where counting by night finds units enough for everybody."""
    units, taken, lodgers = house
    outcome = assign(units, taken, lodgers)
    if isinstance(outcome, Impossible) and outcome.reason is Obstacle.FRAGMENTED:
        for day in outcome.nights:
            tonight = DateRange.of(day, 1)
            present = [evolve(each, nights=tonight) for each in lodgers if day in each.nights]
            assert can_be_assigned(units, taken, present)


@given(houses())
def test_nobody_moves_where_nobody_has_to(house):
    """If the others fit in around those who have a unit, the plan holds first units only."""
    outcome = assign(*house)
    if can_be_assigned(*house, everybody_stays=True):
        assert isinstance(outcome, Plan)
        assert all(move.from_unit is None for move in outcome.moves)


@given(houses())
def test_the_pinned_never_move(house):
    """A pinned lodger is in its unit, in every plan and under every limit."""
    for limit in (0, 5, 4_000):
        outcome = assign(*house, step_limit=limit)
        if isinstance(outcome, Plan):
            pinned = [each for each in house[2] if each.is_pinned]
            assert all(outcome.units[each.room_id] == each.unit_id for each in pinned)


@given(houses(), st.randoms(use_true_random=False))
def test_the_order_of_the_lodgers_does_not_matter(house, random):
    """The same values give the same answer, in whatever order a store returns them."""
    units, taken, lodgers = house
    shuffled = list(lodgers)
    random.shuffle(shuffled)
    assert assign(units, taken, shuffled) == assign(units, taken, lodgers)


@given(plain_houses())
def test_as_many_units_as_lodgers_on_the_fullest_night_are_enough(house):
    """Interval graphs need no search: the law holds with a limit of no steps at all."""
    units, taken, lodgers = house
    fullest = max(sum(night(at) in each.nights for each in lodgers) for at in range(8))
    outcome = assign(units, taken, lodgers, step_limit=0)
    assert isinstance(outcome, Plan) == (fullest <= len(units))
    assert not isinstance(outcome, NotFound)


@given(full_houses(is_plain=True, may_be_elsewhere=True))
@example(NEEDS_THE_ORDER_OF_ARRIVAL)
def test_a_full_house_without_pins_is_placed_without_a_search(house):
    """The same law where nearly every night is full and some must leave their units."""
    outcome = assign(*house, step_limit=0)
    assert isinstance(outcome, Plan)
    assert is_valid(outcome, *house)


@given(full_houses(is_plain=False, may_be_elsewhere=True))
def test_a_full_house_with_pins_and_wishes_gets_the_plan_that_it_has(house):
    """There is a plan by construction, so none of the other answers is right."""
    outcome = assign(*house)
    assert isinstance(outcome, Plan)
    assert is_valid(outcome, *house)


@given(full_houses(is_plain=False, may_be_elsewhere=False))
@example(NEEDS_TWO_NEWCOMERS_TO_GIVE_WAY)
def test_newcomers_fill_a_full_house_around_those_who_have_a_unit(house):
    """There is a plan without moves by construction, so nobody who has a unit leaves it."""
    outcome = assign(*house)
    assert isinstance(outcome, Plan)
    assert all(move.from_unit is None for move in outcome.moves)


@given(full_houses(is_plain=False, may_be_elsewhere=True), st.integers(0, 60))
@example(((A, B), {}, (lodger(0, 0, 4, B), lodger(1, 0, 8, of=[B]))), 16)
def test_a_house_that_has_a_plan_is_never_called_impossible(house, limit):
    """A search that was cut short proves nothing."""
    assert not isinstance(assign(*house, step_limit=limit), Impossible)


@given(houses(), st.integers(0, 30))
def test_a_short_search_still_says_nothing_wrong(house, limit):
    """A limit turns answers into "not found", never into another answer's opposite."""
    outcome = assign(*house, step_limit=limit)
    if isinstance(outcome, Plan):
        assert is_valid(outcome, *house)
    elif isinstance(outcome, Impossible):
        assert not can_be_assigned(*house)
    else:
        assert outcome.tries <= limit


@given(houses(), st.data())
def test_the_checker_agrees_with_brute_force_on_any_units(house, data):
    """Drawn at random, units are a valid plan exactly if no rule speaks against them."""
    units, taken, lodgers = house
    drawn = {each.room_id: data.draw(st.sampled_from(units)) for each in lodgers}
    moves = tuple(
        Move(each.room_id, each.unit_id, drawn[each.room_id])
        for each in lodgers
        if each.unit_id != drawn[each.room_id]
    )
    as_drawn = [evolve(each, is_pinned=True, unit_id=drawn[each.room_id]) for each in lodgers]
    may_have = all(drawn[each.room_id] in choices(each, units, everybody_stays=False) for each in lodgers)
    expected = may_have and can_be_assigned(units, taken, as_drawn)
    assert is_valid(Plan(moves, drawn), units, taken, lodgers) == expected


@given(houses(), RANGES, st.integers(0, 2))
def test_a_split_has_the_fewest_changes(house, stay, turnover):
    """Farthest reach is minimal: no set of change days with fewer of them works; the turnover stays with the last."""
    units, taken, _ = house
    turnover = min(turnover, stay.length - 1)
    outcome = split(units, taken, stay, turnover=turnover)
    fewest = fewest_changes(units, taken, stay, turnover)
    if isinstance(outcome, SplitPlan):
        assert outcome.changes == fewest
        assert tuple(day for _, part in outcome.parts for day in part.nights()) == stay.nights()
        assert all(
            not taken.get(unit, DateSet.EMPTY).overlaps(DateSet.of(part)) for unit, part in outcome.parts
        )
        assert outcome.parts[-1][1].length > turnover
    else:
        assert fewest is None
        full = [day for day in stay.nights() if all(day in taken.get(unit, ()) for unit in units)]
        rest = stay.nights()[-turnover - 1 :]
        assert outcome == (
            Impossible(tuple(full), (), Obstacle.OVERFULL)
            if full
            else Impossible(rest, (), Obstacle.FRAGMENTED)
        )


@given(houses(), RANGES)
def test_free_throughout_names_the_units_that_need_no_change(house, stay):
    """They are the units that a split of one part could have, in the given order."""
    units, taken, _ = house
    free = free_throughout(units, taken, stay)
    assert free == tuple(unit for unit in units if not set(taken.get(unit, ())) & set(stay.nights()))
    outcome = split(units, taken, stay)
    assert bool(free) == (isinstance(outcome, SplitPlan) and outcome.changes == 0)


# --- by hand --------------------------------------------------------------------------------------------


def test_nobody_to_place_is_a_plan_without_moves():
    assert assign((A,), {}, ()) == Plan((), {})


def test_the_first_unit_in_order_is_preferred_where_gaps_are_alike():
    outcome = assign((B, A), {}, [lodger(0, 0, 2)])
    assert outcome == Plan((Move(room(0), None, B),), {room(0): B})


def test_the_unit_with_the_smallest_gap_before_arrival_is_taken():
    present = (lodger(0, 0, 1, A), lodger(1, 0, 3, B), lodger(2, 0, 2, C))
    outcome = assign((A, B, C), {}, [*present, lodger(3, 3, 5)])
    assert outcome.units[room(3)] == B


def test_among_equal_gaps_before_arrival_the_smallest_after_departure_is_taken():
    outcome = assign((A, B), {B: closed(4, 6)}, [lodger(0, 2, 4)])
    assert outcome.units[room(0)] == B


def test_one_moves_to_make_room_and_the_moves_say_so():
    present = (lodger(0, 0, 2, A), lodger(1, 2, 4, B))
    newcomer = lodger(2, 1, 5)
    outcome = assign((A, B), {}, [*present, newcomer])
    assert isinstance(outcome, Plan)
    assert is_valid(outcome, (A, B), {}, [*present, newcomer])
    assert outcome.moves == (Move(room(0), A, B), Move(room(2), None, A))


def test_with_both_pinned_the_same_house_is_fragmented():
    outcome = assign(*FRAGMENTED)
    assert isinstance(outcome, Impossible)
    assert (outcome.reason, outcome.lodgers) == (Obstacle.FRAGMENTED, (room(2),))


def test_two_who_hold_the_same_unit_are_parted():
    outcome = assign((A, B), {}, [lodger(0, 0, 3, A), lodger(1, 1, 2, A)])
    assert outcome == Plan((Move(room(0), A, B),), {room(0): B, room(1): A})


def test_who_is_in_a_unit_outside_the_list_is_moved_into_it():
    outcome = assign((A, B), {}, [lodger(0, 0, 3, E)])
    assert outcome.moves == (Move(room(0), E, A),)


def test_an_upgrade_is_a_lodger_whose_present_unit_will_no_longer_do():
    outcome = assign((A, B, C), {}, [lodger(0, 0, 3, A, of=[C])])
    assert outcome.moves == (Move(room(0), A, C),)


def test_who_is_pinned_outside_the_list_stays_and_takes_no_unit_of_it():
    both = [lodger(0, 0, 3, E, pinned=True), lodger(1, 0, 3)]
    outcome = assign((A,), {}, both)
    assert outcome == Plan((Move(room(1), None, A),), {room(0): E, room(1): A})
    assert is_valid(outcome, (A,), {}, both)


def test_a_pin_outweighs_the_admissible_units():
    outcome = assign((A, B), {}, [lodger(0, 0, 3, A, pinned=True, of=[B])])
    assert outcome == Plan((), {room(0): A})


def test_two_pinned_into_one_unit_are_named_with_the_night_they_share():
    both = [lodger(0, 0, 3, A, pinned=True), lodger(1, 2, 4, A, pinned=True)]
    assert assign((A, B), {}, [*both, lodger(2, 0, 1)]) == Impossible(
        (night(2),), (room(0), room(1)), Obstacle.PINNED_CONFLICT
    )


def test_who_is_pinned_onto_a_block_is_named():
    outcome = assign((A, B), {A: closed(1, 2)}, [lodger(0, 0, 3, A, pinned=True)])
    assert outcome == Impossible((night(1),), (room(0),), Obstacle.PINNED_CONFLICT)


def test_every_overfull_night_is_named():
    three = [lodger(number, 0, 2) for number in range(3)] + [lodger(3 + number, 4, 5) for number in range(3)]
    outcome = assign((A, B), {}, three)
    assert isinstance(outcome, Impossible)
    assert (outcome.nights, outcome.reason) == ((night(0), night(1), night(4)), Obstacle.OVERFULL)


def test_three_who_want_the_same_two_units_are_too_many_in_a_house_of_five():
    wish = [lodger(number, 0, 2, of=[B, D]) for number in range(3)]
    outcome = assign(UNITS, {}, [*wish, lodger(3, 0, 2)])
    assert outcome == Impossible((night(0), night(1)), (room(0), room(1), room(2)), Obstacle.OVERFULL)


def test_a_choosy_guest_gets_the_unit_that_another_can_do_without():
    outcome = assign((A, B), {}, [lodger(0, 0, 4), lodger(1, 1, 2, of=[A])])
    assert outcome.units == {room(0): B, room(1): A}


def test_who_may_have_no_unit_at_all_is_overfull():
    outcome = assign((A, B), {}, [lodger(0, 0, 1, of=[])])
    assert outcome == Impossible((night(0),), (room(0),), Obstacle.OVERFULL)


def test_what_counting_cannot_decide_is_tried_until_nothing_is_left():
    outcome = assign(*EXHAUSTIBLE)
    assert isinstance(outcome, Impossible)
    assert outcome.reason is Obstacle.EXHAUSTED
    assert set(outcome.lodgers) == {room(0), room(1), room(2)}


def test_without_steps_the_same_house_is_not_found_rather_than_impossible():
    assert assign(*EXHAUSTIBLE, step_limit=0) == NotFound(0)


def test_a_part_of_the_house_without_a_solution_does_not_disturb_the_rest():
    units, taken, lodgers = EXHAUSTIBLE
    later = [lodger(10 + number, 10, 12) for number in range(2)]
    outcome = assign(units, taken, [*lodgers, *later])
    assert isinstance(outcome, Impossible)
    assert set(outcome.lodgers) == {each.room_id for each in lodgers}


def test_a_pinned_lodger_without_a_unit_is_a_mistake_of_the_caller():
    with pytest.raises(MisuseError, match="pinned_without_unit"):
        lodger(0, 0, 1, pinned=True)


def test_a_unit_or_a_room_given_twice_is_a_mistake_of_the_caller():
    with pytest.raises(MisuseError, match="unit"):
        assign((A, A), {}, [])
    with pytest.raises(MisuseError, match="lodger"):
        assign((A, B), {}, [lodger(0, 0, 1), lodger(0, 2, 3)])


def test_the_ends_of_the_calendar_are_no_trouble():
    first = Lodger(room_id=room(0), nights=DateRange(date(1900, 1, 1), date(1900, 1, 3)))
    last = Lodger(room_id=room(1), nights=DateRange(date(2199, 12, 30), date(2199, 12, 31)))
    assert assign((A,), {}, [last]).units == {room(1): A}
    assert assign((A,), {}, [first]).units == {room(0): A}


def test_a_stay_is_split_where_the_longest_run_ends():
    taken = {A: closed(2, 9), B: closed(0, 1) | closed(4, 5), C: closed(0, 3)}
    outcome = split((A, B, C), taken, nights(0, 7))
    assert outcome == SplitPlan(((A, nights(0, 2)), (B, nights(2, 4)), (C, nights(4, 7))))


PLACED = (lodger(0, 0, 3, A), lodger(1, 0, 3), lodger(2, 3, 5, C, pinned=True))
GOOD = {room(0): A, room(1): B, room(2): C}
FIRST_UNIT = Move(room(1), None, B)


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        pytest.param(Plan((FIRST_UNIT,), GOOD), True, id="good"),
        pytest.param(Plan((), GOOD), False, id="a move is missing"),
        pytest.param(Plan((FIRST_UNIT, FIRST_UNIT), GOOD), False, id="a move comes twice"),
        pytest.param(Plan((FIRST_UNIT, Move(room(0), A, A)), GOOD), False, id="a move to the same unit"),
        pytest.param(Plan((Move(room(1), A, B),), GOOD), False, id="a move from elsewhere"),
        pytest.param(Plan((), {room(0): A, room(2): C}), False, id="a lodger is missing"),
        pytest.param(Plan((FIRST_UNIT,), GOOD | {room(9): D}), False, id="a stranger"),
        pytest.param(Plan((Move(room(1), None, A),), GOOD | {room(1): A}), False, id="two in one unit"),
        pytest.param(Plan((Move(room(1), None, D),), GOOD | {room(1): D}), False, id="on taken nights"),
        pytest.param(Plan((Move(room(1), None, E),), GOOD | {room(1): E}), False, id="no unit of the list"),
        pytest.param(
            Plan((FIRST_UNIT, Move(room(2), C, A)), GOOD | {room(2): A}), False, id="the pinned is moved"
        ),
    ],
)
def test_the_checker_accepts_the_good_plan_only(plan, expected):
    assert is_valid(plan, (A, B, C, D), {D: closed(2, 3)}, PLACED) is expected


# --- a house of 120 rooms over 60 nights ----------------------------------------------------------------


def big_house(share_pinned: int, share_present: int) -> House:
    """Cut every unit's 60 nights into stays; of a hundred, so many are pinned, so many have their unit."""
    units = tuple(UnitId(UUID(int=number)) for number in range(1, 121))
    lengths = (1, 2, 3, 1, 7, 2, 4, 3, 14, 2, 5)
    taken: dict[UnitId, DateSet] = {}
    found: list[Lodger] = []
    numbers = count()
    for index, unit in enumerate(units):
        at = 0
        while at < 60:
            number = next(numbers)
            end = min(60, at + lengths[(number * 7 + index) % len(lengths)])
            draw = number * 37 % 100
            if index % 12 == 0 and unit not in taken and at > 20:
                taken[unit] = closed(at, end)
            elif number % 33:
                has_unit = draw < share_present
                found.append(lodger(number, at, end, unit if has_unit else None, pinned=draw < share_pinned))
            at = end
    return units, taken, tuple(reversed(found))


@pytest.mark.parametrize(("share_pinned", "share_present"), [(0, 0), (0, 60), (10, 60), (10, 20), (3, 95)])
def test_a_house_of_120_rooms_that_is_nearly_full_gets_a_plan(share_pinned, share_present):
    units, taken, lodgers = big_house(share_pinned, share_present)
    outcome = assign(units, taken, lodgers)
    assert len(lodgers) > 1_500
    assert isinstance(outcome, Plan)
    assert is_valid(outcome, units, taken, lodgers)
    assert sum(move.from_unit is not None for move in outcome.moves) < len(lodgers) / 10


def test_one_guest_more_than_a_full_house_of_120_rooms_holds_is_named_with_the_nights():
    units = tuple(UnitId(UUID(int=number)) for number in range(1, 121))
    full = [lodger(number, 0, 60, unit) for number, unit in enumerate(units)]
    outcome = assign(units, {}, [*full, lodger(500, 10, 12)])
    assert isinstance(outcome, Impossible)
    assert (outcome.nights, outcome.reason) == ((night(10), night(11)), Obstacle.OVERFULL)
    assert len(outcome.lodgers) == 121
