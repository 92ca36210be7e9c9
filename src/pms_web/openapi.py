"""The OpenAPI 3.1 document, made from the route table.

Owns what is said of an address besides the types of its bodies, which ``json_schema`` derives: parameters, headers,
statuses, permissions, examples. Nothing here is written by hand twice: what a route says is what it does.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from http import HTTPStatus

from pms_web.examples import EXAMPLE_IDS
from pms_web.json_schema import Schemas, first_paragraph
from pms_web.problem_views import ProblemBody
from pms_web.routing import Idempotency, Route
from pms_web.structuring import members_of, wire_name
from pmscore.access.model.permissions import PERMISSIONS, Role
from pmscore.kernel.events import Json

__all__ = ["described_path", "document", "path_parts", "problem_statuses"]

_PART = re.compile(r"<(?:[^:<>]+:)?([a-z_]+)>")
_INTRODUCTION = """\
Everything is JSON. Amounts are decimal text with their currency, dates are ISO 8601, ends of ranges are exclusive, \
instants have their offset from UTC. Unknown members and parameters are refused by name; null is the same as left out.

A request that does not succeed is answered with `application/problem+json`: `error` is a code for programs, `detail` \
a sentence for people, `errors` names every mistake. `X-Request-Id` is taken over from the request, or made, and is in \
every answer.

