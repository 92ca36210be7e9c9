"""Giving many rooms their units at once.

Locks the bookings that stay on the nights, asks the assignment policy for each unit type, and moves all
claims in one step; what cannot be placed is reported with its proof.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve, frozen

from pmscore.booking.model.booking import Booking
from pmscore.booking.model.events import RoomAssigned
from pmscore.booking.model.lifecycle import Status
from pmscore.booking.model.rooms import BookedRoom, Placement
from pmscore.booking.ports import BookingWork
from pmscore.booking.use_cases.assign import with_room
from pmscore.dates.ranges import DateRange, DateSet
from pmscore.inventory.model.house import House
from pmscore.inventory.model.stock import StockChange
from pmscore.inventory.policies.assignment.assign import assign
from pmscore.inventory.policies.assignment.plans import Impossible, Lodger, Move, NotFound, SplitPlan
from pmscore.inventory.policies.assignment.split import split
from pmscore.inventory.ports import ExpiredHolds, change_stock, claiming
from pmscore.kernel.events import Command
from pmscore.kernel.ids import BookingId, BookingRoomId, PropertyId, UnitId, UnitTypeId
from pmscore.kernel.ports import Clock, UnitOfWork

__all__ = ["AssignAutomatically", "AssignmentReport", "Unplaced", "assign_automatically"]


@frozen(kw_only=True)
class AssignAutomatically(Command):
    """Give a unit to every room that arrives within ``arrivals`` and has none.

    ``moves_others`` lets rooms that arrive in the range, are not locked and not in house change units to
    make place; ``may_split`` gives a stay several units where no single one is free throughout.
    """

    property_id: PropertyId
    arrivals: DateRange
    unit_type_ids: tuple[UnitTypeId, ...] = ()
    moves_others: bool = True
    may_split: bool = False


@frozen
class Unplaced:
    """Rooms of a type that stay without a unit, and why: a proof, or that the search gave up."""

    unit_type_id: UnitTypeId
    room_ids: tuple[BookingRoomId, ...]
    reason: Impossible | NotFound


@frozen
class AssignmentReport:
    """What one run did: moves by unit type order, splits, and what is left."""

    moves: tuple[Move, ...]
    splits: tuple[tuple[BookingRoomId, SplitPlan], ...]
    unplaced: tuple[Unplaced, ...]


@frozen
class _Round:
    """One type's rooms that are looked at, with their bookings, and the nights others have."""

    unit_type_id: UnitTypeId
    rooms: dict[BookingRoomId, tuple[BookingId, BookedRoom]]
    lodgers: tuple[Lodger, ...]
    taken: dict[UnitId, DateSet]


def assign_automatically(
    command: AssignAutomatically, *, uow: UnitOfWork[BookingWork], clock: Clock
) -> AssignmentReport:
    """Assign what can be assigned and return the report.

    Where a type's rooms cannot all be placed, those get a unit that fit without moving anybody.

    Raises:
        NotFoundError: no such property or type in this agency.
        NightsTakenError: somebody else took a unit meanwhile.
    """
    now = clock.now()

    def attempt(expired: ExpiredHolds) -> AssignmentReport:
        with uow.begin(command) as work:
            house = work.houses.get(command.property_id)
            staying = work.bookings.staying(command.property_id, command.arrivals)
            bookings = {each.booking_id: each for each in staying}
            placed: dict[BookingRoomId, tuple[Placement, ...]] = {}
            reports = [
                _assigned(command, house, round_, placed) for round_ in _rounds(command, work, house, staying)
            ]
            change = StockChange((), ())
            for before, room in _changed_rooms(staying, placed):
                after = with_room(bookings[before.booking_id], room)
                change += StockChange(before.room(room.room_id).claims(), room.claims())
                bookings[before.booking_id] = after
                work.record(_event(after, room))
            for before in staying:
                if bookings[before.booking_id] != before:
                    work.bookings.save(bookings[before.booking_id])
            if change:
                change_stock(work, change, now=now, expired=expired)
                work.commit()
            return AssignmentReport(
                moves=tuple(move for report in reports for move in report.moves),
                splits=tuple(part for report in reports for part in report.splits),
                unplaced=tuple(left for report in reports for left in report.unplaced),
            )

    return claiming(attempt)


def _rounds(
    command: AssignAutomatically, work: BookingWork, house: House, staying: tuple[Booking, ...]
) -> Iterator[_Round]:
    """Yield the rooms of each type in turn; split stays and upgrades stay where they are."""
    for unit_type_id in command.unit_type_ids or tuple(house.types):
        house.type_of(unit_type_id)
        if not house.has_units(unit_type_id):
            continue
        found = {
            room.room_id: (booking.booking_id, room, _lodger(command, booking, room))
            for booking in staying
            for room in booking.rooms
            if room.unit_type_id == unit_type_id and _may_be_placed(room, unit_type_id)
        }
        if not found:
            continue
        lodgers = tuple(lodger for _, _, lodger in found.values())
        window = lodgers[0].nights
        for lodger in lodgers:
            window = window.span(lodger.nights)
        occupied = work.stock.unit_occupancy(unit_type_id, window)
        taken = {unit: DateSet.of_mask(window.start, mask) for unit, mask in occupied.items()}
        for lodger in lodgers:
            if lodger.unit_id is not None and lodger.unit_id in taken:
                taken[lodger.unit_id] -= DateSet.of(lodger.nights)
        rooms = {room_id: (booking_id, room) for room_id, (booking_id, room, _) in found.items()}
        yield _Round(unit_type_id, rooms, lodgers, taken)


