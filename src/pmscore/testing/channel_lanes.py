"""Lanes and what may differ, in memory.

Owns what their ports promise: who may run a lane, and which lanes should. Leaves the commit to ``channel_log``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial
from typing import Final
from uuid import UUID

from attrs import evolve

from pmscore.channels.model.ari import Dirty
from pmscore.channels.model.lanes import LaneLease, LaneLostError, LaneState
from pmscore.channels.model.manifest import Lane
from pmscore.channels.ports import DirtyRepository, LaneRepository
from pmscore.kernel.errors import BusyError, NotFoundError
from pmscore.kernel.ids import ConnectionId, LaneId
from pmscore.testing.channel_log import ChannelLog, LaneRow, earliest
from pmscore.testing.transaction import Transaction

__all__ = ["InMemoryDirt", "InMemoryLanes"]

_FIRST: Final = datetime.min.replace(tzinfo=UTC)


class InMemoryLanes(LaneRepository):
    """Lanes with their leases."""

    def __init__(self, transaction: Transaction) -> None:
        self._at = transaction

    def add(self, state: LaneState) -> None:
        """Add a lane."""
        self._at.check_open()
        self._at.changes.channels.belongings.add(state.connection_id)
        self._at.changes.channels.new_lanes.add(state.lane_id)
        self._at.changes.channels.writes.append(lambda log: log.lanes.update({state.lane_id: LaneRow(state)}))

    def of(self, connection_id: ConnectionId) -> tuple[LaneState, ...]:
        """Return the lanes of a connection, by name."""
        self._at.check_open()
        with self._at.locks.mutex:
            every = [row.state for row in self._log.lanes.values()]
        found = (each for each in every if each.connection_id == connection_id)
        return tuple(sorted(found, key=lambda each: each.lane.value))

    def get(self, lane_id: LaneId) -> LaneState:
        """Return a lane without a lock."""
        self._at.check_open()
        with self._at.locks.mutex:
            return self._row(lane_id).state

    def take_due(self, *, now: datetime, until: datetime, most: int) -> tuple[LaneState, ...]:
        """Return lanes that should run; those that others are about to take are left to them."""
        self._at.check_open()
        taken: list[LaneState] = []
        with self._at.locks.mutex:
            waiting = self._waiting(now)
            for due_at, row in sorted(waiting, key=lambda each: (each[0], each[1].state.lane_id)):
                if due_at > now or len(taken) == most:
                    break
                if self._at.locks.acquire_free(self._name(row.state.lane_id), self._at.number):
                    taken.append(evolve(row.state, asked_until=until))
        asked = frozenset(each.lane_id for each in taken)
        self._at.changes.channels.writes.append(partial(_ask, asked, until))
        return tuple(taken)

    def next_at(self, now: datetime) -> datetime | None:
        """Return the earliest instant at which a lane will be due."""
        self._at.check_open()
        with self._at.locks.mutex:
            first = earliest(*(due_at for due_at, _ in self._waiting(now)))
        return None if first is None else max(first, now)

    def claim(self, lane_id: LaneId, *, now: datetime, until: datetime) -> LaneLease | None:
        """Take the right to run a lane; None while somebody has it."""
        self._at.check_open()
        self._at.lock("channel_lane", lane_id)
        with self._at.locks.mutex:
            row = self._row(lane_id)
            if not row.is_free(now):
                return None
            seen = (row.token, row.leased_until)
        self._at.changes.channels.checks.append(partial(_refuse_taken, lane_id, seen))
        self._at.changes.channels.writes.append(lambda log: log.lanes[lane_id].claim(now, until))
        return LaneLease(lane_id, seen[0] + 1, until)

    def keep(self, lease: LaneLease, *, until: datetime) -> None:
        """Fence this transaction with a lease, and prolong it."""
        self._at.check_open()
        self._at.changes.channels.checks.append(partial(_refuse_lost, lease))
        self._at.changes.channels.writes.append(partial(_prolong, lease.lane_id, until))

    def finish(self, lease: LaneLease, state: LaneState) -> None:
        """Store a lane after a run and give the lease up."""
        self._at.check_open()
        self._at.changes.channels.checks.append(partial(_refuse_lost, lease))
        self._at.changes.channels.writes.append(lambda log: log.lanes[lease.lane_id].finish(state))

    def wake(self, lane_id: LaneId, at: datetime) -> None:
        """Let a lane be due at an instant or earlier."""
        self._at.check_open()
        if lane_id not in self._at.changes.channels.new_lanes:
            with self._at.locks.mutex:
                self._row(lane_id)
        self._at.changes.channels.writes.append(lambda log: log.lanes[lane_id].wake(at))

    @property
    def _log(self) -> ChannelLog:
        return self._at.books.channels

    def _name(self, lane_id: LaneId) -> tuple[object, str, LaneId]:
        return self._at.command.agency_id, "channel_lane", lane_id

    def _row(self, lane_id: LaneId) -> LaneRow:
        row = self._log.lanes.get(lane_id)
        if row is None:
            raise NotFoundError("channel_lane", lane_id)
        return row

    def _waiting(self, now: datetime) -> Iterable[tuple[datetime, LaneRow]]:
        """Return every lane that has something to do, with the instant from which on it may."""
        knocked = {of for (of, _), row in self._log.knocks.items() if row.done_at is None}
        for row in self._log.lanes.values():
            state = row.state
            hears = state.lane is Lane.BOOKINGS and state.connection_id in knocked
            is_dirty = bool(self._log.dirty.get((state.connection_id, state.lane)))
            first = earliest(state.next_at, now if hears or is_dirty else None)
            if first is not None and self._log.connections[state.connection_id].syncs:
                waits = (state.closed_until, state.asked_until, row.leased_until)
                yield max(first, *(each or _FIRST for each in waits)), row


class InMemoryDirt(DirtyRepository):
    """What may differ from what platforms have."""

    def __init__(self, transaction: Transaction) -> None:
        self._at = transaction

    def add(self, *rows: Dirty) -> None:
        """Add rows."""
        self._at.check_open()
        self._at.changes.channels.belongings.update(each.connection_id for each in rows)
        self._at.changes.channels.writes.append(partial(_add_dirt, rows))

    def of(self, connection_id: ConnectionId, lane: Lane) -> tuple[Dirty, ...]:
        """Return the rows of a lane, the oldest first."""
        self._at.check_open()
        with self._at.locks.mutex:
            return tuple(self._at.books.channels.dirty.get((connection_id, lane), {}).values())

    def remove(self, dirty_ids: Iterable[UUID]) -> None:
        """Remove rows."""
        self._at.check_open()
        self._at.changes.channels.writes.append(partial(_remove_dirt, frozenset(dirty_ids)))


def _refuse_lost(lease: LaneLease, log: ChannelLog) -> None:
    row = log.lanes.get(lease.lane_id)
    if row is None or row.token != lease.token or row.leased_until is None:
        raise LaneLostError(lane_id=str(lease.lane_id))


def _refuse_taken(lane_id: LaneId, seen: tuple[int, datetime | None], log: ChannelLog) -> None:
    row = log.lanes[lane_id]
    if (row.token, row.leased_until) != seen:
        raise BusyError(kind="channel_lane", id=str(lane_id))


def _prolong(lane_id: LaneId, until: datetime, log: ChannelLog) -> None:
    log.lanes[lane_id].leased_until = until


def _ask(lane_ids: frozenset[LaneId], until: datetime, log: ChannelLog) -> None:
    for lane_id in lane_ids:
        row = log.lanes[lane_id]
        row.state = evolve(row.state, asked_until=until)


def _add_dirt(rows: tuple[Dirty, ...], log: ChannelLog) -> None:
    for row in rows:
        log.dirty.setdefault((row.connection_id, row.lane), {})[row.dirty_id] = row


def _remove_dirt(dirty_ids: frozenset[UUID], log: ChannelLog) -> None:
    for rows in log.dirty.values():
        for dirty_id in dirty_ids & rows.keys():
            del rows[dirty_id]
