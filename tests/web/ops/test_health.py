"""Health in good times and bad: the app stays up without its database and comes back with it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from threading import Event
from uuid import UUID

import psycopg
import pytest

from adapters.conftest import PostgresDatabase
from pms_adapters.embedded.temporary import temporary_postgres, temporary_redis
from pms_adapters.postgres.migrate import upgrade
from pms_adapters.postgres.migrations.roles import RolePlan
from pms_adapters.postgres.tenancy import APP_ROLE
from pms_adapters.settings import Settings
from pms_web.app import create_app
from pms_web.readiness import Readiness
from pms_web.wiring import connected
from pmscore.kernel.ids import AgencyId
from pmscore.testing.clocks import FixedClock
from web.conftest import Web, problem, web_on

pytestmark = pytest.mark.postgres
AGENCY = AgencyId(UUID(int=9))
NOON = FixedClock(datetime(2027, 3, 1, 12, tzinfo=UTC))


def test_health_says_who_is_there(web: Web) -> None:
    answer = web.client.get("/health")
    body = answer.get_json()
    assert answer.status_code == 200
    assert (body["status"], body["service"], body["commit"]) == ("up", "pms", "0123abc")
    assert set(body) == {"status", "service", "version", "commit"}


def test_readiness_lists_every_component(web: Web) -> None:
    answer = web.client.get("/health/ready")
    body = answer.get_json()
    assert answer.status_code == 200
    assert body["status"] == "up"
    assert list(body["components"]) == ["db", "redis", "worker", "schema"]
    assert {each["status"] for each in body["components"].values()} == {"up"}
    assert body["components"]["worker"]["details"] == {"skipped": True}
    assert body["components"]["redis"]["details"] == {"skipped": True}
    assert body["checked_at"] == "2027-03-01T12:00:00.000Z"


@pytest.mark.parametrize("path", ["/health", "/health/ready"])
def test_head_is_get_without_a_body(web: Web, path: str) -> None:
    head, get = web.client.head(path), web.client.get(path)
    assert (head.status_code, head.data) == (get.status_code, b"")
    assert head.headers["Content-Type"] == get.headers["Content-Type"]


def test_without_a_database_the_app_is_up_and_not_ready() -> None:
    settings = Settings(database_url="postgresql://nobody@127.0.0.1:1/none", is_redis_health_checked=False)
    with connected(settings, AGENCY) as services:
        client = create_app(services).test_client()
        assert client.get("/health").status_code == 200
        assert client.get("/").status_code == 200
        answer = client.get("/health/ready")
        assert answer.status_code == 503
        assert answer.get_json()["components"]["db"]["error"] == "connection refused"
        refused = client.get("/api/v1/properties")
        body = problem(refused, 503, "service_unavailable")
        assert body["retry_count"] == 1
        assert refused.headers["Retry-After"]


def test_a_host_that_cannot_be_resolved_is_named() -> None:
    settings = Settings(
        database_url="postgresql://x@no-such-host.invalid/none", is_redis_health_checked=False
    )
    with connected(settings, AGENCY) as services:
        answer = create_app(services).test_client().get("/health/ready").get_json()
    assert answer["components"]["db"]["error"] in {"name resolution failed", "no answer within 2 seconds"}


@pytest.mark.fault
def test_the_app_recovers_by_itself_when_the_database_is_back() -> None:
    with temporary_postgres(shared_buffers_mb=16) as server:
        plan = RolePlan(passwords={APP_ROLE: server.password(APP_ROLE)})
        upgrade(server.url(), roles=plan)
        for web in web_on(server.url(role=APP_ROLE)):
            made = web.book(5, 1)
            server.kill()
            assert web.client.get("/health/ready").status_code == 503
            problem(web.client.get(f"/api/v1/bookings/{made}"), 503, "service_unavailable")
            assert web.client.get("/health").status_code == 200
            server.start()
            _wait_until_ready(web)
            assert web.client.get(f"/api/v1/bookings/{made}").status_code == 200
            assert web.post(web.booking(6, 1)).status_code == 201


@pytest.mark.fault
def test_a_restart_of_the_database_between_two_requests_is_not_noticed() -> None:
    with temporary_postgres(shared_buffers_mb=16) as server:
        upgrade(server.url(), roles=RolePlan(passwords={APP_ROLE: server.password(APP_ROLE)}))
        for web in web_on(server.url(role=APP_ROLE)):
            web.book(5, 1)
            server.kill()
            server.start()
            assert web.post(web.booking(6, 1)).status_code == 201
            assert web.client.get("/health/ready").status_code == 200


def test_a_missing_column_is_named_with_the_migration_that_brings_it(
    fresh_web: Web, fresh_postgres_database: PostgresDatabase
) -> None:
    with psycopg.connect(fresh_postgres_database.admin_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE guests DROP COLUMN phone CASCADE")
    body = problem(fresh_web.post(fresh_web.booking(5, 1)), 503, "schema_out_of_date")
    assert (body["table"], body["column"], body["migration"]) == ("guests", "phone", "0001_foundation")
    assert "pms migrate" in body["detail"]
    ready = fresh_web.client.get("/health/ready")
    schema = ready.get_json()["components"]["schema"]
    assert (ready.status_code, schema["status"]) == (503, "down")
    assert "guests" in schema["error"]
    assert ready.get_json()["components"]["db"]["status"] == "up"


def test_redis_is_asked_and_its_own_words_are_passed_on(postgres_database: PostgresDatabase) -> None:
    with temporary_redis() as redis:
        url = redis.url()
        good = _redis_component(postgres_database.app_url, url)
        assert good["status"] == "up"
        assert good["details"]["version"]
        bad = _redis_component(postgres_database.app_url, url.replace(redis.password(), "wrong"))
        assert bad["status"] == "down"
        assert "password" in bad["error"] or "auth" in bad["error"].lower()
        assert redis.password() not in str(bad)
    gone = _redis_component(postgres_database.app_url, url)
    assert gone["status"] == "down"


def test_a_probe_that_hangs_costs_a_time_out_and_is_asked_once_at_a_time() -> None:
    release, asked = Event(), []

    def hangs() -> Mapping[str, object]:
        asked.append(1)
        release.wait(10)
        return {}

    readiness = Readiness({"db": hangs}, NOON, seconds=0.05)
    try:
        for _ in range(3):
            body = readiness.check()
            assert body["components"]["db"]["error"] == "no answer within 0.05 seconds"
        assert len(asked) == 1
    finally:
        release.set()


def test_a_probe_that_breaks_in_an_unknown_way_is_down_without_its_text() -> None:
    def breaks() -> Mapping[str, object]:
        raise RuntimeError("secret")

    body = Readiness({"redis": breaks}, NOON).check()
    assert body["components"]["redis"]["error"] == "RuntimeError"


def _redis_component(database_url: str, redis_url: str) -> Mapping[str, object]:
    settings = Settings(database_url=database_url, redis_url=redis_url)
    with connected(settings, AGENCY) as services:
        return create_app(services).test_client().get("/health/ready").get_json()["components"]["redis"]


def _wait_until_ready(web: Web) -> None:
    deadline = time.monotonic() + 20
    while web.client.get("/health/ready").status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)
