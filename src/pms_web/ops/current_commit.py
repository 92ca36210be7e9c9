"""``/ops/current-commit``: which program answers here.

For whoever deploys: web and worker must run the same commit, and a new one is there when this says so.
"""

from __future__ import annotations

from typing import TypedDict

from flask import Response

from pms_web.routing import Route, answer
from pms_web.services import Surroundings

__all__ = ["ROUTES", "CurrentCommitBody"]


class CurrentCommitBody(TypedDict):
    """The program that answered; ``started_at`` is when this process began."""

    service: str
    commit: str
    version: str
    started_at: str
    environment: str


def current_commit(here: Surroundings) -> Response:
    """Say which program runs, since when, and where."""
    body: CurrentCommitBody = {
        "service": "pms",
        "commit": here.commit,
        "version": here.version,
        "started_at": here.started_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "environment": here.environment,
    }
    return answer(body)


ROUTES = (
    Route(
        method="GET",
        path="/ops/current-commit",
        view=current_commit,
        permission=None,
        allowance=None,
        summary="Which program runs",
        replies={200: CurrentCommitBody},
    ),
)
