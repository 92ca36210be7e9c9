"""What sending keeps, in memory: connections, mappings, cells and calls.

Owns what their ports promise. Leaves the commit to ``channel_log`` and lanes to ``channel_lanes``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from pmscore.channels.model.ari import UNKNOWN, AriRows, RowKey
from pmscore.channels.model.connections import Connection
from pmscore.channels.model.manifest import CallGroup, Platform
from pmscore.channels.model.mappings import MappingBook
from pmscore.channels.policies.counting_calls import CountedCall, seconds_to_wait
from pmscore.channels.ports import CallLog, CellRepository, ConnectionRepository, MappingRepository
from pmscore.dates.ranges import DateRange
from pmscore.kernel.errors import NotFoundError
from pmscore.kernel.ids import CallId, ConnectionId, MappingId, PropertyId
from pmscore.kernel.paging import Page, Paged
from pmscore.testing.channel_log import ChannelLog
from pmscore.testing.repositories import paged
from pmscore.testing.transaction import Transaction

__all__ = ["InMemoryCalls", "InMemoryCells", "InMemoryConnections", "InMemoryMappings"]

CALLS_KEPT: Final = timedelta(minutes=10)
"""How long calls are kept after no window counts them any more: machines' clocks differ."""


class InMemoryConnections(ConnectionRepository):
    """Connections."""

    def __init__(self, transaction: Transaction) -> None:
        self._at = transaction

    def add(self, connection: Connection) -> None:
        """Add a connection."""
        self._at.lock_new("channel_connection", connection.connection_id)
        self._at.changes.channels.connections[connection.connection_id] = connection

    def get(self, connection_id: ConnectionId) -> Connection:
        """Return a connection, locked."""
        at = self._at
        found = at.locked(
            "channel_connection", connection_id, self._log.connections, at.changes.channels.connections
        )
        return self._live(found, connection_id)

    def read(self, connection_id: ConnectionId) -> Connection:
        """Return a connection as it was last committed."""
        self._at.check_open()
        with self._at.locks.mutex:
            return self._live(self._log.connections.get(connection_id), connection_id)

    def find(self, property_id: PropertyId | None, page: Page) -> Paged[Connection]:
        """Return a page of connections, the oldest first."""
        found = [each for each in self._every() if property_id in {None, each.property_id}]
        return paged(sorted(found, key=lambda each: (each.created_at, each.connection_id)), page)

    def find_live(self, property_id: PropertyId, platform: Platform) -> Connection | None:
        """Return the connection of a property on a platform."""
        of = (property_id, platform)
        return next((each for each in self._every() if (each.property_id, each.platform) == of), None)

    def find_deleted(self, property_id: PropertyId, platform: Platform) -> Connection | None:
        """Return the connection that was deleted last, locked."""
        self._at.check_open()
        with self._at.locks.mutex:
            deleted = [
                (each.deleted_at, each.connection_id)
                for each in self._log.connections.values()
                if each.deleted_at is not None
                and (each.property_id, each.platform) == (property_id, platform)
                and self._reaches(each)
            ]
        if not deleted:
            return None
        pending = self._at.changes.channels.connections
        return self._at.locked("channel_connection", max(deleted)[1], self._log.connections, pending)

    def by_calendar(self, digest: str) -> Connection | None:
        """Return the connection whose calendar token has this digest."""
        return next((each for each in self._every() if digest and each.calendar_digest == digest), None)

    def by_knock(self, digest: str) -> Connection | None:
        """Return the connection whose webhook token has this digest."""
        return next((each for each in self._every() if digest and each.knock_digest == digest), None)

    def all_active(self) -> tuple[Connection, ...]:
        """Return every connection that syncs, by id."""
        found = (each for each in self._every() if each.syncs)
        return tuple(sorted(found, key=lambda each: each.connection_id))

    def save(self, connection: Connection) -> None:
        """Store a locked connection."""
        self._at.check_locked("channel_connection", connection.connection_id)
        self._at.changes.channels.connections[connection.connection_id] = connection

    @property
    def _log(self) -> ChannelLog:
        return self._at.books.channels

    def _every(self) -> tuple[Connection, ...]:
        """Return what is not deleted and within reach."""
        self._at.check_open()
        with self._at.locks.mutex:
            found = tuple(self._log.connections.values())
        return tuple(each for each in found if each.deleted_at is None and self._reaches(each))

    def _live(self, found: Connection | None, connection_id: ConnectionId) -> Connection:
        if found is None or found.deleted_at is not None or not self._reaches(found):
            raise NotFoundError("channel_connection", connection_id)
        return found

    def _reaches(self, connection: Connection) -> bool:
        reach = self._at.command.property_ids
        return reach is None or connection.property_id in reach


