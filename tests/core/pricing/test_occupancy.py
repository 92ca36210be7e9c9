"""What a party makes of a price: places, extra adults, children by age, empty places, prices by person."""

from __future__ import annotations

from fractions import Fraction

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from core.pricing.naive import party_price
from core.pricing.price_scene import asking, base, book, derived, pct, priced
from pmscore.kernel.percent import Percent
from pmscore.pricing.model.guests import GuestParty
from pmscore.pricing.model.occupancy import AgeBand, OccupancyTerms, PricedBy
from pmscore.pricing.policies.occupancy import beds_of, party_charge
from pmscore.testing.price_strategies import guest_parties, occupancy_terms

INFANT = AgeBand(from_age=0, to_age=3, price=0, fills_place=False, needs_bed=False)
CHILD = AgeBand(from_age=3, to_age=12, price=1_500)
TEEN = AgeBand(from_age=12, to_age=18, price=Percent.parse("75"))
HOTEL = OccupancyTerms(included=2, extra_adult=3_000, empty_place=1_000, children=(INFANT, CHILD, TEEN))
HOSTEL = OccupancyTerms(
    priced_by=PricedBy.PERSON,
    children=(
        evolve(INFANT, price=Percent(0)),
        evolve(CHILD, price=Percent.parse("50")),
        evolve(TEEN, price=2_000),
    ),
)


@pytest.mark.parametrize(
    ("adults", "ages", "amount"),
    [
        (2, (), 10_000),  # both places taken
        (1, (), 9_000),  # one place empty: 100.00 - 10.00
        (3, (), 13_000),  # one extra bed: 100.00 + 30.00
        (4, (), 16_000),  # two extra beds
        (2, (2,), 10_000),  # an infant pays nothing and takes no place
        (1, (2,), 9_000),  # nor does it fill an empty one
        (1, (8,), 10_000),  # a child takes the second place
        (2, (8,), 11_500),  # and pays 15.00 where there is none
        (2, (8, 9), 13_000),
        (2, (14,), 12_250),  # a teenager pays 75 % of an extra adult: 22.50
        (1, (14, 8), 11_500),  # the oldest takes the place, the child of eight pays
        (2, (14, 8, 2), 13_750),  # 22.50 + 15.00 + nothing
        (2, (18,), 13_000),  # eighteen is in no band and pays as an adult
        (1, (18, 8), 11_500),  # and takes a place before any child
        (2, (11,), 11_500),  # bands end on the birthday: eleven is a child
        (2, (12,), 12_250),  # twelve is a teenager
        (2, (3,), 11_500),  # three is no infant any more
    ],
)
def test_a_unit_with_two_places(adults, ages, amount):
    """Mews: what an empty bed takes off and what an extra bed adds; children by band at arrival."""
    assert priced(book(base(occupancy=HOTEL)), asking(1, 2), GuestParty(adults=adults, ages=ages)) == [amount]


@pytest.mark.parametrize(
    ("adults", "ages", "amount"),
    [
        (1, (), 10_000),
        (3, (), 30_000),
        (2, (8,), 25_000),  # half of an adult's price
        (2, (8, 8, 1), 30_000),  # two halves, and an infant for nothing
        (1, (15,), 12_000),  # an amount of its own: 20.00
        (1, (18,), 20_000),  # an adult
    ],
)
def test_a_price_by_person(adults, ages, amount):
    """Channex sells by room or by person; each child pays its band's share of the price, or its amount."""
    assert priced(book(base(occupancy=HOSTEL)), asking(1, 2), GuestParty(adults=adults, ages=ages)) == [
        amount
    ]


def test_children_by_share_follow_the_price_of_the_night_and_those_by_amount_do_not():
    what = book(base(occupancy=HOSTEL), derived("saver", "flex", pct("-10")))
    family = GuestParty(adults=2, ages=(8, 15))
    # 90.00 x 2.5 + 20.00
    assert priced(what, asking(1, 2, plan="saver"), family) == [24_500]


def test_a_share_of_an_extra_adult_is_not_rounded_before_the_end():
    thirds = OccupancyTerms(
        included=1,
        extra_adult=1_000,
        children=(AgeBand(from_age=0, to_age=18, price=Percent.parse("33.35")),),
    )
    one, three = (GuestParty(adults=1, ages=(5,) * count) for count in (1, 3))
    # One child 3.335, half up 103.34; three children 10.005, half up 110.01 and not three times 3.34.
    assert priced(book(base(occupancy=thirds)), asking(1, 2), one) == [10_334]
    assert priced(book(base(occupancy=thirds)), asking(1, 2), three) == [11_001]


def test_empty_places_never_make_a_price_fall_below_nothing():
    wide = OccupancyTerms(included=6, empty_place=3_000)
    assert priced(book(base(occupancy=wide)), asking(1, 2), GuestParty(adults=1)) == [0]


def test_a_child_that_fills_no_place_pays_though_a_place_is_empty():
    paying = OccupancyTerms(
        included=3, empty_place=500, children=(AgeBand(from_age=0, to_age=18, price=800, fills_place=False),)
    )
    # One of three places stays empty: 100.00 - 5.00 + 8.00.
    assert priced(book(base(occupancy=paying)), asking(1, 2), GuestParty(adults=2, ages=(4,))) == [10_300]


def test_beds_count_everybody_but_bands_that_need_none():
    assert beds_of(HOTEL, GuestParty(adults=2, ages=(1, 8, 30))) == 4
    assert beds_of(OccupancyTerms(), GuestParty(adults=2, ages=(1, 8))) == 4
    assert beds_of(HOTEL, GuestParty(adults=1, ages=(0, 2), pets=3)) == 1


@given(occupancy_terms(), guest_parties(), st.integers(0, 10**6))
def test_a_party_is_a_straight_line_of_the_price(terms, party, price):
    charge = party_charge(terms, party)
    assert Fraction(charge.factor * price + charge.addition, 1_000_000) == party_price(terms, party, price)


@given(occupancy_terms(), guest_parties())
def test_pets_cost_nothing_here_and_equal_parties_the_same(terms, party):
    assert party_charge(terms, evolve(party, pets=0)) == party_charge(terms, party)
    assert party_charge(terms, evolve(party, ages=party.ages[::-1])) == party_charge(terms, party)


@given(occupancy_terms(), guest_parties(most=8), st.integers(0, 10**6))
def test_one_more_adult_never_makes_a_unit_cheaper(terms, party, price):
    one, more = (party_charge(terms, evolve(party, adults=party.adults + extra)) for extra in (0, 1))
    cheapest_child = min((band.price for band in terms.children if isinstance(band.price, int)), default=0)
    if terms.priced_by is PricedBy.PERSON or cheapest_child >= 0:
        assert more.factor * price + more.addition >= one.factor * price + one.addition


@given(occupancy_terms(), guest_parties())
def test_no_bed_less_than_adults_and_no_more_than_people(terms, party):
    assert party.adults <= beds_of(terms, party) <= party.count
