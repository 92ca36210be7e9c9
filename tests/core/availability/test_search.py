from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from core.availability.scene import (
    HOME,
    HOUSE,
    LODGE,
    NOW,
    ORIGIN,
    POOL,
    ROOMS,
    UNITS,
    CountingReader,
    a_claim,
    a_house,
    a_type,
    an_inn,
    claim_lists,
    stays,
)
from pmscore.availability.model import StaySearch
from pmscore.availability.policies.nearest import FARTHEST
from pmscore.availability.policies.search import capacities, sellable_rooms
from pmscore.availability.use_cases import calendar, occupied_ranges, search_stays
from pmscore.dates.nights import LAST_DAY, StayRange
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.house import Capacity
from pmscore.inventory.model.party import Party
from pmscore.inventory.model.stock import Claim, ClaimKind
from pmscore.kernel.errors import InvalidInputError, NotFoundError, Violation
from pmscore.kernel.ids import PropertyId, UnitTypeId
from pmscore.restrictions.model.book import RuleBook
from pmscore.restrictions.model.rules import Rule
from pmscore.testing.clocks import FixedClock

CLOCK = FixedClock(NOW)
CALENDAR = DateRange(date(2020, 1, 1), date(2040, 1, 1))


def stay(start: int, length: int) -> StayRange:
    return StayRange.of(ORIGIN + timedelta(start), length)


def night(at: int) -> date:
    return ORIGIN + timedelta(at)


def looking(where: StayRange, *types: UnitTypeId, rooms: int = 1, adults: int = 2) -> StaySearch:
    return StaySearch(stay=where, party=Party(adults), rooms=rooms, unit_type_ids=types)


def reader(*claims: Claim, rules: Sequence[Rule] = (), **house: int) -> CountingReader:
    return CountingReader((an_inn(**house),), claims, {HOUSE: RuleBook(tuple(rules))})


def test_an_empty_house_offers_every_type_that_takes_the_party():
    result = search_stays(looking(stay(3, 2)), reader=reader(), clock=CLOCK)
    assert [
        (each.unit_type_id, each.free_rooms, each.free_units, each.needs_move) for each in result.offers
    ] == [
        (POOL, 2, (), False),
        (ROOMS, 3, UNITS, False),
        (HOME, 1, (LODGE,), False),
    ]
    assert result.refusals == ()


def test_a_full_type_names_each_full_night_and_the_nearest_stays():
    taken = a_claim(HOME, 5, 2, LODGE)
    (refusal,) = search_stays(looking(stay(4, 4), HOME), reader=reader(taken), clock=CLOCK).refusals
    assert refusal.violations == tuple(Violation("type_full", night(at), str(HOME), "type") for at in (5, 6))
    # One turnover night follows each stay: leaving on 4 needs the night of 4, arriving on 7 follows a claim.
    assert refusal.nearest == (stay(7, 4), stay(0, 4), stay(8, 4))


def test_a_claimed_turnover_night_after_the_departure_refuses_the_stay():
    taken = a_claim(HOME, 5, 2, LODGE)
    (refusal,) = search_stays(looking(stay(3, 2), HOME), reader=reader(taken), clock=CLOCK).refusals
    assert refusal.violations == (Violation("turnover_taken", night(5), str(HOME), "type"),)
    assert refusal.nearest == (stay(2, 2), stay(1, 2), stay(0, 2), stay(3, 1))


def test_the_farthest_stay_is_checked_with_its_turnover_nights():
    full = (a_claim(HOME, 0, 34, LODGE), a_claim(HOME, 36, 5, LODGE, source=2))
    (refusal,) = search_stays(looking(stay(20, 1), HOME), reader=reader(*full[:1]), clock=CLOCK).refusals
    assert refusal.nearest == (stay(34, 1),)
    tight = search_stays(looking(stay(20, 2), HOME), reader=reader(*full), clock=CLOCK)
    assert tight.refusals[0].nearest == ()


def test_all_reasons_are_named_at_once_by_date():
    claims = [a_claim(POOL, 4, 1, source=number) for number in (1, 2)]
    rules = [
        Rule("closed_to_arrival", DateRange.of(night(3), 1)),
        Rule("min_stay_arrival", CALENDAR, value=5, unit_type_id=POOL),
    ]
    found = search_stays(
        looking(stay(3, 2), POOL, adults=3), reader=reader(*claims, rules=rules), clock=CLOCK
    )
    assert found.refusals[0].violations == (
        Violation("party_too_large", None, 2, "type"),
        Violation("closed_to_arrival", night(3), None, "property"),
        Violation("min_stay_arrival", night(3), 5, "type"),
        Violation("type_full", night(4), str(POOL), "type"),
    )
    assert found.refusals[0].nearest == ()  # no other dates make the party smaller


