"""What each command does to the naive model.

Owns the obvious version of every use case; a refusal changes nothing. Leaves claims to ``naive_model``.
"""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime
from uuid import UUID

from attrs import define

from pmscore.kernel.ids import UnitId, UnitTypeId
from pmscore.testing.naive_model import (
    HAS_NIGHTS,
    STEPS,
    ModelBlock,
    ModelBooking,
    ModelHold,
    ModelHouse,
    ModelRefusal,
    ModelRoom,
)

__all__ = ["ModelCommands"]

OPEN = ("pending", "confirmed", "checked_in")


@define
class ModelCommands:
    """Commands on a model house; all raise :class:`ModelRefusal`."""

    house: ModelHouse

    def only_unit(self, type_id: UnitTypeId) -> UnitId | None:
        """Return the unit of a type that never has more than one room."""
        unit_type = self.house.types[type_id]
        is_single = len(unit_type.units) == 1 and all(rooms <= 1 for _, rooms in unit_type.rooms)
        return unit_type.units[0] if is_single else None

    def create(
        self,
        booking_id: UUID,
        booking: ModelBooking,
        now: datetime,
        *,
        hold_ids: tuple[UUID, ...] = (),
        may_oversell: bool = False,
    ) -> None:
        """Make a booking, taking up holds."""
        for hold_id in hold_ids:
            hold = self.house.holds[hold_id]
            if hold.status != "active" or hold.expires_at <= now:
                raise ModelRefusal("transition")
        try:
            self.house.claim(self.house.booking_claims(booking), hold_ids, now)
        except ModelRefusal:
            if not may_oversell:
                raise
            for room in booking.rooms:
                room.is_oversold = True
                room.units = {}
        for hold_id in hold_ids:
            self.house.holds[hold_id].status = "taken_up"
        self.house.bookings[booking_id] = booking

    def act(self, booking_id: UUID, act: str, now: datetime) -> None:
        """Take a booking one step."""
        before = self.house.bookings[booking_id]
        if act == "cancel" and before.status == "cancelled":
            return
        target = STEPS[act].get(before.status)
        if target is None or self._speaks_against(before, act, now):
            raise ModelRefusal("transition")
        after = deepcopy(before)
        after.status = target
        today = self.house.today
        if act in ("check_in", "undo_check_in"):
            after.checked_in_on = today if act == "check_in" else None
        if act in ("check_out", "undo_check_out"):
            after.checked_out_on = today if act == "check_out" else None
        try:
            self._replace(booking_id, after, now)
        except ModelRefusal as refusal:
            if act != "reinstate" or any(code != "unit_taken" for code, _, _ in refusal.taken):
                raise
            for room in after.rooms:
                room.units = {}
                room.is_locked = False
            self._replace(booking_id, after, now, ends_expired=True)

    def amend(
        self,
        booking_id: UUID,
        number: int,
        type_id: UnitTypeId,
        first: int,
        end: int,
        rate: int,
        now: datetime,
    ) -> None:
        """Change type, nights and rate of one room."""
        after = deepcopy(self.house.bookings[booking_id])
        if after.status not in OPEN:
            raise ModelRefusal("transition")
        room = after.rooms[number]
        is_new_type = type_id != room.type_id
        if after.status == "checked_in" and (first != room.first or end < self.house.today or is_new_type):
            raise ModelRefusal("transition")
        only_unit = self.only_unit(type_id)
        if room.is_oversold:
            room.units = {}
        elif room.units and not is_new_type:
            room.units = room.extended(first, end)
        elif only_unit is not None:
            room.units = dict.fromkeys(range(first, end), only_unit)
        else:
            room.units = {}
        if is_new_type:
            room.turnover = self.house.types[type_id].turnover
        room.type_id, room.first, room.end, room.rate = type_id, first, end, rate
        room.is_locked = room.is_locked and bool(room.units)
        self._replace(booking_id, after, now)

    def assign(
        self,
        booking_id: UUID,
        number: int,
        unit_id: UnitId | None,
        start: int,
        now: datetime,
        *,
        locks: bool | None,
    ) -> None:
        """Give a room a unit from a night on, or take it back."""
        after = deepcopy(self.house.bookings[booking_id])
        if after.status not in OPEN:
            raise ModelRefusal("transition")
        room = after.rooms[number]
        if after.status == "checked_in" and (unit_id is None or (room.units and start < self.house.today)):
            raise ModelRefusal("transition")
        units = {night: each for night, each in room.units.items() if night < start}
        if unit_id is not None:
            units.update(dict.fromkeys(range(start, room.end), unit_id))
        if units != room.units and room.is_locked and locks is not False:
            raise ModelRefusal("transition")
        room.is_locked = (room.is_locked if locks is None else locks) and bool(units)
        room.units = units
        room.is_oversold = False
        self._replace(booking_id, after, now)

    def lacks_unit(self, booking: ModelBooking, room: ModelRoom, first: int, end: int) -> bool:
        """Return whether a room that arrives in ``[first, end)`` should have been given a unit and has none."""
        return (
            booking.status in HAS_NIGHTS
            and first <= room.first < end
            and not room.units
            and not room.is_oversold
            and bool(self.house.types[room.type_id].units)
        )

    def hold(self, hold_id: UUID, hold: ModelHold, now: datetime) -> None:
        """Place a hold."""
        self.house.claim(self.house.hold_claims(hold_id, hold), (), now)
        self.house.holds[hold_id] = hold

    def release(self, hold_id: UUID) -> None:
        """Release a hold, also one whose time is over."""
        hold = self.house.holds[hold_id]
        if hold.status != "active":
            raise ModelRefusal("transition")
        hold.status = "released"

    def block(self, block_id: UUID, block: ModelBlock, now: datetime) -> None:
        """Block a unit."""
        self.house.claim(self.house.block_claims(block_id, block), (), now)
        self.house.blocks[block_id] = block

    def lift(self, block_id: UUID) -> None:
        """Lift a block."""
        del self.house.blocks[block_id]

    def _replace(
        self, booking_id: UUID, after: ModelBooking, now: datetime, *, ends_expired: bool = False
    ) -> None:
        before = self.house.booking_claims(self.house.bookings[booking_id])
        wanted = self.house.booking_claims(after)
        if wanted != before:
            self.house.claim(wanted, (booking_id,), now, ends_expired=ends_expired)
        self.house.bookings[booking_id] = after

    def _speaks_against(self, booking: ModelBooking, act: str, now: datetime) -> bool:
        today = self.house.today
        first = min(room.first for room in booking.rooms)
        end = max(room.end for room in booking.rooms)
        match act:
            case "check_in":
                return not first <= today < end or any(
                    self._cannot_be_entered(room) for room in booking.rooms
                )
            case "undo_check_in":
                return booking.checked_in_on != today
            case "undo_check_out":
                return booking.checked_out_on != today
            case "check_out" | "mark_no_show":
                return today < first
            case "reinstate":
                return end <= today
            case "expire":
                return booking.option_until is None or now < booking.option_until
            case _:
                return False

    def _cannot_be_entered(self, room: ModelRoom) -> bool:
        return room.is_oversold or (bool(self.house.types[room.type_id].units) and not room.is_placed)
