"""What channels look like over HTTP: connections, operations, batches, mappings, issues.

Owns names and shapes of replies. Credentials never come out; the token of an address is shown once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final, TypedDict

from pms_web.wire import Document, IdText, InstantText, OneOf
from pmscore.channels.model.connections import Connection, ConnectionStatus
from pmscore.channels.model.mappings import MappedRate, MappedRoom, MappingBook
from pmscore.channels.model.operations import Batch, BatchStatus, Operation
from pmscore.channels.model.revisions import Issue, IssueKind
from pmscore.channels.policies.mapping_check import Gap, GapKind
from pmscore.channels.use_cases.checking import Checked
from pmscore.kernel.events import Json

__all__ = [
    "BatchBody",
    "ChannelIssueBody",
    "ChannelTokensBody",
    "ConnectionBody",
    "ConnectionHealthBody",
    "MappingGapBody",
    "MappingGapsBody",
    "MappingsBody",
    "PurgePreviewBody",
    "PurgedLogsBody",
    "SyncBody",
    "SyncLogBody",
    "batch_body",
    "connection_body",
    "gap_body",
    "health_body",
    "issue_body",
    "log_body",
    "mappings_body",
]

_DETAILS: Final = Document(
    "ChannelDetails",
    {"description": "Ids, codes and counts.", "type": "object", "additionalProperties": True},
)
Details = Annotated[Mapping[str, Json], _DETAILS]


class ConnectionBody(TypedDict):
    """One property on one platform."""

    id: IdText
    property_id: IdText | None
    platform_type: str
    gateway: str
    channel: str
    platform_listing_id: str
    status: Annotated[str, OneOf(ConnectionStatus)]
    platform_metadata: Details
    has_credentials: bool
    has_webhook: bool
    has_calendars: bool
    last_sync_at: InstantText | None
    last_attempt_at: InstantText | None
    created_at: InstantText
    updated_at: InstantText
    version: int


class ConnectionHealthBody(TypedDict):
    """Whether a connection works."""

    connection_id: IdText
    platform_type: str
    healthy: bool
    message: str
    details: Details


class SyncBody(TypedDict):
    """What was asked for; ``batch_id`` groups the three operations of a full sync."""

    status: str
    message: str
    task_ids: list[IdText]
    batch_id: IdText | None


class SyncLogBody(TypedDict):
    """One operation."""

    id: IdText
    connection_id: IdText
    operation_type: str
    direction: str
    status: str
    details: Details
    error: str | None
    task_id: IdText
    batch_id: IdText | None
    created_at: InstantText
    updated_at: InstantText


class BatchOperationBody(TypedDict):
    """One operation of a batch."""

    operation_type: str
    status: str
    updated_at: InstantText


class StatusCountsBody(TypedDict):
    """How many operations are where."""

    triggered: int
    running: int
    success: int
    failed: int
    other: int


class BatchBody(TypedDict):
    """Operations that were asked for at once."""

    batch_id: IdText
    connection_id: IdText
    batch_status: Annotated[str, OneOf(BatchStatus)]
    status_counts: StatusCountsBody
    created_at_min: InstantText
    updated_at_max: InstantText
    operations: list[BatchOperationBody]


class PurgePreviewBody(TypedDict):
    """What a purge would delete."""

    connection_id: IdText
    retention_days: int
    logs_to_delete: int
    oldest_log: InstantText | None
    newest_affected_log: InstantText | None


class PurgedLogsBody(TypedDict):
    """What was deleted."""

    connection_id: IdText
    retention_days: int
    deleted_count: int


class MappedRoomBody(TypedDict):
    """A type that is sold as a room."""

    id: IdText
    unit_type_id: IdText
    unit_id: IdText | None
    room_code: str


class MappedRateBody(TypedDict):
    """A plan that is sold for a type as a rate of a room."""

    id: IdText
    unit_type_id: IdText
    plan: str
    room_code: str
    rate_code: str
    occupancies: list[int]


class MappingsBody(TypedDict):
    """All pairs of a connection."""

    connection_id: IdText
    rooms: list[MappedRoomBody]
    rates: list[MappedRateBody]


class MappingGapBody(TypedDict):
    """One thing that is missing or wrong."""

    kind: Annotated[str, OneOf(GapKind)]
    mapping_id: IdText | None
    unit_type_id: IdText | None
    plan: str
    room_code: str
    detail: str


class MappingGapsBody(TypedDict):
    """What is missing or wrong in the pairs of a connection."""

    connection_id: IdText
    is_complete: bool
    gaps: list[MappingGapBody]


class ChannelIssueBody(TypedDict):
    """Something that a person has to look at."""

    id: IdText
    connection_id: IdText
    property_id: IdText | None
    kind: Annotated[str, OneOf(IssueKind)]
    booking_id: IdText | None
    revision_id: str
    details: Details
    opened_at: InstantText
    closed_at: InstantText | None


class ChannelTokensBody(TypedDict):
    """A new address for messages of the platform, shown this once."""

    connection_id: IdText
    webhook_token: str
    webhook_path: str


def connection_body(connection: Connection) -> ConnectionBody:
    """Return a connection without its secrets."""
    return {
        "id": str(connection.connection_id),
        "property_id": _id(connection.property_id),
        "platform_type": connection.platform.value,
        "gateway": connection.gateway,
        "channel": connection.channel,
        "platform_listing_id": connection.listing_id,
        "status": connection.status.value,
        "platform_metadata": {**connection.settings},
        "has_credentials": connection.sealed is not None,
        "has_webhook": bool(connection.knock_digest),
        "has_calendars": bool(connection.calendar_digest),
        "last_sync_at": _instant(connection.last_sync_at),
        "last_attempt_at": _instant(connection.last_attempt_at),
        "created_at": connection.created_at.isoformat(),
        "updated_at": connection.updated_at.isoformat(),
        "version": connection.version,
    }


def health_body(found: Checked) -> ConnectionHealthBody:
    """Return whether a connection works."""
    connection, health = found.connection, found.health
    told: dict[str, Json] = {
        "platform_listing_id": connection.listing_id,
        "last_sync_at": _instant(connection.last_sync_at),
    }
    return {
        "connection_id": str(connection.connection_id),
        "platform_type": connection.platform.value,
        "healthy": health.is_healthy,
        "message": health.message,
        "details": {**told, **health.details} if health.is_healthy else {**health.details},
    }


def log_body(operation: Operation) -> SyncLogBody:
    """Return an operation."""
    return {
        "id": str(operation.operation_id),
        "connection_id": str(operation.connection_id),
        "operation_type": operation.operation_type.value,
        "direction": operation.direction.value,
        "status": operation.status.value,
        "details": {**operation.details},
        "error": operation.error,
        "task_id": operation.task_id,
        "batch_id": _id(operation.batch_id),
        "created_at": operation.created_at.isoformat(),
        "updated_at": operation.touched_at.isoformat(),
    }


def batch_body(batch: Batch) -> BatchBody:
    """Return a batch; one without operations is not found."""
    counts = batch.status_counts
    return {
        "batch_id": str(batch.batch_id),
        "connection_id": str(batch.connection_id),
        "batch_status": batch.status.value,
        "status_counts": {
            "triggered": counts["triggered"],
            "running": counts["running"],
            "success": counts["success"],
            "failed": counts["failed"],
            "other": counts["other"],
        },
        "created_at_min": min(each.created_at for each in batch.operations).isoformat(),
        "updated_at_max": max(each.touched_at for each in batch.operations).isoformat(),
        "operations": [
            {
                "operation_type": each.operation_type.value,
                "status": each.status.value,
                "updated_at": each.touched_at.isoformat(),
            }
            for each in batch.operations
        ],
    }


def mappings_body(connection_id: str, book: MappingBook) -> MappingsBody:
    """Return the pairs of a connection."""
    return {
        "connection_id": connection_id,
        "rooms": [_room(each) for each in book.rooms],
        "rates": [_rate(each) for each in book.rates],
    }


def gap_body(gap: Gap) -> MappingGapBody:
    """Return a gap."""
    return {
        "kind": gap.kind.value,
        "mapping_id": _id(gap.mapping_id),
        "unit_type_id": _id(gap.unit_type_id),
        "plan": gap.plan,
        "room_code": gap.room_code,
        "detail": gap.detail,
    }


def issue_body(issue: Issue) -> ChannelIssueBody:
    """Return an issue."""
    return {
        "id": str(issue.issue_id),
        "connection_id": str(issue.connection_id),
        "property_id": _id(issue.property_id),
        "kind": issue.kind.value,
        "booking_id": _id(issue.booking_id),
        "revision_id": issue.revision_id,
        "details": {**issue.details},
        "opened_at": issue.opened_at.isoformat(),
        "closed_at": _instant(issue.closed_at),
    }


def _room(room: MappedRoom) -> MappedRoomBody:
    return {
        "id": str(room.mapping_id),
        "unit_type_id": str(room.unit_type_id),
        "unit_id": _id(room.unit_id),
        "room_code": room.room_code,
    }


def _rate(rate: MappedRate) -> MappedRateBody:
    return {
        "id": str(rate.mapping_id),
        "unit_type_id": str(rate.unit_type_id),
        "plan": rate.plan,
        "room_code": rate.room_code,
        "rate_code": rate.rate_code,
        "occupancies": [*rate.occupancies],
    }


def _id(key: object) -> str | None:
    return None if key is None else str(key)


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
