"""The pool of connections.

Owns how a connection is opened and set up. Transactions are opened by ``transaction``; the connections are
in autocommit, so a transaction begins and ends where a statement says so and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

import psycopg
from attrs import frozen
from psycopg import pq
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection, QueuePool

from pms_adapters.postgres.errors import translated
from pms_adapters.postgres.tenancy import unsafe_role
from pmscore.kernel.errors import MisconfiguredError

__all__ = ["Connection", "Loan", "borrow", "checked_out", "forget_connections", "give_back", "open_engine"]

Connection = psycopg.Connection[tuple[object, ...]]

CONNECT_SECONDS = 5

_generations: WeakKeyDictionary[Engine, int] = WeakKeyDictionary()


def open_engine(
    url: str,
    *,
    size: int = 10,
    wait_seconds: float = 5.0,
    lock_timeout_ms: int = 2_000,
    statement_timeout_ms: int = 15_000,
    refuses_unsafe_role: bool = False,
) -> Engine:
    """Return a pool of at most ``size`` connections; none is opened before it is needed.

    With ``refuses_unsafe_role`` each connection is asked, as it is opened, whether row-level security holds its role;
    one that it does not hold is lent to nobody, and whoever wants it is told why (``unsafe_role``).

    Raises:
        MisconfiguredError: psycopg runs without its C implementation, which is five times slower.
    """
    if pq.__impl__ == "python":
        raise MisconfiguredError(reason="psycopg_without_c")
    options = (
        f"-c lock_timeout={lock_timeout_ms} -c statement_timeout={statement_timeout_ms} "
        "-c idle_in_transaction_session_timeout=30000 -c timezone=UTC -c jit=off"
    )

    def connect() -> Connection:
        connection = psycopg.connect(
            url, autocommit=True, connect_timeout=CONNECT_SECONDS, options=options, application_name="pmscore"
        )
        connection.prepare_threshold = 0
        if refuses_unsafe_role:
            _require_safe_role(connection)
        return connection

    engine = create_engine(
        "postgresql+psycopg://",
        creator=connect,
        poolclass=QueuePool,
        pool_size=size,
        max_overflow=0,
        pool_timeout=wait_seconds,
        pool_reset_on_return=None,
    )
    _generations[engine] = 0
    _watch_generations(engine)
    return engine


def _require_safe_role(connection: Connection) -> None:
    """Close the connection unless row-level security holds its role.

    Raises:
        MisconfiguredError: it does not; ``why`` says by what.
    """
    why: str | None = None
    try:
        why = unsafe_role(connection)
    except BaseException:
        connection.close()
        raise
    if why is not None:
        connection.close()
        raise MisconfiguredError(reason="unsafe_role", why=why)


def forget_connections(engine: Engine) -> None:
    """Lend no connection again that is open now: after the server has ended one, the others are likely gone too.

    Those that are lent stay with their borrowers, and the pool stays as large as it is: a new pool beside
    them would let as many be opened again, and nobody would close what comes back to the old one.
    """
    _generations[engine] += 1


def _watch_generations(engine: Engine) -> None:
    def opened(_: object, entry: ConnectionPoolEntry) -> None:
        entry.info["generation"] = _generations[engine]

    def lent(_: object, entry: ConnectionPoolEntry, __: object) -> None:
        if entry.info["generation"] != _generations[engine]:
            raise DisconnectionError  # the pool closes it and opens another one in its place

    event.listen(engine, "connect", opened)
    event.listen(engine, "checkout", lent)


@frozen
class Loan:
    """A connection while it is lent, and the names of what was prepared on it."""

    connection: Connection
    prepared: set[bytes]
    slot: PoolProxiedConnection


def borrow(engine: Engine) -> Loan:
    """Lend a connection from the pool; whoever borrows gives back.

    Raises:
        UnreachableError: no server, or no free connection in time.
    """
    with translated():
        slot = engine.raw_connection()
    connection: Connection = slot.driver_connection  # type: ignore[assignment]
    return Loan(connection, slot.info.setdefault("prepared", set()), slot)


def give_back(loan: Loan) -> None:
    """Return a connection; a broken one, or one inside a transaction, is closed and not lent again."""
    # A lost connection is in no status that could be idle.
    if loan.connection.pgconn.transaction_status != pq.TransactionStatus.IDLE:
        loan.slot.invalidate()
    loan.slot.close()


@contextmanager
def checked_out(engine: Engine) -> Iterator[Loan]:
    """Lend a connection for the block.

    Raises:
        UnreachableError: no server, or no free connection in time.
    """
    loan = borrow(engine)
    try:
        yield loan
    finally:
        give_back(loan)
