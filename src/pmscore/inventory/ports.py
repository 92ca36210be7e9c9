"""What the inventory needs from a store, and the one way to claim nights through it.

Owns the rule that an expired hold frees its nights without anyone asking: whoever wants the nights
releases it first, in the same transaction. Most claims meet no such hold, so it is looked for only after a
first attempt has met a taken night. Other contexts claim through :func:`change_stock` too.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum
from typing import Protocol, TypeVar

from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.allotments import Allotment
from pmscore.inventory.model.blocks import Block, BlockFilter
from pmscore.inventory.model.holds import Hold, HoldStatus
from pmscore.inventory.model.house import House
from pmscore.inventory.model.stock import StockChange
from pmscore.kernel.errors import NightsTakenError, StaleHouseError
from pmscore.kernel.ids import AllotmentId, BlockId, HoldId, PropertyId, UnitId, UnitTypeId
from pmscore.kernel.paging import Page, Paged
from pmscore.kernel.ports import Work

__all__ = [
    "AllotmentRepository",
    "AllotmentWork",
    "BlockRepository",
    "ExpiredHolds",
    "HoldRepository",
    "HouseRepository",
    "InventoryWork",
    "StockLedger",
    "change_stock",
    "claiming",
]

ResultT = TypeVar("ResultT")
MOST_STALE_ATTEMPTS = 4


class ExpiredHolds(Enum):
    """What an attempt to claim does with expired holds on the nights it wants."""

    LEAVE = "leave"
    RELEASE = "release"


class HouseRepository(Protocol):
    """Keeps properties with their types and units."""

    @abstractmethod
    def get(self, property_id: PropertyId) -> House:
        """Return the house. May be a remembered one; a booking made on an old one raises at the commit.

        Raises:
            NotFoundError: no such property in this agency.
        """

    @abstractmethod
    def lock(self, property_id: PropertyId) -> House:
        """Return the house as it is now and keep others from changing it until the end.

        Raises:
            NotFoundError: no such property in this agency.
        """

    @abstractmethod
    def add(self, house: House) -> None:
        """Add a new property with its types and units."""

    @abstractmethod
    def save(self, house: House) -> None:
        """Store a locked house: the property's fields, and types and units by their ids.

        Types whose capacity, overbooking or turnover changed have their counters rewritten.

        Raises:
            NightsTakenError: at the commit, if some night has more claims than the new capacity.
        """


class StockLedger(Protocol):
    """Keeps the claims of both layers; the judge of what is free."""

    @abstractmethod
    def change(self, change: StockChange, *, is_last_try: bool = True) -> None:
        """Apply ``change`` at the commit, together with all others of this transaction.

        Where it is not the last try, a refusal need not name the nights that are taken.
        """

    @abstractmethod
    def unit_occupancy(self, unit_type_id: UnitTypeId, nights: DateRange) -> Mapping[UnitId, int]:
        """Return the claimed nights of each unit of a type as a mask (bit 0 is ``nights.start``).

        Units without a claim in the range are left out. Expired holds count until they are released.
        """


class HoldRepository(Protocol):
    """Keeps holds."""

    @abstractmethod
    def get(self, hold_id: HoldId) -> Hold:
        """Return the hold, locked.

        Raises:
            NotFoundError: no such hold in this agency.
        """

    @abstractmethod
    def expired(self, change: StockChange, now: datetime) -> tuple[Hold, ...]:
        """Return the active holds whose time is over on nights that ``change`` would take, locked.

        Waits for those that another transaction is working on: it may be freeing nights that are wanted.
        """

    @abstractmethod
    def find(self, property_id: PropertyId, now: datetime, page: Page) -> Paged[Hold]:
        """Return a page of the property's holds that are active at ``now``, by expiry and id, without a lock."""

    @abstractmethod
    def add(self, hold: Hold) -> None:
        """Add a new hold."""

    @abstractmethod
    def save(self, hold: Hold) -> None:
        """Store a hold that was read in this transaction."""


