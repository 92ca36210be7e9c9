"""Prepared statements sent together through libpq's pipeline, below the driver's cursors.

Owns the one hot path: a booking costs one round trip, and half of what the client spends on it would be
the making of cursors that nobody reads. Everything else goes through psycopg's own connection.
"""

from __future__ import annotations

import select
from collections.abc import Sequence

import psycopg
from attrs import frozen
from psycopg import pq
from psycopg.errors import error_from_result

__all__ = ["PreparedStatement", "prepare", "run_prepared"]

_FAILED = (pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.BAD_RESPONSE)


@frozen
class PreparedStatement:
    """A statement by the name under which a connection prepares it once, with its values as text."""

    name: bytes
    sql: bytes
    values: tuple[bytes, ...]


def prepare(connection: pq.abc.PGconn, statement: PreparedStatement) -> None:
    """Prepare a statement on a connection.

    Raises:
        psycopg.Error: the server did not take it.
    """
    result = connection.prepare(statement.name, statement.sql)
    if result.status in _FAILED:
        raise error_from_result(result)


def run_prepared(
    connection: pq.abc.PGconn, statements: Sequence[PreparedStatement]
) -> list[tuple[bytes | None, ...]]:
    """Run prepared statements as one transaction in one round trip; return the rows of the last.

    Raises:
        psycopg.Error: what the server said about the first that failed; nothing was done.
    """
    connection.enter_pipeline_mode()
    try:
        for statement in statements:
            connection.send_query_prepared(statement.name, statement.values)
        connection.pipeline_sync()
        _send(connection)
        return _last_rows(connection, len(statements))
    finally:
        if connection.status == pq.ConnStatus.OK:
            connection.exit_pipeline_mode()


def _send(connection: pq.abc.PGconn) -> None:
    """Hand everything to the socket; while that is full, take in what the server has to say."""
    while connection.flush():
        ready = select.poll()
        ready.register(connection.socket, select.POLLIN | select.POLLOUT)
        if ready.poll()[0][1] & select.POLLIN:
            connection.consume_input()


def _await(connection: pq.abc.PGconn) -> None:
    """Wait until a result can be had without blocking."""
    if not connection.is_busy():
        return
    ready = select.poll()
    ready.register(connection.socket, select.POLLIN)
    while connection.is_busy():
        ready.poll()
        connection.consume_input()


def _last_rows(connection: pq.abc.PGconn, expected: int) -> list[tuple[bytes | None, ...]]:
    """Read to the synchronisation point, which is also the commit, before believing any of it."""
    rows: list[tuple[bytes | None, ...]] = []
    failure: psycopg.Error | None = None
    seen = 0
    while seen <= expected:
        _await(connection)
        result = connection.get_result()
        if result is None:
            if connection.status != pq.ConnStatus.OK:
                raise psycopg.OperationalError("the connection was lost")
            continue
        if result.status == pq.ExecStatus.PIPELINE_SYNC:
            break
        if result.status in _FAILED and failure is None:
            failure = error_from_result(result)
        elif result.status == pq.ExecStatus.TUPLES_OK:
            rows = [
                tuple([result.get_value(row, column) for column in range(result.nfields)])
                for row in range(result.ntuples)
            ]
        seen += 1
    if failure is not None:
        raise failure
    return rows
