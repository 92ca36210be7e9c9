"""Bringing a database to the schema of this program: ``pms migrate``.

Owns the order of things: one at a time (an advisory lock), roles first, then each migration in a transaction of its
own as the owner. Killed anywhere, it leaves whole migrations only, and the next run goes on from there. Leaves what a
migration does to ``migrations``. The lock belongs to the session, so the URL must not lead through a pooler that
hands sessions around.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from attrs import frozen
from psycopg import errors as pg
from sqlalchemy import Connection, StaticPool, create_engine
from sqlalchemy.exc import DBAPIError

from pms_adapters.postgres.errors import translated
from pms_adapters.postgres.migrations.history import SCRIPTS, list_migrations, open_scripts
from pms_adapters.postgres.migrations.roles import RolePlan, admin_sql, make_roles
from pms_adapters.postgres.migrations.schema import Schema
from pms_adapters.postgres.tenancy import OWNER_ROLE
from pmscore.kernel.errors import BusyError, MisconfiguredError, UnreachableError

__all__ = ["MigrationReport", "MigrationStatus", "status", "upgrade"]

_LOCK_KEY = 7_368_011_902_514  # any number, the same for all of us; other programs have other numbers
_CONNECT_SECONDS = 5
_LOCK_TIMEOUT_MS = 2_000
_REFUSALS = {
    r"authentication failed": "wrong_password",
    r"no password supplied": "no_password",
    r"no pg_hba\.conf entry": "not_admitted",
    r'FATAL: +role ".*" does not exist': "no_such_role",
    r'FATAL: +database ".*" does not exist': "no_such_database",
}
_Driver = psycopg.Connection[tuple[object, ...]]


@frozen
class MigrationReport:
    """What one run did; None is the empty database."""

    from_revision: str | None
    to_revision: str | None
    applied: tuple[str, ...]


@frozen
class MigrationStatus:
    """Where a database stands; ``pending`` is what ``upgrade`` would run."""

    current: str | None
    head: str | None
    pending: tuple[str, ...]

    @property
    def is_current(self) -> bool:
        """Whether there is nothing to do."""
        return not self.pending


def upgrade(
    url: str,
    *,
    roles: RolePlan | None = None,
    progress: Callable[[str], None] | None = None,
    wait_seconds: float = 120.0,
    scripts: Path = SCRIPTS,
) -> MigrationReport:
    """Make the roles and run every migration that the database lacks; repeating it changes nothing.

    ``progress`` hears the name of each migration before it runs. ``wait_seconds`` is how long to be patient with
    another run of this, and with whoever uses a table that a migration has to change: such a migration asks for the
    table for two seconds at a time, so nobody queues behind it for longer.

    Raises:
        UnreachableError: the database does not answer.
        MisconfiguredError: the login or the database is not fit for this; the parameters say what to do.
        BusyError: patience ran out; nothing is half done.
    """
    with _session(url) as driver:
        deadline = time.monotonic() + wait_seconds
        _wait_for_turn(driver, deadline)
        make_roles(driver, roles or RolePlan())
        directory = open_scripts(scripts)
        try:
            driver.execute(f"SET ROLE {OWNER_ROLE}")
            return _run_pending(driver, directory, progress or (lambda _: None), deadline)
        except pg.InsufficientPrivilege as error:
            raise MisconfiguredError(
                reason="cannot_change_schema", login=driver.info.user, sql=admin_sql(driver)
            ) from error


def status(url: str, *, scripts: Path = SCRIPTS) -> MigrationStatus:
    """Return where the database stands; changes nothing, and any role of ours may ask.

    Raises:
        UnreachableError: the database does not answer.
        MisconfiguredError: the database is ahead of this program, or the login may not look.
    """
    with _session(url) as driver:
        return _status(driver, open_scripts(scripts))


@contextmanager
def _session(url: str) -> Iterator[_Driver]:
    """Open a session that waits for nothing long and is not ended while it works; errors come translated."""
    options = (
        f"-c lock_timeout={_LOCK_TIMEOUT_MS} -c statement_timeout=0 -c idle_in_transaction_session_timeout=0 "
        "-c search_path=public -c timezone=UTC -c row_security=on"
    )
    with translated():
        try:
            driver: _Driver = psycopg.connect(
                url.replace("postgresql+psycopg://", "postgresql://", 1),
                autocommit=True,
                connect_timeout=_CONNECT_SECONDS,
                options=options,
                application_name="pms migrate",
            )
        except psycopg.OperationalError as error:
            raise _refusal(error) from error
        except psycopg.ProgrammingError as error:
            raise MisconfiguredError(reason="not_a_url", setting="DATABASE_URL") from error
        with driver:
            yield driver


def _refusal(error: psycopg.OperationalError) -> UnreachableError | MisconfiguredError:
    """Return what a failed connection means; before log-in there is only text to go by."""
    for words, reason in _REFUSALS.items():
        if re.search(words, str(error)):
            return MisconfiguredError(reason=reason, setting="DATABASE_URL")
    return UnreachableError(reason="no_connection")


def _wait_for_turn(driver: _Driver, deadline: float) -> None:
    """Take the lock that ends with the session.

    It is asked for again and again instead of waited for: a statement that waits keeps an old snapshot alive, which
    the migration that holds the lock may itself be waiting for.
    """
    while True:
        row = driver.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK_KEY]).fetchone()
        if row is not None and row[0]:
            break
        if time.monotonic() > deadline:
            raise BusyError(reason="another_migration_runs")
        time.sleep(0.05)
    with suppress(psycopg.Error):  # not on every system
        # A killed client is noticed in the middle of a statement too, so its lock does not outlive it.
        driver.execute("SET client_connection_check_interval = '1s'")


def _run_pending(
    driver: _Driver, directory: ScriptDirectory, progress: Callable[[str], None], deadline: float
) -> MigrationReport:
    before = _status(driver, directory)
    driver.autocommit = False
    engine = create_engine("postgresql+psycopg://", creator=lambda: driver, poolclass=StaticPool)
    with engine.connect() as connection:
        for revision in before.pending:
            progress(revision)
            _run_patiently(connection, directory, revision, deadline)
    reached = before.pending[-1] if before.pending else before.current
    return MigrationReport(before.current, reached, before.pending)


def _run_patiently(
    connection: Connection, directory: ScriptDirectory, revision: str, deadline: float
) -> None:
    """Run one migration in one transaction, again where somebody else held a table for too long."""
    pause = 0.1
    while True:
        try:
            with connection.begin():
                _run(connection, directory, revision)
        except DBAPIError as error:
            cause = error.orig
            if not isinstance(cause, psycopg.Error):
                raise
            if not isinstance(cause, pg.LockNotAvailable | pg.DeadlockDetected):
                raise _failure(revision, cause) from error
            if time.monotonic() > deadline:
                raise BusyError(migration=revision) from error
            time.sleep(pause)
            pause = min(pause * 2, 5.0)
        else:
            return


def _failure(revision: str, cause: psycopg.Error) -> Exception:
    """Return what to raise for a migration that failed; a lost connection or a missing right is not its fault."""
    if isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError | pg.InsufficientPrivilege):
        return cause
    return MisconfiguredError(
        reason="migration_failed",
        migration=revision,
        sqlstate=cause.sqlstate,
        said=cause.diag.message_primary,
    )


def _run(connection: Connection, directory: ScriptDirectory, revision: str) -> None:
    def steps(heads: tuple[str, ...], _: MigrationContext) -> object:
        # Alembic's own recipe for running without an environment of files.
        return directory._upgrade_revs(revision, heads[0] if heads else "base")  # noqa: SLF001

    context = MigrationContext.configure(connection, opts={"fn": steps})
    context.run_migrations(
        schema=Schema(lambda statement: connection.exec_driver_sql(statement.replace("%", "%%")))
    )


def _status(driver: _Driver, directory: ScriptDirectory) -> MigrationStatus:
    names = tuple(migration.revision for migration in list_migrations(directory))
    current = _current(driver)
    if current is not None and current not in names:
        raise MisconfiguredError(reason="schema_is_newer", revision=current)
    pending = names if current is None else names[names.index(current) + 1 :]
    return MigrationStatus(current, names[-1] if names else None, pending)


def _current(driver: _Driver) -> str | None:
    known = driver.execute("SELECT to_regclass('public.alembic_version')").fetchone()
    if known is None or known[0] is None:
        return None
    row = driver.execute("SELECT version_num FROM public.alembic_version").fetchone()
    return None if row is None else str(row[0])
