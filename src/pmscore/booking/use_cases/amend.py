"""Changing what a booking is about: stay, party, type, amounts, notes.

Gives up the old nights and takes the new ones in one step, so a change that does not fit loses nothing.
"""

from __future__ import annotations

from datetime import date, datetime

from attrs import evolve, frozen

from pmscore.booking.model.booking import Booking
from pmscore.booking.model.events import BookingAmended
from pmscore.booking.model.lifecycle import AMENDABLE, Status
from pmscore.booking.model.rooms import BookedRoom, Placement
from pmscore.booking.policies.drafting import minor_amounts, newly_broken, placed_throughout
from pmscore.booking.policies.replacing import kept_placements
from pmscore.booking.policies.repricing import RepricingBasis
from pmscore.booking.ports import BookingWork
from pmscore.dates.nights import StayRange
from pmscore.inventory.model.house import House
from pmscore.inventory.model.party import Party
from pmscore.inventory.model.stock import StockChange
from pmscore.inventory.ports import ExpiredHolds, change_stock, claiming
from pmscore.kernel.errors import InvalidInputError, RefusedError, StaleVersionError, TransitionError
from pmscore.kernel.events import Command
from pmscore.kernel.ids import BookingId, BookingRoomId, UnitTypeId
from pmscore.kernel.money import Money
from pmscore.kernel.ports import Clock, UnitOfWork

__all__ = ["AmendBooking", "RoomAmendment", "amend_booking"]


@frozen(kw_only=True)
class RoomAmendment:
    """What changes about one room; None leaves a field as it is.

    ``nightly`` has one amount for each night of the new stay. Where it is left out, nights that stay keep
    their agreed amount, and a new night is refused for want of one.
    """

    room_id: BookingRoomId
    stay: StayRange | None = None
    party: Party | None = None
    unit_type_id: UnitTypeId | None = None
    nightly: tuple[Money, ...] | None = None


@frozen(kw_only=True)
class AmendBooking(Command):
    """Change rooms, requests or notes of a booking that has not ended.

    ``basis`` says by what the amounts were worked out, for the history; None: they were given by hand.
    """

    booking_id: BookingId
    rooms: tuple[RoomAmendment, ...] = ()
    requests: str | None = None
    notes: str | None = None
    overrides_rules: bool = False
    expected_version: int | None = None
    basis: RepricingBasis | None = None


def amend_booking(command: AmendBooking, *, uow: UnitOfWork[BookingWork], clock: Clock) -> Booking:
    """Make the change and return the booking after it; nothing changes where it asks for nothing new.

    Raises:
        NotFoundError: no such booking, room or type in this agency.
        InvalidInputError: amounts are missing or cannot be.
        TransitionError: the booking has ended, or the arrival or the type of a guest in house would change.
        RefusedError: the new stay breaks rules; carries all of them.
        StaleVersionError: the booking has another version than expected.
        NightsTakenError: the new nights are not free; the old ones are kept.
    """
    now = clock.now()

    def attempt(expired: ExpiredHolds) -> Booking:
        with uow.begin(command) as work:
            before = work.bookings.get(command.booking_id)
            house = work.houses.get(before.property_id)
            after, changed = _amended(command, before, house)
            if not changed:
                return before
            if not command.overrides_rules:
                _refuse_broken_rules(work, before, after, house, now)
            work.bookings.save(after)
            work.guests.count(after.metrics_since(before))
            work.record(
                BookingAmended(
                    aggregate_id=after.booking_id,
                    version=after.version,
                    property_id=after.property_id,
                    changed=changed,
                    rooms=after.rooms,
                    repriced=None if command.basis is None else command.basis.value,
                )
            )
            change = StockChange(before.claims(), after.claims())
            if change.before != change.after:
                change_stock(work, change, now=now, expired=expired)
            work.commit()
            return after

    return claiming(attempt)


def _amended(command: AmendBooking, before: Booking, house: House) -> tuple[Booking, tuple[str, ...]]:
    if command.expected_version not in (None, before.version):
        raise StaleVersionError(expected=command.expected_version, found=before.version)
    if before.status not in AMENDABLE:
        raise TransitionError("amend", before.status.value)
    rooms = {room.room_id: room for room in before.rooms}
    for amendment in command.rooms:
        room = _amended_room(amendment, before.room(amendment.room_id), house)
        if before.status is Status.CHECKED_IN:
            _refuse_moved_guest(before, room, house.property.business_date)
        rooms[room.room_id] = room
    after = evolve(
        before,
        rooms=tuple(rooms.values()),
        requests=before.requests if command.requests is None else command.requests,
        notes=before.notes if command.notes is None else command.notes,
        version=before.version + 1,
    )
    names = ("rooms", "requests", "notes")
    return after, tuple(name for name in names if getattr(before, name) != getattr(after, name))


def _amended_room(amendment: RoomAmendment, room: BookedRoom, house: House) -> BookedRoom:
    stay = amendment.stay or room.stay
    unit_type = house.type_of(amendment.unit_type_id or room.unit_type_id)
    is_new_type = unit_type.unit_type_id != room.unit_type_id
    if amendment.nightly is not None:
        nightly = minor_amounts(amendment.nightly, house.property.currency)
    else:
        nightly = _kept_amounts(room, stay)
    only_unit = house.only_unit_of(unit_type.unit_type_id)
    if room.is_oversold:
        placements: tuple[Placement, ...] = ()
    elif room.placements and not is_new_type:
        placements = kept_placements(room, stay)
    else:
        placements = placed_throughout(only_unit, stay) if only_unit is not None else ()
    return evolve(
        room,
        unit_type_id=unit_type.unit_type_id,
        stay=stay,
        party=amendment.party or room.party,
        nightly=nightly,
        placements=placements,
        turnover_nights=unit_type.turnover_nights if is_new_type else room.turnover_nights,
        is_locked=room.is_locked and bool(placements),
    )


def _kept_amounts(room: BookedRoom, stay: StayRange) -> tuple[int, ...]:
    agreed = dict(zip(room.stay.nights(), room.nightly, strict=True))
    missing = [night for night in stay.nights() if night not in agreed]
    if missing:
        raise InvalidInputError("nightly", "required_for_new_nights", first_night=missing[0].isoformat())
    return tuple(agreed[night] for night in stay.nights())


def _refuse_moved_guest(before: Booking, room: BookedRoom, today: date) -> None:
    old = before.room(room.room_id)
    if room.stay.arrival != old.stay.arrival:
        raise TransitionError("amend", before.status.value, "guest_has_arrived")
    if room.unit_type_id != old.unit_type_id:
        raise TransitionError("amend", before.status.value, "guest_is_in_house")
    if room.stay.departure < today:
        raise TransitionError("amend", before.status.value, "departure_in_the_past")


def _refuse_broken_rules(
    work: BookingWork, before: Booking, after: Booking, house: House, now: datetime
) -> None:
    """Refuse what the new rooms break, but for what the old ones broke already."""
    broken = newly_broken(before, after, house, work.restrictions.get(before.property_id), now=now)
    if broken:
        raise RefusedError(broken)
