"""Free units as digits: the server answers with one digit a unit, in the order of the units' ids.

Owns what the digits stand for. A thousand digits travel and are read in a fraction of the time that a thousand
ids would take; whoever reads them has the units in memory, and the answer says of which versions it speaks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import compress
from operator import itemgetter
from typing import LiteralString

from attrs import frozen

from pmscore.inventory.model.house import House
from pmscore.kernel.errors import MisuseError
from pmscore.kernel.ids import PropertyId, UnitId, UnitTypeId

__all__ = ["VERSIONS_TEXT", "KnownUnits"]

VERSIONS_TEXT: LiteralString = """\
SELECT string_agg(property_id || ' ' || version, ',' ORDER BY property_id) FROM properties WHERE agency_id = %s"""
"""The versions of all houses of an agency as one text."""

# "0" becomes a false byte; "1" stays a true one.
_FLAGS = bytes.maketrans(b"0", b"\0")


@frozen
class _Places:
    """The units of a type by name, and the place of each among all units of the agency by id."""

    units: tuple[UnitId, ...]
    places: tuple[int, ...]
    pick: Callable[[bytes], Iterable[int]]

    @classmethod
    def of(cls, units: tuple[UnitId, ...], place_of: Mapping[UnitId, int]) -> _Places:
        places = tuple(place_of[unit_id] for unit_id in units)
        # Two more than are needed, since for one place alone a getter answers with no tuple.
        return cls(units, places, itemgetter(*places, 0, 0))


@frozen
class KnownUnits:
    """The units of all houses of an agency at the ``versions`` that :data:`VERSIONS_TEXT` reads.

    Their flags are one byte a unit, by id: zero where it is occupied.
    """

    versions: str | None
    place_of: Mapping[UnitId, int]
    by_type: Mapping[UnitTypeId, _Places]

    @classmethod
    def of(cls, houses: Iterable[House]) -> KnownUnits:
        """Return the units of houses, which are all that the agency has."""
        versions: dict[PropertyId, int] = {}
        by_type: dict[UnitTypeId, tuple[UnitId, ...]] = {}
        for house in houses:
            versions[house.property.property_id] = house.property.version
            for type_id in house.types:
                by_type[type_id] = tuple(unit.unit_id for unit in house.units_of(type_id))
        every = sorted(unit_id for units in by_type.values() for unit_id in units)
        place_of = {unit_id: place for place, unit_id in enumerate(every)}
        return cls(
            ",".join(f"{property_id} {versions[property_id]}" for property_id in sorted(versions)) or None,
            place_of,
            {type_id: _Places.of(units, place_of) for type_id, units in by_type.items() if units},
        )

    def are_few(self, wanted: Iterable[UnitTypeId]) -> bool:
        """Return whether these types have so few of the units that the others need not be asked for."""
        return 2 * sum(len(known.units) for _, known in self._of(wanted)) < len(self.place_of)

    def flags(self, digits: str, wanted: Iterable[UnitTypeId] | None) -> bytes:
        """Return the flags from an answer that has a digit for each unit of the wanted types (None: of all).

        Raises:
            MisuseError: there are more or fewer digits than units.
        """
        flags = digits.encode().translate(_FLAGS)
        count = len(self.place_of)
        order = (
            None if wanted is None else sorted(each for _, known in self._of(wanted) for each in known.places)
        )
        asked = count if order is None else len(order)
        if len(flags) != asked:
            raise MisuseError(units=asked, digits=len(flags))
        if order is None:
            return flags
        spread = bytearray(count)
        for place, flag in zip(order, flags, strict=True):
            spread[place] = flag
        return bytes(spread)

    def with_free(self, flags: bytes, units: Iterable[UnitId]) -> bytes:
        """Return the flags with these units free as well; units that are not known are passed over."""
        changed = bytearray(flags)
        for place in [self.place_of[unit_id] for unit_id in units if unit_id in self.place_of]:
            changed[place] = 1
        return bytes(changed)

    def free(self, wanted: Iterable[UnitTypeId], flags: bytes) -> dict[UnitTypeId, tuple[UnitId, ...]]:
        """Return the free units of each wanted type that has any, by name."""
        found: dict[UnitTypeId, tuple[UnitId, ...]] = {}
        for type_id, known in self._of(wanted):
            if free := tuple(compress(known.units, known.pick(flags))):
                found[type_id] = free
        return found

    def _of(self, wanted: Iterable[UnitTypeId]) -> Iterator[tuple[UnitTypeId, _Places]]:
        return ((each, self.by_type[each]) for each in wanted if each in self.by_type)
