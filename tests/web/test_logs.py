"""What the log says of requests: one access line each, whose request every line is, and nothing of what was sent."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import psycopg
import pytest
from attrs import evolve
from flask.testing import FlaskClient

from adapters.conftest import PostgresDatabase
from pms_adapters import logs
from pms_adapters.bootstrap import set_up_logs
from pms_adapters.logs import configure_logs
from pms_adapters.settings import Environment, LogLevel, Settings
from pms_web.app import create_app
from pms_web.logs import about_request, trace_of
from web.conftest import Web

pytestmark = pytest.mark.postgres
TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"
PLANTED = (
    "planted-guest@example.com",
    "Plantagenet",
    "+351 912 345 678",
    "lvrelace-Wp42",
    "9f8e7d6c5b4a3f2e",
)


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield io.StringIO()
    root.handlers[:], root.level = handlers, level


def _lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(each) for each in stream.getvalue().splitlines()]


def _begin(stream: io.StringIO, level: str = "INFO") -> None:
    configure_logs(level=level, is_json=True, about=about_request, stream=stream)


def test_a_request_has_one_line_that_says_who_asked_for_what_and_how_it_went(
    web: Web, stream: io.StringIO
) -> None:
    _begin(stream)
    booking_id = web.book(5, 1)
    stream.truncate(0)
    stream.seek(0)
    headers = {"X-Request-Id": "test-17", "traceparent": f"00-{TRACE}-{SPAN}-01"}
    web.client.get(f"/api/v1/bookings/{booking_id}?guest=planted", headers=headers)
    (line,) = _lines(stream)
    assert line == {
        "event": "request",
        "level": "info",
        "logger": "pms.access",
        "request_id": "test-17",
        "agency": str(web.services.agency_id),
        "actor": str(web.services.principal.actor_id),
        "method": "GET",
        "route": "/api/v1/bookings/<booking_id>",
        "status": 200,
        "duration_ms": line["duration_ms"],
        "trace_id": TRACE,
        "parent_span_id": SPAN,
        "at": line["at"],
    }
    assert 0 < line["duration_ms"] < 10_000


@pytest.mark.parametrize(
    ("method", "path", "status", "route"),
    [
        ("GET", "/api/v1/no-such-address/planted", 404, None),
        ("DELETE", "/api/v1/properties", 405, None),
        ("PLANTED", "/api/v1/properties", 405, None),
        ("GET", "/health", 200, "/health"),
        ("HEAD", "/health", 200, "/health"),
    ],
)
def test_what_reaches_no_view_has_its_line_too(
    web: Web, stream: io.StringIO, method: str, path: str, status: int, route: str | None
) -> None:
    _begin(stream)
    web.client.open(path, method=method)
    (line,) = _lines(stream)
    assert (line["status"], line["route"]) == (status, route)
    assert "planted" not in json.dumps(line).lower()


def test_what_is_logged_on_the_way_says_whose_request_it_was(web: Web, stream: io.StringIO) -> None:
    _begin(stream)
    _breaking(web).get("/api/v1/properties", headers={"X-Request-Id": "test-18"})
    failed, access = _lines(stream)
    assert (failed["logger"], failed["level"], access["status"]) == ("pms_web", "error", 500)
    for each in (failed, access):
        assert (each["request_id"], each["agency"]) == ("test-18", str(web.services.agency_id))
        assert each["route"] == "/api/v1/properties"


def test_outside_of_requests_nothing_is_said_of_one() -> None:
    assert about_request() == {}


@pytest.mark.parametrize(
    "header",
    [
        "",
        "00-0-0-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
    ],
)
def test_what_is_no_trace_is_not_taken_over(header: str) -> None:
    assert trace_of(header) is None


def test_a_trace_is_taken_over() -> None:
    assert trace_of(f" 00-{TRACE}-{SPAN}-00 ") == (TRACE, SPAN)


def _visit(web: Web, admin_url: str) -> None:
    """Send the planted values in every part of requests that go well, are refused, or break."""
    email, name, phone, secret, token = PLANTED
    guest = {"name": name, "email": email, "phone": phone}
    client, key = web.client, {"Idempotency-Key": secret}
    web.post(web.booking(9, 1, guest=guest))
    web.post(web.booking(9, 1, guest={**guest, "shoe_size": secret}))
    client.post("/api/v1/bookings", data=f'{{"guest": "{email}', content_type="application/json", headers=key)
    client.get(f"/api/v1/guests?search={email}&token={secret}")
    client.get(f"/api/v1/bookings/{name}", headers={"Authorization": f"Bearer pms_{token}_{secret * 3}"})
    client.get("/api/v1/properties", headers={"Cookie": f"pms={secret}", "X-CSRF-Token": token})
    client.post("/api/v1/auth/log-in", json={"email": email, "password": secret})
    client.get(
        "/health", headers={"X-Forwarded-For": email, "User-Agent": name, "Referer": f"https://x/{email}"}
    )
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(
            "ALTER TABLE guests ADD CONSTRAINT planted CHECK (name <> 'Plantagenet') NOT VALID"
        )
    web.post(web.booking(12, 1, guest=guest))
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE guests DROP COLUMN phone CASCADE")
    web.post(web.booking(14, 1, guest=guest))
    _breaking(web, f"{email} {name} {phone} {secret} {token}").get("/api/v1/properties")


def _breaking(web: Web, words: str = "planted") -> FlaskClient:
    def breaks(_: object) -> object:
        raise RuntimeError(words)

    return create_app(evolve(web.here, retry=breaks)).test_client()


def _settings() -> Settings:
    return Settings(environment=Environment.PRODUCTION, log_level=LogLevel.DEBUG)


def test_nothing_that_was_sent_is_in_the_log(
    fresh_web: Web,
    fresh_postgres_database: PostgresDatabase,
    stream: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stderr", stream)
    set_up_logs(_settings(), about=about_request)
    _visit(fresh_web, fresh_postgres_database.admin_url)
    found = _lines(stream)
    assert {200, 201, 422, 503, 500} <= {each.get("status") for each in found}
    assert any("CheckViolation" in str(each.get("exception")) for each in found)
    text = stream.getvalue()
    for each in PLANTED:
        assert each not in text
    assert "Plantagenet" not in text


def test_it_would_be_where_nothing_is_blotted_out(
    fresh_web: Web,
    fresh_postgres_database: PostgresDatabase,
    stream: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The positive control: with exceptions in full and no blots, the same visit leaves its traces."""
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setattr(logs._Hiding, "__call__", lambda self, _, __, line: line)
    monkeypatch.setattr(logs._Tracing, "_message", lambda self, error: f": {error}")
    set_up_logs(_settings(), about=about_request)
    _visit(fresh_web, fresh_postgres_database.admin_url)
    for each in PLANTED:
        assert each in stream.getvalue()
