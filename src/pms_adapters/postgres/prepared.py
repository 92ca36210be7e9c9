"""Prepared statements sent together through libpq's pipeline, below the driver's cursors.

Owns how statements reach the server: each is prepared once a connection, several travel in one round trip, and
what the client spends on them is half of what cursors would cost. Waiting is done on the socket, outside the
interpreter's lock, since what is waited for may be another thread's commit. Values go as text; the server
knows their types from the statement. Reading results is the driver's.
"""

from __future__ import annotations

import select
from collections.abc import Sequence
from datetime import date, datetime, time
from functools import cache
from itertools import count
from typing import Final
from uuid import UUID

import psycopg
from attrs import frozen
from psycopg import pq
from psycopg.errors import error_from_result

__all__ = ["Pipelined", "PreparedStatement", "prepare", "prepared_form", "run_pipeline", "run_prepared"]

_FAILED = (pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.BAD_RESPONSE)
_NAMES: Final = count(1)


@frozen
class PreparedStatement:
    """A statement by the name under which a connection prepares it once, with its values as text."""

    name: bytes
    sql: bytes
    values: tuple[bytes | None, ...]


@frozen
class Pipelined:
    """The results up to the first failure, which is that of the statement after them."""

    results: list[pq.abc.PGresult]
    failure: psycopg.Error | None


def prepared_form(sql: str, values: Sequence[object]) -> PreparedStatement:
    """Return a statement written with ``%s`` in the form that is sent.

    Raises:
        psycopg.DataError: a value has no form as text, or is text that PostgreSQL cannot keep.
    """
    name, numbered = _numbered(sql)
    return PreparedStatement(name, numbered, tuple([_as_text(value) for value in values]))


def prepare(connection: pq.abc.PGconn, statement: PreparedStatement) -> None:
    """Prepare a statement on a connection.

    Raises:
        psycopg.Error: the server did not take it.
    """
    connection.send_prepare(statement.name, statement.sql)
    _send(connection)
    failure: psycopg.Error | None = None
    while True:
        _await(connection)
        result = connection.get_result()
        if result is None:
            break
        if result.status in _FAILED:
            failure = error_from_result(result)
    if failure is not None:
        raise failure


def run_pipeline(connection: pq.abc.PGconn, statements: Sequence[PreparedStatement]) -> Pipelined:
    """Run prepared statements in one round trip; nothing after the first failure is run.

    Where no transaction is open they are one: what stands between two synchronisation points of the
    protocol needs neither BEGIN nor COMMIT, and a failure leaves nothing to roll back.

    Raises:
        psycopg.OperationalError: the connection was lost; what was done is unknown.
    """
    connection.enter_pipeline_mode()
    try:
        for statement in statements:
            connection.send_query_prepared(statement.name, statement.values)
        connection.pipeline_sync()
        _send(connection)
        return _to_synchronisation(connection)
    finally:
        if connection.status == pq.ConnStatus.OK:
            connection.exit_pipeline_mode()


def run_prepared(
    connection: pq.abc.PGconn, statements: Sequence[PreparedStatement]
) -> list[tuple[bytes | None, ...]]:
    """Run prepared statements as :func:`run_pipeline` does; return the rows of the last, as text.

    Raises:
        psycopg.Error: what the server said about the first that failed; nothing was done.
    """
    answer = run_pipeline(connection, statements)
    if answer.failure is not None:
        raise answer.failure
    last = answer.results[-1]
    return [
        tuple([last.get_value(row, column) for column in range(last.nfields)]) for row in range(last.ntuples)
    ]


@cache
def _numbered(sql: str) -> tuple[bytes, bytes]:
    """Return a name for the statement, the same in the whole process, and its text with numbered values."""
    first, *rest = sql.split("%s")
    text = first + "".join(f"${number}{part}" for number, part in enumerate(rest, start=1))
    return b"pms_%d" % next(_NAMES), text.encode()


def _as_text(value: object) -> bytes | None:
    match value:
        case None:
            return None
        case bytes():
            return value
        case str():
            return _storable(value)
        case bool():
            return b"t" if value else b"f"
        case int():
            return b"%d" % value
        case UUID():
            return value.hex.encode()
        case datetime() | date() | time():
            return value.isoformat().encode()
        case list() | tuple():
            return b"{" + b",".join([_element(each) for each in value]) + b"}"
        case _:
            raise psycopg.DataError(f"no text for a {type(value).__name__}")


def _element(value: object) -> bytes:
    if isinstance(value, UUID):  # the usual element, and one that needs no quotes
        return value.hex.encode()
    text = _as_text(value)
    if text is None:
        return b"NULL"
    return b'"' + text.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def _storable(text: str) -> bytes:
    if "\0" in text:
        raise psycopg.DataError("text with a NUL")
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise psycopg.DataError("text with a lone surrogate") from error


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


def _to_synchronisation(connection: pq.abc.PGconn) -> Pipelined:
    """Read to the synchronisation point, which may also be the commit, before believing any of it."""
    results: list[pq.abc.PGresult] = []
    failure: psycopg.Error | None = None
    while True:
        _await(connection)
        result = connection.get_result()
        if result is None:
            if connection.status != pq.ConnStatus.OK:
                raise psycopg.OperationalError("the connection was lost")
            continue
        if result.status == pq.ExecStatus.PIPELINE_SYNC:
            return Pipelined(results, failure)
        if result.status in _FAILED:
            failure = failure or error_from_result(result)
        elif failure is None:
            results.append(result)
