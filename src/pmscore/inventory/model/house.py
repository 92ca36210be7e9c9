"""Properties, unit types and units, and the house they make together.

Owns what is there to be sold. Leaves what claims it to :mod:`pmscore.inventory.model.stock` and its price
to pricing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from typing import ClassVar

from attrs import evolve, field, frozen

from pmscore.dates.zones import Zone
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError, NotFoundError
from pmscore.kernel.events import Event
from pmscore.kernel.ids import PropertyId, UnitId, UnitTypeId
from pmscore.kernel.text import checked_text

__all__ = [
    "Capacity",
    "House",
    "HouseChanged",
    "Property",
    "Unit",
    "UnitChanged",
    "UnitType",
    "UnitTypeChanged",
]

MOST_ROOMS = 100_000
MOST_GUESTS = 100
MOST_TURNOVER_NIGHTS = 30


@frozen(kw_only=True)
class HouseChanged(Event):
    """Something about a property, its types or its units changed; ``changed`` names the fields."""

    aggregate: ClassVar[str] = "property"

    changed: tuple[str, ...]


@frozen(kw_only=True)
class UnitTypeChanged(HouseChanged):
    """One of the property's types is new or changed."""

    unit_type_id: UnitTypeId


@frozen(kw_only=True)
class UnitChanged(HouseChanged):
    """One of the property's units is new or has another name."""

    unit_type_id: UnitTypeId
    unit_id: UnitId


@frozen(kw_only=True)
class Property:
    """A hotel or a holiday home: one zone, one currency, one business date.

    ``business_date`` is the day the house is working on; only the move of it changes it, never the clock.
    ``version`` grows with every change of the property, its types, its units and its stay rules.
    """

    property_id: PropertyId
    name: str
    zone: Zone
    currency: Currency
    business_date: date
    address: str = ""
    check_in_at: time = time(15)
    check_out_at: time = time(11)
    version: int = 1

    def __attrs_post_init__(self) -> None:
        checked_text(self.name, field="name")
        checked_text(self.address, field="address", longest=500, may_be_empty=True)


@frozen
class Capacity:
    """How many rooms of a type there are from one night on."""

    valid_from: date
    rooms: int

    def __attrs_post_init__(self) -> None:
        if not 0 <= self.rooms <= MOST_ROOMS:
            raise InvalidInputError("capacity", "out_of_range", most=MOST_ROOMS)


@frozen(kw_only=True)
class UnitType:
    """What is sold: a room category, or a holiday home as a type with one unit.

    ``capacities`` are in the order of their first night; before the first there is no room. ``overbooking``
    is how many claims beyond the capacity are allowed on a night. ``turnover_nights`` stay empty after each
    departure. ``largest_party`` counts adults and children with a bed.
    """

    unit_type_id: UnitTypeId
    name: str
    capacities: tuple[Capacity, ...]
    largest_party: int = 2
    overbooking: int = 0
    turnover_nights: int = 0

    def __attrs_post_init__(self) -> None:
        checked_text(self.name, field="name")
        if not 1 <= self.largest_party <= MOST_GUESTS:
            raise InvalidInputError("largest_party", "out_of_range", most=MOST_GUESTS)
        if not 0 <= self.overbooking <= MOST_ROOMS:
            raise InvalidInputError("overbooking", "out_of_range", most=MOST_ROOMS)
        if not 0 <= self.turnover_nights <= MOST_TURNOVER_NIGHTS:
            raise InvalidInputError("turnover_nights", "out_of_range", most=MOST_TURNOVER_NIGHTS)
        starts = [capacity.valid_from for capacity in self.capacities]
        if not starts or starts != sorted(set(starts)):
            raise InvalidInputError("capacities", "not_ascending")

    def capacity_on(self, night: date) -> int:
        """Return how many rooms there are on ``night``."""
        rooms = 0
        for capacity in self.capacities:
            if capacity.valid_from > night:
                break
            rooms = capacity.rooms
        return rooms

    def most_rooms(self, first: date) -> int:
        """Return how many rooms there are at most on a night from ``first`` on."""
        later = [capacity.rooms for capacity in self.capacities if capacity.valid_from > first]
        return max([self.capacity_on(first), *later])

    def with_capacity(self, capacity: Capacity) -> UnitType:
        """Return the type with ``capacity`` in force from its first night on, later changes dropped."""
        earlier = tuple(each for each in self.capacities if each.valid_from < capacity.valid_from)
        return evolve(self, capacities=(*earlier, capacity))


@frozen(kw_only=True)
class Unit:
    """One room or apartment that a guest can be given."""

    unit_id: UnitId
    unit_type_id: UnitTypeId
    name: str

    def __attrs_post_init__(self) -> None:
        checked_text(self.name, field="name", longest=60)


@frozen(kw_only=True)
class House:
    """A property with its types and units, as one snapshot at ``property.version``."""

    property: Property
    types: Mapping[UnitTypeId, UnitType]
    units: Mapping[UnitId, Unit]
    _units_by_type: Mapping[UnitTypeId, tuple[Unit, ...]] = field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        by_type: dict[UnitTypeId, list[Unit]] = {}
        for unit in sorted(self.units.values(), key=lambda unit: (unit.name, unit.unit_id)):
            by_type.setdefault(unit.unit_type_id, []).append(unit)
        frozen_lists = {type_id: tuple(units) for type_id, units in by_type.items()}
        object.__setattr__(self, "_units_by_type", frozen_lists)

    def next_version(self, *parts: Property | UnitType | Unit) -> House:
        """Return the house one version later, each of ``parts`` new or in the place of the one with its id."""
        home, types, units = self.property, dict(self.types), dict(self.units)
        for part in parts:
            match part:
                case Property():
                    home = part
                case UnitType():
                    types[part.unit_type_id] = part
                case Unit():
                    units[part.unit_id] = part
        home = evolve(home, version=self.property.version + 1)
        return House(property=home, types=types, units=units)

    def type_of(self, unit_type_id: UnitTypeId | None, unit_id: UnitId | None = None) -> UnitType:
        """Return the type meant: the one named, else the unit's, else the only one.

        Raises:
            NotFoundError: this house has no such type or unit.
            InvalidInputError: none is named and the house has several.
        """
        if unit_type_id is None and unit_id is not None:
            unit_type_id = self.unit(unit_id).unit_type_id
        if unit_type_id is None:
            if len(self.types) != 1:
                raise InvalidInputError("unit_type_id", "required", types=len(self.types))
            return next(iter(self.types.values()))
        found = self.types.get(unit_type_id)
        if found is None:
            raise NotFoundError("unit_type", unit_type_id)
        return found

    def unit(self, unit_id: UnitId) -> Unit:
        """Return the unit.

        Raises:
            NotFoundError: this house has no such unit.
        """
        found = self.units.get(unit_id)
        if found is None:
            raise NotFoundError("unit", unit_id)
        return found

    def has_units(self, unit_type_id: UnitTypeId) -> bool:
        """Return whether stays of this type are given a unit, rather than sold by number alone."""
        return unit_type_id in self._units_by_type

    def units_of(self, unit_type_id: UnitTypeId) -> tuple[Unit, ...]:
        """Return the units of a type, by name."""
        return self._units_by_type.get(unit_type_id, ())

    def only_unit_of(self, unit_type_id: UnitTypeId) -> Unit | None:
        """Return the unit of a type that never has more than one room, as a holiday home."""
        units = self.units_of(unit_type_id)
        if len(units) != 1 or any(each.rooms > 1 for each in self.types[unit_type_id].capacities):
            return None
        return units[0]
