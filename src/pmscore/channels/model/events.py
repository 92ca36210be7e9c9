"""What happened to a connection. Ids, codes and names of fields only: nothing personal, no credentials."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from attrs import frozen

from pmscore.dates.ranges import DateRange
from pmscore.kernel.events import Event
from pmscore.kernel.ids import (
    BatchId,
    BookingId,
    ConnectionId,
    GuestId,
    IssueId,
    OperationId,
    PropertyId,
)

__all__ = [
    "BookingSynced",
    "ConnectionChanged",
    "DriftFound",
    "ExternalConnected",
    "ExternalDisconnected",
    "GuestSynced",
    "IssueClosed",
    "IssueRaised",
    "LogsPurged",
    "MappingChanged",
    "OperationTriggered",
    "RoomSynced",
]


@frozen(kw_only=True)
class ExternalConnected(Event):
    """A property was connected to a platform, for the first time or again."""

    aggregate: ClassVar[str] = "channel_connection"
    kind: str = "pms.external.connected"

    property_id: PropertyId | None
    platform: str
    gateway: str


@frozen(kw_only=True)
class ExternalDisconnected(Event):
    """A connection was deleted; its credentials are gone."""

    aggregate: ClassVar[str] = "channel_connection"
    kind: str = "pms.external.disconnected"

    property_id: PropertyId | None
    platform: str
    gateway: str


@frozen(kw_only=True)
class ConnectionChanged(Event):
    """Fields of a connection were changed; ``status`` is the one after it."""

    aggregate: ClassVar[str] = "channel_connection"
    kind: str = "channel.connectionChanged"

    property_id: PropertyId | None
    fields: tuple[str, ...]
    status: str


@frozen(kw_only=True)
class MappingChanged(Event):
    """Types and plans are other rooms and rates of the platform than before."""

    aggregate: ClassVar[str] = "channel_connection"
    kind: str = "channel.mappingChanged"

    property_id: PropertyId | None
    rooms: int
    rates: int


@frozen(kw_only=True)
class BookingSynced(Event):
    """A revision of a platform has become a booking of ours, or a change of one."""

    aggregate: ClassVar[str] = "channel_connection"
    kind: str = "pms.booking.synced"

    property_id: PropertyId | None
    connection_id: ConnectionId
    booking_id: BookingId
    revision_id: str
    verdict: str


@frozen(kw_only=True)
class GuestSynced(Event):
    """A guest was made, or found, for a booking of a platform."""

    aggregate: ClassVar[str] = "channel_connection"
    kind: str = "pms.guest.synced"

    property_id: PropertyId | None
    connection_id: ConnectionId
    guest_id: GuestId
    booking_id: BookingId


@frozen(kw_only=True)
class RoomSynced(Event):
    """A platform was sent what a lane's rooms have; one event a run that sent anything."""

    aggregate: ClassVar[str] = "channel_connection"
    kind: str = "pms.room.synced"

    property_id: PropertyId | None
    connection_id: ConnectionId
    lane: str
    nights: DateRange
    entries: int


@frozen(kw_only=True)
class OperationTriggered(Event):
    """Somebody asked for operations; ``batch_id`` where they are one batch."""

    aggregate: ClassVar[str] = "channel_connection"
    kind: str = "channel.operationTriggered"

    property_id: PropertyId | None
    operation_ids: tuple[OperationId, ...]
    batch_id: BatchId | None = None
    sync_type: str


@frozen(kw_only=True)
class LogsPurged(Event):
    """Old operations of a connection were deleted."""

    aggregate: ClassVar[str] = "channel_connection"
    kind: str = "channel.logsPurged"

    property_id: PropertyId | None
    before: datetime
    deleted: int


@frozen(kw_only=True)
class IssueRaised(Event):
    """A person has to look at something."""

    aggregate: ClassVar[str] = "channel_connection"
    kind: str = "channel.issueRaised"

    property_id: PropertyId | None
    issue_id: IssueId
    issue: str
    booking_id: BookingId | None = None


@frozen(kw_only=True)
class IssueClosed(Event):
    """Somebody has looked."""

    aggregate: ClassVar[str] = "channel_connection"
    kind: str = "channel.issueClosed"

    property_id: PropertyId | None
    issue_id: IssueId
    issue: str


@frozen(kw_only=True)
class DriftFound(Event):
    """A platform had something else than it was told; ``found`` counts what, by kind of drift."""

    aggregate: ClassVar[str] = "channel_connection"
    kind: str = "channel.driftFound"

    property_id: PropertyId | None
    connection_id: ConnectionId
    lane: str
    found: Mapping[str, int]
