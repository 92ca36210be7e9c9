"""A price book is checked as a whole: what does not fit is refused by the path of the part that has to change."""

from __future__ import annotations

from uuid import UUID

import pytest
from attrs import evolve

from core.pricing.price_scene import (
    DOUBLE,
    SUITE,
    base,
    book,
    day,
    derived,
    longer,
    nights,
    pct,
    rule,
    season,
)
from pmscore.dates.ranges import DateRange
from pmscore.dates.recurrence import Weekdays
from pmscore.kernel.errors import InvalidInputError, NotFoundError
from pmscore.kernel.ids import UnitTypeId
from pmscore.kernel.money import MAX_MINOR
from pmscore.kernel.percent import Percent
from pmscore.pricing.model.changes import Base, Change
from pmscore.pricing.model.guests import GuestParty
from pmscore.pricing.model.occupancy import AgeBand, OccupancyTerms, PricedBy
from pmscore.pricing.model.plans import DatedPrice, Derivation, PriceLimits, RatePlan, TypePrices, WeekPrices

LARGEST = MAX_MINOR // 1_000_000
WEEK = WeekPrices.of(10_000)
BOTH = {DOUBLE: TypePrices(default=WEEK), SUITE: TypePrices(default=WEEK)}


def refused(make) -> tuple[str, str, dict[str, object]]:
    with pytest.raises(InvalidInputError) as caught:
        make()
    error = caught.value
    return (
        error.field,
        error.reason,
        {name: value for name, value in error.params.items() if name not in {"field", "reason"}},
    )


def test_an_unknown_parent_is_refused():
    assert refused(lambda: book(base(), derived("saver", "bar"))) == (
        "plans.saver.parent",
        "unknown_plan",
        {"value": "bar"},
    )


@pytest.mark.parametrize(
    ("plans", "field", "circle"),
    [
        ((("a", "a"),), "plans.a.parent", "a > a"),
        ((("a", "b"), ("b", "a")), "plans.b.parent", "a > b > a"),
        ((("a", "b"), ("b", "c"), ("c", "b")), "plans.c.parent", "a > b > c > b"),
    ],
)
def test_a_plan_derived_from_itself_is_refused_with_the_way_round(plans, field, circle):
    made = [derived(code, parent) for code, parent in plans]
    assert refused(lambda: book(base(), *made)) == (field, "derived_from_itself", {"value": circle})


def test_nine_levels_of_derivation_are_taken_and_ten_are_not():
    chain = [base("plan-0"), *(derived(f"plan-{at}", f"plan-{at - 1}") for at in range(1, 11))]
    assert len(book(*chain[:10]).lineage("plan-9")) == 10
    assert refused(lambda: book(*chain))[1:] == ("too_deep", {"most": 10})


def test_a_derived_plan_is_not_sold_for_more_types_than_its_parent():
    saver = derived("saver", "flex", unit_types={DOUBLE, SUITE})
    assert refused(lambda: book(base(), saver)) == (
        "plans.saver.unit_types",
        "not_sold_by_parent",
        {"value": str(SUITE)},
    )
    narrow = derived("narrow", "flex", unit_types={DOUBLE})
    assert refused(lambda: book(base(prices=BOTH), narrow, derived("wide", "narrow", unit_types={SUITE})))[
        0
    ] == ("plans.wide.unit_types")


def test_types_are_the_plans_own_or_those_of_the_nearest_parent_that_names_some():
    sold = book(
        base(prices=BOTH),
        derived("narrow", "flex", unit_types={DOUBLE}),
        derived("follows", "narrow"),
        derived("wide", "flex"),
    )
    assert {plan.code: sold.types_of(plan) for plan in sold.plans} == {
        "flex": {DOUBLE, SUITE},
        "narrow": {DOUBLE},
        "follows": {DOUBLE},
        "wide": {DOUBLE, SUITE},
    }


def test_prices_for_an_unknown_season_are_refused():
    prices = {DOUBLE: TypePrices(default=WEEK, seasons={"sumer": WEEK})}
    assert refused(lambda: book(base(prices=prices), seasons=[season("summer", nights(1, 5))])) == (
        f"plans.flex.prices.{DOUBLE}.seasons",
        "unknown_season",
        {"value": "sumer"},
    )


def test_seasons_that_contend_for_a_night_are_refused():
    fair, spring = season("fair", nights(1, 10)), season("spring", nights(9, 20))
    assert refused(lambda: book(seasons=[spring, fair])) == (
        "seasons.spring",
        "overlaps_with_equal_priority",
        {"value": "fair"},
    )


