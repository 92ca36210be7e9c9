"""What the inventory needs from a store."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.blocks import Block
from pmscore.inventory.model.holds import Hold
from pmscore.inventory.model.house import House, Property, Unit, UnitType
from pmscore.inventory.model.stock import StockChange
from pmscore.kernel.ids import BlockId, HoldId, PropertyId, UnitId, UnitTypeId
from pmscore.kernel.ports import Work

__all__ = ["BlockRepository", "HoldRepository", "HouseRepository", "InventoryWork", "StockLedger"]


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
    def change(self, change: StockChange) -> None:
        """Apply ``change`` at the commit, together with all others of this transaction."""

    @abstractmethod
    def unit_occupancy(
        self, unit_type_id: UnitTypeId, nights: DateRange
    ) -> Mapping[UnitId, int]:
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

        Holds that another transaction is working on are left out.
        """

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
    def add(self, block: Block) -> None:
        """Add a new block."""

    @abstractmethod
    def remove(self, block: Block) -> None:
        """Remove a block that was read in this transaction."""


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
