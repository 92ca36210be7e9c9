"""Fees and inclusions: how often, on which nights, for whom; and what no house can ask for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.pricing.charging_scene import AMOUNTS, ARRIVAL, SOME_NIGHTS, STAYS, night, nights_at, stay_of, tax
from pmscore.dates.ranges import DateRange
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.money import MAX_MINOR, Rounding
from pmscore.kernel.percent import Percent
from pmscore.pricing.model.charges.counting import EVERYBODY, AgeLimit, ChargedStay, Per
from pmscore.pricing.model.charges.fees import Fee, Inclusion
from pmscore.pricing.model.charges.lines import Chargeable
from pmscore.pricing.model.charges.tax_table import TaxTable
from pmscore.pricing.model.charges.taxes import Tax
from pmscore.pricing.model.guests import OLDEST, GuestParty
from pmscore.pricing.policies.charging import carve_inclusions, charge_fees

FAMILY = GuestParty(adults=2, ages=(1, 7), pets=1)
SINGLE = GuestParty(adults=1)
CHILDREN = AgeLimit(counts_adults=False, from_age=2, to_age=12)


def fee(per: Per, amount: int | Percent, **more: object) -> Fee:
    return Fee(code="clean", name="Cleaning", per=per, amount=amount, **more)


def short(lines: tuple[Chargeable, ...]) -> list[tuple[int | None, int, int, int]]:
    """Return night (counted from the arrival), room, quantity and amount of each line."""
    return [
        (None if line.night is None else (line.night - ARRIVAL).days, line.room, line.quantity, line.amount)
        for line in lines
    ]


@pytest.mark.parametrize(
    ("charged", "lines"),
    [
        (fee(Per.NIGHT, 500), [(0, 0, 1, 500), (1, 0, 1, 500), (0, 1, 1, 500), (1, 1, 1, 500)]),
        (fee(Per.PERSON, 500), [(None, 0, 4, 2_000), (None, 1, 1, 500)]),
        (fee(Per.PERSON_NIGHT, 5), [(0, 0, 4, 20), (1, 0, 4, 20), (0, 1, 1, 5), (1, 1, 1, 5)]),
        (fee(Per.STAY, 500), [(None, 0, 1, 500), (None, 1, 1, 500)]),
        (fee(Per.BOOKING, 500), [(None, 0, 1, 500)]),
        (fee(Per.PET, 500), [(None, 0, 1, 500)]),
        (fee(Per.PET_NIGHT, 500), [(0, 0, 1, 500), (1, 0, 1, 500)]),
        (fee(Per.PERSON, 500, counted=CHILDREN), [(None, 0, 1, 500)]),
        # 10 % of 100.05 = 10.005 -> 10.01; of 300.05 in all = 30.005 -> 30.01; of 400.05 = 40.01.
        (fee(Per.STAY, Percent.parse("10")), [(None, 0, 30_005, 3_001), (None, 1, 10_000, 1_000)]),
        (fee(Per.BOOKING, Percent.parse("10")), [(None, 0, 40_005, 4_001)]),
        (
            fee(Per.NIGHT, Percent.parse("10")),
            [(0, 0, 10_005, 1_001), (1, 0, 20_000, 2_000), (0, 1, 10_000, 1_000)],
        ),
    ],
)
def test_how_often_a_fee_is_charged(charged: Fee, lines: list[tuple[int | None, int, int, int]]) -> None:
    stay = stay_of(2, FAMILY, SINGLE)
    rooms = (*nights_at(10_005, 20_000), *nights_at(10_000, room=1))
    assert short(charge_fees((charged,), (), stay, rooms)) == lines


def test_a_percentage_is_rounded_as_asked_for() -> None:
    charged = fee(Per.STAY, Percent.parse("10"))
    assert charge_fees((charged,), (), stay_of(1), nights_at(10_005), Rounding.DOWN)[0].amount == 1_000


def test_a_line_says_how_it_came_to_be() -> None:
    (line,) = charge_fees((fee(Per.PERSON, 500, category="service"),), (), stay_of(1, FAMILY), ())
    assert (line.code, line.category, line.quantity, line.unit) == ("clean", "service", 4, 500)


def test_chosen_fees_are_charged_when_named_and_mandatory_ones_always() -> None:
    fees = (
        Fee(code="parking", name="Parking", per=Per.NIGHT, amount=900, is_mandatory=False),
        Fee(code="clean", name="Cleaning", per=Per.STAY, amount=5_000),
    )
    assert [line.code for line in charge_fees(fees, (), stay_of(1), ())] == ["clean"]
    both = charge_fees(fees, ("parking", "clean", "parking"), stay_of(1), ())
    assert [line.code for line in both] == ["clean", "parking"]
    assert charge_fees(fees[::-1], ("clean", "parking"), stay_of(1), ()) == both


def test_unknown_fees_and_fees_that_are_not_to_be_had_are_refused() -> None:
    summer = fee(Per.NIGHT, 1, is_mandatory=False, valid=DateRange.of(night(5), 10))
    for fees, code, reason in (((), "clean", "unknown_fee"), ((summer,), "clean", "not_available")):
        with pytest.raises(InvalidInputError) as refused:
            charge_fees(fees, (code,), stay_of(2), ())
        assert (refused.value.field, refused.value.reason) == ("extras", reason)


def test_nightly_fees_are_valid_by_night_and_others_by_arrival() -> None:
    from_second = DateRange.of(night(1), 2)
    stay = stay_of(5)
    nightly = charge_fees((fee(Per.NIGHT, 100, valid=from_second),), (), stay, ())
    assert [line[0] for line in short(nightly)] == [1, 2]
    assert charge_fees((fee(Per.STAY, 100, valid=from_second),), (), stay, ()) == ()
    assert len(charge_fees((fee(Per.STAY, 100, valid=DateRange.of(ARRIVAL, 1)),), (), stay, ())) == 1


def inclusion(amount: int | Percent, per: Per = Per.PERSON_NIGHT, **more: object) -> Inclusion:
    return Inclusion(code="egg", per=per, amount=amount, category="food", **more)


def test_breakfast_is_carved_out_of_the_nights_that_have_it() -> None:
    lines = carve_inclusions(
        (inclusion(1_000, valid=DateRange.of(night(1), 9)),), stay_of(2, FAMILY), nights_at(9_000, 9_000)
    )
    assert [(line.code, line.category, line.amount, line.night) for line in lines] == [
        ("bar", "room", 9_000, night(0)),
        ("bar", "room", 5_000, night(1)),
        ("egg", "food", 4_000, night(1)),
    ]
    assert (lines[2].quantity, lines[2].unit) == (4, 1_000)


def test_an_inclusion_is_never_more_than_the_price() -> None:
    dinner = Inclusion(code="a-dinner", per=Per.NIGHT, amount=700, category="food")
    lines = carve_inclusions((inclusion(500), dinner), stay_of(1, SINGLE), nights_at(1_000))
    assert [(line.code, line.amount) for line in lines] == [("bar", 0), ("a-dinner", 700), ("egg", 300)]
    assert carve_inclusions((inclusion(500),), stay_of(1), nights_at(0)) == nights_at(0)


def test_an_inclusion_can_be_a_part_in_per_cent() -> None:
    lines = carve_inclusions((inclusion(Percent.parse("15"), Per.NIGHT),), stay_of(1), nights_at(9_990))
    assert [line.amount for line in lines] == [8_491, 1_499]  # 99.90 x 15 % = 14.985 -> 14.99


def test_what_belongs_to_no_night_includes_nothing() -> None:
    charge = Chargeable(code="bar", category="room", amount=9_000)
    assert carve_inclusions((inclusion(500),), stay_of(1), (charge,)) == (charge,)
    assert carve_inclusions((), stay_of(1), [charge]) == (charge,)


@given(
    STAYS,
    st.lists(AMOUNTS, min_size=1, max_size=6),
    st.lists(
        st.builds(
            Inclusion,
            code=st.sampled_from(("egg", "spa")),
            per=st.just(Per.NIGHT),
            amount=st.one_of(AMOUNTS, st.integers(0, 10**6).map(Percent)),
            category=st.just("food"),
            valid=SOME_NIGHTS,
        ),
        max_size=3,
    ),
)
def test_carving_keeps_the_sum_of_every_night(
    stay: ChargedStay, amounts: list[int], inclusions: list[Inclusion]
) -> None:
    """No unit of a night is lost, none is below zero, and the order of different codes does not matter."""
    rooms = nights_at(*amounts[: stay.stay.length])
    lines = carve_inclusions(inclusions, stay, rooms)
    assert all(line.amount >= 0 for line in lines)
    for charge in rooms:
        assert sum(line.amount for line in lines if line.night == charge.night) == charge.amount


@given(STAYS, st.sampled_from(Per), AMOUNTS, SOME_NIGHTS)
def test_fees_touch_only_their_nights(
    stay: ChargedStay, per: Per, amount: int, valid: DateRange | None
) -> None:
    """Each line is a quantity of the unit amount, on a night of the stay on which the fee is valid."""
    charged = Fee(code="clean", name="Cleaning", per=per, amount=amount, valid=valid)
    for line in charge_fees((charged,), (), stay, ()):
        day = stay.arrival if line.night is None else line.night
        assert line.amount == line.quantity * amount
        assert (line.night is not None) is per.is_nightly
        assert day in stay.stay
        assert valid is None or day in valid


def test_ages_are_half_open_and_adults_are_adults() -> None:
    party = GuestParty(adults=2, ages=(12, 13, 17))
    assert EVERYBODY.count(party) == 5
    assert AgeLimit(from_age=13).count(party) == 4
    assert AgeLimit(to_age=13).count(party) == 3
    assert AgeLimit(counts_adults=False, from_age=13, to_age=17).count(party) == 1


PERCENT = Percent.parse("10")


REFUSED: tuple[tuple[Callable[[], object], str, str], ...] = (
    (lambda: fee(Per.STAY, -1), "amount", "negative"),
    (lambda: fee(Per.STAY, MAX_MINOR + 1), "amount", "too_large"),
    (lambda: fee(Per.STAY, True), "amount", "not_an_integer"),
    (lambda: fee(Per.STAY, Percent.parse("100.0001")), "amount", "not_a_share"),
    (lambda: fee(Per.STAY, Percent.parse("-1")), "amount", "not_a_share"),
    (lambda: fee(Per.PERSON, PERCENT), "amount", "percentage_per_head"),
    (lambda: fee(Per.PET_NIGHT, PERCENT), "amount", "percentage_per_head"),
    (lambda: fee(Per.NIGHT, 1, counted=CHILDREN), "counted", "nobody_is_counted"),
    (lambda: fee(Per.NIGHT, 1, category="No!"), "category", "not_a_code"),
    (lambda: inclusion(1, Per.STAY), "per", "not_part_of_a_night"),
    (lambda: inclusion(-1), "amount", "negative"),
    (lambda: inclusion(PERCENT), "amount", "percentage_per_head"),
    (lambda: inclusion(1, Per.NIGHT, counted=CHILDREN), "counted", "nobody_is_counted"),
    (lambda: AgeLimit(from_age=-1), "from_age", "out_of_range"),
    (lambda: AgeLimit(to_age=122), "to_age", "out_of_range"),
    (lambda: AgeLimit(from_age=5, to_age=4), "to_age", "before_from_age"),
    (lambda: AgeLimit(from_age=5, to_age=5, counts_adults=False), "to_age", "counts_nobody"),
    (lambda: ChargedStay(stay=stay_of(1).stay, rooms=()), "rooms", "empty"),
    (lambda: stay_of(1, channel="No!"), "channel", "not_a_code"),
    (lambda: Chargeable(code="bar", category="room", amount=-1), "amount", "negative"),
    (lambda: Chargeable(code="bar", category="room", amount=MAX_MINOR + 1), "amount", "too_large"),
    (lambda: Chargeable(code="bar", category="room", amount=True), "amount", "not_an_integer"),
    (lambda: tax("vat", "10", on=()), "on", "no_basis"),
    (lambda: tax("vat", "100.0001"), "rate", "not_a_share"),
    (lambda: tax("vat", "-0.0001"), "rate", "not_a_share"),
    (lambda: tax("vat", "10", per=Per.NIGHT), "per", "percentage_has_none"),
    (
        lambda: tax("vat", "10", is_inclusive=True, counted=CHILDREN),
        "counted",
        "in_a_price_that_includes_it",
    ),
    (lambda: tax("vat", "10", compounds=("a",), compounds_lower=True), "compounds", "named_and_all"),
    (lambda: tax("vat", "10", level=-1), "level", "out_of_range"),
    (lambda: tax("vat", "10", skipped_nights=-1), "skipped_nights", "out_of_range"),
    (lambda: tax("vat", "10", most_nights=0), "most_nights", "out_of_range"),
    (lambda: tax("vat", "10", exempt_from_nights=0), "exempt_from_nights", "out_of_range"),
    (lambda: tax("vat", "10", remitted_by=("No!",)), "remitted_by", "not_a_code"),
    (lambda: tax("city", 100), "per", "missing"),
    (lambda: tax("city", -1, per=Per.NIGHT), "rate", "negative"),
    (lambda: tax("city", MAX_MINOR + 1, per=Per.NIGHT), "rate", "too_large"),
    (lambda: tax("city", True, per=Per.NIGHT), "rate", "not_an_integer"),
    (lambda: tax("city", 1, per=Per.NIGHT, compounds=("a",)), "compounds", "flat"),
    (lambda: tax("city", 1, per=Per.NIGHT, compounds_lower=True), "compounds", "flat"),
    (lambda: tax("city", 1, per=Per.NIGHT, counted=CHILDREN), "counted", "nobody_is_counted"),
    (lambda: tax("city", 1, per=Per.STAY, skipped_nights=1), "skipped_nights", "not_nightly"),
    (lambda: tax("city", 1, per=Per.STAY, most_nights=1), "most_nights", "not_nightly"),
    (lambda: tax("city", 1, per=Per.STAY, is_inclusive=True), "is_inclusive", "not_nightly"),
)


@pytest.mark.parametrize(
    ("make", "field", "reason"),
    REFUSED,
    ids=[f"{at}-{field}-{reason}" for at, (_, field, reason) in enumerate(REFUSED)],
)
def test_what_cannot_be_is_refused(make: Callable[[], object], field: str, reason: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        make()
    assert (refused.value.field, refused.value.reason) == (field, reason)


LOW = tax("low", "7")
JUNE = DateRange.of(ARRIVAL, 9)


@pytest.mark.parametrize(
    ("taxes", "field", "reason"),
    [
        ((LOW, LOW), "taxes.low.valid", "overlaps"),
        ((LOW, tax("low", "9", valid=JUNE)), "taxes.low.valid", "overlaps"),
        (
            (tax("low", "7", valid=JUNE), tax("low", "9", level=2, valid=DateRange.of(night(9), 1))),
            "taxes.low.level",
            "differs",
        ),
        ((LOW, tax("vat", "9", level=2, compounds=("lwo",))), "taxes.vat.compounds", "unknown_tax"),
        ((tax("vat", "9", compounds=("vat",)),), "taxes.vat.compounds", "itself"),
        ((LOW, tax("vat", "9", compounds=("low",))), "taxes.vat.compounds", "level_not_lower"),
        ((LOW, tax("vat", "9", level=0, compounds=("low",))), "taxes.vat.compounds", "level_not_lower"),
        (
            (LOW, tax("vat", "9", on=("fee",), level=2, compounds=("low",))),
            "taxes.vat.compounds",
            "no_basis_in_common",
        ),
        (
            (LOW, tax("vat", "9", level=2, compounds=("low",), is_inclusive=True)),
            "taxes.vat.compounds",
            "inclusive_on_exclusive",
        ),
        (
            (LOW, tax("vat", "9", level=2, compounds_lower=True, is_inclusive=True)),
            "taxes.vat.compounds",
            "inclusive_on_exclusive",
        ),
        (
            (
                tax("city", 100, per=Per.NIGHT, is_inclusive=True),
                tax("vat", "9", level=2, compounds_lower=True, is_inclusive=True),
            ),
            "taxes.vat.compounds",
            "inclusive_on_flat",
        ),
        (
            (tax("a", "60", is_inclusive=True), tax("b", "40.0001", is_inclusive=True)),
            "taxes.b.rate",
            "inclusive_over_100",
        ),
        (
            (
                tax("a", "50", is_inclusive=True),
                tax("b", "40", level=2, compounds=("a",), is_inclusive=True, valid=JUNE),
            ),
            "taxes.b.rate",
            "inclusive_over_100",
        ),
    ],
)
def test_taxes_that_cannot_stand_together_are_refused(
    taxes: tuple[Tax, ...], field: str, reason: str
) -> None:
    for given_in in (taxes, taxes[::-1]):
        with pytest.raises(InvalidInputError) as refused:
            TaxTable(given_in)
        assert (refused.value.field, refused.value.reason) == (field, reason)


def test_taxes_that_can_stand_together_are_kept_in_order() -> None:
    taxes = (
        tax("city", 100, per=Per.NIGHT),
        tax("b", "50", is_inclusive=True, valid=JUNE),
        tax("a", "60", is_inclusive=True, valid=DateRange.of(night(9), 1)),
        tax("c", "60", is_inclusive=True, on=("fee",)),
        tax("z", "5", level=0),
        tax("y", "5", level=3, compounds_lower=True),
    )
    table = TaxTable(taxes)
    assert [each.code for each in table.taxes] == ["z", "a", "b", "c", "city", "y"]
    assert table == TaxTable(taxes[::-1])
    assert table.compounded[-1] == {"z", "a", "b", "city"}


def test_without_limits_everybody_counts_the_oldest_too() -> None:
    party = GuestParty(adults=1, ages=(0, OLDEST))
    assert AgeLimit().count(party) == 3
    assert AgeLimit(to_age=OLDEST).count(party) == 2


def test_an_age_that_nobody_has_is_refused_with_the_limits() -> None:
    with pytest.raises(InvalidInputError) as refused:
        AgeLimit(to_age=OLDEST + 2)
    assert refused.value.params == {"field": "to_age", "reason": "out_of_range", "least": 0, "most": 121}
