"""Where a room could go that was sold and does not fit: other types, and moves of others that make room.

Law: what is proposed fits, by the counts and by the units that were shown; a type that is not proposed has a night
without a room, or is too small. Leaves doing it to people: a machine moves no guest for a sale of somebody else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attrs import frozen

from pmscore.booking.model.booking import Booking
from pmscore.booking.model.lifecycle import Status
from pmscore.booking.model.rooms import BookedRoom
from pmscore.dates.ranges import DateRange, DateSet
from pmscore.inventory.model.house import House, UnitType
from pmscore.inventory.policies.assignment.assign import assign
from pmscore.inventory.policies.assignment.plans import Lodger, Move, Plan
from pmscore.kernel.events import Json
from pmscore.kernel.ids import UnitId, UnitTypeId

__all__ = ["Candidate", "Standing", "candidates", "nights_needed"]

MOST_CANDIDATES = 5


@frozen(kw_only=True)
class Candidate:
    """A type that would take the room: ``free_rooms`` on its fullest night, and a unit where the type has units.

    ``moves`` have to be made first, all of them, so that the unit is free.
    """

    unit_type_id: UnitTypeId
    free_rooms: int
    unit_id: UnitId | None = None
    moves: tuple[Move, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """Return it as the details of an issue."""
        return {
            "unit_type_id": str(self.unit_type_id),
            "free_rooms": self.free_rooms,
            "unit_id": None if self.unit_id is None else str(self.unit_id),
            "moves": [
                {
                    "room_id": str(move.room_id),
                    "from_unit": None if move.from_unit is None else str(move.from_unit),
                    "to_unit": str(move.to_unit),
                }
                for move in self.moves
            ],
        }


@frozen(kw_only=True)
class Standing:
    """What stands in the house on the nights in question: claims by type, one number a night, units and bookings.

    ``nights`` are those of all numbers. ``occupied`` are the taken nights of units, as masks.
    """

    nights: DateRange
    claimed: Mapping[UnitTypeId, tuple[int, ...]]
    occupied: Mapping[UnitId, int]
    staying: tuple[Booking, ...] = ()


def nights_needed(house: House, room: BookedRoom) -> DateRange:
    """Return the nights that have to be looked at: those of the stay, and of the longest turnover after it."""
    longest = max(unit_type.turnover_nights for unit_type in house.types.values())
    return DateRange.of(room.stay.arrival, room.stay.length + longest)


def candidates(
    house: House, standing: Standing, room: BookedRoom, *, price: Mapping[UnitTypeId, int]
) -> tuple[Candidate, ...]:
    """Return the types that would take the room, its own first, then the cheapest one.

    ``price`` is what the nights would cost as another type, in minor units; types without a price come last,
    the smallest first. At most five are returned.
    """
    order = sorted(
        house.types.values(),
        key=lambda each: (
            each.unit_type_id != room.unit_type_id,
            each.unit_type_id not in price,
            price.get(each.unit_type_id, 0),
            each.largest_party,
            each.name,
            each.unit_type_id,
        ),
    )
    found = (_candidate(house, standing, room, unit_type) for unit_type in order)
    return tuple(each for each in found if each is not None)[:MOST_CANDIDATES]


def _candidate(house: House, standing: Standing, room: BookedRoom, unit_type: UnitType) -> Candidate | None:
    """Return the type as a candidate; None where it is too small or full on some night."""
    if room.party.beds > unit_type.largest_party:
        return None
    nights = DateRange.of(room.stay.arrival, room.stay.length + unit_type.turnover_nights)
    free = _free_rooms(standing, unit_type, nights)
    if free < 1:
        return None
    units = [unit.unit_id for unit in house.units_of(unit_type.unit_type_id)]
    if not units:
        return Candidate(unit_type_id=unit_type.unit_type_id, free_rooms=free)
    plan = _placed(units, standing, room, unit_type, nights)
    if plan is None:
        return None
    moves = tuple(move for move in plan.moves if move.room_id != room.room_id)
    return Candidate(
        unit_type_id=unit_type.unit_type_id, free_rooms=free, unit_id=plan.units[room.room_id], moves=moves
    )


def _free_rooms(standing: Standing, unit_type: UnitType, nights: DateRange) -> int:
    claimed = standing.claimed.get(unit_type.unit_type_id, (0,) * standing.nights.length)
    return min(
        unit_type.capacity_on(night) - claimed[(night - standing.nights.start).days]
        for night in nights.nights()
    )


def _placed(
    units: Sequence[UnitId], standing: Standing, room: BookedRoom, unit_type: UnitType, nights: DateRange
) -> Plan | None:
    """Return who would sleep where, as few as can be moved; None where the search found no way."""
    lodgers = tuple(_lodgers(standing, unit_type))
    taken = {
        unit: DateSet.of_mask(standing.nights.start, standing.occupied[unit])
        for unit in units
        if standing.occupied.get(unit)
    }
    for lodger in lodgers:
        if lodger.unit_id is not None and lodger.unit_id in taken:
            taken[lodger.unit_id] -= DateSet.of(lodger.nights)
    wanted = Lodger(room_id=room.room_id, nights=nights)
    found = assign(units, taken, (*lodgers, wanted))
    return found if isinstance(found, Plan) else None


def _lodgers(standing: Standing, unit_type: UnitType) -> Iterator[Lodger]:
    """Yield the rooms of a type that are in one of its units or wait for one."""
    for booking in standing.staying:
        for room in booking.rooms:
            if room.is_oversold or len(room.placements) > 1 or room.unit_type_id != unit_type.unit_type_id:
                continue
            if room.placements and room.placements[0].unit_type_id != unit_type.unit_type_id:
                continue
            if room.placements and not room.is_placed:
                continue
            claims = room.claims(left_on=booking.checked_out_on)
            unit_id = room.placements[0].unit_id if room.placements else None
            yield Lodger(
                room_id=room.room_id,
                nights=DateRange(claims[0].nights.start, claims[-1].nights.end),
                unit_id=unit_id,
                is_pinned=unit_id is not None and (room.is_locked or booking.status is not Status.CONFIRMED),
            )
