"""Bookings and agencies on PostgreSQL.

Owns their queries and updates; new rows travel in the document of ``writes``.
"""

from __future__ import annotations

from datetime import datetime
from typing import LiteralString
from uuid import UUID

from pms_adapters.postgres.access_rows import slug_hash
from pms_adapters.postgres.documents import as_document
from pms_adapters.postgres.listing import booking_conditions, conditions, read_page
from pms_adapters.postgres.rows import booking_row, loaded_booking, loaded_room, room_rows
from pms_adapters.postgres.session import Row, Session, Statement
from pms_adapters.postgres.writes import Expectation, WriteSet
from pmscore.access.model.agencies import Agency
from pmscore.access.ports import AgencyRepository
from pmscore.booking.model.booking import Booking
from pmscore.booking.model.lifecycle import CLAIMING
from pmscore.booking.model.listing import BookingFilter
from pmscore.booking.ports import BookingRepository
from pmscore.dates.ranges import DateRange
from pmscore.kernel.errors import MisuseError, NotFoundError, StaleVersionError
from pmscore.kernel.ids import AgencyId, BookingId, PropertyId
from pmscore.kernel.paging import Page, Paged

__all__ = ["PostgresAgencies", "PostgresBookings"]

_COLUMNS: LiteralString = (
    "b.booking_id, b.property_id, b.guest_id, b.status, b.currency, b.channel, b.channel_reference,"
    " b.segment, b.requests, b.notes, b.terms, b.created_at, b.option_until, b.checked_in_on,"
    " b.checked_out_on, b.version, b.quote_id, b.cancellation"
)
_ROOM_COLUMNS: LiteralString = (
    "r.room_id, r.unit_type_id, r.arrival, r.departure, r.adults, r.children, r.infants, r.nightly,"
    " r.placements, r.turnover_nights, r.is_locked, r.is_oversold"
)
_WIDTH = _COLUMNS.count(",") + 1
_LOCKED_BOOKING: LiteralString = (
    f"SELECT {_COLUMNS} FROM bookings b WHERE b.agency_id = %s AND b.booking_id = %s FOR NO KEY UPDATE"
)
_ROOMS: LiteralString = (
    f"SELECT {_ROOM_COLUMNS} FROM booking_rooms r WHERE r.agency_id = %s AND r.booking_id = %s"
    " ORDER BY r.position"
)
# One statement, so that booking and rooms are of one version although nothing is locked.
_WHOLE_BOOKING: LiteralString = f"""\
SELECT {_COLUMNS}, {_ROOM_COLUMNS} FROM bookings b JOIN booking_rooms r USING (agency_id, booking_id)
 WHERE b.agency_id = %s AND b.booking_id = %s ORDER BY r.position"""
_WHOLE_BOOKINGS: LiteralString = f"""\
SELECT {_COLUMNS}, {_ROOM_COLUMNS} FROM bookings b JOIN booking_rooms r USING (agency_id, booking_id)
 WHERE b.agency_id = %s AND b.booking_id = ANY(%s) ORDER BY r.position"""
_STAYING: LiteralString = """\
SELECT DISTINCT b.booking_id FROM bookings b JOIN booking_rooms r USING (agency_id, booking_id)
 WHERE b.agency_id = %s AND b.property_id = %s AND b.status = ANY(%s)
   AND r.arrival < %s AND r.departure + r.turnover_nights > %s ORDER BY b.booking_id"""
_UPDATE: LiteralString = """\
UPDATE bookings SET status = %s, requests = %s, notes = %s, option_until = %s, checked_in_on = %s,
       checked_out_on = %s, version = %s, cancellation = %s::jsonb
 WHERE agency_id = %s AND booking_id = %s AND version = %s RETURNING 1"""
