"""Connections of channels and their mappings on PostgreSQL."""

from __future__ import annotations

from datetime import datetime
from typing import LiteralString
from uuid import UUID

from pms_adapters.postgres.documents import as_document
from pms_adapters.postgres.listing import conditions, read_page
from pms_adapters.postgres.session import Session, Statement
from pms_adapters.postgres.writes import WriteSet
from pmscore.channels.model.connections import Connection, ConnectionStatus
from pmscore.channels.model.manifest import Platform
from pmscore.channels.model.mappings import MappedRate, MappedRoom, MappingBook
from pmscore.channels.ports import ConnectionRepository, MappingRepository
from pmscore.kernel.errors import MisuseError, NotFoundError, StaleVersionError
from pmscore.kernel.events import Json
from pmscore.kernel.ids import ConnectionId, MappingId, PropertyId, UnitId, UnitTypeId
from pmscore.kernel.paging import Page, Paged

__all__ = ["PostgresConnections", "PostgresMappings"]

_COLUMNS: LiteralString = (
    "c.connection_id, c.property_id, c.platform_type, c.gateway, c.channel, c.status, c.listing_id, c.settings,"
    " c.sealed, c.sealed_token, c.token_until, c.knock_digest, c.calendar_digest, c.created_at, c.updated_at,"
    " c.last_sync_at, c.last_attempt_at, c.deleted_at, c.version"
)
_INSERT: LiteralString = """\
INSERT INTO channel_connections (property_id, platform_type, gateway, channel, status, listing_id, settings, sealed,
    sealed_token, token_until, knock_digest, calendar_digest, created_at, updated_at, last_sync_at, last_attempt_at,
    deleted_at, version, agency_id, connection_id)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING 1"""
_UPDATE: LiteralString = """\
UPDATE channel_connections
   SET property_id = %s, platform_type = %s, gateway = %s, channel = %s, status = %s, listing_id = %s, settings = %s,
       sealed = %s, sealed_token = %s, token_until = %s, knock_digest = %s, calendar_digest = %s, created_at = %s,
       updated_at = %s, last_sync_at = %s, last_attempt_at = %s, deleted_at = %s, version = %s
 WHERE agency_id = %s AND connection_id = %s RETURNING 1"""
_LIVE: LiteralString = "deleted_at IS NULL"
_BOOK: LiteralString = """\
SELECT mapping_id, kind, unit_type_id, unit_id, plan, room_code, rate_code, occupancies FROM channel_mappings
 WHERE agency_id = %s AND connection_id = %s
 ORDER BY room_code COLLATE "C", rate_code COLLATE "C", mapping_id"""
_CLEAR: LiteralString = "DELETE FROM channel_mappings WHERE agency_id = %s AND connection_id = %s"
_FILL: LiteralString = """\
INSERT INTO channel_mappings (agency_id, connection_id, mapping_id, kind, unit_type_id, unit_id, plan, room_code,
                              rate_code, occupancies)
SELECT %s::uuid, %s::uuid, n.mapping_id, n.kind, n.unit_type_id, n.unit_id, n.plan, n.room_code, n.rate_code,
       n.occupancies
  FROM jsonb_to_recordset(%s::jsonb) AS n(mapping_id uuid, kind text, unit_type_id uuid, unit_id uuid, plan text,
                                          room_code text, rate_code text, occupancies integer[])"""


class PostgresConnections(ConnectionRepository):
    """Connections; see the port for what each method promises."""

    def __init__(self, session: Session, writes: WriteSet) -> None:
        self._session = session
        self._writes = writes
        self._read: set[ConnectionId] = set()

    def add(self, connection: Connection) -> None:
        self._writes.must(
            (_INSERT, self._values(connection)), NotFoundError("agency", self._session.agency_id)
        )

    def get(self, connection_id: ConnectionId) -> Connection:
        found = self._one([("c.connection_id = %s", (connection_id,)), (_LIVE, ())], locks=True)
        if found is None:
            raise NotFoundError("channel_connection", connection_id)
        return found

    def read(self, connection_id: ConnectionId) -> Connection:
        found = self._one([("c.connection_id = %s", (connection_id,)), (_LIVE, ())])
        if found is None:
            raise NotFoundError("channel_connection", connection_id)
        return found

    def find(self, property_id: PropertyId | None, page: Page) -> Paged[Connection]:
        parts: list[Statement] = [(_LIVE, ())]
        if property_id is not None:
            parts.append(("c.property_id = %s", (property_id,)))
        where, values = self._within_reach(parts)
        return read_page(
            self._session, _COLUMNS, ("channel_connections c WHERE " + where, values),
            "c.created_at, c.connection_id", page, lambda row: _loaded(*row),  # type: ignore[arg-type]
        )  # fmt: skip

    def find_live(self, property_id: PropertyId, platform: Platform) -> Connection | None:
        return self._one(
            [("c.property_id = %s AND c.platform_type = %s", (property_id, platform.value)), (_LIVE, ())]
        )

    def find_deleted(self, property_id: PropertyId, platform: Platform) -> Connection | None:
        return self._one(
            [
                ("c.property_id = %s AND c.platform_type = %s", (property_id, platform.value)),
                ("deleted_at IS NOT NULL", ()),
            ],
            locks=True,
        )

    def by_calendar(self, digest: str) -> Connection | None:
        return self._one([("c.calendar_digest = %s AND c.calendar_digest <> ''", (digest,)), (_LIVE, ())])

    def by_knock(self, digest: str) -> Connection | None:
        return self._one([("c.knock_digest = %s AND c.knock_digest <> ''", (digest,)), (_LIVE, ())])

    def all_active(self) -> tuple[Connection, ...]:
        where, values = self._within_reach([("c.status = 'active'", ()), (_LIVE, ())])
        sql: LiteralString = (
            f"SELECT {_COLUMNS} FROM channel_connections c WHERE {where} ORDER BY c.connection_id"
        )
        return tuple(_loaded(*row) for row in self._session.rows(sql, *values))  # type: ignore[arg-type]

    def save(self, connection: Connection) -> None:
        if connection.connection_id not in self._read:
            raise MisuseError(saved_unread=str(connection.connection_id))
        stale = StaleVersionError(connection_id=str(connection.connection_id))
        self._writes.must((_UPDATE, self._values(connection)), stale)

    def _one(self, parts: list[Statement], *, locks: bool = False) -> Connection | None:
        """Return the connection that meets the conditions, the one deleted last of several."""
        where, values = self._within_reach(parts)
        sql: LiteralString = (
            f"SELECT {_COLUMNS} FROM channel_connections c WHERE {where}"
            " ORDER BY c.deleted_at DESC, c.connection_id DESC LIMIT 1"
        )
        rows = self._session.rows(sql + " FOR NO KEY UPDATE" if locks else sql, *values)
        if not rows:
            return None
        found = _loaded(*rows[0])  # type: ignore[arg-type]
        if locks:
            self._read.add(found.connection_id)
        return found

    def _within_reach(self, parts: list[Statement]) -> Statement:
        every: list[Statement] = [("c.agency_id = %s", (self._session.agency_id,)), *parts]
        if self._session.reach is not None:
            every.append(("c.property_id = ANY(%s)", (sorted(self._session.reach),)))
        return conditions(every)

    def _values(self, of: Connection) -> tuple[object, ...]:
        return (
            of.property_id, of.platform.value, of.gateway, of.channel, of.status.value, of.listing_id,
            as_document(dict(of.settings)), of.sealed, of.sealed_token, of.token_until, of.knock_digest,
            of.calendar_digest, of.created_at, of.updated_at, of.last_sync_at, of.last_attempt_at, of.deleted_at,
            of.version, self._session.agency_id, of.connection_id,
        )  # fmt: skip


