"""What platforms have acknowledged, on PostgreSQL: one row of 31 integers a mapping, field, occupancy and month.

Owns the packing of nights into months. What is written is merged with what is there by the server, so that no writer
needs to read first; who may write is decided by the fence of a lane in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final, LiteralString
from uuid import UUID

from pms_adapters.postgres.documents import as_document
from pms_adapters.postgres.session import Session
from pms_adapters.postgres.writes import WriteSet
from pmscore.channels.model.ari import UNKNOWN, AriRows, RowKey
from pmscore.channels.ports import CellRepository
from pmscore.dates.ranges import DateRange
from pmscore.kernel.ids import ConnectionId, MappingId
from pmscore.pricing.views.matrix_rows import MatrixField

__all__ = ["PostgresCells"]

DAYS: Final = 31

_READ: LiteralString = """\
SELECT mapping_id, field, occupancy, month, cells FROM channel_cells
 WHERE agency_id = %s AND connection_id = %s AND mapping_id = ANY (%s::uuid[]) AND month >= %s AND month < %s"""
# A null in what is put means: as it was. One that is stored means: unknown.
_PUT: LiteralString = """\
INSERT INTO channel_cells AS c (agency_id, connection_id, mapping_id, field, occupancy, month, cells)
SELECT %s::uuid, %s::uuid, n.mapping_id, n.field, n.occupancy, n.month, n.cells
  FROM jsonb_to_recordset(%s::jsonb) AS n(mapping_id uuid, field text, occupancy integer, month date, cells bigint[])
ON CONFLICT (agency_id, connection_id, mapping_id, field, occupancy, month) DO UPDATE
   SET cells = ARRAY(SELECT coalesce(u.new, u.old)
                       FROM unnest(c.cells, excluded.cells) WITH ORDINALITY AS u(old, new, place) ORDER BY u.place)"""
_FORGET: LiteralString = "DELETE FROM channel_cells WHERE agency_id = %s AND mapping_id = ANY (%s::uuid[])"


class PostgresCells(CellRepository):
    """Cells; see the port for what each method promises."""

    def __init__(self, session: Session, writes: WriteSet) -> None:
        self._session = session
        self._writes = writes

    def read(self, connection_id: ConnectionId, keys: Iterable[RowKey], nights: DateRange) -> AriRows:
        wanted = frozenset(keys)
        mapping_ids = sorted({each.mapping_id for each in wanted})
        rows = self._session.rows(
            _READ,
            self._session.agency_id,
            connection_id,
            mapping_ids,
            nights.start.replace(day=1),
            nights.end,
        )
        found: dict[RowKey, list[int]] = {}
        for row in rows:
            _unpack(wanted, nights, found, *row)  # type: ignore[arg-type]
        return AriRows(nights, {key: tuple(row) for key, row in found.items()})

    def put(self, connection_id: ConnectionId, rows: AriRows) -> None:
        packed = [each for key in sorted(rows.rows) for each in _packed(key, rows)]
        if packed:
            self._writes.may((_PUT, (self._session.agency_id, connection_id, as_document(packed))))

    def forget_mapping(self, mapping_ids: Iterable[MappingId]) -> None:
        self._writes.may((_FORGET, (self._session.agency_id, sorted(mapping_ids))))


def _packed(key: RowKey, rows: AriRows) -> Iterable[dict[str, object]]:
    """Return a row's months, with nothing said on days outside of its nights."""
    values = rows.rows[key]
    for part in rows.nights.months():
        first = part.start.day - 1
        offset = part.first_ordinal - rows.nights.first_ordinal
        said = values[offset : offset + part.length]
        yield {
            "mapping_id": key.mapping_id,
            "field": key.field.value,
            "occupancy": key.occupancy,
            "month": part.start.replace(day=1),
            "cells": [*[None] * first, *said, *[None] * (DAYS - first - len(said))],
        }


def _unpack(
    wanted: frozenset[RowKey], nights: DateRange, found: dict[RowKey, list[int]],
    mapping_id: UUID, field: str, occupancy: int, month: date, cells: list[int | None],
) -> None:  # fmt: skip
    """Put the days of a month into the row that they belong to."""
    key = RowKey(MappingId(mapping_id), MatrixField(field), occupancy)
    if key not in wanted:
        return
    shift = month.toordinal() - nights.first_ordinal
    first, end = max(0, -shift), min(DAYS, nights.length - shift)
    row = found.setdefault(key, [UNKNOWN] * nights.length)
    for day in range(first, end):
        value = cells[day]
        # Days that a month does not have are never said, so what comes next month stays.
        if value is not None:
            row[shift + day] = value
