"""Reading availability from memory: counters and owners, without what expired holds still claim.

Owns the in-memory ``AvailabilityReader``; leaves what the counts mean to :mod:`pmscore.availability`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from uuid import UUID

from pmscore.availability.model import Occupant, OccupiedRange
from pmscore.availability.ports import AvailabilityReader
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.house import House, UnitType
from pmscore.inventory.model.stock import Claim, ClaimKind
from pmscore.kernel.errors import NotFoundError
from pmscore.kernel.ids import PropertyId, UnitId, UnitTypeId
from pmscore.restrictions.model.book import RuleBook
from pmscore.testing.books import Books
from pmscore.testing.locks import LockTable

__all__ = ["InMemoryAvailability"]


class InMemoryAvailability(AvailabilityReader):
    """The committed state of one agency, as of each call."""

    def __init__(self, books: Books, locks: LockTable) -> None:
        self._books = books
        self._mutex = locks.mutex

    def houses(self, property_ids: Iterable[PropertyId] = ()) -> tuple[House, ...]:
        """Return these houses, all where none is named."""
        with self._mutex:
            wanted = tuple(property_ids)
            for each in wanted:
                if each not in self._books.houses:
                    raise NotFoundError("property", each)
            return tuple(self._books.houses[each] for each in wanted or self._books.houses)

    def rules(self, property_ids: Iterable[PropertyId]) -> Mapping[PropertyId, RuleBook]:
        """Return the stay rules of these properties, where there are any."""
        with self._mutex:
            books = self._books.rule_books
            return {each: books[each] for each in property_ids if each in books}

    def claimed(
        self, unit_type_ids: Iterable[UnitTypeId], nights: DateRange, now: datetime
    ) -> Mapping[UnitTypeId, tuple[int, ...]]:
        """Return the claims that count against the limit, one number a night."""
        by_kind = self.claims_by_kind(unit_type_ids, nights, now)
        return {
            type_id: tuple(
                sum(counts)
                for counts in zip(
                    *(each for kind, each in kinds.items() if kind is not ClaimKind.OVERSOLD), strict=True
                )
            )
            for type_id, kinds in by_kind.items()
        }

    def claims_by_kind(
        self, unit_type_ids: Iterable[UnitTypeId], nights: DateRange, now: datetime
    ) -> Mapping[UnitTypeId, Mapping[ClaimKind, tuple[int, ...]]]:
        """Return the claims of each kind, one number a night."""
        with self._mutex:
            wanted = {each for each in unit_type_ids if each in self._books.types}
            counts = {each: {kind: [0] * nights.length for kind in ClaimKind} for each in wanted}
            for (type_id, ordinal), row in self._books.ledger.rows.items():
                if type_id in wanted and nights.first_ordinal <= ordinal < nights.end_ordinal:
                    for kind, counted in row.counts().items():
                        if counted:
                            counts[type_id][kind][ordinal - nights.first_ordinal] += counted
            for claim in self._expired_claims(now):
                shared = claim.nights.intersection(nights)
                if claim.unit_type_id in wanted and shared is not None:
                    for ordinal in range(shared.first_ordinal, shared.end_ordinal):
                        counts[claim.unit_type_id][claim.kind][ordinal - nights.first_ordinal] -= 1
        return {each: {kind: tuple(found) for kind, found in kinds.items()} for each, kinds in counts.items()}

    def free_units(
        self, wanted: Mapping[UnitTypeId, DateRange], now: datetime
    ) -> Mapping[UnitTypeId, tuple[UnitId, ...]]:
        """Return the units of each type that nothing occupies on any of its nights, by name and id."""
        with self._mutex:
            expired = {claim.source_id for claim in self._expired_claims(now)}
            return {
                type_id: tuple(
                    unit.unit_id
                    for house in self._books.houses.values()
                    for unit in house.units_of(type_id)
                    if self._is_free(unit.unit_id, nights, expired)
                )
                for type_id, nights in wanted.items()
            }

    def occupied(
        self, property_id: PropertyId, nights: DateRange, now: datetime
    ) -> tuple[OccupiedRange, ...]:
        """Return what claims a night of the range, whole claims, by first night, type, unit and source."""
        with self._mutex:
            house = self._books.houses.get(property_id)
            if house is None:
                raise NotFoundError("property", property_id)
            found = [each for each in self._ranges(house.types, now) if each.nights.overlaps(nights)]
        return tuple(sorted(found, key=_order))

    def _ranges(self, types: Mapping[UnitTypeId, UnitType], now: datetime) -> Iterator[OccupiedRange]:
        for booking in self._books.bookings.values():
            for claim in _on(types, booking.claims()):
                yield OccupiedRange(
                    kind=Occupant.BOOKING,
                    state=claim.kind,
                    unit_type_id=claim.unit_type_id,
                    unit_id=claim.unit_id,
                    nights=claim.nights,
                    booking_id=booking.booking_id,
                )
        for hold in self._books.holds.values():
            for claim in _on(types, () if hold.is_expired(now) else hold.claims()):
                yield OccupiedRange(
                    kind=Occupant.HOLD,
                    state=claim.kind,
                    unit_type_id=claim.unit_type_id,
                    unit_id=claim.unit_id,
                    nights=claim.nights,
                    hold_id=hold.hold_id,
                )
        for block in self._books.blocks.values():
            for claim in _on(types, block.claims()):
                yield OccupiedRange(
                    kind=Occupant.BLOCK,
                    state=claim.kind,
                    unit_type_id=claim.unit_type_id,
                    unit_id=claim.unit_id,
                    nights=claim.nights,
                    block_id=block.block_id,
                )

    def _is_free(self, unit_id: UnitId, nights: DateRange, expired: set[UUID]) -> bool:
        owners = (
            self._books.ledger.units.get((unit_id, ordinal))
            for ordinal in range(nights.first_ordinal, nights.end_ordinal)
        )
        return all(owner is None or owner.source_id in expired for owner in owners)

    def _expired_claims(self, now: datetime) -> tuple[Claim, ...]:
        holds = (hold for hold in self._books.holds.values() if hold.is_expired(now))
        return tuple(claim for hold in holds for claim in hold.claims())


def _on(types: Mapping[UnitTypeId, UnitType], claims: Iterable[Claim]) -> Iterator[Claim]:
    return (claim for claim in claims if claim.unit_type_id in types)


def _order(each: OccupiedRange) -> tuple[DateRange, str, str, str]:
    source = each.booking_id or each.hold_id or each.block_id
    return each.nights, str(each.unit_type_id), str(each.unit_id or ""), str(source)
