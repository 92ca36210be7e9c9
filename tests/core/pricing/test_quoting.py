"""Quotes: the same question has the same answer, and the short way comes to what the engine comes to."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from core.pricing.charging_scene import ROUNDINGS, tables
from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.dates.recurrence import Weekdays
from pmscore.dates.zones import Zone
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError, NotFoundError
from pmscore.kernel.ids import PropertyId, QuoteId, UnitTypeId
from pmscore.kernel.percent import Percent
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.charges.counting import AgeLimit, Per
from pmscore.pricing.model.charges.fees import Fee, Inclusion
from pmscore.pricing.model.charges.tax_table import TaxTable
from pmscore.pricing.model.charges.taxes import Tax
from pmscore.pricing.model.guests import GuestParty
from pmscore.pricing.model.plans import RatePlan, TypePrices, WeekPrices
from pmscore.pricing.model.quote import Quote
from pmscore.pricing.model.request import QuoteRequest
from pmscore.pricing.model.rules import PriceRule
from pmscore.pricing.use_cases.keeping import PurgeQuotes, purge_quotes
from pmscore.pricing.views.quoting import Quoter
from pmscore.testing.memory import InMemoryStore, SeededIds
from pmscore.testing.price_strategies import PRICED, PRICED_TYPES, guest_parties, price_books
from pmscore.testing.scenes import open_scene, pool

DOUBLE = UnitTypeId(UUID(int=1))
NOW = datetime(2030, 1, 2, 9, tzinfo=UTC)
ID = QuoteId(UUID(int=77))
BERLIN = Zone("Europe/Berlin")

fees = st.builds(
    Fee,
    code=st.sampled_from(("cleaning", "linen", "dog")),
    name=st.just("Fee"),
    per=st.sampled_from(Per),
    amount=st.integers(0, 9_000),
    category=st.sampled_from(("fee", "food", "room")),
    valid=st.none() | st.just(DateRange(date(2030, 2, 10), date(2030, 2, 20))),
)
inclusions = st.builds(
    Inclusion,
    code=st.just("breakfast"),
    per=st.sampled_from((Per.NIGHT, Per.PERSON_NIGHT)),
    amount=st.integers(0, 3_000),
    category=st.sampled_from(("food", "fee")),
)


@st.composite
def whole_books(draw: st.DrawFn) -> PriceBook:
    """Return books with fees, inclusions and taxes, too."""
    book = draw(price_books(most_rules=3))
    included = draw(st.lists(inclusions, max_size=1))
    return evolve(
        book,
        plans=tuple(evolve(plan, inclusions=tuple(each.code for each in included)) for plan in book.plans),
        inclusions=tuple(included),
        fees=tuple(draw(st.lists(fees, max_size=3, unique_by=lambda fee: fee.code))),
        taxes=draw(tables()),
        tax_rounding=draw(ROUNDINGS),
    )


@st.composite
def requests(draw: st.DrawFn) -> QuoteRequest:
    """Return requests that lie within the priced nights."""
    length = draw(st.integers(1, 12))
    first = draw(st.integers(0, PRICED.length - length))
    return QuoteRequest(
        stay=StayRange.of(PRICED.start + timedelta(days=first), length),
        parties=tuple(draw(st.lists(guest_parties(), min_size=1, max_size=2))),
        channel=draw(st.sampled_from(("direct", "ota"))),
    )


def quoter(book: PriceBook) -> Quoter:
    return Quoter(book, PRICED, BERLIN)


def quotes(book: PriceBook, request: QuoteRequest) -> dict[tuple[UnitTypeId, str], Quote]:
    """Return the quotes of all types and plans that have one."""
    desk = quoter(book)
    found = {
        (type_id, plan.code): desk.quote(request, type_id, plan.code, now=NOW, quote_id=ID)
        for type_id in PRICED_TYPES
        for plan in book.plans
    }
    return {key: each for key, each in found.items() if isinstance(each, Quote)}


@given(book=whole_books(), request=requests())
def test_totals_are_what_the_tax_engine_comes_to(book: PriceBook, request: QuoteRequest) -> None:
    for quote in quotes(book, request).values():
        result, totals = quote.charged, quote.totals
        assert (totals.net, totals.tax, totals.city_tax) == (result.net, result.tax, result.city_tax)
        assert totals.room == sum(map(sum, quote.nightly))
        assert totals.room + totals.fees == sum(line.charge.amount for line in result.charges)
        assert totals.due == result.due >= 0
        assert min(map(min, quote.nightly)) >= 0


@given(book=whole_books(), request=requests(), random=st.randoms())
def test_the_order_in_which_parts_were_saved_changes_no_byte(
    book: PriceBook, request: QuoteRequest, random
) -> None:
    def shuffled(items):
        return tuple(random.sample(list(items), len(items)))

    other = evolve(
        book, seasons=shuffled(book.seasons), plans=shuffled(book.plans), rules=shuffled(book.rules),
        fees=shuffled(book.fees), taxes=TaxTable(shuffled(book.taxes.taxes)),
    )  # fmt: skip
    first, again = quotes(book, request), quotes(other, request)
    assert {key: each.fingerprint for key, each in first.items()} == {
        key: each.fingerprint for key, each in again.items()
    }
    assert first == again


@given(book=whole_books(), request=requests())
def test_a_quote_is_the_same_whoever_was_quoted_before(book: PriceBook, request: QuoteRequest) -> None:
    warm = quoter(book)
    for shift in (3, 2, 1, 0):
        earlier = max(request.stay.arrival - timedelta(days=shift), PRICED.start)
        asked = evolve(request, stay=StayRange.of(earlier, request.stay.length))
        for plan in book.plans:
            said = warm.quote(asked, DOUBLE, plan.code, now=NOW, quote_id=ID)
            assert said == quoter(book).quote(asked, DOUBLE, plan.code, now=NOW, quote_id=ID)


def house(**parts: object) -> PriceBook:
    plan = RatePlan(code="flex", name="Flexible", prices={DOUBLE: TypePrices(default=WeekPrices.of(10_000))})
    return PriceBook(
        property_id=PropertyId(UUID(int=9)),
        currency=Currency.of("EUR"),
        plans=(plan,),
        **parts,
    )


def asked(nights: int = 3, *parties: GuestParty, **more: object) -> QuoteRequest:
    stay = StayRange.of(date(2030, 2, 4), nights)
    return QuoteRequest(stay=stay, parties=parties or (GuestParty(adults=2),), **more)


def quoted(book: PriceBook, request: QuoteRequest) -> Quote:
    found = quoter(book).quote(request, DOUBLE, "flex", now=NOW, quote_id=ID)
    assert isinstance(found, Quote)
    return found


def test_three_nights_with_cleaning_vat_and_city_tax_by_hand() -> None:
    # 3 x 100.00 + 60.00 cleaning; 7 % VAT in both prices: a night 100.00 - 6.54, the cleaning 60.00 - 3.93;
    # city tax 3 nights x 2 adults x 2.00.
    book = house(
        fees=(Fee(code="cleaning", name="Cleaning", per=Per.STAY, amount=6_000),),
        taxes=TaxTable(
            (
                Tax(code="vat", name="VAT", rate=Percent.parse("7"), on=("room", "fee"), is_inclusive=True),
                Tax(code="city", name="City tax", rate=200, per=Per.PERSON_NIGHT, is_city_tax=True),
            )
        ),
    )
    totals = quoted(book, asked()).totals
    assert (totals.room, totals.fees, totals.tax, totals.city_tax) == (30_000, 6_000, 3 * 654 + 393, 1_200)
    assert totals.net == 36_000 - 2_355
    assert totals.due == 37_200


def test_a_capped_tourist_tax_stops_after_seven_nights_of_those_who_count() -> None:
    tax = Tax(
        code="tourist", name="Tourist tax", rate=200, per=Per.PERSON_NIGHT, is_city_tax=True,
        most_nights=7, counted=AgeLimit(from_age=13),
    )  # fmt: skip
    book = house(taxes=TaxTable((tax,)))
    family = GuestParty(adults=2, ages=(14, 9))
    assert quoted(book, asked(10, family)).totals.city_tax == 7 * 3 * 200
    assert quoted(book, asked(4, family)).totals.city_tax == 4 * 3 * 200


def test_a_rule_for_saturdays_meets_each_saturday_and_no_other_day() -> None:
    change = {"bands": [{"from": 1, "change": {"percent": "10"}}]}
    weekend = PriceRule(
        code="weekend",
        name="Weekend",
        kind="length_of_stay",
        value=change,
        rank=1,
        group="weekend",
        weekdays=Weekdays.from_names(["sat"]),
    )
    desk = quoter(house(rules=(weekend,)))
    for ahead in range(35):
        stay = StayRange.of(date(2030, 2, 4) + timedelta(days=ahead), 1)
        found = desk.quote(evolve(asked(), stay=stay), DOUBLE, "flex", now=NOW, quote_id=ID)
        assert isinstance(found, Quote)
        assert found.totals.due == (11_000 if stay.arrival.isoweekday() == 6 else 10_000), stay


def test_a_night_without_a_price_is_not_sold_and_named() -> None:
    week = WeekPrices((10_000,) * 5 + (None, None))
    plan = RatePlan(code="flex", name="Flexible", prices={DOUBLE: TypePrices(default=week)})
    book = evolve(house(), plans=(plan,))
    refused = quoter(book).quote(asked(7), DOUBLE, "flex", now=NOW, quote_id=ID)
    assert isinstance(refused, tuple)
    assert [(each.code, each.night) for each in refused] == [
        ("no_price", date(2030, 2, 9)),
        ("no_price", date(2030, 2, 10)),
    ]


def test_a_code_counts_where_it_applies_and_is_refused_by_name_elsewhere() -> None:
    rule = PriceRule(
        code="spring", name="Spring", kind="promotion", rank=1, group="codes",
        value={"code": "spring20", "change": {"percent": "-20"}},
        booked=DateRange(date(2030, 1, 1), date(2030, 1, 10)),
    )  # fmt: skip
    book = house(rules=(rule,))
    assert quoted(book, asked(codes=("spring20",))).totals.room == 24_000
    assert quoted(book, asked()).totals.room == 30_000
    late = quoter(book).quote(
        asked(codes=("spring20",)), DOUBLE, "flex", now=NOW + timedelta(days=20), quote_id=ID
    )
    assert isinstance(late, tuple)
    assert [(each.code, each.value) for each in late] == [("code_does_not_apply", "spring20")]
    with pytest.raises(InvalidInputError) as refused:
        quoted(book, asked(codes=("winter",)))
    assert (refused.value.field, refused.value.reason) == ("codes", "unknown_code")


def test_what_there_is_not_is_refused() -> None:
    with pytest.raises(NotFoundError):
        quoter(house()).quote(asked(), DOUBLE, "nonref", now=NOW, quote_id=ID)
    with pytest.raises(InvalidInputError) as refused:
        quoted(house(), asked(extras=("boat",)))
    assert (refused.value.field, refused.value.reason) == ("extras", "unknown_fee")
    with pytest.raises(InvalidInputError) as outside:
        quoted(house(), evolve(asked(), stay=StayRange.of(date(2031, 2, 4), 2)))
    assert (outside.value.field, outside.value.reason) == ("stay", "outside_of_tables")


def test_only_a_rule_of_yield_asks_how_full_the_house_is() -> None:
    change = {"percent": "10"}
    early = PriceRule(
        code="early", name="Early", kind="early_bird", rank=1, group="early",
        value={"bands": [{"from": 30, "change": change}]},
    )  # fmt: skip
    full = PriceRule(
        code="full", name="Full", kind="yield", rank=1, group="full",
        value={"steps": [{"from": 80, "change": change}]},
    )  # fmt: skip
    assert quoter(house(rules=(early,))).has_yield is False
    assert quoter(house(rules=(early, full))).has_yield is True


def test_another_party_another_stay_or_another_version_is_another_fingerprint() -> None:
    book = house()
    found = {
        quoted(book, asked()).fingerprint,
        quoted(book, asked(4)).fingerprint,
        quoted(book, asked(3, GuestParty(adults=1))).fingerprint,
        quoted(evolve(book, version=2), asked()).fingerprint,
        quoted(book, asked(channel="ota")).fingerprint,
    }
    assert len(found) == 5


def test_a_purge_that_makes_no_sense_is_refused() -> None:
    scene = open_scene(InMemoryStore(), SeededIds("purge"), pool(1))
    for more, field in (({"kept_for": timedelta(days=-1)}, "kept_for"), ({"most": 0}, "most")):
        with pytest.raises(InvalidInputError) as refused:
            purge_quotes(PurgeQuotes(**scene.asked(), **more), uow=scene.store, clock=scene.clock)
        assert refused.value.field == field