class InMemoryMappings(MappingRepository):
    """Which of our types and plans is which room and rate."""

    def __init__(self, transaction: Transaction) -> None:
        self._at = transaction

    def book(self, connection_id: ConnectionId) -> MappingBook:
        """Return all pairs of a connection, by codes."""
        self._at.check_open()
        with self._at.locks.mutex:
            return self._at.books.channels.mappings.get(connection_id, MappingBook())

    def replace(self, connection_id: ConnectionId, book: MappingBook) -> None:
        """Store ``book`` in place of what was there."""
        self._at.check_open()
        with self._at.locks.mutex:
            types = {each.unit_type_id for each in book.rooms} | {each.unit_type_id for each in book.rates}
            for unit_type_id in sorted(types - self._at.books.types.keys()):
                raise NotFoundError("unit_type", unit_type_id)
            for room in book.rooms:
                if room.unit_id is not None and room.unit_id not in self._at.books.units:
                    raise NotFoundError("unit", room.unit_id)
        rooms = sorted(book.rooms, key=lambda each: (each.room_code, each.mapping_id))
        rates = sorted(book.rates, key=lambda each: (each.room_code, each.rate_code, each.mapping_id))
        kept = MappingBook(tuple(rooms), tuple(rates))
        self._at.changes.channels.belongings.add(connection_id)
        self._at.changes.channels.writes.append(lambda log: log.mappings.update({connection_id: kept}))


class InMemoryCells(CellRepository):
    """What platforms have acknowledged."""

    def __init__(self, transaction: Transaction) -> None:
        self._at = transaction

    def read(self, connection_id: ConnectionId, keys: Iterable[RowKey], nights: DateRange) -> AriRows:
        """Return the cells of these keys."""
        self._at.check_open()
        ordinals = range(nights.first_ordinal, nights.end_ordinal)
        with self._at.locks.mutex:
            kept = self._at.books.channels.cells.get(connection_id, {})
            found = {key: kept[key] for key in keys if key in kept}
            rows = {key: tuple(row.get(each, UNKNOWN) for each in ordinals) for key, row in found.items()}
        return AriRows(nights, rows)

    def put(self, connection_id: ConnectionId, rows: AriRows) -> None:
        """Store the cells of these rows in place of what was there."""
        self._at.check_open()
        self._at.changes.channels.belongings.add(connection_id)
        self._at.changes.channels.writes.append(partial(_put_cells, connection_id, rows))

    def forget_mapping(self, mapping_ids: Iterable[MappingId]) -> None:
        """Remove all cells of these mappings."""
        self._at.check_open()
        self._at.changes.channels.writes.append(partial(_forget_cells, frozenset(mapping_ids)))


class InMemoryCalls(CallLog):
    """Calls by key, and until when a key is closed."""

    def __init__(self, transaction: Transaction) -> None:
        self._at = transaction

    def reserve(self, groups: Sequence[tuple[str, CallGroup]], call_id: CallId, *, now: datetime) -> float:
        """Enter a call in all of these groups or in none."""
        self._at.check_open()
        for key in sorted({key for key, _ in groups}):
            self._at.lock("channel_key", key)
        with self._at.locks.mutex:
            log = self._at.books.channels
            waits = [
                seconds_to_wait(
                    group, log.calls.get(key, {}).values(), now=now, closed_until=log.closed.get(key)
                )
                for key, group in groups
            ]
        wait = max(waits, default=0.0)
        if wait <= 0:
            self._at.changes.channels.writes.append(partial(_enter_call, tuple(groups), call_id, now))
        return wait

    def end(self, call_id: CallId, *, now: datetime) -> None:
        """Note that a call is over."""
        self._at.check_open()
        self._at.changes.channels.writes.append(partial(_end_call, call_id, now))

    def close(self, key: str, *, until: datetime) -> None:
        """Let no call of a key go before an instant."""
        self._at.check_open()
        self._at.changes.channels.writes.append(
            lambda log: log.closed.update({key: max(until, log.closed.get(key, until))})
        )


def _put_cells(connection_id: ConnectionId, rows: AriRows, log: ChannelLog) -> None:
    kept = log.cells.setdefault(connection_id, {})
    for key, row in rows.rows.items():
        cells = kept.setdefault(key, {})
        for ordinal, value in enumerate(row, rows.nights.first_ordinal):
            if value == UNKNOWN:
                cells.pop(ordinal, None)
            else:
                cells[ordinal] = value
        if not cells:
            del kept[key]


def _forget_cells(mapping_ids: frozenset[MappingId], log: ChannelLog) -> None:
    for kept in log.cells.values():
        for key in [key for key in kept if key.mapping_id in mapping_ids]:
            del kept[key]


def _enter_call(
    groups: Sequence[tuple[str, CallGroup]], call_id: CallId, now: datetime, log: ChannelLog
) -> None:
    for key, group in groups:
        longest = timedelta(seconds=max((each.seconds for each in group.windows), default=0))
        calls = log.calls.setdefault(key, {})
        old = [
            each
            for each, call in calls.items()
            if (over := call.over_at(now)) is not None and over < now - longest - CALLS_KEPT
        ]
        for each in old:
            del calls[each]
        calls[call_id] = CountedCall(started_at=now, ended_at=None, longest_seconds=group.longest_seconds)


def _end_call(call_id: CallId, now: datetime, log: ChannelLog) -> None:
    for calls in log.calls.values():
        call = calls.get(call_id)
        if call is not None:
            calls[call_id] = CountedCall(
                started_at=call.started_at, ended_at=now, longest_seconds=call.longest_seconds
            )
