"""From what PostgreSQL and its pool say to the project's error tree.

Owns the table of SQLSTATEs and constraint names. A unique violation on a night is an answer (taken), not a
failure; only 40001 and 40P01 may be retried without asking what was meant.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors as pg
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from pms_adapters.postgres.drift import schema_out_of_date
from pmscore.kernel.errors import (
    BusyError,
    InvalidInputError,
    MisconfiguredError,
    MisuseError,
    NightsTakenError,
    NotFoundError,
    PmsError,
    RequestInProgressError,
    StaleVersionError,
    UnreachableError,
)

__all__ = ["KeyTakenError", "RetryError", "translated"]

_TAKEN = frozenset({"unit_nights_pkey", "type_nights_within_capacity"})
_KEY_TABLE = "idempotency_keys"
_NO_ROOM: dict[type[psycopg.Error], str] = {
    pg.DiskFull: "disk_full",
    pg.TooManyConnections: "too_many_connections",
    pg.OutOfMemory: "out_of_memory",
    pg.QueryCanceled: "statement_timeout",
    pg.AdminShutdown: "shutting_down",
    pg.CrashShutdown: "crashed",
    pg.CannotConnectNow: "starting_up",
    pg.IdleInTransactionSessionTimeout: "idle_timeout",
    pg.ReadOnlySqlTransaction: "read_only",
}


class RetryError(BusyError):
    """A serialization failure or a deadlock: the whole use case may be run again as it is."""


class KeyTakenError(BusyError):
    """Another transaction has committed under this idempotency key; its reply can be read."""


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the driver and the pool raise inside into errors of the tree, the cause kept."""
    try:
        yield
    except PoolTimeoutError as error:
        raise UnreachableError(reason="no_free_connection") from error
    except psycopg.Error as error:
        raise _meaning(error) from error


def _meaning(error: psycopg.Error) -> PmsError:
    for kind, reason in _NO_ROOM.items():
        if isinstance(error, kind):
            return UnreachableError(reason=reason)
    match error:
        case psycopg.IntegrityError():
            return _violated(error)
        case pg.SerializationFailure() | pg.DeadlockDetected():
            return RetryError(sqlstate=error.sqlstate)
        case pg.LockNotAvailable() if _KEY_TABLE in (error.diag.context or ""):
            return RequestInProgressError()
        case pg.LockNotAvailable():
            return BusyError()
        case pg.UndefinedTable() | pg.UndefinedColumn():
            return schema_out_of_date(error)
        case pg.InvalidPassword() | pg.InvalidAuthorizationSpecification() | pg.InsufficientPrivilege():
            return MisconfiguredError(sqlstate=error.sqlstate)
        case psycopg.DataError():
            return InvalidInputError("value", "not_storable", sqlstate=error.sqlstate)
        case psycopg.OperationalError() | psycopg.InterfaceError():
            return UnreachableError(reason=_why_not_connected(str(error)))
        case _:
            return UnreachableError(reason="failed", sqlstate=error.sqlstate)


def _violated(error: psycopg.IntegrityError) -> PmsError:
    constraint = error.diag.constraint_name or ""
    match constraint:
        case _ if constraint in _TAKEN:
            return NightsTakenError()
        case "type_nights_not_negative":
            return MisuseError(stock="given_up_unclaimed")
        case _ if error.diag.table_name == _KEY_TABLE:
            return KeyTakenError()
        case "agencies_slug_key":
            return InvalidInputError("slug", "taken")
        case "exchange_rates_agencies_fkey":
            return NotFoundError("agency", "of the command")
        case "users_email_key" | "memberships_pkey":
            return InvalidInputError("email", "taken")
        case "webhook_deliveries_webhook_endpoints_fkey":
            return NotFoundError("webhook", "")
        case "channel_connections_live_idx":
            return StaleVersionError()
        case "channel_mappings_unit_types_fkey":
            return NotFoundError("unit_type", "")
        case "channel_mappings_units_fkey":
            return NotFoundError("unit", "")
        case _ if constraint.endswith("_channel_connections_fkey"):
            return NotFoundError("channel_connection", "")
        case "bookings_guests_fkey":
            return NotFoundError("guest", "")
        case _:
            return UnreachableError(reason="failed", sqlstate=error.sqlstate, constraint=constraint)


def _why_not_connected(said: str) -> str:
    """Return the reason that a failed connection gave; libpq passes its text on, without the SQLSTATE."""
    if "too many connections" in said or "connection slots" in said:
        return "too_many_connections"
    return "no_connection"
