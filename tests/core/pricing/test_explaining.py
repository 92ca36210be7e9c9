"""An explanation says what its quote says, down to the last unit, and where each amount comes from."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, time
from fractions import Fraction
from itertools import pairwise
from uuid import UUID

import pytest
from attrs import evolve
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from core.pricing import drawn_terms
from core.pricing.charging_scene import CATEGORIES, ROUNDINGS, taxes
from core.pricing.price_scene import (
    COUPLE,
    DOUBLE,
    MARCH,
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
from pmscore.dates.nights import StayRange
from pmscore.dates.zones import Zone, instant_at
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.ids import QuoteId
from pmscore.kernel.money import Currency, Money, round_ratio
from pmscore.kernel.percent import Percent
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.charges.counting import AgeLimit, Per
from pmscore.pricing.model.charges.fees import Fee, Inclusion
from pmscore.pricing.model.charges.tax_table import TaxTable
from pmscore.pricing.model.charges.taxes import RoundingScope, Tax, TaxRounding
from pmscore.pricing.model.guests import GuestParty
from pmscore.pricing.model.instalments import DepositPolicy
from pmscore.pricing.model.night_steps import Ratio
from pmscore.pricing.model.occupancy import AgeBand, OccupancyTerms, PricedBy
from pmscore.pricing.model.plans import DatedPrice, PriceLimits, TypePrices, WeekPrices
from pmscore.pricing.model.quote import Quote, RuleVersion
from pmscore.pricing.model.request import QuoteRequest
from pmscore.pricing.model.terms import Terms
from pmscore.pricing.model.tiers import FREE, Anchor, CancellationPolicy, FeeSpec, Tier
from pmscore.pricing.policies.agreeing import agreed_rooms
from pmscore.pricing.views import explaining
from pmscore.pricing.views.explaining import (
    Explained,
    Explanation,
    Part,
    Whereabouts,
    amount_text,
    explain,
    explanation_json,
)
from pmscore.pricing.views.explanation_prices import _limited
from pmscore.pricing.views.explanation_text import explained_lines, line_of, tree_text
from pmscore.pricing.views.quoting import Quoter
from pmscore.testing.price_strategies import PRICED, guest_parties, price_books, price_questions

BERLIN = Zone("Europe/Berlin")
HERE = Whereabouts(BERLIN, time(15))
NOW = datetime(2027, 1, 20, 11, tzinfo=UTC)

SOME_FEES = st.builds(
    lambda code, per, flat, share, category: Fee(
        code=code,
        name=code,
        per=per,
        amount=share if per in (Per.NIGHT, Per.STAY, Per.BOOKING) and flat % 2 else flat,
        category=category,
    ),
    st.sampled_from(("linen", "cleaning", "garage")),
    st.sampled_from(Per),
    st.integers(0, 9_000),
    st.integers(0, 1_000_000).map(Percent),
    st.sampled_from(CATEGORIES),
)
SOME_INCLUSIONS = st.builds(
    Inclusion,
    code=st.sampled_from(("breakfast", "linen")),
    per=st.just(Per.NIGHT),
    amount=st.integers(0, 3_000) | st.integers(0, 500_000).map(Percent),
    category=st.just("food"),
)


@st.composite
def tax_tables(draw: st.DrawFn) -> TaxTable:
    kept: list[Tax] = []
    for each in draw(st.lists(taxes(), max_size=4)):
        try:
            TaxTable((*kept, evolve(each, valid=None)))
        except InvalidInputError:
            continue
        kept.append(evolve(each, valid=None))
    return TaxTable(tuple(kept))


@st.composite
def whole_books(draw: st.DrawFn) -> PriceBook:
    """Books with everything: fees, inclusions, taxes and terms on all plans of their own."""
    found = draw(price_books())
    inclusions = draw(st.lists(SOME_INCLUSIONS, max_size=2, unique_by=lambda each: each.code))
    codes = tuple(each.code for each in inclusions)
    return evolve(
        found,
        plans=tuple(evolve(each, inclusions=codes, terms="usual") for each in found.plans),
        fees=tuple(draw(st.lists(SOME_FEES, max_size=3, unique_by=lambda each: each.code))),
        inclusions=tuple(inclusions),
        taxes=draw(tax_tables()),
        tax_rounding=draw(ROUNDINGS),
        terms={"usual": draw(drawn_terms.terms(found.currency))},
    )


@st.composite
def quotes(draw: st.DrawFn) -> Quote:
    found = draw(whole_books())
    asked = draw(price_questions(found))
    known = {str(each.value.get("code")) for each in found.rules}
    parties = tuple(draw(st.lists(guest_parties(), min_size=1, max_size=2)))
    quoter = Quoter(found, PRICED, BERLIN)
    for codes in (tuple(asked.codes & known), ()):
        made = quoter.quote(
            QuoteRequest(stay=asked.stay, parties=parties, codes=codes, channel=asked.channel),
            asked.unit_type_id,
            asked.plan,
            now=instant_at(asked.booked_on, time(12), BERLIN),
            quote_id=QuoteId(UUID(int=1)),
            occupied=asked.occupied,
        )
        if isinstance(made, Quote):
            return made
    assume(False)
    raise AssertionError


def quote_of(what: PriceBook, *parties: GuestParty, end: int = 4, plan: str = "flex", **more) -> Quote:
    request = QuoteRequest(stay=StayRange(day(1), day(end)), parties=parties or (COUPLE,), **more)
    quoter = Quoter(what, MARCH, BERLIN)
    made = quoter.quote(request, DOUBLE, plan, now=NOW, quote_id=QuoteId(UUID(int=1)))
    assert isinstance(made, Quote)
    return made


def replayed(quote: Quote) -> Quote:
    """The quote made once more from what a store keeps of it: its inputs, and the book of its version."""
    assert isinstance(quote.source, Quoter)
    again = Quoter(quote.source.book, quote.source.tables.nights, BERLIN).quote(
        QuoteRequest(
            stay=quote.stay,
            parties=quote.parties,
            codes=quote.codes,
            extras=quote.extras,
            channel=quote.channel,
        ),
        quote.unit_type_id,
        quote.plan,
        now=quote.made_at,
        quote_id=quote.quote_id,
        occupied=quote.occupied,
    )
    assert isinstance(again, Quote)
    return again


def part(explanation: Explanation, code: Part) -> Explained:
    found = explanation.part(code)
    assert found is not None
    return found


def exact(amount: int | Ratio | None) -> Fraction:
    assert amount is not None
    return Fraction(amount) if isinstance(amount, int) else Fraction(amount.numer, amount.denom)


def summed(nodes: Iterable[Explained]) -> Fraction:
    return sum((exact(node.after) for node in nodes), Fraction(0))


# Drawing a whole book costs much more than explaining its quote, so each law has several sides.
laws = settings(
    max_examples=max(settings.default.max_examples // 2, 10),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    deadline=None,
)


@laws
@given(quotes())
def test_every_night_begins_with_the_price_of_the_plan_and_ends_with_the_amount_in_the_quote(quote):
    rooms = explain(quote).rooms
    quoter = quote.source
    row = quoter.tables.row(quoter.book.plan(quote.plan), quote.unit_type_id)
    first = quoter.tables.place(quote.stay)
    assert len(rooms) == len(quote.parties)
    for room, amounts, steps in zip(rooms, quote.nightly, quoter.steps(quote), strict=True):
        assert [each.on for each in room.children] == list(quote.stay.nights())
        assert [each.after for each in room.children] == list(amounts)
        for at, night in enumerate(room.children):
            price, occupancy, *rules, rounding = night.children
            assert price.after == occupancy.before == row[first + at]
            assert rounding.after == night.after
            for one, following in pairwise(night.children):
                assert exact(one.after) == exact(following.before)
            assert summed(occupancy.children) == exact(occupancy.after)
            assert [(each.name, exact(each.after)) for each in rules] == [
                (each.rule.code, exact(each.after)) for each in steps[at][1:]
            ]
    for node in explain(quote).root.walk():
        if node.code is Part.PLAN_PRICE:
            assert exact(node.children[-1].after) == exact(node.after)
            for one, following in pairwise(node.children):
                assert exact(one.after) == exact(following.before)


@laws
@given(quotes())
def test_the_parts_sum_to_the_totals_and_say_how_they_came_about(quote):
    explanation = explain(quote)
    _sums_hold(explanation, quote)
    _lines_hold(explanation, quote)
    _taxes_hold(explanation, quote)


def _sums_hold(explanation: Explanation, quote: Quote) -> None:
    totals = {each.name: each.after for each in part(explanation, Part.TOTALS).children}
    fees, charged = (
        part(explanation, Part.FEES),
        (
            part(explanation, Part.TAXES),
            part(explanation, Part.CITY_TAXES),
        ),
    )
    assert summed(explanation.rooms) == quote.totals.room == totals["room"]
    assert summed(fees.children) == fees.after == quote.totals.fees == totals["fees"]
    for code, taxed, total in zip(
        ("tax", "city_tax"), charged, (quote.totals.tax, quote.totals.city_tax), strict=True
    ):
        assert summed(taxed.children) == taxed.after == total == totals[code]
    added = [tax for taxed in charged for tax in taxed.children if tax.kind == "added"]
    assert totals["added_taxes"] == summed(added)
    assert totals["net"] == quote.totals.net
    due = totals["room"] + totals["fees"] + totals["added_taxes"] + totals.get("rounding", 0)
    assert due == totals["due"] == quote.totals.due == explanation.root.after
    for group in explanation.root.children:
        for each in group.children:
            if group.code in (Part.FEES, Part.INCLUSIONS, Part.TAXES, Part.CITY_TAXES):
                assert summed(each.children) == each.after


def _lines_hold(explanation: Explanation, quote: Quote) -> None:
    for fee in part(explanation, Part.FEES).children:
        for line in fee.children:
            if isinstance(line.operand, Percent):
                assert abs(
                    exact(line.before) * line.operand.millionths / 1_000_000 - exact(line.after)
                ) <= Fraction(1, 2)
            else:
                assert line.quantity * line.operand == line.after
    inclusions = explanation.part(Part.INCLUSIONS)
    codes = {each.code for each in quote.source.book.inclusions}
    if inclusions is not None:
        assert {each.name for each in inclusions.children} <= codes
        assert summed(inclusions.children) == inclusions.after <= quote.totals.room
    lines = [line.charge for line in quote.charged.charges]
    beside = sum(line.amount for line in lines) - quote.totals.room
    assert part(explanation, Part.FEES).after == beside


def _taxes_hold(explanation: Explanation, quote: Quote) -> None:
    rounding = quote.source.book.tax_rounding
    for group in (Part.TAXES, Part.CITY_TAXES):
        for tax in part(explanation, group).children:
            if not isinstance(tax.operand, Percent):
                assert tax.quantity == sum(line.quantity for line in tax.children)
                continue
            assert summed(evolve(line, after=line.before) for line in tax.children) == exact(tax.before)
            named = {line.rounding for line in tax.children}
            if rounding.scope is RoundingScope.PER_LINE:
                assert (tax.rounding, named) == (None, {rounding.mode.value})
            else:
                assert (tax.rounding, named) == (rounding.mode.value, {"largest_remainder"})
                assert tax.after == round_ratio(tax.before.numer, tax.before.denom, rounding.mode)


def _versions_hold(explanation: Explanation, quote: Quote) -> None:
    nodes = list(explanation.root.walk())
    used = {node.rule for node in nodes if node.rule is not None and node.code is not Part.PASSED_OVER}
    assert set(quote.versions) <= used
    stood_back = {node.rule for node in nodes if node.code in (Part.SAME_GROUP, Part.EXCLUDED)}
    assert used - stood_back <= set(quote.versions)
    in_nights = {node.rule for room in explanation.rooms for node in room.walk() if node.code is Part.RULE}
    assert in_nights == {each for each in quote.versions if each.kind == "rule"}


@laws
@given(quotes())
def test_explaining_changes_nothing_and_a_replayed_quote_is_explained_alike(quote):
    before = repr(quote)
    explanation = explain(quote, HERE)
    _versions_hold(explanation, quote)
    _terms_hold(explanation, quote)
    written = json.dumps(explanation_json(explanation))
    assert tree_text(explanation)
    assert repr(quote) == before
    again = replayed(quote)
    assert again == quote
    assert explain(again, HERE) == explanation == explain(quote, HERE)
    assert json.dumps(explanation_json(explain(again, HERE))) == written


def _terms_hold(explanation: Explanation, quote: Quote) -> None:
    deposits = part(explanation, Part.DEPOSITS)
    assert summed(deposits.children) == deposits.after == quote.totals.due
    stretches = [each.name.split("/") for each in part(explanation, Part.CANCELLATION).children]
    assert (stretches[0][0], stretches[-1][1]) == ("..", "..")
    assert all(one[1] == following[0] for one, following in pairwise(stretches))
    for each in (*part(explanation, Part.CANCELLATION).children, part(explanation, Part.NO_SHOW)):
        assert not each.children or each.children[-1].after == each.after
    charged = quote.charged
    agreed = agreed_rooms(quote, charged)
    whole = sum(sum(room.nightly) + sum(room.fees) + sum(room.taxes) for room in agreed)
    assert whole == quote.totals.due


def test_a_derived_plan_shows_every_level_with_operations_step_floor_and_ceiling():
    parent = base(
        "flex",
        prices={
            DOUBLE: TypePrices(
                default=WeekPrices.of(10_000),
                seasons={"spring": WeekPrices.of(12_345)},
                dates=(DatedPrice(nights(3, 4), 33_300),),
            )
        },
    )
    child = derived(
        "saver", "flex", pct("-10"), pct("-2.5"), limits=PriceLimits(step=50, floor=9_000, ceiling=20_000)
    )
    what = book(parent, child, seasons=[season("spring", nights(2, 4))])
    (room,) = explain(quote_of(what, plan="saver")).rooms
    said = [[line_of(node, what.currency) for node in night.children[0].walk()] for night in room.children]
    assert said == [
        [
            "plan saver (v1): 90.00",
            "plan flex (v1): 100.00",
            "default price: 100.00",
            "operation -10 %: 100.00 → 90.00",
            "operation -2.5 %: 90.00 → 87.75",
            "step 0.50: 87.75 → 88.00 (half up)",
            "floor 90.00: 88.00 → 90.00",
            "ceiling 200.00: 90.00 → 90.00",
        ],
        [
            "plan saver (v1): 108.50",
            "plan flex (v1): 123.45",
            "season spring: 123.45",
            "operation -10 %: 123.45 → 111.105",
            "operation -2.5 %: 111.105 → 108.327375",
            "step 0.50: 108.327375 → 108.50 (half up)",
            "floor 90.00: 108.50 → 108.50",
            "ceiling 200.00: 108.50 → 108.50",
        ],
        [
            "plan saver (v1): 200.00",
            "plan flex (v1): 333.00",
            "price of 2027-03-03/2027-03-04: 333.00",
            "operation -10 %: 333.00 → 299.70",
            "operation -2.5 %: 299.70 → 292.2075",
            "step 0.50: 292.2075 → 292.00 (half up)",
            "floor 90.00: 292.00 → 292.00",
            "ceiling 200.00: 292.00 → 200.00",
        ],
    ]


def test_a_price_below_zero_is_raised_to_nothing_and_says_so():
    what = book(base(every=1_000), derived("gift", "flex", pct("0"), limits=PriceLimits()))
    gift = evolve(
        what.plan("gift"),
        derivation=evolve(what.plan("gift").derivation, operations=(evolve(pct("0"), operand=-5_000),)),
    )
    (room,) = explain(quote_of(evolve(what, plans=(base(every=1_000), gift)), plan="gift")).rooms
    price = room.children[0].children[0]
    assert [(node.code, node.before, node.after) for node in price.children[-1:]] == [
        (Part.NOT_BELOW_ZERO, -4_000, 0)
    ]
    less = book(rules=[rule("gift", "channel", {"channels": {"direct": {"amount": -20_000}}})])
    (room,) = explain(quote_of(less)).rooms
    last = room.children[0].children[-1]
    assert (last.code, exact(last.before), last.after) == (Part.NOT_BELOW_ZERO, -10_000, 0)


def test_guests_are_counted_one_by_one():
    terms = OccupancyTerms(
        included=3,
        extra_adult=2_000,
        empty_place=500,
        children=(
            AgeBand(from_age=0, to_age=3, fills_place=False),
            AgeBand(from_age=3, to_age=12, price=Percent.parse("50")),
        ),
    )
    party = GuestParty(adults=2, ages=(8, 5, 1))
    what = book(base(occupancy=terms))
    (room,) = explain(quote_of(what, party)).rooms
    occupancy = room.children[0].children[1]
    assert [line_of(each, what.currency) for each in occupancy.walk()] == [
        "occupancy (unit): 100.00 → 110.00",
        "unit x 3: 100.00",
        "child in place 8 (3-11): 0.00",
        "child 5 (3-11) 50 % of 20.00: 10.00",
        "child 1 (0-2) 0.00: 0.00",
    ]
    alone, many = GuestParty(adults=1), GuestParty(adults=4, ages=(15,))
    said = [
        [line_of(each, what.currency) for each in room.children[0].children[1].children]
        for room in explain(quote_of(what, alone, many)).rooms
    ]
    assert said == [
        ["unit x 3: 100.00", "empty places 2 x -5.00: -10.00"],
        ["unit x 3: 100.00", "extra adults 2 x 20.00: 40.00"],
    ]


def test_where_each_person_is_priced_a_child_pays_its_share():
    terms = OccupancyTerms(
        priced_by=PricedBy.PERSON, children=(AgeBand(from_age=0, to_age=6, price=Percent.parse("30")),)
    )
    what = book(base(every=4_500, occupancy=terms))
    (room,) = explain(quote_of(what, GuestParty(adults=2, ages=(4,)))).rooms
    assert [line_of(each, what.currency) for each in room.children[0].children[1].walk()] == [
        "occupancy (person): 45.00 → 103.50",
        "adults 2 x 45.00: 90.00",
        "child 4 (0-5) 30 % of 45.00: 13.50",
    ]


def test_rules_that_stand_back_say_which_other_one_stands_before_them_and_why():
    what = book(
        rules=[
            longer("weekly", "-10", least=3, rank=1, group="length"),
            longer("short", "-5", least=2, rank=2, group="length"),
            longer("long", "-1", rank=3, excludes=frozenset({"code"})),
            rule("spring", "promotion", {"code": "spring", "change": {"percent": "-20"}}, group="code"),
            rule("summer", "promotion", {"code": "summer", "change": {"percent": "-3"}}, rank=2),
        ]
    )
    explanation = explain(quote_of(what, codes=("spring", "summer")))
    passed = [each for each in explanation.root.children if each.code is Part.PASSED_OVER]
    assert sorted((each.name, each.children[0].code, each.children[0].name) for each in passed) == [
        ("short", Part.SAME_GROUP, "weekly"),
        ("spring", Part.EXCLUDED, "long"),
    ]
    assert {each.rule for each in passed} == {RuleVersion("rule", code, 1) for code in ("short", "spring")}
    (room,) = explanation.rooms
    assert [each.name for each in room.children[0].children if each.code is Part.RULE] == [
        "weekly",
        "long",
        "summer",
    ]


def test_a_rule_shut_out_on_some_nights_is_excluded_there_and_applies_elsewhere():
    what = book(
        rules=[
            longer("fair", "15", nights=nights(2, 3), excludes=frozenset({"length"})),
            longer("weekly", "-10", least=3, rank=2, group="length"),
        ]
    )
    explanation = explain(quote_of(what))
    (room,) = explanation.rooms
    assert [[each.name for each in night.children if each.code is Part.RULE] for night in room.children] == [
        ["weekly"],
        ["fair"],
        ["weekly"],
    ]
    passed = part(explanation, Part.PASSED_OVER)
    assert (passed.name, passed.children[0].code, passed.children[0].name) == (
        "weekly",
        Part.EXCLUDED,
        "fair",
    )


def _house(scope: RoundingScope = RoundingScope.PER_LINE) -> PriceBook:
    return book(
        base(every=9_999, inclusions=("breakfast",), terms="usual"),
        fees=(
            Fee(code="breakfast", name="More breakfast", per=Per.PERSON, amount=1_200, category="food"),
            Fee(code="service", name="Service", per=Per.STAY, amount=Percent.parse("3.5"), category="fee"),
        ),
        inclusions=(Inclusion(code="breakfast", per=Per.PERSON_NIGHT, amount=900, category="food"),),
        taxes=TaxTable(
            (
                Tax(code="low", name="Low", rate=Percent.parse("7"), is_inclusive=True),
                Tax(
                    code="full", name="Full", rate=Percent.parse("19"), on=("food", "fee"), is_inclusive=True
                ),
                Tax(
                    code="city",
                    name="City",
                    rate=250,
                    per=Per.PERSON_NIGHT,
                    is_city_tax=True,
                    counted=AgeLimit(from_age=18),
                ),
            )
        ),
        tax_rounding=TaxRounding(scope=scope),
        terms={
            "usual": Terms(
                currency=book().currency,
                cancellation=CancellationPolicy(
                    (
                        Tier(anchor=Anchor.CREATED, fee=FREE),
                        Tier(
                            anchor=Anchor.ARRIVAL_AT,
                            days=-7,
                            wall=time(18),
                            fee=FeeSpec(percent=Percent.parse("80")),
                        ),
                    )
                ),
                no_show=FeeSpec(percent=Percent.parse("90")),
                deposit=DepositPolicy.part_at_booking(Percent.parse("30")),
            )
        },
    )


def test_a_stay_reads_as_one_tree():
    quote = quote_of(_house(), end=3)
    assert tree_text(explain(quote, HERE)).splitlines() == [
        "quote flex: 240.98 EUR",
        "   room 1 (2): 199.98",
        "      2027-03-01: 99.99",
        "         plan flex (v1): 99.99",
        "            default price: 99.99",
        "         occupancy (unit): 99.99 → 99.99",
        "            unit x 2: 99.99",
        "         rounding: 99.99 → 99.99 (half up)",
        "      2027-03-02: 99.99 (as 2027-03-01)",
        "   inclusions: 36.00",
        "      inclusion breakfast: 36.00",
        "         2027-03-01 (room 1) 2 x 9.00: 18.00",
        "         2027-03-02 (room 1) 2 x 9.00: 18.00",
        "   fees: 31.00",
        "      fee breakfast: 24.00",
        "         (room 1) 2 x 12.00: 24.00",
        "      fee service: 7.00",
        "         (room 1) 3.5 %: 199.98 → 7.00 (half up)",
        "   taxes: 21.41",
        "      tax full (included) 19 % of 56.31: 10.697478… → 10.69",
        "         on breakfast 2027-03-01 (room 1): 2.873949… → 2.87 (half up)",
        "         on breakfast 2027-03-02 (room 1): 2.873949… → 2.87 (half up)",
        "         on breakfast (room 1): 3.831932… → 3.83 (half up)",
        "         on service (room 1): 1.117647… → 1.12 (half up)",
        "      tax low (included) 7 % of 153.26: 10.727663… → 10.72",
        "         on room 2027-03-01 (room 1): 5.363831… → 5.36 (half up)",
        "         on room 2027-03-02 (room 1): 5.363831… → 5.36 (half up)",
        "   city taxes: 10.00",
        "      tax city (added) 4 x 2.50: 10.00",
        "         on 2027-03-01 (room 1) x 2: 5.00",
        "         on 2027-03-02 (room 1) x 2: 5.00",
        "   totals: 240.98",
        "      room: 199.98",
        "      fees: 31.00",
        "      added taxes: 10.00",
        "      net: 209.57",
        "      tax: 21.41",
        "      city tax: 10.00",
        "      due: 240.98",
        "   deposits: 240.98",
        "      due 2027-01-20T11:00:00+00:00 2027-01-20 (booking) 30 %: 72.29",
        "      due 2027-02-28T23:00:00+00:00 2027-03-01 (arrival): 168.69",
        "   cancellation",
        "      ../2027-02-22T17:00:00+00:00 (created): 0.00",
        "         nights, removed (base): 0.00 → 199.98",
        "         0 % (percent): 199.98 → 0.00 (half up)",
        "      2027-02-22T17:00:00+00:00/.. (arrival at): 159.98",
        "         nights, removed (base): 0.00 → 199.98",
        "         80 % (percent): 199.98 → 159.98 (half up)",
        "   no show: 179.98",
        "      nights, removed (base): 0.00 → 199.98",
        "      90 % (percent): 199.98 → 179.98 (half up)",
        "   sources",
        "      (book, v1)",
        "      flex (plan, v1)",
    ]


def test_the_json_has_decimal_text_the_fraction_where_that_is_cut_off_and_nothing_that_is_not_there():
    written = explanation_json(explain(quote_of(_house(), end=3), HERE))
    assert (written["currency"], written["code"], written["name"], written["after"]) == (
        "EUR",
        "quote",
        "flex",
        "240.98",
    )
    groups = {each["code"]: each for each in written["children"]}
    assert list(groups) == [
        "room",
        "inclusions",
        "fees",
        "taxes",
        "city_taxes",
        "totals",
        "deposits",
        "cancellation",
        "no_show",
        "sources",
    ]
    (full, low) = groups["taxes"]["children"]
    assert {name: value for name, value in full.items() if name != "children"} == {
        "code": "tax",
        "name": "full",
        "kind": "included",
        "percent": "19",
        "share": "19/119",
        "of": "56.31",
        "before": "10.697478",
        "before_exact": "127300/119",
        "after": "10.69",
    }
    assert low["children"][0] == {
        "code": "tax_line",
        "name": "room",
        "room": 1,
        "on": "2027-03-01",
        "of": "76.63",
        "before": "5.363831",
        "before_exact": "57393/107",
        "after": "5.36",
        "rounding": "half_up",
    }
    assert groups["fees"]["children"][0]["children"] == [
        {"code": "line", "room": 1, "quantity": 2, "amount": "12.00", "after": "24.00"}
    ]


def test_in_a_sum_per_rate_the_lines_show_how_it_was_spread_and_the_totals_what_it_moved():
    explanation = explain(quote_of(_house(RoundingScope.PER_RATE), end=3))
    low = part(explanation, Part.TAXES).children[1]
    assert (exact(low.before), low.after, low.rounding) == (Fraction("1072.82"), 1073, "half_up")
    assert [(exact(each.before), each.after, each.rounding) for each in low.children] == [
        (Fraction("536.41"), 537, "largest_remainder"),
        (Fraction("536.41"), 536, "largest_remainder"),
    ]
    totals = {each.name: each.after for each in part(explanation, Part.TOTALS).children}
    assert totals["due"] == totals["room"] + totals["fees"] + totals["added_taxes"] + totals["rounding"]


def test_what_is_remembered_of_nights_is_forgotten_when_it_is_too_much(monkeypatch):
    quote = quote_of(book(rules=[longer("short", "-5", nights=nights(2, 3))]))
    first = explain(quote)
    monkeypatch.setattr("pmscore.pricing.views.explanation_nights.MOST_STEPS", 1)
    remembered = explaining._NIGHTS[quote.source]
    assert remembered.is_full
    assert explain(quote) == first
    assert explaining._NIGHTS[quote.source] is not remembered


def test_lines_have_the_depth_of_their_nodes():
    lines = list(explained_lines(explain(quote_of(book()))))
    assert lines[:3] == [(0, "quote flex: 300.00 EUR"), (1, "room 1 (2): 300.00"), (2, "2027-03-01: 100.00")]


@pytest.mark.parametrize(
    ("currency", "texts"), [("JPY", "-5 0 7"), ("EUR", "-0.05 0.00 0.07"), ("KWD", "-0.005 0.000 0.007")]
)
def test_whole_amounts_have_all_digits_of_their_currency(currency, texts):
    known = Currency.of(currency)
    assert " ".join(amount_text(each, known) for each in (-5, 0, 7)) == texts
    assert amount_text(123_456, known) == Money(123_456, known).plain()


def test_amounts_between_stages_have_four_more_digits_and_the_rest_is_cut_off():
    euro = Currency.of("EUR")
    assert amount_text(Ratio(-2_000, 3), euro) == "-6.666666"
    assert amount_text(Ratio(1, 10_000_000), euro) == "0.00"
    assert amount_text(Ratio(15, 10), euro) == "0.015"


@pytest.mark.parametrize(
    ("numer", "denom", "shown"), [(7, 3, "7/3"), (14, 6, "7/3"), (100, 30, "10/3"), (12, 21, "4/7")]
)
def test_an_amount_that_is_no_whole_number_of_cents_is_written_as_a_fraction_in_lowest_terms(
    numer: int, denom: int, shown: str
):
    node = Explained(Part.ROUNDING, "", Ratio(numer, denom))
    written = explanation_json(Explanation(Currency.of("EUR"), Explained(Part.QUOTE, "flex", None, (node,))))
    (child,) = written["children"]
    assert child["after_exact"] == shown


def test_an_amount_that_can_be_written_out_has_no_fraction():
    node = Explained(Part.ROUNDING, "", Ratio(10, 4))
    written = explanation_json(Explanation(Currency.of("EUR"), Explained(Part.QUOTE, "flex", None, (node,))))
    (child,) = written["children"]
    assert (child["after"], "after_exact" in child) == ("0.025", False)


@pytest.mark.parametrize(
    ("exact", "amount", "says"), [((900_000, 100), 9_000, 0), ((900_050, 100), 9_001, 1)]
)
def test_a_price_that_is_a_whole_number_of_cents_took_no_step(exact: tuple[int, int], amount: int, says: int):
    steps: list[Explained] = []
    assert _limited(Ratio(*exact), PriceLimits(), steps) == amount
    assert [each.code for each in steps] == [Part.STEP] * says


def test_a_percentage_says_of_what_it_was_taken_where_that_is_not_the_running_amount():
    of_plan = {"bands": [{"from": 1, "change": {"percent": "-10", "base": "plan"}}]}
    rules = [
        longer("first", "-10", rank=1),
        longer("second", "-10", rank=2),
        rule("of_plan", "length_of_stay", of_plan, rank=3),
    ]
    (room,) = explain(quote_of(book(rules=rules), end=2)).rooms
    (night,) = room.children
    ruled = {each.name: each.of for each in night.children if each.code is Part.RULE}
    assert ruled == {"first": None, "second": None, "of_plan": 10_000}


@pytest.mark.parametrize("code", ["breakfast", "wellness"])
def test_what_the_price_contains_is_named_whatever_it_is_called(code: str):
    spa = Inclusion(code=code, per=Per.PERSON_NIGHT, amount=900, category="extra")
    what = book(base(inclusions=(code,)), inclusions=(spa,))
    group = part(explain(quote_of(what, end=3)), Part.INCLUSIONS)
    assert [(each.name, each.after) for each in group.children] == [(code, 3_600)]


def test_lines_of_a_flat_tax_say_whose_room_they_are_of() -> None:
    levy = Tax(code="city", name="City tax", rate=200, per=Per.PERSON_NIGHT, is_city_tax=True)
    quote = quote_of(book(taxes=TaxTable((levy,))), COUPLE, COUPLE, COUPLE, end=2)
    told = explain(quote).part(Part.CITY_TAXES)
    assert told is not None
    assert [line.room for line in told.children[0].children] == [1, 2, 3]


def test_a_night_is_rounded_from_where_its_last_rule_left_it() -> None:
    # 100.01 less a tenth is 90.009, less a tenth again 81.0081.
    rules = (longer("first", "-10"), longer("second", "-10", rank=2))
    night = explain(quote_of(book(base("flex", 10_001), rules=rules), end=2)).rooms[0].children[0]
    *_, last, rounding = night.children
    assert (last.name, rounding.code, rounding.after) == ("second", Part.ROUNDING, 8_101)
    assert rounding.before == last.after
    assert amount_text(rounding.before, Currency.of("EUR")) == "81.0081"


def test_a_tax_whose_rate_changes_in_a_stay_has_the_lines_of_each_rate_apart() -> None:
    # Two nights at 7 % and one at 19 %, each of 100.00.
    early = Tax(code="vat", name="VAT", rate=Percent.parse("7"), valid=nights(1, 3))
    late = Tax(code="vat", name="VAT", rate=Percent.parse("19"), valid=nights(3, 31))
    taxed = explain(quote_of(book(taxes=TaxTable((early, late)))))
    told = taxed.part(Part.TAXES)
    assert told is not None
    assert [(each.operand, each.after) for each in told.children] == [
        (Percent.parse("7"), 1_400),
        (Percent.parse("19"), 1_900),
    ]
    assert [[line.on for line in each.children] for each in told.children] == [[day(1), day(2)], [day(3)]]
