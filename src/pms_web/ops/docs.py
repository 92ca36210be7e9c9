"""``/docs`` and ``/api/v1/openapi.json``: what can be called, for people and for programs.

Owns the addresses. Both are made once an app from the routes that it has, so a module that is off is in neither.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cached_property
from html import escape

from flask import Flask, Response, current_app, request

from pms_web.limits import Allowance
from pms_web.openapi import document
from pms_web.ops.reference_page import CONTENT_SECURITY_POLICY, reference_page
from pms_web.routing import Route
from pms_web.services import Surroundings
from pmscore.kernel.events import Json

__all__ = ["ROUTES", "Description", "describe"]

_DESCRIPTION = "pms_description"
_ADDRESS = "https://address.of.this.app"


class Description:
    """What an app has, worked out when somebody asks for the first time."""

    def __init__(self, routes: Iterable[Route], version: str) -> None:
        self._routes = tuple(routes)
        self._version = version

    @cached_property
    def document(self) -> Mapping[str, Json]:
        """The OpenAPI document."""
        return document(self._routes, version=self._version)

    @cached_property
    def text(self) -> str:
        """The document as JSON."""
        return json.dumps(self.document, separators=(",", ":"))

    @cached_property
    def page(self) -> str:
        """The page, with a mark where the address of the app belongs."""
        return reference_page(self.document, _ADDRESS)


def describe(app: Flask, routes: Iterable[Route], version: str) -> None:
    """Tell an app what it has, for these two addresses."""
    app.extensions[_DESCRIPTION] = Description(routes, version)


def openapi(_: Surroundings) -> Response:
    """Return the OpenAPI 3.1 document of the routes that this app has."""
    response = Response(_description().text, content_type="application/json")
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    response.make_conditional(request)
    return response


def reference(_: Surroundings) -> Response:
    """Return the page that describes every route, with examples."""
    page = _description().page.replace(_ADDRESS, escape(request.host_url.rstrip("/")))
    response = Response(page, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return response


def _description() -> Description:
    found: Description = current_app.extensions[_DESCRIPTION]
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
