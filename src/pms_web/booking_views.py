"""Bookings as JSON: the receipt of a new one or of a step, and all of it with its guest.

Owns what somebody sees of a booking who may not read guests: the initials of a name, and none of the texts
that people write about people. An owner learns who stays when, and has nothing that leads to the guest.
"""

from __future__ import annotations

from typing import Annotated, TypedDict

from pms_web.reply_parts import MoneyBody, id_text, money_part
from pms_web.wire import DateText, IdText, InstantText, OneOf
from pmscore.booking.model.booking import Booking
from pmscore.booking.model.cancellation import CancellationFee
from pmscore.booking.model.lifecycle import Status
from pmscore.booking.model.rooms import BookedRoom
from pmscore.booking.views import BookingReceipt
from pmscore.guests.model import Guest
from pmscore.kernel.currency import Currency
from pmscore.kernel.money import Money
from pmscore.pricing.model.settlement import Payer

__all__ = [
    "BookingBody",
    "GuestBody",
    "ReceiptBody",
    "StepBody",
    "booking_body",
    "guest_body",
    "receipt_body",
    "step_body",
]


class ReceiptRoomBody(TypedDict):
    """A room of a new booking."""

    room_id: IdText


class ReceiptBody(TypedDict):
    """A booking as it was made: the same on every repetition of the request."""

    id: IdText
    reference: str
    status: Annotated[str, OneOf(Status)]
    property_id: IdText
    arrival: DateText
    departure: DateText
    total: MoneyBody
    rooms: list[ReceiptRoomBody]
    is_oversold: bool
    version: int


class GuestBody(TypedDict):
    """Somebody who stays or pays; texts that are not known are empty.

    Without permission to read guests the name is its initials, and all other texts are empty.
    """

    id: IdText
    name: str
    email: str
    phone: str
    country: str


_Nights = TypedDict("_Nights", {"from": DateText, "to": DateText})


class PlacementBody(_Nights):
    """Nights of a room in one unit."""

    unit_id: IdText


class BookedRoomBody(TypedDict):
    """A room of a booking, with one amount a night and the units that it is in."""

    room_id: IdText
    unit_type_id: IdText
    arrival: DateText
    departure: DateText
    adults: int
    children: int
    infants: int
    nightly: list[MoneyBody]
    units: list[PlacementBody]
    is_locked: bool
    is_oversold: bool


class SourceBody(TypedDict):
    """Where a booking comes from."""

    channel: str
    reference: str
    segment: str


class CancellationBody(TypedDict):
    """What a cancellation came to."""

    at: InstantText
    fee: MoneyBody
    captured: MoneyBody
    refund: MoneyBody
    receivable: MoneyBody
    payer: Annotated[str, OneOf(Payer)]
    tax_code: str


class StepBody(ReceiptBody):
    """A booking after a step or a move, the same on every repetition; the booking itself tells the rest."""

    cancellation: CancellationBody | None


class BookingBody(TypedDict):
    """A booking with its guest; arrival and departure are the first and the last of its rooms.

    Without permission to read guests, ``requests`` and ``notes`` are empty.
    """

    id: IdText
    reference: str
    status: Annotated[str, OneOf(Status)]
    property_id: IdText
    guest: GuestBody
    arrival: DateText
    departure: DateText
    total: MoneyBody
    rooms: list[BookedRoomBody]
    source: SourceBody
    requests: str
    notes: str
    option_until: InstantText | None
    checked_in_on: DateText | None
    checked_out_on: DateText | None
    created_at: InstantText
    quote_id: IdText | None
    cancellation: CancellationBody | None
    is_oversold: bool
    version: int


def receipt_body(receipt: BookingReceipt) -> ReceiptBody:
    """Return a booking as it was made."""
    return {
        "id": str(receipt.booking_id),
        "reference": receipt.reference,
        "status": receipt.status,
        "property_id": str(receipt.property_id),
        "arrival": receipt.arrival.isoformat(),
        "departure": receipt.departure.isoformat(),
        "total": money_part(receipt.total),
        "rooms": [{"room_id": str(each)} for each in receipt.room_ids],
        "is_oversold": receipt.is_oversold,
        "version": receipt.version,
    }


def step_body(receipt: BookingReceipt) -> StepBody:
    """Return a booking as it was after a step."""
    fee = receipt.cancellation
    return {
        **receipt_body(receipt),
        "cancellation": None if fee is None else _cancellation(fee, receipt.total.currency),
    }


def booking_body(booking: Booking, guest: Guest, *, shows_guest: bool) -> BookingBody:
    """Return all of a booking with its guest, or as much as somebody may see who may not read guests."""
    return {
        "id": str(booking.booking_id),
        "reference": booking.reference,
        "status": booking.status.value,
        "property_id": str(booking.property_id),
        "guest": guest_body(guest) if shows_guest else _veiled(guest),
        "arrival": booking.arrival.isoformat(),
        "departure": booking.departure.isoformat(),
        "total": money_part(booking.total),
        "rooms": [_room(room, booking.currency) for room in booking.rooms],
        "source": {
            "channel": booking.source.channel,
            "reference": booking.source.reference,
            "segment": booking.source.segment,
        },
        "requests": booking.requests if shows_guest else "",
        "notes": booking.notes if shows_guest else "",
        "option_until": None if booking.option_until is None else booking.option_until.isoformat(),
        "checked_in_on": None if booking.checked_in_on is None else booking.checked_in_on.isoformat(),
        "checked_out_on": None if booking.checked_out_on is None else booking.checked_out_on.isoformat(),
        "created_at": booking.created_at.isoformat(),
        "quote_id": id_text(booking.quote_id),
        "cancellation": None
        if booking.cancellation is None
        else _cancellation(booking.cancellation, booking.currency),
        "is_oversold": booking.is_oversold,
        "version": booking.version,
    }


def guest_body(guest: Guest) -> GuestBody:
    """Return a guest."""
    return {
        "id": str(guest.guest_id),
        "name": guest.name,
        "email": guest.email,
        "phone": guest.phone,
        "country": guest.country,
    }


def _veiled(guest: Guest) -> GuestBody:
    initials = " ".join(f"{part[0].upper()}." for part in guest.name.split())
    return {"id": str(guest.guest_id), "name": initials, "email": "", "phone": "", "country": ""}


def _cancellation(fee: CancellationFee, currency: Currency) -> CancellationBody:
    return {
        "at": fee.at.isoformat(),
        "fee": money_part(Money(fee.fee, currency)),
        "captured": money_part(Money(fee.captured, currency)),
        "refund": money_part(Money(fee.refund, currency)),
        "receivable": money_part(Money(fee.receivable, currency)),
        "payer": fee.payer.value,
        "tax_code": fee.tax_code,
    }


def _room(room: BookedRoom, currency: Currency) -> BookedRoomBody:
    return {
        "room_id": str(room.room_id),
        "unit_type_id": str(room.unit_type_id),
        "arrival": room.stay.arrival.isoformat(),
        "departure": room.stay.departure.isoformat(),
        "adults": room.party.adults,
        "children": room.party.children,
        "infants": room.party.infants,
        "nightly": [money_part(Money(minor, currency)) for minor in room.nightly],
        "units": [
            {
                "unit_id": str(each.unit_id),
                "from": each.nights.start.isoformat(),
                "to": each.nights.end.isoformat(),
            }
            for each in room.placements
        ],
        "is_locked": room.is_locked,
        "is_oversold": room.is_oversold,
    }
