"""One transaction on one connection.

Owns when a transaction begins, what it is told at its start, and how several statements travel together.
Leaves what they say to the repositories and to ``transaction``.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import LiteralString, Self

from psycopg import pq
from sqlalchemy import Engine

from pms_adapters.postgres.engine import Connection, checked_out
from pms_adapters.postgres.errors import translated
from pmscore.kernel.ids import AgencyId, PropertyId

__all__ = ["Row", "Session", "Statement", "house_lock"]

Row = tuple[object, ...]
Statement = tuple[LiteralString, Sequence[object]]

_BEGIN: Statement = ("BEGIN", ())
_COMMIT: Statement = ("COMMIT", ())
_NAME_AGENCY: LiteralString = "SELECT set_config('app.agency_id', %s, true)"


def house_lock(agency_id: AgencyId, property_id: PropertyId) -> int:
    """Return the advisory lock number of a house: 64 bits made of both ids."""
    mixed = (agency_id.int * 0x9E3779B97F4A7C15) ^ property_id.int ^ (property_id.int >> 64)
    return (mixed & 0xFFFFFFFFFFFFFFFF) - (1 << 63)


class Session:
    """Lends a connection at the first statement; gives it back, rolled back if need be, at the end."""

    def __init__(self, engine: Engine, agency_id: AgencyId) -> None:
        self.agency_id = agency_id
        self._engine = engine
        self._stack = ExitStack()
        self._connection: Connection | None = None
        self.is_open = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.abandon()
        finally:
            self._stack.close()

    def rows(self, sql: LiteralString, *params: object) -> list[Row]:
        """Run one statement inside the transaction, which begins with it, and return its rows."""
        return self.run([(sql, params)])[-1]

    def run(self, statements: Sequence[Statement]) -> list[list[Row]]:
        """Run statements inside the transaction in one round trip; return the rows of each."""
        opening = () if self.is_open else (_BEGIN, (_NAME_AGENCY, (str(self.agency_id),)))
        answers = self._send([*opening, *statements])
        self.is_open = True
        return answers[len(opening) :]

    def commit(self, statements: Sequence[Statement] = ()) -> list[list[Row]]:
        """Run the last statements and commit, all in one round trip; a failure undoes everything."""
        answers = self._send([*statements, _COMMIT])
        self.is_open = False
        return answers

    def run_whole(self, opening: Statement, statement: Statement) -> list[Row]:
        """Run a whole transaction in one round trip: begin, ``opening``, ``statement``, commit."""
        return self._send([_BEGIN, opening, statement, _COMMIT])[2]

    def abandon(self) -> None:
        """Undo the transaction; the next statement begins another on the same connection."""
        connection = self._connection
        self.is_open = False
        if connection is None or connection.closed:
            return
        if connection.info.transaction_status != pq.TransactionStatus.IDLE:
            with translated():
                connection.execute("ROLLBACK")

    def _send(self, statements: Sequence[Statement]) -> list[list[Row]]:
        connection = self._borrowed()
        with translated():
            with connection.pipeline():
                cursors = [connection.execute(sql, params) for sql, params in statements]
            return [cursor.fetchall() if cursor.description else [] for cursor in cursors]

    def _borrowed(self) -> Connection:
        if self._connection is None:
            self._connection = self._stack.enter_context(checked_out(self._engine))
        return self._connection
