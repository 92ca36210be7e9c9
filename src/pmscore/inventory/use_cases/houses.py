"""Setting up a property, changing its capacity, moving its business date.

Leaves its name and its times, more types and more units to ``house_changes``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from uuid import UUID

from attrs import evolve, frozen

from pmscore.dates.zones import Zone
from pmscore.inventory.model.house import Capacity, House, HouseChanged, Property, Unit, UnitType
from pmscore.inventory.ports import InventoryWork
from pmscore.inventory.views import ids_reply, recorded_ids
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError, PermissionDeniedError, StaleVersionError
from pmscore.kernel.events import Command, Json
from pmscore.kernel.ids import PropertyId, UnitId, UnitTypeId
from pmscore.kernel.once import commit_once, made_or_repeated
from pmscore.kernel.ports import IdSource, UnitOfWork

__all__ = [
    "AdvanceBusinessDate",
    "CreateHouse",
    "NewUnitType",
    "SetCapacity",
    "advance_business_date",
    "check_version",
    "create_house",
    "new_type",
    "set_capacity",
]


@frozen(kw_only=True)
class NewUnitType:
    """A unit type to be set up: ``rooms`` from ``valid_from`` on, with the names of its units, if any.

    Without ``valid_from`` there are rooms from the business date on.
    """

    name: str
    rooms: int
    valid_from: date | None = None
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
    """Change how many rooms of a type there are from a night on, and how far it may be overbooked.

    ``expected_version`` is the version of the property that the asker has seen; None asks for no check.
    """

    property_id: PropertyId
    unit_type_id: UnitTypeId
    capacity: Capacity
    overbooking: int | None = None
    expected_version: int | None = None


@frozen(kw_only=True)
class AdvanceBusinessDate(Command):
    """Move the house to a later day; ``expected_version`` as for a change of capacity."""

    property_id: PropertyId
    to: date
    expected_version: int | None = None


def create_house(command: CreateHouse, *, uow: UnitOfWork[InventoryWork], ids: IdSource) -> House:
    """Write a new property with its types and units; a repetition under the same key returns it as it was made.

    Raises:
        InvalidInputError: a name, number or date cannot be one; a type has more units than rooms, or two of one name.
        PermissionDeniedError: the actor reaches named properties alone, so the new one would be out of reach.
        KeyReusedError: the idempotency key belongs to another request.
    """
    if command.property_ids is not None:
        raise PermissionDeniedError(reason="reach_is_limited")
    house = _new_house(command, ids)

    def made() -> House:
        with uow.begin(command) as work:
            work.houses.add(house)
            work.record(_changed(house, "house.created", "property", "types", "units"))
            return commit_once(work, command, house, _reply, restored)

    def restored(reply: Mapping[str, Json]) -> House:
        return _new_house(command, recorded_ids(reply))

    return made_or_repeated(command, uow, made, restored)


def set_capacity(command: SetCapacity, *, uow: UnitOfWork[InventoryWork]) -> House:
    """Change a type's capacity and rewrite the counters of the nights concerned.

    Raises:
        NotFoundError: no such property or type in this agency.
        NightsTakenError: some night has more claims than would fit.
        StaleVersionError: the property has another version than expected.
    """
    with uow.begin(command) as work:
        house = work.houses.lock(command.property_id)
        check_version(house, command.expected_version)
        unit_type = house.type_of(command.unit_type_id).with_capacity(command.capacity)
        if command.overbooking is not None:
            unit_type = evolve(unit_type, overbooking=command.overbooking)
        changed = house.next_version(unit_type)
        work.houses.save(changed)
        work.record(_changed(changed, "house.capacityChanged", "capacities", "overbooking"))
        work.commit()
        return changed


def advance_business_date(command: AdvanceBusinessDate, *, uow: UnitOfWork[InventoryWork]) -> House:
    """Move the stored business date forward.

    Raises:
        NotFoundError: no such property in this agency.
        InvalidInputError: the day is not after the present business date.
        StaleVersionError: the property has another version than expected.
    """
    with uow.begin(command) as work:
        house = work.houses.lock(command.property_id)
        check_version(house, command.expected_version)
        if command.to <= house.property.business_date:
            raise InvalidInputError("to", "not_after_business_date")
        changed = house.next_version(evolve(house.property, business_date=command.to))
        work.houses.save(changed)
        work.record(_changed(changed, "house.businessDateAdvanced", "business_date"))
        work.commit()
        return changed


def check_version(house: House, expected: int | None) -> None:
    """Go on only if the house has the version that the asker has seen; None asks for no check.

    Raises:
        StaleVersionError: it has another one.
    """
    found = house.property.version
    if expected not in (None, found):
        raise StaleVersionError(expected=expected, found=found)


def new_type(new: NewUnitType, ids: IdSource, today: date) -> tuple[UnitType, tuple[Unit, ...]]:
    """Return a type and its units, on the business date ``today``; ids are drawn in this order.

    Raises:
        InvalidInputError: a name or number cannot be one; there are more units than rooms, or two of one name.
    """
    if len(new.unit_names) > new.rooms:
        raise InvalidInputError("unit_names", "more_units_than_rooms", rooms=new.rooms)
    if len(set(new.unit_names)) < len(new.unit_names):
        raise InvalidInputError("unit_names", "name_twice")
    unit_type = UnitType(
        unit_type_id=UnitTypeId(ids.new()),
        name=new.name,
        capacities=(Capacity(new.valid_from or today, new.rooms),),
        largest_party=new.largest_party,
        overbooking=new.overbooking,
        turnover_nights=new.turnover_nights,
    )
    units = [
        Unit(unit_id=UnitId(ids.new()), unit_type_id=unit_type.unit_type_id, name=name)
        for name in new.unit_names
    ]
    return unit_type, tuple(units)


def _new_house(command: CreateHouse, ids: IdSource) -> House:
    if not command.types:
        raise InvalidInputError("types", "empty")
    types: dict[UnitTypeId, UnitType] = {}
    units: dict[UnitId, Unit] = {}
    for new in command.types:
        unit_type, its_units = new_type(new, ids, command.business_date)
        types[unit_type.unit_type_id] = unit_type
        units.update({unit.unit_id: unit for unit in its_units})
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


def _reply(house: House) -> dict[str, Json]:
    """Return the ids in the order in which they were drawn; all else stands in the request."""
    drawn: list[UUID] = []
    for unit_type_id in house.types:
        drawn.append(unit_type_id)
        drawn += [unit.unit_id for unit in house.units.values() if unit.unit_type_id == unit_type_id]
    return ids_reply(*drawn, house.property.property_id)


def _changed(house: House, kind: str, *names: str) -> HouseChanged:
    return HouseChanged(
        kind=kind,
        aggregate_id=house.property.property_id,
        version=house.property.version,
        changed=names,
    )
