"""From frozen values to the rows of one JSON document, and back from the rows that a query answers.

Owns the translation, by hand, of every aggregate. Leaves statements to the modules of the contexts, and the
writing of ids and dates as text to ``documents``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from pmscore.booking.model.booking import Booking, Source
from pmscore.booking.model.cancellation import CancellationFee
from pmscore.booking.model.lifecycle import Status
from pmscore.booking.model.rooms import BookedRoom, Placement
from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.guests.model import Guest
from pmscore.inventory.model.party import Party
from pmscore.inventory.model.stock import Claim
from pmscore.kernel.currency import Currency
from pmscore.kernel.events import Command, Event, Json
from pmscore.kernel.ids import BookingId, BookingRoomId, GuestId, PropertyId, QuoteId, UnitId, UnitTypeId

__all__ = [
    "JsonRow",
    "booking_row",
    "claim_rows",
    "event_row",
    "guest_row",
    "loaded_booking",
    "loaded_room",
    "room_rows",
]

JsonRow = dict[str, object]


def claim_rows(sign: int, claims: Iterable[Claim]) -> list[JsonRow]:
    """Return the rows of claims taken (sign 1) or given up (sign -1)."""
    return [
        {
            "sign": sign,
            "kind": claim.kind.value,
            "source_id": claim.source_id,
            "unit_type_id": claim.unit_type_id,
            "unit_id": claim.unit_id,
            "first": claim.nights.start,
            "nights": claim.nights.length,
            "upto": claim.nights.end,
        }
        for claim in claims
    ]


def event_row(event: Event, command: Command, event_id: UUID, at: datetime) -> JsonRow:
    """Return the row of an event with who asked for it and when it was recorded."""
    return {
        "event_id": event_id,
        "kind": event.kind,
        "aggregate": event.aggregate,
        "aggregate_id": event.aggregate_id,
        "version": event.version,
        "at": at,
        "actor_id": command.actor_id,
        "request_id": command.request_id,
        "payload": event.payload(),
    }


def guest_row(guest: Guest) -> JsonRow:
    """Return the row of a new guest, who has no figures yet."""
    return {
        "guest_id": guest.guest_id,
        "name": guest.name,
        "email": guest.email,
        "phone": guest.phone,
        "country": guest.country,
        "total_bookings": 0,
        "updated_at": guest.updated_at,
        "version": guest.version,
    }


def booking_row(booking: Booking) -> JsonRow:
    """Return the row of a booking without its rooms."""
    return {
        "booking_id": booking.booking_id,
        "property_id": booking.property_id,
        "guest_id": booking.guest_id,
        "status": booking.status.value,
        "currency": booking.currency.code,
        "channel": booking.source.channel,
        "channel_reference": booking.source.reference,
        "segment": booking.source.segment,
        "requests": booking.requests,
        "notes": booking.notes,
        "terms": dict(booking.terms),
        "created_at": booking.created_at,
        "option_until": booking.option_until,
        "checked_in_on": booking.checked_in_on,
        "checked_out_on": booking.checked_out_on,
        "version": booking.version,
        "quote_id": booking.quote_id,
        "cancellation": None if booking.cancellation is None else booking.cancellation.to_json(),
    }


def room_rows(booking: Booking) -> list[JsonRow]:
    """Return the rows of a booking's rooms."""
    return [
        {
            "room_id": room.room_id,
            "booking_id": booking.booking_id,
            "position": position,
            "unit_type_id": room.unit_type_id,
            "arrival": room.stay.arrival,
            "departure": room.stay.departure,
            "adults": room.party.adults,
            "children": room.party.children,
            "infants": room.party.infants,
            "nightly": list(room.nightly),
            "placements": [_placement_row(each) for each in room.placements],
            "turnover_nights": room.turnover_nights,
            "is_locked": room.is_locked,
            "is_oversold": room.is_oversold,
        }
        for position, room in enumerate(booking.rooms)
    ]


def loaded_booking(
    row: tuple[
        UUID,
        UUID,
        UUID,
        str,
        str,
        str,
        str,
        str,
        str,
        str,
        dict[str, Json],
        datetime,
        datetime | None,
        date | None,
        date | None,
        int,
        UUID | None,
        dict[str, Json] | None,
    ],
    rooms: tuple[BookedRoom, ...],
) -> Booking:
    """Return the booking that the columns of ``BOOKING_COLUMNS`` hold."""
    (booking_id, property_id, guest_id, status, currency, channel, reference, segment, requests, notes,
     terms, created_at, option_until, checked_in_on, checked_out_on, version, quote_id, cancellation) = row  # fmt: skip
    return Booking(
        booking_id=BookingId(booking_id),
        property_id=PropertyId(property_id),
        guest_id=GuestId(guest_id),
        status=Status(status),
        currency=Currency.recorded(currency),
        rooms=rooms,
        created_at=created_at,
        source=Source(channel=channel, reference=reference, segment=segment),
        requests=requests,
        notes=notes,
        terms=terms,
        option_until=option_until,
        checked_in_on=checked_in_on,
        checked_out_on=checked_out_on,
        version=version,
        quote_id=None if quote_id is None else QuoteId(quote_id),
        cancellation=None if cancellation is None else CancellationFee.from_json(cancellation),
    )


def loaded_room(
    row: tuple[UUID, UUID, date, date, int, int, int, list[int], list[dict[str, str]], int, bool, bool],
) -> BookedRoom:
    """Return the room that the columns of ``ROOM_COLUMNS`` hold."""
    (room_id, unit_type_id, arrival, departure, adults, children, infants, nightly, placements,
     turnover_nights, is_locked, is_oversold) = row  # fmt: skip
    return BookedRoom(
        room_id=BookingRoomId(room_id),
        unit_type_id=UnitTypeId(unit_type_id),
        stay=StayRange(arrival, departure),
        party=Party(adults, children, infants),
        nightly=tuple(nightly),
        placements=tuple([_loaded_placement(each) for each in placements]),
        turnover_nights=turnover_nights,
        is_locked=is_locked,
        is_oversold=is_oversold,
    )


def _placement_row(placement: Placement) -> JsonRow:
    return {
        "unit_id": placement.unit_id,
        "unit_type_id": placement.unit_type_id,
        "from": placement.nights.start,
        "to": placement.nights.end,
    }


def _loaded_placement(row: dict[str, str]) -> Placement:
    return Placement(
        UnitId(UUID(row["unit_id"])),
        UnitTypeId(UUID(row["unit_type_id"])),
        DateRange(date.fromisoformat(row["from"]), date.fromisoformat(row["to"])),
    )