def _may_be_placed(room: BookedRoom, unit_type_id: UnitTypeId) -> bool:
    if room.is_oversold or len(room.placements) > 1:
        return False
    return not room.placements or (room.is_placed and room.placements[0].unit_type_id == unit_type_id)


def _lodger(command: AssignAutomatically, booking: Booking, room: BookedRoom) -> Lodger:
    unit_id = room.placements[0].unit_id if room.placements else None
    is_fixed = (
        room.is_locked
        or booking.status is not Status.CONFIRMED
        or room.stay.arrival not in command.arrivals
        or not command.moves_others
    )
    claims = room.claims(left_on=booking.checked_out_on)
    return Lodger(
        room_id=room.room_id,
        nights=DateRange(claims[0].nights.start, claims[-1].nights.end),
        unit_id=unit_id,
        is_pinned=is_fixed and unit_id is not None,
    )


def _assigned(
    command: AssignAutomatically,
    house: House,
    round_: _Round,
    placed: dict[BookingRoomId, tuple[Placement, ...]],
) -> AssignmentReport:
    """Settle one type into ``placed``: all its rooms, else as many as fit without a move."""
    units = [unit.unit_id for unit in house.units_of(round_.unit_type_id)]
    wanted = tuple(
        lodger
        for lodger in round_.lodgers
        if lodger.unit_id is not None or round_.rooms[lodger.room_id][1].stay.arrival in command.arrivals
    )
    outcome = assign(units, round_.taken, wanted)
    if not isinstance(outcome, (Impossible, NotFound)):
        for move in outcome.moves:
            _place(round_, placed, move.room_id, ((move.to_unit, None),))
        return AssignmentReport(outcome.moves, (), ())
    return _one_by_one(command, round_, units, outcome, placed)


def _one_by_one(
    command: AssignAutomatically,
    round_: _Round,
    units: list[UnitId],
    reason: Impossible | NotFound,
    placed: dict[BookingRoomId, tuple[Placement, ...]],
) -> AssignmentReport:
    """Place rooms in the order of arrival where a unit is free, split or leave the others."""
    taken = dict(round_.taken)
    for lodger in round_.lodgers:
        if lodger.unit_id is not None:
            taken[lodger.unit_id] = taken.get(lodger.unit_id, DateSet.EMPTY) | DateSet.of(lodger.nights)
    moves: list[Move] = []
    splits: list[tuple[BookingRoomId, SplitPlan]] = []
    left: list[BookingRoomId] = []
    for lodger in sorted(round_.lodgers, key=lambda each: (each.nights.start, each.room_id)):
        arrives = round_.rooms[lodger.room_id][1].stay.arrival in command.arrivals
        if lodger.unit_id is not None or not arrives:
            continue
        turnover = round_.rooms[lodger.room_id][1].turnover_nights
        found = split(units, taken, lodger.nights, turnover=turnover)
        if isinstance(found, Impossible) or (found.changes and not command.may_split):
            left.append(lodger.room_id)
            continue
        for unit_id, nights in found.parts:
            taken[unit_id] = taken.get(unit_id, DateSet.EMPTY) | DateSet.of(nights)
        _place(round_, placed, lodger.room_id, found.parts)
        if found.changes:
            splits.append((lodger.room_id, found))
        else:
            moves.append(Move(lodger.room_id, None, found.parts[0][0]))
    unplaced = (Unplaced(round_.unit_type_id, tuple(left), reason),) if left else ()
    return AssignmentReport(tuple(moves), tuple(splits), unplaced)


def _place(
    round_: _Round,
    placed: dict[BookingRoomId, tuple[Placement, ...]],
    room_id: BookingRoomId,
    parts: tuple[tuple[UnitId, DateRange | None], ...],
) -> None:
    stay = DateRange.from_stay(round_.rooms[room_id][1].stay)
    cut = ((unit_id, stay if nights is None else nights.intersection(stay)) for unit_id, nights in parts)
    placed[room_id] = tuple(
        Placement(unit_id, round_.unit_type_id, nights) for unit_id, nights in cut if nights is not None
    )


def _changed_rooms(
    staying: tuple[Booking, ...], placed: dict[BookingRoomId, tuple[Placement, ...]]
) -> Iterator[tuple[Booking, BookedRoom]]:
    for booking in staying:
        for room in booking.rooms:
            placements = placed.get(room.room_id, room.placements)
            if placements != room.placements:
                yield booking, evolve(room, placements=placements)


def _event(booking: Booking, room: BookedRoom) -> RoomAssigned:
    return RoomAssigned(
        aggregate_id=booking.booking_id,
        version=booking.version,
        property_id=booking.property_id,
        room=room,
    )