_UPDATE_ROOMS: LiteralString = """\
UPDATE booking_rooms b
   SET unit_type_id = r.unit_type_id, arrival = r.arrival, departure = r.departure, adults = r.adults,
       children = r.children, infants = r.infants, nightly = r.nightly, placements = r.placements,
       turnover_nights = r.turnover_nights, is_locked = r.is_locked, is_oversold = r.is_oversold
  FROM jsonb_to_recordset(%s::jsonb) AS r(
       room_id uuid, position int, unit_type_id uuid, arrival date, departure date, adults int, children int,
       infants int, nightly bigint[], placements jsonb, turnover_nights int, is_locked boolean,
       is_oversold boolean)
 WHERE b.agency_id = %s AND b.booking_id = %s AND b.position = r.position AND b.room_id = r.room_id
RETURNING 1"""
# A booking with other rooms than before: each position is written anew, and what lies behind the last one goes.
_PUT_ROOMS: LiteralString = """\
INSERT INTO booking_rooms (agency_id, booking_id, position, room_id, unit_type_id, arrival, departure, adults, children,
                           infants, nightly, placements, turnover_nights, is_locked, is_oversold)
SELECT %s, r.booking_id, r.position, r.room_id, r.unit_type_id, r.arrival, r.departure, r.adults, r.children,
       r.infants, r.nightly, r.placements, r.turnover_nights, r.is_locked, r.is_oversold
  FROM jsonb_to_recordset(%s::jsonb) AS r(
       booking_id uuid, room_id uuid, position int, unit_type_id uuid, arrival date, departure date, adults int,
       children int, infants int, nightly bigint[], placements jsonb, turnover_nights int, is_locked boolean,
       is_oversold boolean)
ON CONFLICT (agency_id, booking_id, position) DO UPDATE
   SET room_id = excluded.room_id, unit_type_id = excluded.unit_type_id, arrival = excluded.arrival,
       departure = excluded.departure, adults = excluded.adults, children = excluded.children,
       infants = excluded.infants, nightly = excluded.nightly, placements = excluded.placements,
       turnover_nights = excluded.turnover_nights, is_locked = excluded.is_locked,
       is_oversold = excluded.is_oversold
RETURNING 1"""
_DROP_ROOMS: LiteralString = (
    "DELETE FROM booking_rooms WHERE agency_id = %s AND booking_id = %s AND position >= %s RETURNING 1"
)
_CLAIMING = sorted(status.value for status in CLAIMING)


class PostgresBookings(BookingRepository):
    """Bookings on PostgreSQL."""

    def __init__(self, session: Session, writes: WriteSet) -> None:
        self._session = session
        self._writes = writes
        self._read: dict[BookingId, Booking] = {}

    def add(self, booking: Booking) -> None:
        self._writes.bookings.append(booking_row(booking))
        self._writes.rooms.extend(room_rows(booking))

    def get(self, booking_id: BookingId) -> Booking:
        return self._locked((booking_id,))[0]

    def read(self, booking_id: BookingId) -> Booking:
        rows = self._session.read([(_WHOLE_BOOKING, (self._session.agency_id, booking_id))])[0]
        if not rows:
            raise NotFoundError("booking", booking_id)
        found = _whole(rows)
        self._session.check_reach(found.property_id, "booking", booking_id)
        return found

    def find(self, wanted: BookingFilter, page: Page) -> Paged[Booking]:
        own: Statement = ("b.agency_id = %s", (self._session.agency_id,))
        where, values = conditions([own, *booking_conditions(wanted, self._session.reach)])
        found = read_page(
            self._session,
            "b.booking_id",
            ("bookings b WHERE " + where, values),
            "b.created_at DESC, b.booking_id DESC",
            page,
            lambda row: BookingId(_uuid(row[0])),
        )
        if not found.items:
            return Paged((), found.total, page)
        rows = self._session.read([(_WHOLE_BOOKINGS, (self._session.agency_id, list(found.items)))])[0]
        by_id: dict[BookingId, list[Row]] = {}
        for row in rows:
            by_id.setdefault(BookingId(_uuid(row[0])), []).append(row)
        return Paged(tuple([_whole(by_id[each]) for each in found.items if each in by_id]), found.total, page)

    def save(self, booking: Booking) -> None:
        before = self._read.get(booking.booking_id)
        if before is None:
            raise MisuseError(saved_unread=str(booking.booking_id))
        keys = (self._session.agency_id, booking.booking_id)
        stale = StaleVersionError(booking_id=str(booking.booking_id))
        values = (
            booking.status.value, booking.requests, booking.notes, booking.option_until,
            booking.checked_in_on, booking.checked_out_on, booking.version,
            None if booking.cancellation is None else as_document(booking.cancellation.to_json()),
            *keys, before.version,
        )  # fmt: skip
        self._writes.aggregates.append(Expectation((_UPDATE, values), 1, stale))
        if booking.rooms == before.rooms:
            return
        rows = as_document(room_rows(booking))
        if [room.room_id for room in booking.rooms] == [room.room_id for room in before.rooms]:
            statement: Statement = (_UPDATE_ROOMS, (rows, *keys))
        else:
            statement = (_PUT_ROOMS, (self._session.agency_id, rows))
        self._writes.aggregates.append(Expectation(statement, len(booking.rooms), stale))
        gone = len(before.rooms) - len(booking.rooms)
        if gone > 0:
            drop = (_DROP_ROOMS, (*keys, len(booking.rooms)))
            self._writes.aggregates.append(Expectation(drop, gone, stale))

    def due_options(self, property_id: PropertyId, now: datetime) -> tuple[BookingId, ...]:
        if not self._session.reaches(property_id):
            return ()
        rows = self._session.rows(
            "SELECT booking_id FROM bookings WHERE agency_id = %s AND property_id = %s"
            " AND status = 'pending' AND option_until <= %s ORDER BY option_until, booking_id LIMIT 1000",
            self._session.agency_id, property_id, now,
        )  # fmt: skip
        return tuple(BookingId(_uuid(row[0])) for row in rows)

    def staying(self, property_id: PropertyId, nights: DateRange) -> tuple[Booking, ...]:
        if not self._session.reaches(property_id):
            return ()
        found = self._session.rows(
            _STAYING, self._session.agency_id, property_id, _CLAIMING, nights.end, nights.start
        )
        locked = self._locked(tuple(BookingId(_uuid(row[0])) for row in found))
        return tuple(each for each in locked if _claims_some(each, nights))

    def _locked(self, booking_ids: tuple[BookingId, ...]) -> tuple[Booking, ...]:
        """Lock and read bookings in the order given, all in one round trip."""
        statements: list[Statement] = []
        for booking_id in booking_ids:
            keys = (self._session.agency_id, booking_id)
            statements += [(_LOCKED_BOOKING, keys), (_ROOMS, keys)]
        answers = self._session.run(statements)
        for index, booking_id in enumerate(booking_ids):
            if not answers[2 * index]:
                raise NotFoundError("booking", booking_id)
            rooms = tuple(loaded_room(row) for row in answers[2 * index + 1])  # type: ignore[arg-type]
            found = loaded_booking(answers[2 * index][0], rooms)  # type: ignore[arg-type]
            self._session.check_reach(found.property_id, "booking", booking_id)
            self._read[booking_id] = found
        return tuple(self._read[each] for each in booking_ids)


