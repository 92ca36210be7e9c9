"""What happens to bookings; together the history of each. Ids, dates and amounts only, no personal values."""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar

from attrs import frozen

from pmscore.booking.model.booking import Booking
from pmscore.booking.model.cancellation import CancellationFee
from pmscore.booking.model.rooms import BookedRoom
from pmscore.kernel.events import Event, Json, to_json
from pmscore.kernel.ids import BookingId, BookingRoomId, GuestId, PropertyId

__all__ = [
    "BookingAmended",
    "BookingCancelled",
    "BookingCreated",
    "BookingStatusChanged",
    "QuoteBooked",
    "RoomAssigned",
    "placement_facts",
    "room_facts",
]


def room_facts(room: BookedRoom) -> dict[str, Json]:
    """Return what an event tells about a room: which nights of which type and units, for how much."""
    return {
        "room_id": str(room.room_id),
        "unit_type_id": str(room.unit_type_id),
        "arrival": room.stay.arrival.isoformat(),
        "departure": room.stay.departure.isoformat(),
        "nightly": list(room.nightly),
        "units": placement_facts(room),
        "is_oversold": room.is_oversold,
    }


def placement_facts(room: BookedRoom) -> list[Json]:
    """Return the units of a room with their nights."""
    return [
        {
            "unit_id": str(each.unit_id),
            "unit_type_id": str(each.unit_type_id),
            "from": each.nights.start.isoformat(),
            "to": each.nights.end.isoformat(),
        }
        for each in room.placements
    ]


@frozen(kw_only=True)
class BookingCreated(Event):
    """A booking was made."""

    aggregate: ClassVar[str] = "booking"
    kind: str = "booking.created"

    booking: Booking

    def payload(self) -> dict[str, Json]:
        """Return the facts of the booking."""
        booking = self.booking
        quoted: dict[str, Json] = {} if booking.quote_id is None else {"quote_id": str(booking.quote_id)}
        return {
            "property_id": str(booking.property_id),
            "guest_id": str(booking.guest_id),
            "status": booking.status.value,
            "channel": booking.source.channel,
            "segment": booking.source.segment,
            "currency": booking.currency.code,
            "rooms": [room_facts(room) for room in booking.rooms],
            **quoted,
        }


@frozen(kw_only=True)
class QuoteBooked(Event):
    """A quote was taken up by a booking."""

    aggregate: ClassVar[str] = "quote"
    kind: str = "quote.booked"

    property_id: PropertyId
    booking_id: BookingId


@frozen(kw_only=True)
class BookingStatusChanged(Event):
    """A booking went from one status to another; ``reason`` is a code, ``business_date`` the house's day."""

    aggregate: ClassVar[str] = "booking"

    property_id: PropertyId
    guest_id: GuestId
    from_status: str
    to_status: str
    business_date: date
    at: datetime
    reason: str


@frozen(kw_only=True)
class BookingCancelled(BookingStatusChanged):
    """A booking was cancelled, and what that came to: None where it has no terms that say it.

    Amounts are minor units of ``currency``; whoever posts them finds here all that is owed.
    """

    kind: str = "booking.cancelled"

    currency: str
    cancellation: CancellationFee | None


@frozen(kw_only=True)
class BookingAmended(Event):
    """Rooms, stay, party or amounts were changed; ``changed`` names the fields.

    ``repriced`` says on which basis the amounts were worked out from prices; None: they were given by hand.
    """

    aggregate: ClassVar[str] = "booking"
    kind: str = "booking.updated"

    property_id: PropertyId
    changed: tuple[str, ...]
    rooms: tuple[BookedRoom, ...]
    repriced: str | None = None

    def payload(self) -> dict[str, Json]:
        """Return the changed fields and the facts of the rooms as they are now."""
        repriced: dict[str, Json] = {} if self.repriced is None else {"repriced": self.repriced}
        return {
            "property_id": str(self.property_id),
            "changed": list(self.changed),
            "rooms": [room_facts(room) for room in self.rooms],
            **repriced,
        }


@frozen(kw_only=True)
class RoomAssigned(Event):
    """A room was given units, moved, or put back among the unassigned."""

    aggregate: ClassVar[str] = "booking"
    kind: str = "booking.roomAssigned"

    property_id: PropertyId
    room: BookedRoom

    def payload(self) -> dict[str, Json]:
        """Return the room's units with their nights."""
        room_id: BookingRoomId = self.room.room_id
        return {
            "property_id": str(self.property_id),
            "room_id": str(room_id),
            "is_locked": self.room.is_locked,
            "units": to_json(tuple(placement_facts(self.room))),
        }
