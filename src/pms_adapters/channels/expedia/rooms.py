"""The room of a booking as Expedia tells it: nights, guests, and what each night costs.

Owns reading it. A night costs its rate with the fees for further guests and for service; taxes are told as one sum of
the stay, and stand beside.
"""

from __future__ import annotations

from typing import Final

from pms_adapters.serialization.xml import Node
from pmscore.channels.model.calls import At
from pmscore.channels.model.revisions import SoldRoom
from pmscore.dates.nights import StayRange
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.money import Money

__all__ = ["attribute", "read_currency", "read_rooms"]

_NO_ROOM: Final = frozenset({"", "0"})
_FEES: Final = ("extraPersonFees", "hotelServiceFees")
_TWIN: Final = "A"
_MOST_GUESTS: Final = 999


def read_rooms(at: At, stay: Node | None, currency: Currency, *, is_cancelled: bool) -> tuple[SoldRoom, ...]:
    """Return the room; a cancellation need not have one, or one that can be read.

    Raises:
        InvalidInputError: it makes no sense.
    """
    if is_cancelled and (stay is None or stay.attr.get("roomTypeID", "").strip() in _NO_ROOM):
        return ()
    try:
        return (_room(at, _inside(stay, "RoomStay"), currency),)
    except InvalidInputError:
        if is_cancelled:
            return ()
        raise


def _rate_code(at: At, room_code: str, code: str) -> str:
    """Return the rate plan that is mapped; a plan has a twin for guests who pay elsewhere, named by a letter more."""
    twin = code.removesuffix(_TWIN) if code.endswith(_TWIN) else f"{code}{_TWIN}"
    is_twin = at.mappings.rate(room_code, code) is None and at.mappings.rate(room_code, twin) is not None
    return twin if is_twin else code


def _room(at: At, said: Node, currency: Currency) -> SoldRoom:
    dates = _inside(said.child("StayDate"), "StayDate")
    stay = StayRange.parse(dates.attr.get("arrival", ""), dates.attr.get("departure", ""))
    guests = _inside(said.child("GuestCount"), "GuestCount")
    room_code = attribute(said, "roomTypeID")
    return SoldRoom(
        room_code=room_code,
        rate_code=_rate_code(at, room_code, said.attr.get("ratePlanID", "").strip()),
        stay=stay,
        adults=_count(guests, "adult"),
        child_ages=tuple(_count(each, "age") for each in guests.children("Child")),
        children=_count(guests, "child") if "child" in guests.attr else 0,
        nightly=_nightly(said, stay, currency),
    )


def _nightly(said: Node, stay: StayRange, currency: Currency) -> tuple[int, ...]:
    """Return the price of each night with its fees and without taxes.

    Where the nights are not those of the stay, what is to be paid without taxes is spread over them.
    """
    days = said.child("PerDayRates")
    prices = {each.attr.get("stayDate", ""): each for each in (() if days is None else days.elements)}
    wanted = [each.isoformat() for each in stay.nights()]
    if {*prices} == {*wanted}:
        return tuple(_night(prices[day], currency) for day in wanted)
    total = said.child("Total")
    if total is None:
        return ()
    taxes = _minor(total, "amountOfTaxes", currency) if "amountOfTaxes" in total.attr else 0
    left = _minor(total, "amountAfterTaxes", currency) - taxes
    if left < 0:
        raise InvalidInputError("amountOfTaxes", "more_than_all")
    return tuple(each.minor for each in Money(left, currency).split(stay.length))


def _night(said: Node, currency: Currency) -> int:
    fees = sum(_minor(said, name, currency) for name in _FEES if name in said.attr)
    return _minor(said, "baseRate", currency) + fees


def _minor(said: Node, name: str, currency: Currency) -> int:
    """Return an amount; theirs have two digits, and zeros beyond those of the currency are no matter."""
    whole, _, fraction = attribute(said, name).partition(".")
    spare = fraction[currency.digits :]
    kept = fraction if spare.strip("0") else fraction[: currency.digits]
    minor = Money.parse(f"{whole}.{kept}" if kept else whole, currency, field=name).minor
    if minor < 0:
        raise InvalidInputError(name, "negative")
    return minor


def read_currency(at: At, stay: Node | None) -> Currency:
    """Return the currency of the amounts: the house's where they say none."""
    named = () if stay is None else (stay.child("PerDayRates"), stay.child("Total"))
    code = next((each.attr["currency"] for each in named if each is not None and "currency" in each.attr), "")
    return Currency.recorded(code) if code else at.currency


def _count(said: Node, name: str) -> int:
    text = said.attr.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and int(text) <= _MOST_GUESTS):
        raise InvalidInputError(name, "not_a_count")
    return int(text)


def _inside(found: Node | None, name: str) -> Node:
    if found is None:
        raise InvalidInputError(name, "missing")
    return found


def attribute(said: Node, name: str) -> str:
    """Return what an attribute says; ids and words are short.

    Raises:
        InvalidInputError: it is missing, or nothing that could be kept.
    """
    text = said.attr.get(name, "").strip()
    if not text or len(text) > 200 or not text.isprintable():
        raise InvalidInputError(name, "missing_or_unfit")
    return text