def test_rules_of_a_plan_refuse_only_who_asks_for_the_plan():
    rules = [Rule("closed_night", CALENDAR, plan="flex")]
    plain = looking(stay(3, 2), POOL)
    assert search_stays(plain, reader=reader(rules=rules), clock=CLOCK).offers
    assert search_stays(evolve(plain, plan="flex"), reader=reader(rules=rules), clock=CLOCK).refusals


def test_a_stay_in_the_past_has_its_nearest_in_the_future():
    house = an_inn()
    later = evolve(house, property=evolve(house.property, business_date=night(10)))
    (refusal,) = search_stays(
        looking(stay(8, 2), POOL), reader=CountingReader((later,)), clock=CLOCK
    ).refusals
    assert [each.code for each in refusal.violations] == ["arrival_in_past"]
    assert refusal.nearest == (stay(10, 2), stay(11, 2), stay(12, 2))


def test_a_minimum_stay_is_answered_with_the_longer_stay():
    rules = [Rule("min_stay_arrival", CALENDAR, value=3)]
    (refusal,) = search_stays(looking(stay(8, 2), POOL), reader=reader(rules=rules), clock=CLOCK).refusals
    assert refusal.nearest == (stay(8, 3), stay(8, 4))


def test_several_rooms_need_room_on_every_night_and_beds_for_all():
    claim = a_claim(ROOMS, 4, 1, UNITS[0])
    two = search_stays(looking(stay(3, 3), ROOMS, rooms=2, adults=6), reader=reader(claim), clock=CLOCK)
    assert two.offers[0].free_units == UNITS[1:]
    three = search_stays(looking(stay(3, 3), ROOMS, rooms=3, adults=6), reader=reader(claim), clock=CLOCK)
    assert three.refusals[0].violations == (Violation("type_full", night(4), str(ROOMS), "type"),)


def test_a_stay_that_no_single_unit_takes_is_offered_and_says_that_it_needs_a_move():
    claims = [a_claim(ROOMS, at, 1, unit, source=at) for at, unit in enumerate(UNITS, start=3)]
    (offer,) = search_stays(looking(stay(3, 3), ROOMS), reader=reader(*claims), clock=CLOCK).offers
    assert (offer.free_rooms, offer.free_units, offer.needs_move) == (2, (), True)


def test_the_allowance_for_overbooking_is_sold():
    claims = [a_claim(POOL, 3, 1, source=number) for number in (1, 2)]
    (offer,) = search_stays(
        looking(stay(3, 1), POOL), reader=reader(*claims, overbooking=1), clock=CLOCK
    ).offers
    assert offer.free_rooms == 1


def test_an_oversold_claim_takes_no_room_from_others():
    claims = [a_claim(HOME, 3, 1, None, ClaimKind.OVERSOLD)]
    assert search_stays(looking(stay(3, 1), HOME), reader=reader(*claims), clock=CLOCK).offers


def test_an_expired_hold_is_free_for_others():
    held = a_claim(HOME, 3, 2, LODGE, ClaimKind.HELD)
    for seconds, is_free in ((0, True), (1, False)):
        expiring = CountingReader(
            (an_inn(),), (held,), {}, {held.source_id: NOW + timedelta(seconds=seconds)}
        )
        assert bool(search_stays(looking(stay(3, 1), HOME), reader=expiring, clock=CLOCK).offers) is is_free


def test_answers_come_by_names_of_property_and_type():
    houses = (
        a_house(a_type(UnitTypeId(UUID(int=2))), name="Beta", number=1),
        a_house(
            a_type(UnitTypeId(UUID(int=3)), name="twin"),
            a_type(UnitTypeId(UUID(int=4)), name="double"),
            name="Alpha",
            number=2,
        ),
    )
    result = search_stays(looking(stay(1, 1)), reader=CountingReader(houses), clock=CLOCK)
    assert [each.unit_type_id.int for each in result.offers] == [4, 3, 2]
    one = evolve(looking(stay(1, 1)), property_ids=(PropertyId(UUID(int=1)),))
    found = search_stays(one, reader=CountingReader(houses), clock=CLOCK)
    assert [each.unit_type_id.int for each in found.offers] == [2]


