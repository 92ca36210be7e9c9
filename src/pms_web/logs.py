"""What the log says of a request: one access line each, and in every other line whose request it was.

Owns what is told. Neither address, query nor body is ever written, only the route: an address may hold
anything. Leaves the shape of a line, and what is blotted out, to whoever sets logging up.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping
from typing import Final

from flask import Flask, Response, g, has_request_context

from pms_web.present import kept, present

__all__ = ["about_request", "log_requests", "trace_of"]

_access = logging.getLogger("pms.access")
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_TRACEPARENT: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}"
)


def log_requests(app: Flask) -> None:
    """Write one line for each request when it has been answered; put first on an app, it measures all of it."""

    def begin() -> None:
        g.log_began_at = time.perf_counter()

    def end(response: Response) -> Response:
        if _access.isEnabledFor(logging.INFO):
            took = time.perf_counter() - g.get("log_began_at", time.perf_counter())
            # Made by hand: looking for the line of this file that logs takes longer than the rest.
            record = logging.LogRecord(_access.name, logging.INFO, "", 0, "request", None, None)
            record.__dict__ |= {"status": response.status_code, "duration_ms": round(took * 1000, 2)}
            _access.handle(record)
        return response

    app.before_request(begin)
    app.after_request(end)


def about_request() -> Mapping[str, str | None]:
    """Return who asks for what in the present request, as far as it is known; empty outside of requests."""
    if not has_request_context():
        return {}
    asked, known = present(), kept()
    found: dict[str, str | None] = {"request_id": known.get("request_text", "")}
    principal = known.get("principal")
    if principal is not None:
        found["agency"], found["actor"] = str(principal.agency_id), str(principal.actor_id)
    rule, method = asked.url_rule, asked.method
    found["method"] = method if method in _METHODS else "OTHER"
    found["route"] = None if rule is None else rule.rule
    trace = trace_of(asked.environ.get("HTTP_TRACEPARENT", ""))
    if trace is not None:
        found["trace_id"], found["parent_span_id"] = trace
    return found


def trace_of(header: str) -> tuple[str, str] | None:
    """Return the trace and the calling span that a W3C ``traceparent`` names, None where it names none."""
    found = _TRACEPARENT.fullmatch(header.strip()) if header else None
    return None if found is None else (found[1], found[2])
