"""The module ``public_site``: what anybody may read of an agency, without a log-in.

An agency has it only after one of its admins has switched it on.
"""

from __future__ import annotations

from functools import wraps

from attrs import evolve
from flask import Response, abort, g

import pmscore
from pms_web.api.public import PUBLIC_ROUTES
from pms_web.modules.entitled import is_entitled
from pms_web.modules.spec import WebModule
from pms_web.routing import Route
from pms_web.services import NOBODY, Surroundings
from pmscore.access.model.permissions import Role
from pmscore.access.model.principals import Means, Principal
from pmscore.kernel.ids import RequestId
from pmscore.modules.model import Manifest

__all__ = ["MODULE"]

_MANIFEST = Manifest(
    name="public_site",
    version=pmscore.__version__,
    summary="Lets anybody read properties, availability and rates of the agency, for its own web site.",
    is_given=False,
)


def _opened(route: Route) -> Route:
    """Return the route for strangers: the address names the agency, and its views act as a guest in it."""
    view = route.view

    @wraps(view)
    def opened(here: Surroundings, *, agency_slug: str, **parts: object) -> Response:
        agency_id = here.retry(lambda: here.access.reader.find_agency(agency_slug))
        if agency_id is None:
            abort(404)
        guest = Principal(agency_id=agency_id, actor_id=NOBODY, role=Role.GUEST, means=Means.NONE)
        services = here.of(guest, RequestId(g.request_id))
        if not is_entitled(services, _MANIFEST):
            abort(404)  # the same answer as for an agency that there is not
        return view(services, **parts)

    return evolve(route, view=opened, permission=None)


MODULE = WebModule(manifest=_MANIFEST, routes=tuple(map(_opened, PUBLIC_ROUTES)))
