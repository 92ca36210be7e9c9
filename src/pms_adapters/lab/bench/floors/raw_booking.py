"""Floor of P3: ready-made values of a booking sent by psycopg, with nothing around it.

Two prepared statements in one pipeline of libpq, which is one transaction and one round trip.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import psycopg
from psycopg import pq
from psycopg.errors import error_from_result

__all__ = ["rate"]

Sent = Sequence[tuple[bytes, bytes, Sequence[bytes]]]


def rate(url: str, bookings: Sequence[Sent]) -> float:
    """Return how many bookings a second were sent; each is (name, statement, values) of what it consists of."""
    with psycopg.connect(url, autocommit=True) as connection:
        pgconn = connection.pgconn
        for name, sql, _ in bookings[0]:
            prepared = pgconn.prepare(name, sql)
            if prepared.status != pq.ExecStatus.COMMAND_OK:
                raise error_from_result(prepared)
        started = time.perf_counter()
        for booking in bookings:
            _send(pgconn, booking)
        return len(bookings) / (time.perf_counter() - started)


def _send(pgconn: pq.abc.PGconn, statements: Sent) -> None:
    pgconn.enter_pipeline_mode()
    for name, _, values in statements:
        pgconn.send_query_prepared(name, values)
    pgconn.pipeline_sync()
    while True:
        result = pgconn.get_result()
        if result is None:
            continue
        if result.status == pq.ExecStatus.PIPELINE_SYNC:
            break
        if result.status != pq.ExecStatus.TUPLES_OK:
            raise error_from_result(result)
    pgconn.exit_pipeline_mode()