class PostgresMappings(MappingRepository):
    """Mappings; see the port for what each method promises."""

    def __init__(self, session: Session, writes: WriteSet) -> None:
        self._session = session
        self._writes = writes

    def book(self, connection_id: ConnectionId) -> MappingBook:
        rows = self._session.rows(_BOOK, self._session.agency_id, connection_id)
        loaded = [_loaded_mapping(connection_id, *row) for row in rows]  # type: ignore[arg-type]
        return MappingBook(
            tuple(each for each in loaded if isinstance(each, MappedRoom)),
            tuple(each for each in loaded if isinstance(each, MappedRate)),
        )

    def replace(self, connection_id: ConnectionId, book: MappingBook) -> None:
        keys = (self._session.agency_id, connection_id)
        rows: list[dict[str, object]] = [
            {
                "mapping_id": each.mapping_id,
                "kind": "room",
                "unit_type_id": each.unit_type_id,
                "unit_id": each.unit_id,
                "plan": "",
                "room_code": each.room_code,
                "rate_code": "",
                "occupancies": (),
            }
            for each in book.rooms
        ]
        rows += [
            {
                "mapping_id": each.mapping_id,
                "kind": "rate",
                "unit_type_id": each.unit_type_id,
                "plan": each.plan,
                "room_code": each.room_code,
                "rate_code": each.rate_code,
                "occupancies": each.occupancies,
            }
            for each in book.rates
        ]
        self._writes.may((_CLEAR, keys))
        self._writes.may((_FILL, (*keys, as_document(rows))))


def _loaded(
    connection_id: UUID, property_id: UUID | None, platform: str, gateway: str, channel: str, status: str,
    listing_id: str, settings: dict[str, Json], sealed: str | None, sealed_token: str | None,
    token_until: datetime | None, knock_digest: str, calendar_digest: str, created_at: datetime,
    updated_at: datetime, last_sync_at: datetime | None, last_attempt_at: datetime | None,
    deleted_at: datetime | None, version: int,
) -> Connection:  # fmt: skip
    return Connection(
        connection_id=ConnectionId(connection_id),
        property_id=None if property_id is None else PropertyId(property_id),
        platform=Platform(platform),
        gateway=gateway,
        channel=channel,
        status=ConnectionStatus(status),
        listing_id=listing_id,
        settings=settings,
        sealed=sealed,
        sealed_token=sealed_token,
        token_until=token_until,
        knock_digest=knock_digest,
        calendar_digest=calendar_digest,
        created_at=created_at,
        updated_at=updated_at,
        last_sync_at=last_sync_at,
        last_attempt_at=last_attempt_at,
        deleted_at=deleted_at,
        version=version,
    )


def _loaded_mapping(
    connection_id: ConnectionId, mapping_id: UUID, kind: str, unit_type_id: UUID, unit_id: UUID | None, plan: str,
    room_code: str, rate_code: str, occupancies: list[int],
) -> MappedRoom | MappedRate:  # fmt: skip
    if kind == "room":
        return MappedRoom(
            mapping_id=MappingId(mapping_id),
            connection_id=connection_id,
            unit_type_id=UnitTypeId(unit_type_id),
            room_code=room_code,
            unit_id=None if unit_id is None else UnitId(unit_id),
        )
    return MappedRate(
        mapping_id=MappingId(mapping_id),
        connection_id=connection_id,
        unit_type_id=UnitTypeId(unit_type_id),
        plan=plan,
        room_code=room_code,
        rate_code=rate_code,
        occupancies=tuple(occupancies),
    )
