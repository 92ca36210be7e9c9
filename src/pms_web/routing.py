"""How a view is put on an address: who may call it, what it takes, and what it answers.

Owns the shape of a route, the way of a request to its view and the writing of JSON. What a route takes is read here,
once, into the types that it names; a view is handed ``query``, ``body`` and ``once`` as keyword arguments.
Views are plain functions of the services; ``route_table`` lists the routes, so a reader can follow a call with "go to
definition".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import orjson
from attrs import field, frozen
from flask import Flask, Response, g, request

from pms_web.auth.cookies import session_secret
from pms_web.bodies import fingerprint, parse_json
from pms_web.limits import Allowance, spend
from pms_web.present import present
from pms_web.services import Presented, Surroundings
from pms_web.structuring import structured, structured_query
from pmscore.access.model.permissions import Permission
from pmscore.access.model.principals import Principal
from pmscore.kernel.errors import InvalidInputError, NotAuthenticatedError
from pmscore.kernel.events import Json, OnceKey
from pmscore.kernel.ids import RequestId

__all__ = [
    "Idempotency",
    "OpenView",
    "Route",
    "View",
    "answer",
    "once_key",
    "put_on",
    "who_asks",
]

_VERSION = re.compile(r'"([0-9]{1,9})"\Z')
_KEY = re.compile(r"[\x21-\x7e]{1,200}\Z")

View = Callable[..., Response]
"""Takes the services of the request and the parts of the address."""

OpenView = Callable[..., Response]
"""Takes the surroundings and the parts of the address: nobody has to say who they are."""


class Idempotency(StrEnum):
    """What an ``Idempotency-Key`` does on a route; where it is not NONE, the view is handed ``once``."""

    NONE = "none"
    OPTIONAL = "optional"
    REQUIRED = "required"


def _kept(replies: Mapping[int, object]) -> Mapping[int, object]:
    return MappingProxyType(dict(replies))


def _kept_headers(headers: Mapping[str, Mapping[str, Json]]) -> Mapping[str, Mapping[str, Json]]:
    return MappingProxyType({name: MappingProxyType(dict(each)) for name, each in headers.items()})


@frozen(kw_only=True)
class Route:
    """One address.

    ``permission`` None means that nobody has to log in: then the view takes the ``Surroundings``. ``replies``
    says by status what is answered when all is well: a TypedDict, a media type for what is no JSON, or None
    for no body. ``query`` and ``body`` are wire classes; a body may be several of them, marked ``ByMember``.
    ``is_versioned`` routes answer with an ``ETag``; where they change something, ``If-Match`` says the same
    as the member ``version``. One that takes something away has no body: its view is handed ``version``, None
    where ``If-Match`` names none. ``headers`` are those of its own that a success may have, by name, as
    OpenAPI describes them. ``problems`` are statuses that it answers besides the usual ones. ``example`` is a
    body, or else a query, that gets an answer. ``allowance`` says how often somebody may ask, by agency and
    actor, or by address where nobody has to log in; None counts nothing. ``module`` is the module that brings
    the route, empty for the core.
    """

    method: str
    path: str
    view: View | OpenView
    permission: Permission | None
    summary: str = ""
    body: Any = None
    query: type | None = None
    replies: Mapping[int, object] = field(factory=dict, converter=_kept)
    problems: frozenset[int] = frozenset()
    idempotency: Idempotency = Idempotency.NONE
    is_versioned: bool = False
    headers: Mapping[str, Mapping[str, Json]] = field(factory=dict, converter=_kept_headers)
    allowance: Allowance | None = Allowance.NORMAL
    example: Mapping[str, object] | None = None
    module: str = ""

    @property
    def tag(self) -> str:
        """The resource it belongs to: the last part of the name of the view's module."""
        return self.view.__module__.rpartition(".")[2]

    @property
    def name(self) -> str:
        """The name that no other route has."""
        return f"{self.tag}.{self.view.__name__}"


def put_on(app: Flask, routes: Iterable[Route], surroundings: Surroundings) -> None:
    """Put ``routes`` on the app."""
    for route in routes:
        app.add_url_rule(route.path, route.name, _answering(route, surroundings), methods=[route.method])


