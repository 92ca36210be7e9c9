"""What a Channex property takes over of a message about nights, and what it warns about.

Owns the check of each value. Whatever is right of one is taken, whatever is wrong is named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final, TypeAlias

from pmscore.dates.ranges import DateRange
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Json
from pmscore.kernel.money import Money
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.testing.channel_platform import RemotePlatform

__all__ = ["FLAGS", "MINIMA", "Problems", "Taking"]

Problems: TypeAlias = dict[str, list[str]]
"""What is wrong, by the name of the value."""

FLAGS: Final = {
    "stop_sell": MatrixField.CLOSED,
    "closed_to_arrival": MatrixField.CLOSED_TO_ARRIVAL,
    "closed_to_departure": MatrixField.CLOSED_TO_DEPARTURE,
}
MINIMA: Final = {
    "min_stay_arrival": MatrixField.MIN_STAY_ARRIVAL,
    "min_stay_through": MatrixField.MIN_STAY_THROUGH,
}
_DAY: Final = timedelta(days=1)


class Taking:
    """Takes values over into the cells of a platform."""

    def __init__(
        self,
        platform: RemotePlatform,
        *,
        property_id: str,
        currency: Currency,
        occupancies: Sequence[int] = (),
    ) -> None:
        self._platform = platform
        self._property_id = property_id
        self._currency = currency
        self._occupancies = tuple(occupancies)

    def availability(self, said: Mapping[str, Json]) -> Problems:
        """Take over a number of rooms and return what was wrong."""
        code = said.get("room_type_id")
        nights, problems = self._placed(said)
        if not isinstance(code, str) or code not in self._platform.rooms:
            problems["room_type_id"] = ["is invalid"]
        count = _whole(said.get("availability"), 0, problems, "availability")
        if not problems and nights is not None and isinstance(code, str) and count is not None:
            self._platform.tell(code, "", MatrixField.SELLABLE, nights, count)
        return problems

    def restrictions(self, said: Mapping[str, Json]) -> Problems:
        """Take over a rate and rules and return what was wrong."""
        code = said.get("rate_plan_id")
        nights, problems = self._placed(said)
        room = next((room for room, rates in self._platform.rooms.items() if code in rates), None)
        if room is None or not isinstance(code, str):
            problems["rate_plan_id"] = ["is invalid"]
        if problems or room is None or nights is None or not isinstance(code, str):
            return problems
        for name, occupancy, value in self._cells_of(said, problems):
            self._platform.tell(room, code, name, nights, value, occupancy=occupancy)
        return problems

    def _cells_of(self, said: Mapping[str, Json], problems: Problems) -> list[tuple[MatrixField, int, int]]:
        """Return what is right of a value; what is not is named in ``problems``."""
        found: list[tuple[MatrixField, int, int | None]] = []
        if "rate" in said:
            found.append((MatrixField.RATE, 0, self._amount(said["rate"], problems)))
        rates = said.get("rates")
        for each in rates if isinstance(rates, list) else ():
            option = each if isinstance(each, dict) else {}
            occupancy = option.get("occupancy")
            if isinstance(occupancy, int) and occupancy in self._occupancies:
                found.append((MatrixField.RATE, occupancy, self._amount(option.get("rate"), problems)))
            else:
                problems["rates"] = ["occupancy is invalid"]
        for name, kind in FLAGS.items():
            if name in said:
                flag = said[name]
                found.append((kind, 0, int(flag) if isinstance(flag, bool) else None))
                if not isinstance(flag, bool):
                    problems[name] = ["is invalid"]
        for name, kind in MINIMA.items():
            if name in said:
                least = _whole(said[name], 1, problems, name)
                found.append((kind, 0, 0 if least == 1 else least))
        if "max_stay" in said:
            found.append((MatrixField.MAX_STAY_ARRIVAL, 0, _whole(said["max_stay"], 0, problems, "max_stay")))
        return [(kind, occupancy, value) for kind, occupancy, value in found if value is not None]

    def _placed(self, said: Mapping[str, Json]) -> tuple[DateRange | None, Problems]:
        problems: Problems = {}
        if said.get("property_id") != self._property_id:
            problems["property_id"] = ["is invalid"]
        first = said.get("date_from", said.get("date"))
        last = said.get("date_to", first)
        try:
            nights = DateRange(date.fromisoformat(str(first)), date.fromisoformat(str(last)) + _DAY)
        except (ValueError, InvalidInputError, OverflowError):
            problems["date"] = ["is invalid"]
            return None, problems
        return nights, problems

    def _amount(self, value: Json, problems: Problems) -> int | None:
        """Return a rate: a whole number is of minor units, a text is decimal."""
        if isinstance(value, str):
            try:
                value = Money.parse(value, self._currency).minor
            except InvalidInputError:
                value = None
        return _whole(value, 0, problems, "rate")


def _whole(value: Json, least: int, problems: Problems, name: str) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        problems[name] = ["is invalid"]
        return None
    if value < least:
        problems[name] = [f"must be greater than or equal to {least}"]
        return None
    return value
