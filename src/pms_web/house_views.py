"""Properties as JSON, with their types and units."""

from __future__ import annotations

from typing import TypedDict

from pms_web.wire import CurrencyText, DateText, IdText, TimeText
from pmscore.inventory.model.house import House

__all__ = ["PropertyBody", "UnitBody", "UnitTypeBody", "house_body"]


class UnitBody(TypedDict):
    """One room or home that guests sleep in."""

    id: IdText
    name: str


class UnitTypeBody(TypedDict):
    """What is sold: a kind of room, or a home; ``rooms`` is how many there are on the business date."""

    id: IdText
    name: str
    rooms: int
    largest_party: int
    turnover_nights: int
    units: list[UnitBody]


class PropertyBody(TypedDict):
    """A property with its unit types; ``business_date`` is the day that the house is in."""

    id: IdText
    name: str
    address: str
    zone: str
    currency: CurrencyText
    business_date: DateText
    check_in_at: TimeText
    check_out_at: TimeText
    unit_types: list[UnitTypeBody]


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
            {
                "id": str(each.unit_type_id),
                "name": each.name,
                "rooms": each.capacity_on(home.business_date),
                "largest_party": each.largest_party,
                "turnover_nights": each.turnover_nights,
                "units": [
                    {"id": str(unit.unit_id), "name": unit.name} for unit in house.units_of(each.unit_type_id)
                ],
            }
            for each in sorted(house.types.values(), key=lambda each: (each.name, each.unit_type_id))
        ],
    }
