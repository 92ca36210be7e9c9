"""Claims, holds and blocks.

Owns the reading of occupancy and the keeping of holds and blocks; the statement that moves claims stands in
``statements`` and is sent by ``transaction``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import LiteralString
from uuid import UUID

from pms_adapters.postgres.documents import as_document
from pms_adapters.postgres.listing import conditions, read_page
from pms_adapters.postgres.rows import claim_rows
from pms_adapters.postgres.session import Session, Statement
from pms_adapters.postgres.writes import Expectation, WriteSet
from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.blocks import Block, BlockFilter, BlockKind
from pmscore.inventory.model.holds import Hold, HoldStatus
from pmscore.inventory.model.stock import StockChange
from pmscore.inventory.ports import BlockRepository, HoldRepository, StockLedger
from pmscore.kernel.errors import NotFoundError, StaleVersionError
from pmscore.kernel.ids import BlockId, HoldId, PropertyId, UnitId, UnitTypeId
from pmscore.kernel.paging import Page, Paged

__all__ = ["PostgresBlocks", "PostgresHolds", "PostgresStock"]

_HOLD_COLUMNS: LiteralString = (
    "hold_id, property_id, unit_type_id, unit_id, arrival, departure, turnover_nights, expires_at, status,"
    " version"
)
_HOLD: LiteralString = f"SELECT {_HOLD_COLUMNS} FROM holds WHERE agency_id = %s AND hold_id = %s FOR UPDATE"
_EXPIRED: LiteralString = f"""\
SELECT {_HOLD_COLUMNS} FROM holds h
 WHERE h.agency_id = %s AND h.status = 'active' AND h.expires_at <= %s
   AND EXISTS (SELECT 1 FROM jsonb_to_recordset(%s::jsonb) AS c(unit_type_id uuid, first date, nights int)
                WHERE c.unit_type_id = h.unit_type_id AND h.arrival < c.first + c.nights
                  AND c.first < h.departure + h.turnover_nights)
 ORDER BY h.hold_id FOR UPDATE"""
_BLOCK_COLUMNS: LiteralString = (
    "block_id, property_id, unit_id, unit_type_id, first_night, end_date, kind, note, version"
)
_BLOCK: LiteralString = (
    f"SELECT {_BLOCK_COLUMNS} FROM blocks WHERE agency_id = %s AND block_id = %s FOR UPDATE"
)


class PostgresStock(StockLedger):
    """Claims on PostgreSQL."""

    def __init__(self, session: Session, writes: WriteSet) -> None:
        self._session = session
        self._writes = writes

    def change(self, change: StockChange, *, is_last_try: bool = True) -> None:
        self._writes.add_stock(change)
        self._writes.is_last_try = self._writes.is_last_try and is_last_try

    def unit_occupancy(self, unit_type_id: UnitTypeId, nights: DateRange) -> Mapping[UnitId, int]:
        rows = self._session.rows(
            "SELECT n.unit_id, array_agg(n.night - %s::date) FROM unit_nights n"
            " JOIN units u USING (agency_id, unit_id)"
            " WHERE n.agency_id = %s AND u.unit_type_id = %s AND n.night >= %s AND n.night < %s"
            " GROUP BY n.unit_id",
            nights.start, self._session.agency_id, unit_type_id, nights.start, nights.end,
        )  # fmt: skip
        return {_unit_id(unit): _mask(offsets) for unit, offsets in rows}


class PostgresHolds(HoldRepository):
    """Holds on PostgreSQL."""

    def __init__(self, session: Session, writes: WriteSet) -> None:
        self._session = session
        self._writes = writes

    def get(self, hold_id: HoldId) -> Hold:
        rows = self._session.rows(_HOLD, self._session.agency_id, hold_id)
        if not rows:
            raise NotFoundError("hold", hold_id)
        found = _loaded_hold(*rows[0])  # type: ignore[arg-type]
        self._session.check_reach(found.property_id, "hold", hold_id)
        return found

    def find(self, property_id: PropertyId, now: datetime, page: Page) -> Paged[Hold]:
        if not self._session.reaches(property_id):
            return Paged((), 0, page)
        where: LiteralString = (
            "holds WHERE agency_id = %s AND property_id = %s AND status = 'active' AND expires_at > %s"
        )
        return read_page(
            self._session, _HOLD_COLUMNS, (where, (self._session.agency_id, property_id, now)),
            "expires_at, hold_id", page,
            lambda row: _loaded_hold(*row),  # type: ignore[arg-type]
        )  # fmt: skip

    def expired(self, change: StockChange, now: datetime) -> tuple[Hold, ...]:
        wanted = as_document(claim_rows(1, change.after))
        rows = self._session.rows(_EXPIRED, self._session.agency_id, now, wanted)
        return tuple(_loaded_hold(*row) for row in rows)  # type: ignore[arg-type]

    def add(self, hold: Hold) -> None:
        statement: LiteralString = (
            f"INSERT INTO holds (agency_id, {_HOLD_COLUMNS})"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING 1"
        )
        stay = hold.stay
        values = (
            self._session.agency_id, hold.hold_id, hold.property_id, hold.unit_type_id, hold.unit_id,
            stay.arrival, stay.departure, hold.turnover_nights, hold.expires_at, hold.status.value,
            hold.version,
        )  # fmt: skip
        stale = StaleVersionError(hold_id=str(hold.hold_id))
        self._writes.aggregates.append(Expectation((statement, values), 1, stale))

    def save(self, hold: Hold) -> None:
        statement: LiteralString = (
            "UPDATE holds SET status = %s, version = %s"
            " WHERE agency_id = %s AND hold_id = %s AND version = %s RETURNING 1"
        )
        values = (
            hold.status.value, hold.version, self._session.agency_id, hold.hold_id, hold.version - 1,
        )  # fmt: skip
        stale = StaleVersionError(hold_id=str(hold.hold_id))
        self._writes.aggregates.append(Expectation((statement, values), 1, stale))


class PostgresBlocks(BlockRepository):
    """Blocks on PostgreSQL."""

    def __init__(self, session: Session, writes: WriteSet) -> None:
        self._session = session
        self._writes = writes

    def get(self, block_id: BlockId) -> Block:
        rows = self._session.rows(_BLOCK, self._session.agency_id, block_id)
        if not rows:
            raise NotFoundError("block", block_id)
        found = _loaded_block(*rows[0])  # type: ignore[arg-type]
        self._session.check_reach(found.property_id, "block", block_id)
        return found

    def find(self, wanted: BlockFilter, page: Page) -> Paged[Block]:
        parts: list[Statement] = [("agency_id = %s", (self._session.agency_id,))]
        if wanted.property_id is not None:
            parts.append(("property_id = %s", (wanted.property_id,)))
        if self._session.reach is not None:
            parts.append(("property_id = ANY(%s)", (sorted(self._session.reach),)))
        if wanted.nights is not None:
            parts.append(("first_night < %s AND end_date > %s", (wanted.nights.end, wanted.nights.start)))
        if wanted.note is not None:
            parts.append(("note = %s", (wanted.note,)))
        where, values = conditions(parts)
        return read_page(
            self._session, _BLOCK_COLUMNS, ("blocks WHERE " + where, values), "first_night, block_id", page,
            lambda row: _loaded_block(*row),  # type: ignore[arg-type]
        )  # fmt: skip

    def add(self, block: Block) -> None:
        statement: LiteralString = (
            "INSERT INTO blocks (agency_id, block_id, property_id, unit_id, unit_type_id, first_night,"
            " end_date, kind, note, version) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING 1"
        )
        values = (
            self._session.agency_id, block.block_id, block.property_id, block.unit_id, block.unit_type_id,
            block.nights.start, block.nights.end, block.kind.value, block.note, block.version,
        )  # fmt: skip
        stale = StaleVersionError(block_id=str(block.block_id))
        self._writes.aggregates.append(Expectation((statement, values), 1, stale))

    def remove(self, block: Block) -> None:
        statement: LiteralString = (
            "DELETE FROM blocks WHERE agency_id = %s AND block_id = %s AND version = %s RETURNING 1"
        )
        values = (self._session.agency_id, block.block_id, block.version)
        stale = StaleVersionError(block_id=str(block.block_id))
        self._writes.aggregates.append(Expectation((statement, values), 1, stale))


def _unit_id(value: object) -> UnitId:
    if not isinstance(value, UUID):
        raise TypeError(type(value))
    return UnitId(value)


def _mask(offsets: object) -> int:
    mask = 0
    if isinstance(offsets, list):
        for offset in offsets:
            mask |= 1 << offset
    return mask


def _loaded_hold(
    hold_id: UUID, property_id: UUID, unit_type_id: UUID, unit_id: UUID | None, arrival: date,
    departure: date, turnover_nights: int, expires_at: datetime, status: str, version: int,
) -> Hold:  # fmt: skip
    return Hold(
        hold_id=HoldId(hold_id),
        property_id=PropertyId(property_id),
        unit_type_id=UnitTypeId(unit_type_id),
        unit_id=None if unit_id is None else UnitId(unit_id),
        stay=StayRange(arrival, departure),
        turnover_nights=turnover_nights,
        expires_at=expires_at,
        status=HoldStatus(status),
        version=version,
    )


def _loaded_block(
    block_id: UUID, property_id: UUID, unit_id: UUID, unit_type_id: UUID, first_night: date, end_date: date,
    kind: str, note: str, version: int,
) -> Block:  # fmt: skip
    return Block(
        block_id=BlockId(block_id),
        property_id=PropertyId(property_id),
        unit_id=UnitId(unit_id),
        unit_type_id=UnitTypeId(unit_type_id),
        nights=DateRange(first_night, end_date),
        kind=BlockKind(kind),
        note=note,
        version=version,
    )
