"""Making a booking.

Reads the house and its rules (remembered by version), claims the nights, writes booking, guest figures,
events and idempotency key in one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from attrs import evolve, frozen

from pmscore.booking.model.booking import Booking, Source
from pmscore.booking.model.lifecycle import Status
from pmscore.booking.policies.drafting import RoomRequest, draft_room, oversold, rule_violations
from pmscore.booking.ports import BookingWork
from pmscore.booking.use_cases.making import check_option, take_up, write_booking
from pmscore.booking.views import BookingReceipt
from pmscore.guests.model import Guest
from pmscore.inventory.model.holds import Hold
from pmscore.inventory.model.house import House
from pmscore.inventory.ports import ExpiredHolds, claiming
from pmscore.kernel.errors import NightsTakenError, RefusedError, TransitionError
from pmscore.kernel.events import Command, Json
from pmscore.kernel.ids import BookingId, BookingRoomId, GuestId, HoldId, PropertyId
from pmscore.kernel.once import made_or_repeated
from pmscore.kernel.ports import Clock, IdSource, UnitOfWork

__all__ = ["CreateBooking", "create_booking"]


@frozen(kw_only=True)
class CreateBooking(Command):
    """Make a booking for a known guest, or for a new one given with it.

    ``option_until`` makes it pending until then, otherwise it is confirmed. ``hold_ids`` are taken up.
    ``overrides_rules`` lets staff book against restrictions; ``may_oversell`` is for bookings that were
    sold elsewhere already: where the nights are taken it is stored all the same, flagged as oversold.
    ``booking_id`` is for who has to know the id before the booking is there; None draws one.
    """

    property_id: PropertyId
    guest: GuestId | Guest
    rooms: tuple[RoomRequest, ...]
    source: Source = Source()
    requests: str = ""
    notes: str = ""
    terms: Mapping[str, Json] = {}
    option_until: datetime | None = None
    hold_ids: tuple[HoldId, ...] = ()
    overrides_rules: bool = False
    may_oversell: bool = False
    booking_id: BookingId | None = None


def create_booking(
    command: CreateBooking, *, uow: UnitOfWork[BookingWork], clock: Clock, ids: IdSource
) -> BookingReceipt:
    """Make the booking, all rooms or none; a repetition under the same key returns the first receipt.

    Raises:
        NotFoundError: no such property, type, unit, guest or hold in this agency.
        InvalidInputError: a value cannot be what it says; names the field.
        RefusedError: the stay breaks rules; carries all of them.
        NightsTakenError: the nights are not free.
        KeyReusedError: the idempotency key belongs to another request.
    """
    now = clock.now()
    booking_id = BookingId(ids.new()) if command.booking_id is None else command.booking_id
    room_ids = tuple(BookingRoomId(ids.new()) for _ in command.rooms)

    def attempt(expired: ExpiredHolds, *, oversell: bool = False) -> BookingReceipt:
        with uow.begin(command) as work:
            house = work.houses.get(command.property_id)
            booking = _drafted(command, house, now, booking_id, room_ids)
            if oversell:
                booking = evolve(booking, rooms=tuple(oversold(room) for room in booking.rooms))
            if not command.overrides_rules:
                rules = work.restrictions.get(command.property_id)
                broken = rule_violations(booking, house, rules, now=now)
                if broken:
                    raise RefusedError(broken)
            given_up = take_up(work, [_hold(work, hold_id, now) for hold_id in command.hold_ids])
            return write_booking(
                work, command, booking, command.guest, given_up=given_up, now=now, expired=expired
            )

    def make() -> BookingReceipt:
        try:
            return claiming(attempt)
        except NightsTakenError:
            if not command.may_oversell:
                raise
            return attempt(ExpiredHolds.LEAVE, oversell=True)

    return made_or_repeated(command, uow, make, BookingReceipt.from_reply)


def _drafted(
    command: CreateBooking,
    house: House,
    now: datetime,
    booking_id: BookingId,
    room_ids: tuple[BookingRoomId, ...],
) -> Booking:
    check_option(command.option_until, now)
    guest = command.guest
    return Booking(
        booking_id=booking_id,
        property_id=command.property_id,
        guest_id=guest.guest_id if isinstance(guest, Guest) else guest,
        status=Status.PENDING if command.option_until is not None else Status.CONFIRMED,
        currency=house.property.currency,
        rooms=tuple(
            [
                draft_room(asked, house, room_id)
                for asked, room_id in zip(command.rooms, room_ids, strict=True)
            ]
        ),
        created_at=now,
        source=command.source,
        requests=command.requests,
        notes=command.notes,
        terms=command.terms,
        option_until=command.option_until,
    )


def _hold(work: BookingWork, hold_id: HoldId, now: datetime) -> Hold:
    hold = work.holds.get(hold_id)
    if hold.is_expired(now):
        raise TransitionError("take_up", "expired", hold_id=str(hold_id))
    return hold
