"""Allotments on PostgreSQL.

Owns their rows. Leaves the claims that they keep to ``stock``, and reading those for a stock board to ``standings``.
"""

from __future__ import annotations

from datetime import date
from typing import LiteralString
from uuid import UUID

from pms_adapters.postgres.session import Row, Session
from pms_adapters.postgres.writes import WriteSet
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.allotments import Allotment
from pmscore.inventory.ports import AllotmentRepository
from pmscore.kernel.errors import NotFoundError, StaleVersionError
from pmscore.kernel.ids import AllotmentId, PropertyId, UnitTypeId

__all__ = ["ALLOTMENT_COLUMNS", "PostgresAllotments", "loaded_allotment"]

ALLOTMENT_COLUMNS: LiteralString = (
    "allotment_id, property_id, unit_type_id, channel, first_night, end_date, guaranteed, cap, release_days,"
    " release_on, sold, released_until, version"
)
_ONE: LiteralString = f"SELECT {ALLOTMENT_COLUMNS} FROM allotments WHERE agency_id = %s AND allotment_id = %s"
_OF: LiteralString = f"SELECT {ALLOTMENT_COLUMNS} FROM allotments WHERE agency_id = %s AND property_id = %s"
_OF_CHANNEL: LiteralString = f"{_OF} AND channel = %s"
_ADD: LiteralString = (
    f"INSERT INTO allotments (agency_id, {ALLOTMENT_COLUMNS})"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING 1"
)
_SAVE: LiteralString = (
    "UPDATE allotments SET first_night = %s, end_date = %s, guaranteed = %s, cap = %s, release_days = %s,"
    " release_on = %s, sold = %s, released_until = %s, version = %s"
    " WHERE agency_id = %s AND allotment_id = %s RETURNING 1"
)
_REMOVE: LiteralString = "DELETE FROM allotments WHERE agency_id = %s AND allotment_id = %s RETURNING 1"


class PostgresAllotments(AllotmentRepository):
    """Allotments; a row that is changed was locked when it was read."""

    def __init__(self, session: Session, writes: WriteSet) -> None:
        self._session = session
        self._writes = writes

    def get(self, allotment_id: AllotmentId) -> Allotment:
        return self._one(_ONE + " FOR UPDATE", allotment_id)

    def read(self, allotment_id: AllotmentId) -> Allotment:
        return self._one(_ONE, allotment_id)

    def _one(self, query: LiteralString, allotment_id: AllotmentId) -> Allotment:
        rows = self._session.rows(query, self._session.agency_id, allotment_id)
        if not rows:
            raise NotFoundError("allotment", allotment_id)
        found = loaded_allotment(rows[0])
        self._session.check_reach(found.property_id, "allotment", allotment_id)
        return found

    def of(self, property_id: PropertyId, channel: str | None = None) -> tuple[Allotment, ...]:
        if channel is None:
            rows = self._session.rows(
                _OF + " ORDER BY first_night, allotment_id", self._session.agency_id, property_id
            )
        else:
            rows = self._session.rows(
                _OF_CHANNEL + " ORDER BY first_night, allotment_id",
                self._session.agency_id,
                property_id,
                channel,
            )
        return self._reached(rows)

    def locked_of(self, property_id: PropertyId, channel: str) -> tuple[Allotment, ...]:
        rows = self._session.rows(
            _OF_CHANNEL + " ORDER BY allotment_id FOR UPDATE", self._session.agency_id, property_id, channel
        )
        return self._reached(rows)

    def add(self, allotment: Allotment) -> None:
        values = (
            self._session.agency_id, allotment.allotment_id, allotment.property_id, allotment.unit_type_id,
            allotment.channel, *_kept(allotment),
        )  # fmt: skip
        self._writes.must((_ADD, values), _stale(allotment))

    def save(self, allotment: Allotment) -> None:
        values = (*_kept(allotment), self._session.agency_id, allotment.allotment_id)
        self._writes.must((_SAVE, values), _stale(allotment))

    def remove(self, allotment: Allotment) -> None:
        values = (self._session.agency_id, allotment.allotment_id)
        self._writes.must((_REMOVE, values), _stale(allotment))

    def _reached(self, rows: list[Row]) -> tuple[Allotment, ...]:
        reach = self._session.reach
        found = (loaded_allotment(row) for row in rows)
        return tuple(each for each in found if reach is None or each.property_id in reach)


def loaded_allotment(row: Row) -> Allotment:
    """Return what a row of :data:`ALLOTMENT_COLUMNS` says."""
    return _loaded(*row)  # type: ignore[arg-type]


def _loaded(
    allotment_id: UUID, property_id: UUID, unit_type_id: UUID, channel: str, first_night: date, end_date: date,
    guaranteed: int, cap: int | None, release_days: int | None, release_on: date | None, sold: list[int],
    released_until: date | None, version: int,
) -> Allotment:  # fmt: skip
    return Allotment(
        allotment_id=AllotmentId(allotment_id),
        property_id=PropertyId(property_id),
        unit_type_id=UnitTypeId(unit_type_id),
        channel=channel,
        nights=DateRange(first_night, end_date),
        guaranteed=guaranteed,
        cap=cap,
        release_days=release_days,
        release_on=release_on,
        sold=tuple(sold),
        released_until=released_until,
        version=version,
    )


def _kept(allotment: Allotment) -> tuple[object, ...]:
    """Return the values of what may change, in the order of the columns."""
    nights = allotment.nights
    return (
        nights.start, nights.end, allotment.guaranteed, allotment.cap, allotment.release_days,
        allotment.release_on, list(allotment.sold), allotment.released_until, allotment.version,
    )  # fmt: skip


def _stale(allotment: Allotment) -> StaleVersionError:
    return StaleVersionError(allotment_id=str(allotment.allotment_id))
