"""The front door: which names, proxies and origins the app answers to, and the headers that every answer carries.

Owns host names, forwarded addresses (``TRUSTED_PROXIES``), CORS (``ALLOWED_ORIGINS``) and security headers.
Leaves who somebody is to ``auth`` and how often they may ask to ``limits``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from attrs import frozen
from flask import Flask, Response, abort, request
from werkzeug.datastructures import Headers

from pms_web.present import present

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["FrontDoor", "TrustedProxies", "guard"]

_METHODS: Final = "GET, POST, PUT, DELETE, PATCH"
# A star alone does not cover Authorization (Fetch standard, "CORS non-wildcard request-header name").
_HEADERS: Final = "*, Authorization"
_EXPOSED: Final = "ETag, Location, Retry-After, X-Request-Id"
_PREFLIGHT_SECONDS: Final = "600"
_YEAR: Final = "max-age=31536000"
_SAFE_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}


@frozen(kw_only=True)
class FrontDoor:
    """What the operator has said about the way in.

    ``allowed_hosts`` are the names that the app has beside those of this machine; ``allowed_origins`` the pages of
    others (scheme, name, port) whose scripts may call it.
    """

    allowed_hosts: frozenset[str] = frozenset()
    allowed_origins: frozenset[str] = frozenset()
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()

    def answers_to(self, host: str) -> bool:
        """Return whether a Host header means this app.

        A page of a stranger that has its own name resolved to this machine brings that name.
        """
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
        is_local = "." not in name or name.endswith(".localhost") or name.replace(".", "").isdigit()
        return is_local or name in self.allowed_hosts


def guard(app: Flask, door: FrontDoor) -> None:
    """Refuse names and preflights that are not allowed; put the headers on every answer."""

    def begin() -> Response | None:
        asked = present()
        if not door.answers_to(asked.host):
            abort(HTTPStatus.MISDIRECTED_REQUEST)
        if asked.method == "OPTIONS" and "Access-Control-Request-Method" in asked.headers:
            return _preflight(door)
        return None

    def end(response: Response) -> Response:
        asked = present()
        _add_missing(response.headers, _SAFE_HEADERS)
        if asked.is_secure:
            response.headers.setdefault("Strict-Transport-Security", _YEAR)
        if door.allowed_origins:
            response.vary.add("Origin")
        if asked.headers.get("Origin") in door.allowed_origins:
            response.headers["Access-Control-Allow-Origin"] = asked.headers["Origin"]
            response.headers["Access-Control-Expose-Headers"] = _EXPOSED
            response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return response

    app.before_request(begin)
    app.after_request(end)


def _add_missing(headers: Headers, safe: Mapping[str, str]) -> None:
    """Add the headers that are not there; looked for all at once, since every answer has them."""
    there = {name.lower() for name, _ in headers}
    headers.extend([(name, value) for name, value in safe.items() if name.lower() not in there])


def _preflight(door: FrontDoor) -> Response:
    if request.headers.get("Origin") not in door.allowed_origins:
        abort(HTTPStatus.FORBIDDEN)
    response = Response(status=HTTPStatus.NO_CONTENT)
    response.headers["Access-Control-Allow-Methods"] = _METHODS
    response.headers["Access-Control-Allow-Headers"] = _HEADERS
    response.headers["Access-Control-Max-Age"] = _PREFLIGHT_SECONDS
    return response


class TrustedProxies:
    """Takes address and scheme from the headers of proxies that are trusted, and from nobody else.

    The client is the last address in ``X-Forwarded-For`` that is no trusted proxy: what stands before it was written
    by the client itself.
    """

    def __init__(self, app: WSGIApplication, networks: Iterable[IPv4Network | IPv6Network]) -> None:
        self._app = app
        self._networks = tuple(networks)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        if self._trusts(environ.get("REMOTE_ADDR", "")):
            hops = [each.strip() for each in environ.get("HTTP_X_FORWARDED_FOR", "").split(",")]
            client = next((each for each in reversed(hops) if not self._trusts(each)), "")
            if _is_address(client):
                environ["REMOTE_ADDR"] = client
            scheme = environ.get("HTTP_X_FORWARDED_PROTO", "").rpartition(",")[2].strip().lower()
            if scheme in {"http", "https"}:
                environ["wsgi.url_scheme"] = scheme
        return self._app(environ, start_response)

    def _trusts(self, address: str) -> bool:
        if not _is_address(address):
            return False
        parsed = ip_address(address)
        return any(parsed in network for network in self._networks)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
