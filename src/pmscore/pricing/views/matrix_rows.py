"""What a house offers, as rows of integers: a number a night for each type, or each type and plan.

Owns the rows, the runs in which a difference between two of them is said, and the putting on of such runs. Leaves
where the numbers come from to ``matrix``. Laws: the runs from one to another, put on the first, give the second; no
two of them share a cell, and two that touch differ in their value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from functools import lru_cache
from itertools import groupby
from typing import Final, TypeAlias

from attrs import frozen

from pmscore.dates.ranges import DateRange
from pmscore.kernel.errors import MisuseError
from pmscore.kernel.ids import UnitTypeId
from pmscore.pricing.views.rate_tables import NOT_SOLD

__all__ = [
    "BLANK",
    "PLAN_FIELDS",
    "Cells",
    "MatrixField",
    "MatrixRows",
    "MatrixRun",
    "Pair",
    "nights_between",
    "runs_between",
]

Pair: TypeAlias = "tuple[UnitTypeId, str]"
"""A type and the code of a plan that is sold for it."""

Cells: TypeAlias = "tuple[int, int, int]"
"""The first place, the end and the value of neighbouring cells in a row."""


class MatrixField(StrEnum):
    """What a number says; the values are sent to others and never renamed."""

    SELLABLE = "sellable"
    """Rooms of the type that may still be sold, the allowance for overbooking included; the same for all plans."""
    RATE = "rate"
    """The night in minor units, before fees and taxes, with the included guests in the unit."""
    CLOSED = "closed_night"
    """1: no stay over this night."""
    CLOSED_TO_ARRIVAL = "closed_to_arrival"
    """1: no stay begins on this date; weekdays on which none may begin are in it."""
    CLOSED_TO_DEPARTURE = "closed_to_departure"
    """1: no stay ends on this date; weekdays on which none may end are in it."""
    MIN_STAY_ARRIVAL = "min_stay_arrival"
    """The fewest nights of a stay that begins on this date; 0: no rule. The three below likewise."""
    MAX_STAY_ARRIVAL = "max_stay_arrival"
    MIN_STAY_THROUGH = "min_stay_through"
    MAX_STAY_THROUGH = "max_stay_through"
    ALLOWED_LENGTHS = "allowed_lengths"
    """Bit n: a stay of n nights may begin on this date; bit 0 says that there is a rule, and 0 that there is none."""


PLAN_FIELDS: Final = tuple(field for field in MatrixField if field is not MatrixField.SELLABLE)
"""The fields with a row for each type and plan."""

BLANK: Final[Mapping[MatrixField, int]] = {
    field: NOT_SOLD if field is MatrixField.RATE else 0 for field in MatrixField
}
"""What a row has that nobody has said anything about."""


@frozen
class MatrixRun:
    """Neighbouring nights that have got one and the same value; ``plan`` is None where the field is the type's."""

    unit_type_id: UnitTypeId
    plan: str | None
    field: MatrixField
    nights: DateRange
    value: int


