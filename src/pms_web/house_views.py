"""Properties as JSON, with their types and units, whole and in parts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TypedDict

from pms_web.wire import CurrencyText, DateText, IdText, TimeText
from pmscore.inventory.model.house import House, Unit, UnitType
from pmscore.inventory.views import TypeInHouse, UnitInHouse

__all__ = [
    "PropertyBody",
    "UnitBody",
    "UnitInPropertyBody",
    "UnitTypeBody",
    "UnitTypeInPropertyBody",
    "house_body",
    "unit_in_house_body",
    "unit_type_in_house_body",
]


class UnitBody(TypedDict):
    """One room or home that guests sleep in."""

    id: IdText
    name: str


CapacityBody = TypedDict("CapacityBody", {"from": DateText, "rooms": int})
"""How many rooms there are from a night on, until the next entry."""


class UnitTypeBody(TypedDict):
    """What is sold: a kind of room, or a home; ``rooms`` is how many there are on the business date.

    ``overbooking`` is how many more may be sold, ``turnover_nights`` how many nights stay empty after a departure.
    """

    id: IdText
    name: str
    rooms: int
    capacities: list[CapacityBody]
    largest_party: int
    overbooking: int
    turnover_nights: int
    units: list[UnitBody]


class PropertyBody(TypedDict):
    """A property with its unit types; ``business_date`` is the day that the house is in.

    ``version`` grows with every change of the property, its types, its units and its stay rules.
    """

    id: IdText
    name: str
    address: str
    zone: str
    currency: CurrencyText
    business_date: DateText
    check_in_at: TimeText
    check_out_at: TimeText
    unit_types: list[UnitTypeBody]
    version: int


class UnitTypeInPropertyBody(UnitTypeBody):
    """A type by itself; ``version`` is that of its property."""

    property_id: IdText
    version: int


class UnitInPropertyBody(UnitBody):
    """A unit by itself; ``version`` is that of its property."""

    property_id: IdText
    unit_type_id: IdText
    version: int


def house_body(house: House) -> PropertyBody:
    """Return a property with its types and units."""
    home = house.property
    return {
        "id": str(home.property_id),
        "name": home.name,
        "address": home.address,
        "zone": str(home.zone),
        "currency": home.currency.code,
        "business_date": home.business_date.isoformat(),
        "check_in_at": home.check_in_at.isoformat("minutes"),
        "check_out_at": home.check_out_at.isoformat("minutes"),
        "unit_types": [
            _unit_type(each, house.units_of(each.unit_type_id), home.business_date)
            for each in sorted(house.types.values(), key=lambda each: (each.name, each.unit_type_id))
        ],
        "version": home.version,
    }


def unit_type_in_house_body(seen: TypeInHouse) -> UnitTypeInPropertyBody:
    """Return a type with its units."""
    return {
        **_unit_type(seen.unit_type, seen.units, seen.business_date),
        "property_id": str(seen.property_id),
        "version": seen.version,
    }


def unit_in_house_body(seen: UnitInHouse) -> UnitInPropertyBody:
    """Return a unit."""
    return {
        "id": str(seen.unit.unit_id),
        "name": seen.unit.name,
        "property_id": str(seen.property_id),
        "unit_type_id": str(seen.unit.unit_type_id),
        "version": seen.version,
    }


def _unit_type(unit_type: UnitType, units: Iterable[Unit], today: date) -> UnitTypeBody:
    return {
        "id": str(unit_type.unit_type_id),
        "name": unit_type.name,
        "rooms": unit_type.capacity_on(today),
        "capacities": [
            {"from": each.valid_from.isoformat(), "rooms": each.rooms} for each in unit_type.capacities
        ],
        "largest_party": unit_type.largest_party,
        "overbooking": unit_type.overbooking,
        "turnover_nights": unit_type.turnover_nights,
        "units": [{"id": str(unit.unit_id), "name": unit.name} for unit in units],
    }
