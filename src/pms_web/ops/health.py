"""``/health`` and ``/health/ready``: is the process there, and can it work.

Owns the addresses and the statuses. Leaves asking the components to ``readiness``.
"""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from flask import Response

from pms_web.routing import Route, answer
from pms_web.services import Surroundings
from pms_web.wire import InstantText, Says

__all__ = ["ROUTES"]


class AliveBody(TypedDict):
    """That the process runs, and which program it is."""

    status: Literal["up"]
    service: Literal["pms"]
    version: str
    commit: str


class ComponentBody(TypedDict):
    """Whether one component is there; one that is switched off reads up, with skipped among its details."""

    status: Literal["up", "down"]
    error: NotRequired[Annotated[str, Says("In a few words why it is not.")]]
    details: NotRequired[dict[str, object]]
    checked_at: InstantText


class ReadyBody(TypedDict):
    """Whether every component that is needed is there."""

    status: Literal["up", "down"]
    components: dict[str, ComponentBody]
    checked_at: InstantText


def alive(here: Surroundings) -> Response:
    """Say that the process runs, whatever else does not."""
    body: AliveBody = {"status": "up", "service": "pms", "version": here.version, "commit": here.commit}
    return answer(body)


def ready(here: Surroundings) -> Response:
    """Say whether every component that is needed is there."""
    body = here.readiness.check()
    return answer(body, status=200 if body["status"] == "up" else 503)


ROUTES = (
    Route(
        method="GET",
        path="/health",
        view=alive,
        permission=None,
        allowance=None,
        summary="Is the process there",
        replies={200: AliveBody},
    ),
    Route(
        method="GET",
        path="/health/ready",
        view=ready,
        permission=None,
        allowance=None,
        summary="Can it work",
        replies={200: ReadyBody, 503: ReadyBody},
    ),
)
