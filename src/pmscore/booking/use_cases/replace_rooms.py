"""Taking over the rooms of a booking as they were changed elsewhere, all of them in one step.

Owns what happens where they do not fit: what was sold elsewhere is kept all the same, flagged as oversold.
Leaves which room is which to ``policies.replacing``, and changes of single rooms by staff to ``amend``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from attrs import evolve, frozen

from pmscore.booking.model.booking import Booking
from pmscore.booking.model.events import BookingAmended
from pmscore.booking.model.lifecycle import AMENDABLE, Status
from pmscore.booking.policies.drafting import RoomRequest, newly_broken
from pmscore.booking.policies.replacing import Conceded, conceding, refuse_moved_guest, replaced_rooms
from pmscore.booking.ports import BookingWork
from pmscore.inventory.model.house import House
from pmscore.inventory.model.stock import StockChange
from pmscore.inventory.ports import ExpiredHolds, change_stock, claiming
from pmscore.kernel.errors import NightsTakenError, RefusedError, StaleVersionError, TransitionError
from pmscore.kernel.events import Command
from pmscore.kernel.ids import BookingId, BookingRoomId
from pmscore.kernel.ports import Clock, IdSource, UnitOfWork

__all__ = ["ReplaceRooms", "replace_rooms"]


@frozen(kw_only=True)
class ReplaceRooms(Command):
    """Give a booking that has not ended these rooms instead of its own; ``requests`` None leaves them as they are.

    ``may_oversell`` is for what was sold elsewhere already: a room whose new nights are taken goes without
    its unit, and at last without stock, rather than being refused.
    """

    booking_id: BookingId
    rooms: tuple[RoomRequest, ...]
    requests: str | None = None
    overrides_rules: bool = False
    may_oversell: bool = False
    expected_version: int | None = None


@frozen
class _Attempt:
    """One try in a transaction of its own; ``after`` is what it came to before the nights were judged."""

    command: ReplaceRooms
    uow: UnitOfWork[BookingWork]
    now: datetime
    room_ids: tuple[BookingRoomId, ...]
    conceded: Mapping[BookingRoomId, Conceded]
    seen: list[tuple[Booking, Booking]]

    def __call__(self, expired: ExpiredHolds) -> Booking:
        """Change the booking and commit; where nothing changes, nothing is committed."""
        command = self.command
        with self.uow.begin(command) as work:
            before = work.bookings.get(command.booking_id)
            house = work.houses.get(before.property_id)
            after, changed = _replaced(command, before, house, self.room_ids, self.conceded)
            self.seen[:] = [(before, after)]
            if not changed:
                return before
            if not command.overrides_rules:
                rules = work.restrictions.get(before.property_id)
                broken = newly_broken(before, after, house, rules, now=self.now)
                if broken:
                    raise RefusedError(broken)
            work.bookings.save(after)
            work.guests.count(after.metrics_since(before))
            work.record(
                BookingAmended(
                    aggregate_id=after.booking_id,
                    version=after.version,
                    property_id=after.property_id,
                    changed=changed,
                    rooms=after.rooms,
                )
            )
            change = StockChange(before.claims(), after.claims())
            if change.before != change.after:
                change_stock(work, change, now=self.now, expired=expired)
            work.commit()
            return after


def replace_rooms(
    command: ReplaceRooms, *, uow: UnitOfWork[BookingWork], clock: Clock, ids: IdSource
) -> Booking:
    """Make the change and return the booking after it; rooms that say the same change nothing.

    The old nights are given up in the same step as the new ones are taken, or not at all. A guest in the
    house is never oversold: there the change is refused.

    Raises:
        NotFoundError: no such booking, type or unit in this agency.
        InvalidInputError: no room is left, or amounts cannot be.
        TransitionError: the booking has ended, or the arrival or the type of a guest in house would change.
        RefusedError: the new rooms break rules that the old ones did not; carries all of them.
        StaleVersionError: the booking has another version than expected.
        NightsTakenError: the new nights are not free; the old ones are kept.
    """
    now = clock.now()
    room_ids = tuple(BookingRoomId(ids.new()) for _ in command.rooms)
    conceded: Mapping[BookingRoomId, Conceded] = {}
    while True:
        attempt = _Attempt(command, uow, now, room_ids, conceded, [])
        try:
            return claiming(attempt)
        except NightsTakenError as error:
            ((before, after),) = attempt.seen
            more = conceding(before, after.rooms, conceded, error.violations)
            if not command.may_oversell or more is None:
                raise
            conceded = more


def _replaced(
    command: ReplaceRooms,
    before: Booking,
    house: House,
    room_ids: tuple[BookingRoomId, ...],
    conceded: Mapping[BookingRoomId, Conceded],
) -> tuple[Booking, tuple[str, ...]]:
    if command.expected_version not in (None, before.version):
        raise StaleVersionError(expected=command.expected_version, found=before.version)
    if before.status not in AMENDABLE:
        raise TransitionError("amend", before.status.value)
    rooms = replaced_rooms(before, command.rooms, house, room_ids, conceded)
    if before.status is Status.CHECKED_IN:
        refuse_moved_guest(before, rooms, house.property.business_date)
    after = evolve(
        before,
        rooms=rooms,
        requests=before.requests if command.requests is None else command.requests,
        version=before.version + 1,
    )
    names = ("rooms", "requests")
    return after, tuple(name for name in names if getattr(before, name) != getattr(after, name))
