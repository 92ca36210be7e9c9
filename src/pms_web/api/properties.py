"""``/api/v1/properties``: what the agency has to offer, with the ids that other calls need."""

from __future__ import annotations

from flask import Response

from pms_web.house_views import PropertyBody, house_body
from pms_web.paging import Page, PageQuery, page_of
from pms_web.routing import Route, answer
from pms_web.services import WebServices
from pmscore.access.model.permissions import Permission

__all__ = ["ROUTES"]

ADDRESS = "/api/v1/properties"


def listed(services: WebServices, query: PageQuery) -> Response:
    """Return one page of the properties, by name."""
    houses = services.retry(services.availability.houses)
    ordered = sorted(houses, key=lambda each: (each.property.name, each.property.property_id))
    page = ordered[query.offset : query.offset + query.limit]
    return answer(page_of(map(house_body, page), query, total=len(ordered)))


ROUTES = (
    Route(
        method="GET",
        path=ADDRESS,
        view=listed,
        permission=Permission.READ_PROPERTIES,
        summary="List the properties",
        query=PageQuery,
        replies={200: Page[PropertyBody]},
        example={"limit": 10},
    ),
)
