"""Operations that people see in the log of a connection, and batches of them.

Owns their states and what a batch makes of those. Leaves texts of the clean-up to ``policies.batches``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final

from attrs import field, frozen

from pmscore.kernel.events import Json
from pmscore.kernel.ids import BatchId, ConnectionId, LaneId, OperationId
from pmscore.kernel.paging import Page

__all__ = [
    "Batch",
    "BatchPage",
    "BatchStatus",
    "Direction",
    "Operation",
    "OperationFilter",
    "OperationStatus",
    "OperationType",
    "PurgeCount",
]


class OperationType(StrEnum):
    """What was asked for; the values stand in tables of others, too."""

    FULL_SYNC = "full_sync"
    AVAILABILITY_UPDATE = "availability_update"
    PRICING_UPDATE = "pricing_update"
    BOOKINGS_SYNC = "bookings_sync"
    BOOKINGS_IMPORT = "bookings_import"
    CALENDAR_SYNC = "calendar_sync"
    LISTING_UPDATE = "listing_update"


class OperationStatus(StrEnum):
    """Asked for, handed to a queue, at work, and the three ends."""

    TRIGGERED = "triggered"
    QUEUED = "queued"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Direction(StrEnum):
    """From us to the platform, or from it to us."""

    OUTBOUND = "outbound"
    INBOUND = "inbound"


class BatchStatus(StrEnum):
    """What became of the operations of a batch together."""

    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"


_OPEN: Final = frozenset({OperationStatus.TRIGGERED, OperationStatus.QUEUED, OperationStatus.RUNNING})
_COUNTED: Final[Mapping[OperationStatus, str]] = {
    OperationStatus.TRIGGERED: "triggered",
    OperationStatus.QUEUED: "triggered",
    OperationStatus.RUNNING: "running",
    OperationStatus.SUCCESS: "success",
    OperationStatus.FAILED: "failed",
    OperationStatus.CANCELLED: "other",
}


@frozen(kw_only=True)
class Operation:
    """One line of the log: something that a lane was asked to do, and how far it is."""

    operation_id: OperationId
    connection_id: ConnectionId
    lane_id: LaneId
    operation_type: OperationType
    direction: Direction
    status: OperationStatus
    details: Mapping[str, Json] = field(factory=dict[str, Json])
    error: str | None = None
    batch_id: BatchId | None = None
    created_at: datetime
    updated_at: datetime | None = None

    @property
    def task_id(self) -> str:
        """The id by which people follow it."""
        return str(self.operation_id)

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.status in _OPEN

    @property
    def touched_at(self) -> datetime:
        """When it last changed."""
        return self.updated_at or self.created_at


@frozen(kw_only=True)
class Batch:
    """Operations that were asked for at once; ``expected`` says how many there are to be."""

    batch_id: BatchId
    connection_id: ConnectionId
    expected: int
    operations: tuple[Operation, ...]

    @property
    def status(self) -> BatchStatus:
        """Failed as soon as one is; else running while one is open or not there yet; a cancelled one fails, too."""
        found = {each.status for each in self.operations}
        if OperationStatus.FAILED in found:
            return BatchStatus.FAILED
        if found & _OPEN or len(self.operations) < self.expected:
            return BatchStatus.RUNNING
        return BatchStatus.FAILED if OperationStatus.CANCELLED in found else BatchStatus.SUCCESS

    @property
    def status_counts(self) -> Mapping[str, int]:
        """How many operations are in each state: queued ones are triggered, cancelled ones are others."""
        counts = Counter(_COUNTED[each.status] for each in self.operations)
        return {name: counts[name] for name in ("triggered", "running", "success", "failed", "other")}


@frozen
class BatchPage(Page):
    """A page of batches, of which more are given at once than of other things."""

    most: ClassVar[int] = 200


@frozen(kw_only=True)
class OperationFilter:
    """Conditions that all hold; one that is None lets everything pass."""

    operation_type: OperationType | None = None
    direction: Direction | None = None
    status: OperationStatus | None = None
    batch_id: BatchId | None = None

    def admits(self, operation: Operation) -> bool:
        """Return whether the log shows the operation."""
        return (
            self.operation_type in (None, operation.operation_type)
            and self.direction in (None, operation.direction)
            and self.status in (None, operation.status)
            and self.batch_id in (None, operation.batch_id)
        )


@frozen(kw_only=True)
class PurgeCount:
    """What a purge would delete: how many operations, the oldest and the newest of them."""

    total: int
    oldest_at: datetime | None = None
    newest_at: datetime | None = None
