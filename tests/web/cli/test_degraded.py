"""``pms serve`` while its servers go and come back: each answer as documented, no restart, no event lost.

One process serves all of it. Every booking that was answered with 201 must have its event at the end, and one that was
refused for want of a server has one effect when it is sent again under its key.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from itertools import count
from subprocess import PIPE, Popen
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from uuid import uuid4

import psycopg
import pytest
import redis
from attrs import define, evolve, field

from pms_adapters.bootstrap import connect
from pms_adapters.crypto.box import new_key
from pms_adapters.embedded.postgres import EmbeddedPostgres
from pms_adapters.embedded.redis import EmbeddedRedis
from pms_adapters.embedded.temporary import temporary_postgres, temporary_redis
from pms_adapters.postgres.migrate import upgrade
from pms_adapters.postgres.migrations.roles import RolePlan
from pms_adapters.postgres.tenancy import APP_ROLE
from pms_adapters.postgres.verify import verify
from pms_adapters.settings import Settings
from pms_web.cli.people import Desk
from pms_web.wiring import access_of
from pmscore.access.model.permissions import Role
from pmscore.access.use_cases.keys import CreateKey, create_key
from web.cli.test_serve import PMS
from web.cli.test_serve import environment as environment_of
from web.cli.test_serving import serving
from web.conftest import Web, web_on

pytestmark = [pytest.mark.postgres, pytest.mark.fault]
_ARRIVALS = count(10, 2)


@define
class Served:
    """A running app, its servers, and the bookings that it said it had made."""

    process: Popen[str]
    address: str
    postgres: EmbeddedPostgres
    redis: EmbeddedRedis
    web: Web
    key: str
    made: list[str] = field(factory=list)

    def ask(self, path: str, body: object = None, once: str = "") -> tuple[int, dict[str, object]]:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        if once:
            headers["Idempotency-Key"] = once
        data = None if body is None else json.dumps(body).encode()
        try:
            with urlopen(Request(self.address + path, data, headers), timeout=30) as answer:
                return answer.status, json.loads(answer.read())
        except HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def body(self) -> dict[str, object]:
        return self.web.booking(next(_ARRIVALS), 1)

    def book(self, body: object = None, once: str = "") -> int:
        status, answer = self.ask("/api/v1/bookings", body or self.body(), once or str(uuid4()))
        if status == 201:
            self.made.append(str(answer["id"]))
        return status

    def component(self, name: str) -> tuple[int, dict[str, object]]:
        status, body = self.ask("/health/ready")
        return status, body["components"][name]

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + 30
        while self.ask("/health/ready")[0] != 200:
            assert time.monotonic() < deadline, self.ask("/health/ready")
            time.sleep(0.1)

    def wait_until_not(self, error: str) -> dict[str, object]:
        """Return the first answer that has not this error."""
        deadline = time.monotonic() + 30
        while (answer := self.ask("/api/v1/properties")[1]).get("error") == error:
            assert time.monotonic() < deadline, answer
            time.sleep(0.1)
        return answer

    def check_that_nothing_is_lost(self) -> None:
        """Compare what was promised with what there is."""
        assert self.process.poll() is None
        self.wait_until_ready()
        assert self.book() == 201
        with psycopg.connect(self.postgres.url()) as connection:
            rows = connection.execute(
                "SELECT b.booking_id::text, count(e.event_id) FROM bookings b LEFT JOIN events e"
                " ON e.aggregate_id = b.booking_id GROUP BY 1"
            ).fetchall()
        assert sorted(each for each, _ in rows) == sorted(set(self.made))
        assert {events for _, events in rows} == {1}


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with temporary_postgres(shared_buffers_mb=16) as postgres, temporary_redis() as messenger:
        upgrade(postgres.url(), roles=RolePlan(passwords={APP_ROLE: postgres.password(APP_ROLE)}))
        url = postgres.url(role=APP_ROLE)
        for web in web_on(url):
            environ = {"DATABASE_URL": url, "REDIS_URL": messenger.url(), "ENABLE_REDIS_HEALTHCHECK": "yes"}
            with serving(**environ) as (process, address):
                yield Served(process, address, postgres, messenger, web, _key(url, web))
            assert verify(postgres.url()) == ()


def _key(url: str, web: Web) -> str:
    settings = Settings(database_url=url)
    with connect(settings) as services:
        access, _ = access_of(settings, services)
        at = Desk(services=services, access=access, agency_id=web.services.agency_id)
        asked = CreateKey(**at.asking, name="test", role=Role.ADMIN)
        return create_key(
            asked, uow=access.uow, secrets=access.secrets, clock=services.clock, ids=services.ids
        ).text


def test_in_good_times_all_is_well(served: Served) -> None:
    """The positive control of what follows: the same calls succeed."""
    served.wait_until_ready()
    assert served.book() == 201
    served.check_that_nothing_is_lost()


def test_the_database_is_killed_and_comes_back(served: Served) -> None:
    body, once = served.body(), str(uuid4())
    served.postgres.kill()
    try:
        assert served.ask("/health")[0] == 200
        status, component = served.component("db")
        assert (status, component["status"]) == (503, "down")
        # A connection that was open may still hear the server's last words.
        assert served.component("db")[1]["error"] == "connection refused"
        status, answer = served.ask("/api/v1/bookings", body, once)
        assert (status, answer["error"]) == (503, "service_unavailable")
        assert answer["message"] == answer["detail"] == "Database is temporarily unavailable."
        assert isinstance(answer["retry_count"], int)
    finally:
        served.postgres.start()
    served.wait_until_ready()
    assert served.book(body, once) == 201
    assert served.ask("/api/v1/bookings", body, once)[0] == 201
    served.check_that_nothing_is_lost()


def test_redis_is_killed_and_comes_back(served: Served) -> None:
    served.redis.kill()
    try:
        status, component = served.component("redis")
        assert (status, component["status"]) == (503, "down")
        assert component["error"]
        assert served.component("db")[1]["status"] == "up"
        assert served.book() == 201
    finally:
        served.redis.start()
    served.check_that_nothing_is_lost()


def test_redis_is_emptied(served: Served) -> None:
    with redis.from_url(served.redis.url()) as client:
        client.flushall()
    assert served.book() == 201
    served.check_that_nothing_is_lost()


def test_redis_is_full(served: Served) -> None:
    with redis.from_url(served.redis.url()) as client:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", "1")
        try:
            with pytest.raises(redis.ResponseError, match="maxmemory"):
                client.set("x", "y")
            assert served.book() == 201
        finally:
            client.config_set("maxmemory", "0")
    served.check_that_nothing_is_lost()


def test_a_migration_is_missing(served: Served) -> None:
    body, once = served.body(), str(uuid4())
    with psycopg.connect(served.postgres.url(), autocommit=True) as connection:
        connection.execute("ALTER TABLE guests RENAME COLUMN phone TO not_yet")
        try:
            status, answer = served.ask("/api/v1/bookings", body, once)
            assert (status, answer["error"]) == (503, "schema_out_of_date")
            assert (answer["table"], answer["column"]) == ("guests", "phone")
            assert answer["migration"] == "0001_foundation"
            status, component = served.component("schema")
            assert (status, component["status"]) == (503, "down")
            assert "guests" in str(component["error"])
        finally:
            connection.execute("ALTER TABLE guests RENAME COLUMN not_yet TO phone")
    assert served.book(body, once) == 201
    served.check_that_nothing_is_lost()


def test_a_login_above_the_walls_is_refused_although_the_database_was_away_at_the_start(
    served: Served,
) -> None:
    """In production; the app says why, and goes on by itself when the login is right."""
    production = {
        "DATABASE_URL": served.postgres.url(role=APP_ROLE),
        "ENVIRONMENT": "production",
        "JWT_SECRET": "j" * 40,
        "ENCRYPTION_KEY": new_key(),
    }
    with psycopg.connect(served.postgres.url(), autocommit=True) as connection:
        connection.execute(f"ALTER ROLE {APP_ROLE} BYPASSRLS")
    try:
        served.postgres.kill()
        with serving(**production) as (process, address):
            late = evolve(served, process=process, address=address)
            status, answer = late.ask("/api/v1/properties")
            assert (status, answer["error"]) == (503, "service_unavailable")
            served.postgres.start()
            answer = late.wait_until_not("service_unavailable")
            assert answer["error"] == "misconfigured"
            assert "above row-level security (bypassrls)" in str(answer["message"])
            assert "pms_app" in str(answer["message"])
            assert late.book() == 503
            status, component = late.component("db")
            assert (status, component["status"]) == (503, "down")
            assert "bypassrls" in str(component["error"])
            with psycopg.connect(served.postgres.url(), autocommit=True) as connection:
                connection.execute(f"ALTER ROLE {APP_ROLE} NOBYPASSRLS")
            late.wait_until_ready()
            assert late.book() == 201
            assert process.poll() is None
    finally:
        served.postgres.start()
        with psycopg.connect(served.postgres.url(), autocommit=True) as connection:
            connection.execute(f"ALTER ROLE {APP_ROLE} NOBYPASSRLS")
    served.check_that_nothing_is_lost()


@pytest.mark.parametrize(("mode", "code"), [("production", 1), ("development", 0)])
def test_a_login_above_the_walls_is_refused_at_the_start_in_production_alone(
    served: Served, mode: str, code: int
) -> None:
    """The same login, while the database is there: nothing is served at all, or with a warning."""
    environ = environment_of(
        DATABASE_URL=served.postgres.url(),
        ENVIRONMENT=mode,
        JWT_SECRET="j" * 40,
        ENCRYPTION_KEY=new_key(),
        ENABLE_REDIS_HEALTHCHECK="no",
    )
    process = Popen(
        (*PMS, "serve", "--port", "0", "--workers", "1"), env=environ, stdout=PIPE, stderr=PIPE, text=True
    )
    line = process.stdout.readline()
    if line:
        process.terminate()
    _, said = process.communicate(timeout=30)
    assert (process.returncode, line.startswith("Serving on")) == (code, code == 0), said
    assert "above row-level security (superuser)" in said


def test_the_name_of_the_database_cannot_be_resolved() -> None:
    with serving(DATABASE_URL="postgresql://pms_app@no-such-host.invalid/pms") as (process, address):
        found = Served(process, address, None, None, None, f"pms_{'0' * 32}_{'0' * 43}")
        assert found.ask("/health")[0] == 200
        status, component = found.component("db")
        assert (status, component["status"]) == (503, "down")
        assert component["error"] in {"name resolution failed", "no answer within 2 seconds"}
        status, answer = found.ask("/api/v1/properties")
        assert (status, answer["error"]) == (503, "service_unavailable")
        assert answer["message"] == "Database is temporarily unavailable."
        assert process.poll() is None
