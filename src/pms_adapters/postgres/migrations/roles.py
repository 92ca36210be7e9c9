"""The roles of a cluster, made and kept by ``pms migrate``.

Roles belong to the whole cluster while a migration holds the lock of one database only, so everything here may be
done by two processes at once and any number of times. What an administrator has to do where the login may not make
roles is said by ``admin_sql``.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping

import psycopg
from attrs import field, frozen
from psycopg import errors as pg
from psycopg import sql

from pms_adapters.postgres.tenancy import APP_ROLE, BACKUP_ROLE, OWNER_ROLE, RELAY_ROLE, ROLES
from pmscore.kernel.errors import BusyError, MisconfiguredError

__all__ = ["RolePlan", "admin_sql", "make_roles"]

_TRIES = 40


@frozen(kw_only=True)
class RolePlan:
    """How the roles are to be; time-outs are milliseconds and apply to every session of ``pms_app``.

    A role with a password in ``passwords`` may log in; for the others nothing is changed.
    """

    passwords: Mapping[str, str] = field(factory=dict, repr=False)
    lock_timeout_ms: int = 2_000
    statement_timeout_ms: int = 15_000
    idle_timeout_ms: int = 30_000

    def settings(self) -> Mapping[str, Mapping[str, str]]:
        """Return the settings of each role, as PostgreSQL stores them."""
        limits = {
            "lock_timeout": f"{self.lock_timeout_ms}ms",
            "statement_timeout": f"{self.statement_timeout_ms}ms",
            "idle_in_transaction_session_timeout": f"{self.idle_timeout_ms}ms",
            "jit": "off",
        }
        return {APP_ROLE: limits, RELAY_ROLE: limits, BACKUP_ROLE: {"default_transaction_read_only": "on"}}


def make_roles(connection: psycopg.Connection[tuple[object, ...]], plan: RolePlan) -> None:
    """Make the roles that are missing and put right what differs; ``connection`` is in autocommit.

    Raises:
        MisconfiguredError: the login may not do it; ``sql`` is what an administrator should run.
        BusyError: other migrations in the same cluster kept changing the roles.
    """
    for _ in range(_TRIES):
        try:
            _make_roles(connection, plan)
        except (pg.DuplicateObject, pg.UniqueViolation):
            continue  # somebody else was faster: look again
        except pg.InternalError_ as error:
            if "concurrently updated" not in str(error):
                raise
            time.sleep(random.uniform(0.005, 0.05))
        except pg.InsufficientPrivilege as error:
            raise MisconfiguredError(
                reason="cannot_make_roles", login=connection.info.user, sql=admin_sql(connection)
            ) from error
        else:
            return
    raise BusyError(reason="roles_kept_changing")


def admin_sql(connection: psycopg.Connection[tuple[object, ...]]) -> str:
    """Return what an administrator runs once, so that this login can migrate without the right to make roles."""
    login = sql.Identifier(connection.info.user).as_string(None)
    database = sql.Identifier(connection.info.dbname).as_string(None)
    return "\n".join(
        (
            *(f"CREATE ROLE {role} NOLOGIN;" for role in ROLES),
            f"ALTER ROLE {BACKUP_ROLE} BYPASSRLS;",
            f"GRANT {OWNER_ROLE} TO {login};",
            f"GRANT CONNECT ON DATABASE {database} TO {', '.join(ROLES)};",
            f"GRANT USAGE, CREATE ON SCHEMA public TO {OWNER_ROLE};",
            f"GRANT USAGE ON SCHEMA public TO {APP_ROLE}, {RELAY_ROLE}, {BACKUP_ROLE};",
            *(
                f"ALTER ROLE {role} SET {name} = '{value}';"
                for role, settings in RolePlan().settings().items()
                for name, value in settings.items()
            ),
            f"GRANT {RELAY_ROLE} TO {APP_ROLE};",
            f"ALTER ROLE {APP_ROLE} LOGIN PASSWORD '…';",
        )
    )


def _make_roles(connection: psycopg.Connection[tuple[object, ...]], plan: RolePlan) -> None:
    known = _read_roles(connection)
    is_superuser = _is_true(connection, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    for role in ROLES:
        if role not in known:
            connection.execute(f"CREATE ROLE {role} NOLOGIN")
            if role == BACKUP_ROLE and is_superuser:
                connection.execute(f"ALTER ROLE {role} BYPASSRLS")
        elif role != BACKUP_ROLE and known[role].is_above_policies:
            connection.execute(f"ALTER ROLE {role} NOSUPERUSER NOBYPASSRLS")
    for role, settings in plan.settings().items():
        for name, value in settings.items():
            if role not in known or f"{name}={value}" not in known[role].settings:
                connection.execute(f"ALTER ROLE {role} SET {name} = '{value}'")
    for role, password in plan.passwords.items():
        _set_password(connection, role, password)
    # From PostgreSQL 16 on, who makes a role is a member that may not yet act as it.
    needed = "SET" if connection.info.server_version >= 160_000 else "MEMBER"
    if not is_superuser and not _is_true(connection, f"SELECT pg_has_role('{OWNER_ROLE}', '{needed}')"):
        connection.execute(f"GRANT {OWNER_ROLE} TO CURRENT_USER")
    if not _is_true(connection, f"SELECT pg_has_role('{APP_ROLE}', '{RELAY_ROLE}', 'MEMBER')"):
        # The worker logs in as the app and looks for work as this role, which sees no table of an agency.
        connection.execute(f"GRANT {RELAY_ROLE} TO {APP_ROLE}")
    _grant_access(connection)


@frozen
class _Role:
    is_above_policies: bool
    settings: frozenset[str]


def _read_roles(connection: psycopg.Connection[tuple[object, ...]]) -> dict[str, _Role]:
    rows = connection.execute(
        "SELECT rolname, rolsuper OR rolbypassrls, coalesce(rolconfig, '{}') FROM pg_roles"
        " WHERE rolname = ANY(%s)",
        [list(ROLES)],
    )
    return {str(name): _Role(bool(above), frozenset(_texts(settings))) for name, above, settings in rows}


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(each) for each in value) if isinstance(value, list) else ()


def _set_password(connection: psycopg.Connection[tuple[object, ...]], role: str, password: str) -> None:
    # Sent as the verifier, so that the password itself reaches no server log.
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    connection.execute(
        sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), sql.Literal(verifier))
    )


def _grant_access(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Let the roles in; what is granted already, perhaps by an administrator, is not granted again."""
    database = sql.Identifier(connection.info.dbname)
    for role in ROLES:
        if not _is_true(
            connection, f"SELECT has_database_privilege('{role}', current_database(), 'CONNECT')"
        ):
            connection.execute(
                sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, sql.Identifier(role))
            )
    for role, rights in (
        (OWNER_ROLE, ("USAGE", "CREATE")),
        (APP_ROLE, ("USAGE",)),
        (RELAY_ROLE, ("USAGE",)),
        (BACKUP_ROLE, ("USAGE",)),
    ):
        for right in rights:
            if not _is_true(connection, f"SELECT has_schema_privilege('{role}', 'public', '{right}')"):
                connection.execute(f"GRANT {right} ON SCHEMA public TO {role}")
                if not _is_true(connection, f"SELECT has_schema_privilege('{role}', 'public', '{right}')"):
                    # Without grant option PostgreSQL only warns.
                    raise pg.InsufficientPrivilege(f"{right} on schema public")


def _is_true(connection: psycopg.Connection[tuple[object, ...]], query: str) -> bool:
    row = connection.execute(query).fetchone()
    return row is not None and row[0] is True