def test_an_unknown_property_or_type_is_not_found():
    with pytest.raises(NotFoundError):
        search_stays(looking(stay(1, 1), UnitTypeId(UUID(int=99))), reader=reader(), clock=CLOCK)
    with pytest.raises(NotFoundError):
        search_stays(
            evolve(looking(stay(1, 1)), property_ids=(PropertyId(UUID(int=99)),)),
            reader=reader(),
            clock=CLOCK,
        )


def test_an_agency_without_properties_has_nothing_to_offer():
    result = search_stays(looking(stay(1, 1)), reader=CountingReader(()), clock=CLOCK)
    assert (result.offers, result.refusals) == ((), ())


@pytest.mark.parametrize(("rooms", "adults"), [(0, 2), (51, 60), (3, 2)])
def test_a_search_for_an_impossible_number_of_rooms_is_refused(rooms, adults):
    with pytest.raises(InvalidInputError) as refused:
        looking(stay(1, 1), rooms=rooms, adults=adults)
    assert refused.value.field == "rooms"


def test_a_stay_at_the_end_of_the_calendar_is_answered_or_named():
    last = StayRange(LAST_DAY - timedelta(days=1), LAST_DAY)
    rules = [Rule("closed_night", DateRange(LAST_DAY - timedelta(days=1), LAST_DAY))]
    result = search_stays(looking(last, POOL), reader=reader(rules=rules), clock=CLOCK)
    assert [each.departure for each in result.refusals[0].nearest] == [
        LAST_DAY - timedelta(days=days) for days in (1, 2, 3)
    ]
    with pytest.raises(InvalidInputError, match="out_of_calendar"):
        search_stays(looking(last, HOME), reader=reader(), clock=CLOCK)


RULES = st.lists(
    st.one_of(
        st.builds(
            lambda kind, at, length: Rule(kind, DateRange.of(night(at), length)),
            st.sampled_from(["closed_night", "closed_to_arrival", "closed_to_departure"]),
            st.integers(0, 45),
            st.integers(1, 8),
        ),
        st.builds(
            lambda kind, at, value: Rule(kind, DateRange.of(night(at), 10), value=value),
            st.sampled_from(["min_stay_arrival", "min_stay_through", "max_stay_through"]),
            st.integers(0, 40),
            st.integers(1, 7),
        ),
    ),
    max_size=4,
)


@given(claim_lists(), RULES, stays(), st.integers(1, 3), st.integers(0, 2), st.integers(0, 1))
def test_a_type_takes_a_stay_exactly_if_every_night_has_room_and_every_rule_allows_it(
    claims, rules, where, rooms, turnover, overbooking
):
    house = an_inn(overbooking=overbooking, turnover_nights=turnover)
    source = CountingReader((house,), claims, {HOUSE: RuleBook(tuple(rules))})
    result = search_stays(looking(where, rooms=rooms, adults=rooms), reader=source, clock=CLOCK)
    offered = {each.unit_type_id: each for each in result.offers}
    refused = {each.unit_type_id: each for each in result.refusals}
    assert offered.keys() | refused.keys() == house.types.keys()
    for type_id, unit_type in house.types.items():
        needed = DateRange.of(where.arrival, where.length + unit_type.turnover_nights).nights()
        free = {
            each: unit_type.capacity_on(each)
            + unit_type.overbooking
            - sum(
                each in claim.nights and claim.kind is not ClaimKind.OVERSOLD
                for claim in claims
                if claim.unit_type_id == type_id
            )
            for each in needed
        }
        full = {each for each, count in free.items() if count < rooms}
        if type_id in offered:
            assert not full
            assert offered[type_id].free_rooms == min(free.values())
        else:
            codes = {"type_full", "turnover_taken"}
            named = [each for each in refused[type_id].violations if each.code in codes]
            assert {each.night for each in named} == full
            assert all((each.code == "type_full") is (each.night in where) for each in named)
            assert full or any(each.code not in codes for each in refused[type_id].violations)


@given(claim_lists(), RULES, stays(), st.integers(1, 2), st.integers(0, 2))
def test_the_nearest_stays_pass_and_nothing_nearer_does(claims, rules, where, rooms, turnover):
    source = CountingReader((an_inn(turnover_nights=turnover),), claims, {HOUSE: RuleBook(tuple(rules))})

    def passes(other: StayRange, type_id: UnitTypeId) -> bool:
        return bool(search_stays(looking(other, type_id, rooms=rooms), reader=source, clock=CLOCK).offers)

    distances = range(1, FARTHEST + 1)
    shifts = [where.shifted(days * sign) for days in distances for sign in (-1, 1)]
    lengths = [where.length + days * sign for days in distances for sign in (-1, 1)]
    resized = [StayRange.of(where.arrival, length) for length in lengths if length > 0]
    for refusal in search_stays(looking(where, rooms=rooms), reader=source, clock=CLOCK).refusals:
        expected = [
            *[each for each in shifts if passes(each, refusal.unit_type_id)][:3],
            *[each for each in resized if passes(each, refusal.unit_type_id)][:2],
        ]
        assert list(refusal.nearest) == expected


