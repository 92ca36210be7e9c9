"""Floor of P18: the same rows as they come out of psycopg, as plain tuples."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import date
from typing import LiteralString

import psycopg

__all__ = ["EVENTS", "OCCUPIED", "milliseconds_a_read"]

_Connection = psycopg.Connection[tuple[object, ...]]
_NAME_AGENCY: LiteralString = "SELECT set_config('app.agency_id', %(agency)s, true)"

EVENTS: tuple[LiteralString, ...] = (
    """\
SELECT txid, seq, event_id, kind, aggregate, aggregate_id, version, at, actor_id, request_id, payload
  FROM events WHERE agency_id = %(agency)s AND (txid, seq) > (0, 0) ORDER BY txid, seq LIMIT %(limit)s""",
)
OCCUPIED: tuple[LiteralString, ...] = (
    """\
SELECT b.booking_id, r.unit_type_id, r.placements, r.arrival, r.departure, b.checked_out_on,
       r.turnover_nights, r.is_oversold
  FROM booking_rooms r JOIN bookings b USING (agency_id, booking_id)
 WHERE r.agency_id = %(agency)s AND b.property_id = %(property)s
   AND r.arrival < %(end)s AND r.departure + r.turnover_nights > %(start)s
   AND b.status IN ('pending', 'confirmed', 'checked_in', 'checked_out')""",
    """\
SELECT hold_id, unit_type_id, unit_id, arrival, departure, turnover_nights FROM holds
 WHERE agency_id = %(agency)s AND property_id = %(property)s
   AND arrival < %(end)s AND departure + turnover_nights > %(start)s AND status = 'active'""",
    """\
SELECT block_id, unit_type_id, unit_id, first_night, end_date, kind FROM blocks
 WHERE agency_id = %(agency)s AND property_id = %(property)s
   AND first_night < %(end)s AND end_date > %(start)s""",
)


def milliseconds_a_read(
    connection: _Connection,
    statements: Sequence[LiteralString],
    values: Mapping[str, str | int | date],
    count: int,
) -> tuple[float, int]:
    """Return how long one read takes, a transaction in one round trip, and how many rows it brings."""
    rows = 0
    started = time.perf_counter()
    for _ in range(count):
        with connection.pipeline():
            connection.execute(_NAME_AGENCY, values)
            cursors = [connection.execute(sql, values) for sql in statements]
        rows = sum(len(cursor.fetchall()) for cursor in cursors)
    return (time.perf_counter() - started) / count * 1e3, rows
