"""``/api/v1/properties``: what the agency has to offer, with the ids that other calls need."""

from __future__ import annotations

from flask import Response

from pms_web.fields import collecting
from pms_web.routing import Route, answer, query_fields
from pms_web.services import WebServices
from pms_web.views import house_body
from pmscore.access.model.permissions import Permission

__all__ = ["ROUTES"]

ADDRESS = "/api/v1/properties"

USUAL_LIMIT = 50
MOST = 100


def listed(services: WebServices) -> Response:
    """Return one page of the properties, by name."""
    with collecting() as errors:
        fields = query_fields(errors, numbers=("limit", "offset"))
        limit = fields.whole("limit") if fields.has("limit") else USUAL_LIMIT
        offset = fields.whole("offset") or 0
        if limit is not None and not 1 <= limit <= MOST:
            fields.note("limit", "out_of_range", least=1, most=MOST)
        if offset < 0:
            fields.note("offset", "negative")
        fields.close()
    houses = services.retry(services.availability.houses)
    ordered = sorted(houses, key=lambda each: (each.property.name, each.property.property_id))
    page = ordered[offset : offset + (limit or USUAL_LIMIT)]
    return answer(
        {
            "items": [house_body(each) for each in page],
            "total": len(ordered),
            "limit": limit,
            "offset": offset,
            "has_more": offset + len(page) < len(ordered),
        }
    )


ROUTES = (
    Route(
        method="GET",
        path=ADDRESS,
        view=listed,
        permission=Permission.READ_PROPERTIES,
        summary="List the properties",
    ),
)