def test_seasons_that_share_no_night_do_not_contend():
    weekend = Weekdays.from_names(["fri", "sat"])
    found = book(
        seasons=[
            season("fair", nights(1, 10)),
            season("spring", nights(10, 20)),
            season("strong", nights(5, 15), priority=1),
            season("weekends", nights(21, 31), weekdays=weekend),
            season("weeks", nights(21, 31), weekdays=~weekend),
        ]
    )
    assert [each.name for each in found.seasons] == ["strong", "fair", "spring", "weekends", "weeks"]


def test_seasons_of_one_range_and_weekdays_apart_do_not_contend_outside_of_them():
    # Two weekends apart: the ranges meet on Monday the 8th, which neither names.
    weekend = Weekdays.from_names(["sat"])
    assert book(
        seasons=[
            season("one", nights(1, 9), weekdays=weekend),
            season("two", nights(8, 15), weekdays=weekend),
        ]
    ).seasons


@pytest.mark.parametrize(
    ("name", "reason"), [("", "empty"), ("a\x00b", "control_character"), ("x" * 201, "too_long")]
)
def test_a_season_needs_a_name_that_can_be_shown(name, reason):
    assert refused(lambda: book(seasons=[season(name, nights(1, 5))]))[:2] == ("seasons", reason)


def test_a_season_that_ends_before_it_starts_is_refused():
    assert refused(lambda: season("back", DateRange(day(9), day(2))))[:2] == ("end", "not_after_start")


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ({"plans": (base(), base(every=1))}, "plans.flex"),
        ({"rules": [longer("week", "-5"), longer("week", "-6", rank=2)]}, "rules.week"),
        ({"seasons": [season("fair", nights(1, 2)), season("fair", nights(5, 6))]}, "seasons.fair"),
    ],
)
def test_a_code_may_stand_once(parts, field):
    plans = parts.pop("plans", ())
    assert refused(lambda: book(*plans, **parts)) == (field, "twice", {})


def test_equal_ranks_in_a_stage_are_refused():
    assert refused(lambda: book(rules=[longer("b", "-5"), longer("a", "-6")])) == (
        "rules.b.rank",
        "same_rank",
        {"by": "a"},
    )


def test_equal_ranks_in_two_stages_are_taken():
    early = rule("early", "early_bird", {"bands": [{"from": 9, "change": {"percent": "-5"}}]})
    assert [each.code for each in book(rules=[early, longer("week", "-5")]).rules] == ["week", "early"]


def test_a_rule_for_an_unknown_plan_is_refused():
    assert refused(lambda: book(rules=[longer("week", "-5", plans={"flex", "flexi"})])) == (
        "rules.week.plans",
        "unknown_plan",
        {"value": "flexi"},
    )


def test_a_group_that_there_is_not_cannot_be_excluded():
    assert refused(lambda: book(rules=[longer("week", "-5", excludes={"lang"})])) == (
        "rules.week.excludes",
        "unknown_group",
        {"value": "lang"},
    )


@pytest.mark.parametrize(
    ("excludes", "circle"),
    [
        ({"a": "b", "b": "a", "c": ""}, "a > b > a"),
        ({"a": "b", "b": "c", "c": "a"}, "a > b > c > a"),
        # The group that is only shut out by the circle, and the one before it, are no part of it.
        ({"m": "n", "n": "ma", "a": "", "z": "m"}, "m > n > m"),
    ],
)
def test_groups_that_shut_each_other_out_are_refused_with_the_way_round(excludes, circle):
    rules = [
        longer(code, "-5", rank=at, excludes=frozenset(groups))
        for at, (code, groups) in enumerate(excludes.items())
    ]
    field, reason, params = refused(lambda: book(rules=rules))
    assert (field, reason, params) == ("rules", "exclusions_in_a_circle", {"value": circle})


def test_equal_books_are_equal_values():
    plans = [base(prices=BOTH), derived("saver", "flex", pct("-10")), base("rooms")]
    rules = [longer("week", "-5", least=7), longer("month", "-9", least=28, rank=2)]
    seasons = [season("a", nights(1, 4)), season("b", nights(2, 5), priority=2), season("c", nights(7, 8))]
    one = book(*plans, rules=rules, seasons=seasons)
    plans[0] = base(prices={SUITE: BOTH[SUITE], DOUBLE: BOTH[DOUBLE]})
    other = book(*plans[::-1], rules=rules[::-1], seasons=seasons[::-1])
    assert one == other
    assert one != evolve(other, version=2)
    assert one != evolve(other, rules=rules[:1])


def test_a_plan_that_there_is_not_is_not_found():
    with pytest.raises(NotFoundError) as caught:
        book().plan("bar")
    assert caught.value.kind == "rate_plan"


