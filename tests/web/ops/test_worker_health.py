"""The worker as a component of readiness."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from uuid import UUID

import pytest

from adapters.conftest import PostgresDatabase
from pms_adapters.embedded.redis import EmbeddedRedis
from pms_adapters.embedded.temporary import temporary_redis
from pms_adapters.queue.rq_queue import open_redis
from pms_adapters.redis.heartbeats import Heartbeat, beat, stop_beating
from pms_adapters.settings import Settings
from pms_web.app import create_app
from pms_web.wiring import connected
from pmscore.kernel.ids import AgencyId

pytestmark = pytest.mark.postgres
AGENCY = AgencyId(UUID(int=9))


@pytest.fixture(scope="module")
def redis() -> Iterator[EmbeddedRedis]:
    with temporary_redis() as server:
        yield server


def worker_state(url: str, redis_url: str | None, **settings: object) -> tuple[int, Mapping[str, object]]:
    chosen = Settings(database_url=url, redis_url=redis_url, is_redis_health_checked=False, **settings)
    with connected(chosen, AGENCY) as services:
        answer = create_app(services).test_client().get("/health/ready")
    return answer.status_code, answer.get_json()["components"]["worker"]


def heartbeat(name: str) -> Heartbeat:
    return Heartbeat(name=name, version="1", commit="0123abc", started_at="2027-03-01T12:00:00+00:00")


def test_no_one_and_two_workers(postgres_database: PostgresDatabase, redis: EmbeddedRedis) -> None:
    url = postgres_database.app_url
    status, state = worker_state(url, redis.url())
    assert (status, state["error"]) == (503, "No active workers detected")
    with open_redis(redis.url()) as client:
        beat(client, heartbeat("pms@a-1"))
        status, state = worker_state(url, redis.url(), worker_expected_count=1)
        assert (status, state["status"], state["details"]) == (200, "up", {"workers": ["pms@a-1"]})
        beat(client, heartbeat("pms@b-2"))
        assert worker_state(url, redis.url())[0] == 200
        status, state = worker_state(url, redis.url(), worker_expected_count=1)
        assert (status, state["error"]) == (503, "Expected exactly 1 worker, found 2")
        stop_beating(client, heartbeat("pms@b-2"))
        assert worker_state(url, redis.url(), worker_expected_count=1)[0] == 200


def test_a_redis_that_does_not_answer(postgres_database: PostgresDatabase) -> None:
    status, state = worker_state(postgres_database.app_url, "redis://127.0.0.1:1/0")
    assert (status, state["error"]) == (503, "Worker inspect timeout (broker may be unreachable)")


def test_switched_off_it_is_skipped(postgres_database: PostgresDatabase) -> None:
    status, state = worker_state(postgres_database.app_url, None, is_worker_health_checked=False)
    assert (status, state["details"]) == (200, {"skipped": True})
