"""Days of a house and a hostile platform through the real queue, the real database and HTTP: both agree in the end.

Time is simulated and shared by the worker and the platform. The queue forgets what it held now and then; events come through
the relay, and lanes through the sweep of due work.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from ipaddress import ip_network

import psycopg
import pytest
from attrs import evolve

import pms_adapters.channels.channex.gateway as channex
from adapters.channels.months import wrongs
from adapters.conftest import PostgresDatabase
from adapters.postgres.subject import PostgresStore
from pms_adapters.crypto.box import new_key
from pms_adapters.embedded.redis import EmbeddedRedis
from pms_adapters.lab.channel_sim.face import FACES, FaceSetting
from pms_adapters.lab.channel_sim.server import serving
from pms_adapters.postgres.transaction import PostgresUnitOfWork
from pms_adapters.settings import Settings
from pms_adapters.system import TimeOrderedIds
from pms_adapters.worker.processes import work_off
from pms_adapters.worker.registry import Registered, find_registered
from pms_adapters.worker.relay import RelayLimits
from pms_adapters.worker.runtime import Runtime, open_runtime
from pmscore.channels.model.connections import CREDENTIALS_COLUMN
from pmscore.kernel.secrets import Secret
from pmscore.testing.channel_platform import ArrivalCount
from pmscore.testing.channel_world import World
from pmscore.testing.clocks import MovableClock
from pmscore.testing.draws import Draws

pytestmark = pytest.mark.postgres

DAYS, MOST_ROUNDS = 2, 50
HORIZON, POLL = 60, 6 * 3600
KEY = {"api_key": "simulated-api_key"}


class WorkedWorld(World):
    """A world whose lanes run where the queue says, in a worker that is moved by hand."""

    runtime: Runtime
    admin_url: str

    def enter(self, runtime: Runtime, admin_url: str) -> WorkedWorld:
        """Let a worker have the world, with credentials that it can open."""
        self.runtime, self.admin_url = runtime, admin_url
        scene = self.channel.scene
        sealed = runtime.services.channels.box.seal(
            scene.agency_id, CREDENTIALS_COLUMN, Secret(json.dumps(KEY))
        )
        with scene.begin() as work:
            work.connections.save(evolve(work.connections.get(self.channel.connection_id), sealed=sealed))
            work.commit()
        return self

    def _work(self) -> None:
        """Let the relay and the queue do what is due at this instant, unless the queue forgets what it holds."""
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute(
                "INSERT INTO work_due (agency_id, kind) VALUES (%s, 'channels')",
                (self.channel.scene.agency_id,),
            )
        for _ in range(MOST_ROUNDS):
            handed_over = self.runtime.relay.round()
            if self.hostility.drops_job():
                self.runtime.redis.flushall()
            if not (handed_over or len(self.runtime.queue)):
                return
            self._runs += len(self.runtime.queue)
            work_off(self.runtime)
        raise AssertionError("the worker never came to an end")

    def _is_quiet(self) -> bool:
        return not any(self.channel.dirt(lane) for lane in self.channel.lanes) and self.platform.is_all_known


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(datetime(2030, 1, 1, 12, tzinfo=UTC))


@pytest.fixture
def store(postgres_database: PostgresDatabase, clock: MovableClock) -> Iterator[PostgresStore]:
    made = PostgresStore(postgres_database.app_url, postgres_database.admin_url)
    made.uow = PostgresUnitOfWork(made.engine, clock=clock, ids=TimeOrderedIds(), quoters=made.quoters)
    yield made
    made.close()
    with psycopg.connect(postgres_database.admin_url) as connection:
        connection.execute("DELETE FROM work_due")


@pytest.fixture
def runtime(
    postgres_database: PostgresDatabase,
    redis_server: EmbeddedRedis,
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Runtime]:
    # Looking at the platform each hour would repair what a world is to find out.
    manifest = evolve(channex.MANIFEST, horizon_days=HORIZON, poll_seconds=POLL, reads_back=False)
    monkeypatch.setattr(channex, "MANIFEST", manifest)
    settings = Settings(
        database_url=postgres_database.app_url,
        redis_url=redis_server.url(),
        encryption_key=Secret(new_key()),
        outbound_networks=(ip_network("127.0.0.0/8"),),
        module_switches=(("channel_manager", True),),
    )
    known = find_registered()
    registered = Registered(
        {"channels.note": known.reactions["channels.note"]},
        {"channels.run": known.jobs["channels.run"]},
        {"channels": known.due_work["channels"]},
    )
    limits = RelayLimits(lease=0.4, patience=0.0, seal=0.0)
    with open_runtime(settings, registered=registered, limits=limits, clock=clock) as opened:
        opened.redis.flushall()
        yield opened


@contextmanager
def worked_world(
    store: PostgresStore, runtime: Runtime, clock: MovableClock, seed: int, days: int
) -> Iterator[WorkedWorld]:
    """Yield a world whose platform is served over HTTP."""
    connection: dict[str, str] = {}
    stack = ExitStack()

    def makes(manifest, platform, hostility, clock):
        setting = FaceSetting(
            clock=clock,
            chance=Draws(seed),
            rooms=platform.rooms,
            currency="EUR",
            listing_id="house-1",
            credentials={name: Secret(text) for name, text in KEY.items()},
            hostility=hostility,
            occupancies=(1, 2),
            remote=platform,
        )
        face = FACES.get("channex")(setting)
        platform.calls = ArrivalCount(face.limits)
        server = stack.enter_context(serving([face], hostility=hostility, longest_stall=0.05))
        connection["base_url"] = server.url("channex")
        return runtime.services.channels.gateways["channex"]

    with stack:
        world = WorkedWorld(
            store, channex.MANIFEST, seed, days=days, makes=makes, connection=connection, clock=clock
        )
        yield world.enter(runtime, store._admin_url)


def check(store: PostgresStore, runtime: Runtime, clock: MovableClock, seed: int, days: int) -> None:
    with worked_world(store, runtime, clock, seed, days) as world:
        world.live()
        world.settle()
        report = world.report()
        assert wrongs(world) == (), (seed, report)
        assert store.violated_invariants() == (), seed
        assert report.exceeded == 0, (seed, report)
        assert report.runs >= 10 * days, (seed, report)
        assert report.faults >= 8 * days, (seed, report)
        assert report.bookings >= days, (seed, report)
        assert report.duplicates >= days, (seed, report)


@pytest.mark.parametrize("seed", [1, 2])
def test_hostile_days_through_queue_and_http_end_equal(
    store: PostgresStore, runtime: Runtime, clock: MovableClock, seed: int
) -> None:
    check(store, runtime, clock, seed, DAYS)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", [1, 2])
def test_hostile_months_through_queue_and_http_end_equal(
    store: PostgresStore, runtime: Runtime, clock: MovableClock, seed: int
) -> None:
    check(store, runtime, clock, seed, 30)
