"""Both layers of stock in memory: counters by type and night, owners by unit and night.

Owns the limit on a type's night and the one owner of a unit's night; a change is judged as a whole before
any of it is written. Leaves locks and transactions to ``memory``. The rules: ``docs/algorithms/stock.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import TypeAlias
from uuid import UUID

from attrs import Factory, define, evolve, frozen

from pmscore.inventory.model.house import UnitType
from pmscore.inventory.model.stock import Claim, ClaimKind, StockChange
from pmscore.kernel.errors import MisuseError, NotFoundError, Violation
from pmscore.kernel.ids import UnitId, UnitTypeId

__all__ = ["Ledger", "LedgerUpdate", "TypeNight", "UnitNight"]

TypeKey: TypeAlias = tuple[UnitTypeId, int]
UnitKey: TypeAlias = tuple[UnitId, int]


@frozen(kw_only=True)
class TypeNight:
    """The counters of one type on one night; capacity and allowance are copied when the row is made."""

    capacity: int
    overbooking: int
    booked: int = 0
    held: int = 0
    blocked: int = 0
    out_of_order: int = 0
    buffer: int = 0
    allotted: int = 0
    oversold: int = 0

    @property
    def claimed(self) -> int:
        """All claims that count against the limit."""
        return self.booked + self.held + self.blocked + self.out_of_order + self.buffer + self.allotted

    @property
    def is_within_limit(self) -> bool:
        """Whether the claims fit into the capacity and the allowance."""
        return self.claimed <= self.capacity + self.overbooking

    def counts(self) -> Mapping[ClaimKind, int]:
        """Return the counters by kind."""
        return {
            ClaimKind.BOOKED: self.booked,
            ClaimKind.HELD: self.held,
            ClaimKind.BLOCKED: self.blocked,
            ClaimKind.OUT_OF_ORDER: self.out_of_order,
            ClaimKind.BUFFER: self.buffer,
            ClaimKind.ALLOTTED: self.allotted,
            ClaimKind.OVERSOLD: self.oversold,
        }

    def moved(self, deltas: Mapping[ClaimKind, int]) -> TypeNight:
        """Return the row with the counters moved by ``deltas``."""
        counts = self.counts()
        return evolve(self, **{kind.value: counts[kind] + delta for kind, delta in deltas.items()})


@frozen
class UnitNight:
    """What occupies one unit on one night."""

    kind: ClaimKind
    source_id: UUID
    unit_type_id: UnitTypeId


@define
class LedgerUpdate:
    """What a change would write, and what speaks against it."""

    rows: dict[TypeKey, TypeNight] = Factory(dict[TypeKey, TypeNight])
    units: dict[UnitKey, UnitNight | None] = Factory(dict[UnitKey, "UnitNight | None"])
    violations: list[Violation] = Factory(list[Violation])


@define
class Ledger:
    """The stock of one agency."""

    rows: dict[TypeKey, TypeNight] = Factory(dict[TypeKey, TypeNight])
    units: dict[UnitKey, UnitNight] = Factory(dict[UnitKey, UnitNight])

    def judged(
        self,
        change: StockChange,
        types: Mapping[UnitTypeId, UnitType],
        rewritten: Mapping[TypeKey, TypeNight],
    ) -> LedgerUpdate:
        """Return what ``change`` comes to on top of ``rewritten`` rows; nothing is written.

        Raises:
            NotFoundError: a claim names a type that is not there.
            MisuseError: nights are given up that are not claimed by that source.
        """
        update = LedgerUpdate(rows=dict(rewritten))
        for key, deltas in _net_by_type_night(change).items():
            self._move_counters(update, key, deltas, types)
        full = sorted(
            (ordinal, str(type_id))
            for (type_id, ordinal), row in update.rows.items()
            if not row.is_within_limit
        )
        update.violations.extend(
            Violation("type_full", date.fromordinal(ordinal), type_id) for ordinal, type_id in full
        )
        self._free_units(update, change.before)
        self._take_units(update, change.after)
        return update

    def apply(self, update: LedgerUpdate) -> None:
        """Write what was judged."""
        self.rows.update(update.rows)
        for key, owner in update.units.items():
            if owner is None:
                self.units.pop(key, None)
            else:
                self.units[key] = owner

    def rewritten(self, unit_type: UnitType, first_night: date) -> dict[TypeKey, TypeNight]:
        """Return the type's rows from ``first_night`` on with the capacity and allowance it has now."""
        first = first_night.toordinal()
        return {
            key: evolve(
                row,
                capacity=unit_type.capacity_on(date.fromordinal(key[1])),
                overbooking=unit_type.overbooking,
            )
            for key, row in self.rows.items()
            if key[0] == unit_type.unit_type_id and key[1] >= first
        }

    def _move_counters(
        self,
        update: LedgerUpdate,
        key: TypeKey,
        deltas: Mapping[ClaimKind, int],
        types: Mapping[UnitTypeId, UnitType],
    ) -> None:
        unit_type = types.get(key[0])
        if unit_type is None:
            raise NotFoundError("unit_type", key[0])
        row = update.rows.get(key) or self.rows.get(key)
        if row is None:
            capacity = unit_type.capacity_on(date.fromordinal(key[1]))
            row = TypeNight(capacity=capacity, overbooking=unit_type.overbooking)
        moved = row.moved(deltas)
        if min(moved.counts().values()) < 0:
            raise MisuseError(reason="released_what_was_not_claimed", unit_type_id=str(key[0]))
        update.rows[key] = moved

    def _free_units(self, update: LedgerUpdate, claims: Iterable[Claim]) -> None:
        for key, owner in _unit_nights(claims):
            if self.units.get(key) != owner or key in update.units:
                raise MisuseError(reason="released_what_was_not_claimed", unit_id=str(key[0]))
            update.units[key] = None

    def _take_units(self, update: LedgerUpdate, claims: Iterable[Claim]) -> None:
        taken: list[tuple[int, str]] = []
        for key, owner in _unit_nights(claims):
            present = update.units[key] if key in update.units else self.units.get(key)
            if present is None:
                update.units[key] = owner
            else:
                taken.append((key[1], str(key[0])))
        update.violations.extend(
            Violation("unit_taken", date.fromordinal(ordinal), unit_id)
            for ordinal, unit_id in sorted(set(taken))
        )


def _net_by_type_night(change: StockChange) -> dict[TypeKey, dict[ClaimKind, int]]:
    net: dict[TypeKey, dict[ClaimKind, int]] = {}
    for claims, step in ((change.before, -1), (change.after, 1)):
        for claim in claims:
            for ordinal in range(claim.nights.first_ordinal, claim.nights.end_ordinal):
                deltas = net.setdefault((claim.unit_type_id, ordinal), {})
                deltas[claim.kind] = deltas.get(claim.kind, 0) + step
    return net


def _unit_nights(claims: Iterable[Claim]) -> Iterable[tuple[UnitKey, UnitNight]]:
    for claim in claims:
        if claim.unit_id is not None:
            owner = UnitNight(claim.kind, claim.source_id, claim.unit_type_id)
            for ordinal in range(claim.nights.first_ordinal, claim.nights.end_ordinal):
                yield (claim.unit_id, ordinal), owner
