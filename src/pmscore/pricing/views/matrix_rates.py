"""What each plan costs for each type on the nights of a range, for whole rows or for some nights.

Owns how prices are worked out for many nights at once: the written prices of a type in a table, a row as places in
it, each plan as a line of its parent's table. Leaves the lines to ``matrix_lines`` and the rules of each night to
``matrix_changes``. Law: a rate is what the stages make of a stay of that one night. How it works:
``docs/algorithms/year-matrix.md``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from operator import itemgetter
from typing import Final, TypeAlias

from attrs import frozen

from pmscore.dates.ranges import DateRange
from pmscore.kernel.ids import UnitTypeId
from pmscore.kernel.percent import WHOLE
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.guests import GuestParty
from pmscore.pricing.model.occupancy import OccupancyTerms, PricedBy
from pmscore.pricing.model.plans import DatedPrice, RatePlan, TypePrices
from pmscore.pricing.policies.occupancy import PartyCharge, party_charge
from pmscore.pricing.policies.planning import season_slots
from pmscore.pricing.views.matrix_changes import NightRules, RuleGroup
from pmscore.pricing.views.matrix_lines import Line, PlanStep, on_line
from pmscore.pricing.views.rate_tables import NOT_SOLD

__all__ = ["RateMaker"]

_DAYS: Final = 7
_Pick: TypeAlias = "Callable[[Sequence[int]], Sequence[int]]"
"""From the cells of a table to those of a row."""


@frozen(kw_only=True)
class _Node:
    """A plan among those that have their prices from one root; the root itself has no parent.

    ``lines`` and ``group`` are those of all types, unless it ``varies``.
    """

    plan: RatePlan
    parent: str | None
    types: frozenset[UnitTypeId]
    step: PlanStep
    lines: Mapping[int, Line]
    group: RuleGroup | None
    varies: bool


class RateMaker:
    """Works out the rates of one book, for stays sold by one channel and asked for on one day.

    For so many adults in the unit, and for the included guests where it is None.
    """

    def __init__(
        self, book: PriceBook, nights: DateRange, *, channel: str, booked_on: date, adults: int | None = None
    ) -> None:
        self._party = None if adults is None else GuestParty(adults=adults)
        self.rules = NightRules(book, nights, channel=channel, booked_on=booked_on)
        self._book = book
        self._origin = nights.first_ordinal
        self._length = nights.length
        self._sets, self._slots = season_slots(book.seasons, nights)
        self._pick = _picker(self._slots)
        self._trees = self._grown()
        self._own = {root: book.plan(root).prices for root in self._trees}

    @property
    def roots(self) -> tuple[str, ...]:
        """The plans that have prices of their own."""
        return tuple(self._trees)

    def types_of(self, code: str) -> frozenset[UnitTypeId]:
        """Return the types that a plan is sold for."""
        return self._types[code]

    def has_prices(self, code: str, unit_type_id: UnitTypeId) -> bool:
        """Return whether the plan has prices of its own for a type."""
        return code in self._trees and unit_type_id in self._types[code]

    def take_prices(self, book: PriceBook, code: str) -> None:
        """Read the prices of a plan from another book that differs in nothing else."""
        self._book = book
        self._own[code] = book.plan(code).prices

    def rates(
        self, type_id: UnitTypeId, roots: Iterable[str], first: int, steps: Sequence[int]
    ) -> Iterator[tuple[str, list[int]]]:
        """Yield the rates of all plans under some roots, on the nights from the place ``first`` on.

        ``steps`` has the step of occupancy of each of these nights.
        """
        by_group: dict[int, list[int]] = {}
        for root in roots:
            tree = self._trees[root]
            own = self._own[root].get(type_id)
            if own is None:
                continue
            written = self._written(own, first, len(steps))
            table = [*dict.fromkeys(written)]
            has_gaps = NOT_SOLD in table
            sold = tree[0].types
            spreads: dict[int, _Spread] = {}
            made: dict[str | None, Sequence[int]] = {None: table}
            for node in tree:
                parent = made.get(node.parent)
                if parent is None or (node.types is not sold and type_id not in node.types):
                    continue
                code = node.plan.code
                prices = made[code] = node.step.prices(parent, has_gaps=has_gaps)
                lines, group = self._terms(node, type_id) if node.varies else (node.lines, node.group)
                spread = spreads.get(id(group))
                if spread is None:
                    by_night = by_group.get(id(group))
                    if by_night is None and group is not None:
                        by_night = by_group[id(group)] = self.rules.numbers(
                            group, type_id, code, first, steps
                        )
                    spread = spreads[id(group)] = _Spread.of(written, table, by_night)
                yield code, spread.row(prices, lines, has_gaps=has_gaps)

    def _written(self, own: TypePrices, first: int, length: int) -> list[int]:
        """Return the written price of each night: that of its date, else of its season, else the default."""
        if length == self._length:
            found = [*self._pick([price for at in range(len(self._sets)) for price in self._week(own, at)])]
        else:
            slots = self._slots[first : first + length]
            weeks = {at: self._week(own, at) for at in {slot // _DAYS for slot in slots}}
            found = [weeks[slot // _DAYS][slot % _DAYS] for slot in slots]
        if own.dates:
            start = self._origin + first
            at = bisect_right(own.dates, date.fromordinal(start), key=_end_of)
            while at < len(own.dates) and own.dates[at].nights.first_ordinal < start + length:
                dated = own.dates[at]
                begin = max(dated.nights.first_ordinal - start, 0)
                end = min(dated.nights.end_ordinal - start, length)
                found[begin:end] = [NOT_SOLD if dated.price is None else dated.price] * (end - begin)
                at += 1
        return found

    def _week(self, own: TypePrices, at: int) -> list[int]:
        """Return the prices of a type in a set of seasons, Monday first."""
        names = [name for name in self._sets[at] if name in own.seasons] if own.seasons else []
        week = own.seasons[names[0]] if names else own.default
        if week is None:
            return [NOT_SOLD] * _DAYS
        return [NOT_SOLD if price is None else price for price in week.by_weekday]

    def _terms(self, node: _Node, type_id: UnitTypeId) -> tuple[Mapping[int, Line], RuleGroup | None]:
        charge = self._charge(self._book.occupancy(node.plan, type_id))
        return self.rules.lines(charge), self.rules.group(node.plan.code, type_id)

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
            lines=self.rules.lines(self._charge(self._book.occupancy(plan, some_type))),
            group=self.rules.group(plan.code, None),
            varies=varies,
        )

    def _charge(self, terms: OccupancyTerms) -> PartyCharge:
        """Return what the guests make of a price."""
        if self._party is not None:
            return party_charge(terms, self._party)
        return PartyCharge(WHOLE * (terms.included if terms.priced_by is PricedBy.PERSON else 1), 0)


def _path(lineage: Sequence[RatePlan]) -> list[RatePlan]:
    """Return a plan and those above it, up to the one with prices of its own."""
    path: list[RatePlan] = []
    for plan in lineage:
        path.append(plan)
        if not plan.inherits_price:
            break
    return path


@frozen
class _Spread:
    """How the rates of a row are worked out once each: for which changes, of which prices, and where they stand.

    ``prices`` has for each number of changes the places of the prices in the table; None: all of them.
    """

    numbers: Sequence[int]
    prices: Sequence[_Pick] | None
    pick: _Pick

    @classmethod
    def of(cls, written: list[int], table: list[int], by_night: list[int] | None) -> _Spread:
        """Return the spread of a row; ``by_night`` has the number of the changes of each night, None: no changes."""
        place_of = {price: at for at, price in enumerate(table)}
        places = [place_of[price] for price in written]
        numbers = (0,) if by_night is None else (*dict.fromkeys(by_night),)
        if by_night is None or len(numbers) == 1:
            return cls(numbers, None, _picker(places))
        width = len(table)
        offsets = [0] * (max(numbers) + 1)
        for at, number in enumerate(numbers):
            offsets[number] = at * width
        keys = [offsets[number] + place for number, place in zip(by_night, places, strict=True)]
        if width * len(numbers) <= len(keys):
            return cls(numbers, None, _picker(keys))
        # Few of all combinations occur, so only those are worked out.
        kept = sorted(set(keys))
        place_of = {key: at for at, key in enumerate(kept)}
        by_number = [[key % width for key in kept if key // width == at] for at in range(len(numbers))]
        return cls(numbers, [_picker(each) for each in by_number], _picker([place_of[key] for key in keys]))

    def row(self, prices: Sequence[int], lines: Mapping[int, Line], *, has_gaps: bool) -> list[int]:
        """Return the rates of a plan with such prices."""
        if len(self.numbers) == 1:
            return [*self.pick(on_line(prices, lines[self.numbers[0]], has_gaps=has_gaps))]
        cells: list[int] = []
        if self.prices is None:
            for number in self.numbers:
                cells += on_line(prices, lines[number], has_gaps=has_gaps)
        else:
            for number, pick in zip(self.numbers, self.prices, strict=True):
                cells += on_line(pick(prices), lines[number], has_gaps=has_gaps)
        return [*self.pick(cells)]


def _end_of(dated: DatedPrice) -> date:
    return dated.nights.end


def _picker(places: Sequence[int]) -> _Pick:
    if len(places) == 1:
        (only,) = places
        return lambda cells: (cells[only],)
    return itemgetter(*places)
