"""Price books are written and read back without loss, and what is wrong with one is named with its place."""

from __future__ import annotations

import copy
import json
from datetime import date, time
from uuid import UUID

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from pmscore.dates.ranges import DateRange
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Json
from pmscore.kernel.ids import PropertyId, UnitTypeId, parse_id
from pmscore.kernel.money import Rounding
from pmscore.kernel.percent import Percent
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.changes import Change
from pmscore.pricing.model.charges.counting import EVERYBODY, AgeLimit, Per
from pmscore.pricing.model.charges.fees import Fee, Inclusion
from pmscore.pricing.model.charges.tax_table import TaxTable
from pmscore.pricing.model.charges.taxes import RoundingScope, Tax, TaxRounding
from pmscore.pricing.model.instalments import DepositPolicy, Due, Milestone
from pmscore.pricing.model.plans import (
    Derivation,
    PriceLimits,
    RatePlan,
    TypePrices,
    WeekPrices,
)
from pmscore.pricing.model.terms import Terms
from pmscore.pricing.model.tiers import Anchor, CancellationPolicy, Extent, FeeBase, FeeSpec, Tier
from pmscore.pricing.model.written.book import book_from_json, book_to_bytes, book_to_json
from pmscore.testing.price_strategies import PRICED_TYPES, price_books

HOUSE = PropertyId(UUID(int=9))
TYPES = tuple(UnitTypeId(UUID(int=number)) for number in range(10, 13))


def read(document: Json) -> PriceBook:
    return book_from_json(
        document,
        property_id=HOUSE,
        unit_type=lambda text: UnitTypeId(parse_id(text, field="unit_type")),
    )


# --- books at random ------------------------------------------------------------------------------------

amounts = st.integers(0, 10**7)
percents = st.integers(0, 1_000_000).map(Percent)
ranges = st.builds(DateRange.of, st.dates(date(2026, 1, 1), date(2029, 1, 1)), st.integers(1, 90))


age_limits = st.builds(
    lambda counts, low, more: AgeLimit(counts_adults=counts, from_age=low, to_age=low + more),
    st.booleans(),
    st.integers(0, 60),
    st.integers(1, 60),
)


@st.composite
def fees(draw, code: str) -> Fee:
    per = draw(st.sampled_from(Per))
    is_share = per in (Per.NIGHT, Per.STAY, Per.BOOKING) and draw(st.booleans())
    return Fee(
        code=code,
        name=draw(st.sampled_from(["Cleaning", "Frühstück"])),
        per=per,
        amount=draw(percents if is_share else amounts),
        category=draw(st.sampled_from(["fee", "meal"])),
        is_mandatory=draw(st.booleans()),
        valid=draw(st.none() | ranges),
        counted=draw(age_limits) if per.counts_people else EVERYBODY,
    )


@st.composite
def inclusions(draw, code: str) -> Inclusion:
    per = draw(st.sampled_from([Per.NIGHT, Per.PERSON_NIGHT]))
    is_share = per is Per.NIGHT and draw(st.booleans())
    return Inclusion(
        code=code,
        per=per,
        amount=draw(percents if is_share else amounts),
        category=draw(st.sampled_from(["fee", "meal"])),
        valid=draw(st.none() | ranges),
        counted=draw(age_limits) if per.counts_people else EVERYBODY,
    )


