"""What one digit a unit stands for: the same units, whichever of the digits were asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pms_adapters.postgres.digits import KnownUnits
from pmscore.inventory.model.house import House
from pmscore.kernel.errors import MisuseError
from pmscore.kernel.ids import UnitId, UnitTypeId
from pmscore.testing.strategies import houses


def digits_of(every: list[UnitId], free: frozenset[UnitId]) -> str:
    return "".join("1" if unit_id in free else "0" for unit_id in sorted(every))


def by_hand(
    house: House, wanted: list[UnitTypeId], free: frozenset[UnitId]
) -> dict[UnitTypeId, tuple[UnitId, ...]]:
    found = {
        type_id: tuple(unit.unit_id for unit in house.units_of(type_id) if unit.unit_id in free)
        for type_id in wanted
    }
    return {type_id: units for type_id, units in found.items() if units}


@given(house=houses(most_types=4, most_rooms=5), data=st.data())
def test_digits_of_all_units_and_of_the_wanted_types_mean_the_same(house: House, data: st.DataObject) -> None:
    known = KnownUnits.of([house])
    free = frozenset(data.draw(st.sets(st.sampled_from(sorted(house.units))))) if house.units else frozenset()
    wanted = data.draw(st.lists(st.sampled_from(sorted(house.types)), unique=True))
    theirs = [unit.unit_id for type_id in wanted for unit in house.units_of(type_id)]
    expected = by_hand(house, wanted, free)
    assert known.free(wanted, known.flags(digits_of(list(house.units), free), None)) == expected
    assert known.free(wanted, known.flags(digits_of(theirs, free), wanted)) == expected


@given(house=houses(), data=st.data())
def test_units_behind_expired_holds_are_added(house: House, data: st.DataObject) -> None:
    known = KnownUnits.of([house])
    units = sorted(house.units)
    behind = data.draw(st.lists(st.sampled_from(units), unique=True)) if units else []
    flags = known.with_free(known.flags("0" * len(units), None), behind)
    assert known.free(house.types, flags) == by_hand(house, list(house.types), frozenset(behind))


@given(house=houses())
def test_a_digit_too_many_is_no_answer(house: House) -> None:
    known = KnownUnits.of([house])
    with pytest.raises(MisuseError):
        known.flags("1" * (len(house.units) + 1), None)
    with pytest.raises(MisuseError):
        known.flags("1" * (len(house.units) + 1), list(house.types))


@given(house=houses(most_types=4, most_rooms=5))
def test_the_others_are_left_out_where_few_are_wanted(house: House) -> None:
    known = KnownUnits.of([house])
    assert not known.are_few(house.types)
    for type_id in house.types:
        assert known.are_few([type_id]) == (2 * len(house.units_of(type_id)) < len(house.units))
