"""Who is let in at the door: names, proxies, origins; and what every answer says to a browser."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from attrs import evolve
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from pms_web.app import create_app
from pms_web.front_door import FrontDoor, TrustedProxies
from web.conftest import Web, problem

pytestmark = pytest.mark.postgres

SHOP = "https://www.inn.example"
PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def at(web: Web, **door: object) -> FlaskClient:
    return create_app(evolve(web.here, door=FrontDoor(**door))).test_client()


def test_names_that_the_operator_has_given_are_answered(web: Web):
    named = {"Host": "pms.inn.example:443"}
    assert (
        at(web, allowed_hosts=frozenset({"pms.inn.example"})).get("/health", headers=named).status_code == 200
    )
    problem(at(web).get("/health", headers=named), 421, "misdirected_request")
    other = {"Host": "pms.inn.example.evil.example"}
    client = at(web, allowed_hosts=frozenset({"pms.inn.example"}))
    problem(client.get("/health", headers=other), 421, "misdirected_request")


def test_every_answer_tells_browsers_to_be_careful(web: Web):
    for address in ("/health", "/api/v1/properties", "/nothing"):
        headers = web.client.get(address).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["Cache-Control"] == "no-store"
        assert "Strict-Transport-Security" not in headers


def test_over_tls_browsers_are_told_to_stay_there(web: Web):
    answer = web.client.get("/health", base_url="https://localhost")
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=")


def test_a_page_that_may_call_is_told_so_and_another_is_not(web: Web):
    client = at(web, allowed_origins=frozenset({SHOP}))
    allowed = client.get("/api/v1/properties", headers={"Origin": SHOP}).headers
    assert allowed["Access-Control-Allow-Origin"] == SHOP
    assert "ETag" in allowed["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in allowed
    for origin in ("https://evil.example", f"{SHOP}.evil.example", "null", f"{SHOP}:8443"):
        headers = client.get("/api/v1/properties", headers={"Origin": origin}).headers
        assert "Access-Control-Allow-Origin" not in headers
        assert "Origin" in headers["Vary"]


def _preflight(client: FlaskClient, origin: str):
    asking = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "Authorization",
    }
    return client.options("/api/v1/bookings", headers=asking)


def test_a_preflight_needs_no_log_in_and_names_methods_and_headers(web: Web):
    client = create_app(
        evolve(web.here, identify=lambda _: None, door=FrontDoor(allowed_origins=frozenset({SHOP})))
    ).test_client()
    answer = _preflight(client, SHOP)
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == SHOP
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, POST, PUT, DELETE, PATCH"
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]


def test_a_preflight_from_elsewhere_is_refused(web: Web):
    for client in (at(web), at(web, allowed_origins=frozenset({SHOP}))):
        answer = _preflight(client, "https://evil.example")
        problem(answer, 403, "origin_not_allowed")
        assert "Access-Control-Allow-Origin" not in answer.headers


def _seen(peer: str, **headers: str) -> tuple[str, str]:
    seen: dict[str, str] = {}

    def app(environ, _):
        seen.update(address=environ["REMOTE_ADDR"], scheme=environ["wsgi.url_scheme"])
        return ()

    TrustedProxies(app, PROXIES)({"REMOTE_ADDR": peer, "wsgi.url_scheme": "http", **headers}, lambda *_: None)
    return seen["address"], seen["scheme"]


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "203.0.113.7, 10.0.0.9", "203.0.113.7"),
        ("10.0.0.1", "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "10.0.0.5, 10.0.0.6", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "not an address", "10.0.0.1"),
        ("fd00::1", "2001:db8::7", "2001:db8::7"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("", "198.51.100.1", ""),
    ],
)
def test_the_word_of_a_trusted_proxy_is_taken_and_of_nobody_else(peer: str, forwarded: str, address: str):
    assert _seen(peer, HTTP_X_FORWARDED_FOR=forwarded)[0] == address


def test_the_scheme_is_taken_from_trusted_proxies_only():
    assert _seen("10.0.0.1", HTTP_X_FORWARDED_PROTO="https")[1] == "https"
    assert _seen("10.0.0.1", HTTP_X_FORWARDED_PROTO="gopher")[1] == "http"
    assert _seen("203.0.113.9", HTTP_X_FORWARDED_PROTO="https")[1] == "http"


@given(st.text(max_size=60))
def test_a_client_cannot_make_itself_a_proxy(forwarded: str):
    """Law: whatever the client writes before what the proxy appends, its real address is found."""
    assert _seen("10.0.0.1", HTTP_X_FORWARDED_FOR=f"{forwarded}, 203.0.113.7")[0] == "203.0.113.7"
