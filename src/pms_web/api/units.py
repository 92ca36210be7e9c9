"""``/api/v1/properties/…/units``: the rooms and homes that guests are given.

Owns addresses; units are added and named by the use cases of :mod:`pmscore.inventory`. A unit stays for good, as its
bookings do; one that is gone is blocked, and the capacity of its type lowered.
"""

from __future__ import annotations

from attrs import frozen
from flask import Response

from pms_web.api.properties import property_of
from pms_web.examples import UNIT_TYPE
from pms_web.house_schemas import NewUnit, UnitName
from pms_web.house_views import UnitInPropertyBody, unit_in_house_body
from pms_web.paging import Page, PageQuery, page_of
from pms_web.routing import Idempotency, Route, answer
from pms_web.services import WebServices
from pmscore.access.model.permissions import Permission
from pmscore.inventory.use_cases.units import AddUnit, RenameUnit, add_unit, rename_unit
from pmscore.inventory.views import UnitInHouse
from pmscore.kernel.events import OnceKey
from pmscore.kernel.ids import UnitId, UnitTypeId, parse_id

__all__ = ["ROUTES"]

ADDRESS = "/api/v1/properties/<property_id>/units"


@frozen(kw_only=True)
class UnitsQuery(PageQuery):
    """Units of a property, and of which type; of all where none is named."""

    unit_type_id: UnitTypeId | None = None


def listed(services: WebServices, property_id: str, query: UnitsQuery) -> Response:
    """Return one page of the units of a property, by name."""
    key = property_of(property_id)
    (house,) = services.retry(lambda: services.availability.houses((key,)))
    wanted = tuple(house.units.values())
    if query.unit_type_id is not None:
        wanted = house.units_of(house.type_of(query.unit_type_id).unit_type_id)
    ordered = sorted(wanted, key=lambda each: (each.name, each.unit_id))
    page = [
        unit_in_house_body(UnitInHouse.of(house, each.unit_id))
        for each in ordered[query.offset : query.offset + query.limit]
    ]
    return answer(page_of(page, query, total=len(ordered)))


def create(services: WebServices, property_id: str, body: NewUnit, once: OnceKey) -> Response:
    """Add a unit; there has to be a room for it, so the capacity comes first."""
    command = AddUnit(
        **services.asking,
        once=once,
        property_id=property_of(property_id),
        unit_type_id=body.unit_type_id,
        name=body.name,
    )
    made = services.retry(lambda: add_unit(command, uow=services.uow, ids=services.ids))
    response = answer(unit_in_house_body(made), status=201)
    response.headers["Location"] = f"/api/v1/properties/{made.property_id}/units/{made.unit.unit_id}"
    return response


def show(services: WebServices, property_id: str, unit_id: str) -> Response:
    """Return a unit."""
    key, unit_key = property_of(property_id), _unit_of(unit_id)
    (house,) = services.retry(lambda: services.availability.houses((key,)))
    return answer(unit_in_house_body(UnitInHouse.of(house, unit_key)))


def rename(services: WebServices, property_id: str, unit_id: str, body: UnitName) -> Response:
    """Give a unit another name; its bookings stay with it."""
    command = RenameUnit(
        **services.asking,
        property_id=property_of(property_id),
        unit_id=_unit_of(unit_id),
        name=body.name,
        expected_version=body.version,
    )
    return answer(unit_in_house_body(services.retry(lambda: rename_unit(command, uow=services.uow))))


def _unit_of(text: str) -> UnitId:
    return UnitId(parse_id(text, field="unit_id"))


ROUTES = (
    Route(
        method="GET",
        path=ADDRESS,
        view=listed,
        permission=Permission.READ_PROPERTIES,
        summary="List the units of a property",
        query=UnitsQuery,
        replies={200: Page[UnitInPropertyBody]},
        example={"unit_type_id": UNIT_TYPE},
    ),
    Route(
        method="POST",
        path=ADDRESS,
        view=create,
        permission=Permission.WRITE_PROPERTIES,
        summary="Add a unit",
        body=NewUnit,
        replies={201: UnitInPropertyBody},
        idempotency=Idempotency.REQUIRED,
        example={"unit_type_id": UNIT_TYPE, "name": "104"},
    ),
    Route(
        method="GET",
        path=f"{ADDRESS}/<unit_id>",
        view=show,
        permission=Permission.READ_PROPERTIES,
        summary="Read a unit",
        replies={200: UnitInPropertyBody},
        is_versioned=True,
    ),
    Route(
        method="PATCH",
        path=f"{ADDRESS}/<unit_id>",
        view=rename,
        permission=Permission.WRITE_PROPERTIES,
        summary="Rename a unit",
        body=UnitName,
        replies={200: UnitInPropertyBody},
        example={"name": "101 (garden)"},
        is_versioned=True,
    ),
)