@st.composite
def taxes(draw, number: int) -> Tax:
    is_flat = draw(st.booleans())
    per = draw(st.sampled_from(Per)) if is_flat else None
    is_nightly = per is None or per.is_nightly
    is_inclusive = is_nightly and draw(st.booleans())
    may_count = per.counts_people if per is not None else not is_inclusive
    return Tax(
        code=f"tax{number}",
        name="Tax",
        rate=draw(amounts) if is_flat else Percent(draw(st.integers(0, 200_000))),
        on=draw(st.sampled_from([("room",), ("room", "fee"), ("fee", "room"), ("meal",)])),
        per=per,
        level=number,
        compounds_lower=not is_flat and not is_inclusive and draw(st.booleans()),
        is_inclusive=is_inclusive,
        is_city_tax=draw(st.booleans()),
        valid=draw(st.none() | ranges),
        counted=draw(age_limits) if may_count and draw(st.booleans()) else EVERYBODY,
        skipped_nights=draw(st.integers(0, 5)) if is_nightly else 0,
        most_nights=draw(st.none() | st.integers(1, 9)) if is_nightly else None,
        exempt_from_nights=draw(st.none() | st.integers(1, 99)),
        remitted_by=draw(st.sampled_from([(), ("ota",), ("ota", "agent")])),
    )


@st.composite
def specs(draw) -> FeeSpec:
    extent = draw(st.sampled_from(Extent))
    amount = draw(amounts)
    return FeeSpec(
        amount=amount,
        percent=draw(percents),
        base=draw(st.sampled_from(FeeBase)),
        extent=extent,
        first_nights=draw(st.integers(1, 9)) if extent is Extent.FIRST else None,
        cap=draw(st.none() | st.integers(amount + 1, 10**9)),
        may_exceed_price=draw(st.booleans()),
        tax_code=draw(st.sampled_from(["", "vat"])),
    )


@st.composite
def terms(draw, currency: Currency) -> Terms:
    tiers = []
    for days in draw(st.sets(st.integers(-30, 0), max_size=3)):
        anchor = draw(st.sampled_from([each for each in Anchor if each is not Anchor.CREATED]))
        wall = time(draw(st.integers(0, 23)), draw(st.integers(0, 59)), draw(st.sampled_from([0, 30])))
        tiers.append(
            Tier(
                anchor=anchor,
                days=days,
                hours=draw(st.integers(-9, 0)),
                wall=wall if anchor is Anchor.ARRIVAL_AT else None,
                fee=draw(specs()),
            )
        )
    share = draw(st.integers(1, 999_999))
    deposit = (
        Milestone(due=Due.BOOKING, percent=Percent(share)),
        Milestone(due=Due.ON_DATE, on=draw(st.dates(date(2027, 1, 1), date(2028, 1, 1))), amount=500),
        Milestone(due=Due.BEFORE_ARRIVAL, days=draw(st.integers(1, 60))),
    )
    return Terms(
        currency=currency,
        cancellation=CancellationPolicy(tuple(tiers)),
        no_show=draw(specs()),
        deposit=draw(st.sampled_from([DepositPolicy(deposit), DepositPolicy.all_due(Due.ARRIVAL)])),
    )


@st.composite
def books(draw) -> PriceBook:
    """Return books with parts of every kind; plans, seasons and rules are those that all tests of prices share."""
    bare = draw(price_books(most_rules=3))
    coded = draw(st.dictionaries(st.sampled_from(["std", "nr", "a.b"]), terms(bare.currency), max_size=2))
    included = tuple(draw(inclusions(code)) for code in draw(st.sets(st.sampled_from(["bf", "spa"]))))
    first, *others = bare.plans
    rich = evolve(
        first,
        inclusions=tuple(each.code for each in included),
        terms=draw(st.sampled_from([None, *coded])),
        version=draw(st.integers(1, 5)),
        derivation=None
        if first.derivation is None
        else evolve(
            first.derivation,
            inherits=draw(st.frozensets(st.sampled_from(["min_stay_arrival", "closed_to_arrival"]))),
        ),
    )
    own = RatePlan(
        code="own",
        name="Own prices",
        prices={PRICED_TYPES[0]: TypePrices(default=WeekPrices.of(1))},
        derivation=Derivation(parent=first.code, inherits_price=False),
    )
    return evolve(
        bare,
        plans=(rich, *others, own),
        fees=tuple(draw(fees(code)) for code in draw(st.sets(st.sampled_from(["clean", "park"])))),
        inclusions=included,
        taxes=TaxTable(tuple(draw(taxes(number)) for number in range(draw(st.integers(0, 3))))),
        tax_rounding=TaxRounding(
            scope=draw(st.sampled_from(RoundingScope)), mode=draw(st.sampled_from(Rounding))
        ),
        terms=coded,
        version=draw(st.integers(1, 99)),
    )


