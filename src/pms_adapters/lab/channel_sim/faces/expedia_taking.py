"""What an Expedia hotel takes over of a message about nights: all of it or nothing, but for what it warns about.

Owns the check of each value. An element of rules that leaves a length out sets it back to its default.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Final, TypeAlias

from pms_adapters.lab.channel_sim.faces.expedia_frames import Refusal, RefusedError
from pms_adapters.serialization.xml import Node
from pmscore.dates.ranges import DateRange
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.money import Money
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.testing.channel_platform import RemotePlatform

__all__ = ["HIGHEST_RATE", "LONGEST_STAY", "Taking"]

LONGEST_STAY: Final = 28
HIGHEST_RATE: Final = 1_000_000
"""In minor units: a rate above is out of bounds, which is a warning."""

_MOST_ROOMS: Final = 4_999
_MOST_GUESTS: Final = 20
_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FLAGS: Final = {"true": 1, "1": 1, "false": 0, "0": 0}
_ARRIVALS: Final = {
    "closedToArrival": MatrixField.CLOSED_TO_ARRIVAL,
    "closedToDeparture": MatrixField.CLOSED_TO_DEPARTURE,
}

_Cell: TypeAlias = tuple[str, str, MatrixField, int, int]
"""Room, rate, field, occupancy, value."""


class Taking:
    """Takes messages over into the cells of a platform."""

    def __init__(self, platform: RemotePlatform, currency: Currency, occupancies: Sequence[int]) -> None:
        self._platform = platform
        self._currency = currency
        self._occupancies = frozenset(occupancies)

    def take(self, message: Node) -> tuple[Refusal, ...]:
        """Take a message over and return what it warns about.

        Raises:
            RefusedError: nothing of it was taken.
        """
        warned: list[Refusal] = []
        told = [
            (nights, cell)
            for update in message.children("AvailRateUpdate")
            for nights in _nights(update)
            for room in update.children("RoomType")
            for cell in self._cells(room, nights, warned)
        ]
        if not told:
            if warned:
                return tuple(warned)
            raise RefusedError(3010, "The message does not say anything.")
        for nights, (room, rate, name, occupancy, value) in told:
            self._platform.tell(room, rate, name, nights, value, occupancy=occupancy)
        return tuple(warned)

    def _cells(self, room: Node, nights: DateRange, warned: list[Refusal]) -> Iterator[_Cell]:
        code = room.attr.get("id", "")
        if code not in self._platform.rooms:
            raise RefusedError(3203, f"The following RoomTypeIDs do not belong to the given hotel: {code}.")
        if "closed" in room.attr:
            raise RefusedError(4100, "Closing a room type is not simulated; close its rate plans.")
        inventory = room.child("Inventory")
        if inventory is not None:
            name = "totalInventoryAvailable"
            if name not in inventory.attr:
                name = "flexibleAllocation"
            yield code, "", MatrixField.SELLABLE, 0, _whole(inventory, name, 0, _MOST_ROOMS)
        for plan in room.children("RatePlan"):
            yield from self._plan(code, plan, nights, warned)

    def _plan(self, room: str, plan: Node, nights: DateRange, warned: list[Refusal]) -> Iterator[_Cell]:
        code = plan.attr.get("id", "").strip()
        if code not in self._platform.rooms[room]:
            raise RefusedError(3204, f"The following RatePlanIDs do not belong to the given hotel: {code}.")
        if "closed" in plan.attr:
            yield room, code, MatrixField.CLOSED, 0, _flag(plan, "closed")
        for rate in plan.children("Rate"):
            for occupancy, minor in self._rates(rate):
                if minor <= HIGHEST_RATE:
                    yield room, code, MatrixField.RATE, occupancy, minor
                else:
                    warned += [_out_of_bounds(room, code, night) for night in nights.nights()]
        rules = plan.child("Restrictions")
        if rules is None:
            return
        least = _whole(rules, "minLOS", 1, LONGEST_STAY, default=1)
        most = _whole(rules, "maxLOS", 1, LONGEST_STAY, default=LONGEST_STAY)
        yield room, code, MatrixField.MIN_STAY_ARRIVAL, 0, 0 if least == 1 else least
        yield room, code, MatrixField.MAX_STAY_ARRIVAL, 0, 0 if most == LONGEST_STAY else most
        for name, kind in _ARRIVALS.items():
            if name in rules.attr:
                yield room, code, kind, 0, _flag(rules, name)

    def _rates(self, rate: Node) -> Iterator[tuple[int, int]]:
        if rate.attr.get("currency", "") != self._currency.code:
            raise RefusedError(3010, "The currency is not that of the hotel.")
        for each in rate.elements:
            if each.name == "PerDay" and not self._occupancies:
                yield 0, self._amount(each)
            elif each.name == "PerOccupancy" and self._occupancies:
                occupancy = _whole(each, "occupancy", 1, _MOST_GUESTS)
                if occupancy not in self._occupancies:
                    raise RefusedError(3010, f"No rate is sold for {occupancy} guests.")
                yield occupancy, self._amount(each)
            else:
                raise RefusedError(3010, f"The hotel is not priced by {each.name}.")

    def _amount(self, said: Node) -> int:
        try:
            minor = Money.parse(said.attr.get("rate", ""), self._currency).minor
        except InvalidInputError:
            minor = -1
        if minor < 0:
            raise RefusedError(3010, "A rate is no amount.")
        return minor


def _nights(update: Node) -> Iterator[DateRange]:
    """Yield the nights of an update: both ends are nights, and weekdays may be left out."""
    ranges = update.children("DateRange")
    if not ranges:
        raise RefusedError(3010, "A DateRange is missing.")
    for each in ranges:
        try:
            first = date.fromisoformat(each.attr.get("from", ""))
            last = date.fromisoformat(each.attr.get("to", ""))
            nights = DateRange(first, last + timedelta(days=1))
        except (ValueError, OverflowError, InvalidInputError):
            raise RefusedError(3010, "A DateRange is none.") from None
        if all(_flag(each, name, default=1) for name in _WEEKDAYS):
            yield nights
            continue
        for night in nights.nights():
            if _flag(each, _WEEKDAYS[night.weekday()], default=1):
                yield DateRange.of(night, 1)


def _flag(said: Node, name: str, *, default: int | None = None) -> int:
    text = said.attr.get(name)
    if text is None and default is not None:
        return default
    if text not in _FLAGS:
        raise RefusedError(3010, f"{name} is neither true nor false.")
    return _FLAGS[text]


def _whole(said: Node, name: str, least: int, most: int, *, default: int | None = None) -> int:
    text = said.attr.get(name)
    if text is None and default is not None:
        return default
    if text is None or not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise RefusedError(3010, f"{name} is not between {least} and {most}.")
    return int(text)


def _out_of_bounds(room: str, rate: str, night: date) -> Refusal:
    where = f"[Room Type ID {room}; Rate Plan ID {rate}; Stay Date {night.isoformat()}]"
    return Refusal(7013, f"{where} The rate is beyond the bounds of this room type.")
