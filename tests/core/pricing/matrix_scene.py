"""Small houses with plans, price rules, stay rules and counts for the tests of the year matrix, and what to draw."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from hypothesis import strategies as st

from pmscore.availability.model import TypeNights
from pmscore.dates.ranges import DateRange, DateSet
from pmscore.dates.recurrence import Season, Weekdays
from pmscore.inventory.model.stock import ClaimKind
from pmscore.kernel.currency import Currency
from pmscore.kernel.ids import PropertyId, UnitTypeId
from pmscore.kernel.money import Rounding
from pmscore.kernel.percent import Percent
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.changes import Base, Change
from pmscore.pricing.model.occupancy import OccupancyTerms, PricedBy
from pmscore.pricing.model.plans import (
    DatedPrice,
    Derivation,
    PriceLimits,
    RatePlan,
    TypePrices,
    WeekPrices,
)
from pmscore.pricing.model.rules import PriceRule
from pmscore.restrictions.model.book import RuleBook
from pmscore.restrictions.model.rules import Rule

START = date(2026, 6, 29)
LENGTH = 15
NIGHTS = DateRange.of(START, LENGTH)
ROOM, SUITE = (UnitTypeId(UUID(int=number)) for number in (1, 2))
TYPES = (ROOM, SUITE)
TODAY = date(2026, 6, 25)
CHANNEL = "ota"


def night(at: int) -> date:
    return START + timedelta(days=at)


def nights(first: int, end: int) -> DateRange:
    return DateRange(night(first), night(end))


def week(*prices: int | None) -> WeekPrices:
    return WeekPrices(prices if len(prices) == 7 else prices * 7)


def counts_of(type_id: UnitTypeId, first: int, *claimed: int, rooms: int = 10, more: int = 0) -> TypeNights:
    return TypeNights(
        unit_type_id=type_id,
        nights=nights(first, first + len(claimed)),
        capacity=(rooms,) * len(claimed),
        overbooking=more,
        claims={ClaimKind.BOOKED: claimed},
    )


def book_of(
    *plans: RatePlan, rules: tuple[PriceRule, ...] = (), seasons: tuple[Season, ...] = ()
) -> PriceBook:
    return PriceBook(
        property_id=PropertyId(UUID(int=9)),
        currency=Currency.of("EUR"),
        plans=plans,
        rules=rules,
        seasons=seasons,
    )


def base_plan(code: str = "bar", **prices: TypePrices) -> RatePlan:
    return RatePlan(
        code=code,
        name=code,
        prices={
            ROOM: prices.get("room", TypePrices(default=week(10_000))),
            SUITE: prices.get("suite", TypePrices(default=week(20_000))),
        },
    )


def derived_plan(code: str, parent: str, change: Change, *inherits: str) -> RatePlan:
    return RatePlan(
        code=code,
        name=code,
        derivation=Derivation(parent=parent, operations=(change,), inherits=frozenset(inherits)),
    )


def price_rule(code: str, kind: str, rank: int = 1, **more: object) -> PriceRule:
    return PriceRule(code=code, name=code, kind=kind, rank=rank, group=str(more.pop("group", code)), **more)


def yield_rule(percent: int, change: str, **more: object) -> PriceRule:
    steps = [{"from": percent, "change": {"percent": change}}]
    return price_rule("yield", "yield", value={"steps": steps}, **more)


RANGES = st.builds(
    lambda first, length: DateRange.of(night(first), length), st.integers(-4, LENGTH + 2), st.integers(1, 9)
)
AMOUNTS = st.one_of(st.integers(0, 40), st.integers(5_000, 30_000))
PRICES = st.one_of(st.none(), AMOUNTS)
WEEKS = st.one_of(
    st.builds(week, AMOUNTS),
    st.builds(lambda prices: WeekPrices(tuple(prices)), st.lists(PRICES, min_size=7, max_size=7)),
)
PERCENTS = st.integers(-1_000_000, 900_000).map(Percent)
CHANGES = st.builds(Change, st.one_of(PERCENTS, st.integers(-9_000, 9_000)))
BASED = st.one_of(CHANGES, st.builds(Change, PERCENTS, st.sampled_from(Base)))
OCCUPANCY = st.builds(
    OccupancyTerms,
    priced_by=st.sampled_from(PricedBy),
    included=st.integers(1, 4),
)
LIMITS = st.builds(
    lambda step, rounding, floor, more: PriceLimits(
        step=step,
        rounding=rounding,
        floor=floor,
        ceiling=None if more is None else (floor or 0) + more,
    ),
    st.sampled_from((1, 1, 5, 100)),
    st.one_of(st.just(Rounding.HALF_UP), st.sampled_from(Rounding)),
    st.one_of(st.none(), st.integers(0, 9_000)),
    st.one_of(st.none(), st.integers(0, 9_000)),
)


@st.composite
def dated_prices(draw: st.DrawFn) -> tuple[DatedPrice, ...]:
    at = draw(st.integers(-3, LENGTH))
    found = []
    for gap, length, price in draw(
        st.lists(st.tuples(st.integers(0, 4), st.integers(1, 5), PRICES), max_size=4)
    ):
        found.append(DatedPrice(nights(at + gap, at + gap + length), price))
        at += gap + length
    return tuple(found)


@st.composite
def type_prices(draw: st.DrawFn, seasons: tuple[str, ...]) -> TypePrices:
    named = draw(st.lists(st.sampled_from(seasons), unique=True)) if seasons else []
    return TypePrices(
        default=draw(st.one_of(st.none(), WEEKS)),
        seasons={name: draw(WEEKS) for name in named},
        dates=draw(dated_prices()),
        occupancy=draw(st.one_of(st.none(), st.none(), OCCUPANCY)),
    )


@st.composite
def rate_plans(draw: st.DrawFn, seasons: tuple[str, ...]) -> tuple[RatePlan, ...]:
    plans: list[RatePlan] = []
    sold: dict[str, frozenset[UnitTypeId]] = {}
    for number in range(draw(st.integers(1, 4))):
        code = f"p{draw(st.integers(0, 9))}{number}"
        derivation = None
        if plans and draw(st.booleans()):
            parent = draw(st.sampled_from(sorted(sold)))
            has_parents_price = draw(st.sampled_from((True, True, False)))
            derivation = Derivation(
                parent=parent,
                operations=tuple(draw(st.lists(CHANGES, max_size=2))) if has_parents_price else (),
                inherits=frozenset(draw(st.lists(st.sampled_from(STAY_KINDS), max_size=3))),
                inherits_price=has_parents_price,
            )
        if derivation is not None and derivation.inherits_price:
            own = {}
            types = sold[derivation.parent]
            some = draw(st.one_of(st.just(frozenset()), st.just(frozenset({min(types)}))))
        else:
            types = frozenset(draw(st.lists(st.sampled_from(TYPES), min_size=1, unique=True)))
            own = {type_id: draw(type_prices(seasons)) for type_id in sorted(types)}
            some = frozenset()
        sold[code] = some or types
        plans.append(
            RatePlan(
                code=code,
                name=code,
                prices=own,
                derivation=derivation,
                occupancy=draw(st.one_of(st.none(), OCCUPANCY)),
                limits=draw(LIMITS),
                unit_types=some,
            )
        )
    return tuple(plans)


@st.composite
def price_rules(draw: st.DrawFn, codes: tuple[str, ...]) -> tuple[PriceRule, ...]:
    found = []
    for number in range(draw(st.integers(0, 4))):
        change = draw(BASED)
        written = (
            {"percent": change.operand.plain(), "base": change.base.value}
            if isinstance(change.operand, Percent)
            else {"amount": change.operand}
        )
        kind, value = draw(
            st.sampled_from(
                (
                    (
                        "yield",
                        {"steps": [{"from": 0, "change": {"amount": 1}}, {"from": 50, "change": written}]},
                    ),
                    ("yield", {"steps": [{"from": 70, "change": written}], "least_lead": 3, "most_lead": 9}),
                    ("length_of_stay", {"bands": [{"from": 1, "change": written}]}),
                    ("early_bird", {"bands": [{"from": 8, "change": written}]}),
                    ("last_minute", {"until": [{"days": 6, "change": written}]}),
                    ("channel", {"channels": {draw(st.sampled_from((CHANNEL, "direct"))): written}}),
                    ("promotion", {"code": "summer", "change": written}),
                )
            )
        )
        found.append(
            price_rule(
                f"r{number}",
                kind,
                number,
                value=value,
                group=draw(st.sampled_from(("a", "b"))),
                nights=draw(st.one_of(st.none(), RANGES)),
                weekdays=Weekdays(draw(st.sampled_from((127, 127, 0b1100000)))),
                booked=draw(st.one_of(st.none(), st.just(DateRange.of(TODAY, 3)))),
                plans=frozenset(draw(st.lists(st.sampled_from(codes), max_size=1))),
                unit_types=frozenset(draw(st.lists(st.sampled_from(TYPES), max_size=1))),
                channels=frozenset(draw(st.lists(st.sampled_from((CHANNEL, "other")), max_size=1))),
            )
        )
    return tuple(found)


@st.composite
def price_books(draw: st.DrawFn) -> PriceBook:
    seasons = tuple(
        Season(name=f"s{number}", nights=DateSet.of(draw(RANGES)), priority=number)
        for number in range(draw(st.integers(0, 3)))
    )
    plans = draw(rate_plans(tuple(each.name for each in seasons)))
    rules = draw(price_rules(tuple(plan.code for plan in plans)))
    return book_of(*plans, rules=rules, seasons=seasons)


STAY_KINDS = (
    "closed_night",
    "closed_to_arrival",
    "closed_to_departure",
    "min_stay_arrival",
    "max_stay_arrival",
    "min_stay_through",
    "max_stay_through",
    "allowed_lengths",
    "arrival_weekdays",
    "departure_weekdays",
)


@st.composite
def stay_rules(draw: st.DrawFn, codes: tuple[str, ...]) -> Rule:
    kind = draw(st.sampled_from((*STAY_KINDS, "booking_window")))
    value: int | tuple[int, ...] | None = draw(st.integers(1, 400))
    if kind.startswith("closed"):
        value = None
    elif kind.endswith("weekdays"):
        value = draw(st.integers(1, 127))
    elif kind == "allowed_lengths":
        value = tuple(sorted(draw(st.sets(st.integers(1, 9), min_size=1))))
    return Rule(
        kind,
        draw(RANGES),
        draw(st.sampled_from((127, 127, 0b0110000, 1))),
        value,
        draw(st.sampled_from((None, *TYPES))),
        draw(st.sampled_from((None, *codes))),
        draw(st.sampled_from((None, None, CHANNEL, "other"))),
    )


def rule_books(codes: tuple[str, ...]) -> st.SearchStrategy[RuleBook]:
    return st.lists(stay_rules(codes), max_size=6).map(lambda rules: RuleBook(tuple(rules)))


@st.composite
def type_counts(draw: st.DrawFn, type_id: UnitTypeId | None = None, *, whole: bool = False) -> TypeNights:
    length = LENGTH if whole else draw(st.integers(1, 6))
    first = 0 if whole else draw(st.integers(-3, LENGTH + 1))
    claimed = draw(st.lists(st.integers(0, 12), min_size=length, max_size=length))
    return counts_of(
        type_id or draw(st.sampled_from(TYPES)),
        first,
        *claimed,
        rooms=draw(st.sampled_from((0, 3, 10))),
        more=draw(st.integers(0, 2)),
    )