class MatrixRows:
    """Rows of integers over one range of nights: those of the types, and those of the pairs of type and plan.

    Counts and rates have rows of their own, which are written into; rows of stay rules stand for many pairs at once,
    so they are replaced. Reading gives copies.
    """

    def __init__(
        self,
        nights: DateRange,
        types: Sequence[UnitTypeId],
        pairs: Sequence[Pair],
        own: Mapping[MatrixField, list[list[int]]],
        shared: Mapping[MatrixField, list[tuple[int, ...]]],
    ) -> None:
        self.nights = nights
        self.types = tuple(types)
        self.pairs = tuple(pairs)
        self._origin = nights.first_ordinal
        self._own = own
        self._shared = dict(shared)
        self._type_at = {type_id: at for at, type_id in enumerate(self.types)}
        self._plans_at: dict[UnitTypeId, dict[str, int]] = {type_id: {} for type_id in self.types}
        for type_id, found in groupby(enumerate(self.pairs), key=lambda each: each[1][0]):
            self._plans_at[type_id].update({plan: at for at, (_, plan) in found})

    def row(self, field: MatrixField, unit_type_id: UnitTypeId, plan: str | None = None) -> tuple[int, ...]:
        """Return the number of each night; the blank ones of the field where there is no such type or pair."""
        at = self._place(field, unit_type_id, plan)
        return (BLANK[field],) * self.nights.length if at is None else tuple(self._rows(field)[at])

    def copy(self) -> MatrixRows:
        """Return rows that stay as they are when these change."""
        own = {field: [[*row] for row in rows] for field, rows in self._own.items()}
        shared = {field: [*rows] for field, rows in self._shared.items()}
        return MatrixRows(self.nights, self.types, self.pairs, own, shared)

    def changes_to(self, after: MatrixRows) -> tuple[MatrixRun, ...]:
        """Return the runs that make these rows into others, by field, then type and plan, then night.

        Types and pairs that the others have not are blanked.

        Raises:
            MisuseError: the others are of other nights.
        """
        if after.nights != self.nights:
            raise MisuseError(nights=str(self.nights), others=str(after.nights))
        found: list[MatrixRun] = []
        for field in MatrixField:
            for (type_id, plan), before, then in self._beside(field, after):
                if before is not then and before != then:
                    found += self._said(runs_between(before, then), field, type_id, plan)
        return tuple(found)

    def apply(self, runs: Iterable[MatrixRun]) -> None:
        """Put runs on; what is outside of the nights, or about no type or pair of these rows, is left out."""
        origin, length = self._origin, self.nights.length
        for run in runs:
            at = self._place(run.field, run.unit_type_id, run.plan)
            first = max(run.nights.first_ordinal - origin, 0)
            end = min(run.nights.end_ordinal - origin, length)
            if at is None or first >= end:
                continue
            values = [run.value] * (end - first)
            if run.field in self._own:
                self._own[run.field][at][first:end] = values
            else:
                row = self._shared[run.field][at]
                self._shared[run.field][at] = (*row[:first], *values, *row[end:])

    def write_count(self, unit_type_id: UnitTypeId, first: int, values: list[int]) -> list[MatrixRun]:
        """Write what may be sold of a type from the place ``first`` on, and return what has changed."""
        row = self._own[MatrixField.SELLABLE][self._type_at[unit_type_id]]
        return self._written(row, first, values, MatrixField.SELLABLE, unit_type_id, None)

    def write_rates(
        self, unit_type_id: UnitTypeId, first: int, rates: Iterable[tuple[str, list[int]]]
    ) -> list[MatrixRun]:
        """Write the rates of plans of a type from the place ``first`` on, and return what has changed."""
        rows, places = self._own[MatrixField.RATE], self._plans_at[unit_type_id]
        runs: list[MatrixRun] = []
        for plan, values in rates:
            runs += self._written(rows[places[plan]], first, values, MatrixField.RATE, unit_type_id, plan)
        return runs

    def replace(self, field: MatrixField, rows: list[tuple[int, ...]]) -> list[MatrixRun]:
        """Put other rows in place of all of a field of stay rules, and return what has changed."""
        known: dict[tuple[int, int], list[Cells]] = {}
        runs: list[MatrixRun] = []
        for (type_id, plan), before, after in zip(self.pairs, self._shared[field], rows, strict=True):
            if before is after:
                continue
            key = id(before), id(after)
            cells = known.get(key)
            if cells is None:
                cells = known[key] = [] if before == after else runs_between(before, after)
            runs += self._said(cells, field, type_id, plan)
        self._shared[field] = rows
        return runs

    def _written(
        self,
        row: list[int],
        first: int,
        values: list[int],
        field: MatrixField,
        type_id: UnitTypeId,
        plan: str | None,
    ) -> list[MatrixRun]:
        end = first + len(values)
        before = row[first:end]
        if before == values:
            return []
        row[first:end] = values
        value = values[0]
        if value not in before and values.count(value) == len(values):
            nights = nights_between(self._origin + first, self._origin + end)
            return [MatrixRun(type_id, plan, field, nights, value)]
        return self._said(runs_between(before, values), field, type_id, plan, first)

    def _said(
        self,
        cells: Iterable[Cells],
        field: MatrixField,
        type_id: UnitTypeId,
        plan: str | None,
        offset: int = 0,
    ) -> list[MatrixRun]:
        """Return cells of a row as runs."""
        origin = self._origin + offset
        return [
            MatrixRun(type_id, plan, field, nights_between(origin + first, origin + end), value)
            for first, end, value in cells
        ]

    def _rows(self, field: MatrixField) -> Sequence[Sequence[int]]:
        return self._own[field] if field in self._own else self._shared[field]

    def _place(self, field: MatrixField, unit_type_id: UnitTypeId, plan: str | None) -> int | None:
        if field is MatrixField.SELLABLE:
            return self._type_at.get(unit_type_id)
        return None if plan is None else self._plans_at.get(unit_type_id, {}).get(plan)

    def _beside(
        self, field: MatrixField, after: MatrixRows
    ) -> Iterable[tuple[tuple[UnitTypeId, str | None], Sequence[int], Sequence[int]]]:
        """Return whose each row is, with these rows and the others."""
        mine: Sequence[tuple[UnitTypeId, str | None]] = self.pairs
        theirs: Sequence[tuple[UnitTypeId, str | None]] = after.pairs
        if field is MatrixField.SELLABLE:
            mine, theirs = [(each, None) for each in self.types], [(each, None) for each in after.types]
        if mine == theirs:
            return zip(mine, self._rows(field), after._rows(field), strict=True)
        blank = (BLANK[field],) * self.nights.length
        before = dict(zip(mine, self._rows(field), strict=True))
        then = dict(zip(theirs, after._rows(field), strict=True))
        keys = [*mine, *(each for each in theirs if each not in before)]
        return [(key, before.get(key, blank), then.get(key, blank)) for key in keys]


def runs_between(before: Sequence[int], after: Sequence[int]) -> list[Cells]:
    """Return where the second row differs from the first, as the fewest runs of one value each, ascending."""
    found: list[Cells] = []
    first = end = value = 0
    for at, (was, now) in enumerate(zip(before, after, strict=True)):
        if was == now:
            continue
        if at == end and now == value and first < end:
            end += 1
            continue
        if first < end:
            found.append((first, end, value))
        first, end, value = at, at + 1, now
    if first < end:
        found.append((first, end, value))
    return found


@lru_cache(maxsize=8192)
def nights_between(first_ordinal: int, end_ordinal: int) -> DateRange:
    """Return the nights from one ordinal until before another; remembered, because most runs are alike."""
    return DateRange(date.fromordinal(first_ordinal), date.fromordinal(end_ordinal))
