"""What a store keeps of operations and their batches."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime
from typing import Protocol

from pmscore.channels.model.operations import (
    Batch,
    BatchPage,
    BatchStatus,
    Operation,
    OperationFilter,
    PurgeCount,
)
from pmscore.kernel.ids import (
    BatchId,
    ConnectionId,
    LaneId,
    OperationId,
)
from pmscore.kernel.paging import Page, Paged

__all__ = [
    "OperationRepository",
]


class OperationRepository(Protocol):
    """Keeps the log of operations and their batches."""

    @abstractmethod
    def add(self, operation: Operation) -> None:
        """Add an operation, and let the sweeper know."""

    @abstractmethod
    def add_batch(self, batch: Batch) -> None:
        """Add a batch; its operations are added one by one."""

    @abstractmethod
    def get(self, operation_id: OperationId) -> Operation:
        """Return an operation, locked until the end of the transaction.

        Raises:
            NotFoundError: there is none.
        """

    @abstractmethod
    def open(self, lane_id: LaneId) -> tuple[Operation, ...]:
        """Return the operations of a lane that have not ended, the oldest first."""

    @abstractmethod
    def save(self, operation: Operation) -> None:
        """Store an operation that was read in this transaction."""

    @abstractmethod
    def page(self, connection_id: ConnectionId, wanted: OperationFilter, page: Page) -> Paged[Operation]:
        """Return a page of a connection's log, the newest first."""

    @abstractmethod
    def batch(self, connection_id: ConnectionId, batch_id: BatchId) -> Batch:
        """Return a batch with its operations.

        Raises:
            NotFoundError: the connection has no such batch, or it has no operations left.
        """

    @abstractmethod
    def batches(
        self, connection_id: ConnectionId, status: BatchStatus | None, page: BatchPage
    ) -> Paged[Batch]:
        """Return a page of the batches of a connection that have operations left, the newest first."""

    @abstractmethod
    def stale(self, before: datetime, *, most: int) -> tuple[Operation, ...]:
        """Return operations that have not ended and were not touched since an instant, locked."""

    @abstractmethod
    def count(self, connection_id: ConnectionId, before: datetime) -> PurgeCount:
        """Return what :meth:`purge` would delete."""

    @abstractmethod
    def purge(self, connection_id: ConnectionId, before: datetime) -> int:
        """Delete the operations of a connection that were made before an instant; return how many."""
