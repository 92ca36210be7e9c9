"""Setting up a property, changing its capacity, moving its business date."""

from __future__ import annotations

from datetime import date, time

from attrs import evolve, frozen

from pmscore.dates.zones import Zone
from pmscore.inventory.model.house import Capacity, House, HouseChanged, Property, Unit, UnitType
from pmscore.inventory.ports import InventoryWork
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError, PermissionDeniedError
from pmscore.kernel.events import Command
from pmscore.kernel.ids import PropertyId, UnitId, UnitTypeId
from pmscore.kernel.ports import IdSource, UnitOfWork

__all__ = [
    "AdvanceBusinessDate",
    "CreateHouse",
    "NewUnitType",
    "SetCapacity",
    "advance_business_date",
    "create_house",
    "set_capacity",
]


@frozen(kw_only=True)
class NewUnitType:
    """A unit type to be set up: ``rooms`` from ``valid_from`` on, with the names of its units, if any."""

    name: str
    rooms: int
    valid_from: date
    largest_party: int = 2
    overbooking: int = 0
    turnover_nights: int = 0
    unit_names: tuple[str, ...] = ()


@frozen(kw_only=True)
class CreateHouse(Command):
    """Set up a property with its types and units."""

    name: str
    zone: Zone
    currency: Currency
    business_date: date
    types: tuple[NewUnitType, ...]
    address: str = ""
    check_in_at: time = time(15)
    check_out_at: time = time(11)


@frozen(kw_only=True)
class SetCapacity(Command):
    """Change how many rooms of a type there are from a night on, and how far it may be overbooked."""

    property_id: PropertyId
    unit_type_id: UnitTypeId
    capacity: Capacity
    overbooking: int | None = None


@frozen(kw_only=True)
class AdvanceBusinessDate(Command):
    """Move the house to a later day."""

    property_id: PropertyId
    to: date


def create_house(command: CreateHouse, *, uow: UnitOfWork[InventoryWork], ids: IdSource) -> House:
    """Write a new property with its types and units.

    Raises:
        InvalidInputError: a name, number or date cannot be one; a type has more units than rooms.
        PermissionDeniedError: the actor reaches named properties alone, so the new one would be out of reach.
    """
    if command.property_ids is not None:
        raise PermissionDeniedError(reason="reach_is_limited")
    house = _new_house(command, ids)
    with uow.begin(command) as work:
        work.houses.add(house)
        work.record(_changed(house, "house.created", "property", "types", "units"))
        work.commit()
    return house


def set_capacity(command: SetCapacity, *, uow: UnitOfWork[InventoryWork]) -> House:
    """Change a type's capacity and rewrite the counters of the nights concerned.

    Raises:
        NotFoundError: no such property or type in this agency.
        NightsTakenError: some night has more claims than would fit.
    """
    with uow.begin(command) as work:
        house = work.houses.lock(command.property_id)
        unit_type = house.type_of(command.unit_type_id).with_capacity(command.capacity)
        if command.overbooking is not None:
            unit_type = evolve(unit_type, overbooking=command.overbooking)
        changed = evolve(
            house,
            property=evolve(house.property, version=house.property.version + 1),
            types={**house.types, unit_type.unit_type_id: unit_type},
        )
        work.houses.save(changed)
        work.record(_changed(changed, "house.capacityChanged", "capacities", "overbooking"))
        work.commit()
        return changed


def advance_business_date(command: AdvanceBusinessDate, *, uow: UnitOfWork[InventoryWork]) -> House:
    """Move the stored business date forward.

    Raises:
        NotFoundError: no such property in this agency.
        InvalidInputError: the day is not after the present business date.
    """
    with uow.begin(command) as work:
        house = work.houses.lock(command.property_id)
        if command.to <= house.property.business_date:
            raise InvalidInputError("to", "not_after_business_date")
        later = evolve(house.property, business_date=command.to, version=house.property.version + 1)
        changed = evolve(house, property=later)
        work.houses.save(changed)
        work.record(_changed(changed, "house.businessDateAdvanced", "business_date"))
        work.commit()
        return changed


def _new_house(command: CreateHouse, ids: IdSource) -> House:
    types: dict[UnitTypeId, UnitType] = {}
    units: dict[UnitId, Unit] = {}
    if not command.types:
        raise InvalidInputError("types", "empty")
    for new in command.types:
        if len(new.unit_names) > new.rooms:
            raise InvalidInputError("unit_names", "more_units_than_rooms", rooms=new.rooms)
        unit_type = UnitType(
            unit_type_id=UnitTypeId(ids.new()),
            name=new.name,
            capacities=(Capacity(new.valid_from, new.rooms),),
            largest_party=new.largest_party,
            overbooking=new.overbooking,
            turnover_nights=new.turnover_nights,
        )
        types[unit_type.unit_type_id] = unit_type
        for name in new.unit_names:
            unit = Unit(unit_id=UnitId(ids.new()), unit_type_id=unit_type.unit_type_id, name=name)
            units[unit.unit_id] = unit
    home = Property(
        property_id=PropertyId(ids.new()),
        name=command.name,
        zone=command.zone,
        currency=command.currency,
        business_date=command.business_date,
        address=command.address,
        check_in_at=command.check_in_at,
        check_out_at=command.check_out_at,
    )
    return House(property=home, types=types, units=units)


def _changed(house: House, kind: str, *names: str) -> HouseChanged:
    return HouseChanged(
        kind=kind,
        aggregate_id=house.property.property_id,
        version=house.property.version,
        changed=names,
    )
