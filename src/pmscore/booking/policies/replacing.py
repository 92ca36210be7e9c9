"""Putting a new list of rooms in the place of a booking's rooms, as who sold them elsewhere tells it.

Laws: a room that is told again keeps its id, its lock and what of its units lies in its stay; a list that
says the same changes nothing, in whatever order it comes. What does not fit is given up step by step, in
rooms that take nights which they did not have, and never in others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from enum import IntEnum

from attrs import evolve

from pmscore.booking.model.booking import Booking
from pmscore.booking.model.lifecycle import Status
from pmscore.booking.model.rooms import BookedRoom, Placement
from pmscore.booking.policies.drafting import (
    RoomRequest,
    draft_room,
    minor_amounts,
    oversold,
    placed_throughout,
)
from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.house import House
from pmscore.kernel.errors import TransitionError, Violation
from pmscore.kernel.ids import BookingRoomId, UnitId, UnitTypeId

__all__ = ["Conceded", "conceding", "kept_placements", "refuse_moved_guest", "replaced_rooms"]


class Conceded(IntEnum):
    """What a room goes without because its nights are taken; each step more than the one before."""

    NEW_UNITS = 1
    """It keeps its units on the nights that it had, and waits for one on the others."""
    STOCK = 2
    """It is oversold: nothing stands behind it."""


def replaced_rooms(
    before: Booking,
    asked: Sequence[RoomRequest],
    house: House,
    new_ids: Sequence[BookingRoomId],
    conceded: Mapping[BookingRoomId, Conceded],
) -> tuple[BookedRoom, ...]:
    """Return the rooms after: those told again in their old order, then the new ones, which take ``new_ids``.

    A room is told again by one of its type with nights in common; where several could be it, the one that is
    most alike. An oversold room with another stay is tried afresh.

    Raises:
        NotFoundError: the house has no such type or unit.
        InvalidInputError: amounts are negative, of another currency, or not one a night.
    """
    told = _told_again(before, asked, house)
    rooms = [_carried_over(asked[at], room, house) for room, at in told]
    known = {at for _, at in told}
    rooms += [draft_room(asked[at], house, new_ids[at]) for at in range(len(asked)) if at not in known]
    return tuple(_without(room, before, conceded.get(room.room_id)) for room in rooms)


def conceding(
    before: Booking,
    rooms: Sequence[BookedRoom],
    conceded: Mapping[BookingRoomId, Conceded],
    taken: Sequence[Violation],
) -> Mapping[BookingRoomId, Conceded] | None:
    """Return what is conceded next after ``taken`` stood against ``rooms``; None: nothing is left to concede.

    One room goes one step further: the first that is named by what is taken, else the first that takes new
    nights at all. A guest in the house is never left without the room.
    """
    if before.status is Status.CHECKED_IN:
        steps: tuple[Conceded, ...] = (Conceded.NEW_UNITS,)
    else:
        steps = (Conceded.NEW_UNITS, Conceded.STOCK)
    able = [
        room
        for room in rooms
        if _takes_new_nights(before, room) and conceded.get(room.room_id, 0) < max(steps)
    ]
    named = [room for room in able if _is_named(room, taken)]
    for room in named or able:
        step = conceded.get(room.room_id, 0) + 1
        if step == Conceded.NEW_UNITS and not room.placements:
            step += 1
        if step <= max(steps):
            return {**conceded, room.room_id: Conceded(step)}
    return None


def kept_placements(room: BookedRoom, stay: StayRange) -> tuple[Placement, ...]:
    """Return the units for another stay: cut to it, the last one following a later departure."""
    nights = DateRange.from_stay(stay)
    if room.is_placed and len(room.placements) == 1:
        return (evolve(room.placements[0], nights=nights),)
    kept = list(_cut(room.placements, nights))
    if kept and kept[-1].nights.end == room.stay.departure < stay.departure:
        kept[-1] = evolve(kept[-1], nights=DateRange(kept[-1].nights.start, stay.departure))
    return tuple(kept)


def refuse_moved_guest(before: Booking, rooms: Sequence[BookedRoom], today: date) -> None:
    """Refuse what cannot be any more for guests in the house; ``rooms`` are all rooms after the change.

    Raises:
        TransitionError: a room goes or comes, its arrival or its type changes, or its departure has passed.
    """
    old = {room.room_id: room for room in before.rooms}
    if old.keys() != {room.room_id for room in rooms}:
        raise TransitionError("amend", before.status.value, "guest_is_in_house")
    for room in rooms:
        if room.stay.arrival != old[room.room_id].stay.arrival:
            raise TransitionError("amend", before.status.value, "guest_has_arrived")
        if room.unit_type_id != old[room.room_id].unit_type_id:
            raise TransitionError("amend", before.status.value, "guest_is_in_house")
        if room.stay != old[room.room_id].stay and room.stay.departure < today:
            raise TransitionError("amend", before.status.value, "departure_in_the_past")


def _told_again(
    before: Booking, asked: Sequence[RoomRequest], house: House
) -> tuple[tuple[BookedRoom, int], ...]:
    """Return each room that is told again, with the number of the request that tells it."""
    pairs: list[tuple[tuple[bool, bool, bool, int], int, int]] = []
    types = [house.type_of(request.unit_type_id, request.unit_id).unit_type_id for request in asked]
    for number, room in enumerate(before.rooms):
        nights = DateRange.from_stay(room.stay)
        for at, request in enumerate(asked):
            shared = nights.intersection(DateRange.from_stay(request.stay))
            if types[at] == room.unit_type_id and shared is not None:
                pairs.append((_likeness(room, request, shared.length), number, at))
    pairs.sort(key=lambda pair: (tuple(-int(each) for each in pair[0]), pair[1], pair[2]))
    found: dict[int, int] = {}
    for _, number, at in pairs:
        if number not in found and at not in found.values():
            found[number] = at
    return tuple((before.rooms[number], found[number]) for number in sorted(found))


def _likeness(room: BookedRoom, asked: RoomRequest, shared: int) -> tuple[bool, bool, bool, int]:
    """Return how alike the two are; the more alike, the larger."""
    on_its_unit = asked.unit_id is not None and asked.unit_id in {each.unit_id for each in room.placements}
    is_same_price = tuple(amount.minor for amount in asked.nightly) == room.nightly
    is_same_stay = asked.stay == room.stay
    return on_its_unit, is_same_stay, is_same_stay and is_same_price and asked.party == room.party, shared


def _carried_over(asked: RoomRequest, room: BookedRoom, house: House) -> BookedRoom:
    """Return the room with what the request says of it."""
    is_oversold = room.is_oversold and asked.stay == room.stay
    placements: tuple[Placement, ...] = ()
    if room.placements:
        placements = kept_placements(room, asked.stay)
    elif not is_oversold:
        only_unit = house.only_unit_of(room.unit_type_id)
        placements = placed_throughout(only_unit, asked.stay) if only_unit is not None else ()
    return evolve(
        room,
        stay=asked.stay,
        party=asked.party,
        nightly=minor_amounts(asked.nightly, house.property.currency),
        placements=placements,
        is_locked=room.is_locked and bool(placements),
        is_oversold=is_oversold,
    )


def _without(room: BookedRoom, before: Booking, conceded: Conceded | None) -> BookedRoom:
    """Return the room without what it has to go without."""
    match conceded:
        case None:
            return room
        case Conceded.STOCK:
            return evolve(oversold(room), is_locked=False)
        case Conceded.NEW_UNITS:
            old = {each.room_id: each for each in before.rooms}.get(room.room_id)
            nights = DateRange.from_stay(room.stay)
            kept = () if old is None else tuple(_cut(old.placements, nights))
            return evolve(room, placements=kept, is_locked=room.is_locked and bool(kept))


def _cut(placements: Sequence[Placement], nights: DateRange) -> Iterator[Placement]:
    for each in placements:
        kept = each.nights.intersection(nights)
        if kept is not None:
            yield evolve(each, nights=kept)


def _takes_new_nights(before: Booking, room: BookedRoom) -> bool:
    """Return whether the room would have a night of a type, or of a unit, that it did not have."""
    if room.is_oversold:
        return False
    old = [each for each in before.rooms if each.room_id == room.room_id]
    return bool(set(_nights_of(room)) - {night for each in old for night in _nights_of(each)})


def _nights_of(room: BookedRoom) -> Iterator[tuple[UnitTypeId, UnitId | None, date]]:
    if not room.is_oversold:
        for claim in room.claims():
            for night in claim.nights.nights():
                yield claim.unit_type_id, claim.unit_id, night


def _is_named(room: BookedRoom, taken: Sequence[Violation]) -> bool:
    nights = set(_nights_of(room))
    for each in taken:
        if each.night is None:
            continue
        for unit_type_id, unit_id, night in nights:
            if night == each.night and str(each.value) in (str(unit_type_id), str(unit_id)):
                return True
    return False
