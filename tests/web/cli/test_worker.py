"""``pms worker`` in one go, its dead letters, and the ping."""

from __future__ import annotations

import json
from collections.abc import Iterator
from uuid import UUID, uuid4

import psycopg
import pytest
from click.testing import CliRunner, Result

import pmscore
from adapters.conftest import PostgresDatabase
from pms_adapters.embedded.redis import EmbeddedRedis
from pms_adapters.embedded.temporary import temporary_redis
from pms_adapters.queue.rq_queue import open_redis
from pms_adapters.redis.heartbeats import Heartbeat, beat
from pms_adapters.redis.running import API_KEY, Running, find_running, tell_running
from pms_adapters.settings import Settings
from pms_web.cli.main import pms
from pms_web.cli.same_version import is_fit_to_work, tell_what_serves
from pms_web.cli.servers import check_login

pytestmark = pytest.mark.postgres
EVENT = """\
WITH due AS (INSERT INTO work_due (agency_id, kind) VALUES (%(agency)s, 'events'))
INSERT INTO events (agency_id, event_id, kind, aggregate, aggregate_id, version, at, actor_id, request_id, payload)
VALUES (%(agency)s, gen_random_uuid(), 'note.noted', 'note', gen_random_uuid(), 1, now(), gen_random_uuid(),
        gen_random_uuid(), '{}') RETURNING event_id, txid, seq"""


@pytest.fixture(scope="module")
def redis() -> Iterator[EmbeddedRedis]:
    with temporary_redis() as server:
        yield server


def run(database: PostgresDatabase, redis: EmbeddedRedis, *arguments: str, **more: str | None) -> Result:
    environ = {"DATABASE_URL": database.admin_url, "REDIS_URL": redis.url(), "PMS_HOME": None, **more}
    return CliRunner().invoke(pms, arguments, env=environ)


def noted(database: PostgresDatabase, agency: UUID) -> tuple[UUID, int, int]:
    with psycopg.connect(database.admin_url) as connection:
        return connection.execute(EVENT, {"agency": agency}).fetchone()


def test_once_carries_on_and_seals_what_there_is(
    postgres_database: PostgresDatabase, redis: EmbeddedRedis
) -> None:
    agency = uuid4()
    noted(postgres_database, agency)
    tail = json.loads(run(postgres_database, redis, "verify", "--json", "--agency", str(agency)).stdout)
    assert [each["events"] for each in tail["unsealed"]] == [1]
    assert "audit_log_is_as_sealed" in tail["invariants"]
    done = run(postgres_database, redis, "worker", "--once")
    assert done.exit_code == 0, done.output
    assert "nothing is left to do" in done.stdout
    assert "All dependencies ready" in done.stderr
    after = run(postgres_database, redis, "verify")
    assert after.exit_code == 0
    assert "sealed to its end" in after.stderr


def test_in_production_nobody_works_whom_row_level_security_does_not_hold(
    postgres_database: PostgresDatabase, redis: EmbeddedRedis
) -> None:
    refused = run(postgres_database, redis, "worker", "--once", ENVIRONMENT="production")
    assert refused.exit_code == 1
    assert "above row-level security (superuser)" in refused.stderr
    assert "Use the role pms_app" in refused.stderr
    told = run(postgres_database, redis, "worker", "--once")
    assert told.exit_code == 0
    assert "above row-level security (superuser)" in told.stderr
    held = run(
        postgres_database,
        redis,
        "worker",
        "--once",
        ENVIRONMENT="production",
        DATABASE_URL=postgres_database.app_url,
    )
    assert held.exit_code == 0, held.output
    assert "row-level security" not in held.stderr


def test_a_database_that_is_away_is_asked_for_the_role_later(capsys: pytest.CaptureFixture[str]) -> None:
    for environment in ("development", "production"):
        away = {"DATABASE_URL": "postgresql:///pms?host=/nowhere", "ENVIRONMENT": environment}
        check_login(Settings.from_mapping(away))
    assert capsys.readouterr() == ("", "")