@settings(max_examples=40, deadline=None)
@given(books())
def test_what_is_written_is_read_back(book: PriceBook) -> None:
    document = book_to_json(book)
    assert read(document) == book
    assert read(json.loads(json.dumps(document))) == book


@settings(max_examples=20, deadline=None)
@given(books(), st.randoms())
def test_equal_books_are_equal_bytes(book: PriceBook, shuffle) -> None:
    def shuffled(parts):
        listed = list(parts)
        shuffle.shuffle(listed)
        return tuple(listed)

    plans = tuple(evolve(plan, prices=dict(shuffled(plan.prices.items()))) for plan in shuffled(book.plans))
    other = evolve(
        book,
        seasons=shuffled(book.seasons),
        plans=plans,
        rules=shuffled(book.rules),
        fees=shuffled(book.fees),
        inclusions=shuffled(book.inclusions),
        taxes=TaxTable(shuffled(book.taxes.taxes)),
        terms=dict(shuffled(book.terms.items())),
    )
    assert other == book
    assert book_to_bytes(other) == book_to_bytes(book)
    assert json.dumps(book_to_json(other)) == json.dumps(book_to_json(book))
    assert book_to_bytes(read(book_to_json(book))) == book_to_bytes(book)


def test_another_version_of_a_part_is_another_document() -> None:
    book = read(HOTEL)
    assert book_to_bytes(evolve(book, version=2)) != book_to_bytes(book)


# --- one book by hand -----------------------------------------------------------------------------------

VILLA, STUDIO = (str(each) for each in TYPES[:2])
HOTEL: dict[str, Json] = {
    "format": 1,
    "currency": "EUR",
    "seasons": [
        {"name": "summer", "nights": [{"from": "2027-06-01", "to": "2027-09-01"}], "weekdays": ["fri", "sat"]}
    ],
    "plans": [
        {
            "code": "flex",
            "name": "Flexible",
            "prices": {
                VILLA: {
                    "default": "100.00",
                    "seasons": {"summer": {"fri": "150.00", "sat": "160.00"}},
                    "dates": [{"nights": {"from": "2027-12-24", "to": "2027-12-27"}, "price": None}],
                },
                STUDIO: {"default": "60.00"},
            },
            "occupancy": {
                "extra_adult": "20.00",
                "children": [
                    {"ages": {"from": 0, "to": 3}, "price": {"amount": "0.00"}, "needs_bed": False},
                    {"ages": {"from": 3, "to": 12}, "price": {"percent": "50"}},
                ],
            },
            "inclusions": ["breakfast"],
            "terms": "standard",
        },
        {
            "code": "nonref",
            "name": "Not refundable",
            "derivation": {
                "parent": "flex",
                "operations": [{"percent": "-10"}, {"amount": "-2.00"}],
                "inherits": ["min_stay_arrival"],
            },
            "limits": {"step": "0.50", "rounding": "down", "floor": "40.00"},
            "unit_types": [STUDIO],
        },
    ],
    "rules": [
        {
            "code": "week",
            "name": "A week or more",
            "kind": "length_of_stay",
            "value": {"bands": [{"from": 7, "change": {"amount": "-5.00"}}]},
            "rank": 1,
            "group": "stay",
        }
    ],
    "fees": [{"code": "cleaning", "name": "Cleaning", "per": "stay", "price": {"amount": "45.00"}}],
    "inclusions": [
        {"code": "breakfast", "per": "person_night", "price": {"amount": "12.00"}, "category": "meal"}
    ],
    "taxes": [
        {"code": "vat", "name": "VAT", "rate": {"percent": "7"}, "on": ["room", "fee"], "is_inclusive": True},
        {
            "code": "city",
            "name": "City tax",
            "rate": {"amount": "2.00"},
            "per": "person_night",
            "is_city_tax": True,
            "counted": {"ages": {"from": 13, "to": 121}},
            "most_nights": 7,
        },
    ],
    "terms": {
        "standard": {
            "cancellation": [
                {
                    "anchor": "arrival_at",
                    "days": -1,
                    "wall": "18:00:00",
                    "fee": {"percent": "100", "base": "total", "extent": "first", "first_nights": 1},
                }
            ],
            "no_show": {"percent": "100"},
            "deposit": [{"due": "arrival"}, {"due": "booking", "percent": "30"}],
        }
    },
}


