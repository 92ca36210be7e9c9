"""``/health`` and ``/health/ready``: is the process there, and can it work.

Owns the addresses and the statuses. Leaves asking the components to ``readiness``.
"""

from __future__ import annotations

from flask import Response

from pms_web.routing import Route, answer
from pms_web.services import Surroundings

__all__ = ["ROUTES"]


def alive(here: Surroundings) -> Response:
    """Say that the process runs, whatever else does not."""
    return answer({"status": "up", "service": "pms", "version": here.version, "commit": here.commit})


def ready(here: Surroundings) -> Response:
    """Say whether every component that is needed is there."""
    body = here.readiness.check()
    return answer(body, status=200 if body["status"] == "up" else 503)


ROUTES = (
    Route(method="GET", path="/health", view=alive, permission=None, summary="Is the process there"),
    Route(method="GET", path="/health/ready", view=ready, permission=None, summary="Can it work"),
)