What is not in your agency, or at a property that you may not see, is answered as if it did not exist.
"""
_PROBLEMS: Mapping[int, str] = {
    400: "A value outside of a documented enumeration.",
    401: "Nobody is logged in, or the token or key does not hold.",
    403: "The role does not allow it.",
    404: "There is no such thing here.",
    409: "Somebody was faster, or the status does not allow it.",
    413: "The body is larger than 1 MiB.",
    415: "The body is not said to be JSON.",
    422: "Something that was sent cannot be used, or the house refuses it; nothing was done.",
    429: "Too many requests.",
    503: "The database is temporarily unavailable.",
}
_SECURITY: list[Json] = [{"bearer": []}, {"api_key": []}, {"session": []}]
_SCHEMES: Json = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A token of `pms token`.",
    },
    "api_key": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "pms_<id>_<secret>",
        "description": "A key for machines, sent in the same header as a token.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-pms",
        "description": "The cookie of somebody who has logged in; a change also needs the header `X-CSRF-Token`.",
    },
}


def document(routes: Iterable[Route], *, version: str) -> dict[str, Json]:
    """Return the document of some routes."""
    listed = sorted(routes, key=lambda each: (each.tag, each.path, each.method))
    schemas = Schemas()
    problem = schemas.written(ProblemBody)
    paths: dict[str, dict[str, Json]] = {}
    for route in listed:
        paths.setdefault(described_path(route.path), {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "pms",
            "version": version,
            "summary": "Hotels and holiday homes: availability, prices, bookings.",
            "description": _INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": _tags(listed),
        "paths": {path: paths[path] for path in sorted(paths)},
        "components": {
            "schemas": {name: schemas.named[name] for name in sorted(schemas.named)},
            "responses": {_problem_name(each): _problem(each, problem) for each in sorted(_PROBLEMS)},
            "securitySchemes": _SCHEMES,
        },
    }


def described_path(path: str) -> str:
    """Return an address with its parts in braces."""
    return _PART.sub(r"{\1}", path)


def path_parts(path: str) -> tuple[str, ...]:
    """Return the names of the parts of an address that change."""
    return tuple(_PART.findall(path))


def problem_statuses(route: Route) -> tuple[int, ...]:
    """Return the statuses that a route may answer when something is wrong."""
    found = set(route.problems)
    takes = bool(path_parts(route.path)) or route.query is not None or route.body is not None
    if takes:
        found |= {404, 422, 503}
    if route.body is not None:
        found |= {413, 415}
    if route.permission is not None:
        found |= {401, 403, 503}
    if route.module:
        # Where an agency does not have the module.
        found.add(404)
    if route.allowance is not None:
        found.add(429)
    if route.method != "GET":
        found.add(409)
    return tuple(sorted(found - set(route.replies)))


def _tags(routes: Iterable[Route]) -> list[Json]:
    """Return the resources; what is said of each are the first lines of its module."""
    modules = {route.tag: route.view.__module__ for route in routes}
    tags: list[Json] = []
    for tag, module in sorted(modules.items()):
        said = first_paragraph(sys.modules[module].__doc__)
        tags.append({"name": tag, "description": said.partition(": ")[2].capitalize() or said})
    return tags


def _operation(route: Route, schemas: Schemas) -> Json:
    operation: dict[str, Json] = {
        "operationId": route.name.replace(".", "_"),
        "tags": [route.tag],
        "summary": route.summary,
        "description": _description(route),
    }
    if parameters := [*_path_parameters(route), *_query_parameters(route, schemas), *_headers(route)]:
        operation["parameters"] = parameters
    if route.body is not None:
        content: dict[str, Json] = {"schema": schemas.read(route.body)}
        if route.example is not None:
            content["example"] = _json(route.example)
        operation["requestBody"] = {"required": True, "content": {"application/json": content}}
    responses: dict[str, Json] = {
        str(status): _reply(route, status, kind, schemas) for status, kind in sorted(route.replies.items())
    }
    for status in problem_statuses(route):
        responses[str(status)] = {"$ref": f"#/components/responses/{_problem_name(status)}"}
    operation["responses"] = responses
    operation["security"] = [] if route.permission is None else _SECURITY
    if route.permission is not None:
        operation["x-permission"] = route.permission.value
    if route.module:
        operation["x-module"] = route.module
    return operation


def _description(route: Route) -> str:
    parts = [first_paragraph(route.view.__doc__)]
    if route.permission is None:
        parts.append("Nobody has to log in.")
    else:
        roles = ", ".join(role.value for role in Role if route.permission in PERMISSIONS[role])
        parts.append(f"Permission: `{route.permission.value}` ({roles}).")
    if route.is_versioned and route.method != "GET":
        where = "in the body or as `If-Match`" if route.body is not None else "as `If-Match`"
        parts.append(f"With a version, {where}, a change that somebody else made since is kept.")
    if route.module:
        parts.append(f"Brought by the module `{route.module}`.")
    return "\n\n".join(parts)


def _path_parameters(route: Route) -> Iterable[Json]:
    for name in path_parts(route.path):
        schema: dict[str, Json] = {"type": "string"}
        if name.endswith("_id"):
            schema["format"] = "uuid"
        parameter: dict[str, Json] = {"name": name, "in": "path", "required": True, "schema": schema}
        if name in EXAMPLE_IDS:
            parameter["example"] = EXAMPLE_IDS[name]
        yield parameter


def _query_parameters(route: Route, schemas: Schemas) -> Iterable[Json]:
    if route.query is None:
        return
    closed = schemas.member_schemas(route.query)
    examples = route.example or {} if route.body is None else {}
    for member in members_of(route.query):
        name = wire_name(member)
        schema, is_required = closed[name]
        parameter: dict[str, Json] = {"name": name, "in": "query", "schema": schema}
        if is_required:
            parameter["required"] = True
        if said := schema.pop("description", None):
            parameter["description"] = said
        if schema.get("type") == "array":
            parameter |= {"style": "form", "explode": True}
        if name in examples:
            parameter["example"] = _json(examples[name])
        yield parameter


def _headers(route: Route) -> Iterable[Json]:
    if route.idempotency is not Idempotency.NONE:
        yield {
            "name": "Idempotency-Key",
            "in": "header",
            "required": route.idempotency is Idempotency.REQUIRED,
            "description": "Names this request: sent again with the same body, it has one effect and one answer.",
            "schema": {"type": "string", "pattern": "^[!-~]{1,200}$"},
            "example": "a-key-of-your-own",
        }
    if route.is_versioned and route.method != "GET":
        said = "The `ETag` that the change was made from; the same as `version` in the body."
        yield {
            "name": "If-Match",
            "in": "header",
            "required": False,
            "description": said if route.body is not None else "The `version` of what is to go, in quotes.",
            "schema": {"type": "string", "pattern": r'^(\*|"[0-9]{1,9}")$'},
        }


def _reply(route: Route, status: int, kind: object, schemas: Schemas) -> Json:
    reply: dict[str, Json] = {"description": f"{HTTPStatus(status).phrase}."}
    headers: dict[str, Json] = {}
    if route.is_versioned and kind is not None:
        headers["ETag"] = {"description": "The version, in quotes.", "schema": {"type": "string"}}
    if status == HTTPStatus.CREATED and route.method == "POST":
        headers["Location"] = {"description": "Where it can be read.", "schema": {"type": "string"}}
    headers |= {name: dict(each) for name, each in route.headers.items()}
    if headers:
        reply["headers"] = headers
    if isinstance(kind, str):
        reply["content"] = {kind: {"schema": {"type": "string"}}}
    elif kind is not None:
        reply["content"] = {"application/json": {"schema": schemas.written(kind)}}
    return reply


def _problem_name(status: int) -> str:
    return HTTPStatus(status).phrase.title().replace(" ", "").replace("-", "")


def _problem(status: int, problem: Mapping[str, Json]) -> Json:
    found: dict[str, Json] = {
        "description": _PROBLEMS[status],
        "content": {"application/problem+json": {"schema": {**problem}}},
    }
    if status in {429, 503}:
        found["headers"] = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
    if status == HTTPStatus.UNAUTHORIZED:
        found["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    return found


def _json(value: object) -> Json:
    """Return an example as plain JSON."""
    if isinstance(value, Mapping):
        return {str(name): _json(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_json(each) for each in value]
    if value is None or isinstance(value, str | int):
        return value
    raise TypeError(f"no JSON: {value!r}")
