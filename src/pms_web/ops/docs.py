"""``/docs`` and ``/api/v1/openapi.json``: what can be called, for people and for programs.

Owns the addresses. Both are made once an app from the routes that it has, so a module that is off is in neither.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from flask import Flask, Response, current_app, request

from pms_web.limits import Allowance
from pms_web.openapi import document
from pms_web.ops.reference_page import CONTENT_SECURITY_POLICY, reference_page
from pms_web.routing import Route
from pms_web.services import Surroundings
from pmscore.kernel.events import Json

__all__ = ["ROUTES", "describe"]

_DOCUMENT = "pms_openapi"


def describe(app: Flask, routes: Iterable[Route], version: str) -> None:
    """Tell an app what it has, for these two addresses."""
    app.extensions[_DOCUMENT] = document(routes, version=version)


def openapi(_: Surroundings) -> Response:
    """Return the OpenAPI 3.1 document of the routes that this app has."""
    response = Response(json.dumps(_document(), separators=(",", ":")), content_type="application/json")
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    response.make_conditional(request)
    return response


def reference(_: Surroundings) -> Response:
    """Return the page that describes every route, with examples."""
    page = reference_page(_document(), request.host_url.rstrip("/"))
    response = Response(page, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return response


def _document() -> Mapping[str, Json]:
    found: Mapping[str, Json] = current_app.extensions[_DOCUMENT]
    return found


ROUTES = (
    Route(
        method="GET",
        path="/api/v1/openapi.json",
        view=openapi,
        permission=None,
        allowance=Allowance.PUBLIC,
        summary="Read the OpenAPI document",
        replies={200: Mapping[str, object], 304: None},
    ),
    Route(
        method="GET",
        path="/docs",
        view=reference,
        permission=None,
        allowance=Allowance.PUBLIC,
        summary="Read about every route",
        replies={200: "text/html; charset=utf-8"},
    ),
)
