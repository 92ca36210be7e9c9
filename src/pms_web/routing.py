"""How a view is put on an address: who may call it, what it takes, and what it answers.

Owns the shape of a route, the way of a request to its view, the reading of query parameters and the writing of JSON.
Views are plain functions of the services; ``route_table`` lists the routes, so a reader can follow a call with "go to
definition".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType

from attrs import field, frozen
from flask import Flask, Response, g, request

from pms_web.fields import FieldError, Fields
from pms_web.services import Presented, Surroundings
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
    "query_fields",
    "who_asks",
]

_NUMBER = re.compile(r"-?[0-9]{1,18}\Z")
_KEY = re.compile(r"[\x21-\x7e]{1,200}\Z")
_SESSION_COOKIES = ("__Host-pms", "pms")

View = Callable[..., Response]
"""Takes the services of the request and the parts of the address."""

OpenView = Callable[..., Response]
"""Takes the surroundings and the parts of the address: nobody has to say who they are."""


class Idempotency(StrEnum):
    """What an ``Idempotency-Key`` does on a route."""

    NONE = "none"
    REQUIRED = "required"


@frozen(kw_only=True)
class Route:
    """One address.

    ``permission`` None means that nobody has to log in: then the view takes the ``Surroundings``. ``replies`` says by
    status what is answered when all is well: a TypedDict, or None for no body. ``query`` and ``body`` are the types of
    what is taken. ``is_versioned`` routes answer with an ``ETag`` and heed ``If-Match``. ``module`` is the module that
    brings the route, empty for the core.
    """

    method: str
    path: str
    view: View | OpenView
    permission: Permission | None
    summary: str = ""
    body: type | None = None
    query: type | None = None
    replies: Mapping[int, type | None] = field(factory=dict, converter=MappingProxyType)
    idempotency: Idempotency = Idempotency.NONE
    is_versioned: bool = False
    example: Json = None
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
    permission = route.permission
    if permission is None:
        return lambda **parts: route.view(surroundings, **parts)

    def answered(**parts: str) -> Response:
        principal = who_asks(surroundings)
        if principal is None:
            raise NotAuthenticatedError
        principal.require(permission)
        return route.view(surroundings.of(principal, RequestId(g.request_id)), **parts)

    return answered


def who_asks(surroundings: Surroundings) -> Principal | None:
    """Return whoever sends the present request; None where nothing was shown.

    Raises:
        NotAuthenticatedError: what was shown does not hold.
    """
    headers = request.headers
    shown = Presented(
        method=request.method,
        authorization=headers.get("Authorization", ""),
        cookie=next((value for name in _SESSION_COOKIES if (value := request.cookies.get(name))), ""),
        csrf_token=headers.get("X-CSRF-Token", ""),
        origin=headers.get("Origin", ""),
        fetch_site=headers.get("Sec-Fetch-Site", ""),
        address=request.remote_addr or "",
    )
    return surroundings.identify(shown)


def answer(body: Mapping[str, Json], status: int = 200) -> Response:
    """Return a JSON response; a body with a version carries it as its ``ETag`` as well."""
    text = json.dumps(body, separators=(",", ":"))
    response = Response(text, status=status, content_type="application/json")
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


def query_fields(
    errors: list[FieldError], *, lists: Iterable[str] = (), numbers: Iterable[str] = ()
) -> Fields:
    """Return the query for reading; ``lists`` may be repeated, ``numbers`` become numbers."""
    members: dict[str, Json] = {}
    for name, values in request.args.lists():
        if name in lists:
            members[name] = [part for value in values for part in value.split(",") if part]
            continue
        if len(values) > 1:
            errors.append(FieldError(name[:64].encode("ascii", "backslashreplace").decode(), "repeated"))
        text = values[0]
        members[name] = int(text) if name in numbers and _NUMBER.match(text) else text
    return Fields(members, errors)
