"""Giving rooms of bookings their units: by hand, moved, locked, or taken back.

Assignment of many at once stands in ``assign_automatically``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TypeVar

from attrs import evolve, frozen

from pmscore.booking.model.booking import Booking
from pmscore.booking.model.events import RoomAssigned
from pmscore.booking.model.lifecycle import Status
from pmscore.booking.model.rooms import BookedRoom, Placement
from pmscore.booking.ports import BookingWork
from pmscore.booking.views import BookingReceipt
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.house import House, Unit
from pmscore.inventory.model.stock import StockChange
from pmscore.inventory.ports import ExpiredHolds, change_stock, claiming
from pmscore.kernel.errors import InvalidInputError, StaleVersionError, TransitionError
from pmscore.kernel.events import Command
from pmscore.kernel.ids import BookingId, BookingRoomId, UnitId
from pmscore.kernel.once import commit_once, made_or_repeated
from pmscore.kernel.ports import Clock, UnitOfWork

__all__ = ["AssignRoom", "assign_room", "assign_room_once", "with_room"]

ResultT = TypeVar("ResultT")

ASSIGNABLE = frozenset({Status.PENDING, Status.CONFIRMED, Status.CHECKED_IN})


@frozen(kw_only=True)
class AssignRoom(Command):
    """Give a room of a booking a unit, from ``from_night`` on where that is given (a move, a split stay).

    Without ``unit_id`` the unit is taken back; an oversold room is then claimed by its type. A unit of
    another type is an upgrade: what was sold and its price stay as they are. ``locks`` True or False sets
    whether assignment may move the room later; a locked room must be unlocked in the same command to move.
    """

    booking_id: BookingId
    room_id: BookingRoomId
    unit_id: UnitId | None
    from_night: date | None = None
    locks: bool | None = None
    expected_version: int | None = None


def assign_room(command: AssignRoom, *, uow: UnitOfWork[BookingWork], clock: Clock) -> Booking:
    """Move the claims to the unit, all nights or none, and return the booking after it.

    Raises:
        NotFoundError: no such booking, room or unit in this agency.
        InvalidInputError: ``from_night`` lies outside the stay.
        TransitionError: the booking has ended, the room is locked, or nights that have passed would move.
        NightsTakenError: the unit is not free on one of the nights; the old unit is kept.
    """

    def finish(work: BookingWork, after: Booking) -> Booking:
        work.commit()
        return after

    return _changed(command, uow, clock, finish)


def assign_room_once(command: AssignRoom, *, uow: UnitOfWork[BookingWork], clock: Clock) -> BookingReceipt:
    """Do the same once under the command's key; a repetition gets the first receipt, wherever the room is by now.

    Raises:
        KeyReusedError: the idempotency key belongs to another request.
        PmsError: as for :func:`assign_room`.
    """

    def finish(work: BookingWork, after: Booking) -> BookingReceipt:
        receipt = BookingReceipt.of(after)
        return commit_once(work, command, receipt, BookingReceipt.reply, BookingReceipt.from_reply)

    return made_or_repeated(
        command, uow, lambda: _changed(command, uow, clock, finish), BookingReceipt.from_reply
    )


def _changed(
    command: AssignRoom,
    uow: UnitOfWork[BookingWork],
    clock: Clock,
    finish: Callable[[BookingWork, Booking], ResultT],
) -> ResultT:
    """Move the claims; ``finish`` commits and returns what stands for the booking after it."""
    now = clock.now()

    def attempt(expired: ExpiredHolds) -> ResultT:
        with uow.begin(command) as work:
            before = work.bookings.get(command.booking_id)
            if command.expected_version not in (None, before.version):
                raise StaleVersionError(expected=command.expected_version, found=before.version)
            if before.status not in ASSIGNABLE:
                raise TransitionError("assign", before.status.value)
            house = work.houses.get(before.property_id)
            old = before.room(command.room_id)
            room = _assigned(command, before, old, house)
            if room == old:
                return finish(work, before)
            after = with_room(before, room)
            work.bookings.save(after)
            work.record(
                RoomAssigned(
                    aggregate_id=after.booking_id,
                    version=after.version,
                    property_id=after.property_id,
                    room=room,
                )
            )
            change = StockChange(before.claims(), after.claims())
            if change.before != change.after:
                change_stock(work, change, now=now, expired=expired)
            return finish(work, after)

    return claiming(attempt)


def with_room(booking: Booking, room: BookedRoom) -> Booking:
    """Return the next version of the booking with ``room`` in the place of the one with its id."""
    rooms = tuple(room if each.room_id == room.room_id else each for each in booking.rooms)
    return evolve(booking, rooms=rooms, version=booking.version + 1)


def _assigned(command: AssignRoom, booking: Booking, room: BookedRoom, house: House) -> BookedRoom:
    unit = house.unit(command.unit_id) if command.unit_id is not None else None
    placements = _placements(command, booking, room, unit, house.property.business_date)
    is_moved = placements != room.placements
    if is_moved and room.is_locked and command.locks is not False:
        raise TransitionError("assign", booking.status.value, "room_is_locked")
    locks = room.is_locked if command.locks is None else command.locks
    return evolve(room, placements=placements, is_oversold=False, is_locked=locks and bool(placements))


def _placements(
    command: AssignRoom, booking: Booking, room: BookedRoom, unit: Unit | None, today: date
) -> tuple[Placement, ...]:
    start = command.from_night or room.stay.arrival
    if start not in room.stay:
        raise InvalidInputError("from_night", "outside_the_stay")
    is_in_house = booking.status is Status.CHECKED_IN
    if is_in_house and room.placements and start < today:
        raise TransitionError("assign", booking.status.value, "nights_have_passed")
    if is_in_house and unit is None:
        raise TransitionError("assign", booking.status.value, "guest_is_in_house")
    moved = DateRange(start, room.stay.departure)
    kept = tuple(evolve(each, nights=cut) for each in room.placements for cut in each.nights.minus(moved))
    if unit is None:
        return kept
    if kept and kept[-1].unit_id == unit.unit_id and kept[-1].nights.end == start:
        return *kept[:-1], evolve(kept[-1], nights=DateRange(kept[-1].nights.start, moved.end))
    return *kept, Placement(unit.unit_id, unit.unit_type_id, moved)
