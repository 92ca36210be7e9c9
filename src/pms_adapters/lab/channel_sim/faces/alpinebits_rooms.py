"""What a portal takes over of a message of free rooms, or why it takes nothing.

Owns the checks of the standard: known rooms, dates in order, no night of a room twice. Both ends of a range
are nights.
"""

from __future__ import annotations

from datetime import date, timedelta

from attrs import frozen

from pms_adapters.serialization.xml import Node
from pmscore.dates.ranges import DateRange
from pmscore.kernel.errors import InvalidInputError
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.testing.channel_platform import RemotePlatform

__all__ = ["RoomsTaken"]

_BOOKABLE = "2"


@frozen
class _Told:
    room_code: str
    nights: DateRange
    count: int


class RoomsTaken:
    """Takes numbers of free rooms over into the cells of a platform."""

    def __init__(self, platform: RemotePlatform) -> None:
        self._platform = platform

    def take(self, said: Node) -> tuple[str, str] | None:
        """Take a whole message over; return the code and text of the error by which nothing was taken."""
        told: list[_Told] = []
        nights: set[tuple[str, int]] = set()
        for each in said.walk("Inventory"):
            found = self._told(each)
            if not isinstance(found, _Told):
                return found
            own = {
                (found.room_code, day) for day in range(found.nights.first_ordinal, found.nights.end_ordinal)
            }
            if own & nights:
                return "450", "Unable to process: a night is named twice"
            nights |= own
            told.append(found)
        whole = said.child("UniqueID")
        if whole is not None and whole.attr.get("Instance") == "CompleteSet":
            for code in self._platform.rooms:
                self._platform.cells.pop((code, "", MatrixField.SELLABLE, 0), None)
        for each_told in told:
            self._platform.tell(
                each_told.room_code, "", MatrixField.SELLABLE, each_told.nights, each_told.count
            )
        return None

    def _told(self, inventory: Node) -> _Told | tuple[str, str]:
        place = inventory.child("StatusApplicationControl")
        if place is None or "InvTypeCode" not in place.attr:
            return "321", "Required field missing"
        code = place.attr["InvTypeCode"]
        if code not in self._platform.rooms:
            return "402", "Invalid room type"
        try:
            end = date.fromisoformat(place.attr.get("End", "")) + timedelta(days=1)
            nights = DateRange(date.fromisoformat(place.attr.get("Start", "")), end)
        except (ValueError, OverflowError, InvalidInputError):
            return "404", "Invalid start/end date combination"
        counts = {
            each.attr.get("CountType", ""): each.attr.get("Count", "") for each in inventory.walk("InvCount")
        }
        text = counts.get(_BOOKABLE, "0")
        if not (text.isascii() and text.isdigit()):
            return "320", "Invalid value"
        return _Told(code, nights, int(text))
