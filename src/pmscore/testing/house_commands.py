"""Changes of a scene's house, one line each.

Owns the commands that ``Scene`` has no method for; laws of houses and of reach send them.
"""

from __future__ import annotations

from datetime import time

from attrs import evolve

from pmscore.dates.zones import Zone
from pmscore.inventory.model.house import House
from pmscore.inventory.use_cases.house_changes import (
    AddUnitType,
    ChangeProperty,
    ChangeUnitType,
    add_unit_type,
    change_property,
    change_unit_type,
)
from pmscore.inventory.use_cases.houses import CreateHouse, NewUnitType, create_house
from pmscore.inventory.use_cases.units import AddUnit, RenameUnit, add_unit, rename_unit
from pmscore.inventory.views import TypeInHouse, UnitInHouse
from pmscore.kernel.events import OnceKey
from pmscore.kernel.ids import UnitId
from pmscore.testing.scenes import EUR, FIRST_DAY, Scene, hotel, pool

__all__ = ["add_house", "add_type", "change_house", "change_type", "give_unit", "name_unit"]


def add_house(scene: Scene, once: OnceKey, *types: NewUnitType) -> House:
    """Make another property in the scene's agency: of units, of a pool and of a single unit, unless types are given."""
    command = CreateHouse(
        **scene.asked(),
        once=once,
        name="Villa",
        zone=Zone("Europe/Lisbon"),
        currency=EUR,
        business_date=FIRST_DAY,
        types=types or (hotel(2), pool(3), evolve(hotel(1), name="Attic")),
    )
    return create_house(command, uow=scene.store, ids=scene.ids)


def change_house(
    scene: Scene, *, name: str | None = None, check_in_at: time | None = None, version: int | None = None
) -> House:
    """Give the scene's property another name or time."""
    command = ChangeProperty(
        **scene.asked(),
        property_id=scene.property_id,
        name=name,
        check_in_at=check_in_at,
        expected_version=version,
    )
    return change_property(command, uow=scene.store)


def add_type(
    scene: Scene, unit_type: NewUnitType, *, once: OnceKey | None = None, version: int | None = None
) -> TypeInHouse:
    """Give the scene's property one more type."""
    command = AddUnitType(
        **scene.asked(),
        once=once,
        property_id=scene.property_id,
        unit_type=unit_type,
        expected_version=version,
    )
    return add_unit_type(command, uow=scene.store, ids=scene.ids)


def change_type(
    scene: Scene,
    *,
    name: str | None = None,
    largest_party: int | None = None,
    overbooking: int | None = None,
    turnover_nights: int | None = None,
    version: int | None = None,
) -> TypeInHouse:
    """Change the first type of the scene's property."""
    command = ChangeUnitType(
        **scene.asked(),
        property_id=scene.property_id,
        unit_type_id=scene.type_ids[0],
        name=name,
        largest_party=largest_party,
        overbooking=overbooking,
        turnover_nights=turnover_nights,
        expected_version=version,
    )
    return change_unit_type(command, uow=scene.store)


def give_unit(
    scene: Scene, name: str, *, once: OnceKey | None = None, version: int | None = None
) -> UnitInHouse:
    """Give the first type one more unit."""
    command = AddUnit(
        **scene.asked(),
        once=once,
        property_id=scene.property_id,
        unit_type_id=scene.type_ids[0],
        name=name,
        expected_version=version,
    )
    return add_unit(command, uow=scene.store, ids=scene.ids)


def name_unit(scene: Scene, unit_id: UnitId, name: str, *, version: int | None = None) -> UnitInHouse:
    """Give a unit another name."""
    command = RenameUnit(
        **scene.asked(),
        property_id=scene.property_id,
        unit_id=unit_id,
        name=name,
        expected_version=version,
    )
    return rename_unit(command, uow=scene.store)
