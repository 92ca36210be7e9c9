"""``/api/v1/properties``: what the agency has to offer, with the ids that other calls need.

Owns addresses; houses are changed by the use cases of :mod:`pmscore.inventory`. Their types and units have
addresses of their own. A property stays for good, as its bookings do, so there is no way to remove one.
"""

from __future__ import annotations

from flask import Response

from pms_web.house_schemas import LaterDate, NewProperty, PropertyChange
from pms_web.house_views import PropertyBody, house_body
from pms_web.paging import Page, PageQuery, page_of
from pms_web.routing import Idempotency, Route, answer
from pms_web.services import WebServices
from pmscore.access.model.permissions import Permission
from pmscore.inventory.use_cases.house_changes import ChangeProperty, change_property
from pmscore.inventory.use_cases.houses import (
    AdvanceBusinessDate,
    CreateHouse,
    advance_business_date,
    create_house,
)
from pmscore.kernel.events import OnceKey
from pmscore.kernel.ids import PropertyId, parse_id

__all__ = ["ADDRESS", "ROUTES", "property_of"]

ADDRESS = "/api/v1/properties"


def listed(services: WebServices, query: PageQuery) -> Response:
    """Return one page of the properties, by name."""
    houses = services.retry(services.availability.houses)
    ordered = sorted(houses, key=lambda each: (each.property.name, each.property.property_id))
    page = ordered[query.offset : query.offset + query.limit]
    return answer(page_of(map(house_body, page), query, total=len(ordered)))


def create(services: WebServices, body: NewProperty, once: OnceKey) -> Response:
    """Make a property with its types and units; somebody who reaches named properties alone cannot."""
    command = CreateHouse(
        **services.asking,
        once=once,
        name=body.name,
        zone=body.zone_of_house(),
        currency=body.currency,
        business_date=body.business_date,
        types=tuple(each.made() for each in body.unit_types),
        address=body.address,
        check_in_at=body.check_in(),
        check_out_at=body.check_out(),
    )
    made = services.retry(lambda: create_house(command, uow=services.uow, ids=services.ids))
    response = answer(house_body(made), status=201)
    response.headers["Location"] = f"{ADDRESS}/{made.property.property_id}"
    return response


def show(services: WebServices, property_id: str) -> Response:
    """Return a property with its types and units."""
    key = property_of(property_id)
    (house,) = services.retry(lambda: services.availability.houses((key,)))
    return answer(house_body(house))


def change(services: WebServices, property_id: str, body: PropertyChange) -> Response:
    """Change name, address and times; zone and currency never change, because nights and amounts are in them."""
    command = ChangeProperty(
        **services.asking,
        property_id=property_of(property_id),
        name=body.name,
        address=body.address,
        check_in_at=body.check_in(),
        check_out_at=body.check_out(),
        expected_version=body.version,
    )
    return answer(house_body(services.retry(lambda: change_property(command, uow=services.uow))))


def advance(services: WebServices, property_id: str, body: LaterDate) -> Response:
    """Move the house to a later day, for good; a repetition is refused, since the day is not later any more."""
    command = AdvanceBusinessDate(
        **services.asking, property_id=property_of(property_id), to=body.to, expected_version=body.version
    )
    return answer(house_body(services.retry(lambda: advance_business_date(command, uow=services.uow))))


def property_of(text: str) -> PropertyId:
    """Return the id of a property from an address.

    Raises:
        InvalidInputError: it is none.
    """
    return PropertyId(parse_id(text, field="property_id"))


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
    Route(
        method="POST",
        path=ADDRESS,
        view=create,
        permission=Permission.WRITE_PROPERTIES,
        summary="Make a property",
        body=NewProperty,
        replies={201: PropertyBody},
        idempotency=Idempotency.REQUIRED,
        example={
            "name": "Pensão do Cais",
            "address": "Rua do Cais 7, Lisboa",
            "zone": "Europe/Lisbon",
            "currency": "EUR",
            "business_date": "2027-03-01",
            "unit_types": [
                {"name": "Double", "rooms": 2, "unit_names": ["1", "2"]},
                {"name": "Attic", "rooms": 1, "largest_party": 4, "turnover_nights": 1, "unit_names": ["A"]},
            ],
        },
    ),
    Route(
        method="GET",
        path=f"{ADDRESS}/<property_id>",
        view=show,
        permission=Permission.READ_PROPERTIES,
        summary="Read a property",
        replies={200: PropertyBody},
        is_versioned=True,
    ),
    Route(
        method="PATCH",
        path=f"{ADDRESS}/<property_id>",
        view=change,
        permission=Permission.WRITE_PROPERTIES,
        summary="Change a property",
        body=PropertyChange,
        replies={200: PropertyBody},
        example={"name": "Hotel do Cais", "check_in_at": "16:00"},
        is_versioned=True,
    ),
    Route(
        method="POST",
        path=f"{ADDRESS}/<property_id>/advance-business-date",
        view=advance,
        permission=Permission.WRITE_PROPERTIES,
        summary="Move the business date forward",
        body=LaterDate,
        replies={200: PropertyBody},
        example={"to": "2027-03-02"},
        is_versioned=True,
    ),
)
