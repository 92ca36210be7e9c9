"""The servers and the databases of one run: made when first asked for, gone at its end.

Owns the embedded servers, a migrated database for each number of bookings already there, and what pgbench
needs to log in as the application's role. Leaves what is done on them to the subjects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TypeVar

import psycopg
from attrs import define, field, frozen
from psycopg.conninfo import conninfo_to_dict

from pms_adapters.embedded.postgres import EmbeddedPostgres
from pms_adapters.embedded.temporary import temporary_postgres, temporary_redis
from pms_adapters.lab.bench.floors import pgbench
from pms_adapters.lab.bench.house import House, seed
from pms_adapters.lab.bench.scale import Scale
from pms_adapters.postgres.migrate import upgrade
from pms_adapters.postgres.migrations.roles import RolePlan
from pms_adapters.postgres.tenancy import APP_ROLE

__all__ = ["Database", "Grounds", "Progress", "open_grounds"]

Progress = Callable[[str], None]

_TEMPLATE = "bench_template"

ServerT = TypeVar("ServerT")

_LIBPQ = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
}


@frozen
class Database:
    """One seeded database; ``url`` is the application's, under row-level security."""

    server: EmbeddedPostgres
    name: str
    house: House
    bookings: int

    @property
    def url(self) -> str:
        """The URL of the application's role."""
        return self.server.url(role=APP_ROLE, database=self.name)

    @property
    def admin_url(self) -> str:
        """The URL of the superuser."""
        return self.server.url(database=self.name)

    def pgbench(
        self, script: str, *, transactions: int, clients: int = 1, variables: Mapping[str, int] | None = None
    ) -> float:
        """Return the transactions a second of a script, run by pgbench as the application's role."""
        known = conninfo_to_dict(self.url)
        return pgbench.rate(
            self.server.program("pgbench"),
            {_LIBPQ[name]: str(value) for name, value in known.items() if name in _LIBPQ},
            script,
            transactions=transactions,
            clients=clients,
            variables=variables,
        )


@define
class Grounds:
    """What the subjects of one run share."""

    scale: Scale
    rounds: int
    progress: Progress
    _stack: ExitStack
    _server: EmbeddedPostgres | None = None
    _databases: dict[str, Database] = field(factory=dict)
    _numbers: dict[str, int] = field(factory=dict)
    _has_template: bool = False
    _redis_url: str | None = None

    @property
    def house(self) -> House:
        """The house of this run."""
        return House(self.scale.rooms, self.scale.types)

    def database(self, bookings: int, *, rooms: int | None = None, purpose: str = "usual") -> Database:
        """Return the database that began with so many bookings; it is filled at the first call.

        Subjects that do damage ask for one with a ``purpose`` of its own.
        """
        house = House(rooms or self.scale.rooms, self.scale.types)
        name = f"bench_{purpose}_{bookings}_{house.rooms}"
        found = self._databases.get(name)
        if found is None:
            self.progress(f"filling a house of {house.rooms:,} rooms with {bookings:,} bookings")
            found = Database(self._started(), name, house, bookings)
            self._make(found)
            self._databases[name] = found
        return found

    def empty(self, purpose: str) -> Database:
        """Return a migrated database with nothing in it; each purpose has its own."""
        found = Database(self._started(), f"bench_{purpose}", self.house, 0)
        self._create(found)
        return found

    def redis_url(self) -> str:
        """Return the URL of a Redis of this run; it is started at the first call."""
        if self._redis_url is None:
            self.progress("starting Redis")
            self._redis_url = self.kept(temporary_redis()).url()
        return self._redis_url

    def kept(self, server: AbstractContextManager[ServerT]) -> ServerT:
        """Start something that the rest of the run uses; it ends before what was started earlier."""
        return self._stack.enter_context(server)

    def slots(self, database: Database, count: int) -> range:
        """Return the numbers of free slots in a database that nobody has been given yet."""
        first = self._numbers.get(database.name, 0)
        self._numbers[database.name] = first + count
        return range(first, first + count)

    def _started(self) -> EmbeddedPostgres:
        if self._server is None:
            self.progress("starting PostgreSQL")
            self._server = self._stack.enter_context(
                temporary_postgres(is_durable=True, shared_buffers_mb=512, max_connections=150)
            )
        return self._server

    def _make(self, database: Database) -> None:
        self._create(database)
        seed(database.admin_url, database.house, database.bookings)

    def _create(self, database: Database) -> None:
        with psycopg.connect(database.server.url(), autocommit=True) as connection:
            if not self._has_template:
                connection.execute(f"CREATE DATABASE {_TEMPLATE}".encode())
                password = database.server.password(APP_ROLE)
                upgrade(
                    database.server.url(database=_TEMPLATE), roles=RolePlan(passwords={APP_ROLE: password})
                )
                self._has_template = True
            connection.execute(f"CREATE DATABASE {database.name} TEMPLATE {_TEMPLATE}".encode())


@contextmanager
def open_grounds(scale: Scale, rounds: int, progress: Progress) -> Iterator[Grounds]:
    """Yield the grounds of a run; servers and databases go at its end."""
    with ExitStack() as stack:
        yield Grounds(scale, rounds, progress, stack)
