"""Figures of the database for whoever watches: how much of the pool is lent, how far the worker is behind."""

from __future__ import annotations

from typing import LiteralString
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.pool import QueuePool

from pms_adapters.postgres.engine import Connection
from pms_adapters.postgres.session import Session, Statement
from pmscore.kernel.ids import AgencyId

__all__ = ["connections_in_use", "most_connections", "relay_lag_seconds", "somebody_can_log_in"]

_NOBODY = AgencyId(UUID(int=0))
_AS_RELAY: Statement = ("SET LOCAL ROLE pms_relay", ())
_LAG: LiteralString = """\
SELECT coalesce(extract(epoch FROM now() - min(due_at)), 0)::float8 FROM work_due WHERE due_at <= now()"""


def connections_in_use(engine: Engine) -> float:
    """Return how many connections of the pool are lent just now."""
    return float(engine.pool.checkedout()) if isinstance(engine.pool, QueuePool) else 0.0


def most_connections(connection: Connection) -> int:
    """Return how many connections the server takes from everybody together."""
    row = connection.execute("SELECT current_setting('max_connections')::int").fetchone()
    return row[0] if row is not None and isinstance(row[0], int) else 0


def somebody_can_log_in(connection: Connection) -> bool:
    """Return whether there is a user or a key in any agency."""
    # An agency's public name stands in the index under its own id.
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM users) OR EXISTS (SELECT FROM key_index WHERE key_id <> agency_id)"
    ).fetchone()
    return row is not None and row[0] is True


def relay_lag_seconds(engine: Engine) -> float:
    """Return how long the oldest work that is due has been waiting for the worker; zero where nothing waits.

    Raises:
        UnreachableError: the database did not answer.
    """
    with Session(engine, _NOBODY) as session:
        ((lag,),) = session.commit([_AS_RELAY, (_LAG, ())])[1]
    return lag if isinstance(lag, float) else 0.0
