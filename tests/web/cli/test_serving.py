"""How ``pms serve`` behaves as a server: whom it lets near, how it ends, what it does not take; with both servers."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from click.testing import CliRunner

from adapters.conftest import PostgresDatabase
from pms_adapters.settings import Settings
from pms_web.cli.listening import is_loopback
from pms_web.cli.main import pms
from pms_web.cli.serve import _require_log_in
from pms_web.cli.serving import usable_cpus
from pmscore.kernel.errors import MisconfiguredError

pytestmark = pytest.mark.postgres
PMS = (sys.executable, "-m", "pms_web.cli.main")
SERVERS = [
    "gunicorn",
    pytest.param("granian", marks=pytest.mark.skipif(find_spec("granian") is None, reason="needs granian")),
]
UNSET = {"DATABASE_URL", "REDIS_URL", "PMS_HOME", "WEB_CONCURRENCY", "WEB_THREADS"}


@contextmanager
def serving(*options: str, **environ: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Yield the process and its address."""
    kept = {name: text for name, text in os.environ.items() if name not in UNSET}
    source = str(Path(__file__).resolve().parents[3] / "src")
    switches = {"ENABLE_REDIS_HEALTHCHECK": "no", "ENABLE_WORKER_HEALTHCHECK": "no", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        (*PMS, "serve", "--port", "0", "--workers", "1", *options),
        env={**kept, "PYTHONPATH": source, **switches, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline()
        assert line.startswith("Serving on http://"), (line, process.stderr.read() if process.poll() else "")
        address = line.split()[2].replace("0.0.0.0", "127.0.0.1")
        _wait_until_it_answers(address)
        yield process, address
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
        process.communicate()


def call(address: str, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, object]]:
    """Return the status and the body of one answer."""
    there = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
    try:
        there.request(method, path, headers=headers)
        answer = there.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else {}
    finally:
        there.close()


def _wait_until_it_answers(address: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            call(address, "/health")
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


@contextmanager
def _mute_server() -> Iterator[tuple[str, socket.socket]]:
    """Yield the URL of a database that refuses, and its socket: once it listens, asking takes until a time-out."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"postgresql://pms_app@127.0.0.1:{bound.getsockname()[1]}/none", bound


@pytest.mark.parametrize("server", SERVERS)
class TestBoth:
    def test_it_answers_keeps_connections_writes_a_line_each_and_ends_whole(
        self, postgres_database: PostgresDatabase, server: str
    ) -> None:
        environ = {"DATABASE_URL": postgres_database.app_url, "LOG_FORMAT": "json"}
        with serving("--server", server, **environ) as (process, address):
            status, body = call(address, "/health/ready")
            assert (status, body["status"]) == (200, "up")
            assert call(address, "/api/v1/properties?guest=planted", **{"X-Request-Id": "test-21"})[0] == 401
            _check_that_a_connection_is_kept(address)
            process.send_signal(signal.SIGTERM)
            _, written = process.communicate(timeout=30)
            assert process.returncode == 0, written
            with pytest.raises(OSError):
                call(address, "/health")
        lines = [json.loads(each) for each in written.splitlines() if each.startswith("{")]
        (line,) = [each for each in lines if each.get("request_id") == "test-21"]
        assert (line["route"], line["status"], line["method"]) == ("/api/v1/properties", 401, "GET")
        assert "planted" not in written
        assert "Traceback" not in written
        with psycopg.connect(postgres_database.admin_url) as connection:
            left = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pmscore' AND datname = %s"
            assert connection.execute(left, [postgres_database.name]).fetchone() == (0,)

    def test_what_has_begun_is_finished(self, server: str) -> None:
        with (
            _mute_server() as (url, bound),
            serving("--server", server, DATABASE_URL=url) as (process, address),
        ):
            bound.listen()
            answers: list[tuple[int, dict[str, object]]] = []
            asking = Thread(target=lambda: answers.append(call(address, "/health/ready")))
            asking.start()
            bound.settimeout(10)
            with bound.accept()[0]:  # the app asks its database, so the request has begun
                process.terminate()
                asking.join(20)
                assert process.wait(30) == 0
        assert [status for status, _ in answers] == [503]
        assert "no answer within" in str(answers[0][1]["components"])


def _check_that_a_connection_is_kept(address: str) -> None:
    there = http.client.HTTPConnection(urlsplit(address).netloc, timeout=10)
    there.connect()
    first = there.sock
    for _ in range(3):
        there.request("GET", "/health")
        assert there.getresponse().read()
        assert there.sock is first
    there.close()


def test_what_takes_too_long_is_not_waited_for() -> None:
    url = "postgresql://x@127.0.0.1:1/none"
    with serving("--graceful", "1", DATABASE_URL=url) as (process, address):
        there = socket.create_connection((urlsplit(address).hostname, urlsplit(address).port))
        with there:
            there.sendall(b"POST /api/v1/bookings HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{")
            began_at = time.monotonic()
            process.terminate()
            assert process.wait(20) == 0
            assert time.monotonic() - began_at < 8


def test_lines_and_headers_have_a_limit(postgres_database: PostgresDatabase) -> None:
    with serving(DATABASE_URL=postgres_database.app_url) as (_, address):
        assert _raw(address, b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n") == 200
        assert 400 <= _raw(address, b"GET /" + b"x" * 9_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n") < 500
        many = b"".join(b"X-%d: x\r\n" % each for each in range(100))
        assert 400 <= _raw(address, b"GET /health HTTP/1.1\r\nHost: localhost\r\n" + many + b"\r\n") < 500
        long = b"X-Long: " + b"x" * 9_000 + b"\r\n"
        assert 400 <= _raw(address, b"GET /health HTTP/1.1\r\nHost: localhost\r\n" + long + b"\r\n") < 500
        assert call(address, "/health")[0] == 200
        _check_that_nobodys_word_on_the_scheme_is_taken(address)


def _raw(address: str, request: bytes) -> int:
    with socket.create_connection((urlsplit(address).hostname, urlsplit(address).port), timeout=10) as there:
        there.sendall(request)
        answer = there.recv(200)
    found = re.match(rb"HTTP/1\.1 (\d{3}) ", answer)
    assert found is not None, answer
    return int(found[1])


def _check_that_nobodys_word_on_the_scheme_is_taken(address: str) -> None:
    there = http.client.HTTPConnection(urlsplit(address).netloc, timeout=10)
    there.request("GET", "/health", headers={"X-Forwarded-Proto": "https"})
    answer = there.getresponse()
    assert answer.getheader("Strict-Transport-Security") is None
    there.close()


def _refused(*options: str, **environ: str) -> str:
    cleared = {**dict.fromkeys(UNSET), "ENABLE_REDIS_HEALTHCHECK": "no"}
    ended = CliRunner().invoke(pms, ("serve", "--port", "0", *options), env={**cleared, **environ})
    assert ended.exit_code == 1, ended.output
    return ended.stderr


@pytest.mark.parametrize(
    ("kind", "said"), [("sync", "one slow answer"), ("SYNC", "one slow"), ("eventlet", "gthread")]
)
def test_other_workers_are_refused_with_a_reason(kind: str, said: str) -> None:
    assert said in _refused(WEB_WORKER_CLASS=kind)


def test_others_are_not_let_near_while_nobody_can_log_in(
    fresh_postgres_database: PostgresDatabase, empty_postgres_database: PostgresDatabase
) -> None:
    for url in (fresh_postgres_database.app_url, empty_postgres_database.app_url):
        said = _refused("--host", "0.0.0.0", DATABASE_URL=url)
        assert "Nobody can log in yet" in said
        assert "pms user add" in said


def test_an_agency_with_a_public_site_is_nobody(fresh_postgres_database: PostgresDatabase) -> None:
    agency_id = uuid4()
    with psycopg.connect(fresh_postgres_database.admin_url) as connection:
        connection.execute(
            "INSERT INTO key_index (key_hash, agency_id, key_id) VALUES ('\\x01', %s, %s)",
            [agency_id, agency_id],
        )
    assert "Nobody can log in" in _refused("--host", "0.0.0.0", DATABASE_URL=fresh_postgres_database.app_url)


def test_others_are_let_near_where_somebody_can_log_in(fresh_postgres_database: PostgresDatabase) -> None:
    with psycopg.connect(fresh_postgres_database.admin_url) as connection:
        connection.execute(
            "INSERT INTO key_index (key_hash, agency_id, key_id) VALUES ('\\x02', %s, %s)", [uuid4(), uuid4()]
        )
    url = fresh_postgres_database.app_url
    _require_log_in(Settings(database_url=url))
    with serving("--host", "0.0.0.0", DATABASE_URL=url) as (_, address):
        assert call(address, "/health")[0] == 200


def test_others_are_let_near_where_it_is_said_or_the_database_is_away(
    fresh_postgres_database: PostgresDatabase,
) -> None:
    _require_log_in(Settings(database_url="postgresql://x@127.0.0.1:1/none"))
    _require_log_in(Settings(database_url=fresh_postgres_database.app_url, is_open_allowed=True))
    with pytest.raises(MisconfiguredError):
        _require_log_in(Settings(database_url=fresh_postgres_database.app_url))


@pytest.mark.parametrize("pending", [False, True])
def test_in_production_a_login_above_the_policies_is_refused(
    postgres_database: PostgresDatabase, empty_postgres_database: PostgresDatabase, pending: bool
) -> None:
    url = (empty_postgres_database if pending else postgres_database).admin_url
    said = _refused(DATABASE_URL=url, ENVIRONMENT="production")
    assert "above row-level security (superuser)" in said
    assert "pms_app" in said


def test_in_production_the_owner_of_tables_is_refused(fresh_postgres_database: PostgresDatabase) -> None:
    name = f"keeper_{uuid4().hex[:8]}"
    with psycopg.connect(fresh_postgres_database.admin_url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'x' IN ROLE pms_owner")
        try:
            info = connection.info
            url = f"postgresql://{name}:x@/{info.dbname}?host={info.host}&port={info.port}"
            assert "(owner)" in _refused(DATABASE_URL=url, ENVIRONMENT="production")
        finally:
            connection.execute(f"DROP ROLE {name}")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("a.example", False),
    ],
)
def test_who_is_reached_by_this_machine_only(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_there_is_a_processor() -> None:
    assert 1 <= usable_cpus() <= (os.cpu_count() or 1)
