"""What the log of a connection says of the runs of its lanes.

Owns the states that a run gives to the operations in hand, and what it adds where nobody had asked for
anything. Leaves asking for operations to ``operations``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from attrs import evolve

from pmscore.channels.model.calls import OutcomeKind
from pmscore.channels.model.lanes import LaneState
from pmscore.channels.model.manifest import Lane
from pmscore.channels.model.operations import Direction, Operation, OperationStatus, OperationType
from pmscore.channels.policies.waiting import RETRY_WAITS, gives_up
from pmscore.channels.ports import ChannelWork
from pmscore.channels.use_cases.lane_runs import LaneEnd, LaneRun
from pmscore.kernel.errors import NotFoundError
from pmscore.kernel.events import Json
from pmscore.kernel.ids import OperationId

__all__ = ["DIRECTIONS", "TYPES", "ended", "running", "settled_operations"]

TYPES: Final[Mapping[Lane, OperationType]] = {
    Lane.AVAILABILITY: OperationType.AVAILABILITY_UPDATE,
    Lane.PRICING: OperationType.PRICING_UPDATE,
    Lane.BOOKINGS: OperationType.BOOKINGS_SYNC,
}
"""What the log calls the run of a lane."""

DIRECTIONS: Final[Mapping[Lane, Direction]] = {
    Lane.AVAILABILITY: Direction.OUTBOUND,
    Lane.PRICING: Direction.OUTBOUND,
    Lane.BOOKINGS: Direction.INBOUND,
}

_GOOD: Final = frozenset({OutcomeKind.DONE, OutcomeKind.PARTLY})
_WAITING: Final = ("next_retry_seconds",)


def running(operation: Operation, now: datetime) -> Operation:
    """Return an operation as somebody begins to work on it."""
    return evolve(operation, status=OperationStatus.RUNNING, updated_at=now)


def ended(
    operation: Operation,
    status: OperationStatus,
    now: datetime,
    *,
    details: Mapping[str, Json],
    error: str | None = None,
) -> Operation:
    """Return an operation at its end; what it was waiting for is taken out of its details."""
    kept = {name: value for name, value in operation.details.items() if name not in _WAITING}
    return evolve(operation, status=status, updated_at=now, error=error, details={**kept, **details})


def settled_operations(
    work: ChannelWork, run: LaneRun, end: LaneEnd, settled: LaneState
) -> tuple[Operation, ...]:
    """Write what the run makes of the operations in hand, and return them.

    Where nobody had asked for anything, a run that told or fetched something is logged as its own operation,
    and so is the one that gave up.
    """
    now = run.clock.now()
    if not run.begun.operations:
        gave_up_now = gives_up(settled) and settled.failures == len(RETRY_WAITS) + 1
        is_worth_it = gave_up_now or (end.did_something and end.is_all and end.outcome.kind in _GOOD)
        if not is_worth_it:
            return ()
        made = _after(_automatic(run, now), end, settled, now)
        work.operations.add(made)
        return (made,)
    found: list[Operation] = []
    for each in run.begun.operations:
        try:
            present = work.operations.get(each.operation_id)
        except NotFoundError:
            continue
        if present.is_open:
            found.append(_after(present, end, settled, now))
            work.operations.save(found[-1])
    return tuple(found)


def _after(operation: Operation, end: LaneEnd, settled: LaneState, now: datetime) -> Operation:
    """Return an operation after a run."""
    kind, error = end.outcome.kind, end.outcome.error
    if kind in _GOOD:
        if end.is_all:
            return ended(operation, OperationStatus.SUCCESS, now, details=end.details)
        return running(operation, now)
    if kind is OutcomeKind.REFUSED:
        return ended(operation, OperationStatus.FAILED, now, details=end.details, error=error)
    told: dict[str, Json] = {"error_type": kind.value}
    if kind is not OutcomeKind.BUSY and gives_up(settled):
        retries = len(RETRY_WAITS)
        told |= {"retry_count": retries, "dead_letter": True}
        text = f"{error or kind.value} after {retries} retries"
        return ended(operation, OperationStatus.FAILED, now, details=told, error=text)
    if kind is not OutcomeKind.BUSY:
        told["retry_count"] = settled.failures - 1
    if settled.next_at is not None:
        told["next_retry_seconds"] = max(0, round((settled.next_at - now).total_seconds()))
    return evolve(running(operation, now), details={**operation.details, **told}, error=error)


def _automatic(run: LaneRun, now: datetime) -> Operation:
    lane = run.begun.state.lane
    return Operation(
        operation_id=OperationId(run.ids.new()),
        connection_id=run.begun.connection.connection_id,
        lane_id=run.lane_id,
        operation_type=TYPES[lane],
        direction=DIRECTIONS[lane],
        status=OperationStatus.RUNNING,
        details={"manual_trigger": False},
        created_at=now,
    )
