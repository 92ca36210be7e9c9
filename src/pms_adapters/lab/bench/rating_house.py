"""A year of a large house to rate: as values of the core, and as plain numbers for the floors.

Owns one house in the two forms, so that both make the same rows: half of the plans hang on each of two plans with
prices of their own, six seasons, prices of dates, three steps of yield, stay rules at all levels.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta

from attrs import evolve, frozen

from pms_adapters.lab.bench.floors import ari_rows
from pms_adapters.lab.bench.house import FIRST_DAY, HOUSE, TYPE, hex_id
from pmscore.availability.model import TypeNights
from pmscore.dates.ranges import DateRange, DateSet
from pmscore.dates.recurrence import Season
from pmscore.inventory.model.stock import ClaimKind
from pmscore.kernel.currency import Currency
from pmscore.kernel.events import Json
from pmscore.kernel.ids import UnitTypeId
from pmscore.kernel.percent import Percent
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.changes import Change
from pmscore.pricing.model.plans import DatedPrice, Derivation, RatePlan, TypePrices, WeekPrices
from pmscore.pricing.model.rules import PriceRule
from pmscore.restrictions.model.book import RuleBook
from pmscore.restrictions.model.rules import EVERY_DAY, Rule

__all__ = ["DAYS", "NIGHTS", "RatedHouse"]

DAYS = 365
NIGHTS = DateRange.of(FIRST_DAY, DAYS)
_SEASONS = ((170, 240), (340, 365), (0, 8), (60, 150), (90, 100), (150, 270))
_STEPS = ((50, 50_000), (70, 120_000), (90, 250_000))
_WEEKEND = 0b0110000
_KINDS = (
    "closed_night",
    "closed_to_arrival",
    "closed_to_departure",
    "min_stay_arrival",
    "max_stay_arrival",
    "min_stay_through",
)


@frozen
class RatedHouse:
    """The inputs of a matrix, and the scene of the floors that says the same."""

    book: PriceBook
    rules: RuleBook
    counts: tuple[TypeNights, ...]
    scene: ari_rows.Scene

    @classmethod
    def of(cls, types: int, plans: int) -> RatedHouse:
        """Return a house of so many types and plans, the same at each call."""
        scene = _scene(types, plans, random.Random(types * plans))
        return cls(_book(scene), _rules(scene), _counts(scene), scene)

    @staticmethod
    def type_id(number: int) -> UnitTypeId:
        """Return the id of a type."""
        return UnitTypeId(hex_id(TYPE, number))

    @staticmethod
    def code(plan: int) -> str:
        """Return the code of a plan; codes are in the order of the numbers."""
        return f"p{plan:03}"

    def booking(self, number: int, first: int, nights: int, more: int) -> TypeNights:
        """Return the counts of a type on some nights, with so many claims more than at first."""
        rooms, over, claimed = self.scene.counts[number]
        return _type_nights(
            number, first, rooms, over, [each + more for each in claimed[first : first + nights]]
        )

    def quiet(self, count: int, nights: int, *, types: int) -> list[tuple[int, int]]:
        """Return types and first nights of ranges with as many claims each night, and one more crosses no step.

        Only the first ``types`` are looked at.
        """

        def is_quiet(rooms: int, most: int, claimed: list[int]) -> bool:
            first = claimed[0]
            is_crossed = _step(first, rooms) != _step(first + 1, rooms)
            return first < most and not is_crossed and claimed.count(first) == len(claimed)

        return self._ranges(count, nights, types, is_quiet)

    def level(self, count: int, nights: int, *, types: int) -> list[tuple[int, int]]:
        """Return types and first nights of ranges that are on one step of yield throughout."""
        return self._ranges(
            count, nights, types, lambda rooms, _, claimed: len({_step(each, rooms) for each in claimed}) == 1
        )

    def _ranges(
        self, count: int, nights: int, types: int, fits: Callable[[int, int, list[int]], bool]
    ) -> list[tuple[int, int]]:
        chance = random.Random(5)
        found: list[tuple[int, int]] = []
        while len(found) < count:
            number, first = chance.randrange(types), chance.randrange(DAYS - nights)
            rooms, more, claimed = self.scene.counts[number]
            if fits(rooms, rooms + more, claimed[first : first + nights]):
                found.append((number, first))
        return found

    def repriced(self, number: int, first: int, nights: int, price: int) -> PriceBook:
        """Return the book with a price of dates of one type in the first plan, and none of its others there."""
        code, type_id = self.code(0), self.type_id(number)
        where = DateRange.of(FIRST_DAY + timedelta(days=first), nights)
        plan = self.book.plan(code)
        prices = plan.prices[type_id]
        kept = [DatedPrice(part, each.price) for each in prices.dates for part in each.nights.minus(where)]
        new = evolve(prices, dates=(*kept, DatedPrice(where, price)))
        changed = evolve(plan, prices={**plan.prices, type_id: new})
        return evolve(self.book, plans=[changed, *(each for each in self.book.plans if each is not plan)])


def _scene(types: int, plans: int, chance: random.Random) -> ari_rows.Scene:
    roots = (0, plans // 2) if plans > 1 else (0,)
    parents: list[tuple[int, int, int]] = []
    for plan in range(plans):
        root = max(each for each in roots if each <= plan)
        if plan == root:
            parents.append((-1, 0, 0))
        else:
            # Every third hangs on one that is derived itself.
            parent = plan - 1 if (plan - root) % 3 == 0 else root
            parents.append((parent, chance.randrange(-15, 16) * 10_000, chance.randrange(-3, 4) * 250))
    weeks: dict[int, list[list[list[int]]]] = {
        root: [[_week(chance) for _ in range(len(_SEASONS) + 1)] for _ in range(types)] for root in roots
    }
    dated = {
        (root, number): [
            (at, at + 3, chance.randrange(90, 400) * 100) for at in range(20 + number % 30, 340, 80)
        ]
        for root in roots
        for number in range(types)
    }
    counts: list[tuple[int, int, list[int]]] = []
    for _ in range(types):
        rooms = chance.randrange(8, 30)
        claimed: list[int] = []
        while len(claimed) < DAYS:
            claimed += [chance.randrange(rooms + 1)] * chance.randint(1, 5)
        counts.append((rooms, 1, claimed[:DAYS]))
    return ari_rows.Scene(
        DAYS,
        FIRST_DAY.weekday(),
        [*_SEASONS],
        weeks,
        dated,
        parents,
        [*_STEPS],
        counts,
        _plain_rules(types, plans),
    )


def _week(chance: random.Random) -> list[int]:
    every = chance.randrange(80, 300) * 100
    return [every] * 4 + [every + 2_000] * 2 + [every - 500]


def _plain_rules(types: int, plans: int) -> list[ari_rows.Rule]:
    rules = [
        ari_rows.Rule(3, -1, -1, 0, DAYS, _WEEKEND, 2),
        ari_rows.Rule(4, -1, -1, 0, DAYS, EVERY_DAY, 28),
        ari_rows.Rule(5, -1, -1, 357, 365, EVERY_DAY, 4),
        ari_rows.Rule(1, -1, -1, 358, 360, EVERY_DAY, 1),
        ari_rows.Rule(2, -1, -1, 359, 360, EVERY_DAY, 1),
    ]
    rules += [ari_rows.Rule(0, each, -1, 10 + each, 24 + each, EVERY_DAY, 1) for each in range(0, types, 10)]
    rules += [ari_rows.Rule(3, each, -1, 170, 240, EVERY_DAY, 3) for each in range(0, types, 7)]
    rules += [ari_rows.Rule(3, -1, each, 0, DAYS, EVERY_DAY, 7) for each in range(0, plans, 5)]
    rules += [ari_rows.Rule(1, -1, each, 0, DAYS, 0b1000000, 1) for each in range(1, plans, 6)]
    return rules


def _book(scene: ari_rows.Scene) -> PriceBook:
    names = [f"s{at}" for at in range(len(scene.seasons))]
    seasons = [
        Season(name=name, nights=DateSet.of(_nights(first, end)), priority=-at)
        for at, (name, (first, end)) in enumerate(zip(names, scene.seasons, strict=True))
    ]
    plans: list[RatePlan] = []
    for number, (parent, percent, amount) in enumerate(scene.plans):
        code = RatedHouse.code(number)
        if parent < 0:
            prices = {
                RatedHouse.type_id(each): TypePrices(
                    default=WeekPrices(tuple(weeks[-1])),
                    seasons={
                        name: WeekPrices(tuple(week)) for name, week in zip(names, weeks[:-1], strict=True)
                    },
                    dates=tuple(
                        DatedPrice(_nights(first, end), price)
                        for first, end, price in scene.dated[number, each]
                    ),
                )
                for each, weeks in enumerate(scene.weeks[number])
            }
            plans.append(RatePlan(code=code, name=code, prices=prices))
        else:
            operations = Change(Percent(percent)), Change(amount)
            derivation = Derivation(parent=RatedHouse.code(parent), operations=operations)
            plans.append(RatePlan(code=code, name=code, derivation=derivation))
    steps: list[Json] = [
        {"from": start, "change": {"percent": Percent(change).plain()}} for start, change in scene.steps
    ]
    rule = PriceRule(code="yield", name="Yield", kind="yield", value={"steps": steps}, rank=1, group="yield")
    return PriceBook(
        property_id=HOUSE,
        currency=Currency.of("EUR"),
        seasons=tuple(seasons),
        plans=tuple(plans),
        rules=(rule,),
    )


def _rules(scene: ari_rows.Scene) -> RuleBook:
    return RuleBook(
        tuple(
            Rule(
                _KINDS[each.field],
                _nights(each.first, each.end),
                each.weekdays,
                each.value if each.field > 2 else None,
                RatedHouse.type_id(each.type) if each.type >= 0 else None,
                RatedHouse.code(each.plan) if each.plan >= 0 else None,
            )
            for each in scene.rules
        )
    )


def _counts(scene: ari_rows.Scene) -> tuple[TypeNights, ...]:
    return tuple(
        _type_nights(number, 0, rooms, more, claimed)
        for number, (rooms, more, claimed) in enumerate(scene.counts)
    )


def _type_nights(number: int, first: int, rooms: int, more: int, claimed: list[int]) -> TypeNights:
    return TypeNights(
        unit_type_id=RatedHouse.type_id(number),
        nights=_nights(first, first + len(claimed)),
        capacity=(rooms,) * len(claimed),
        overbooking=more,
        claims={ClaimKind.BOOKED: tuple(claimed)},
    )


def _step(claims: int, rooms: int) -> int:
    return sum(claims * 100 // rooms >= start for start, _ in _STEPS)


def _nights(first: int, end: int) -> DateRange:
    return DateRange.of(FIRST_DAY + timedelta(days=first), end - first)
