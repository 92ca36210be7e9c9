"""Rooms of reservations: nights, guests, and amounts as whole numbers with their own decimal places.

Owns reading them. The total of a room decides: nights that do not come to it are spread from it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pms_adapters.channels.booking_com.mapping import ADULT, CHILD, INFANT
from pms_adapters.serialization.xml import Node
from pmscore.channels.model.revisions import SoldRoom
from pmscore.dates.nights import StayRange
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.money import Money

__all__ = ["sold_room"]

_MOST_DIGITS: Final = 15


def sold_room(stay: Node, currency: Currency) -> SoldRoom:
    """Return a room as it was sold.

    Raises:
        InvalidInputError: its nights, guests or amounts make no sense.
    """
    span = stay.child("TimeSpan")
    if span is None:
        raise InvalidInputError("TimeSpan", "missing")
    nights = StayRange.parse(span.attr.get("Start", ""), span.attr.get("End", ""))
    rooms, plans, rates = stay.child("RoomTypes"), stay.child("RatePlans"), stay.child("RoomRates")
    room = None if rooms is None else rooms.child("RoomType")
    priced = () if rates is None else rates.children("RoomRate")
    planned = () if plans is None else plans.children("RatePlan")
    named = (each.attr.get("RatePlanCode", "") for each in (*planned, *priced))
    guests = stay.child("GuestCounts")
    counts = () if guests is None else guests.children("GuestCount")
    return SoldRoom(
        room_code="" if room is None else room.attr.get("RoomTypeCode", ""),
        rate_code=next((each.removesuffix("VCC") for each in named if each), ""),
        stay=nights,
        adults=_guests(counts, ADULT),
        children=_guests(counts, CHILD),
        infants=_guests(counts, INFANT),
        child_ages=_ages(counts),
        nightly=_nightly(stay, nights, currency),
    )


def _guests(counts: Iterable[Node], kind: str) -> int:
    return sum(
        _number(each.attr.get("Count", ""), "GuestCount")
        for each in counts
        if each.attr.get("AgeQualifyingCode", ADULT) == kind
    )


def _ages(counts: Iterable[Node]) -> tuple[int, ...]:
    """Return the age of each child, where all are told."""
    children = [each.attr for each in counts if each.attr.get("AgeQualifyingCode") == CHILD]
    if not all("Age" in each for each in children):
        return ()
    return tuple(
        _number(each["Age"], "Age") for each in children for _ in range(_number(each["Count"], "GuestCount"))
    )


def _number(text: str, field: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 3):
        raise InvalidInputError(field, "not_an_integer")
    return int(text)


def _nightly(stay: Node, nights: StayRange, currency: Currency) -> tuple[int, ...]:
    """Return the price of each night in minor units; none where no amount is told.

    Raises:
        InvalidInputError: an amount is none, or of another currency.
    """
    total = stay.child("Total")
    told = None if total is None else _minor(total, currency)
    by_night = _by_night(stay, currency)
    wanted = tuple(each.isoformat() for each in nights.nights())
    if by_night.keys() == set(wanted):
        found = tuple(by_night[each] for each in wanted)
        if told is None or sum(found) == told:
            return found
    if told is None:
        return ()
    return tuple(each.minor for each in Money(told, currency).split(nights.length))


def _minor(total: Node, currency: Currency) -> int:
    """Return an amount in minor units of ``currency``, whatever decimal places it was told with.

    Raises:
        InvalidInputError: for ``AmountAfterTax``, ``DecimalPlaces`` or ``CurrencyCode``.
    """
    if total.attr.get("CurrencyCode", currency.code) != currency.code:
        raise InvalidInputError("CurrencyCode", "not_one_currency")
    value = _whole(total.attr.get("AmountAfterTax", ""), "AmountAfterTax", _MOST_DIGITS)
    places = _whole(total.attr.get("DecimalPlaces", str(currency.digits)), "DecimalPlaces", 1)
    if places <= currency.digits:
        return int(value * 10 ** (currency.digits - places))
    minor, rest = divmod(value, 10 ** (places - currency.digits))
    if rest:
        raise InvalidInputError("DecimalPlaces", "too_many_digits")
    return int(minor)


def _by_night(stay: Node, currency: Currency) -> dict[str, int]:
    rates = stay.child("RoomRates")
    found: dict[str, int] = {}
    for each in () if rates is None else rates.children("RoomRate"):
        total = each.at("Rates", "Rate", "Total")
        if total is not None:
            night = each.attr.get("EffectiveDate", "")
            found[night] = found.get(night, 0) + _minor(total, currency)
    return found


def _whole(text: str, field: str, most_digits: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= most_digits):
        raise InvalidInputError(field, "not_an_integer")
    return int(text)
