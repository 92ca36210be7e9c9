"""What a store keeps of connections and their mappings."""

from __future__ import annotations

from abc import abstractmethod
from typing import Protocol

from pmscore.channels.model.connections import Connection
from pmscore.channels.model.manifest import Platform
from pmscore.channels.model.mappings import MappingBook
from pmscore.kernel.ids import (
    ConnectionId,
    PropertyId,
)
from pmscore.kernel.paging import Page, Paged

__all__ = [
    "ConnectionRepository",
    "MappingRepository",
]


class ConnectionRepository(Protocol):
    """Keeps connections; deleted ones are found by :meth:`find_deleted` alone."""

    @abstractmethod
    def add(self, connection: Connection) -> None:
        """Add a connection.

        Raises (at the commit):
            StaleVersionError: the property has one on this platform already.
        """

    @abstractmethod
    def get(self, connection_id: ConnectionId) -> Connection:
        """Return a connection, locked until the end of the transaction.

        Raises:
            NotFoundError: there is none, or it is deleted.
        """

    @abstractmethod
    def read(self, connection_id: ConnectionId) -> Connection:
        """Return a connection as it was last committed, without a lock; it cannot be saved.

        Raises:
            NotFoundError: there is none, or it is deleted.
        """

    @abstractmethod
    def find(self, property_id: PropertyId | None, page: Page) -> Paged[Connection]:
        """Return a page of connections, of one property or of all within reach, the oldest first."""

    @abstractmethod
    def find_live(self, property_id: PropertyId, platform: Platform) -> Connection | None:
        """Return the connection of a property on a platform."""

    @abstractmethod
    def find_deleted(self, property_id: PropertyId, platform: Platform) -> Connection | None:
        """Return the deleted connection of a property on a platform, locked; it can be saved as a revived one."""

    @abstractmethod
    def by_calendar(self, digest: str) -> Connection | None:
        """Return the connection whose calendar token has this digest."""

    @abstractmethod
    def by_knock(self, digest: str) -> Connection | None:
        """Return the connection whose webhook token has this digest."""

    @abstractmethod
    def all_active(self) -> tuple[Connection, ...]:
        """Return every connection that syncs, by id."""

    @abstractmethod
    def save(self, connection: Connection) -> None:
        """Store a connection that was read in this transaction."""


class MappingRepository(Protocol):
    """Keeps which of our types and plans is which room and rate."""

    @abstractmethod
    def book(self, connection_id: ConnectionId) -> MappingBook:
        """Return all pairs of a connection, by codes."""

    @abstractmethod
    def replace(self, connection_id: ConnectionId, book: MappingBook) -> None:
        """Store ``book`` in place of what was there; whoever made it gave new ids to what differs."""
