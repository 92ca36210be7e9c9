"""Laws of houses: what can be changed about a property, and what stock and bookings then do.

Owns changes of properties, types and units. Capacity and its counters stand in ``stock``, reach in ``tenancy``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import time
from functools import partial

from attrs import evolve

from pmscore.kernel.errors import InvalidInputError, KeyReusedError, NightsTakenError, StaleVersionError
from pmscore.kernel.events import OnceKey
from pmscore.kernel.ids import UnitId
from pmscore.testing.house_commands import (
    add_house,
    add_type,
    change_house,
    change_type,
    give_unit,
    name_unit,
)
from pmscore.testing.laws.setting import StoreLaws, all_agree, raised
from pmscore.testing.scenes import FIRST_DAY, Scene, hotel, pool, stay

__all__ = ["HouseLaws"]

KEY = OnceKey("a41c", "POST /properties", "fingerprint-1")


class HouseLaws(StoreLaws):
    """A change of a house is one version, one event with the names of what changed, and visible at once."""

    def test_a_property_changes_in_the_fields_that_are_given(self) -> None:
        """And in nothing where they say what is true already."""
        scene = self.scene()
        before = scene.house().property
        after = change_house(scene, name="Seehof am See", check_in_at=time(16, 30)).property
        wanted = evolve(before, name="Seehof am See", check_in_at=time(16, 30), version=before.version + 1)
        assert after == wanted == scene.house().property
        assert _last_event(scene) == ("house.updated", ["name", "check_in_at"])
        events = len(scene.store.events_after((0, 0), scene.agency_id))
        assert change_house(scene, name="Seehof am See", check_in_at=time(16, 30)).property == after
        assert len(scene.store.events_after((0, 0), scene.agency_id)) == events

    def test_a_change_of_an_older_version_is_refused(self) -> None:
        """Whatever it is a change of; the present version is let through."""
        scene = self.scene()
        scene.advance()
        version, unit_id = scene.house().property.version, scene.unit().unit_id
        for old in (version - 1, version + 1):
            for attempt in _changes(scene, unit_id, old):
                raised(StaleVersionError, attempt)
        assert scene.house().property.version == version
        assert change_type(scene, name="B", version=version).version == version + 1

    def test_a_new_type_is_sold_at_once(self) -> None:
        """With its units; what was there before is as it was."""
        scene = self.scene(hotel(1))
        seen = add_type(scene, evolve(hotel(2), name="Suite"))
        assert [each.name for each in seen.units] == ["101", "102"]
        assert scene.house().type_of(seen.unit_type.unit_type_id) == seen.unit_type
        assert scene.house().units_of(seen.unit_type.unit_type_id) == seen.units
        assert len(scene.house().types) == 2
        rooms = [scene.request(stay(0), unit_id=unit.unit_id) for unit in seen.units]
        scene.book(*rooms, stay(0))
        raised(NightsTakenError, lambda: scene.book(rooms[0]))
        all_agree(scene)

    def test_a_type_is_changed_without_touching_what_was_booked(self) -> None:
        """Nights to stay empty after a departure are asked of later bookings alone."""
        scene = self.scene(hotel(1))
        booked = scene.book(stay(0, 2))
        seen = change_type(scene, name="Double", largest_party=3, turnover_nights=2)
        assert (seen.unit_type.name, seen.unit_type.largest_party) == ("Double", 3)
        assert _last_event(scene) == (
            "house.unitTypeUpdated",
            ["name", "largest_party", "turnover_nights"],
        )
        assert scene.booking(booked.booking_id).rooms[0].turnover_nights == 0
        scene.book(stay(2, 1))
        raised(NightsTakenError, lambda: scene.book(stay(4, 1)))
        scene.book(stay(5, 1))
        all_agree(scene)

    def test_overbooking_is_changed_as_far_as_the_claims_allow(self) -> None:
        """More of it sells more; less of it than is sold already is refused and changes nothing."""
        scene = self.scene(pool(1))
        scene.book(stay(0))
        raised(NightsTakenError, lambda: scene.book(stay(0)))
        change_type(scene, overbooking=1)
        scene.book(stay(0))
        version = scene.house().property.version
        raised(NightsTakenError, lambda: change_type(scene, overbooking=0))
        assert (scene.house().property.version, scene.type().overbooking) == (version, 1)
        all_agree(scene)

    def test_a_unit_is_added_where_there_is_a_room_for_it(self) -> None:
        """Not one more than rooms, also of later; no two of a name in one type."""
        scene = self.scene(hotel(2), hotel(1))
        type_id = scene.type_ids[0]
        error = raised(InvalidInputError, lambda: give_unit(scene, "103"))
        assert (error.field, error.reason) == ("name", "more_units_than_rooms")
        scene.set_rooms(type_id, 3, first=30)
        assert raised(InvalidInputError, lambda: give_unit(scene, "102")).reason == "taken"
        seen = give_unit(scene, "103")
        assert scene.house().unit(seen.unit.unit_id) == seen.unit
        assert _last_event(scene) == ("house.unitAdded", ["units"])
        scene.book(scene.request(stay(0), unit_id=seen.unit.unit_id))
        all_agree(scene)

    def test_a_unit_is_renamed_under_its_bookings(self) -> None:
        """To a name that no other unit of its type has."""
        scene = self.scene(hotel(2), hotel(1))
        unit = scene.unit(0)
        booked = scene.book(scene.request(stay(0), unit_id=unit.unit_id))
        assert raised(InvalidInputError, lambda: name_unit(scene, unit.unit_id, "102")).reason == "taken"
        seen = name_unit(scene, unit.unit_id, "Lake")
        assert (seen.unit.name, seen.unit.unit_id) == ("Lake", unit.unit_id)
        assert _last_event(scene) == ("house.unitRenamed", ["name"])
        version = scene.house().property.version
        assert name_unit(scene, unit.unit_id, "Lake").version == version
        assert scene.booking(booked.booking_id).rooms[0].placements[0].unit_id == unit.unit_id
        all_agree(scene)

    def test_what_is_made_under_a_key_is_made_once_and_answered_as_it_was_made(self) -> None:
        """A property, a type and a unit, also after they have changed since."""
        scene = self.scene(hotel(1))
        scene.set_rooms(scene.type_ids[0], 3)
        second, third = evolve(KEY, key="second"), evolve(KEY, key="third")
        made = add_house(scene, KEY)
        suite = evolve(hotel(2), name="Suite", valid_from=None, unit_names=("9", "10"))
        added = add_type(scene, suite, once=second)
        assert added.unit_type.capacities[0].valid_from == FIRST_DAY
        unit = give_unit(scene, "102", once=third)
        change_house(evolve(scene, property_id=made.property.property_id), name="Other")
        name_unit(scene, unit.unit.unit_id, "Lake")
        scene.advance()
        events = len(scene.store.events_after((0, 0), scene.agency_id))
        assert add_house(scene, KEY) == made
        assert add_type(scene, suite, once=second) == added
        assert give_unit(scene, "102", once=third) == unit
        assert len(scene.store.events_after((0, 0), scene.agency_id)) == events
        raised(KeyReusedError, lambda: add_house(scene, evolve(KEY, fingerprint="other")))

    def test_two_units_of_one_name_are_refused_before_anything_is_written(self) -> None:
        """In a new property and in a new type."""
        scene = self.scene()
        twins = evolve(hotel(2), unit_names=("101", "101"))
        for attempt in (lambda: add_house(scene, KEY, twins), lambda: add_type(scene, twins)):
            error = raised(InvalidInputError, attempt)
            assert (error.field, error.reason) == ("unit_names", "name_twice")
        assert len(scene.store.availability(scene.agency_id).houses()) == 1


def _changes(scene: Scene, unit_id: UnitId, version: int) -> tuple[Callable[[], object], ...]:
    return (
        partial(change_house, scene, name="B", version=version),
        partial(change_type, scene, name="B", version=version),
        partial(add_type, scene, pool(1), version=version),
        partial(give_unit, scene, "B", version=version),
        partial(name_unit, scene, unit_id, "B", version=version),
    )


def _last_event(scene: Scene) -> tuple[str, object]:
    """Return kind and names of the newest event of the scene's property."""
    found = scene.store.events_after((0, 0), scene.agency_id)
    newest = [each for each in found if each.aggregate_id == scene.property_id][-1]
    assert newest.version == scene.house().property.version
    return newest.kind, newest.payload["changed"]
