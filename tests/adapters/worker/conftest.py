"""A worker on real servers, taken apart: the test says when the relay looks, and when the queue is worked off.

Fixtures: ``redis_server`` (module) is a Redis that may be emptied, filled and killed; ``shop`` (function) is a
``Shop``: an agency of its own on a database of the module, where every effect of a reaction is a row of ``effects``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar
from uuid import UUID, uuid4

import psycopg
import pytest
from attrs import define, field, frozen

from adapters.conftest import PostgresDatabase
from pms_adapters.embedded.redis import EmbeddedRedis
from pms_adapters.embedded.temporary import temporary_redis
from pms_adapters.postgres.events import StoredEvent
from pms_adapters.settings import Settings
from pms_adapters.worker.processes import work_off
from pms_adapters.worker.registry import Reaction, Registered
from pms_adapters.worker.relay import RelayLimits
from pms_adapters.worker.runtime import Runtime, open_runtime
from pms_adapters.worker.services import ReactionServices
from pmscore.kernel.events import Command, Event
from pmscore.kernel.ids import ActorId, AgencyId, RequestId

EFFECT = (
    "INSERT INTO effects (agency_id, reaction, event_id, aggregate_id, version) VALUES (%s, %s, %s, %s, %s)"
)
QUICK = RelayLimits(lease=0.4, patience=0.3, seal=0.0)


@frozen(kw_only=True)
class Noted(Event):
    aggregate: ClassVar[str] = "note"
    kind: str = "note.noted"


def effect(event: StoredEvent, services: ReactionServices) -> None:
    row = (services.agency_id, services.reaction, event.event_id, event.aggregate_id, event.version)
    services.write((EFFECT, row))


def reactions(*names: str, react: Callable = effect, **more: object) -> Registered:
    made = {name: Reaction(name=name, kinds=("note.*",), react=react, **more) for name in names}
    return Registered(made)


@define
class Shop:
    """One agency with a worker."""

    settings: Settings
    admin_url: str
    runtime: Runtime
    agency_id: AgencyId = field(factory=lambda: AgencyId(uuid4()))
    versions: dict[UUID, int] = field(factory=dict)
    overtaken: set[int] = field(factory=set)

    def append(self, count: int, *, aggregates: Sequence[UUID] = ()) -> list[UUID]:
        """Append events, one transaction each, in turn to each aggregate; return the aggregates."""
        chosen = list(aggregates) or [uuid4()]
        for number in range(count):
            self.append_to(chosen[number % len(chosen)])
        return chosen

    def append_to(self, aggregate_id: UUID) -> None:
        version = self.versions[aggregate_id] = self.versions.get(aggregate_id, 0) + 1
        with self.runtime.services.uow.begin(self.command()) as work:
            work.record(Noted(aggregate_id=aggregate_id, version=version))
            work.commit()

    def append_many(self, count: int, aggregates: Sequence[UUID]) -> None:
        """Append events in turn to each aggregate, some of them in one transaction."""
        for start in range(0, count, 4):
            with self.runtime.services.uow.begin(self.command()) as work:
                for number in range(start, min(start + 4, count)):
                    aggregate_id = aggregates[number % len(aggregates)]
                    version = self.versions[aggregate_id] = self.versions.get(aggregate_id, 0) + 1
                    work.record(Noted(aggregate_id=aggregate_id, version=version))
                work.commit()

    def command(self) -> Command:
        return Command(request_id=RequestId(uuid4()), agency_id=self.agency_id, actor_id=ActorId(uuid4()))

    def relay(self) -> None:
        """Let the relay look until it finds nothing new."""
        while self.runtime.relay.round():
            pass

    def work_off(self) -> None:
        """Let the queue be worked off."""
        work_off(self.runtime)

    def effects(self, reaction: str | None = None) -> list[tuple[UUID, int]]:
        """Return aggregate and version of each effect in the order in which they were had."""
        rows = self.admin(
            "SELECT aggregate_id, version FROM effects WHERE agency_id = %s AND reaction = coalesce(%s, reaction)"
            " ORDER BY number",
            self.agency_id,
            reaction,
        )
        return [(aggregate_id, version) for aggregate_id, version in rows]

    def waiting(self) -> int:
        ((count,),) = self.admin(
            "SELECT count(*) FROM inbox WHERE agency_id = %s AND state = 'waiting'", self.agency_id
        )
        return count

    def is_carried_on(self) -> bool:
        """Return whether the relay has handed over all events."""
        rows = self.admin(
            "SELECT 1 FROM events e LEFT JOIN relay_positions p USING (agency_id) WHERE e.agency_id = %s"
            " AND (e.txid, e.seq) > (coalesce(p.queued_txid, 0), coalesce(p.queued_seq, 0)) LIMIT 1",
            self.agency_id,
        )
        return not rows

    def admin(self, sql: str, *values: object) -> list[tuple]:
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            cursor = connection.execute(sql, values)
            return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="module")
def redis_server() -> Iterator[EmbeddedRedis]:
    with temporary_redis() as server:
        yield server


@pytest.fixture(scope="module")
def worker_database(postgres_database: PostgresDatabase) -> PostgresDatabase:
    with psycopg.connect(postgres_database.admin_url) as connection:
        connection.execute(
            "CREATE TABLE effects (number bigint GENERATED ALWAYS AS IDENTITY, agency_id uuid NOT NULL,"
            " reaction text NOT NULL, event_id uuid NOT NULL, aggregate_id uuid NOT NULL, version int NOT NULL)"
        )
        connection.execute("GRANT SELECT, INSERT ON effects TO pms_app")
    return postgres_database


@pytest.fixture
def open_shop(
    worker_database: PostgresDatabase, redis_server: EmbeddedRedis
) -> Iterator[Callable[..., Shop]]:
    opened = []

    def open_one(registered: Registered, limits: RelayLimits = QUICK) -> Shop:
        settings = Settings(database_url=worker_database.app_url, redis_url=redis_server.url())
        context = open_runtime(settings, registered=registered, limits=limits)
        runtime = context.__enter__()
        opened.append(context)
        runtime.redis.flushall()
        return Shop(settings, worker_database.admin_url, runtime)

    yield open_one
    for context in opened:
        context.__exit__(None, None, None)
    with psycopg.connect(worker_database.admin_url) as connection:
        connection.execute("DELETE FROM work_due")


@pytest.fixture
def shop(open_shop: Callable[..., Shop]) -> Shop:
    return open_shop(reactions("first", "second"))
