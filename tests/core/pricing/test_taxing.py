"""Taxes by level, flat and in per cent, in the price and on top: worked out by hand, and by law."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.pricing.charging_scene import (
    ARRIVAL,
    PER_LINE,
    ROUNDINGS,
    night,
    nights_at,
    scenes,
    stay_of,
    tax,
)
from pmscore.dates.ranges import DateRange
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.money import Rounding, round_ratio
from pmscore.kernel.percent import WHOLE, Percent
from pmscore.pricing.model.charges.counting import AgeLimit, ChargedStay, Per
from pmscore.pricing.model.charges.fees import Inclusion
from pmscore.pricing.model.charges.lines import Chargeable, TaxResult
from pmscore.pricing.model.charges.tax_table import TaxTable
from pmscore.pricing.model.charges.taxes import RoundingScope, Tax, TaxRounding
from pmscore.pricing.model.guests import GuestParty
from pmscore.pricing.policies.charging import carve_inclusions
from pmscore.pricing.policies.taxing import charge_taxes, is_charged_on

Scene = tuple[TaxTable, tuple[Chargeable, ...], ChargedStay]


def charged(*taxes: Tax, on: tuple[Chargeable, ...], stay: ChargedStay | None = None) -> TaxResult:
    return charge_taxes(TaxTable(taxes), on, stay or stay_of(len(on)), PER_LINE)


# By hand. Amounts are minor units: 20000 is 200.00.


def test_us_occupancy_taxes_of_one_level_do_not_compound() -> None:
    # 2 nights at 200.00: state 6 % of each is 12.00, city 5 % of each is 10.00.
    result = charged(tax("state", "6"), tax("city", "5"), on=nights_at(20_000, 20_000))
    assert result.by_tax() == {"state": 2_400, "city": 2_000}
    assert (result.net, result.tax, result.due) == (40_000, 4_400, 44_400)


def test_a_us_city_tax_of_a_higher_level_compounds_on_the_state_tax() -> None:
    # 189.99: state 6 % = 11.3994 -> 11.40; city 5 % of 189.99 + 11.3994 = 10.06947 -> 10.07.
    city = tax("city", "5", level=2, compounds=("state",))
    result = charged(tax("state", "6"), city, on=nights_at(18_999))
    assert result.by_tax() == {"state": 1_140, "city": 1_007}
    (state_line, city_line) = result.taxes
    assert (state_line.base, city_line.base) == (18_999, 18_999 + 1_140)
    assert Fraction(city_line.numer, city_line.denom) == Fraction("1006.947")


def test_all_lower_levels_can_be_compounded_on_without_naming_them() -> None:
    # 100.00 + 6 % + 2 % (one level) = 108.00; 10 % of it is 10.80.
    result = charged(
        tax("a", "6"), tax("b", "2"), tax("c", "10", level=2, compounds_lower=True), on=nights_at(10_000)
    )
    assert result.by_tax() == {"a": 600, "b": 200, "c": 1_080}


def test_the_portuguese_tourist_tax_is_for_seven_nights_and_for_guests_of_13_and_more() -> None:
    # 2.00 a head and night: 2 adults and one of 13 (one of 12 is exempt), 7 of 9 nights: 3 x 7 x 2.00 = 42.00.
    levy = tax(
        "tmt",
        200,
        per=Per.PERSON_NIGHT,
        counted=AgeLimit(from_age=13),
        most_nights=7,
        is_city_tax=True,
    )
    stay = stay_of(9, GuestParty(adults=2, ages=(12, 13)))
    result = charged(levy, on=nights_at(*[9_000] * 9), stay=stay)
    assert result.city_tax == 4_200
    assert (result.tax, result.gross, result.due) == (0, 81_000, 85_200)
    assert [line.night for line in result.taxes] == [night(at) for at in range(7)]
    assert {(line.base, line.rate, line.amount) for line in result.taxes} == {(3, 200, 600)}


def test_a_city_tax_in_per_cent_is_on_the_net_room_price_and_no_revenue() -> None:
    # Berlin: 107.00 with 7 % in it is 100.00 net; 7.5 % of that is 7.50, on top.
    vat = tax("vat", "7", is_inclusive=True)
    city = tax("citytax", "7.5", is_city_tax=True)
    result = charged(vat, city, on=nights_at(10_700))
    assert result.by_tax() == {"vat": 700, "citytax": 750}
    assert (result.net, result.tax, result.gross) == (10_000, 700, 10_700)
    assert (result.city_tax, result.due) == (750, 11_450)


def test_german_breakfast_in_the_rate_bears_19_per_cent_and_the_room_7() -> None:
    # 120.00 with breakfast for two at 10.00: 100.00 x 7/107 = 6.5421 -> 6.54; 20.00 x 19/119 = 3.1933 -> 3.19.
    breakfast = Inclusion(code="egg", per=Per.PERSON_NIGHT, amount=1_000, category="food")
    stay = stay_of(1)
    lines = carve_inclusions((breakfast,), stay, nights_at(12_000))
    result = charged(
        tax("vat7", "7", is_inclusive=True),
        tax("vat19", "19", on=("food",), is_inclusive=True),
        on=lines,
        stay=stay,
    )
    assert result.by_tax() == {"vat7": 654, "vat19": 319}
    assert [line.net for line in result.charges] == [9_346, 1_681]
    assert result.due == 12_000


def test_a_mews_like_dependent_tax_is_on_the_base_and_another_tax() -> None:
    # Service 10 % of 100.00 = 10.00; VAT 10 % of 110.00 = 11.00.
    vat = tax("vat", "10", level=2, compounds=("service",))
    assert charged(tax("service", "10"), vat, on=nights_at(10_000)).by_tax() == {
        "service": 1_000,
        "vat": 1_100,
    }


def test_a_percentage_is_no_amount_and_an_amount_no_percentage() -> None:
    assert (tax("vat", "7").millionths, tax("vat", "7").flat) == (70_000, 0)
    assert (tax("city", 250, per=Per.NIGHT).millionths, tax("city", 250, per=Per.NIGHT).flat) == (0, 250)


def test_a_tax_can_be_charged_on_a_flat_tax() -> None:
    # City tax 3.00 a night for two = 6.00; VAT 10 % on the room (10.00) and on the city tax (0.60).
    city = tax("city", 300, per=Per.PERSON_NIGHT, is_city_tax=True)
    vat = tax("vat", "10", level=2, compounds=("city",))
    result = charged(city, vat, on=nights_at(10_000))
    assert result.by_tax() == {"city": 600, "vat": 1_060}
    assert [(line.tax, line.source, line.on_tax, line.base) for line in result.taxes] == [
        ("vat", "bar", None, 10_000),
        ("city", None, None, 2),
        ("vat", None, "city", 600),
    ]


def test_yen_have_no_digits_and_dinars_three() -> None:
    # JPY 10,000 with 10 % in it: 10000 / 11 = 909.09 -> 909, and 200 a head for two on top.
    consumption = tax("vat", "10", is_inclusive=True)
    lodging = tax("lodging", 200, per=Per.PERSON_NIGHT, is_city_tax=True)
    yen = charged(consumption, lodging, on=nights_at(10_000))
    assert (yen.net, yen.tax, yen.city_tax, yen.due) == (9_091, 909, 400, 10_400)
    # KWD 12.345 and 10 % on top: 1.2345 -> 1.235.
    assert charged(tax("vat", "10"), on=nights_at(12_345)).tax == 1_235


def test_a_rate_that_changes_during_the_stay_splits_it_by_night() -> None:
    # Germany 2020: 7 % until 30 June, 5 % from 1 July on; the code stays.
    before = tax("vat", "7", is_inclusive=True, valid=DateRange(night(-100), night(2)))
    after = tax("vat", "5", is_inclusive=True, valid=DateRange(night(2), night(100)))
    result = charged(after, before, on=nights_at(10_000, 10_000, 10_000))
    # 100.00 x 7/107 = 6.5421 -> 6.54 twice; 100.00 x 5/105 = 4.7619 -> 4.76.
    assert [line.amount for line in result.taxes] == [654, 654, 476]
    assert [(each.tax, str(each.rate), each.base, each.amount) for each in result.sums] == [
        ("vat", "5 %", 9_524, 476),
        ("vat", "7 %", 18_692, 1_308),
    ]


def test_compounding_taxes_are_taken_out_of_a_price_that_includes_them() -> None:
    # Net 100.00, 5 % = 5.00, 10 % of 105.00 = 10.50: the price is 115.50.
    low = tax("low", "5", is_inclusive=True)
    high = tax("high", "10", level=2, compounds=("low",), is_inclusive=True)
    result = charged(high, low, on=nights_at(11_550))
    assert (result.net, result.by_tax()) == (10_000, {"low": 500, "high": 1_050})


def test_a_flat_tax_in_the_price_is_taken_out_before_the_percentages() -> None:
    # 111.00 with 2 x 2.00 city tax in it leaves 107.00, of which 7 % VAT is 7.00.
    city = tax("city", 200, per=Per.PERSON_NIGHT, is_inclusive=True, is_city_tax=True)
    result = charged(tax("vat", "7", is_inclusive=True), city, on=nights_at(11_100))
    assert (result.net, result.tax, result.city_tax, result.due) == (10_000, 700, 400, 11_100)


def test_a_flat_tax_in_the_price_takes_no_more_than_the_price() -> None:
    city = tax("city", 200, per=Per.PERSON_NIGHT, is_inclusive=True, is_city_tax=True)
    result = charged(city, on=nights_at(150, 1_000))
    assert [line.amount for line in result.taxes] == [150, 400]
    assert result.due == 1_150


def test_a_flat_tax_in_the_price_is_taken_of_all_charges_of_the_night() -> None:
    city = tax("city", 500, per=Per.NIGHT, is_inclusive=True)
    two = (*nights_at(300), *nights_at(300))
    result = charged(city, on=two, stay=stay_of(1))
    assert [(line.base, line.amount) for line in result.taxes] == [(1, 300), (0, 200)]
    assert [line.net for line in result.charges] == [0, 100]


@pytest.mark.parametrize(
    ("per", "amount"),
    [
        # 3 nights; room 0 with 2 adults, a child and a dog, room 1 with one adult.
        (Per.NIGHT, 6),
        (Per.PERSON, 4),
        (Per.PERSON_NIGHT, 12),
        (Per.STAY, 2),
        (Per.BOOKING, 1),
        (Per.PET, 1),
        (Per.PET_NIGHT, 3),
    ],
)
def test_how_often_a_flat_tax_is_charged(per: Per, amount: int) -> None:
    stay = stay_of(3, GuestParty(adults=2, ages=(7,), pets=1), GuestParty(adults=1))
    charges = (*nights_at(100, 100, 100), *nights_at(100, 0, 100, room=1))
    assert charged(tax("flat", 1, per=per), on=charges, stay=stay).tax == amount


def test_flat_taxes_come_by_night_whatever_the_order_of_the_charges() -> None:
    charges = (*nights_at(100, 100, 100, room=1), *nights_at(100, 100, 100))
    stay = stay_of(3, GuestParty(adults=1), GuestParty(adults=1))
    found = charged(tax("city", 200, per=Per.NIGHT), on=charges[::-1], stay=stay)
    places = [(night(at), room) for at in range(3) for room in range(2)]
    assert [(each.night, each.room) for each in found.taxes] == places


def test_a_flat_tax_is_not_charged_where_nothing_bears_it() -> None:
    coffee = Chargeable(code="bar", category="food", amount=300, night=ARRIVAL)
    assert charged(tax("city", 200, per=Per.PERSON_NIGHT), on=(coffee,)).taxes == ()
    assert charged(tax("city", 200, per=Per.BOOKING), on=(), stay=stay_of(1)).taxes == ()


def test_a_percentage_with_exempt_ages_is_on_the_share_of_those_who_count() -> None:
    # 6 % on 300.00 for two adults and a child of 5: two of three heads, 6 % of 200.00 = 12.00.
    levy = tax("levy", "6", counted=AgeLimit(from_age=18))
    stay = stay_of(1, GuestParty(adults=2, ages=(5,)))
    result = charged(levy, on=nights_at(30_000), stay=stay)
    assert (result.taxes[0].base, result.tax) == (20_000, 1_200)


def test_first_nights_are_skipped_and_then_so_many_charged() -> None:
    levy = tax("levy", "10", skipped_nights=1, most_nights=2)
    result = charged(levy, on=nights_at(100, 200, 300, 400))
    assert [(line.night, line.amount) for line in result.taxes] == [(night(1), 20), (night(2), 30)]


def test_a_charge_of_no_night_bears_what_is_valid_on_arrival() -> None:
    fee = Chargeable(code="clean", category="fee", amount=1_000)
    on_fee = ("fee",)
    before = tax("vat", "7", on=on_fee, valid=DateRange(night(-9), night(1)), skipped_nights=2)
    after = tax("vat", "19", on=on_fee, valid=DateRange(night(1), night(9)))
    assert charged(before, after, on=(fee,), stay=stay_of(3)).by_tax() == {"vat": 70}


def test_long_stays_and_channels_that_remit_are_exempt() -> None:
    levy = tax("levy", "10", exempt_from_nights=3, remitted_by=("ota",))
    assert charged(levy, on=nights_at(100, 100)).tax == 20
    assert charged(levy, on=nights_at(100, 100, 100)).taxes == ()
    assert charged(levy, on=nights_at(100), stay=stay_of(1, channel="ota")).taxes == ()
    assert charged(levy, on=nights_at(100), stay=stay_of(1, channel="other")).tax == 10


def test_nothing_is_charged_without_taxes() -> None:
    result = charged(on=nights_at(100, 200))
    assert (result.net, result.tax, result.due, result.taxes, result.sums) == (300, 0, 300, (), ())


def test_a_rate_of_zero_is_shown() -> None:
    result = charged(tax("vat", "0"), on=nights_at(100))
    assert [(line.base, line.amount) for line in result.taxes] == [(100, 0)]


@pytest.mark.parametrize(
    ("charge", "field"),
    [
        (Chargeable(code="bar", category="room", amount=1, night=night(-1)), "night"),
        (Chargeable(code="bar", category="room", amount=1, night=night(1)), "night"),
        (Chargeable(code="bar", category="room", amount=1, room=1), "room"),
        (Chargeable(code="bar", category="room", amount=1, room=-1), "room"),
    ],
)
def test_charges_of_another_stay_are_refused(charge: Chargeable, field: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        charged(on=(charge,), stay=stay_of(1))
    assert refused.value.field == field


# By law.


@given(scenes(), ROUNDINGS)
def test_parts_sum_to_totals(scene: Scene, rounding: TaxRounding) -> None:
    """In every scope and mode the figures agree with each other to the unit, and none is below zero."""
    table, charges, stay = scene
    result = charge_taxes(table, charges, stay, rounding)
    assert result.net == sum(line.net for line in result.charges)
    assert result.tax + result.city_tax == sum(line.amount for line in result.taxes)
    assert sum(each.amount for each in result.sums) == sum(line.amount for line in result.taxes)
    added = sum(line.amount for line in result.taxes if not line.is_inclusive)
    assert result.due == sum(line.gross for line in result.charges) + added
    assert result.gross == result.net + result.tax
    assert all(line.net >= 0 for line in result.charges)
    assert all(line.amount >= 0 for line in result.taxes)
    if rounding.scope is not RoundingScope.PER_RATE:
        assert [line.gross for line in result.charges] == [charge.amount for charge in charges]


@given(scenes(), ROUNDINGS, st.randoms(use_true_random=False))
def test_the_order_of_taxes_does_not_matter(scene: Scene, rounding: TaxRounding, random: Random) -> None:
    """A table of the same taxes in another order gives the same result."""
    table, charges, stay = scene
    shuffled = list(table.taxes)
    random.shuffle(shuffled)
    other = TaxTable(tuple(shuffled))
    assert charge_taxes(other, charges, stay, rounding) == charge_taxes(table, charges, stay, rounding)


@given(scenes(), ROUNDINGS)
def test_a_tax_touches_only_what_it_is_for(scene: Scene, rounding: TaxRounding) -> None:
    """No tax on a night outside its dates, its skipped nights and its cap, or on another category."""
    table, charges, stay = scene
    for line in charge_taxes(table, charges, stay, rounding).taxes:
        rules = [each for each in table.taxes if each.code == line.tax and each.rate == line.rate]
        assert any(is_charged_on(each, line.night, stay) for each in rules)
        for each in rules:
            if line.night is not None and len(rules) == 1:
                at = (line.night - stay.arrival).days
                assert each.valid is None or line.night in each.valid
                assert each.skipped_nights <= at
                assert each.most_nights is None or at < each.skipped_nights + each.most_nights


@given(scenes(), ROUNDINGS)
def test_who_is_exempt_pays_nothing(scene: Scene, rounding: TaxRounding) -> None:
    """Where no guest counts, or the channel remits, a tax comes to nothing."""
    table, charges, stay = scene
    nobody = AgeLimit(counts_adults=False, from_age=119)
    exempt = TaxTable(
        tuple(
            tax(each.code, each.rate if isinstance(each.rate, int) else each.rate.plain(), on=each.on,
                per=Per.PERSON if isinstance(each.rate, int) else None, level=each.level, valid=each.valid,
                counted=nobody)
            for each in table.taxes
        )
    )  # fmt: skip
    assert charge_taxes(exempt, charges, stay, rounding).taxes == ()


@given(
    st.integers(0, 10**7),
    st.lists(st.integers(0, WHOLE // 4), min_size=1, max_size=4),
    st.booleans(),
    st.sampled_from(Rounding),
)
def test_compounding_is_what_it_is_step_by_step(
    net_or_gross: int, rates: list[int], is_inclusive: bool, mode: Rounding
) -> None:
    """Each level on the net and all lower levels, exactly, rounded once."""
    table = TaxTable(
        tuple(
            Tax(
                code=f"t{at}",
                name="T",
                rate=Percent(rate),
                level=at,
                compounds_lower=True,
                is_inclusive=is_inclusive,
            )
            for at, rate in enumerate(rates)
            if not is_inclusive or sum(rates) <= WHOLE // 2
        )
    )
    net = Fraction(net_or_gross)
    if is_inclusive:
        for each in table.taxes:
            net /= 1 + Fraction(each.millionths, WHOLE)
    running, expected = net, []
    for each in table.taxes:
        amount = running * Fraction(each.millionths, WHOLE)
        running += amount
        expected.append(amount)
    result = charge_taxes(table, nights_at(net_or_gross), stay_of(1), TaxRounding(mode=mode))
    assert [Fraction(line.numer, line.denom) for line in result.taxes] == expected
    rounded = [round_ratio(each.numerator, each.denominator, mode) for each in expected]
    if not is_inclusive or sum(rounded) <= net_or_gross:
        assert [line.amount for line in result.taxes] == rounded


def taxes_by_definition(
    table: TaxTable, charges: tuple[Chargeable, ...], stay: ChargedStay
) -> list[tuple[str, int, Fraction]]:
    """Return code, room and exact amount of every tax, by the words of the rules and nothing shorter."""
    found: list[tuple[str, int, Fraction]] = []
    left = [charge.amount for charge in charges]

    def holds(each: Tax, day: date | None) -> bool:
        at = 0 if day is None else (day - stay.arrival).days
        begun = day is None or at >= each.skipped_nights
        ended = (
            day is not None and each.most_nights is not None and at >= each.skipped_nights + each.most_nights
        )
        dated = each.valid is None or (day or stay.arrival) in each.valid
        return begun and not ended and dated and stay.channel not in each.remitted_by

    def compounds(high: Tax, low: Tax) -> bool:
        return low.code in high.compounds

    def share(each: Tax, room: int) -> Fraction:
        party = stay.rooms[room]
        known = [age for age in party.ages if each.counted.from_age <= age < each.counted.to_age]
        heads = len(known) + (party.adults if each.counted.counts_adults else 0)
        return Fraction(heads, party.adults + len(party.ages))

    def on(base: Fraction, borne: list[Tax], flat: Tax | None, room: int) -> list[tuple[Tax, Fraction]]:
        done: list[tuple[Tax, Fraction]] = []
        for each in borne:
            is_on_it = flat is None or compounds(each, flat)
            basis = base * is_on_it + sum(amount for low, amount in done if compounds(each, low))
            done.append((each, basis * share(each, room) * Fraction(each.millionths, WHOLE)))
        return done

    per_cent = [each for each in table.taxes if isinstance(each.rate, Percent)]
    for flat in table.taxes:
        if flat.per is None:
            continue
        places = sorted(
            {
                (charge.night or date.max, 0 if flat.per is Per.BOOKING else charge.room)
                if flat.per.is_nightly
                else (date.max, 0 if flat.per is Per.BOOKING else charge.room)
                for charge in charges
                if charge.category in flat.on and not (flat.per.is_nightly and charge.night is None)
            }
        )
        for day, room in places:
            night_of = None if day == date.max else day
            if not holds(flat, night_of):
                continue
            party = stay.rooms[room]
            count = {"person": share(flat, room) * party.count, "pet": party.pets}.get(
                flat.per.split("_")[0], 1
            )
            owed = int(count * flat.flat)
            parts = [owed] if not flat.is_inclusive else []
            for at, charge in enumerate(charges):
                bears = flat.is_inclusive and charge.category in flat.on
                if bears and charge.night == night_of and charge.room == room:
                    parts.append(min(owed, left[at]))
                    owed -= parts[-1]
                    left[at] -= parts[-1]
            borne = [each for each in per_cent if holds(each, night_of)]
            for part in parts:
                found.append((flat.code, room, Fraction(part)))
                found += [(each.code, room, amount) for each, amount in on(Fraction(part), borne, flat, room)]
    for charge, price in zip(charges, left, strict=True):
        borne = [each for each in per_cent if charge.category in each.on and holds(each, charge.night)]
        of_one = on(Fraction(1), borne, None, charge.room)
        net = Fraction(price) / (1 + sum(amount for each, amount in of_one if each.is_inclusive))
        found += [(each.code, charge.room, amount) for each, amount in on(net, borne, None, charge.room)]
    return sorted(each for each in found if each[2])


@given(scenes())
def test_every_tax_is_what_the_rules_say(scene: Scene) -> None:
    """Before rounding, the engine comes to what the rules come to, read word by word with fractions."""
    table, charges, stay = scene
    result = charge_taxes(table, charges, stay, PER_LINE)
    exact = [(line.tax, line.room, Fraction(line.numer, line.denom)) for line in result.taxes]
    assert sorted(each for each in exact if each[2]) == taxes_by_definition(table, charges, stay)


@given(scenes(), ROUNDINGS)
def test_sums_are_the_lines_by_tax_and_rate(scene: Scene, rounding: TaxRounding) -> None:
    """Every line is in one sum, with all its figures; and a base is the net and the taxes below."""
    table, charges, stay = scene
    result = charge_taxes(table, charges, stay, rounding)
    for each in result.sums:
        mine = [
            line
            for line in result.taxes
            if (line.tax, line.effective, line.is_inclusive, line.is_city_tax)
            == (each.tax, each.effective, each.is_inclusive, each.is_city_tax)
        ]
        assert mine
        assert each.base == sum(line.base for line in mine)
        assert each.amount == sum(line.amount for line in mine)
        assert Fraction(each.numer, each.denom) == sum(Fraction(line.numer, line.denom) for line in mine)
    assert result.by_tax() == {
        code: sum(line.amount for line in result.taxes if line.tax == code)
        for code in {line.tax for line in result.taxes}
    }


def test_a_tax_on_a_tax_on_a_flat_tax_is_taken_of_that_tax_alone() -> None:
    # Two guests at 2.00 are 4.00; 10 % of them are 0.40; 50 % of these are 0.20 and of nothing else.
    flat = tax("city", 200, per=Per.PERSON_NIGHT)
    vat = tax("vat", "10", level=2, compounds=("city",))
    more = tax("more", "50", level=3, compounds=("vat",))
    result = charged(flat, vat, more, on=nights_at(10_000), stay=stay_of(1, GuestParty(adults=2)))
    on_city = {line.tax: (line.base, line.amount) for line in result.taxes if line.on_tax == "city"}
    assert on_city == {"vat": (400, 40), "more": (40, 20)}
