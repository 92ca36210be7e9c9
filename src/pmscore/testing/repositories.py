"""The repositories of a transaction in memory.

Owns what each port promises about reading and writing; leaves buffers and locks to ``transaction``, and
the judgement at the commit to ``books`` and ``ledger``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TypeVar

from pmscore.access.model.agencies import Agency
from pmscore.access.ports import AgencyRepository
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.allotments import Allotment
from pmscore.inventory.model.blocks import Block, BlockFilter
from pmscore.inventory.model.holds import Hold, HoldStatus
from pmscore.inventory.model.house import House
from pmscore.inventory.model.stock import Claim, StockChange
from pmscore.inventory.ports import (
    AllotmentRepository,
    BlockRepository,
    HoldRepository,
    HouseRepository,
    StockLedger,
)
from pmscore.kernel.errors import InvalidInputError, MisuseError, NotFoundError
from pmscore.kernel.ids import AgencyId, AllotmentId, BlockId, HoldId, PropertyId, UnitId, UnitTypeId
from pmscore.kernel.paging import Page, Paged
from pmscore.restrictions.model.book import RuleBook
from pmscore.restrictions.ports import RestrictionRepository
from pmscore.testing.transaction import Transaction

__all__ = [
    "InMemoryAgencies",
    "InMemoryAllotments",
    "InMemoryBlocks",
    "InMemoryHolds",
    "InMemoryHouses",
    "InMemoryRestrictions",
    "InMemoryStock",
    "paged",
]

ItemT = TypeVar("ItemT")


class InMemoryAgencies(AgencyRepository):
    """Agencies; ``slugs`` are those of the whole store."""

    def __init__(self, transaction: Transaction, slugs: Mapping[str, AgencyId]) -> None:
        self._at = transaction
        self._slugs = slugs

    def add(self, agency: Agency) -> None:
        """Add the agency of the transaction."""
        self._at.check_open()
        if agency.agency_id != self._at.command.agency_id or self._at.books.agency is not None:
            raise MisuseError(reason="not_the_new_agency_of_the_transaction")
        if agency.slug in self._slugs:
            raise InvalidInputError("slug", "taken")
        self._at.changes.agencies.append(agency)

    def get(self, agency_id: AgencyId) -> Agency:
        """Return the agency of the transaction."""
        self._at.check_open()
        found = self._at.books.agency
        if found is None or found.agency_id != agency_id:
            raise NotFoundError("agency", agency_id)
        return found


class InMemoryHouses(HouseRepository):
    """Properties with their types and units."""

    def __init__(self, transaction: Transaction) -> None:
        self._at = transaction

    def get(self, property_id: PropertyId) -> House:
        """Return the house, unlocked; the commit refuses if it has changed by then."""
        self._at.check_open()
        self._at.command.check_reach(property_id, "property", property_id)
        changes = self._at.changes
        if property_id in changes.houses:
            return changes.houses[property_id]
        with self._at.locks.mutex:
            house = self._at.books.houses.get(property_id)
        if house is None:
            raise NotFoundError("property", property_id)
        changes.houses_seen.setdefault(property_id, house.property.version)
        return house

    def lock(self, property_id: PropertyId) -> House:
        """Return the house as it is now, locked."""
        at = self._at
        at.command.check_reach(property_id, "property", property_id)
        return at.locked("property", property_id, at.books.houses, at.changes.houses)

    def add(self, house: House) -> None:
        """Add a new house."""
        self._at.lock_new("property", house.property.property_id)
        self._at.changes.houses[house.property.property_id] = house

    def save(self, house: House) -> None:
        """Store a locked house."""
        self._at.check_locked("property", house.property.property_id)
        self._at.changes.houses[house.property.property_id] = house


class InMemoryStock(StockLedger):
    """The claims."""

    def __init__(self, transaction: Transaction) -> None:
        self._at = transaction

    def change(self, change: StockChange, *, is_last_try: bool = True) -> None:  # noqa: ARG002 - always explains
        """Add ``change`` to what the commit applies."""
        self._at.check_open()
        self._at.changes.stock.append(change)

    def unit_occupancy(self, unit_type_id: UnitTypeId, nights: DateRange) -> Mapping[UnitId, int]:
        """Return the claimed nights of each unit of a type as a mask."""
        self._at.check_open()
        with self._at.locks.mutex:
            books = self._at.books
            units = [
                unit.unit_id
                for house in books.houses.values()
                if unit_type_id in house.types
                for unit in house.units_of(unit_type_id)
            ]
            occupied = books.ledger.units
            masks = {
                unit_id: sum(
                    1 << (ordinal - nights.first_ordinal)
                    for ordinal in range(nights.first_ordinal, nights.end_ordinal)
                    if (unit_id, ordinal) in occupied
                )
                for unit_id in units
            }
        return {unit_id: mask for unit_id, mask in masks.items() if mask}


class InMemoryHolds(HoldRepository):
    """Holds."""

    def __init__(self, transaction: Transaction) -> None:
        self._at = transaction

    def get(self, hold_id: HoldId) -> Hold:
        """Return the hold, locked."""
        found = self._at.locked("hold", hold_id, self._at.books.holds, self._at.changes.holds)
        self._at.command.check_reach(found.property_id, "hold", hold_id)
        return found

    def find(self, property_id: PropertyId, now: datetime, page: Page) -> Paged[Hold]:
        """Return a page of the active holds, by expiry and id."""
        self._at.check_open()
        with self._at.locks.mutex:
            found = [
                hold
                for hold in self._at.books.holds.values()
                if hold.property_id == property_id
                and self._at.command.reaches(property_id)
                and hold.status is HoldStatus.ACTIVE
                and not hold.is_expired(now)
            ]
        return paged(sorted(found, key=lambda each: (each.expires_at, each.hold_id)), page)

    def expired(self, change: StockChange, now: datetime) -> tuple[Hold, ...]:
        """Return the expired holds in the way of ``change``, locked; waits for those that others work on."""
        self._at.check_open()
        at = self._at
        first = min((each.nights.start for each in change.after), default=now.date())
        end = max((each.nights.end for each in change.after), default=first)
        with at.locks.mutex:
            near = [
                hold.hold_id
                for hold in at.books.holds.values()
                if hold.is_expired(now)
                and hold.stay.arrival < end
                and hold.stay.departure + timedelta(days=hold.turnover_nights) > first
                and hold.hold_id not in at.changes.holds
                and _meet(hold.claims(), change.after)
            ]
        locked = [at.locked("hold", hold_id, at.books.holds, at.changes.holds) for hold_id in sorted(near)]
        return tuple(hold for hold in locked if hold.is_expired(now))

    def add(self, hold: Hold) -> None:
        """Add a new hold."""
        self._at.lock_new("hold", hold.hold_id)
        self._at.changes.holds[hold.hold_id] = hold

    def save(self, hold: Hold) -> None:
        """Store a hold that was read in this transaction."""
        self._at.check_locked("hold", hold.hold_id)
        self._at.changes.holds[hold.hold_id] = hold


class InMemoryBlocks(BlockRepository):
    """Blocks."""

    def __init__(self, transaction: Transaction) -> None:
        self._at = transaction

    def get(self, block_id: BlockId) -> Block:
        """Return the block, locked."""
        found = self._at.locked("block", block_id, self._at.books.blocks, self._at.changes.blocks)
        self._at.command.check_reach(found.property_id, "block", block_id)
        return found

    def find(self, wanted: BlockFilter, page: Page) -> Paged[Block]:
        """Return a page of the blocks that ``wanted`` admits, by first night and id."""
        self._at.check_open()
        with self._at.locks.mutex:
            found = [
                block
                for block in self._at.books.blocks.values()
                if wanted.admits(block) and self._at.command.reaches(block.property_id)
            ]
        return paged(sorted(found, key=lambda each: (each.nights.start, each.block_id)), page)

    def add(self, block: Block) -> None:
        """Add a new block."""
        self._at.lock_new("block", block.block_id)
        self._at.changes.blocks[block.block_id] = block

    def remove(self, block: Block) -> None:
        """Remove a block that was read in this transaction."""
        self._at.check_locked("block", block.block_id)
        self._at.changes.blocks[block.block_id] = None


class InMemoryAllotments(AllotmentRepository):
    """Allotments."""

    def __init__(self, transaction: Transaction) -> None:
        self._at = transaction

    def get(self, allotment_id: AllotmentId) -> Allotment:
        """Return the allotment, locked."""
        books, changes = self._at.books, self._at.changes
        found = self._at.locked("allotment", allotment_id, books.allotments, changes.allotments)
        self._at.command.check_reach(found.property_id, "allotment", allotment_id)
        return found

    def read(self, allotment_id: AllotmentId) -> Allotment:
        """Return the allotment as it was last committed."""
        self._at.check_open()
        with self._at.locks.mutex:
            found = self._at.books.allotments.get(allotment_id)
        if found is None:
            raise NotFoundError("allotment", allotment_id)
        self._at.command.check_reach(found.property_id, "allotment", allotment_id)
        return found

    def of(self, property_id: PropertyId, channel: str | None = None) -> tuple[Allotment, ...]:
        """Return the property's allotments, by first night and id."""
        self._at.check_open()
        if not self._at.command.reaches(property_id):
            return ()
        with self._at.locks.mutex:
            found = [
                each
                for each in self._at.books.allotments.values()
                if each.property_id == property_id and channel in {None, each.channel}
            ]
        return tuple(sorted(found, key=lambda each: (each.nights.start, each.allotment_id)))

    def locked_of(self, property_id: PropertyId, channel: str) -> tuple[Allotment, ...]:
        """Return the allotments of one channel, locked, in the order of their ids."""
        found: list[Allotment] = []
        for allotment_id in sorted(each.allotment_id for each in self.of(property_id, channel)):
            # One that went while its lock was waited for is no allotment any more.
            with suppress(NotFoundError):
                found.append(self.get(allotment_id))
        return tuple(found)

    def add(self, allotment: Allotment) -> None:
        """Add a new allotment."""
        self._at.lock_new("allotment", allotment.allotment_id)
        self._at.changes.allotments[allotment.allotment_id] = allotment

    def save(self, allotment: Allotment) -> None:
        """Store an allotment that was read in this transaction."""
        self._at.check_locked("allotment", allotment.allotment_id)
        self._at.changes.allotments[allotment.allotment_id] = allotment

    def remove(self, allotment: Allotment) -> None:
        """Remove an allotment that was read in this transaction."""
        self._at.check_locked("allotment", allotment.allotment_id)
        self._at.changes.allotments[allotment.allotment_id] = None


class InMemoryRestrictions(RestrictionRepository):
    """Rule books."""

    def __init__(self, transaction: Transaction) -> None:
        self._at = transaction

    def get(self, property_id: PropertyId) -> RuleBook:
        """Return the property's rules."""
        self._at.check_open()
        if not self._at.command.reaches(property_id):
            return RuleBook()
        with self._at.locks.mutex:
            pending, committed = self._at.changes.rule_books, self._at.books.rule_books
            return pending.get(property_id) or committed.get(property_id) or RuleBook()

    def save(self, property_id: PropertyId, book: RuleBook) -> None:
        """Store the rules of a locked property."""
        self._at.check_locked("property", property_id)
        self._at.changes.rule_books[property_id] = book


def paged(found: Sequence[ItemT], page: Page) -> Paged[ItemT]:
    """Return one page of what was found."""
    return Paged(tuple(found[page.offset : page.offset + page.limit]), len(found), page)


def _meet(held: Iterable[Claim], wanted: Iterable[Claim]) -> bool:
    wishes = tuple(wanted)
    return any(
        one.unit_type_id == other.unit_type_id and one.nights.overlaps(other.nights)
        for one in held
        for other in wishes
    )