class BlockRepository(Protocol):
    """Keeps the blocks that stand."""

    @abstractmethod
    def get(self, block_id: BlockId) -> Block:
        """Return the block, locked.

        Raises:
            NotFoundError: no such block in this agency.
        """

    @abstractmethod
    def find(self, wanted: BlockFilter, page: Page) -> Paged[Block]:
        """Return a page of the blocks that ``wanted`` admits and the actor reaches, by first night and id."""

    @abstractmethod
    def add(self, block: Block) -> None:
        """Add a new block."""

    @abstractmethod
    def remove(self, block: Block) -> None:
        """Remove a block that was read in this transaction."""


class AllotmentRepository(Protocol):
    """Keeps the allotments that stand."""

    @abstractmethod
    def get(self, allotment_id: AllotmentId) -> Allotment:
        """Return the allotment, locked.

        Raises:
            NotFoundError: no such allotment in this agency.
        """

    @abstractmethod
    def read(self, allotment_id: AllotmentId) -> Allotment:
        """Return the allotment as it was last committed, without a lock; it cannot be saved.

        Raises:
            NotFoundError: no such allotment in this agency.
        """

    @abstractmethod
    def of(self, property_id: PropertyId, channel: str | None = None) -> tuple[Allotment, ...]:
        """Return the property's allotments, of one channel where it is named, by first night and id, without a lock."""

    @abstractmethod
    def locked_of(self, property_id: PropertyId, channel: str) -> tuple[Allotment, ...]:
        """Return the allotments of one channel, locked, in the order of their ids."""

    @abstractmethod
    def add(self, allotment: Allotment) -> None:
        """Add a new allotment."""

    @abstractmethod
    def save(self, allotment: Allotment) -> None:
        """Store an allotment that was read and locked in this transaction."""

    @abstractmethod
    def remove(self, allotment: Allotment) -> None:
        """Remove an allotment that was read and locked in this transaction."""


class InventoryWork(Work, Protocol):
    """A transaction on the inventory."""

    @property
    @abstractmethod
    def houses(self) -> HouseRepository:
        """The properties, types and units."""

    @property
    @abstractmethod
    def stock(self) -> StockLedger:
        """The claims."""

    @property
    @abstractmethod
    def holds(self) -> HoldRepository:
        """The holds."""

    @property
    @abstractmethod
    def blocks(self) -> BlockRepository:
        """The blocks."""


class AllotmentWork(InventoryWork, Protocol):
    """A transaction on allotments and the stock that they keep."""

    @property
    @abstractmethod
    def allotments(self) -> AllotmentRepository:
        """The allotments."""


def claiming(attempt: Callable[[ExpiredHolds], ResultT]) -> ResultT:
    """Run ``attempt``; where it meets taken nights, run it once more with expired holds out of the way.

    ``attempt`` opens a transaction of its own and hands its argument to :func:`change_stock`. An attempt
    that worked from a remembered house that has changed is run again on the house as it is.

    Raises:
        NightsTakenError: the nights are taken by claims that have not expired.
        StaleHouseError: the house changed under each of several attempts.
    """
    try:
        return _on_present_house(attempt, ExpiredHolds.LEAVE)
    except NightsTakenError:
        return _on_present_house(attempt, ExpiredHolds.RELEASE)


def change_stock(work: InventoryWork, change: StockChange, *, now: datetime, expired: ExpiredHolds) -> None:
    """Apply ``change`` at the commit of ``work``, where asked together with the end of expired holds."""
    if expired is ExpiredHolds.RELEASE:
        for hold in work.holds.expired(change, now):
            decision = hold.ended(HoldStatus.EXPIRED)
            work.holds.save(decision.state)
            work.record(*decision.events)
            work.stock.change(StockChange.releasing(*hold.claims()))
    work.stock.change(change, is_last_try=expired is ExpiredHolds.RELEASE)


def _on_present_house(attempt: Callable[[ExpiredHolds], ResultT], expired: ExpiredHolds) -> ResultT:
    for _ in range(MOST_STALE_ATTEMPTS):
        try:
            return attempt(expired)
        except StaleHouseError:
            continue
    return attempt(expired)