def test_guests_cost_what_the_type_says_else_the_plan_else_its_parent():
    terms = [OccupancyTerms(extra_adult=number) for number in range(4)]
    found = book(
        base(
            prices={DOUBLE: TypePrices(default=WEEK, occupancy=terms[1]), SUITE: TypePrices(default=WEEK)},
            occupancy=terms[2],
        ),
        derived("follows", "flex"),
        derived("own", "flex", occupancy=terms[3]),
        derived("below", "own"),
        base("plain"),
    )
    said = {
        (plan.code, "double" if each == DOUBLE else "suite"): found.occupancy(plan, each).extra_adult
        for plan in found.plans
        for each in found.types_of(plan)
    }
    assert said == {
        ("flex", "double"): 1,
        ("flex", "suite"): 2,
        ("follows", "double"): 1,
        ("follows", "suite"): 2,
        ("own", "double"): 3,
        ("own", "suite"): 3,
        ("below", "double"): 3,
        ("below", "suite"): 3,
        ("plain", "double"): 0,
    }


def test_stay_rules_are_inherited_kind_by_kind_and_level_by_level():
    def taking(code, parent, *kinds):
        return RatePlan(code=code, name=code, derivation=Derivation(parent=parent, inherits=frozenset(kinds)))

    found = book(
        base(),
        taking("one", "flex", "min_stay_arrival", "closed_night"),
        taking("two", "one", "closed_night"),
    )
    assert found.rule_owners("flex", "closed_night") == {"flex"}
    assert found.rule_owners("two", "closed_night") == {"two", "one", "flex"}
    assert found.rule_owners("two", "min_stay_arrival") == {"two"}
    assert found.rule_owners("one", "min_stay_arrival") == {"one", "flex"}
    assert found.rule_owners("one", "lead_time") == {"one"}


SENSELESS = (
    (lambda: Change(Percent.parse("-100.0001")), "percent", "takes_more_than_all"),
    (lambda: Change(Percent.parse("-250"), Base.PLAN), "percent", "takes_more_than_all"),
    (lambda: Change(500, Base.PLAN), "base", "amount_has_no_base"),
    (lambda: Change(LARGEST + 1), "amount", "too_large"),
    (lambda: Change(-LARGEST - 1), "amount", "too_large"),
    (lambda: Change(1.5), "amount", "not_an_integer"),
    (lambda: Change(True), "amount", "not_an_integer"),
    (lambda: WeekPrices((1, 2, 3)), "prices", "not_one_a_weekday"),
    (lambda: WeekPrices((1, 2, 3, 4, 5, 6, -7)), "prices", "negative_amount"),
    (lambda: WeekPrices.of(99.5), "prices", "not_an_integer"),
    (lambda: DatedPrice(nights(1, 2), -1), "price", "negative_amount"),
    (
        lambda: TypePrices(dates=(DatedPrice(nights(5, 9), 1), DatedPrice(nights(1, 6), 2))),
        "dates",
        "overlapping",
    ),
    (lambda: PriceLimits(step=0), "step", "out_of_range"),
    (lambda: PriceLimits(step=-5), "step", "negative_amount"),
    (lambda: PriceLimits(step=0.5), "step", "not_an_integer"),
    (lambda: PriceLimits(floor=-1), "floor", "negative_amount"),
    (lambda: PriceLimits(floor=200, ceiling=199), "ceiling", "below_floor"),
    (lambda: Derivation(parent="BAR"), "parent", "not_a_code"),
    (
        lambda: Derivation(parent="flex", operations=(pct("-5", Base.PLAN),)),
        "operations",
        "no_other_base",
    ),
    (
        lambda: Derivation(parent="flex", operations=(pct("-5"),), inherits_price=False),
        "operations",
        "price_not_inherited",
    ),
    (lambda: RatePlan(code="BAR", name="Bar", prices=BOTH), "code", "not_a_code"),
    (lambda: RatePlan(code="bar", name=" ", prices=BOTH), "name", "empty"),
    (lambda: RatePlan(code="bar", name="Bar"), "prices", "missing"),
    (lambda: derived("saver", "flex", prices=BOTH), "prices", "price_is_inherited"),
    (lambda: base(unit_types={DOUBLE}), "unit_types", "only_with_inherited_price"),
    (
        lambda: RatePlan(
            code="own",
            name="Own",
            prices=BOTH,
            derivation=Derivation(parent="flex", inherits_price=False),
            unit_types=frozenset({DOUBLE}),
        ),
        "unit_types",
        "only_with_inherited_price",
    ),
    (lambda: AgeBand(from_age=-1, to_age=3), "from_age", "out_of_range"),
    (lambda: AgeBand(from_age=121, to_age=122), "from_age", "out_of_range"),
    (lambda: AgeBand(from_age=3, to_age=122), "to_age", "out_of_range"),
    (lambda: AgeBand(from_age=3, to_age=3), "to_age", "not_after_start"),
    (lambda: AgeBand(from_age=12, to_age=6), "to_age", "not_after_start"),
    (lambda: AgeBand(from_age=0, to_age=3, price=-1), "price", "negative_amount"),
    (lambda: AgeBand(from_age=0, to_age=3, price=Percent.parse("100.01")), "price", "not_a_share"),
    (lambda: AgeBand(from_age=0, to_age=3, price=Percent.parse("-1")), "price", "not_a_share"),
    (
        lambda: OccupancyTerms(children=(AgeBand(from_age=3, to_age=12), AgeBand(from_age=0, to_age=4))),
        "children",
        "overlapping_bands",
    ),
    (lambda: OccupancyTerms(included=0), "included", "out_of_range"),
    (lambda: OccupancyTerms(included=101), "included", "out_of_range"),
    (lambda: OccupancyTerms(extra_adult=-1), "extra_adult", "negative_amount"),
    (
        lambda: OccupancyTerms(priced_by=PricedBy.PERSON, extra_adult=1),
        "extra_adult",
        "no_places_by_person",
    ),
    (
        lambda: OccupancyTerms(priced_by=PricedBy.PERSON, empty_place=1),
        "empty_place",
        "no_places_by_person",
    ),
    (lambda: GuestParty(adults=0), "adults", "no_adult"),
    (lambda: GuestParty(adults=1, ages=(121,)), "ages", "out_of_range"),
    (lambda: GuestParty(adults=1, ages=(-1,)), "ages", "out_of_range"),
    (lambda: GuestParty(adults=60, ages=(7,) * 41), "adults", "out_of_range"),
    (lambda: GuestParty(adults=1, pets=21), "pets", "out_of_range"),
    (lambda: GuestParty(adults=1, pets=-1), "pets", "out_of_range"),
    (lambda: longer("week", "-5", rank=1, group="b", excludes={"b"}), "excludes", "own_group"),
    (lambda: longer("week", "-5", weekdays=Weekdays.NONE), "weekdays", "no_weekday"),
    (lambda: longer("week", "-5", channels={"OTA 1"}), "channels", "not_a_code"),
    (lambda: longer("Week", "-5"), "code", "not_a_code"),
    (lambda: longer("week", "-5", group="My group"), "group", "not_a_code"),
    (lambda: rule("week", "weather", {}), "kind", "unknown_kind"),
)


