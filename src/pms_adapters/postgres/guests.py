"""Guests and their figures on PostgreSQL.

Owns their queries and updates; new rows travel in the document of ``writes``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from pms_adapters.postgres.listing import conditions, read_page
from pms_adapters.postgres.rows import guest_row
from pms_adapters.postgres.session import Session, Statement
from pms_adapters.postgres.writes import Expectation, WriteSet
from pmscore.booking.model.lifecycle import COUNTED
from pmscore.guests.model import Guest, GuestMetrics, MetricsChange
from pmscore.guests.ports import GuestRepository
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import NotFoundError, StaleVersionError
from pmscore.kernel.ids import AgencyId, GuestId
from pmscore.kernel.money import Money
from pmscore.kernel.paging import Page, Paged

__all__ = ["PostgresGuests", "figure_statements"]

_GUEST_COLUMNS: LiteralString = (
    "g.guest_id, g.name, g.email, g.phone, g.country, g.total_bookings, g.total_spent, g.first_booking_at,"
    " g.last_booking_at, g.average_rating, g.updated_at, g.deleted_at, g.version"
)
_GUEST: LiteralString = f"SELECT {_GUEST_COLUMNS} FROM guests g WHERE g.agency_id = %s AND g.guest_id = %s"
_GUESTS: LiteralString = (
    f"SELECT {_GUEST_COLUMNS} FROM guests g WHERE g.agency_id = %s AND g.guest_id = ANY(%s)"
)
_UPDATE: LiteralString = """\
UPDATE guests SET name = %s, email = %s, phone = %s, country = %s, updated_at = %s, version = %s
 WHERE agency_id = %s AND guest_id = %s AND version = %s RETURNING 1"""
_STAYS_WITHIN: LiteralString = (
    "SELECT 1 FROM bookings WHERE agency_id = %s AND guest_id = %s AND property_id = ANY(%s) LIMIT 1"
)
_HAS_BOOKING_WITHIN: LiteralString = (
    "EXISTS (SELECT 1 FROM bookings b"
    " WHERE b.agency_id = g.agency_id AND b.guest_id = g.guest_id AND b.property_id = ANY(%s))"
)
_LOCK_GUEST: LiteralString = "SELECT 1 FROM guests WHERE agency_id = %s AND guest_id = %s FOR NO KEY UPDATE"
_FIGURES: LiteralString = """\
UPDATE guests g
   SET total_bookings = total_bookings + c.bookings,
       total_spent = CASE WHEN c.spent = 0 THEN total_spent ELSE jsonb_strip_nulls(
         total_spent || jsonb_build_object(
           c.currency, nullif(coalesce((total_spent ->> c.currency)::bigint, 0) + c.spent, 0))) END,
       first_booking_at = CASE WHEN c.bookings > 0 THEN least(first_booking_at, c.booked_at)
         WHEN c.bookings < 0 THEN (
           SELECT min(b.created_at) FROM bookings b
            WHERE b.agency_id = g.agency_id AND b.guest_id = g.guest_id AND b.status = ANY(c.counted))
         ELSE first_booking_at END,
       last_booking_at = CASE WHEN c.bookings > 0 THEN greatest(last_booking_at, c.booked_at)
         WHEN c.bookings < 0 THEN (
           SELECT max(b.created_at) FROM bookings b
            WHERE b.agency_id = g.agency_id AND b.guest_id = g.guest_id AND b.status = ANY(c.counted))
         ELSE last_booking_at END
  FROM (SELECT %s::int AS bookings, %s::bigint AS spent, %s::text AS currency,
               %s::timestamptz AS booked_at, %s::text[] AS counted) AS c
 WHERE g.agency_id = %s AND g.guest_id = %s RETURNING 1"""

_COUNTED = sorted(status.value for status in COUNTED)


class PostgresGuests(GuestRepository):
    """Guests on PostgreSQL."""

    def __init__(self, session: Session, writes: WriteSet) -> None:
        self._session = session
        self._writes = writes

    def add(self, guest: Guest) -> None:
        self._writes.guests.append(guest_row(guest))

    def get(self, guest_id: GuestId) -> Guest:
        statements: list[Statement] = [(_GUEST, (self._session.agency_id, guest_id))]
        if self._session.reach is not None:
            statements.append(
                (_STAYS_WITHIN, (self._session.agency_id, guest_id, sorted(self._session.reach)))
            )
        found = self._session.run(statements)
        if not all(found):
            raise NotFoundError("guest", guest_id)
        return _loaded_guest(*found[0][0])  # type: ignore[arg-type]

    def get_all(self, guest_ids: Iterable[GuestId]) -> Mapping[GuestId, Guest]:
        wanted = sorted(set(guest_ids))
        if not wanted:
            return {}
        parts: list[Statement] = [(_GUESTS, (self._session.agency_id, wanted))]
        if self._session.reach is not None:
            parts.append((_HAS_BOOKING_WITHIN, (sorted(self._session.reach),)))
        rows = self._session.read([conditions(parts)])[0]
        found = {each.guest_id: each for each in (_loaded_guest(*row) for row in rows)}  # type: ignore[arg-type]
        for each in wanted:
            if each not in found:
                raise NotFoundError("guest", each)
        return found

    def save(self, guest: Guest) -> None:
        values = (
            guest.name, guest.email, guest.phone, guest.country, guest.updated_at, guest.version,
            self._session.agency_id, guest.guest_id, guest.version - 1,
        )  # fmt: skip
        stale = StaleVersionError(guest_id=str(guest.guest_id))
        self._writes.aggregates.append(Expectation((_UPDATE, values), 1, stale))

    def find(self, text: str, page: Page) -> Paged[Guest]:
        parts: list[Statement] = [("g.agency_id = %s", (self._session.agency_id,))]
        if text:
            parts.append(
                (
                    "(position(lower(%s) in lower(g.name)) > 0 OR position(lower(%s) in lower(g.email)) > 0)",
                    (text, text),
                )
            )
        if self._session.reach is not None:
            parts.append((_HAS_BOOKING_WITHIN, (sorted(self._session.reach),)))
        where, values = conditions(parts)
        listed: Statement = ("guests g WHERE " + where, values)
        return read_page(
            self._session, _GUEST_COLUMNS, listed, 'g.name COLLATE "C", g.guest_id', page,
            lambda row: _loaded_guest(*row),  # type: ignore[arg-type]
        )  # fmt: skip

    def count(self, change: MetricsChange) -> None:
        if change:
            self._writes.figures.append(change)


def figure_statements(agency_id: AgencyId, changes: list[MetricsChange]) -> list[Expectation | Statement]:
    """Return the updates of guests' figures, by guest id, each after the guest's row was locked.

    The lock is a statement of its own, so that the bookings it then looks through are those committed by
    whoever held the row before.
    """
    statements: list[Expectation | Statement] = []
    for change in sorted(changes, key=lambda each: each.guest_id):
        keys = (agency_id, change.guest_id)
        if change.bookings < 0:
            statements.append((_LOCK_GUEST, keys))
        values = (
            change.bookings, change.spent.minor, change.spent.currency.code, change.booked_at, _COUNTED, *keys,
        )  # fmt: skip
        missing = NotFoundError("guest", change.guest_id)
        statements.append(Expectation((_FIGURES, values), 1, missing))
    return statements


def _loaded_guest(
    guest_id: UUID, name: str, email: str, phone: str, country: str, total_bookings: int,
    total_spent: dict[str, int], first_booking_at: datetime | None, last_booking_at: datetime | None,
    average_rating: int | None, updated_at: datetime | None, deleted_at: datetime | None, version: int,
) -> Guest:  # fmt: skip
    spent = tuple(Money(total_spent[code], Currency.recorded(code)) for code in sorted(total_spent))
    return Guest(
        guest_id=GuestId(guest_id),
        name=name,
        email=email,
        phone=phone,
        country=country,
        metrics=GuestMetrics(
            total_bookings=total_bookings,
            total_spent=spent,
            first_booking_at=first_booking_at,
            last_booking_at=last_booking_at,
            average_rating=average_rating,
        ),
        updated_at=updated_at,
        deleted_at=deleted_at,
        version=version,
    )
