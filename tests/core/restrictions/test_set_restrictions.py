from __future__ import annotations

from uuid import UUID

import pytest

from pmscore.kernel.errors import InvalidInputError, NotFoundError
from pmscore.kernel.ids import PropertyId, UnitTypeId
from pmscore.restrictions.model.book import RuleBook
from pmscore.restrictions.model.rules import Rule, RuleSlot
from pmscore.restrictions.use_cases import SetRestrictions, set_restrictions
from pmscore.testing.clocks import SeededIds
from pmscore.testing.memory import InMemoryStore
from pmscore.testing.scenes import Scene, nights, open_scene


@pytest.fixture
def scene() -> Scene:
    return open_scene(InMemoryStore(), SeededIds("set_restrictions"))


def put(scene: Scene, when, *rules: Rule, clear: tuple[RuleSlot, ...] = (), property_id=None) -> RuleBook:
    command = SetRestrictions(
        **scene.asked(),
        property_id=property_id or scene.property_id,
        nights=when,
        rules=rules,
        clear=clear,
    )
    return set_restrictions(command, uow=scene.store)


def stored(scene: Scene) -> RuleBook:
    with scene.begin() as work:
        return work.restrictions.get(scene.property_id)


def test_new_values_are_cut_into_the_old_ones(scene):
    put(scene, nights(0, 10), Rule("min_stay_arrival", nights(0, 10), value=2))
    book = put(scene, nights(3, 4), Rule("min_stay_arrival", nights(4, 2), value=5))
    assert stored(scene) == book
    assert book.rules == (
        Rule("min_stay_arrival", nights(0, 3), value=2),
        Rule("min_stay_arrival", nights(7, 3), value=2),
        Rule("min_stay_arrival", nights(4, 2), value=5),
    )


def test_rules_of_other_slots_stay(scene):
    mine = Rule("closed_night", nights(0, 10), unit_type_id=scene.type_ids[0])
    put(scene, nights(0, 10), mine, Rule("closed_night", nights(0, 10), plan="flex"))
    put(scene, nights(0, 10), clear=(RuleSlot(kind="closed_night", plan="flex"),))
    assert stored(scene).rules == (mine,)


def test_the_house_gets_a_new_version_and_the_change_is_recorded_without_values(scene):
    before = scene.house().property.version
    put(
        scene,
        nights(0, 10),
        Rule("closed_night", nights(0, 1), unit_type_id=scene.type_ids[0]),
        Rule("min_stay_through", nights(0, 1), value=3, plan="flex"),
        clear=(RuleSlot(kind="lead_time", channel="web"),),
    )
    assert scene.house().property.version == before + 1
    logged = scene.store.events_after()[-1]
    assert (logged.kind, logged.aggregate_id, logged.version) == (
        "restrictions.changed",
        scene.property_id,
        before + 1,
    )
    assert logged.payload == {
        "kinds": ["closed_night", "lead_time", "min_stay_through"],
        "unit_type_ids": [str(scene.type_ids[0])],
        "plans": ["flex"],
        "channels": ["web"],
        "first_night": "2030-01-01",
        "end": "2030-01-11",
    }


def test_a_refused_change_writes_nothing(scene):
    version = scene.house().property.version
    stranger = UnitTypeId(UUID(int=7))
    for error, act in (
        (
            NotFoundError,
            lambda: put(scene, nights(0), Rule("closed_night", nights(0), unit_type_id=stranger)),
        ),
        (
            NotFoundError,
            lambda: put(scene, nights(0), clear=(RuleSlot(kind="closed_night", unit_type_id=stranger),)),
        ),
        (InvalidInputError, lambda: put(scene, nights(0), Rule("closed_night", nights(0, 2)))),
        (InvalidInputError, lambda: put(scene, nights(0))),
        (
            NotFoundError,
            lambda: put(
                scene, nights(0), Rule("closed_night", nights(0)), property_id=PropertyId(UUID(int=7))
            ),
        ),
    ):
        with pytest.raises(error):
            act()
    assert stored(scene) == RuleBook()
    assert scene.house().property.version == version
