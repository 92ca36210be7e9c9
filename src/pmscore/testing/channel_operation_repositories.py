"""The log of operations and their batches in memory.

Owns what the port promises. Leaves the commit to ``channel_log``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import partial

from pmscore.channels.model.operations import (
    Batch,
    BatchPage,
    BatchStatus,
    Operation,
    OperationFilter,
    PurgeCount,
)
from pmscore.channels.ports import OperationRepository
from pmscore.kernel.errors import NotFoundError
from pmscore.kernel.ids import BatchId, ConnectionId, LaneId, OperationId
from pmscore.kernel.paging import Page, Paged
from pmscore.testing.channel_log import ChannelLog, KeptBatch
from pmscore.testing.repositories import paged
from pmscore.testing.transaction import Transaction

__all__ = ["InMemoryOperations"]


class InMemoryOperations(OperationRepository):
    """The log."""

    def __init__(self, transaction: Transaction) -> None:
        self._at = transaction

    def add(self, operation: Operation) -> None:
        """Add an operation."""
        self._at.lock_new("channel_operation", operation.operation_id)
        self._at.changes.channels.operations[operation.operation_id] = operation
        self._at.changes.channels.belongings.add(operation.connection_id)

    def add_batch(self, batch: Batch) -> None:
        """Add a batch without its operations."""
        self._at.check_open()
        kept = KeptBatch(batch.connection_id, batch.expected)
        self._at.changes.channels.belongings.add(batch.connection_id)
        self._at.changes.channels.writes.append(lambda log: log.batches.update({batch.batch_id: kept}))

    def get(self, operation_id: OperationId) -> Operation:
        """Return an operation, locked."""
        pending = self._at.changes.channels.operations
        return self._at.locked("channel_operation", operation_id, self._log.operations, pending)

    def open(self, lane_id: LaneId) -> tuple[Operation, ...]:
        """Return the operations of a lane that have not ended, the oldest first."""
        found = [each for each in self._every() if each.is_open and each.lane_id == lane_id]
        return tuple(sorted(found, key=_when_made))

    def save(self, operation: Operation) -> None:
        """Store a locked operation."""
        self._at.check_locked("channel_operation", operation.operation_id)
        self._at.changes.channels.operations[operation.operation_id] = operation

    def page(self, connection_id: ConnectionId, wanted: OperationFilter, page: Page) -> Paged[Operation]:
        """Return a page of a connection's log, the newest first."""
        found = [each for each in self._of(connection_id) if wanted.admits(each)]
        return paged(sorted(found, key=_when_made, reverse=True), page)

    def batch(self, connection_id: ConnectionId, batch_id: BatchId) -> Batch:
        """Return a batch with its operations."""
        found = next((each for each in self._batches(connection_id) if each.batch_id == batch_id), None)
        if found is None:
            raise NotFoundError("channel_batch", batch_id)
        return found

    def batches(
        self, connection_id: ConnectionId, status: BatchStatus | None, page: BatchPage
    ) -> Paged[Batch]:
        """Return a page of the batches of a connection, the newest first."""
        found = [each for each in self._batches(connection_id) if status in {None, each.status}]
        newest_first = sorted(
            found, key=lambda each: (each.operations[0].created_at, each.batch_id), reverse=True
        )
        return paged(newest_first, page)

    def stale(self, before: datetime, *, most: int) -> tuple[Operation, ...]:
        """Return operations that have stood still since an instant; those that others work on are left to them."""
        old = [each for each in self._every() if each.is_open and each.touched_at < before]
        taken: list[Operation] = []
        for each in sorted(old, key=lambda each: (each.touched_at, each.operation_id))[:most]:
            name = (self._at.command.agency_id, "channel_operation", each.operation_id)
            if self._at.locks.acquire_free(name, self._at.number):
                taken.append(self.get(each.operation_id))
        return tuple(each for each in taken if each.is_open and each.touched_at < before)

    def count(self, connection_id: ConnectionId, before: datetime) -> PurgeCount:
        """Return what a purge would delete."""
        made = [each.created_at for each in self._of(connection_id) if each.created_at < before]
        return PurgeCount(
            total=len(made), oldest_at=min(made, default=None), newest_at=max(made, default=None)
        )

    def purge(self, connection_id: ConnectionId, before: datetime) -> int:
        """Delete the operations of a connection that were made before an instant."""
        old = frozenset(each.operation_id for each in self._of(connection_id) if each.created_at < before)
        self._at.changes.channels.writes.append(partial(_delete, connection_id, old))
        return len(old)

    @property
    def _log(self) -> ChannelLog:
        return self._at.books.channels

    def _every(self) -> tuple[Operation, ...]:
        self._at.check_open()
        with self._at.locks.mutex:
            return tuple(self._log.operations.values())

    def _of(self, connection_id: ConnectionId) -> Iterable[Operation]:
        return (each for each in self._every() if each.connection_id == connection_id)

    def _batches(self, connection_id: ConnectionId) -> Iterable[Batch]:
        """Return every batch of a connection that has operations, these the oldest first."""
        operations: dict[BatchId, list[Operation]] = {}
        for each in sorted(self._of(connection_id), key=_when_made):
            if each.batch_id is not None:
                operations.setdefault(each.batch_id, []).append(each)
        with self._at.locks.mutex:
            kept = {key: self._log.batches.get(key) for key in operations}
        for batch_id, batch in kept.items():
            if batch is not None and batch.connection_id == connection_id:
                yield Batch(
                    batch_id=batch_id,
                    connection_id=connection_id,
                    expected=batch.expected,
                    operations=tuple(operations[batch_id]),
                )


def _when_made(operation: Operation) -> tuple[datetime, OperationId]:
    return operation.created_at, operation.operation_id


def _delete(connection_id: ConnectionId, operation_ids: frozenset[OperationId], log: ChannelLog) -> None:
    for each in operation_ids:
        log.operations.pop(each, None)
    left = {each.batch_id for each in log.operations.values()}
    gone = [
        batch_id
        for batch_id, each in log.batches.items()
        if each.connection_id == connection_id and batch_id not in left
    ]
    for batch_id in gone:
        del log.batches[batch_id]
