"""Availability as JSON: what is occupied, what can be sold, how many are left."""

from __future__ import annotations

from typing import Annotated, TypedDict
from uuid import UUID

from pms_web.reply_parts import StayBody, ViolationBody, id_text, stay_part, violation_part
from pms_web.wire import DateText, IdText, OneOf
from pmscore.availability.model import (
    Calendar,
    Occupant,
    OccupiedRange,
    Offer,
    Refusal,
    SearchResult,
    TypeNights,
)
from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.stock import ClaimKind
from pmscore.kernel.ids import PropertyId

__all__ = ["CalendarBody", "RangesBody", "SearchBody", "calendar_body", "ranges_body", "search_body"]

OccupiedRangeBody = TypedDict(
    "OccupiedRangeBody",
    {
        "kind": Annotated[str, OneOf(Occupant)],
        "state": Annotated[str, OneOf(ClaimKind)],
        "from": DateText,
        "to": DateText,
        "unit_type_id": IdText,
        "unit_id": IdText | None,
        "booking_id": IdText | None,
        "hold_id": IdText | None,
        "block_id": IdText | None,
    },
)
"""Nights that one booking, hold or block claims; exactly the id that ``kind`` names is there."""

RangesBody = TypedDict(
    "RangesBody", {"property_id": IdText, "from": DateText, "to": DateText, "ranges": list[OccupiedRangeBody]}
)
"""What occupies a property; ``to`` is not a night of it."""


class CountedNightBody(TypedDict):
    """One night of a type: its rooms, how many of them are free or may be sold, and the claims by kind."""

    night: DateText
    capacity: int
    free: int
    sellable: int
    booked: int
    held: int
    blocked: int
    out_of_order: int
    buffer: int
    oversold: int


class CountedTypeBody(TypedDict):
    """The nights of one type."""

    unit_type_id: IdText
    nights: list[CountedNightBody]


CalendarBody = TypedDict(
    "CalendarBody", {"property_id": IdText, "from": DateText, "to": DateText, "types": list[CountedTypeBody]}
)
"""Counts by type and night."""


class OfferBody(TypedDict):
    """A type that has room; ``free_units`` are free throughout, ``needs_move`` says that assigning takes a move."""

    property_id: IdText
    unit_type_id: IdText
    free_rooms: int
    free_units: list[IdText]
    needs_move: bool


class RefusalBody(TypedDict):
    """A type that does not take the stay, every reason, and the nearest stays that it would take."""

    property_id: IdText
    unit_type_id: IdText
    violations: list[ViolationBody]
    nearest: list[StayBody]


class SearchBody(StayBody):
    """Offers and refusals for a stay."""

    offers: list[OfferBody]
    refusals: list[RefusalBody]


def ranges_body(property_id: PropertyId, nights: DateRange, ranges: tuple[OccupiedRange, ...]) -> RangesBody:
    """Return what occupies a property."""
    return {
        "property_id": str(property_id),
        "from": nights.start.isoformat(),
        "to": nights.end.isoformat(),
        "ranges": [
            {
                "kind": each.kind.value,
                "state": each.state.value,
                "from": each.nights.start.isoformat(),
                "to": each.nights.end.isoformat(),
                "unit_type_id": str(each.unit_type_id),
                "unit_id": id_text(each.unit_id),
                "booking_id": id_text(each.booking_id),
                "hold_id": id_text(each.hold_id),
                "block_id": id_text(each.block_id),
            }
            for each in ranges
        ],
    }


def calendar_body(property_id: PropertyId, calendar: Calendar) -> CalendarBody:
    """Return counts by type and night."""
    return {
        "property_id": str(property_id),
        "from": calendar.nights.start.isoformat(),
        "to": calendar.nights.end.isoformat(),
        "types": [
            {"unit_type_id": str(each.unit_type_id), "nights": _nights(each)} for each in calendar.types
        ],
    }


def search_body(stay: StayRange, result: SearchResult) -> SearchBody:
    """Return offers and refusals."""
    return {
        **stay_part(stay),
        "offers": [_offer(each) for each in result.offers],
        "refusals": [_refusal(each) for each in result.refusals],
    }


def _nights(counts: TypeNights) -> list[CountedNightBody]:
    free, sellable = counts.free(), counts.sellable()
    booked, held = counts.counts(ClaimKind.BOOKED), counts.counts(ClaimKind.HELD)
    blocked, out_of_order = counts.counts(ClaimKind.BLOCKED), counts.counts(ClaimKind.OUT_OF_ORDER)
    buffer, oversold = counts.counts(ClaimKind.BUFFER), counts.counts(ClaimKind.OVERSOLD)
    return [
        {
            "night": night.isoformat(),
            "capacity": counts.capacity[at],
            "free": free[at],
            "sellable": sellable[at],
            "booked": booked[at],
            "held": held[at],
            "blocked": blocked[at],
            "out_of_order": out_of_order[at],
            "buffer": buffer[at],
            "oversold": oversold[at],
        }
        for at, night in enumerate(counts.nights.nights())
    ]


def _offer(offer: Offer) -> OfferBody:
    property_id, unit_type_id = _texts((offer.property_id, offer.unit_type_id))
    return {
        "property_id": property_id,
        "unit_type_id": unit_type_id,
        "free_rooms": offer.free_rooms,
        "free_units": _texts(offer.free_units),
        "needs_move": offer.needs_move,
    }


def _texts(ids: tuple[UUID, ...]) -> list[IdText]:
    """Return ids as text: hundreds for each answer, the same ones again and again, so they are written once."""
    try:
        return [_WRITTEN[each.int] for each in ids]
    except KeyError:
        if len(_WRITTEN) > _MOST_WRITTEN:
            _WRITTEN.clear()
        _WRITTEN.update((each.int, str(each)) for each in ids)
        return [str(each) for each in ids]


_MOST_WRITTEN = 100_000
_WRITTEN: dict[int, str] = {}


def _refusal(refusal: Refusal) -> RefusalBody:
    return {
        "property_id": str(refusal.property_id),
        "unit_type_id": str(refusal.unit_type_id),
        "violations": [violation_part(each) for each in refusal.violations],
        "nearest": [stay_part(each) for each in refusal.nearest],
    }
