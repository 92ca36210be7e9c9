"""Changing a property: its name and times, and its types.

Owns what can be changed later. The zone and the currency cannot: nights that are sold and amounts that are
agreed are in them. Types stay for good, because bookings name them; what is no longer sold has a capacity of
none. Leaves capacity and business date to ``houses``, units to ``units``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time

from attrs import evolve, frozen

from pmscore.inventory.model.house import House, HouseChanged, UnitType, UnitTypeChanged
from pmscore.inventory.ports import InventoryWork
from pmscore.inventory.use_cases.houses import NewUnitType, check_version, new_type
from pmscore.inventory.views import TypeInHouse, ids_reply, recorded_ids, recorded_version
from pmscore.kernel.events import Command, Json
from pmscore.kernel.ids import PropertyId, UnitTypeId
from pmscore.kernel.once import commit_once, made_or_repeated
from pmscore.kernel.ports import IdSource, UnitOfWork

__all__ = [
    "AddUnitType",
    "ChangeProperty",
    "ChangeUnitType",
    "add_unit_type",
    "change_property",
    "change_unit_type",
]


@frozen(kw_only=True)
class _HouseCommand(Command):
    """``expected_version`` is the version of the property that the asker has seen; None asks for no check."""

    property_id: PropertyId
    expected_version: int | None = None


@frozen(kw_only=True)
class ChangeProperty(_HouseCommand):
    """Give a property another name, address or times; None leaves a field as it is."""

    name: str | None = None
    address: str | None = None
    check_in_at: time | None = None
    check_out_at: time | None = None


@frozen(kw_only=True)
class AddUnitType(_HouseCommand):
    """Give a property one more type, with its units."""

    unit_type: NewUnitType


@frozen(kw_only=True)
class ChangeUnitType(_HouseCommand):
    """Change a type; None leaves a field as it is.

    Nights that must stay empty after a departure are those of when a room was booked, so a change is for
    bookings that are made after it.
    """

    unit_type_id: UnitTypeId
    name: str | None = None
    largest_party: int | None = None
    overbooking: int | None = None
    turnover_nights: int | None = None


def change_property(command: ChangeProperty, *, uow: UnitOfWork[InventoryWork]) -> House:
    """Make the change and return the house after it; nothing is written where it asks for nothing new.

    Raises:
        NotFoundError: no such property in this agency.
        InvalidInputError: a name or an address cannot be one.
        StaleVersionError: the property has another version than expected.
    """
    with uow.begin(command) as work:
        house = work.houses.lock(command.property_id)
        check_version(house, command.expected_version)
        before = house.property
        wanted = evolve(
            before,
            name=before.name if command.name is None else command.name,
            address=before.address if command.address is None else command.address,
            check_in_at=before.check_in_at if command.check_in_at is None else command.check_in_at,
            check_out_at=before.check_out_at if command.check_out_at is None else command.check_out_at,
        )
        names = _differing(before, wanted, ("name", "address", "check_in_at", "check_out_at"))
        if not names:
            return house
        after = house.next_version(wanted)
        work.houses.save(after)
        work.record(
            HouseChanged(
                kind="house.updated",
                aggregate_id=command.property_id,
                version=after.property.version,
                changed=names,
            )
        )
        work.commit()
        return after


def add_unit_type(command: AddUnitType, *, uow: UnitOfWork[InventoryWork], ids: IdSource) -> TypeInHouse:
    """Add the type and return it; a repetition under the same key returns it as it was made.

    Raises:
        NotFoundError: no such property in this agency.
        InvalidInputError: a name, number or date cannot be one; there are more units than rooms, or two of one name.
        StaleVersionError: the property has another version than expected.
        KeyReusedError: the idempotency key belongs to another request.
    """

    def made() -> TypeInHouse:
        with uow.begin(command) as work:
            house = work.houses.lock(command.property_id)
            check_version(house, command.expected_version)
            unit_type, units = new_type(command.unit_type, ids, house.property.business_date)
            after = house.next_version(unit_type, *units)
            work.houses.save(after)
            work.record(_type_changed(after, unit_type, "house.unitTypeAdded", "types", "units"))
            seen = TypeInHouse.of(after, unit_type.unit_type_id)
            return commit_once(work, command, seen, reply, restored)

    def reply(seen: TypeInHouse) -> dict[str, Json]:
        by_name = {each.name: each.unit_id for each in seen.units}
        drawn = (seen.unit_type.unit_type_id, *(by_name[name] for name in command.unit_type.unit_names))
        return ids_reply(*drawn, version=seen.version, business_date=seen.business_date.isoformat())

    def restored(stored: Mapping[str, Json]) -> TypeInHouse:
        today = date.fromisoformat(str(stored["business_date"]))
        unit_type, units = new_type(command.unit_type, recorded_ids(stored), today)
        return TypeInHouse(
            property_id=command.property_id,
            business_date=today,
            version=recorded_version(stored),
            unit_type=unit_type,
            units=tuple(sorted(units, key=lambda each: (each.name, each.unit_id))),
        )

    return made_or_repeated(command, uow, made, restored)


def change_unit_type(command: ChangeUnitType, *, uow: UnitOfWork[InventoryWork]) -> TypeInHouse:
    """Make the change and return the type after it; nothing is written where it asks for nothing new.

    Raises:
        NotFoundError: no such property or type in this agency.
        InvalidInputError: a name or number cannot be one.
        NightsTakenError: with less overbooking, some night would have more claims than fit.
        StaleVersionError: the property has another version than expected.
    """
    with uow.begin(command) as work:
        house = work.houses.lock(command.property_id)
        check_version(house, command.expected_version)
        before = house.type_of(command.unit_type_id)
        wanted = evolve(
            before,
            name=before.name if command.name is None else command.name,
            largest_party=before.largest_party if command.largest_party is None else command.largest_party,
            overbooking=before.overbooking if command.overbooking is None else command.overbooking,
            turnover_nights=before.turnover_nights
            if command.turnover_nights is None
            else command.turnover_nights,
        )
        names = _differing(before, wanted, ("name", "largest_party", "overbooking", "turnover_nights"))
        if not names:
            return TypeInHouse.of(house, wanted.unit_type_id)
        after = house.next_version(wanted)
        work.houses.save(after)
        work.record(_type_changed(after, wanted, "house.unitTypeUpdated", *names))
        work.commit()
        return TypeInHouse.of(after, wanted.unit_type_id)


def _differing(before: object, after: object, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if getattr(before, name) != getattr(after, name))


def _type_changed(house: House, unit_type: UnitType, kind: str, *names: str) -> UnitTypeChanged:
    return UnitTypeChanged(
        kind=kind,
        aggregate_id=house.property.property_id,
        version=house.property.version,
        changed=names,
        unit_type_id=unit_type.unit_type_id,
    )
