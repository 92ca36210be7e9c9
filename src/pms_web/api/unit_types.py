"""``/api/v1/properties/…/unit-types``: what a property sells.

Owns addresses; types are added and changed by the use cases of :mod:`pmscore.inventory`. A type stays for
good, as its bookings do; what is no longer sold has a capacity of none.
"""

from __future__ import annotations

from flask import Response

from pms_web.api.properties import property_of
from pms_web.house_schemas import CapacityFrom, NewType, TypeChange
from pms_web.house_views import UnitTypeInPropertyBody, unit_type_in_house_body
from pms_web.paging import Page, PageQuery, page_of
from pms_web.routing import Idempotency, Route, answer
from pms_web.services import WebServices
from pmscore.access.model.permissions import Permission
from pmscore.inventory.use_cases.house_changes import (
    AddUnitType,
    ChangeUnitType,
    add_unit_type,
    change_unit_type,
)
from pmscore.inventory.use_cases.houses import SetCapacity, set_capacity
from pmscore.inventory.views import TypeInHouse
from pmscore.kernel.events import OnceKey
from pmscore.kernel.ids import UnitTypeId, parse_id

__all__ = ["ROUTES"]

ADDRESS = "/api/v1/properties/<property_id>/unit-types"


def listed(services: WebServices, property_id: str, query: PageQuery) -> Response:
    """Return one page of the types of a property, by name."""
    key = property_of(property_id)
    (house,) = services.retry(lambda: services.availability.houses((key,)))
    ordered = sorted(house.types.values(), key=lambda each: (each.name, each.unit_type_id))
    page = [
        unit_type_in_house_body(TypeInHouse.of(house, each.unit_type_id))
        for each in ordered[query.offset : query.offset + query.limit]
    ]
    return answer(page_of(page, query, total=len(ordered)))


def create(services: WebServices, property_id: str, body: NewType, once: OnceKey) -> Response:
    """Add a type with its units."""
    command = AddUnitType(
        **services.asking, once=once, property_id=property_of(property_id), unit_type=body.made()
    )
    made = services.retry(lambda: add_unit_type(command, uow=services.uow, ids=services.ids))
    response = answer(unit_type_in_house_body(made), status=201)
    response.headers["Location"] = (
        f"/api/v1/properties/{made.property_id}/unit-types/{made.unit_type.unit_type_id}"
    )
    return response


def show(services: WebServices, property_id: str, unit_type_id: str) -> Response:
    """Return a type with its units."""
    key, type_key = property_of(property_id), _type_of(unit_type_id)
    (house,) = services.retry(lambda: services.availability.houses((key,)))
    return answer(unit_type_in_house_body(TypeInHouse.of(house, type_key)))


def change(services: WebServices, property_id: str, unit_type_id: str, body: TypeChange) -> Response:
    """Change name, largest party, overbooking and turnover; less overbooking than is sold already is refused."""
    command = ChangeUnitType(
        **services.asking,
        property_id=property_of(property_id),
        unit_type_id=_type_of(unit_type_id),
        name=body.name,
        largest_party=body.largest_party,
        overbooking=body.overbooking,
        turnover_nights=body.turnover_nights,
        expected_version=body.version,
    )
    seen = services.retry(lambda: change_unit_type(command, uow=services.uow))
    return answer(unit_type_in_house_body(seen))


def put_capacity(services: WebServices, property_id: str, unit_type_id: str, body: CapacityFrom) -> Response:
    """Say how many rooms there are from a night on; fewer than are sold on some night already is refused."""
    command = SetCapacity(
        **services.asking,
        property_id=property_of(property_id),
        unit_type_id=_type_of(unit_type_id),
        capacity=body.made(),
        expected_version=body.version,
    )
    house = services.retry(lambda: set_capacity(command, uow=services.uow))
    return answer(unit_type_in_house_body(TypeInHouse.of(house, command.unit_type_id)))


def _type_of(text: str) -> UnitTypeId:
    return UnitTypeId(parse_id(text, field="unit_type_id"))


ROUTES = (
    Route(
        method="GET",
        path=ADDRESS,
        view=listed,
        permission=Permission.READ_PROPERTIES,
        summary="List the unit types of a property",
        query=PageQuery,
        replies={200: Page[UnitTypeInPropertyBody]},
        example={"limit": 10},
    ),
    Route(
        method="POST",
        path=ADDRESS,
        view=create,
        permission=Permission.WRITE_PROPERTIES,
        summary="Add a unit type",
        body=NewType,
        replies={201: UnitTypeInPropertyBody},
        idempotency=Idempotency.REQUIRED,
        example={"name": "Suite", "rooms": 1, "largest_party": 4, "unit_names": ["201"]},
    ),
    Route(
        method="GET",
        path=f"{ADDRESS}/<unit_type_id>",
        view=show,
        permission=Permission.READ_PROPERTIES,
        summary="Read a unit type",
        replies={200: UnitTypeInPropertyBody},
        is_versioned=True,
    ),
    Route(
        method="PATCH",
        path=f"{ADDRESS}/<unit_type_id>",
        view=change,
        permission=Permission.WRITE_PROPERTIES,
        summary="Change a unit type",
        body=TypeChange,
        replies={200: UnitTypeInPropertyBody},
        example={"name": "Double with a view", "largest_party": 3},
        is_versioned=True,
    ),
    Route(
        method="PUT",
        path=f"{ADDRESS}/<unit_type_id>/capacity",
        view=put_capacity,
        permission=Permission.WRITE_PROPERTIES,
        summary="Set the capacity of a unit type from a night on",
        body=CapacityFrom,
        replies={200: UnitTypeInPropertyBody},
        example={"from": "2027-10-01", "rooms": 4},
        is_versioned=True,
    ),
)
