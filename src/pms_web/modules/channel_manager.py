"""The module ``channel_manager``: connections to platforms and their addresses; the worker does what they ask for.

It is off unless somebody switches it on (``CHANNEL_MANAGER_ENABLED``).
"""

from __future__ import annotations

from functools import wraps

from attrs import evolve
from flask import Response, g

import pmscore
from pms_web.api import (
    allotments,
    availability_sync,
    calendars,
    channel_connections,
    channel_inbound,
    channel_issues,
    channel_mappings,
    channel_revisions,
    channel_sync,
)
from pms_web.modules.entitled import is_entitled
from pms_web.modules.spec import WebModule
from pms_web.routing import Route
from pms_web.services import NOBODY, Surroundings
from pmscore.access.model.permissions import Role
from pmscore.access.model.principals import Means, Principal
from pmscore.channels.use_cases.addresses import agency_of
from pmscore.kernel.errors import NotFoundError
from pmscore.kernel.ids import RequestId
from pmscore.modules.model import Manifest

__all__ = ["MODULE"]

_MANIFEST = Manifest(
    name="channel_manager",
    version=pmscore.__version__,
    summary="Keeps platforms in step with the house: rooms, prices and rules there, bookings here.",
    is_on_by_default=False,
)


def _opened(route: Route, part: str, kind: str) -> Route:
    """Return the route for platforms: the token in a part of the address names the agency, and its view acts as a guest.

    Whoever knows none finds nothing of a ``kind``.
    """
    view = route.view

    @wraps(view)
    def opened(here: Surroundings, **parts: str) -> Response:
        agency_id = agency_of(parts[part])
        if agency_id is None:
            raise NotFoundError(kind, None)
        platform = Principal(agency_id=agency_id, actor_id=NOBODY, role=Role.GUEST, means=Means.NONE)
        services = here.of(platform, RequestId(g.request_id))
        if not is_entitled(services, _MANIFEST):
            raise NotFoundError(kind, None)
        return view(services, **parts)

    return evolve(route, view=opened, permission=None)


MODULE = WebModule(
    manifest=_MANIFEST,
    routes=(
        *calendars.ROUTES,
        *channel_connections.ROUTES,
        *channel_sync.ROUTES,
        *availability_sync.ROUTES,
        *allotments.ROUTES,
        *channel_mappings.ROUTES,
        *channel_revisions.ROUTES,
        *channel_issues.ROUTES,
        *(_opened(each, "calendar_token", "channel_calendar") for each in calendars.OPEN_ROUTES),
        *(_opened(each, "token", "channel_webhook") for each in channel_inbound.INBOUND_ROUTES),
    ),
)
