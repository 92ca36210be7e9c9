"""One transaction on one connection.

Owns when a transaction begins, what it is told at its start, and how several statements travel together.
Leaves what they say to the repositories and to ``transaction``.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import LiteralString, Self

from psycopg import errors as pg
from psycopg import pq
from psycopg.adapt import Transformer
from sqlalchemy import Engine

from pms_adapters.postgres.engine import Loan, borrow, give_back
from pms_adapters.postgres.errors import translated
from pms_adapters.postgres.prepared import (
    Pipelined,
    PreparedStatement,
    prepare,
    prepared_form,
    run_pipeline,
    run_prepared,
)
from pms_adapters.tracing import round_trip
from pmscore.kernel.errors import NotFoundError
from pmscore.kernel.ids import AgencyId, PropertyId

__all__ = ["Row", "Session", "Statement", "UnmetError", "guarded", "house_lock"]

Row = tuple[object, ...]
Statement = tuple[LiteralString, Sequence[object]]

_BEGIN: Statement = ("BEGIN", ())
_BEGIN_SNAPSHOT: Statement = ("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", ())
_COMMIT: Statement = ("COMMIT", ())
_NAME_AGENCY: LiteralString = "SELECT set_config('app.agency_id', %s, true)"


class UnmetError(Exception):
    """A guarded statement touched other rows than it must; ``index`` is its place among those sent."""

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.index = index


def guarded(statement: Statement, rows: int) -> Statement:
    """Return the statement in a form that fails by itself unless it answers ``rows`` rows.

    The division by zero ends the transaction on the server, so the commit can travel with it.
    """
    sql, values = statement
    return "WITH done AS (" + sql + ") SELECT 1 / (count(*) = %s)::int FROM done", (*values, rows)


def house_lock(agency_id: AgencyId, property_id: PropertyId) -> int:
    """Return the advisory lock number of a house: 64 bits made of both ids."""
    mixed = (agency_id.int * 0x9E3779B97F4A7C15) ^ property_id.int ^ (property_id.int >> 64)
    return (mixed & 0xFFFFFFFFFFFFFFFF) - (1 << 63)


class Session:
    """Lends a connection at the first statement; gives it back, rolled back if need be, at the end.

    ``reach`` are the properties that the actor may see and touch, None for all: what belongs to another is not found.
    A session ``of_snapshot`` only reads, and all that :meth:`run` returns is as of its first statement.
    """

    def __init__(
        self,
        engine: Engine,
        agency_id: AgencyId,
        reach: frozenset[PropertyId] | None = None,
        *,
        of_snapshot: bool = False,
    ) -> None:
        self.agency_id = agency_id
        self.reach = reach
        self._begin = _BEGIN_SNAPSHOT if of_snapshot else _BEGIN
        self._engine = engine
        self._loan: Loan | None = None
        self.is_open = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def is_lent(self) -> bool:
        """Whether it has a connection, which a statement may have been sent on."""
        return self._loan is not None

    def reaches(self, property_id: PropertyId) -> bool:
        """Return whether the actor may see and touch the property."""
        return self.reach is None or property_id in self.reach

    def check_reach(self, property_id: PropertyId, kind: str, key: object) -> None:
        """Go on only if the actor reaches the property that ``key`` belongs to.

        Raises:
            NotFoundError: they do not; the same answer as for what does not exist.
        """
        if not self.reaches(property_id):
            raise NotFoundError(kind, key)

    def close(self) -> None:
        """Give the connection back, if one was lent; what was not committed is undone."""
        if self._loan is None:
            return
        try:
            self.abandon()
        finally:
            give_back(self._loan)

    def rows(self, sql: LiteralString, *params: object) -> list[Row]:
        """Run one statement inside the transaction, which begins with it, and return its rows."""
        return self.run([(sql, params)])[-1]

    def run(self, statements: Sequence[Statement]) -> list[list[Row]]:
        """Run statements inside the transaction in one round trip; return the rows of each."""
        opening = () if self.is_open else (self._begin, (_NAME_AGENCY, (str(self.agency_id),)))
        answers = self._send([*opening, *statements])
        self.is_open = True
        return answers[len(opening) :]

    def read(self, statements: Sequence[Statement]) -> list[list[Row]]:
        """Run statements that only read, as a transaction of their own in one round trip."""
        naming = (_NAME_AGENCY, (str(self.agency_id),))
        return self._send([naming, *statements])[1:]

    def commit(self, statements: Sequence[Statement] = ()) -> list[list[Row]]:
        """Run the last statements and commit, all in one round trip; a failure undoes everything.

        Raises:
            UnmetError: a guarded statement touched other rows than it must.
        """
        opening = () if self.is_open else (self._begin, (_NAME_AGENCY, (str(self.agency_id),)))
        self.is_open = True
        answers = self._send([*opening, *statements, _COMMIT], before=len(opening))
        self.is_open = False
        return answers[len(opening) :]

    def run_whole(self, *statements: PreparedStatement) -> list[tuple[bytes | None, ...]]:
        """Run a whole transaction in one round trip; return the last statement's rows. Nothing is open yet."""
        with translated(), round_trip(len(statements)):
            return run_prepared(self._ready(statements), statements)

    def abandon(self) -> None:
        """Undo the transaction; the next statement begins another on the same connection."""
        self.is_open = False
        if self._loan is None:
            return
        connection = self._loan.connection.pgconn
        if (
            connection.status == pq.ConnStatus.OK
            and connection.transaction_status != pq.TransactionStatus.IDLE
        ):
            # Below the driver's cursors: a ROLLBACK that it sees makes it forget all prepared statements.
            connection.exec_(b"ROLLBACK")

    def _send(self, statements: Sequence[Statement], *, before: int = 0) -> list[list[Row]]:
        with translated(), round_trip(len(statements)):
            prepared = [prepared_form(sql, values) for sql, values in statements]
            answer = run_pipeline(self._ready(prepared), prepared)
            if isinstance(answer.failure, pg.DivisionByZero):
                raise UnmetError(len(answer.results) - before) from answer.failure
            if answer.failure is not None:
                raise answer.failure
            return self._loaded(answer)

    def _loaded(self, answer: Pipelined) -> list[list[Row]]:
        transformer = Transformer(self._borrowed().connection)
        loaded: list[list[Row]] = []
        for result in answer.results:
            transformer.set_pgresult(result)
            loaded.append(transformer.load_rows(0, result.ntuples, tuple) if result.nfields else [])
        return loaded

    def _ready(self, statements: Sequence[PreparedStatement]) -> pq.abc.PGconn:
        """Return the connection with all statements prepared on it."""
        loan = self._borrowed()
        for statement in statements:
            if statement.name not in loan.prepared:
                prepare(loan.connection.pgconn, statement)
                loan.prepared.add(statement.name)
        return loan.connection.pgconn

    def _borrowed(self) -> Loan:
        if self._loan is None:
            self._loan = borrow(self._engine)
        return self._loan