def _whole(rows: list[Row]) -> Booking:
    """Return a booking from its rows, one a room, in their order."""
    rooms = tuple([loaded_room(row[_WIDTH:]) for row in rows])  # type: ignore[arg-type]
    return loaded_booking(rows[0][:_WIDTH], rooms)  # type: ignore[arg-type]


class PostgresAgencies(AgencyRepository):
    """Agencies on PostgreSQL."""

    def __init__(self, session: Session, writes: WriteSet) -> None:
        self._session = session
        self._writes = writes

    def add(self, agency: Agency) -> None:
        values = (agency.agency_id, agency.name, agency.slug)
        statement = ("INSERT INTO agencies (agency_id, name, slug) VALUES (%s, %s, %s) RETURNING 1", values)
        missing = NotFoundError("agency", agency.agency_id)
        self._writes.aggregates.append(Expectation(statement, 1, missing))
        entry = ("INSERT INTO key_index (key_hash, agency_id, key_id) VALUES (%s, %s, %s) RETURNING 1", (
            slug_hash(agency.slug), agency.agency_id, agency.agency_id
        ))  # fmt: skip
        self._writes.aggregates.append(Expectation(entry, 1, missing))

    def get(self, agency_id: AgencyId) -> Agency:
        rows: list[Row] = []
        if agency_id == self._session.agency_id:
            rows = self._session.rows("SELECT name, slug FROM agencies WHERE agency_id = %s", agency_id)
        if not rows:
            raise NotFoundError("agency", agency_id)
        return Agency(agency_id=agency_id, name=str(rows[0][0]), slug=str(rows[0][1]))


def _claims_some(booking: Booking, nights: DateRange) -> bool:
    return any(claim.nights.overlaps(nights) for claim in booking.claims())


def _uuid(value: object) -> UUID:
    if not isinstance(value, UUID):
        raise TypeError(type(value))
    return value
