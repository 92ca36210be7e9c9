"""A house as a child would keep it: lists of claims, walked over from the start for every question.

Owns the slow and obvious version of the rules that the core and its stores keep in a fast one: one thread,
check and then insert, nothing remembered that could be worked out again. It shares no code with what it
judges; nights are numbers from the first day of the scene. Leaves the comparison to ``driver``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from attrs import Factory, define, frozen

from pmscore.kernel.ids import UnitId, UnitTypeId

__all__ = [
    "ModelBlock",
    "ModelBooking",
    "ModelClaim",
    "ModelHold",
    "ModelHouse",
    "ModelRefusal",
    "ModelRoom",
    "ModelType",
]

Taken: TypeAlias = frozenset[tuple[str, int, str]]

STEPS = {
    "confirm": {"pending": "confirmed"},
    "decline": {"pending": "declined"},
    "expire": {"pending": "expired"},
    "cancel": {"pending": "cancelled", "confirmed": "cancelled"},
    "check_in": {"confirmed": "checked_in"},
    "undo_check_in": {"checked_in": "confirmed"},
    "check_out": {"checked_in": "checked_out"},
    "undo_check_out": {"checked_out": "checked_in"},
    "mark_no_show": {"confirmed": "no_show"},
    "reinstate": {"cancelled": "confirmed", "expired": "confirmed", "no_show": "confirmed"},
    "refund": {"checked_out": "refunded", "cancelled": "refunded", "no_show": "refunded"},
}
HAS_NIGHTS = ("pending", "confirmed", "checked_in", "checked_out")


class ModelRefusal(Exception):  # noqa: N818
    """The model says no: ``reason`` is ``taken`` or ``transition``; ``taken`` has code, night and place."""

    def __init__(self, reason: str, taken: Taken = frozenset()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.taken = taken


@frozen
class ModelClaim:
    """One source on one night."""

    kind: str
    source: UUID
    type_id: UnitTypeId
    night: int
    unit_id: UnitId | None


@define
class ModelType:
    """A type: rooms by night, allowance, turnover, units."""

    rooms: list[tuple[int, int]]
    overbooking: int
    turnover: int
    units: tuple[UnitId, ...]

    def limit(self, night: int) -> int:
        """Return how many claims the night takes."""
        in_force = [rooms for first, rooms in self.rooms if first <= night]
        return (in_force[-1] if in_force else 0) + self.overbooking


@define
class ModelRoom:
    """A room of a booking: nights from ``first`` until before ``end``, units by night."""

    room_id: UUID
    type_id: UnitTypeId
    first: int
    end: int
    rate: int
    turnover: int
    units: dict[int, UnitId] = Factory(dict[int, UnitId])
    is_oversold: bool = False
    is_locked: bool = False

    @property
    def is_placed(self) -> bool:
        """Whether every night has a unit."""
        return len(self.units) == self.end - self.first

    def extended(self, first: int, end: int) -> dict[int, UnitId]:
        """Return the units for other nights: one throughout stays so, of several the last follows the end."""
        if self.is_placed and len(set(self.units.values())) == 1:
            return dict.fromkeys(range(first, end), self.units[self.first])
        units = {night: unit_id for night, unit_id in self.units.items() if first <= night < end}
        if self.end - 1 in units:
            units.update(dict.fromkeys(range(self.end, end), units[self.end - 1]))
        return units


@define
class ModelBooking:
    """A booking and its rooms; business dates are numbers of nights."""

    status: str
    guest: UUID
    rooms: list[ModelRoom]
    made_at: datetime
    checked_in_on: int | None = None
    checked_out_on: int | None = None
    option_until: datetime | None = None


@define
class ModelHold:
    """A hold."""

    type_id: UnitTypeId
    unit_id: UnitId | None
    first: int
    end: int
    turnover: int
    expires_at: datetime
    status: str = "active"


@frozen
class ModelBlock:
    """A block."""

    kind: str
    type_id: UnitTypeId
    unit_id: UnitId
    first: int
    end: int


@define
class ModelHouse:
    """Everything there is, and what it claims."""

    types: dict[UnitTypeId, ModelType]
    today: int = 0
    bookings: dict[UUID, ModelBooking] = Factory(dict[UUID, ModelBooking])
    holds: dict[UUID, ModelHold] = Factory(dict[UUID, ModelHold])
    blocks: dict[UUID, ModelBlock] = Factory(dict[UUID, ModelBlock])

    def type_of(self, unit_id: UnitId) -> UnitTypeId:
        """Return the type that a unit belongs to."""
        return next(type_id for type_id, each in self.types.items() if unit_id in each.units)

    def claims(self, without: Iterable[UUID] = ()) -> list[ModelClaim]:
        """Return every claim but those of some sources."""
        found: list[ModelClaim] = []
        skipped = set(without)
        for booking_id, booking in self.bookings.items():
            if booking_id not in skipped:
                found.extend(self.booking_claims(booking))
        for hold_id, hold in self.holds.items():
            if hold_id not in skipped:
                found.extend(self.hold_claims(hold_id, hold))
        for block_id, block in self.blocks.items():
            if block_id not in skipped:
                found.extend(self.block_claims(block_id, block))
        return found

    def booking_claims(self, booking: ModelBooking) -> list[ModelClaim]:
        """Return what a booking claims in its status."""
        if booking.status not in HAS_NIGHTS:
            return []
        return [claim for room in booking.rooms for claim in self._room_claims(booking, room)]

    def hold_claims(self, hold_id: UUID, hold: ModelHold) -> list[ModelClaim]:
        """Return what a hold claims in its status."""
        if hold.status != "active":
            return []
        return [
            ModelClaim("held" if night < hold.end else "buffer", hold_id, hold.type_id, night, hold.unit_id)
            for night in range(hold.first, hold.end + hold.turnover)
        ]

    def block_claims(self, block_id: UUID, block: ModelBlock) -> list[ModelClaim]:
        """Return what a block claims."""
        return [
            ModelClaim(block.kind, block_id, block.type_id, night, block.unit_id)
            for night in range(block.first, block.end)
        ]

    def claim(
        self,
        wanted: list[ModelClaim],
        instead_of: Iterable[UUID],
        now: datetime,
        *,
        ends_expired: bool = False,
    ) -> None:
        """Check that ``wanted`` fits in place of some sources; end expired holds if it does not.

        With ``ends_expired``, end those that share a night with it in any case.

        Raises:
            ModelRefusal: it does not fit; names what is taken.
        """
        gone = set(instead_of)
        if not ends_expired and not self._taken(wanted, gone):
            return
        nights = {(each.type_id, each.night) for each in wanted}
        over = {
            hold_id
            for hold_id, hold in self.holds.items()
            if hold.expires_at <= now
            and hold_id not in gone
            and any((each.type_id, each.night) in nights for each in self.hold_claims(hold_id, hold))
        }
        taken = self._taken(wanted, gone | over)
        if taken:
            raise ModelRefusal("taken", taken)
        for hold_id in over:
            self.holds[hold_id].status = "expired"

    def set_rooms(self, type_id: UnitTypeId, rooms: int, first: int) -> None:
        """Change the capacity from a night on, unless some night to come has more claims.

        Raises:
            ModelRefusal: some night has.
        """
        unit_type = self.types[type_id]
        before = unit_type.rooms
        unit_type.rooms = [*((start, each) for start, each in before if start < first), (first, rooms)]
        counts = Counter((each.type_id, each.night) for each in self.claims() if each.kind != "oversold")
        full = {
            ("type_full", night, str(type_id))
            for (each, night), count in counts.items()
            if each == type_id and night >= self.today and count > unit_type.limit(night)
        }
        if full:
            unit_type.rooms = before
            raise ModelRefusal("taken", frozenset(full))

    def figures(self, guest: UUID) -> tuple[int, int, datetime | None, datetime | None]:
        """Return a guest's bookings, money spent, first and last booking."""
        mine = [each for each in self.bookings.values() if each.guest == guest]
        made = [each.made_at for each in mine if each.status in (*HAS_NIGHTS, "no_show")]
        spent = sum(
            room.rate * (room.end - room.first)
            for each in mine
            if each.status == "checked_out"
            for room in each.rooms
        )
        return len(made), spent, min(made, default=None), max(made, default=None)

    def _room_claims(self, booking: ModelBooking, room: ModelRoom) -> Iterable[ModelClaim]:
        end = room.end
        if booking.checked_out_on is not None and booking.checked_out_on < end:
            end = max(booking.checked_out_on, room.first + 1)
        if room.is_oversold:
            for night in range(room.first, end):
                yield ModelClaim("oversold", room.room_id, room.type_id, night, None)
            return
        for night in range(room.first, end + room.turnover):
            unit_id = room.units.get(min(night, end - 1))
            type_id = room.type_id if unit_id is None else self.type_of(unit_id)
            yield ModelClaim("booked" if night < end else "buffer", room.room_id, type_id, night, unit_id)

    def _taken(self, wanted: list[ModelClaim], gone: set[UUID]) -> Taken:
        others = self.claims(without=gone)
        found: set[tuple[str, int, str]] = set()
        counts = Counter((each.type_id, each.night) for each in others if each.kind != "oversold")
        counts.update((each.type_id, each.night) for each in wanted if each.kind != "oversold")
        units = Counter((each.unit_id, each.night) for each in (*others, *wanted) if each.unit_id is not None)
        for each in wanted:
            is_counted = each.kind != "oversold"
            if is_counted and counts[each.type_id, each.night] > self.types[each.type_id].limit(each.night):
                found.add(("type_full", each.night, str(each.type_id)))
            if each.unit_id is not None and units[each.unit_id, each.night] > 1:
                found.add(("unit_taken", each.night, str(each.unit_id)))
        return frozenset(found)
