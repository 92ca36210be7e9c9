"""Floors of P7: free rooms as tutorials and other systems look for them, on a plain table of their own.

Each form takes a connection and a stay and returns the numbers of the free rooms, ascending. No row-level
security, no framework, and prepared statements: all in their favour. ``TABLES`` makes what they read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import LiteralString

import psycopg

__all__ = [
    "FORMS",
    "INDEXES",
    "TABLES",
    "Form",
    "lines_by_night",
    "loop_over_bookings",
    "not_exists_on_exclusion_index",
    "not_in_with_four_ors",
    "one_exists_a_room",
]

Connection = psycopg.Connection[tuple[object, ...]]
Form = Callable[[Connection, date, date], list[int]]

TABLES: tuple[LiteralString, ...] = (
    "CREATE UNLOGGED TABLE peer_rooms (room int PRIMARY KEY)",
    "CREATE UNLOGGED TABLE peer_stays (room int NOT NULL, arrival date NOT NULL, departure date NOT NULL)",
    "CREATE UNLOGGED TABLE peer_lines (room int NOT NULL, night date NOT NULL)",
)
INDEXES: tuple[LiteralString, ...] = (
    "CREATE INDEX ON peer_stays (room)",
    # What an exclusion constraint on room and stay builds; a range of one room needs no extension.
    "CREATE INDEX ON peer_stays USING gist (int4range(room, room, '[]'), daterange(arrival, departure))",
    "CREATE INDEX ON peer_lines (night)",
    "VACUUM (ANALYZE) peer_rooms, peer_stays, peer_lines",
)


def loop_over_bookings(connection: Connection, arrival: date, departure: date) -> list[int]:
    """Load all bookings of each room, and compare them one by one."""
    free: list[int] = []
    for room in _rooms(connection):
        stays = connection.execute("SELECT arrival, departure FROM peer_stays WHERE room = %s", (room,))
        if not any(start < departure and end > arrival for start, end in stays.fetchall()):  # type: ignore[operator]
            free.append(room)
    return free


def one_exists_a_room(connection: Connection, arrival: date, departure: date) -> list[int]:
    """Ask for each room whether a booking overlaps."""
    sql: LiteralString = (
        "SELECT EXISTS (SELECT 1 FROM peer_stays WHERE room = %s AND arrival < %s AND departure > %s)"
    )
    return [
        room
        for room in _rooms(connection)
        if connection.execute(sql, (room, departure, arrival)).fetchone() == (False,)
    ]


def not_in_with_four_ors(connection: Connection, arrival: date, departure: date) -> list[int]:
    """Leave out the rooms of bookings that overlap in one of four ways, as QloApps does."""
    sql: LiteralString = """\
SELECT room FROM peer_rooms WHERE room NOT IN (
  SELECT room FROM peer_stays
   WHERE (arrival <= %(arrival)s AND departure > %(arrival)s AND departure <= %(departure)s)
      OR (arrival >= %(arrival)s AND departure <= %(departure)s)
      OR (arrival >= %(arrival)s AND arrival < %(departure)s AND departure >= %(departure)s)
      OR (arrival <= %(arrival)s AND departure >= %(departure)s)) ORDER BY room"""
    return _numbers(connection, sql, arrival, departure)


def lines_by_night(connection: Connection, arrival: date, departure: date) -> list[int]:
    """Fetch the lines of all nights, and take their rooms away in Python, as OCA's hotel modules do."""
    lines = connection.execute(
        "SELECT room, night FROM peer_lines WHERE night >= %s AND night <= %s",
        (arrival, departure - timedelta(days=1)),
    ).fetchall()
    taken = {room for room, _ in lines}
    return [room for room in _rooms(connection) if room not in taken]


def not_exists_on_exclusion_index(connection: Connection, arrival: date, departure: date) -> list[int]:
    """Ask with range operators, which the index of an exclusion constraint serves."""
    sql: LiteralString = """\
SELECT room FROM peer_rooms r WHERE NOT EXISTS (
  SELECT 1 FROM peer_stays s
   WHERE int4range(s.room, s.room, '[]') && int4range(r.room, r.room, '[]')
     AND daterange(s.arrival, s.departure) && daterange(%(arrival)s, %(departure)s)) ORDER BY room"""
    return _numbers(connection, sql, arrival, departure)


FORMS: Mapping[str, Form] = {
    "a loop over all bookings of each room": loop_over_bookings,
    "one EXISTS a room": one_exists_a_room,
    "NOT IN with four ORs": not_in_with_four_ors,
    "lines by night in Python": lines_by_night,
    "NOT EXISTS on an exclusion index": not_exists_on_exclusion_index,
}


def _rooms(connection: Connection) -> list[int]:
    return _ints(connection.execute("SELECT room FROM peer_rooms ORDER BY room").fetchall())


def _numbers(connection: Connection, sql: LiteralString, arrival: date, departure: date) -> list[int]:
    rows = connection.execute(sql, {"arrival": arrival, "departure": departure}).fetchall()
    return _ints(rows)


def _ints(rows: list[tuple[object, ...]]) -> list[int]:
    return [number for (number,) in rows if isinstance(number, int)]