def _answering(route: Route, surroundings: Surroundings) -> Callable[..., Response]:
    """Return what Flask calls: it finds out who asks, whether they may, and lets the view answer."""
    permission, allowance, limiter = route.permission, route.allowance, surroundings.limiter

    def opened(**parts: str) -> Response:
        if allowance is not None:
            spend(limiter, allowance, request.remote_addr or "")
        return route.view(surroundings, **parts, **_taken(route))

    if permission is None:
        return opened

    def answered(**parts: str) -> Response:
        principal = who_asks(surroundings)
        if principal is None:
            raise NotAuthenticatedError
        if allowance is not None:
            spend(limiter, allowance, f"{principal.agency_id}:{principal.actor_id}")
        principal.require(permission)
        services = surroundings.of(principal, RequestId(g.request_id))
        return route.view(services, **parts, **_taken(route))

    return answered


def _taken(route: Route) -> dict[str, object]:
    """Return what the request brings besides its address, read into the types that the route names.

    Raises:
        FieldsError: with every mistake in the query, or in the body.
        InvalidInputError: the body is no JSON object, or a header cannot be what it says.
    """
    taken: dict[str, object] = {}
    if route.query is not None:
        taken["query"] = structured_query(request.args.lists(), route.query)
    if route.body is not None:
        members = parse_json(request.get_data(cache=False), request.content_type or "")
        if route.is_versioned:
            members = _with_version(members)
        if route.idempotency is not Idempotency.NONE:
            taken["once"] = _once(members, route.idempotency)
        taken["body"] = structured(members, route.body)
    elif route.is_versioned and route.method == "DELETE":
        taken["version"] = _version()
    return taken


def _with_version(members: dict[str, Json]) -> dict[str, Json]:
    """Return a body with the version that ``If-Match`` names; ``*`` names none.

    Raises:
        InvalidInputError: field ``If-Match``: no version, or another one than the body's.
    """
    version = _version()
    if version is None:
        return members
    if members.get("version", version) not in {version, None}:
        raise InvalidInputError("If-Match", "one_of_two", other="version")
    return {**members, "version": version}


def _version() -> int | None:
    """Return the version that ``If-Match`` names; ``*`` names none.

    Raises:
        InvalidInputError: field ``If-Match``: no version.
    """
    text = request.headers.get("If-Match", "").strip()
    if text in {"", "*"}:
        return None
    found = _VERSION.match(text)
    if found is None:
        raise InvalidInputError("If-Match", "not_a_version")
    return int(found[1])


def _once(members: Mapping[str, Json], kind: Idempotency) -> OnceKey | None:
    if kind is Idempotency.OPTIONAL and "Idempotency-Key" not in request.headers:
        return None
    return once_key(lambda method, path: fingerprint(method, path, members))


def who_asks(surroundings: Surroundings) -> Principal | None:
    """Return whoever sends the present request; None where nothing was shown.

    Raises:
        NotAuthenticatedError: what was shown does not hold.
        TooManyRequestsError: too much that does not hold was shown from the same address.
    """
    asked = present()
    headers = asked.headers
    cookie = session_secret(asked.cookies) if "Cookie" in headers else ""
    shown = Presented(
        method=asked.method,
        authorization=headers.get("Authorization", ""),
        cookie=cookie,
        csrf_token=headers.get("X-CSRF-Token", ""),
        origin=headers.get("Origin", ""),
        fetch_site=headers.get("Sec-Fetch-Site", ""),
        # Only a cookie can be sent by another site's page; for all others it is not worth the time it takes.
        own_origin=asked.host_url.rstrip("/") if cookie else "",
        address=asked.remote_addr or "",
    )
    try:
        found = surroundings.identify(shown)
    except NotAuthenticatedError:
        spend(surroundings.limiter, Allowance.LOG_IN, shown.address)
        raise
    g.principal = found
    return found


def answer(body: Mapping[str, object], status: int = 200) -> Response:
    """Return a JSON response; a body with a version carries it as its ``ETag`` as well."""
    response = Response(orjson.dumps(body), status=status, content_type="application/json")
    version = body.get("version")
    if isinstance(version, int) and not isinstance(version, bool):
        response.set_etag(str(version))
    return response


def once_key(fingerprint: Callable[[str, str], str]) -> OnceKey:
    """Return the idempotency key of the present request; ``fingerprint`` makes a hash of method, path and body.

    Raises:
        InvalidInputError: field ``Idempotency-Key``: missing, or not 1 to 200 visible ASCII characters.
    """
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        raise InvalidInputError("Idempotency-Key", "required")
    if not _KEY.match(key):
        raise InvalidInputError("Idempotency-Key", "not_a_key")
    path = request.path.rstrip("/")
    return OnceKey(key, f"{request.method} {path}", fingerprint(request.method, path))
