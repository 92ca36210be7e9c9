"""What each plan costs for each type on the nights of a range, for whole rows or for some nights.

Owns how prices are worked out for many nights at once: the written prices of a type in a table, a row as places in
it, each plan as a line of its parent's table. Leaves the lines to ``matrix_lines`` and the rules of each night to
``matrix_changes``. Law: a rate is what the stages make of a stay of that one night. How it works:
``docs/algorithms/year-matrix.md``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from operator import itemgetter
from typing import Final, TypeAlias

from attrs import evolve, frozen

from pmscore.dates.ranges import DateRange
from pmscore.kernel.ids import UnitTypeId
from pmscore.kernel.percent import WHOLE
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.occupancy import OccupancyTerms, PricedBy
from pmscore.pricing.model.plans import RatePlan, TypePrices
from pmscore.pricing.policies.occupancy import PartyCharge
from pmscore.pricing.policies.planning import season_slots
from pmscore.pricing.views.matrix_changes import NightRules, RuleGroup
from pmscore.pricing.views.matrix_lines import PlanStep, on_line
from pmscore.pricing.views.rate_tables import NOT_SOLD

__all__ = ["RateMaker"]

_DAYS: Final = 7
_Pick: TypeAlias = "Callable[[list[int]], Sequence[int]]"
"""From the cells of a table to those of a row."""


@frozen(kw_only=True)
class _Node:
    """A plan among those that have their prices from one root; the root itself has no parent.

    ``charge`` and ``group`` are those of all types, unless they ``vary``.
    """

    plan: RatePlan
    parent: str | None
    types: frozenset[UnitTypeId]
    step: PlanStep
    charge: PartyCharge
    group: RuleGroup | None
    varies: bool


class RateMaker:
    """Works out the rates of one book, for stays sold by one channel and asked for on one day."""

    def __init__(self, book: PriceBook, nights: DateRange, *, channel: str, booked_on: date) -> None:
        self.rules = NightRules(book, nights, channel=channel, booked_on=booked_on)
        self._book = book
        self._origin = nights.first_ordinal
        self._length = nights.length
        self._sets, self._slots = season_slots(book.seasons, nights)
        self._trees = self._grown()

    @property
    def roots(self) -> tuple[str, ...]:
        """The plans that have prices of their own."""
        return tuple(self._trees)

    def types_of(self, code: str) -> frozenset[UnitTypeId]:
        """Return the types that a plan is sold for."""
        return self._types[code]

    def take_prices(self, book: PriceBook, code: str) -> None:
        """Read the prices of a plan from another book that differs in nothing else."""
        self._book = book
        tree = self._trees[code]
        tree[0] = evolve(tree[0], plan=book.plan(code))

    def rates(
        self, type_id: UnitTypeId, roots: Iterable[str], first: int, steps: Sequence[int]
    ) -> Iterator[tuple[str, list[int]]]:
        """Yield the rates of all plans under some roots, on the nights from the place ``first`` on.

        ``steps`` has the step of occupancy of each of these nights.
        """
        numbers: dict[int, list[int]] = {}
        for root in roots:
            tree = self._trees[root]
            own = tree[0].plan.prices.get(type_id)
            if own is None:
                continue
            table, places = self._table(own, first, len(steps))
            picks: dict[int, tuple[Sequence[int], _Pick]] = {}
            made: dict[str | None, list[int]] = {None: table}
            for node in tree:
                parent = made.get(node.parent)
                if parent is None or type_id not in node.types:
                    continue
                code = node.plan.code
                prices = made[code] = node.step.prices(parent)
                charge, group = self._terms(node, type_id) if node.varies else (node.charge, node.group)
                known = picks.get(id(group))
                if known is None:
                    if group is None:
                        known = (0,), _picker(places)
                    else:
                        rows = numbers.get(id(group))
                        if rows is None:
                            rows = numbers[id(group)] = self.rules.numbers(group, type_id, code, first, steps)
                        known = _spread(rows, places, len(table))
                    picks[id(group)] = known
                cells: list[int] = []
                for number in known[0]:
                    cells += on_line(prices, self.rules.line(charge, number))
                yield code, [*known[1](cells)]

    def _table(self, own: TypePrices, first: int, length: int) -> tuple[list[int], Sequence[int]]:
        """Return the written prices of a type, and the place in them of each night; dated ones come last."""
        places: Sequence[int] = self._slots
        if length < self._length:
            slots = self._slots[first : first + length]
            kept = {slot: at for at, slot in enumerate(dict.fromkeys(slots))}
            places = [kept[slot] for slot in slots]
            weeks = {slot // _DAYS: self._week(own, slot // _DAYS) for slot in kept}
            table = [weeks[slot // _DAYS][slot % _DAYS] for slot in kept]
        else:
            table = [price for at in range(len(self._sets)) for price in self._week(own, at)]
        if own.dates:
            start = self._origin + first
            at = bisect_right(own.dates, date.fromordinal(start), key=lambda each: each.nights.end)
            while at < len(own.dates) and own.dates[at].nights.first_ordinal < start + length:
                dated = own.dates[at]
                begin = max(dated.nights.first_ordinal - start, 0)
                end = min(dated.nights.end_ordinal - start, length)
                if not isinstance(places, list):
                    places = list(places)
                places[begin:end] = [len(table)] * (end - begin)
                table.append(NOT_SOLD if dated.price is None else dated.price)
                at += 1
        return table, places

    def _week(self, own: TypePrices, at: int) -> list[int]:
        names = [name for name in self._sets[at] if name in own.seasons]
        week = own.seasons[names[0]] if names else own.default
        if week is None:
            return [NOT_SOLD] * _DAYS
        return [NOT_SOLD if price is None else price for price in week.by_weekday]

    def _terms(self, node: _Node, type_id: UnitTypeId) -> tuple[PartyCharge, RuleGroup | None]:
        charge = _charge(self._book.occupancy(node.plan, type_id))
        return charge, self.rules.group(node.plan.code, type_id)

    def _grown(self) -> dict[str, list[_Node]]:
        """Return each plan with prices of its own, followed by those derived from it, parents first."""
        trees: dict[str, list[_Node]] = {}
        self._types: dict[str, frozenset[UnitTypeId]] = {}
        lineages = [self._book.lineage(plan.code) for plan in self._book.plans]
        paths = sorted((_path(lineage) for lineage in lineages), key=len)
        for path in paths:
            plan, root = path[0], path[-1]
            types = plan.unit_types or self._types.get(
                path[min(1, len(path) - 1)].code, frozenset(plan.prices)
            )
            self._types[plan.code] = types
            trees.setdefault(root.code, []).append(self._node(plan, types))
        return trees

    def _node(self, plan: RatePlan, types: frozenset[UnitTypeId]) -> _Node:
        derivation = plan.derivation if plan.inherits_price else None
        some_type = next(iter(types))
        varies = self.rules.names_types(plan.code) or any(
            prices.occupancy is not None
            for each in self._book.lineage(plan.code)
            for prices in each.prices.values()
        )
        return _Node(
            plan=plan,
            parent=None if derivation is None else derivation.parent,
            types=types,
            step=PlanStep.of(() if derivation is None else derivation.operations, plan.limits),
            charge=_charge(self._book.occupancy(plan, some_type)),
            group=self.rules.group(plan.code, None),
            varies=varies,
        )


def _path(lineage: Sequence[RatePlan]) -> list[RatePlan]:
    """Return a plan and those above it, up to the one with prices of its own."""
    path: list[RatePlan] = []
    for plan in lineage:
        path.append(plan)
        if not plan.inherits_price:
            break
    return path


def _charge(terms: OccupancyTerms) -> PartyCharge:
    """Return what the included guests make of a price."""
    return PartyCharge(WHOLE * (terms.included if terms.priced_by is PricedBy.PERSON else 1), 0)


def _spread(numbers: list[int], places: Sequence[int], width: int) -> tuple[Sequence[int], _Pick]:
    """Return the numbers that there are, and how a row is picked from a table repeated for each of them."""
    kept = [*dict.fromkeys(numbers)]
    if len(kept) == 1:
        return kept, _picker(places)
    offsets = {number: at * width for at, number in enumerate(kept)}
    return kept, _picker([offsets[number] + place for number, place in zip(numbers, places, strict=True)])


def _picker(places: Sequence[int]) -> _Pick:
    if len(places) == 1:
        (only,) = places
        return lambda cells: (cells[only],)
    return itemgetter(*places)
