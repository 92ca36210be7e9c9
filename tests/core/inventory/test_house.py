"""Properties, types and units: values that cannot be, capacity by date, and changes of a house."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from pmscore.dates.zones import Zone
from pmscore.inventory.model.house import Capacity, Property, Unit, UnitType
from pmscore.inventory.model.party import Party
from pmscore.inventory.use_cases.houses import (
    AdvanceBusinessDate,
    CreateHouse,
    NewUnitType,
    advance_business_date,
    create_house,
)
from pmscore.kernel.errors import InvalidInputError, NotFoundError
from pmscore.testing.memory import InMemoryStore, SeededIds
from pmscore.testing.scenes import EUR, FIRST_DAY, hotel, open_scene, pool
from pmscore.testing.strategies import bad_texts, texts

TYPE_ID = UUID(int=1)


def unit_type(*capacities, **fields):
    return UnitType(
        unit_type_id=TYPE_ID, name="Double", capacities=capacities or (Capacity(FIRST_DAY, 2),), **fields
    )


def house_property(**fields):
    base = {"property_id": UUID(int=2), "name": "Seehof", "zone": Zone("Europe/Berlin"), "currency": EUR}
    return Property(**{**base, "business_date": FIRST_DAY, **fields})


NAMED = {
    "property": lambda name: house_property(name=name),
    "unit type": lambda name: UnitType(unit_type_id=TYPE_ID, name=name, capacities=(Capacity(FIRST_DAY, 1),)),
    "unit": lambda name: Unit(unit_id=UUID(int=3), unit_type_id=TYPE_ID, name=name),
}


@pytest.mark.parametrize("make", list(NAMED.values()), ids=list(NAMED))
@given(name=bad_texts)
def test_what_cannot_be_a_name_is_refused(make, name):
    with pytest.raises(InvalidInputError) as refused:
        make(name)
    assert refused.value.field == "name"


@pytest.mark.parametrize("make", list(NAMED.values()), ids=list(NAMED))
@given(name=texts())
def test_names_in_any_script_are_kept_as_they_are(make, name):
    assert make(name).name == name


BAD_TYPES = {
    "no bed": ({"largest_party": 0}, "largest_party"),
    "a dormitory": ({"largest_party": 101}, "largest_party"),
    "negative overbooking": ({"overbooking": -1}, "overbooking"),
    "negative turnover": ({"turnover_nights": -1}, "turnover_nights"),
    "a month and more of turnover": ({"turnover_nights": 31}, "turnover_nights"),
}


@pytest.mark.parametrize(("fields", "field"), list(BAD_TYPES.values()), ids=list(BAD_TYPES))
def test_a_type_that_cannot_be_is_refused_by_field(fields, field):
    with pytest.raises(InvalidInputError) as refused:
        unit_type(**fields)
    assert refused.value.field == field


@pytest.mark.parametrize("rooms", [-1, 100_001])
def test_a_capacity_is_a_number_of_rooms(rooms):
    with pytest.raises(InvalidInputError):
        Capacity(FIRST_DAY, rooms)


def test_capacities_are_ascending_and_there_is_one():
    later = Capacity(FIRST_DAY + timedelta(days=9), 1)
    for capacities in ((later, Capacity(FIRST_DAY, 2)), (later, later)):
        with pytest.raises(InvalidInputError, match="not_ascending"):
            unit_type(*capacities)
    with pytest.raises(InvalidInputError, match="not_ascending"):
        UnitType(unit_type_id=TYPE_ID, name="None", capacities=())


offsets = st.integers(-30, 30)


@given(changes=st.lists(st.tuples(offsets, st.integers(0, 9)), min_size=1, max_size=6), night=offsets)
def test_the_capacity_of_a_night_is_the_last_one_set_from_then_on(changes, night):
    """Law: each change counts from its first night on, and undoes what was planned for later."""
    kind = unit_type(Capacity(FIRST_DAY, 5))
    by_night = {at: 5 if at >= 0 else 0 for at in range(-30, 31)}
    for first, rooms in changes:
        kind = kind.with_capacity(Capacity(FIRST_DAY + timedelta(days=first), rooms))
        by_night.update(dict.fromkeys(range(first, 31), rooms))
    assert kind.capacity_on(FIRST_DAY + timedelta(days=night)) == by_night[night]


@pytest.fixture
def scene():
    return open_scene(InMemoryStore(), SeededIds("house"), hotel(2), pool(3), hotel(1))


def test_the_type_meant_is_the_one_named_or_the_units_or_the_only_one(scene):
    house = scene.house()
    first, second, third = scene.type_ids
    assert house.type_of(second).unit_type_id == second
    assert house.type_of(None, scene.unit(0, 2).unit_id).unit_type_id == third
    with pytest.raises(InvalidInputError, match="required"):
        house.type_of(None)
    with pytest.raises(NotFoundError):
        house.type_of(UUID(int=77))
    with pytest.raises(NotFoundError):
        house.type_of(None, UUID(int=77))
    alone = evolve(house, types={first: house.types[first]})
    assert alone.type_of(None).unit_type_id == first


def test_units_are_known_by_their_type(scene):
    house = scene.house()
    first, second, third = scene.type_ids
    assert [unit.name for unit in house.units_of(first)] == ["101", "102"]
    assert (house.has_units(first), house.has_units(second)) == (True, False)
    assert house.only_unit_of(first) is None
    assert house.only_unit_of(second) is None
    assert house.only_unit_of(third) == scene.unit(0, 2)


def new_house(scene, *types):
    return CreateHouse(
        **scene.asked(), name="New", zone=Zone("UTC"), currency=EUR, business_date=FIRST_DAY, types=types
    )


def test_a_house_has_a_type_and_no_more_units_than_rooms(scene):
    crowded = NewUnitType(name="Two in one", rooms=1, valid_from=FIRST_DAY, unit_names=("1", "2"))
    for types, field in (((), "types"), ((crowded,), "unit_names")):
        with pytest.raises(InvalidInputError) as refused:
            create_house(new_house(scene, *types), uow=scene.store, ids=scene.ids)
        assert refused.value.field == field


def test_setting_up_a_house_is_recorded_without_its_name(scene):
    create_house(new_house(scene, pool(1)), uow=scene.store, ids=scene.ids)
    event = scene.store.events_after()[-1]
    assert (event.kind, event.version) == ("house.created", 1)
    assert "New" not in str(event.payload)


def test_the_business_date_moves_forward_only(scene):
    assert scene.advance(3).property.business_date == FIRST_DAY + timedelta(days=3)
    for days in (0, 2, 3):
        command = AdvanceBusinessDate(
            **scene.asked(), property_id=scene.property_id, to=FIRST_DAY + timedelta(days=days)
        )
        with pytest.raises(InvalidInputError, match="not_after_business_date"):
            advance_business_date(command, uow=scene.store)
    assert scene.house().property.version == 2


def test_each_change_of_a_house_raises_its_version_and_is_recorded(scene):
    scene.set_rooms(scene.type_ids[1], 5)
    scene.advance()
    changes = [each for each in scene.store.events_after() if each.aggregate == "property"]
    assert [(each.kind, each.version) for each in changes] == [
        ("house.created", 1),
        ("house.capacityChanged", 2),
        ("house.businessDateAdvanced", 3),
    ]


def test_an_unknown_house_or_type_is_not_found(scene):
    with pytest.raises(NotFoundError):
        evolve(scene, property_id=UUID(int=9)).set_rooms(scene.type_ids[0], 1)
    with pytest.raises(NotFoundError):
        scene.set_rooms(UUID(int=9), 1)


@pytest.mark.parametrize(
    ("party", "beds"), [(Party(1), 1), (Party(2, 1), 3), (Party(2, 1, 2), 3), (Party(100), 100)]
)
def test_infants_need_no_bed(party, beds):
    assert party.beds == beds


def test_the_clock_does_not_move_the_business_date(scene):
    scene.clock.advance(timedelta(days=400))
    assert scene.house().property.business_date == date(2030, 1, 1)
