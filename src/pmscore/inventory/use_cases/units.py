"""More units for a property, and other names for them.

Owns what can be changed about units. They stay for good, because bookings name them: a unit that is gone is blocked,
and the capacity of its type lowered.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve, frozen

from pmscore.inventory.model.house import House, Unit, UnitChanged
from pmscore.inventory.ports import InventoryWork
from pmscore.inventory.use_cases.houses import check_version
from pmscore.inventory.views import UnitInHouse, ids_reply, recorded_ids, recorded_version
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Command, Json
from pmscore.kernel.ids import PropertyId, UnitId, UnitTypeId
from pmscore.kernel.once import commit_once, made_or_repeated
from pmscore.kernel.ports import IdSource, UnitOfWork

__all__ = ["AddUnit", "RenameUnit", "add_unit", "rename_unit"]


@frozen(kw_only=True)
class AddUnit(Command):
    """Give a type one more unit; there must be a room for it on some night from the business date on."""

    property_id: PropertyId
    unit_type_id: UnitTypeId
    name: str
    expected_version: int | None = None


@frozen(kw_only=True)
class RenameUnit(Command):
    """Give a unit another name."""

    property_id: PropertyId
    unit_id: UnitId
    name: str
    expected_version: int | None = None


def add_unit(command: AddUnit, *, uow: UnitOfWork[InventoryWork], ids: IdSource) -> UnitInHouse:
    """Add the unit and return it; a repetition under the same key returns it as it was made.

    Raises:
        NotFoundError: no such property or type in this agency.
        InvalidInputError: field ``name``: another unit of the type has it, or there are as many units as rooms.
        StaleVersionError: the property has another version than expected.
        KeyReusedError: the idempotency key belongs to another request.
    """
    unit = Unit(unit_id=UnitId(ids.new()), unit_type_id=command.unit_type_id, name=command.name)

    def made() -> UnitInHouse:
        with uow.begin(command) as work:
            house = work.houses.lock(command.property_id)
            check_version(house, command.expected_version)
            rooms = house.type_of(command.unit_type_id).most_rooms(house.property.business_date)
            _refuse_taken_name(house, unit)
            if len(house.units_of(command.unit_type_id)) >= rooms:
                raise InvalidInputError("name", "more_units_than_rooms", rooms=rooms)
            after = house.next_version(unit)
            work.houses.save(after)
            work.record(_unit_changed(after, unit, "house.unitAdded", "units"))
            return commit_once(work, command, UnitInHouse.of(after, unit.unit_id), reply, restored)

    def reply(seen: UnitInHouse) -> dict[str, Json]:
        return ids_reply(seen.unit.unit_id, version=seen.version)

    def restored(stored: Mapping[str, Json]) -> UnitInHouse:
        first = evolve(unit, unit_id=UnitId(recorded_ids(stored).new()))
        return UnitInHouse(property_id=command.property_id, version=recorded_version(stored), unit=first)

    return made_or_repeated(command, uow, made, restored)


def rename_unit(command: RenameUnit, *, uow: UnitOfWork[InventoryWork]) -> UnitInHouse:
    """Rename the unit and return it; nothing is written where it has the name already.

    Raises:
        NotFoundError: no such property or unit in this agency.
        InvalidInputError: field ``name``: it cannot be one, or another unit of the type has it.
        StaleVersionError: the property has another version than expected.
    """
    with uow.begin(command) as work:
        house = work.houses.lock(command.property_id)
        check_version(house, command.expected_version)
        before = house.unit(command.unit_id)
        wanted = evolve(before, name=command.name)
        if wanted == before:
            return UnitInHouse.of(house, command.unit_id)
        _refuse_taken_name(house, wanted)
        after = house.next_version(wanted)
        work.houses.save(after)
        work.record(_unit_changed(after, wanted, "house.unitRenamed", "name"))
        work.commit()
        return UnitInHouse.of(after, command.unit_id)


def _refuse_taken_name(house: House, unit: Unit) -> None:
    others = (each for each in house.units_of(unit.unit_type_id) if each.unit_id != unit.unit_id)
    if any(each.name == unit.name for each in others):
        raise InvalidInputError("name", "taken")


def _unit_changed(house: House, unit: Unit, kind: str, *names: str) -> UnitChanged:
    return UnitChanged(
        kind=kind,
        aggregate_id=house.property.property_id,
        version=house.property.version,
        changed=names,
        unit_type_id=unit.unit_type_id,
        unit_id=unit.unit_id,
    )
