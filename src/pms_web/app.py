"""The Flask app: blueprints, request ids, and one way in which errors become answers.

Owns what is true of every request. Leaves the addresses to ``route_table``; makes nothing and connects to
nothing, so it starts without a database and recovers when there is one.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5

from attrs import evolve
from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from pms_web.bodies import LARGEST_BODY, UnsupportedMediaError
from pms_web.errors import Problem, http_problem, problem_of
from pms_web.front_door import TrustedProxies, guard
from pms_web.logs import log_requests
from pms_web.modules.loading import load_modules
from pms_web.ops.docs import describe
from pms_web.route_table import ROUTES
from pms_web.routing import put_on
from pms_web.services import Surroundings
from pmscore.kernel.errors import PmsError

__all__ = ["create_app"]

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}\Z")
_log = logging.getLogger("pms_web")
_Returned = TypeVar("_Returned")


class _App(Flask):
    """Flask with nothing in it that is a coroutine, so that it need not look for one at each step of a request."""

    def ensure_sync(self, func: Callable[..., _Returned]) -> Callable[..., _Returned]:
        """Return the function."""
        return func


def create_app(surroundings: Surroundings) -> Flask:
    """Return the app in its ``surroundings``."""
    app = _App(__name__, static_folder=None)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    log_requests(app)
    modules = load_modules(surroundings.switches, ROUTES).started(app, surroundings)
    surroundings = evolve(surroundings, installed=modules.installed)
    routes = (*ROUTES, *modules.routes)
    put_on(app, routes, surroundings)
    describe(app, routes, surroundings.version)
    _name_requests(app, surroundings)
    guard(app, surroundings.door)
    _answer_errors(app)
    if surroundings.door.trusted_proxies:
        app.wsgi_app = TrustedProxies(app.wsgi_app, surroundings.door.trusted_proxies)  # type: ignore[method-assign]
    return app


def _name_requests(app: Flask, surroundings: Surroundings) -> None:
    def begin() -> None:
        given = request.headers.get("X-Request-Id", "")
        if _REQUEST_ID.match(given):
            g.request_text, g.request_id = given, _as_id(given)
        else:
            made = surroundings.ids.new()
            g.request_text, g.request_id = str(made), made

    def end(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.get("request_text", "")
        return response

    app.before_request(begin)
    app.after_request(end)


def _as_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return uuid5(NAMESPACE_URL, text)


def _answer_errors(app: Flask) -> None:
    def refused(error: PmsError) -> Response:
        problem = problem_of(error)
        if problem.status >= 500:
            # The trace of a failure is for the operator; its parameters hold no secret and no personal value.
            _log.error("%s request_id=%s", error, g.get("request_text"), exc_info=error)
        return _response(problem)

    def unexpected(error: Exception) -> Response:
        _log.error("unexpected request_id=%s", g.get("request_text"), exc_info=error)
        return _response(http_problem(500))

    def by_flask(error: HTTPException) -> Response:
        response = _response(http_problem(error.code or 500))
        if error.code == 405:
            response.headers["Allow"] = ", ".join(sorted(getattr(error, "valid_methods", None) or ()))
        return response

    app.register_error_handler(PmsError, refused)
    app.register_error_handler(HTTPException, by_flask)
    app.register_error_handler(UnsupportedMediaError, lambda _: _response(http_problem(415)))
    app.register_error_handler(Exception, unexpected)


def _response(problem: Problem) -> Response:
    text = json.dumps(problem.body(g.get("request_text", "")), separators=(",", ":"))
    response = Response(text, status=problem.status, content_type="application/problem+json")
    if problem.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    if problem.status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = "2"
    if problem.status == HTTPStatus.TOO_MANY_REQUESTS:
        response.headers["Retry-After"] = str(problem.more["retry_after"])
    return response
