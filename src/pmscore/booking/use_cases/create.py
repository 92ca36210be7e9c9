"""Making a booking.

Reads the house and its rules (remembered by version), claims the nights, writes booking, guest figures,
events and idempotency key in one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from attrs import evolve, frozen

from pmscore.booking.model.booking import Booking, Source
from pmscore.booking.model.events import BookingCreated
from pmscore.booking.model.lifecycle import Status
from pmscore.booking.policies.drafting import RoomRequest, draft_room, oversold, rule_violations
from pmscore.booking.ports import BookingWork
from pmscore.booking.views import BookingReceipt
from pmscore.guests.model import Guest
from pmscore.inventory.model.holds import HoldStatus
from pmscore.inventory.model.house import House
from pmscore.inventory.model.stock import StockChange
from pmscore.inventory.ports import ExpiredHolds, change_stock, claiming
from pmscore.kernel.errors import (
    DomainError,
    InvalidInputError,
    NightsTakenError,
    RefusedError,
    TransitionError,
)
from pmscore.kernel.events import Command, Json
from pmscore.kernel.ids import BookingId, BookingRoomId, GuestId, HoldId, PropertyId
from pmscore.kernel.ports import Clock, IdSource, UnitOfWork

__all__ = ["CreateBooking", "create_booking"]


@frozen(kw_only=True)
class CreateBooking(Command):
    """Make a booking for a known guest, or for a new one given with it.

    ``option_until`` makes it pending until then, otherwise it is confirmed. ``hold_ids`` are taken up.
    ``overrides_rules`` lets staff book against restrictions; ``may_oversell`` is for bookings that were
    sold elsewhere already: where the nights are taken it is stored all the same, flagged as oversold.
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
    booking_id = BookingId(ids.new())
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
            return _written(command, work, booking, now=now, expired=expired)

    try:
        return claiming(attempt)
    except NightsTakenError:
        if not command.may_oversell:
            raise
        return attempt(ExpiredHolds.LEAVE, oversell=True)
    except DomainError:
        # A repetition meets what the first one has changed, or what time has: its hold is taken up by now.
        first = _first_receipt(command, uow)
        if first is None:
            raise
        return first


def _first_receipt(command: CreateBooking, uow: UnitOfWork[BookingWork]) -> BookingReceipt | None:
    if command.once is None:
        return None
    with uow.begin(command) as work:
        reply = work.find_reply()
    return BookingReceipt.from_reply(reply) if reply is not None else None


def _drafted(
    command: CreateBooking,
    house: House,
    now: datetime,
    booking_id: BookingId,
    room_ids: tuple[BookingRoomId, ...],
) -> Booking:
    if command.option_until is not None and command.option_until <= now:
        raise InvalidInputError("option_until", "in_the_past")
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


def _written(
    command: CreateBooking, work: BookingWork, booking: Booking, *, now: datetime, expired: ExpiredHolds
) -> BookingReceipt:
    change = StockChange.claiming(*booking.claims())
    for hold_id in command.hold_ids:
        change = _taken_up(work, hold_id, now) + change
    if isinstance(command.guest, Guest):
        work.guests.add(command.guest)
        work.record(*command.guest.added().events)
    work.guests.count(booking.metrics_since(None))
    work.bookings.add(booking)
    work.record(BookingCreated(aggregate_id=booking.booking_id, version=1, booking=booking))
    change_stock(work, change, now=now, expired=expired)
    receipt = BookingReceipt.of(booking)
    if command.once is None:
        work.commit()
        return receipt
    return BookingReceipt.from_reply(work.commit_once(receipt.reply()))


def _taken_up(work: BookingWork, hold_id: HoldId, now: datetime) -> StockChange:
    hold = work.holds.get(hold_id)
    if hold.is_expired(now):
        raise TransitionError("take_up", "expired", hold_id=str(hold_id))
    decision = hold.ended(HoldStatus.TAKEN_UP)
    work.holds.save(decision.state)
    work.record(*decision.events)
    return StockChange.releasing(*hold.claims())
