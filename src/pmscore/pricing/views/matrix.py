"""The year matrix of a house: rates, stay rules and counts of all types and plans, kept up to date change by change.

Owns which rows a change touches, and what it says of them. Leaves the rows to ``matrix_rows``, how rates come
to be to ``matrix_rates`` and stay rules to ``matrix_stays``. Laws: after a change the matrix is what a new
one would be; the runs that a change returns are the difference, no more and no less. How it works:
``docs/algorithms/year-matrix.md``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date

from pmscore.availability.model import TypeNights
from pmscore.dates.ranges import DateRange
from pmscore.kernel.errors import MisuseError
from pmscore.kernel.ids import UnitTypeId
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.plans import RatePlan
from pmscore.pricing.views.matrix_changes import NOT_COUNTED
from pmscore.pricing.views.matrix_rates import RateMaker
from pmscore.pricing.views.matrix_rows import MatrixField, MatrixRows, MatrixRun
from pmscore.pricing.views.matrix_stays import STAY_FIELDS, StayRows, fields_changed
from pmscore.restrictions.model.book import RuleBook

__all__ = ["YearMatrix", "occupied_percent"]

_ALL = 100


def occupied_percent(counts: TypeNights) -> tuple[int, ...]:
    """Return how much of the type is taken on each night, in whole per cent, rounded down.

    A type without rooms is taken altogether.
    """
    return tuple(_percent(counts.capacity, counts.claimed()))


class YearMatrix:
    """What one house offers on the nights of a range, to those who book through one channel on one day.

    Rates are those of ``adults`` in the unit; of the included guests where it is None. Where ``types`` are
    named, there are rows of these only, and no others may be given counts or prices later. Types of which
    nobody has given counts have nothing to sell. ``rows`` is read by all and written by this alone.
    """

    def __init__(
        self,
        book: PriceBook,
        rules: RuleBook,
        counts: Iterable[TypeNights],
        nights: DateRange,
        *,
        booked_on: date,
        channel: str = "direct",
        adults: int | None = None,
        types: Collection[UnitTypeId] | None = None,
    ) -> None:
        self.nights = nights
        self._only = types
        self._origin = nights.first_ordinal
        self._length = nights.length
        self.channel = channel
        self._booked_on = booked_on
        self._adults = adults
        self._book = book
        self._rules = rules
        self._counts: dict[UnitTypeId, _Counts] = {}
        for each in counts:
            self._counts.setdefault(each.unit_type_id, _Counts(self._length)).take(each, self._origin)
        self._make()

    def take_counts(self, counts: TypeNights) -> tuple[MatrixRun, ...]:
        """Enter how many rooms of a type are claimed on some nights, and return what has changed.

        Where no step of yield is crossed, that is the type's row alone. Nights outside of the matrix are left out.

        Raises:
            MisuseError: no plan is sold for the type, and no counts were given at first.
        """
        type_id = counts.unit_type_id
        kept = self._counts.get(type_id)
        if kept is None:
            raise MisuseError(unit_type_id=str(type_id))
        first, end = kept.take(counts, self._origin)
        if first >= end:
            return ()
        runs = self.rows.write_count(type_id, first, kept.sellable[first:end])
        if self._rates.rules.steps.matter:
            runs += self._count_steps(type_id, kept, first, end)
        return tuple(runs)

    def take_prices(
        self, book: PriceBook, plan: str, unit_type_id: UnitTypeId, nights: DateRange
    ) -> tuple[MatrixRun, ...]:
        """Enter a book in which a plan's own prices of one type differ on some nights, and nothing else.

        Returns the runs of the plan and of those derived from it.

        Raises:
            MisuseError: the plan has no prices of its own, or none of the type.
        """
        if not self._rates.has_prices(plan, unit_type_id):
            raise MisuseError(plan=plan, unit_type_id=str(unit_type_id))
        self._rates.take_prices(book, plan)
        self._book = book
        start = nights.start.toordinal() - self._origin
        first, end = max(start, 0), min(start + nights.length, self._length)
        return tuple(self._rate(unit_type_id, (plan,), first, end)) if first < end else ()

    def take_book(self, book: PriceBook) -> tuple[MatrixRun, ...]:
        """Enter another book of the house, whatever it changes, and return what has changed."""
        touched = _prices_changed(self._book, book)
        if touched is None:
            self._book = book
            before = self.rows
            self._make()
            return before.changes_to(self.rows)
        self._book = book
        runs: list[MatrixRun] = []
        for plan in dict.fromkeys(code for code, _ in touched):
            self._rates.take_prices(book, plan)
        for plan, type_id in touched:
            runs += self._rate(type_id, (plan,), 0, self._length)
        return tuple(runs)

    def take_rules(self, rules: RuleBook) -> tuple[MatrixRun, ...]:
        """Enter other stay rules and return what has changed; fields that no changed rule is in are not looked at."""
        fields = fields_changed(self._rules, rules)
        self._rules = rules
        if not fields:
            return ()
        stays = StayRows(self._book, rules, self.nights, self.channel)
        runs: list[MatrixRun] = []
        for field in fields:
            runs += self.rows.replace(field, stays.rows(field, self.rows.pairs))
        return tuple(runs)

    def take_day(self, booked_on: date) -> tuple[MatrixRun, ...]:
        """Enter another day of asking, on which other rules may count, and return what has changed."""
        self._booked_on = booked_on
        self._rates = self._rate_maker()
        runs: list[MatrixRun] = []
        for type_id in self.rows.types:
            runs += self._rate(type_id, self._rates.roots, 0, self._length)
        return tuple(runs)

    def _make(self) -> None:
        self._rates = self._rate_maker()
        steps = self._rates.rules.steps
        sold = {plan.code: self._rates.types_of(plan.code) for plan in self._book.plans}
        found = {*self._counts, *(each for types in sold.values() for each in types)}
        types = sorted(found if self._only is None else found.intersection(self._only))
        pairs: list[tuple[UnitTypeId, str]] = []
        rates: list[list[int]] = []
        for type_id in types:
            kept = self._counts.setdefault(type_id, _Counts(self._length))
            # Those of another book mean nothing here.
            kept.steps = steps.steps(kept.percent) if steps.matter else [NOT_COUNTED] * self._length
            made = dict(self._rates.rates(type_id, self._rates.roots, 0, kept.steps))
            codes = sorted(made)
            pairs += [(type_id, code) for code in codes]
            rates += [made[code] for code in codes]
        stays = StayRows(self._book, self._rules, self.nights, self.channel)
        counts = [[*self._counts[type_id].sellable] for type_id in types]
        self.rows = MatrixRows(
            self.nights,
            types,
            pairs,
            {MatrixField.SELLABLE: counts, MatrixField.RATE: rates},
            {field: stays.rows(field, pairs) for field in STAY_FIELDS},
        )

    def _rate_maker(self) -> RateMaker:
        return RateMaker(
            self._book, self.nights, channel=self.channel, booked_on=self._booked_on, adults=self._adults
        )

    def _count_steps(self, type_id: UnitTypeId, kept: _Counts, first: int, end: int) -> list[MatrixRun]:
        """Return the rates that change because a step of yield is crossed."""
        before = kept.steps[first:end]
        after = self._rates.rules.steps.steps(kept.percent[first:end])
        if after == before:
            return []
        kept.steps[first:end] = after
        return self._rate(type_id, self._rates.roots, first, end)

    def _rate(self, type_id: UnitTypeId, roots: Iterable[str], first: int, end: int) -> list[MatrixRun]:
        steps = self._counts[type_id].steps[first:end]
        return self.rows.write_rates(type_id, first, self._rates.rates(type_id, roots, first, steps))


class _Counts:
    """Rooms of one type by night: how many may be sold, how many per cent are taken, and the step that this is on."""

    def __init__(self, length: int) -> None:
        self.sellable = [0] * length
        self.percent = [NOT_COUNTED] * length
        self.steps = [NOT_COUNTED] * length

    def take(self, counts: TypeNights, origin: int) -> tuple[int, int]:
        """Enter the counts of some nights, and return the places of those in the range that begins at ``origin``."""
        offset = counts.nights.start.toordinal() - origin
        first, end = max(offset, 0), min(offset + len(counts.capacity), len(self.sellable))
        if first < end:
            inside = slice(first - offset, end - offset)
            rooms, claims = counts.capacity[inside], counts.claimed()[inside]
            more = counts.overbooking
            self.sellable[first:end] = [
                each + more - taken if each + more > taken else 0
                for each, taken in zip(rooms, claims, strict=True)
            ]
            self.percent[first:end] = _percent(rooms, claims)
        return first, end


def _percent(capacity: Sequence[int], claimed: Sequence[int]) -> list[int]:
    return [taken * _ALL // rooms if rooms else _ALL for rooms, taken in zip(capacity, claimed, strict=True)]


def _prices_changed(before: PriceBook, after: PriceBook) -> list[tuple[str, UnitTypeId]] | None:
    """Return the plans and types whose own prices differ, None where the books differ in more than that."""
    if len(before.plans) != len(after.plans):
        return None
    if before.rules != after.rules or before.seasons != after.seasons:
        return None
    found: list[tuple[str, UnitTypeId]] = []
    for plan, other in zip(before.plans, after.plans, strict=True):
        if plan is other:
            continue
        if _frame(plan) != _frame(other):
            return None
        for type_id, prices in plan.prices.items():
            new = other.prices[type_id]
            if prices is new or prices == new:
                continue
            if prices.occupancy != new.occupancy:
                return None
            found.append((plan.code, type_id))
    return found


def _frame(plan: RatePlan) -> tuple[object, ...]:
    """Return what a plan is, without its prices."""
    return plan.code, plan.derivation, plan.occupancy, plan.limits, plan.unit_types, frozenset(plan.prices)