def test_no_stay_is_near_if_there_is_room_nowhere():
    nothing = a_house(a_type(POOL, 0))
    (refusal,) = search_stays(looking(stay(20, 3)), reader=CountingReader((nothing,)), clock=CLOCK).refusals
    assert refusal.nearest == ()


@given(
    st.lists(
        st.tuples(st.integers(-5, 30), st.integers(0, 9)), min_size=1, max_size=4, unique_by=lambda at: at[0]
    ),
    st.integers(1, 20),
    st.integers(0, 2),
    st.data(),
)
def test_capacities_by_night_are_those_of_the_type(steps, length, overbooking, data):
    steps.sort()
    kind = a_type(
        capacities=tuple(Capacity(night(at), rooms) for at, rooms in steps), overbooking=overbooking
    )
    nights = DateRange.of(ORIGIN, length)
    expected = tuple(kind.capacity_on(each) for each in nights.nights())
    assert capacities(kind, nights) == expected
    claimed = data.draw(st.lists(st.integers(0, 12), min_size=length, max_size=length))
    assert sellable_rooms(kind, nights, claimed) == tuple(
        max(0, rooms + overbooking - claims) for rooms, claims in zip(expected, claimed, strict=True)
    )
    assert sellable_rooms(kind, nights, None) == tuple(rooms + overbooking for rooms in expected)


@given(claim_lists(), st.integers(1, 20), st.integers(0, 2))
def test_the_calendar_counts_every_kind_of_claim_by_type_and_night(claims, length, overbooking):
    nights = DateRange.of(night(5), length)
    house = an_inn(overbooking=overbooking)
    found = calendar(HOUSE, nights, reader=CountingReader((house,), claims), clock=CLOCK)
    assert [each.unit_type_id for each in found.types] == [POOL, ROOMS, HOME]
    for counted in found.types:
        unit_type = house.types[counted.unit_type_id]
        for at, each in enumerate(nights.nights()):
            of_night = [
                claim
                for claim in claims
                if claim.unit_type_id == counted.unit_type_id and each in claim.nights
            ]
            for kind in ClaimKind:
                assert counted.counts(kind)[at] == sum(claim.kind is kind for claim in of_night)
            claimed = sum(claim.kind is not ClaimKind.OVERSOLD for claim in of_night)
            rooms = unit_type.capacity_on(each)
            assert counted.capacity[at] == rooms
            assert counted.claimed()[at] == claimed
            assert counted.free()[at] == max(0, rooms - claimed)
            assert counted.sellable()[at] == max(0, rooms + unit_type.overbooking - claimed)


def test_a_calendar_may_be_asked_for_some_types_only():
    found = calendar(HOUSE, DateRange.of(ORIGIN, 3), reader=reader(), clock=CLOCK, unit_type_ids=[HOME])
    assert [(each.unit_type_id, each.capacity) for each in found.types] == [(HOME, (1, 1, 1))]
    with pytest.raises(NotFoundError):
        calendar(
            HOUSE,
            DateRange.of(ORIGIN, 3),
            reader=reader(),
            clock=CLOCK,
            unit_type_ids=[UnitTypeId(UUID(int=99))],
        )


@pytest.mark.parametrize("ask", [calendar, occupied_ranges])
def test_more_nights_than_three_years_are_refused(ask):
    with pytest.raises(InvalidInputError, match="too_long"):
        ask(HOUSE, DateRange.of(ORIGIN, 1097), reader=reader(), clock=CLOCK)


def test_occupied_ranges_are_those_of_the_property_at_this_instant():
    booked, held = a_claim(HOME, 3, 2, LODGE, source=1), a_claim(POOL, 3, 2, None, ClaimKind.HELD, 2)
    source = CountingReader((an_inn(),), (booked, held), {}, {held.source_id: NOW})
    found = occupied_ranges(HOUSE, DateRange.of(night(4), 3), reader=source, clock=CLOCK)
    assert [(each.state, each.unit_id, each.nights) for each in found] == [
        (ClaimKind.BOOKED, LODGE, booked.nights)
    ]
    with pytest.raises(NotFoundError):
        occupied_ranges(PropertyId(UUID(int=99)), DateRange.of(night(4), 3), reader=source, clock=CLOCK)
