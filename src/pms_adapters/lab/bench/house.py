"""The house that is measured: its ids, and its bookings made in bulk by SQL.

Owns names that both Python and pgbench's scripts can work out (unit number 7 has the same id in both), and
tables filled so that ``pms verify`` finds nothing wrong with them. Bookings already there lie before
``FIRST_DAY``, those that are measured after it.
"""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import psycopg
from attrs import frozen

from pmscore.kernel.ids import ActorId, AgencyId, GuestId, PropertyId, UnitId, UnitTypeId

__all__ = ["ACTOR", "AGENCY", "FIRST_DAY", "GUESTS", "HOUSE", "House", "Slot", "hex_id", "seed"]

FIRST_DAY = date(2030, 1, 1)
GUESTS = 2_000
LAYERS = 180
NIGHTS = 3
_PITCH = 4
_STRIDE = 48_271  # a prime, so that it walks over all slots before it comes back
_LOW = 1 << 47  # makes to_hex() answer twelve digits


def hex_id(kind: int, number: int) -> UUID:
    """Return the id of something by its number; SQL has the same in :func:`sql_id`."""
    return UUID(f"01930000-0000-7000-8{kind:03x}-{_LOW + number:012x}")


def sql_id(kind: int, number: str) -> str:
    """Return the SQL expression, as pieces for ``concat``, for the id of something by its number."""
    return f"'01930000-0000-7000-8{kind:03x}-', to_hex({_LOW}::bigint + ({number})::bigint)"


AGENCY = AgencyId(hex_id(1, 0))
ACTOR = ActorId(hex_id(2, 0))
HOUSE = PropertyId(hex_id(3, 0))
TYPE, UNIT, GUEST, BOOKING, ROOM, EVENT, REQUEST = 4, 5, 6, 7, 8, 9, 10


@frozen
class Slot:
    """A free stay of three nights on one unit, by numbers."""

    unit: int
    arrival: date

    @property
    def departure(self) -> date:
        """The day after its last night."""
        return self.arrival + timedelta(days=NIGHTS)


