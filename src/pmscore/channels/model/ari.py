"""Availability, rates and rules as rows of integers: what a platform should have, has, and is sent.

Owns the cells, by mapping, field, occupancy and night. Leaves the difference of two of them to
``policies.diffing`` and how differences become messages to ``policies.packing``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final
from uuid import UUID

from attrs import frozen

from pmscore.channels.model.manifest import Lane
from pmscore.dates.ranges import DateRange
from pmscore.kernel.ids import ConnectionId, MappingId, UnitTypeId
from pmscore.pricing.views.matrix_rows import MatrixField

__all__ = ["ANY", "UNKNOWN", "AriRows", "AriRun", "Dirty", "Entry", "Loss", "LossKind", "RowKey"]

UNKNOWN: Final = -2
"""Of what a platform has: nobody knows."""

ANY: Final = -3
"""Of what a platform should have: whatever it likes, such as the rate of a closed night; neither compared nor sent."""


@frozen(order=True)
class RowKey:
    """Whose number it is and what it says; ``occupancy`` 0 is the included guests, or no matter."""

    mapping_id: MappingId
    field: MatrixField
    occupancy: int = 0


@frozen
class AriRun:
    """Neighbouring nights with one value."""

    key: RowKey
    nights: DateRange
    value: int


@frozen
class AriRows:
    """A number a night for each key; a key without a row is unknown on all nights."""

    nights: DateRange
    rows: Mapping[RowKey, tuple[int, ...]]

    def row(self, key: RowKey) -> tuple[int, ...]:
        """Return the number of each night, ``UNKNOWN`` where nothing is said."""
        found = self.rows.get(key)
        return (UNKNOWN,) * self.nights.length if found is None else found

    def between(self, nights: DateRange) -> AriRows:
        """Return the rows of other nights; those outside of these are unknown."""
        if nights == self.nights:
            return self
        shift = nights.first_ordinal - self.nights.first_ordinal
        before, first = min(max(-shift, 0), nights.length), max(shift, 0)
        found: dict[RowKey, tuple[int, ...]] = {}
        for key, row in self.rows.items():
            kept = row[first : max(shift + nights.length, 0)]
            after = nights.length - before - len(kept)
            found[key] = (UNKNOWN,) * before + kept + (UNKNOWN,) * after
        return AriRows(nights, found)

    def put(self, runs: Iterable[AriRun]) -> AriRows:
        """Return the rows with runs put on; nights outside are left out."""
        changed: dict[RowKey, list[int]] = {}
        origin, length = self.nights.first_ordinal, self.nights.length
        for run in runs:
            first = max(run.nights.first_ordinal - origin, 0)
            end = min(run.nights.end_ordinal - origin, length)
            if first >= end:
                continue
            row = changed.get(run.key)
            if row is None:
                row = changed[run.key] = [*self.row(run.key)]
            row[first:end] = [run.value] * (end - first)
        return AriRows(self.nights, {**self.rows, **{key: tuple(row) for key, row in changed.items()}})


@frozen(kw_only=True)
class Entry:
    """One item of a message: what a room or rate has on all of these nights.

    ``values`` has a number for each field and occupancy.
    """

    mapping_id: MappingId
    nights: DateRange
    values: Mapping[tuple[MatrixField, int], int]

    def runs(self) -> tuple[AriRun, ...]:
        """Return the cells of the entry."""
        return tuple(
            AriRun(RowKey(self.mapping_id, name, occupancy), self.nights, value)
            for (name, occupancy), value in self.values.items()
        )


@frozen(kw_only=True)
class Dirty:
    """What may differ from what a platform has: looked at by the next run of the lane.

    None means all nights, or all types. Where it ``forgets``, nobody knows what the platform has there: it was sent
    something, and whether it arrived is open.
    """

    dirty_id: UUID
    connection_id: ConnectionId
    lane: Lane
    nights: DateRange | None
    unit_type_ids: frozenset[UnitTypeId] | None
    forgets: bool = False


class LossKind(StrEnum):
    """What became of a rule that a platform cannot say."""

    NARROWED = "narrowed"
    """Another rule stands for it, which refuses more than ours."""
    LEFT_TO_PLATFORM = "left_to_platform"
    """Only the platform's own settings can keep it; nothing stands for it."""


@frozen(kw_only=True)
class Loss:
    """A rule of ours that a platform cannot say on some nights; ``said`` names the field that stands for it, or none."""

    mapping_id: MappingId
    field: MatrixField
    nights: DateRange
    kind: LossKind
    said: str = ""