def test_dead_letters_are_shown_and_sent_again(
    postgres_database: PostgresDatabase, redis: EmbeddedRedis
) -> None:
    none = run(postgres_database, redis, "worker", "dead-letters")
    assert (none.exit_code, none.stdout) == (0, "pms worker: 0 dead letters\n")
    agency, letter_id = uuid4(), uuid4()
    event_id, txid, seq = noted(postgres_database, agency)
    with psycopg.connect(postgres_database.admin_url) as connection:
        connection.execute(
            "INSERT INTO inbox (agency_id, event_id, reaction, aggregate_id, txid, seq, state, due_at)"
            " VALUES (%s, %s, 'planted', gen_random_uuid(), %s, %s, 'dead', now())",
            [agency, event_id, txid, seq],
        )
        connection.execute(
            "INSERT INTO dead_letters VALUES (%s, %s, 'planted', %s, 4, 'unreachable', now())",
            [agency, letter_id, event_id],
        )
    shown = run(postgres_database, redis, "worker", "dead-letters")
    assert shown.exit_code == 1
    assert all(word in shown.stdout for word in ("planted", "note.noted", str(letter_id)))
    letters = json.loads(run(postgres_database, redis, "worker", "dead-letters", "--json").stdout)
    assert [each["error"] for each in letters] == ["unreachable"]
    again = run(postgres_database, redis, "worker", "dead-letters", "--retry", str(letter_id))
    assert again.exit_code == 0, again.output
    assert run(postgres_database, redis, "worker", "dead-letters").exit_code == 0
    twice = run(postgres_database, redis, "worker", "dead-letters", "--retry", str(letter_id))
    assert twice.exit_code == 1


@pytest.mark.parametrize(
    ("app", "required", "code", "said"),
    [
        (None, "true", 0, "No web process has said"),
        (("9.9", "0123abc"), "true", 1, "COMMIT MISMATCH - redeploy worker!"),
        (("9.9", "0123abc"), "false", 0, "Going on all the same"),
        ((pmscore.__version__, "unknown"), "true", 0, "✓ Commits match"),
    ],
    ids=["nobody serves", "refused", "warned", "the same"],
)
def test_a_worker_compares_its_version_with_that_of_the_app(
    postgres_database: PostgresDatabase,
    redis: EmbeddedRedis,
    app: tuple[str, str] | None,
    required: str,
    code: int,
    said: str,
) -> None:
    with open_redis(redis.url()) as client:
        client.delete(API_KEY)
    if app is not None:
        tell_running(redis.url(), Running(version=app[0], commit=app[1]))
    environ = {"WORKER_REQUIRE_SAME_VERSION": required, "SOURCE_COMMIT": None}
    result = run(postgres_database, redis, "worker", "--once", **environ)
    assert (result.exit_code, said in result.stderr) == (code, True), result.output


def test_whoever_serves_says_which_version_it_is(
    redis: EmbeddedRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_COMMIT", "4567def")
    tell_what_serves(Settings(redis_url=redis.url()))
    assert find_running(redis.url()) == Running(version=pmscore.__version__, commit="4567def")
    assert is_fit_to_work(Settings(redis_url=redis.url(), is_same_version_required=True))
    tell_what_serves(Settings(redis_url="redis://127.0.0.1:1"))


def test_the_ping_names_who_lives(postgres_database: PostgresDatabase, redis: EmbeddedRedis) -> None:
    nobody = run(postgres_database, redis, "worker-ping")
    assert (nobody.exit_code, nobody.stdout) == (1, "")
    assert "pms worker" in nobody.stderr
    with open_redis(redis.url()) as client:
        beat(client, Heartbeat(name="pms@a-1", version="1.2", commit="0123abc", started_at=""))
    somebody = run(postgres_database, redis, "worker-ping")
    assert somebody.exit_code == 0
    assert somebody.stdout == "pms@a-1: pong (version 1.2, commit 0123abc)\n"