@pytest.mark.parametrize(
    ("make", "field", "reason"),
    SENSELESS,
    ids=[f"{at}-{each[1]}-{each[2]}" for at, each in enumerate(SENSELESS)],
)
def test_a_part_that_says_nothing_sensible_is_refused(make, field, reason):
    assert refused(make)[:2] == (field, reason)


def test_what_is_at_the_edge_of_sense_is_taken():
    assert Change(Percent.parse("-100")).operand == Percent(-1_000_000)
    assert Change(-LARGEST).operand == -LARGEST
    assert PriceLimits(floor=200, ceiling=200).ceiling == 200
    assert AgeBand(from_age=120, to_age=121).price == 0
    assert AgeBand(from_age=0, to_age=1, price=Percent.parse("100")).price == Percent.parse("100")
    assert (
        len(OccupancyTerms(children=(AgeBand(from_age=3, to_age=12), AgeBand(from_age=0, to_age=3))).children)
        == 2
    )
    assert TypePrices(dates=(DatedPrice(nights(5, 9), 1), DatedPrice(nights(1, 5), 2))).dates[0].price == 2
    assert GuestParty(adults=1, ages=(0, 120), pets=20).count == 3
    assert OccupancyTerms(included=100).included == 100


def test_the_order_of_ages_and_bands_says_nothing():
    assert GuestParty(adults=1, ages=(3, 11)) == GuestParty(adults=1, ages=(11, 3))
    bands = (AgeBand(from_age=0, to_age=3), AgeBand(from_age=3, to_age=12))
    assert OccupancyTerms(children=bands) == OccupancyTerms(children=bands[::-1])


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        (pct("-10"), "-10 %"),
        (pct("7.25", Base.PLAN), "+7.25 % of plan"),
        (pct("5", Base.OCCUPIED), "+5 % of occupied"),
        (Change(-500), "-500"),
        (Change(0), "+0"),
    ],
)
def test_a_change_reads_as_it_is_written(change, shown):
    assert str(change) == shown


def test_a_type_that_no_plan_knows_has_no_terms_of_its_own():
    found = book()
    assert found.occupancy(found.plan("flex"), UnitTypeId(UUID(int=77))) == OccupancyTerms()


def test_a_kind_of_rule_that_there_is_not_cannot_be_inherited():
    child = RatePlan(
        code="child", name="Child", derivation=Derivation(parent="flex", inherits=frozenset({"min_stay"}))
    )
    with pytest.raises(InvalidInputError) as refused:
        book(base(), child)
    assert (refused.value.field, refused.value.reason) == ("plans.child.inherits", "unknown_kind")
