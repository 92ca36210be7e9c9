"""Hypothesis strategies for prices. Needs ``pip install "pmscore[testing]"``.

Owns what an arbitrary but legal price book, party, rule or question looks like; everything lies within ``PRICED``, so
that rules and stays meet. Stays, houses and amounts are :mod:`pmscore.testing.strategies`'. A new kind of price rule
is found by its registry and drawn without an edit here, if it takes one of the values below.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from typing import Final, TypeVar
from uuid import UUID

try:
    from hypothesis import strategies as st
    from hypothesis.strategies import SearchStrategy
except ImportError as error:
    raise ImportError(
        'pmscore.testing.price_strategies needs Hypothesis: pip install "pmscore[testing]"'
    ) from error

from attrs import evolve

from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange, DateSet
from pmscore.dates.recurrence import Season, Weekdays
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Json
from pmscore.kernel.ids import PropertyId, UnitTypeId
from pmscore.kernel.money import Rounding
from pmscore.kernel.percent import Percent
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.changes import Change
from pmscore.pricing.model.guests import GuestParty
from pmscore.pricing.model.occupancy import AgeBand, OccupancyTerms, PricedBy
from pmscore.pricing.model.plans import DatedPrice, Derivation, PriceLimits, RatePlan, TypePrices, WeekPrices
from pmscore.pricing.model.rules import PRICE_RULES, PriceQuestion, PriceRule

__all__ = [
    "PRICED",
    "PRICED_TYPES",
    "age_bands",
    "guest_parties",
    "occupancy_terms",
    "price_books",
    "price_questions",
    "price_rules",
    "rate_plans",
    "seasons",
    "type_prices",
]

ItemT = TypeVar("ItemT")

PRICED: Final = DateRange(date(2030, 1, 30), date(2030, 3, 15))
"""The nights that books, rules and questions are about; over the end of a February."""

PRICED_TYPES: Final = (UnitTypeId(UUID(int=1)), UnitTypeId(UUID(int=2)))
"""The types that plans have prices for."""

_SEASON_NAMES: Final = ("carnival", "fair", "winter")
_GROUPS: Final = ("alpha", "beta", "gamma")
_CHANNELS: Final = ("ota", "direct")
_CODES: Final = ("spring", "loyal")
_FULL: Final = (95, 70, 100, 110, 90, 89, 69, 30, 29, 0)
_LEADS: Final = (3, 0, 1, 4, 5, 10, 11, 20, 21, 60, 61, -1)

_amounts = st.integers(0, 40_000) | st.sampled_from((0, 1, 9_999, 10_000, 12_345))
_signed = st.integers(-9_000, 9_000)
_percents = st.integers(-1_000_000, 1_500_000).map(Percent) | st.sampled_from(
    tuple(Percent.parse(each) for each in ("-100", "-33.3333", "-12.5", "-10", "0", "5", "7.25", "100"))
)


@st.composite
def guest_parties(draw: st.DrawFn, *, most: int = 6) -> GuestParty:
    """Return parties of at most ``most`` people, children of any age among them."""
    adults = draw(st.integers(1, most))
    ages = draw(st.lists(st.integers(0, 17) | st.integers(0, 120), max_size=most - adults))
    return GuestParty(adults=adults, ages=tuple(ages), pets=draw(st.integers(0, 2)))


@st.composite
def age_bands(draw: st.DrawFn) -> tuple[AgeBand, ...]:
    """Return bands without overlap, now and then with a gap between them, in any order."""
    edges = sorted(draw(st.sets(st.integers(0, 18) | st.integers(0, 121), min_size=2, max_size=5)))
    bands = [
        AgeBand(
            from_age=start,
            to_age=end,
            price=draw(_amounts | st.integers(0, 1_000_000).map(Percent)),
            fills_place=draw(st.booleans()),
            needs_bed=draw(st.booleans()),
        )
        for start, end in pairwise(edges)
        if draw(st.integers(0, 4))
    ]
    return tuple(draw(st.permutations(bands)))


@st.composite
def occupancy_terms(draw: st.DrawFn) -> OccupancyTerms:
    """Return terms by unit and by person."""
    if draw(st.booleans()):
        return OccupancyTerms(priced_by=PricedBy.PERSON, children=draw(age_bands()))
    return OccupancyTerms(
        included=draw(st.integers(1, 4)),
        extra_adult=draw(_amounts),
        empty_place=draw(st.just(0) | st.integers(0, 9_000)),
        children=draw(age_bands()),
    )


@st.composite
def seasons(draw: st.DrawFn) -> tuple[Season, ...]:
    """Return seasons that overlap as they like, each of its own weight; their order says nothing."""
    names = draw(st.lists(st.sampled_from(_SEASON_NAMES), unique=True))
    weights = draw(st.permutations(range(len(names))))
    return tuple(
        Season(
            name=name,
            nights=DateSet.of(*draw(st.lists(_ranges(), min_size=1, max_size=2))),
            weekdays=Weekdays(draw(_weekdays)),
            priority=weight,
        )
        for name, weight in zip(names, weights, strict=True)
    )


@st.composite
def type_prices(draw: st.DrawFn, names: tuple[str, ...] = ()) -> TypePrices:
    """Return prices of a type by default, by the seasons named, and by date, with gaps of all three sorts."""
    priced = draw(st.lists(st.sampled_from(names), unique=True)) if names else []
    edges = sorted(draw(st.sets(st.integers(0, PRICED.length), max_size=2)))
    dates = [
        DatedPrice(DateRange.of(PRICED.start + timedelta(days=first), end - first), draw(_mostly(_amounts)))
        for first, end in zip(edges[::2], edges[1::2], strict=False)
    ]
    return TypePrices(
        default=draw(_mostly(_weeks())),
        seasons={name: draw(_weeks()) for name in priced},
        dates=tuple(draw(st.permutations(dates))),
        occupancy=draw(st.none() | occupancy_terms()),
    )


@st.composite
def rate_plans(draw: st.DrawFn, names: tuple[str, ...] = ()) -> tuple[RatePlan, ...]:
    """Return a plan with prices of its own, and up to three others, most of them derived, over several levels."""
    found = [draw(_base_plans("base", names))]
    for number in range(draw(st.integers(0, 3))):
        code = f"plan-{number}"
        if draw(st.integers(0, 4)) == 0:
            found.append(draw(_base_plans(code, names)))
        else:
            found.append(draw(_derived_plans(code, draw(st.sampled_from(found)), _sold(found))))
    return tuple(draw(st.permutations(found)))


@st.composite
def price_rules(
    draw: st.DrawFn, code: str = "rule", *, rank: int = 1, plans: tuple[str, ...] = ()
) -> PriceRule:
    """Return rules of every registered kind; a group shuts out later ones of the alphabet only."""
    group = draw(st.sampled_from((*_GROUPS, _GROUPS[0])))
    later = _GROUPS[_GROUPS.index(group) + 1 :]
    kind = draw(st.sampled_from(_kinds()))
    return PriceRule(
        code=code,
        name=f"Rule {code}",
        kind=kind,
        value=draw(st.sampled_from(_values_of(kind))),
        rank=rank,
        group=group,
        excludes=frozenset(draw(st.sampled_from(((), (), later, later[:1])))),
        nights=draw(st.none() | _ranges(at_least=15)),
        weekdays=Weekdays(draw(_mostly_every_day)),
        booked=draw(st.sampled_from((None, None, None, None, DateRange(date(2029, 12, 1), PRICED.start)))),
        plans=draw(_some(plans)),
        unit_types=draw(_some(PRICED_TYPES)),
        channels=draw(_some(_CHANNELS)),
    )


@st.composite
def price_books(draw: st.DrawFn, *, most_rules: int = 5) -> PriceBook:
    """Return whole books in currencies of any precision."""
    found = draw(seasons())
    plans = draw(rate_plans(tuple(each.name for each in found)))
    ranks = draw(st.permutations(range(most_rules)))
    rules = [
        draw(price_rules(f"rule-{number}", rank=ranks[number], plans=tuple(each.code for each in plans)))
        for number in range(most_rules - draw(st.integers(0, most_rules)))
    ]
    groups = frozenset(each.group for each in rules)
    return PriceBook(
        property_id=PropertyId(UUID(int=9)),
        currency=Currency.of(draw(st.sampled_from(("EUR", "JPY", "KWD")))),
        seasons=found,
        plans=plans,
        rules=tuple(evolve(each, excludes=each.excludes & groups) for each in rules),
    )


@st.composite
def price_questions(draw: st.DrawFn, book: PriceBook, *, longest: int = 10) -> PriceQuestion:
    """Return questions that a book has an answer to."""
    first = draw(st.integers(0, PRICED.length - longest))
    stay = StayRange.of(PRICED.start + timedelta(days=first), longest - draw(st.integers(0, longest - 1)))
    plan = draw(st.sampled_from(book.plans))
    full = st.lists(st.sampled_from(_FULL), min_size=stay.length, max_size=stay.length)
    return PriceQuestion(
        stay=stay,
        unit_type_id=draw(st.sampled_from(sorted(book.types_of(plan)))),
        plan=plan.code,
        booked_on=stay.arrival - timedelta(days=draw(st.sampled_from(_LEADS))),
        channel=draw(st.sampled_from(_CHANNELS)),
        codes=frozenset(draw(st.sampled_from((_CODES, _CODES[:1], ())))),
        occupied=draw(_mostly(full.map(tuple[int, ...]))),
    )


_mostly_every_day = st.sampled_from((127, 127, 127, 0b1010101, 0b0101010, 0b1100000, 0b0000001))
_weekdays = st.just(Weekdays.EVERY.mask) | st.integers(1, Weekdays.EVERY.mask)


@st.composite
def _ranges(draw: st.DrawFn, *, at_least: int = 1) -> DateRange:
    first = draw(st.integers(-5, PRICED.length))
    return DateRange.of(PRICED.start + timedelta(days=first), draw(st.integers(at_least, 30)))


def _weeks() -> SearchStrategy[WeekPrices]:
    prices = st.sampled_from((10_050, 9_999, 12_345, 25_000, 38_001, 7_333, 16_666, 5, 0, None))
    return st.lists(prices, min_size=7, max_size=7).map(tuple[int | None, ...]).map(WeekPrices)


@st.composite
def _limits(draw: st.DrawFn) -> PriceLimits:
    floor = draw(st.none() | st.integers(0, 15_000))
    ceiling = draw(st.none() | st.integers(floor or 0, 45_000))
    return PriceLimits(
        step=draw(st.sampled_from((1, 5, 50, 100, 700))),
        rounding=draw(st.sampled_from(Rounding)),
        floor=floor,
        ceiling=ceiling,
    )


@st.composite
def _base_plans(draw: st.DrawFn, code: str, names: tuple[str, ...]) -> RatePlan:
    types = draw(st.sampled_from((PRICED_TYPES, PRICED_TYPES[:1], PRICED_TYPES[1:])))
    return RatePlan(
        code=code,
        name=f"Plan {code}",
        prices={each: draw(type_prices(names)) for each in types},
        occupancy=draw(st.none() | occupancy_terms()),
        limits=draw(_limits()),
    )


@st.composite
def _derived_plans(
    draw: st.DrawFn, code: str, parent: RatePlan, sold: Mapping[str, frozenset[UnitTypeId]]
) -> RatePlan:
    operands = st.lists(_percents | _signed, max_size=3)
    return RatePlan(
        code=code,
        name=f"Plan {code}",
        derivation=Derivation(
            parent=parent.code, operations=tuple(Change(operand) for operand in draw(operands))
        ),
        occupancy=draw(st.none() | occupancy_terms()),
        limits=draw(_limits()),
        unit_types=draw(_some(tuple(sorted(sold[parent.code])))),
    )


def _sold(plans: list[RatePlan]) -> Mapping[str, frozenset[UnitTypeId]]:
    sold: dict[str, frozenset[UnitTypeId]] = {}
    for plan in plans:
        named = frozenset(plan.prices) or plan.unit_types
        sold[plan.code] = named or (sold[plan.derivation.parent] if plan.derivation else frozenset())
    return sold


def _some(items: tuple[ItemT, ...]) -> SearchStrategy[frozenset[ItemT]]:
    """Return nothing, which narrows nothing, or some of the items."""
    nothing = frozenset[ItemT]()
    if not items:
        return st.just(nothing)
    return st.sampled_from((*[nothing] * 5, frozenset(items[:1]), frozenset(items[-1:])))


def _mostly(strategy: SearchStrategy[ItemT]) -> SearchStrategy[ItemT | None]:
    """Return what a strategy draws, and None in one of six."""
    return st.sampled_from((*[True] * 5, False)).flatmap(lambda is_drawn: strategy if is_drawn else st.none())


_CHANGES: Final[tuple[Json, ...]] = (
    {"percent": "-10"},
    {"percent": "-33.3333"},
    {"percent": "15"},
    {"percent": "-100"},
    {"percent": "-5", "base": "plan"},
    {"percent": "12.5", "base": "occupied"},
    {"amount": -1_500},
    {"amount": 733},
)


def _with_each(listed: str, threshold: str, at: int) -> list[Mapping[str, Json]]:
    return [{listed: [{threshold: at, "change": change}]} for change in _CHANGES]


def _with_each_alone() -> list[Mapping[str, Json]]:
    by_code: list[Mapping[str, Json]] = [
        {"code": code, "change": change} for code in _CODES for change in _CHANGES
    ]
    return [*by_code, *({"channels": {"ota": change}} for change in _CHANGES)]


_VALUES: Final[tuple[Mapping[str, Json], ...]] = (
    *_with_each("bands", "from", 3),
    {"bands": [{"from": 7, "change": _CHANGES[1]}, {"from": 2, "change": _CHANGES[0]}]},
    *_with_each("until", "days", 4),
    {"until": [{"days": 0, "change": _CHANGES[3]}, {"days": 10, "change": _CHANGES[6]}]},
    *_with_each("steps", "from", 70),
    {"steps": [{"from": 30, "change": _CHANGES[0]}, {"from": 90, "change": _CHANGES[2]}], "most_lead": 20},
    {"steps": [{"from": 100, "change": _CHANGES[7]}], "least_lead": 3, "most_lead": 60},
    *_with_each_alone(),
    {"channels": {"ota": _CHANGES[2], "direct": _CHANGES[6]}},
)


@cache
def _kinds() -> tuple[str, ...]:
    return tuple(name for name, _ in PRICE_RULES)


@cache
def _values_of(kind: str) -> tuple[Mapping[str, Json], ...]:
    found: list[Mapping[str, Json]] = []
    for value in _VALUES:
        try:
            PRICE_RULES.get(kind).of(value)
        except InvalidInputError:
            continue
        found.append(value)
    return tuple(found)
