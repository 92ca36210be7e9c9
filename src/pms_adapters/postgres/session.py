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

from pms_adapters.postgres.engine import Loan, checked_out
from pms_adapters.postgres.errors import translated
from pms_adapters.postgres.prepared import PreparedStatement, prepare, run_prepared
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
        self._loan: Loan | None = None
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

    def read(self, statements: Sequence[Statement]) -> list[list[Row]]:
        """Run statements that only read, as a transaction of their own in one round trip."""
        naming = (_NAME_AGENCY, (str(self.agency_id),))
        return self._send([naming, *statements])[1:]

    def commit(self, statements: Sequence[Statement] = ()) -> list[list[Row]]:
        """Run the last statements and commit, all in one round trip; a failure undoes everything."""
        answers = self._send([*statements, _COMMIT])
        self.is_open = False
        return answers

    def run_whole(self, *statements: PreparedStatement) -> list[tuple[bytes | None, ...]]:
        """Run a whole transaction of prepared statements in one round trip; return the last one's rows.

        Nothing may be open yet. What stands between two synchronisation points of the protocol is one
        transaction, so it needs neither BEGIN nor COMMIT, and a failure leaves nothing to roll back.
        """
        loan = self._borrowed()
        with translated():
            for statement in statements:
                if statement.name not in loan.prepared:
                    prepare(loan.connection.pgconn, statement)
                    loan.prepared.add(statement.name)
            return run_prepared(loan.connection.pgconn, statements)

    def abandon(self) -> None:
        """Undo the transaction; the next statement begins another on the same connection."""
        self.is_open = False
        if self._loan is None or self._loan.connection.closed:
            return
        connection = self._loan.connection
        if connection.info.transaction_status != pq.TransactionStatus.IDLE:
            # Below the driver's cursors: a ROLLBACK that it sees makes it forget all prepared statements.
            connection.pgconn.exec_(b"ROLLBACK")

    def _send(self, statements: Sequence[Statement]) -> list[list[Row]]:
        connection = self._borrowed().connection
        with translated():
            with connection.pipeline():
                cursors = [connection.execute(sql, params) for sql, params in statements]
            return [cursor.fetchall() if cursor.description else [] for cursor in cursors]

    def _borrowed(self) -> Loan:
        if self._loan is None:
            self._loan = self._stack.enter_context(checked_out(self._engine))
        return self._loan
