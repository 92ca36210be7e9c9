"""What goes out: bookings, properties and availability as JSON.

Owns names and shapes of response bodies. Amounts are text with their currency, dates are ISO 8601, ends are
exclusive.
"""

from __future__ import annotations

from pms_web.texts import violation_text
from pmscore.availability.model import Calendar, OccupiedRange, Offer, Refusal, SearchResult, TypeNights
from pmscore.booking.model.booking import Booking
from pmscore.booking.model.rooms import BookedRoom
from pmscore.booking.views import BookingReceipt
from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.guests.model import Guest
from pmscore.inventory.model.house import House
from pmscore.inventory.model.stock import ClaimKind
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import Violation
from pmscore.kernel.events import Json
from pmscore.kernel.money import Money

__all__ = [
    "booking_body",
    "calendar_body",
    "house_body",
    "money_body",
    "ranges_body",
    "receipt_body",
    "search_body",
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
        "is_oversold": booking.is_oversold,
        "version": booking.version,
    }


def house_body(house: House) -> dict[str, Json]:
    """Return a property with its types and units."""
    home = house.property
    return {
        "id": str(home.property_id),
        "name": home.name,
        "address": home.address,
        "zone": str(home.zone),
        "currency": home.currency.code,
        "business_date": home.business_date.isoformat(),
        "check_in_at": home.check_in_at.isoformat("minutes"),
        "check_out_at": home.check_out_at.isoformat("minutes"),
        "unit_types": [
            {
                "id": str(each.unit_type_id),
                "name": each.name,
                "rooms": each.capacity_on(home.business_date),
                "largest_party": each.largest_party,
                "turnover_nights": each.turnover_nights,
                "units": [
                    {"id": str(unit.unit_id), "name": unit.name} for unit in house.units_of(each.unit_type_id)
                ],
            }
            for each in sorted(house.types.values(), key=lambda each: (each.name, each.unit_type_id))
        ],
    }


def ranges_body(property_id: str, nights: DateRange, ranges: tuple[OccupiedRange, ...]) -> dict[str, Json]:
    """Return what occupies a property."""
    return {
        "property_id": property_id,
        "from": nights.start.isoformat(),
        "to": nights.end.isoformat(),
        "ranges": [
            {
                "kind": each.kind.value,
                "state": each.state.value,
                "from": each.nights.start.isoformat(),
                "to": each.nights.end.isoformat(),
                "unit_type_id": str(each.unit_type_id),
                "unit_id": _id(each.unit_id),
                "booking_id": _id(each.booking_id),
                "hold_id": _id(each.hold_id),
                "block_id": _id(each.block_id),
            }
            for each in ranges
        ],
    }


def calendar_body(property_id: str, calendar: Calendar) -> dict[str, Json]:
    """Return counts by type and night."""
    return {
        "property_id": property_id,
        "from": calendar.nights.start.isoformat(),
        "to": calendar.nights.end.isoformat(),
        "types": [
            {"unit_type_id": str(each.unit_type_id), "nights": _nights(each)} for each in calendar.types
        ],
    }


def search_body(stay: StayRange, result: SearchResult) -> dict[str, Json]:
    """Return offers and refusals."""
    return {
        "arrival": stay.arrival.isoformat(),
        "departure": stay.departure.isoformat(),
        "offers": [_offer(each) for each in result.offers],
        "refusals": [_refusal(each) for each in result.refusals],
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


def _nights(counts: TypeNights) -> list[Json]:
    free, sellable = counts.free(), counts.sellable()
    by_kind = {kind.value: counts.counts(kind) for kind in ClaimKind}
    return [
        {
            "night": night.isoformat(),
            "capacity": counts.capacity[at],
            "free": free[at],
            "sellable": sellable[at],
            **{kind: numbers[at] for kind, numbers in by_kind.items()},
        }
        for at, night in enumerate(counts.nights.nights())
    ]


def _offer(offer: Offer) -> dict[str, Json]:
    return {
        "property_id": str(offer.property_id),
        "unit_type_id": str(offer.unit_type_id),
        "free_rooms": offer.free_rooms,
        "free_units": [str(each) for each in offer.free_units],
        "needs_move": offer.needs_move,
    }


def _refusal(refusal: Refusal) -> dict[str, Json]:
    return {
        "property_id": str(refusal.property_id),
        "unit_type_id": str(refusal.unit_type_id),
        "violations": [violation_body(each) for each in refusal.violations],
        "nearest": [
            {"arrival": each.arrival.isoformat(), "departure": each.departure.isoformat()}
            for each in refusal.nearest
        ],
    }


def money_body(amount: Money) -> dict[str, Json]:
    """Return an amount as text with its currency."""
    return {"amount": amount.plain(), "currency": amount.currency.code}


def _id(value: object) -> str | None:
    return None if value is None else str(value)