def test_a_book_by_hand_is_what_it_says() -> None:
    book = read(HOTEL)
    flex, nonref = book.plans
    assert flex.prices[TYPES[0]].default == WeekPrices.of(10_000)
    assert flex.prices[TYPES[0]].seasons["summer"].by_weekday == (None,) * 4 + (15_000, 16_000, None)
    assert flex.prices[TYPES[0]].dates[0].price is None
    assert nonref.derivation is not None
    assert nonref.derivation.operations == (Change(Percent(-100_000)), Change(-200))
    assert nonref.limits == PriceLimits(step=50, rounding=Rounding.DOWN, floor=4000)
    assert book.rules[0].value == {"bands": [{"from": 7, "change": {"amount": -500}}]}
    assert book.fees[0].amount == 4500
    assert book.terms["standard"].cancellation.tiers[0].wall == time(18)
    assert {each.code: each for each in book.taxes.taxes}["city"].rate == 200


def test_a_book_by_hand_is_written_as_it_was() -> None:
    """What is stored must not change with the code: this document is pinned."""
    reordered = copy.deepcopy(HOTEL)
    reordered["taxes"].reverse()
    assert book_to_json(read(HOTEL)) == json.loads(json.dumps(reordered))


def test_types_may_go_by_name() -> None:
    names = {"villa": TYPES[0], "studio": TYPES[1]}
    texts = {type_id: name for name, type_id in names.items()}
    document = book_to_json(read(HOTEL), unit_type=texts.__getitem__)
    assert list(document["plans"][0]["prices"]) == ["studio", "villa"]
    assert book_from_json(document, property_id=HOUSE, unit_type=names.__getitem__) == read(HOTEL)


def test_the_property_is_not_in_the_document() -> None:
    other = PropertyId(UUID(int=2))
    book = book_from_json(HOTEL, property_id=other, unit_type=lambda text: UnitTypeId(UUID(text)))
    assert book.property_id == other
    assert book == evolve(read(HOTEL), property_id=other)


# --- what is wrong --------------------------------------------------------------------------------------

GONE = object()


