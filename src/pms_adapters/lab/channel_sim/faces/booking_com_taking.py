"""What a property at Booking.com takes over of the messages that it is told: numbers of rooms, rates, rules.

Owns reading them and what is wrong with one. A message that has anything wrong changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from attrs import frozen

from pms_adapters.serialization.xml import Node
from pmscore.dates.ranges import DateRange
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.testing.channel_platform import RemotePlatform

__all__ = ["Taking"]

_DAY: Final = timedelta(days=1)
_LENGTHS: Final = {
    "SetMinLOS": MatrixField.MIN_STAY_THROUGH,
    "RemoveMinLOS": MatrixField.MIN_STAY_THROUGH,
    "SetMaxLOS": MatrixField.MAX_STAY_THROUGH,
    "RemoveMaxLOS": MatrixField.MAX_STAY_THROUGH,
}
_RESTRICTIONS: Final = {
    "": MatrixField.CLOSED,
    "Master": MatrixField.CLOSED,
    "Arrival": MatrixField.CLOSED_TO_ARRIVAL,
    "Departure": MatrixField.CLOSED_TO_DEPARTURE,
}


class _ProblemError(Exception):
    """Something is wrong with a message."""


@frozen(kw_only=True)
class _Cell:
    room: str
    rate: str
    name: MatrixField
    nights: DateRange
    value: int
    occupancy: int = 0


class Taking:
    """Takes values over into the cells of a platform."""

    def __init__(
        self,
        platform: RemotePlatform,
        *,
        hotel_code: str,
        currency: Currency,
        occupancies: Sequence[int] = (),
    ) -> None:
        self._platform = platform
        self._hotel_code = hotel_code
        self._currency = currency
        self._occupancies = frozenset({0, *occupancies})

    def statuses(self, said: Node, now: datetime) -> str:
        """Take over numbers of rooms and rules; return what was wrong, in which case nothing was taken."""
        return self._taken(said.child("AvailStatusMessages"), "AvailStatusMessage", now)

    def rates(self, said: Node, now: datetime) -> str:
        """Take over rates; return what was wrong, in which case nothing was taken."""
        return self._taken(said.child("RateAmountMessages"), "RateAmountMessage", now)

    def _taken(self, messages: Node | None, one: str, now: datetime) -> str:
        if messages is None or messages.attr.get("HotelCode") != self._hotel_code:
            return "HOTEL_NOT_FOUND"
        try:
            cells = [cell for each in messages.children(one) for cell in self._cells(each, now)]
        except _ProblemError as error:
            return str(error)
        for each in cells:
            self._platform.tell(
                each.room, each.rate, each.name, each.nights, each.value, occupancy=each.occupancy
            )
        return ""

    def _cells(self, message: Node, now: datetime) -> Iterator[_Cell]:
        where = message.child("StatusApplicationControl")
        if where is None:
            raise _ProblemError("REQUIRED_ELEMENT_MISSING")
        room, rate = where.attr.get("InvTypeCode", ""), where.attr.get("RatePlanCode", "")
        if room not in self._platform.rooms or (rate and rate not in self._platform.rooms[room]):
            raise _ProblemError("INVALID_ROOM_OR_RATE")
        nights = _nights(where, now)
        for name, occupancy, value in self._values(message, has_rate=bool(rate)):
            at = rate if name is not MatrixField.SELLABLE else ""
            yield _Cell(room=room, rate=at, name=name, nights=nights, value=value, occupancy=occupancy)

    def _values(self, message: Node, *, has_rate: bool) -> Iterator[tuple[MatrixField, int, int]]:
        status = message.child("RestrictionStatus")
        if "BookingLimit" in message.attr:
            yield MatrixField.SELLABLE, 0, _whole(message.attr["BookingLimit"])
        elif status is not None and not has_rate:
            if status.attr.get("Status") != "Close":
                raise _ProblemError("BOOKING_LIMIT_MISSING")
            yield MatrixField.SELLABLE, 0, 0
        if has_rate and status is not None:
            name = _RESTRICTIONS.get(status.attr.get("Restriction", ""))
            if name is None:
                raise _ProblemError("UNKNOWN_RESTRICTION")
            yield name, 0, int(status.attr.get("Status") == "Close")
        for length in message.walk("LengthOfStay"):
            word = length.attr.get("MinMaxMessageType", "")
            if word not in _LENGTHS or not has_rate:
                raise _ProblemError("UNKNOWN_LENGTH_OF_STAY")
            yield _LENGTHS[word], 0, _whole(length.attr["Time"]) if word.startswith("Set") else 0
        for amount in message.walk("BaseByGuestAmt"):
            yield MatrixField.RATE, self._occupancy(amount), self._minor(amount)

    def _occupancy(self, amount: Node) -> int:
        occupancy = _whole(amount.attr.get("NumberOfGuests", "0"))
        if occupancy not in self._occupancies:
            raise _ProblemError("INVALID_NUMBER_OF_GUESTS")
        return occupancy

    def _minor(self, amount: Node) -> int:
        """Return an amount in minor units; theirs are whole numbers with decimal places."""
        if amount.attr.get("CurrencyCode") != self._currency.code:
            raise _ProblemError("INVALID_CURRENCY")
        if amount.attr.get("DecimalPlaces") != str(self._currency.digits):
            raise _ProblemError("INVALID_DECIMAL_PLACES")
        return _whole(amount.attr.get("AmountAfterTax", ""))


def _nights(where: Node, now: datetime) -> DateRange:
    """Return the nights from Start to End, both of them included; more than a day ago is refused."""
    try:
        first = date.fromisoformat(where.attr.get("Start", ""))
        nights = DateRange(first, date.fromisoformat(where.attr.get("End", "")) + _DAY)
    except (ValueError, InvalidInputError, OverflowError):
        raise _ProblemError("NOT_A_VALID_DATE") from None
    if first < now.date() - _DAY:
        raise _ProblemError("NOT_A_VALID_DATE")
    return nights


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise _ProblemError("NOT_A_VALID_NUMBER")
    return int(text)
