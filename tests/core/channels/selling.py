"""A small house for the tests of what platforms are told: two types, two plans, drawn rules, prices and counts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from attrs import evolve, frozen
from hypothesis import strategies as st

from pmscore.availability.model import TypeNights
from pmscore.channels.model.ari import AriRows, RowKey
from pmscore.channels.model.manifest import Lane, Manifest
from pmscore.channels.model.mappings import MappingBook
from pmscore.channels.views.desired import Wanted, desired, keys_of
from pmscore.dates.ranges import DateRange
from pmscore.dates.zones import Zone
from pmscore.inventory.model.allotments import Allotment
from pmscore.inventory.model.house import Capacity, House, Property, UnitType
from pmscore.inventory.model.stock import ClaimKind
from pmscore.kernel.currency import Currency
from pmscore.kernel.ids import PropertyId
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.changes import Change
from pmscore.pricing.model.occupancy import OccupancyTerms
from pmscore.pricing.model.plans import DatedPrice, Derivation, RatePlan, TypePrices, WeekPrices
from pmscore.pricing.model.rules import PriceRule
from pmscore.restrictions.model.book import RuleBook
from pmscore.restrictions.model.rules import RULE_KINDS, Rule
from pmscore.testing.channel_strategies import TOLD, TOLD_TYPES, told_nights

CHANNEL = "ota"
NOW = datetime.combine(TOLD.start, datetime.min.time(), UTC) + timedelta(hours=9)
HOME = PropertyId(UUID(int=9))
EUR = Currency.of("EUR")
KINDS = tuple(kind for kind, _ in RULE_KINDS)

HOUSE = House(
    property=Property(
        property_id=HOME,
        name="Linde",
        zone=Zone("Europe/Vienna"),
        currency=EUR,
        business_date=TOLD.start,
    ),
    types={
        each: UnitType(
            unit_type_id=each, name=f"Type {each.int}", capacities=(Capacity(date(2029, 1, 1), 5),)
        )
        for each in TOLD_TYPES
    },
    units={},
)


@frozen(kw_only=True)
class Selling:
    """All that decides what a platform should have."""

    book: PriceBook
    rules: RuleBook
    counts: tuple[TypeNights, ...]
    house: House = HOUSE
    now: datetime = NOW
    allotted: tuple[Allotment, ...] = ()

    def wanted(
        self,
        mappings: MappingBook,
        manifest: Manifest,
        nights: DateRange = TOLD,
        keys: tuple[RowKey, ...] | None = None,
    ) -> Wanted:
        return desired(
            mappings,
            manifest,
            house=self.house,
            book=self.book,
            rules=self.rules,
            counts=self.counts,
            nights=nights,
            now=self.now,
            channel=CHANNEL,
            keys=all_keys(mappings, manifest) if keys is None else keys,
            allotted=self.allotted,
        )


def all_keys(mappings: MappingBook, manifest: Manifest) -> tuple[RowKey, ...]:
    return tuple(key for lane in Lane for key in keys_of(mappings, manifest, lane))


def nothing(nights: DateRange = TOLD) -> AriRows:
    return AriRows(nights, {})


def counts_of(type_id, claimed, *, rooms=5, more=0) -> TypeNights:
    return TypeNights(
        unit_type_id=type_id,
        nights=TOLD,
        capacity=(rooms,) * TOLD.length,
        overbooking=more,
        claims={ClaimKind.BOOKED: tuple(claimed)},
    )


def plans_of(*prices: TypePrices, inherits: frozenset[str] = frozenset(), change: int = -500) -> PriceBook:
    bar = RatePlan(
        code="bar",
        name="Best",
        prices=dict(zip(TOLD_TYPES, prices, strict=True)),
        occupancy=OccupancyTerms(included=2, extra_adult=1_500, empty_place=1_000),
    )
    flex = RatePlan(
        code="flex",
        name="Flex",
        derivation=Derivation(parent="bar", operations=(Change(change),), inherits=inherits),
    )
    return PriceBook(property_id=HOME, currency=EUR, plans=(bar, flex))


PLAIN = Selling(
    book=plans_of(TypePrices(default=WeekPrices.of(10_000)), TypePrices(default=WeekPrices.of(20_000))),
    rules=RuleBook(),
    counts=tuple(counts_of(each, (0,) * TOLD.length) for each in TOLD_TYPES),
)

PRICES = st.one_of(st.none(), st.integers(5_000, 5_002).map(lambda price: price * 2))


@st.composite
def books(draw: st.DrawFn) -> PriceBook:
    prices = []
    for _ in TOLD_TYPES:
        week = WeekPrices(tuple(draw(st.lists(PRICES, min_size=7, max_size=7))))
        dated = (DatedPrice(draw(told_nights()), draw(PRICES)),) if draw(st.booleans()) else ()
        prices.append(TypePrices(default=draw(st.sampled_from((week, WeekPrices.of(9_000)))), dates=dated))
    book = plans_of(*prices, inherits=draw(st.frozensets(st.sampled_from(KINDS), max_size=4)))
    steps = [{"from": 50, "change": {"percent": "10"}}]
    rule = PriceRule(code="y", name="y", kind="yield", rank=1, group="y", value={"steps": steps})
    return evolve(book, rules=(rule,)) if draw(st.booleans()) else book


def value_of(kind: str) -> st.SearchStrategy[object]:
    if kind.startswith("closed"):
        return st.none()
    if kind.endswith("weekdays"):
        return st.integers(1, 127)
    if kind == "allowed_lengths":
        return st.sets(st.integers(1, 9), min_size=1).map(lambda found: tuple(sorted(found)))
    if kind == "lead_time":
        return st.builds(
            lambda amount, unit, anchor: f"{amount}{unit} before {anchor}",
            st.integers(0, 60),
            st.sampled_from("dh"),
            st.sampled_from(("arrival", "check_in")),
        )
    if kind == "booking_window":
        return st.integers(0, 20)
    return st.integers(1, 6)


@st.composite
def stay_rules(draw: st.DrawFn, kinds: tuple[str, ...] = KINDS, *, is_for_all: bool = False) -> Rule:
    kind = draw(st.sampled_from(kinds))
    around = DateRange.of(TOLD.start - timedelta(days=3), TOLD.length + 12)
    return Rule(
        kind,
        draw(told_nights(within=around)),
        draw(st.sampled_from((127, 127, 0b0110000))),
        draw(value_of(kind)),
        None if is_for_all else draw(st.sampled_from((None, *TOLD_TYPES))),
        None if is_for_all else draw(st.sampled_from((None, "bar", "flex"))),
        None if is_for_all else draw(st.sampled_from((None, None, CHANNEL, "other"))),
    )


def rule_books(most: int = 5) -> st.SearchStrategy[RuleBook]:
    return st.lists(stay_rules(), max_size=most).map(lambda rules: RuleBook(tuple(rules)))


@st.composite
def counted(draw: st.DrawFn) -> tuple[TypeNights, ...]:
    claimed = st.lists(st.sampled_from((0, 0, 3, 5, 6)), min_size=TOLD.length, max_size=TOLD.length)
    return tuple(counts_of(each, draw(claimed), more=draw(st.sampled_from((0, 0, 1)))) for each in TOLD_TYPES)


def sellings() -> st.SearchStrategy[Selling]:
    return st.builds(Selling, book=books(), rules=rule_books(), counts=counted())
