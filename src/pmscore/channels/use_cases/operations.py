"""Asking for a synchronisation, and looking after the log of a connection.

Owns what is written when somebody asks: the operations, their batch, and what makes their lanes due, in one
transaction, so that a queue that is away costs time and loses nothing. Leaves the runs to ``reactions.running``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from attrs import evolve, frozen

from pmscore.channels.model.ari import Dirty
from pmscore.channels.model.connections import Connection
from pmscore.channels.model.events import OperationTriggered
from pmscore.channels.model.lanes import LaneState
from pmscore.channels.model.manifest import Lane, Manifest
from pmscore.channels.model.operations import Batch, Operation, OperationStatus
from pmscore.channels.policies.batches import given_up
from pmscore.channels.policies.proved import is_used
from pmscore.channels.ports import ChannelMeans, ChannelWork
from pmscore.channels.use_cases.gateways import manifest_of
from pmscore.channels.use_cases.logbook import DIRECTIONS, TYPES, ended
from pmscore.dates.ranges import DateRange
from pmscore.kernel.errors import InvalidInputError, TransitionError
from pmscore.kernel.events import Command, Json
from pmscore.kernel.ids import BatchId, ConnectionId, LaneId, OperationId
from pmscore.kernel.ports import Clock, IdSource, UnitOfWork

__all__ = [
    "RetryOperation",
    "SyncType",
    "TriggerSync",
    "Triggered",
    "give_up_stale",
    "note_queued",
    "retry_operation",
    "trigger_sync",
]

MOST_STALE: Final = 200


class SyncType(StrEnum):
    """What somebody asks for."""

    FULL = "full"
    AVAILABILITY = "availability"
    PRICING = "pricing"
    BOOKINGS = "bookings"


_LANES: Final[Mapping[SyncType, tuple[Lane, ...]]] = {
    SyncType.FULL: (Lane.AVAILABILITY, Lane.PRICING, Lane.BOOKINGS),
    SyncType.AVAILABILITY: (Lane.AVAILABILITY,),
    SyncType.PRICING: (Lane.PRICING,),
    SyncType.BOOKINGS: (Lane.BOOKINGS,),
}


@frozen(kw_only=True)
class TriggerSync(Command):
    """Tell the platform again what it should have, on ``nights`` or on all; fetch what it has sold.

    ``is_manual`` says that a person asks; the log says so.
    """

    connection_id: ConnectionId
    sync_type: SyncType
    nights: DateRange | None = None
    is_manual: bool = True


@frozen(kw_only=True)
class Triggered:
    """The operations that were asked for, in the order availability, pricing, bookings; a batch only where all three were."""

    operations: tuple[Operation, ...]
    batch_id: BatchId | None = None


@frozen(kw_only=True)
class RetryOperation(Command):
    """Ask anew for an operation that has failed for good."""

    operation_id: OperationId


def trigger_sync(
    command: TriggerSync,
    *,
    uow: UnitOfWork[ChannelWork],
    clock: Clock,
    ids: IdSource,
    means: ChannelMeans,
) -> Triggered:
    """Write operations, what makes their lanes due, and the time of the attempt, in one transaction.

    Outgoing lanes forget what the platform was told on the nights, so all of it is told again. What a gateway
    cannot do has succeeded at once inside ``full``, with ``skipped`` in its details. Operations that stand
    still are given up on the way.

    Raises:
        NotFoundError: no such connection in this agency.
        TransitionError: the connection does not sync.
        InvalidInputError: field ``sync_type``, reason ``sync_type_not_supported``.
        MisconfiguredError: its gateway is not installed.
    """
    now = clock.now()
    with uow.begin(command) as work:
        connection = work.connections.get(command.connection_id)
        if not connection.syncs:
            raise TransitionError("sync", connection.status.value)
        manifest = manifest_of(connection, means)
        lanes = {each.lane: each for each in work.lanes.of(command.connection_id)}
        wanted = _LANES[command.sync_type]
        if command.sync_type is not SyncType.FULL and not _can(manifest, connection, wanted[0], lanes):
            raise InvalidInputError("sync_type", "sync_type_not_supported", gateway=connection.gateway)
        give_up_stale(work, now, means.stale_after)
        batch_id = BatchId(ids.new()) if command.sync_type is SyncType.FULL else None
        if batch_id is not None:
            expected = len(wanted)
            work.operations.add_batch(
                Batch(
                    batch_id=batch_id,
                    connection_id=command.connection_id,
                    expected=expected,
                    operations=(),
                )
            )
        any_lane = next(iter(lanes.values()))
        made: list[Operation] = []
        for lane in wanted:
            operation = _asked(
                lane, lanes.get(lane, any_lane).lane_id, command, connection, now, ids, batch_id
            )
            if _can(manifest, connection, lane, lanes):
                _make_due(work, lanes[lane], command.nights, now, ids)
            else:
                operation = ended(operation, OperationStatus.SUCCESS, now, details={"skipped": True})
            work.operations.add(operation)
            made.append(operation)
        work.connections.save(evolve(connection, last_attempt_at=now))
        work.record(_told(connection, made, batch_id, command.sync_type))
        work.commit()
    return Triggered(operations=tuple(made), batch_id=batch_id)


def retry_operation(
    command: RetryOperation, *, uow: UnitOfWork[ChannelWork], clock: Clock, ids: IdSource
) -> Operation:
    """Ask anew for an operation that failed for good; its dead letter is done with.

    Raises:
        NotFoundError: no such operation in this agency.
        TransitionError: it has not failed for good, or was asked for anew before.
    """
    now = clock.now()
    with uow.begin(command) as work:
        dead = work.operations.get(command.operation_id)
        if dead.status is not OperationStatus.FAILED or not dead.details.get("dead_letter"):
            raise TransitionError("retry", dead.status.value)
        lane = work.lanes.get(dead.lane_id)
        again = Operation(
            operation_id=OperationId(ids.new()),
            connection_id=dead.connection_id,
            lane_id=dead.lane_id,
            operation_type=dead.operation_type,
            direction=dead.direction,
            status=OperationStatus.TRIGGERED,
            details={"manual_trigger": True, "retry_of": str(dead.operation_id)},
            created_at=now,
        )
        told: dict[str, Json] = {"dead_letter": False, "retried_as": str(again.operation_id)}
        work.operations.save(evolve(dead, details={**dead.details, **told}))
        work.operations.add(again)
        _make_due(work, lane, None, now, ids)
        work.commit()
    return again


def note_queued(
    command: Command, lane_ids: Iterable[LaneId], *, uow: UnitOfWork[ChannelWork], clock: Clock
) -> int:
    """Note on what was asked for that a queue has taken it; return on how many operations."""
    count = 0
    with uow.begin(command) as work:
        for lane_id in lane_ids:
            for each in work.operations.open(lane_id):
                present = work.operations.get(each.operation_id)
                if present.status is OperationStatus.TRIGGERED:
                    work.operations.save(
                        evolve(present, status=OperationStatus.QUEUED, updated_at=clock.now())
                    )
                    count += 1
        if count:
            work.commit()
    return count


def give_up_stale(work: ChannelWork, now: datetime, after: timedelta) -> int:
    """Give up, in a transaction that somebody else commits, operations that stand still; return how many."""
    stale = work.operations.stale(now - after, most=MOST_STALE)
    for each in stale:
        work.operations.save(given_up(each, now, after))
    return len(stale)


def _can(manifest: Manifest, connection: Connection, lane: Lane, lanes: Mapping[Lane, LaneState]) -> bool:
    """Return whether the gateway does something on a lane that the connection has."""
    return lane in lanes and is_used(manifest, connection, lane)


def _told(
    connection: Connection, made: Iterable[Operation], batch_id: BatchId | None, sync_type: SyncType
) -> OperationTriggered:
    return OperationTriggered(
        aggregate_id=connection.connection_id,
        version=connection.version,
        property_id=connection.property_id,
        operation_ids=tuple(each.operation_id for each in made),
        batch_id=batch_id,
        sync_type=sync_type.value,
    )


def _asked(
    lane: Lane,
    lane_id: LaneId,
    command: TriggerSync,
    connection: Connection,
    now: datetime,
    ids: IdSource,
    batch_id: BatchId | None,
) -> Operation:
    details: dict[str, Json] = {
        "manual_trigger": command.is_manual,
        "sync_type": command.sync_type.value,
        "platform": connection.platform.value,
        "property_id": None if connection.property_id is None else str(connection.property_id),
    }
    if command.nights is not None:
        details["start_date"] = command.nights.start.isoformat()
        details["end_date"] = command.nights.end.isoformat()
    return Operation(
        operation_id=OperationId(ids.new()),
        connection_id=command.connection_id,
        lane_id=lane_id,
        operation_type=TYPES[lane],
        direction=DIRECTIONS[lane],
        status=OperationStatus.TRIGGERED,
        details=details,
        batch_id=batch_id,
        created_at=now,
    )


def _make_due(
    work: ChannelWork, lane: LaneState, nights: DateRange | None, now: datetime, ids: IdSource
) -> None:
    if lane.lane is not Lane.BOOKINGS:
        work.dirty.add(
            Dirty(
                dirty_id=ids.new(),
                connection_id=lane.connection_id,
                lane=lane.lane,
                nights=nights,
                unit_type_ids=None,
                forgets=True,
            )
        )
    work.lanes.wake(lane.lane_id, now)