def changed(path: str, value: object) -> Json:
    document = copy.deepcopy(HOTEL)
    at: object = document
    *steps, last = path.split("/")
    for step in steps:
        at = at[int(step)] if isinstance(at, list) else at[step]
    if value is GONE:
        del at[last]
    elif isinstance(at, list) and int(last) == len(at):
        at.append(value)
    else:
        at[int(last) if isinstance(at, list) else last] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "field", "reason"),
    [
        ("format", 2, "format", "unknown_format"),
        ("format", "1", "format", "not_an_integer"),
        ("currency", "EURO", "currency", "unknown_currency"),
        ("currency", GONE, "currency", "missing"),
        ("extras", [], "document", "unknown_name"),
        ("version", "3", "version", "not_an_integer"),
        ("seasons/0/colour", "red", "seasons.0", "unknown_name"),
        ("seasons/0/name", " ", "seasons.0.name", "empty"),
        ("seasons/0/nights/0/to", "2027-06-01", "seasons.0.nights.0.to", "not_after_start"),
        ("seasons/0/nights/0/to", "2027-06-31", "seasons.0.nights.0.to", "no_such_day"),
        ("seasons/0/nights/0/from", "1.6.2027", "seasons.0.nights.0.from", "not_iso_date"),
        ("seasons/0/weekdays", ["friday"], "seasons.0.weekdays", "unknown_weekday"),
        (
            "seasons/1",
            {"name": "late", "nights": [{"from": "2027-08-01", "to": "2027-10-01"}]},
            "seasons.0",
            "overlaps_with_equal_priority",
        ),
        ("plans/0", "flex", "plans.0", "not_an_object"),
        ("plans/0/code", "Flex", "plans.0.code", "not_a_code"),
        ("plans/0/code", GONE, "plans.0.code", "missing"),
        ("plans/0/prices/hut", {}, "plans.0.prices.hut", "not_an_id"),
        (f"plans/0/prices/{VILLA}/default", 100, f"plans.0.prices.{VILLA}.default", "not_text"),
        (f"plans/0/prices/{VILLA}/default", "1e2", f"plans.0.prices.{VILLA}.default", "not_decimal"),
        (f"plans/0/prices/{VILLA}/default", "1.005", f"plans.0.prices.{VILLA}.default", "too_precise"),
        (f"plans/0/prices/{VILLA}/default", "-1.00", f"plans.0.prices.{VILLA}.default", "negative_amount"),
        (
            f"plans/0/prices/{VILLA}/default",
            {"fr": "1.00"},
            f"plans.0.prices.{VILLA}.default",
            "unknown_name",
        ),
        (
            f"plans/0/prices/{VILLA}/seasons/winter",
            "1.00",
            f"plans.0.prices.{VILLA}.seasons",
            "unknown_season",
        ),
        (
            f"plans/0/prices/{VILLA}/dates/1",
            {"nights": {"from": "2027-12-26", "to": "2027-12-28"}, "price": "1.00"},
            f"plans.0.prices.{VILLA}.dates",
            "overlapping",
        ),
        ("plans/0/occupancy/included", 0, "plans.0.occupancy.included", "out_of_range"),
        ("plans/0/occupancy/children/0/ages/to", 4, "plans.0.occupancy.children", "overlapping_bands"),
        ("plans/0/occupancy/children/0/ages/to", 200, "plans.0.occupancy.children.0.ages.to", "out_of_range"),
        (
            "plans/0/occupancy/children/0/price",
            {"amount": "1.00", "percent": "5"},
            "plans.0.occupancy.children.0.price",
            "amount_or_percent",
        ),
        (
            "plans/0/occupancy/children/1/price",
            {"percent": "101"},
            "plans.0.occupancy.children.1.price",
            "not_a_share",
        ),
        ("plans/0/inclusions", ["dinner"], "plans.0.inclusions", "unknown_inclusion"),
        ("plans/0/terms", "none", "plans.0.terms", "unknown_terms"),
        ("plans/1/code", "flex", "plans.1", "twice"),
        ("plans/1/derivation/parent", "nonref", "plans.1.derivation.parent", "derived_from_itself"),
        ("plans/1/derivation/parent", "gone", "plans.1.derivation.parent", "unknown_plan"),
        (
            "plans/1/derivation/operations/0/percent",
            "-101",
            "plans.1.derivation.operations.0.percent",
            "takes_more_than_all",
        ),
        ("plans/1/derivation/operations/0/base", "plan", "plans.1.derivation.operations", "no_other_base"),
        ("plans/1/limits/step", "0.00", "plans.1.limits.step", "out_of_range"),
        ("plans/1/limits/ceiling", "39.99", "plans.1.limits.ceiling", "below_floor"),
        ("plans/1/limits/rounding", "nearest", "plans.1.limits.rounding", "unknown_value"),
        ("plans/1/unit_types/0", "hut", "plans.1.unit_types.0", "not_an_id"),
        ("plans/1/unit_types/0", str(TYPES[2]), "plans.1.unit_types", "not_sold_by_parent"),
        ("rules/0/kind", "magic", "rules.0.kind", "unknown_kind"),
        ("rules/0/value", [], "rules.0.value", "not_an_object"),
        ("rules/0/value/bands/0/change/amount", -500, "rules.0.value.bands.0.change.amount", "not_text"),
        ("rules/0/value/bands/0/change/amount", "5,0", "rules.0.value.bands.0.change.amount", "not_decimal"),
        ("rules/0/value/bands/0/from", -1, "rules.0.value.bands.0.from", "out_of_range"),
        ("rules/0/plans", ["gone"], "rules.0.plans", "unknown_plan"),
        ("fees/0/price", {"percent": "101"}, "fees.0.price", "not_a_share"),
        ("fees/0/price", "45.00", "fees.0.price", "not_an_object"),
        ("fees/0/per", "week", "fees.0.per", "unknown_value"),
        ("fees/0/counted", {"adults": False}, "fees.0.counted", "nobody_is_counted"),
        ("inclusions/0/per", "stay", "inclusions.0.per", "not_part_of_a_night"),
        ("taxes/0/rate", {"percent": "101"}, "taxes.0.rate", "not_a_share"),
        ("taxes/0/rate", {"percent": "19", "amount": "1.00"}, "taxes.0.rate", "amount_or_percent"),
        ("taxes/0/compounds", ["gst"], "taxes.0.compounds", "unknown_tax"),
        ("taxes/0/on", [], "taxes.0.on", "no_basis"),
        ("taxes/1/code", "vat", "taxes.1.valid", "overlaps"),
        ("taxes/1/per", GONE, "taxes.1.per", "missing"),
        ("taxes/1/counted/ages/to", 3, "taxes.1.counted.ages.to", "before_from_age"),
        ("tax_rounding", {"scope": "per_house"}, "tax_rounding.scope", "unknown_value"),
        ("terms/standard/currency", "EUR", "terms.standard", "unknown_name"),
        ("terms/standard/cancellation/0/wall", "6 pm", "terms.standard.cancellation.0.wall", "not_a_time"),
        ("terms/standard/cancellation/0/wall", "18", "terms.standard.cancellation.0.wall", "not_a_time"),
        (
            "terms/standard/cancellation/0/wall",
            "18:00+02:00",
            "terms.standard.cancellation.0.wall",
            "not_a_time",
        ),
        (
            "terms/standard/cancellation/0/fee/first_nights",
            0,
            "terms.standard.cancellation.0.fee.first_nights",
            "out_of_range",
        ),
        ("terms/standard/no_show/cap", "0.00", "terms.standard.no_show.cap", "empty"),
        ("terms/standard/deposit/1/percent", "101", "terms.standard.deposit.1.percent", "out_of_range"),
        ("terms/standard/deposit/0/due", "someday", "terms.standard.deposit.0.due", "unknown_value"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(path: str, value: object, field: str, reason: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        read(changed(path, value))
    assert (refused.value.field, refused.value.reason) == (field, reason)


def test_places_are_below_the_path_of_the_document() -> None:
    with pytest.raises(InvalidInputError) as refused:
        book_from_json(
            changed("plans/1/derivation/parent", "gone"),
            property_id=HOUSE,
            unit_type=lambda text: UnitTypeId(UUID(text)),
            path="book",
        )
    assert refused.value.field == "book.plans.1.derivation.parent"


def test_a_rule_nested_without_end_is_refused() -> None:
    deep: Json = {}
    for _ in range(500):
        deep = {"bands": [deep]}
    with pytest.raises(InvalidInputError) as refused:
        read(changed("rules/0/value", deep))
    assert refused.value.reason == "too_deep"
