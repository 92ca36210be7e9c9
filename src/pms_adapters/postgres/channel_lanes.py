"""Lanes of channels and what may differ, on PostgreSQL.

Owns leases with their fence, and the rows that wake the worker: whatever makes a lane due says so in the same
transaction. Instants are parameters; only those hints take the server's time.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Final, LiteralString
from uuid import UUID

from pms_adapters.postgres.channel_rows import nights_of
from pms_adapters.postgres.session import Session, Statement
from pms_adapters.postgres.work_due import due_at
from pms_adapters.postgres.writes import WriteSet
from pmscore.channels.model.ari import Dirty
from pmscore.channels.model.lanes import LaneLease, LaneLostError, LaneState
from pmscore.channels.model.manifest import Lane
from pmscore.channels.ports import DirtyRepository, LaneRepository
from pmscore.kernel.errors import MisuseError, NotFoundError
from pmscore.kernel.ids import AgencyId, ConnectionId, LaneId, UnitTypeId

__all__ = ["CHANNEL_WORK", "PostgresDirt", "PostgresLanes", "due_now"]

CHANNEL_WORK: Final = "channels"
"""The kind of due work that asks for runs of lanes."""

_DUE_NOW: LiteralString = "INSERT INTO work_due (agency_id, kind) VALUES (%s, %s) ON CONFLICT DO NOTHING"
_COLUMNS: LiteralString = (
    "l.lane_id, l.connection_id, l.lane, l.next_at, l.attempts, l.failures, l.closed_until, l.cursor, l.rolled_on,"
    " l.asked_until"
)
_INSERT: LiteralString = """\
INSERT INTO channel_lanes (agency_id, lane_id, connection_id, lane, next_at, attempts, failures, closed_until, cursor,
                           rolled_on, asked_until)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING 1"""
_OF: LiteralString = f'SELECT {_COLUMNS} FROM channel_lanes l WHERE l.agency_id = %s AND l.connection_id = %s ORDER BY l.lane COLLATE "C"'
_GET: LiteralString = f"SELECT {_COLUMNS} FROM channel_lanes l WHERE l.agency_id = %s AND l.lane_id = %s"
_HAS_WORK: LiteralString = """\
(EXISTS (SELECT 1 FROM channel_dirty d
          WHERE d.agency_id = l.agency_id AND d.connection_id = l.connection_id AND d.lane = l.lane)
 OR l.lane = 'bookings'
    AND EXISTS (SELECT 1 FROM channel_knocks k
                 WHERE k.agency_id = l.agency_id AND k.connection_id = l.connection_id AND k.done_at IS NULL))"""
_WAITING: LiteralString = f"""\
SELECT w.lane_id, greatest(w.wanted_at, w.closed_until, w.asked_until, w.leased_until) AS due_at
  FROM (SELECT l.lane_id, l.closed_until, l.asked_until, l.leased_until,
               CASE WHEN {_HAS_WORK} THEN least(l.next_at, %s::timestamptz) ELSE l.next_at END AS wanted_at
          FROM channel_lanes l JOIN channel_connections c USING (agency_id, connection_id)
         WHERE l.agency_id = %s AND c.status = 'active' AND c.deleted_at IS NULL) w
 WHERE w.wanted_at IS NOT NULL"""
_TAKE: LiteralString = f"""\
WITH waiting AS ({_WAITING}),
chosen AS (
  SELECT l.agency_id, l.lane_id FROM channel_lanes l
   WHERE l.agency_id = %s AND (l.asked_until IS NULL OR l.asked_until <= %s)
     AND (l.leased_until IS NULL OR l.leased_until <= %s)
     AND l.lane_id = ANY (ARRAY(
           SELECT w.lane_id FROM waiting w WHERE w.due_at <= %s ORDER BY w.due_at, w.lane_id LIMIT %s))
   FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE channel_lanes l SET asked_until = %s
  FROM chosen WHERE l.agency_id = chosen.agency_id AND l.lane_id = chosen.lane_id
RETURNING {_COLUMNS}"""
_NEXT: LiteralString = f"SELECT min(n.due_at) FROM ({_WAITING}) n"
_CLAIM: LiteralString = """\
UPDATE channel_lanes
   SET lease_token = lease_token + 1, leased_until = %s, attempts = attempts + 1, asked_until = NULL,
       next_at = least(next_at, %s::timestamptz), woken_at = CASE WHEN woken_at > %s THEN woken_at END
 WHERE agency_id = %s AND lane_id = %s AND (leased_until IS NULL OR leased_until <= %s)
RETURNING lease_token"""
_HELD: LiteralString = "agency_id = %s AND lane_id = %s AND lease_token = %s AND leased_until IS NOT NULL"
_KEEP: LiteralString = f"UPDATE channel_lanes SET leased_until = %s WHERE {_HELD} RETURNING 1"
_FINISH: LiteralString = f"""\
UPDATE channel_lanes
   SET next_at = least(%s::timestamptz, woken_at), attempts = %s, failures = %s, closed_until = %s, cursor = %s,
       rolled_on = %s, leased_until = NULL
 WHERE {_HELD} RETURNING 1"""
_DUE_AFTER: LiteralString = f"""\
INSERT INTO work_due (agency_id, kind, due_at)
SELECT n.agency_id, %s, greatest(n.wanted_at, n.closed_until)
  FROM (SELECT l.agency_id, l.closed_until,
               CASE WHEN {_HAS_WORK} THEN least(l.next_at, now()) ELSE l.next_at END AS wanted_at
          FROM channel_lanes l WHERE l.agency_id = %s AND l.lane_id = %s) n
 WHERE n.wanted_at IS NOT NULL
ON CONFLICT DO NOTHING"""
_WAKE: LiteralString = """\
UPDATE channel_lanes SET next_at = least(next_at, %s::timestamptz), woken_at = least(woken_at, %s::timestamptz)
 WHERE agency_id = %s AND lane_id = %s RETURNING 1"""
_ADD_DIRT: LiteralString = """\
INSERT INTO channel_dirty (agency_id, dirty_id, connection_id, lane, first_night, end_date, unit_type_ids, forgets)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"""
_DIRT: LiteralString = """\
SELECT dirty_id, first_night, end_date, unit_type_ids, forgets FROM channel_dirty
 WHERE agency_id = %s AND connection_id = %s AND lane = %s ORDER BY added_at, dirty_id"""
_REMOVE_DIRT: LiteralString = "DELETE FROM channel_dirty WHERE agency_id = %s AND dirty_id = ANY (%s::uuid[])"


def due_now(agency_id: AgencyId) -> Statement:
    """Return the statement that says: the agency has lanes to look at, from the commit on."""
    return _DUE_NOW, (agency_id, CHANNEL_WORK)


class PostgresLanes(LaneRepository):
    """Lanes; see the port for what each method promises."""

    def __init__(self, session: Session, writes: WriteSet) -> None:
        self._session = session
        self._writes = writes

    def add(self, state: LaneState) -> None:
        values = (
            self._session.agency_id, state.lane_id, state.connection_id, state.lane.value, state.next_at,
            state.attempts, state.failures, state.closed_until, state.cursor, state.rolled_on, state.asked_until,
        )  # fmt: skip
        self._writes.must((_INSERT, values), MisuseError(lane=str(state.lane_id)))
        if state.next_at is not None:
            self._writes.may(due_at(self._session.agency_id, CHANNEL_WORK, state.next_at))

    def of(self, connection_id: ConnectionId) -> tuple[LaneState, ...]:
        rows = self._session.rows(_OF, self._session.agency_id, connection_id)
        return tuple(_loaded_lane(*row) for row in rows)  # type: ignore[arg-type]

    def get(self, lane_id: LaneId) -> LaneState:
        rows = self._session.rows(_GET, self._session.agency_id, lane_id)
        if not rows:
            raise NotFoundError("channel_lane", lane_id)
        return _loaded_lane(*rows[0])  # type: ignore[arg-type]

    def take_due(self, *, now: datetime, until: datetime, most: int) -> tuple[LaneState, ...]:
        agency_id = self._session.agency_id
        rows = self._session.rows(_TAKE, now, agency_id, agency_id, now, now, now, most, until)
        if rows:
            self._writes.is_begun = True
            self._writes.may(due_at(agency_id, CHANNEL_WORK, until))
        return tuple(_loaded_lane(*row) for row in rows)  # type: ignore[arg-type]

    def next_at(self, now: datetime) -> datetime | None:
        ((first,),) = self._session.rows(_NEXT, now, self._session.agency_id)
        return max(first, now) if isinstance(first, datetime) else None

    def claim(self, lane_id: LaneId, *, now: datetime, until: datetime) -> LaneLease | None:
        keys = (self._session.agency_id, lane_id)
        claimed, found = self._session.run([(_CLAIM, (until, until, now, *keys, now)), (_GET, keys)])
        if not found:
            raise NotFoundError("channel_lane", lane_id)
        if not claimed:
            return None
        self._writes.is_begun = True
        self._writes.may(due_at(self._session.agency_id, CHANNEL_WORK, until))
        (token,) = claimed[0]
        return LaneLease(lane_id, int(str(token)), until)

    def keep(self, lease: LaneLease, *, until: datetime) -> None:
        self._writes.must((_KEEP, (until, *self._held(lease))), LaneLostError(lane_id=str(lease.lane_id)))
        self._writes.may(due_at(self._session.agency_id, CHANNEL_WORK, until))

    def finish(self, lease: LaneLease, state: LaneState) -> None:
        values = (
            state.next_at, state.attempts, state.failures, state.closed_until, state.cursor, state.rolled_on,
            *self._held(lease),
        )  # fmt: skip
        self._writes.must((_FINISH, values), LaneLostError(lane_id=str(lease.lane_id)))
        self._writes.may((_DUE_AFTER, (CHANNEL_WORK, self._session.agency_id, lease.lane_id)))

    def wake(self, lane_id: LaneId, at: datetime) -> None:
        agency_id = self._session.agency_id
        self._writes.must((_WAKE, (at, at, agency_id, lane_id)), NotFoundError("channel_lane", lane_id))
        self._writes.may(due_at(agency_id, CHANNEL_WORK, at))

    def _held(self, lease: LaneLease) -> tuple[object, ...]:
        return self._session.agency_id, lease.lane_id, lease.token


class PostgresDirt(DirtyRepository):
    """What may differ; see the port for what each method promises."""

    def __init__(self, session: Session, writes: WriteSet) -> None:
        self._session = session
        self._writes = writes

    def add(self, *rows: Dirty) -> None:
        for each in rows:
            nights = each.nights
            types = None if each.unit_type_ids is None else sorted(each.unit_type_ids)
            values = (
                self._session.agency_id, each.dirty_id, each.connection_id, each.lane.value,
                None if nights is None else nights.start, None if nights is None else nights.end, types,
                each.forgets,
            )  # fmt: skip
            self._writes.may((_ADD_DIRT, values))
        if rows:
            self._writes.may(due_now(self._session.agency_id))

    def of(self, connection_id: ConnectionId, lane: Lane) -> tuple[Dirty, ...]:
        rows = self._session.rows(_DIRT, self._session.agency_id, connection_id, lane.value)
        return tuple(_loaded_dirt(connection_id, lane, *row) for row in rows)  # type: ignore[arg-type]

    def remove(self, dirty_ids: Iterable[UUID]) -> None:
        self._writes.may((_REMOVE_DIRT, (self._session.agency_id, sorted(dirty_ids))))


def _loaded_lane(
    lane_id: UUID, connection_id: UUID, lane: str, next_at: datetime | None, attempts: int, failures: int,
    closed_until: datetime | None, cursor: str, rolled_on: date | None, asked_until: datetime | None,
) -> LaneState:  # fmt: skip
    return LaneState(
        lane_id=LaneId(lane_id),
        connection_id=ConnectionId(connection_id),
        lane=Lane(lane),
        next_at=next_at,
        attempts=attempts,
        failures=failures,
        closed_until=closed_until,
        cursor=cursor,
        rolled_on=rolled_on,
        asked_until=asked_until,
    )


def _loaded_dirt(
    connection_id: ConnectionId, lane: Lane, dirty_id: UUID, first_night: date | None, end_date: date | None,
    unit_type_ids: list[UUID] | None, forgets: bool,  # noqa: FBT001
) -> Dirty:  # fmt: skip
    return Dirty(
        dirty_id=dirty_id,
        connection_id=connection_id,
        lane=lane,
        nights=nights_of(first_night, end_date),
        unit_type_ids=None
        if unit_type_ids is None
        else frozenset(UnitTypeId(each) for each in unit_type_ids),
        forgets=forgets,
    )
