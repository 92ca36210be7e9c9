"""Reading the log of events without losing any.

Owns the order (transaction, sequence) and the rule that only events of transactions below the oldest running
one are read: sequence numbers are drawn before a commit, so "greater than the last" would skip an event whose
transaction was held open past a later one. Appending stands in ``statements``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from attrs import frozen
from sqlalchemy import Engine

from pms_adapters.postgres.session import Session
from pmscore.kernel.events import Json
from pmscore.kernel.ids import ActorId, AgencyId, EventId, RequestId

__all__ = [
    "BEGINNING",
    "Position",
    "StoredEvent",
    "read_events",
    "read_finished",
    "read_horizon",
    "stored_event",
]

MOST_EVENTS = 1000

_READ: LiteralString = """\
SELECT txid, seq, event_id, kind, aggregate, aggregate_id, version, at, actor_id, request_id, payload
  FROM events
 WHERE agency_id = %s AND (txid, seq) > (%s, %s)
   AND txid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
 ORDER BY txid, seq LIMIT %s"""

_HORIZON: LiteralString = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
_READ_FINISHED: LiteralString = """\
SELECT txid, seq, event_id, kind, aggregate, aggregate_id, version, at, actor_id, request_id, payload
  FROM events
 WHERE agency_id = %s AND (txid, seq) > (%s, %s) AND txid < %s
 ORDER BY txid, seq LIMIT %s"""


@frozen(order=True)
class Position:
    """Where a reader stands: the transaction and the sequence number of the last event it has read."""

    transaction: int
    sequence: int


BEGINNING = Position(-(1 << 62), 0)
"""Before every event; those that came from another server have negative transactions (``restoring``)."""


@frozen(kw_only=True)
class StoredEvent:
    """One event as it was stored: what happened, when, and who asked for it."""

    position: Position
    event_id: EventId
    kind: str
    aggregate: str
    aggregate_id: UUID
    version: int
    at: datetime
    actor_id: ActorId
    request_id: RequestId
    payload: Mapping[str, Json]


def read_events(
    engine: Engine, agency_id: AgencyId, *, after: Position = BEGINNING, limit: int = MOST_EVENTS
) -> tuple[StoredEvent, ...]:
    """Return the agency's next events in order; none will ever appear before the last of them.

    Raises:
        UnreachableError: the database did not answer.
    """
    values = (agency_id, after.transaction, after.sequence, limit)
    with Session(engine, agency_id) as session:
        rows = session.read([(_READ, values)])[0]
    return tuple(map(stored_event, rows))


def read_horizon(engine: Engine, agency_id: AgencyId) -> int:
    """Return the transaction below which all have ended: what they wrote is seen by every later reader.

    Raises:
        UnreachableError: the database did not answer.
    """
    with Session(engine, agency_id) as session:
        horizon = session.read([(_HORIZON, ())])[0][0][0]
    return horizon if isinstance(horizon, int) else 0


def read_finished(
    engine: Engine, agency_id: AgencyId, *, after: Position, horizon: int, limit: int = MOST_EVENTS
) -> tuple[StoredEvent, ...]:
    """Return the agency's next events of transactions below ``horizon``, which was read before.

    Where fewer than ``limit`` come back, there are no others below the horizon, and there never will be.

    Raises:
        UnreachableError: the database did not answer.
    """
    values = (agency_id, after.transaction, after.sequence, horizon, limit)
    with Session(engine, agency_id) as session:
        rows = session.read([(_READ_FINISHED, values)])[0]
    return tuple(map(stored_event, rows))


def stored_event(row: Sequence[object]) -> StoredEvent:
    """Return an event from its row, columns in the order of the readings above."""
    return _stored(*row)  # type: ignore[arg-type]


def _stored(
    txid: int, seq: int, event_id: UUID, kind: str, aggregate: str, aggregate_id: UUID, version: int,
    at: datetime, actor_id: UUID, request_id: UUID, payload: dict[str, Json],
) -> StoredEvent:  # fmt: skip
    return StoredEvent(
        position=Position(txid, seq),
        event_id=EventId(event_id),
        kind=kind,
        aggregate=aggregate,
        aggregate_id=aggregate_id,
        version=version,
        at=at,
        actor_id=ActorId(actor_id),
        request_id=RequestId(request_id),
        payload=payload,
    )