@frozen
class House:
    """Rooms and types by number; unit number n is of type n modulo the types."""

    rooms: int
    types: int

    def unit_id(self, unit: int) -> UnitId:
        """Return a unit's id."""
        return UnitId(hex_id(UNIT, unit))

    def type_of(self, unit: int) -> UnitTypeId:
        """Return the type of a unit."""
        return UnitTypeId(hex_id(TYPE, unit % self.types))

    def type_ids(self) -> tuple[UnitTypeId, ...]:
        """Return all types."""
        return tuple(UnitTypeId(hex_id(TYPE, number)) for number in range(self.types))

    def guest_id(self, number: int) -> GuestId:
        """Return the guest of the booking with this number."""
        return GuestId(hex_id(GUEST, number % GUESTS))

    def slot(self, number: int) -> Slot:
        """Return the slot with this number; neighbours are scattered over units and days, none overlap."""
        place = number * _STRIDE % (self.rooms * LAYERS)
        return Slot(place % self.rooms, FIRST_DAY + timedelta(days=_PITCH * (place // self.rooms)))

    def settings(self) -> tuple[str, ...]:
        r"""Return the same choice as ``\set`` expressions of pgbench; ``start`` and ``clients`` are given to it."""
        return (
            "i :i + 1",
            "k :start + :i * :clients + :client_id",
            f"place :k * {_STRIDE} % {self.rooms * LAYERS}",
            f"unit :place % {self.rooms}",
            f"type :unit % {self.types}",
            f"day {_PITCH} * (:place / {self.rooms})",
            f"guest :k % {GUESTS}",
        )


def seed(url: str, house: House, bookings: int) -> None:
    """Fill a migrated, empty database as its superuser: the house, its guests and so many past bookings.

    Each unit has a stay of one to five nights in each week of the past; 50 bookings a year for 50 weeks.
    Foreign keys are left unchecked meanwhile, since what is made here refers to what is made here.
    """
    numbers = {"rooms": house.rooms, "types": house.types, "guests": GUESTS, "bookings": bookings}
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET synchronous_commit = off")
        connection.execute("SET statement_timeout = 0")
        connection.execute("SET max_parallel_workers_per_gather = 0")
        for statement in _STATEMENTS:
            connection.execute(_filled(statement, numbers).encode())
        connection.execute("VACUUM (ANALYZE)")
        connection.execute("CHECKPOINT")


def _filled(statement: str, numbers: dict[str, int]) -> str:
    for name, number in numbers.items():
        statement = statement.replace(f"<{name}>", str(number))
    return statement


def _uuid(kind: int, number: str) -> str:
    return f"concat({sql_id(kind, number)})::uuid"


_SLOT = f"""
  SELECT n, n % <rooms> AS unit, n % <rooms> % <types> AS type,
         h.last - 7 * (n / <rooms>)::int - 7 + (hashint4(n::int) & 1)::int AS arrival,
         1 + (hashint4((n + 77)::int) & 1023) % 5 AS nights
    FROM generate_series(0, <bookings> - 1) AS n, (SELECT date '{FIRST_DAY.isoformat()}' AS last) AS h
"""

_STATEMENTS = (
    f"INSERT INTO agencies (agency_id, name, slug) VALUES ('{AGENCY}', 'Bench', 'bench')",
    f"""INSERT INTO properties (agency_id, property_id, name, zone, currency, business_date, check_in_at,
                                check_out_at, version)
        VALUES ('{AGENCY}', '{HOUSE}', 'Bench', 'Europe/Lisbon', 'EUR', date '{FIRST_DAY}' - 1, '15:00',
                '11:00', 1)""",
    f"""INSERT INTO unit_types (agency_id, unit_type_id, property_id, name, largest_party, overbooking,
                                turnover_nights)
        SELECT '{AGENCY}', {_uuid(TYPE, "t")}, '{HOUSE}', 'Type ' || lpad(t::text, 3, '0'), 2, 0, 0
          FROM generate_series(0, <types> - 1) AS t""",
    f"""INSERT INTO unit_type_capacities (agency_id, unit_type_id, valid_from, rooms)
        SELECT '{AGENCY}', {_uuid(TYPE, "u % <types>")}, '2000-01-01', count(*)
          FROM generate_series(0, <rooms> - 1) AS u GROUP BY u % <types>""",
    f"""INSERT INTO units (agency_id, unit_id, unit_type_id, name)
        SELECT '{AGENCY}', {_uuid(UNIT, "u")}, {_uuid(TYPE, "u % <types>")}, lpad(u::text, 5, '0')
          FROM generate_series(0, <rooms> - 1) AS u""",
    f"""CREATE UNLOGGED TABLE bench_slots AS
        SELECT s.*, {_uuid(BOOKING, "n")} AS booking_id, {_uuid(ROOM, "n")} AS room_id,
               {_uuid(UNIT, "unit")} AS unit_id, {_uuid(TYPE, "type")} AS type_id,
               {_uuid(GUEST, "n % <guests>")} AS guest_id,
               timestamptz '2020-01-01 00:00Z' + n * interval '1 minute' AS made_at
          FROM ({_SLOT}) AS s""",
    f"""INSERT INTO guests (agency_id, guest_id, name, total_bookings, first_booking_at, last_booking_at,
                            updated_at, version)
        SELECT '{AGENCY}', {_uuid(GUEST, "g")}, 'Guest ' || g, coalesce(m.made, 0), m.first_at, m.last_at,
               '2020-01-01 00:00Z', 1
          FROM generate_series(0, <guests> - 1) AS g
          LEFT JOIN (SELECT guest_id, count(*) AS made, min(made_at) AS first_at, max(made_at) AS last_at
                       FROM bench_slots GROUP BY guest_id) AS m ON m.guest_id = {_uuid(GUEST, "g")}""",
    f"""INSERT INTO bookings (agency_id, booking_id, property_id, guest_id, status, currency, channel,
                              created_at, version)
        SELECT '{AGENCY}', booking_id, '{HOUSE}', guest_id, 'confirmed', 'EUR', 'direct', made_at, 1
          FROM bench_slots ORDER BY n""",
    f"""INSERT INTO booking_rooms (agency_id, room_id, booking_id, position, unit_type_id, arrival, departure,
                                   adults, children, infants, nightly, placements, turnover_nights, is_locked,
                                   is_oversold)
        SELECT '{AGENCY}', room_id, booking_id, 0, type_id, arrival, arrival + nights, 2, 0, 0,
               array_fill(10000::bigint, ARRAY[nights]),
               jsonb_build_array(jsonb_build_object('unit_id', unit_id, 'unit_type_id', type_id,
                                                    'from', arrival, 'to', arrival + nights)),
               0, false, false
          FROM bench_slots ORDER BY n""",
    f"""INSERT INTO unit_nights (agency_id, unit_id, night, kind, source_id)
        SELECT '{AGENCY}', unit_id, arrival + g, 'booked', room_id
          FROM bench_slots, generate_series(0, nights - 1) AS g ORDER BY arrival + g, unit""",
    f"""INSERT INTO type_nights (agency_id, unit_type_id, night, capacity, overbooking, booked)
        SELECT '{AGENCY}', type_id, arrival + g, k.rooms, 0, count(*)
          FROM bench_slots, generate_series(0, nights - 1) AS g, unit_type_capacities k
         WHERE k.unit_type_id = type_id
         GROUP BY type_id, arrival + g, k.rooms ORDER BY 2, 3""",
    f"""INSERT INTO type_nights (agency_id, unit_type_id, night, capacity, overbooking)
        SELECT '{AGENCY}', k.unit_type_id, date '{FIRST_DAY}' + g, k.rooms, 0
          FROM unit_type_capacities k, generate_series(0, {_PITCH * LAYERS}) AS g ORDER BY 2, 3""",
    f"""INSERT INTO events (agency_id, event_id, kind, aggregate, aggregate_id, version, at, actor_id,
                            request_id, payload)
        SELECT '{AGENCY}', {_uuid(EVENT, "n")}, 'booking.created', 'booking', booking_id, 1, made_at,
               '{ACTOR}', {_uuid(REQUEST, "n")},
               jsonb_build_object('property_id', '{HOUSE}', 'guest_id', guest_id, 'status', 'confirmed',
                                  'channel', 'direct', 'segment', '', 'currency', 'EUR', 'rooms',
                                  jsonb_build_array(jsonb_build_object('room_id', room_id, 'arrival', arrival,
                                    'departure', arrival + nights)))
          FROM bench_slots ORDER BY n""",
    "DROP TABLE bench_slots",
)
