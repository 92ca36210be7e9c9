"""One PostgreSQL for all adapter tests of a pytest process, and databases on it that cost some 50 ms each.

Fixtures:

- ``postgres_server`` (session): the ``PostgresServer``: the embedded one in a folder of its own, or with
  ``DATABASE_URL`` that server, whose login must be a superuser. Several pytest processes do not meet.
- ``postgres_database`` (module): a ``PostgresDatabase``, migrated and empty: ``name``, ``admin_url`` (a superuser)
  and ``app_url`` (``pms_app``, under row-level security).
- ``fresh_postgres_database`` (function): the same for one test, for those who damage it or count rows.
- ``empty_postgres_database`` (function): the same without any migration.

Databases go with the test that asked for them, connections that were left open included.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
import pytest
from attrs import field, frozen

from pms_adapters.embedded.temporary import temporary_postgres
from pms_adapters.postgres.migrate import upgrade
from pms_adapters.postgres.migrations.roles import RolePlan
from pms_adapters.postgres.tenancy import APP_ROLE


@frozen
class PostgresDatabase:
    """A database of one test or module."""

    name: str
    admin_url: str = field(repr=False)
    app_url: str = field(repr=False)
    role_plan: RolePlan


@frozen
class PostgresServer:
    """A server on which databases may be made; ``url_of`` takes a database and a role, None for the superuser."""

    url_of: Callable[[str, str | None], str]
    app_password: str = field(repr=False)
    _numbers: Iterator[int] = field(factory=itertools.count, init=False, repr=False)
    _prefix: str = field(factory=lambda: f"pms_test_{os.getpid()}_{secrets.token_hex(4)}", init=False)

    @contextmanager
    def database(self, *, template: str | None = None) -> Iterator[PostgresDatabase]:
        """Yield a new database, a copy of ``template``, which nobody may be connected to."""
        name = f"{self._prefix}_{next(self._numbers)}"
        copied = f" TEMPLATE {template}" if template else ""
        self._run(f"CREATE DATABASE {name}{copied}")
        try:
            yield PostgresDatabase(
                name,
                self.url_of(name, None),
                self.url_of(name, APP_ROLE),
                RolePlan(passwords={APP_ROLE: self.app_password}),
            )
        finally:
            self._run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _run(self, statement: str) -> None:
        with psycopg.connect(self.url_of("postgres", None), autocommit=True) as connection:
            connection.execute(statement)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    url = os.environ.get("DATABASE_URL", "").replace("postgresql+psycopg://", "postgresql://", 1)
    if url:
        yield _external_server(url)
        return
    with temporary_postgres(shared_buffers_mb=128, max_connections=200) as server:

        def url_of(database: str, role: str | None) -> str:
            return server.url(database=database) if role is None else server.url(database=database, role=role)

        yield PostgresServer(url_of, server.password(APP_ROLE))


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> Iterator[PostgresDatabase]:
    with postgres_server.database() as database:
        upgrade(database.admin_url, roles=database.role_plan)
        yield database


@pytest.fixture(scope="module")
def postgres_database(
    postgres_server: PostgresServer, postgres_template: PostgresDatabase
) -> Iterator[PostgresDatabase]:
    with postgres_server.database(template=postgres_template.name) as database:
        yield database


@pytest.fixture
def fresh_postgres_database(
    postgres_server: PostgresServer, postgres_template: PostgresDatabase
) -> Iterator[PostgresDatabase]:
    with postgres_server.database(template=postgres_template.name) as database:
        yield database


@pytest.fixture
def empty_postgres_database(postgres_server: PostgresServer) -> Iterator[PostgresDatabase]:
    with postgres_server.database() as database:
        yield database


def _external_server(url: str) -> PostgresServer:
    # Roles belong to the whole server, so every process that tests on it must give them the same password.
    password = hmac.new(url.encode(), APP_ROLE.encode(), hashlib.sha256).hexdigest()

    def url_of(database: str, role: str | None) -> str:
        parts = urlsplit(url)
        location = parts.netloc.rpartition("@")[2]
        netloc = parts.netloc if role is None else f"{role}:{password}@{location}"
        # Put together by hand where there is no host: urlunsplit would leave the two slashes out.
        if not netloc:
            return f"{parts.scheme}:///{quote(database)}" + (f"?{parts.query}" if parts.query else "")
        return urlunsplit((parts.scheme, netloc, f"/{quote(database)}", parts.query, ""))

    return PostgresServer(url_of, password)
