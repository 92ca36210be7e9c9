"""What goes out: bookings, amounts and broken rules as JSON.

Owns names and shapes of response bodies. Amounts are text with their currency, dates are ISO 8601, ends are
exclusive.
"""

from __future__ import annotations

from pms_web.texts import violation_text
from pmscore.booking.model.booking import Booking
from pmscore.booking.model.cancellation import CancellationFee
from pmscore.booking.model.rooms import BookedRoom
from pmscore.booking.views import BookingReceipt
from pmscore.guests.model import Guest
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import Violation
from pmscore.kernel.events import Json
from pmscore.kernel.money import Money

__all__ = [
    "booking_body",
    "money_body",
    "receipt_body",
    "violation_body",
]


def receipt_body(receipt: BookingReceipt) -> dict[str, Json]:
    """Return a booking as it was made: the same on every repetition of the request."""
    return {
        "id": str(receipt.booking_id),
        "reference": receipt.reference,
        "status": receipt.status,
        "property_id": str(receipt.property_id),
        "arrival": receipt.arrival.isoformat(),
        "departure": receipt.departure.isoformat(),
        "total": money_body(receipt.total),
        "rooms": [{"room_id": str(each)} for each in receipt.room_ids],
        "is_oversold": receipt.is_oversold,
        "version": receipt.version,
    }


def booking_body(booking: Booking, guest: Guest) -> dict[str, Json]:
    """Return all of a booking with its guest."""
    return {
        "id": str(booking.booking_id),
        "reference": booking.reference,
        "status": booking.status.value,
        "property_id": str(booking.property_id),
        "guest": {
            "id": str(guest.guest_id),
            "name": guest.name,
            "email": guest.email,
            "phone": guest.phone,
            "country": guest.country,
        },
        "arrival": booking.arrival.isoformat(),
        "departure": booking.departure.isoformat(),
        "total": money_body(booking.total),
        "rooms": [_room(room, booking.currency) for room in booking.rooms],
        "source": {
            "channel": booking.source.channel,
            "reference": booking.source.reference,
            "segment": booking.source.segment,
        },
        "requests": booking.requests,
        "notes": booking.notes,
        "option_until": None if booking.option_until is None else booking.option_until.isoformat(),
        "checked_in_on": None if booking.checked_in_on is None else booking.checked_in_on.isoformat(),
        "checked_out_on": None if booking.checked_out_on is None else booking.checked_out_on.isoformat(),
        "created_at": booking.created_at.isoformat(),
        "quote_id": _id(booking.quote_id),
        "cancellation": None
        if booking.cancellation is None
        else _cancellation(booking.cancellation, booking.currency),
        "is_oversold": booking.is_oversold,
        "version": booking.version,
    }


def violation_body(violation: Violation) -> dict[str, Json]:
    """Return one broken rule, with a sentence."""
    return {
        "code": violation.code,
        "night": None if violation.night is None else violation.night.isoformat(),
        "value": violation.value,
        "level": violation.level,
        "message": violation_text(violation),
    }


def _cancellation(fee: CancellationFee, currency: Currency) -> dict[str, Json]:
    amounts = {
        "fee": fee.fee,
        "captured": fee.captured,
        "refund": fee.refund,
        "receivable": fee.receivable,
    }
    return {
        "at": fee.at.isoformat(),
        **{name: money_body(Money(minor, currency)) for name, minor in amounts.items()},
        "payer": fee.payer.value,
        "tax_code": fee.tax_code,
    }


def _room(room: BookedRoom, currency: Currency) -> dict[str, Json]:
    return {
        "room_id": str(room.room_id),
        "unit_type_id": str(room.unit_type_id),
        "arrival": room.stay.arrival.isoformat(),
        "departure": room.stay.departure.isoformat(),
        "adults": room.party.adults,
        "children": room.party.children,
        "infants": room.party.infants,
        "nightly": [money_body(Money(minor, currency)) for minor in room.nightly],
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


def money_body(amount: Money) -> dict[str, Json]:
    """Return an amount as text with its currency."""
    return {"amount": amount.plain(), "currency": amount.currency.code}


def _id(value: object) -> str | None:
    return None if value is None else str(value)
