"""What properties, types and units look like on their way in.

Owns the members of their bodies and the parts of commands that they become. Leaves what goes out to ``house_views``.
"""

from __future__ import annotations

from datetime import date, time
from typing import Annotated
from uuid import UUID

from attrs import frozen

from pms_web.wire import Entries, Longest, Says, Within, Written, out_of_place, rule
from pmscore.dates.zones import Zone
from pmscore.inventory.model.house import MOST_GUESTS, MOST_ROOMS, MOST_TURNOVER_NIGHTS, Capacity
from pmscore.inventory.use_cases.houses import NewUnitType, new_type
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.ids import UnitTypeId
from pmscore.kernel.ports import IdSource

__all__ = [
    "CapacityFrom",
    "LaterDate",
    "NewProperty",
    "NewType",
    "NewUnit",
    "PropertyChange",
    "TypeChange",
    "UnitName",
]

MOST_TYPES = 100
MOST_UNITS = 1000
MOST_OVERBOOKED = 1000

TimeOfDay = Annotated[str, Written(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$", example="15:00")]
Version = Annotated[
    int | None, Says("The property's version that the change was made from; left out, the newest will do.")
]
Name = Annotated[str, Longest(200)]
UnitNameText = Annotated[str, Longest(60)]
Rooms = Annotated[int, Within(0, MOST_ROOMS)]
Guests = Annotated[int, Within(1, MOST_GUESTS), Says("Adults and children with a bed.")]
Overbooking = Annotated[int, Within(0, MOST_OVERBOOKED), Says("How many rooms more may be sold on a night.")]
Turnover = Annotated[
    int, Within(0, MOST_TURNOVER_NIGHTS), Says("How many nights stay empty after each departure.")
]


@frozen(kw_only=True)
class NewType:
    """What is to be sold: a kind of room, or a home as a type with one unit."""

    name: Name
    rooms: Annotated[Rooms, Says("How many there are.")]
    from_: Annotated[date | None, Says("The first night on which there are any; the business date.")] = None
    largest_party: Guests = 2
    overbooking: Overbooking = 0
    turnover_nights: Turnover = 0
    unit_names: Annotated[
        tuple[UnitNameText, ...],
        Entries(MOST_UNITS),
        Says("A name for each room that guests are given; none where rooms are sold by number alone."),
    ] = ()

    @rule
    def is_possible(self) -> None:
        """Refuse a type that cannot be, before there are ids for it."""
        new_type(self.made(), _NoIds(), date.min)

    def made(self) -> NewUnitType:
        """Return the type."""
        return NewUnitType(
            name=self.name,
            rooms=self.rooms,
            valid_from=self.from_,
            largest_party=self.largest_party,
            overbooking=self.overbooking,
            turnover_nights=self.turnover_nights,
            unit_names=self.unit_names,
        )


@frozen(kw_only=True)
class NewProperty:
    """A hotel or a home with what it has to sell."""

    name: Name
    zone: Annotated[str, Says("A time zone of the IANA database, such as Europe/Lisbon; it stays for good.")]
    currency: Annotated[Currency, Says("Of all its prices; it stays for good.")]
    business_date: Annotated[date, Says("The day that the house is in.")]
    unit_types: Annotated[tuple[NewType, ...], Entries(MOST_TYPES, least=1)]
    address: Annotated[str, Longest(500)] = ""
    check_in_at: TimeOfDay = "15:00"
    check_out_at: TimeOfDay = "11:00"

    @rule
    def zone_of_house(self) -> Zone:
        """Return the time zone."""
        return Zone(self.zone)

    @rule
    def check_in(self) -> time:
        """Return from when guests may come."""
        return time_of_day(self.check_in_at, "check_in_at")

    @rule
    def check_out(self) -> time:
        """Return by when guests have left."""
        return time_of_day(self.check_out_at, "check_out_at")


@out_of_place("never_changes", "zone", "currency")
@out_of_place("moved_by_action", "business_date")
@frozen(kw_only=True)
class PropertyChange:
    """What is to be another about a property; what is left out stays."""

    name: Name | None = None
    address: Annotated[str | None, Longest(500)] = None
    check_in_at: TimeOfDay | None = None
    check_out_at: TimeOfDay | None = None
    version: Version = None

    @rule
    def check_in(self) -> time | None:
        """Return from when guests may come."""
        return None if self.check_in_at is None else time_of_day(self.check_in_at, "check_in_at")

    @rule
    def check_out(self) -> time | None:
        """Return by when guests have left."""
        return None if self.check_out_at is None else time_of_day(self.check_out_at, "check_out_at")


@frozen(kw_only=True)
class LaterDate:
    """The day that a house is to be in."""

    to: Annotated[date, Says("A day after the business date.")]
    version: Version = None


@out_of_place("set_by_capacity", "rooms", "capacities")
@frozen(kw_only=True)
class TypeChange:
    """What is to be another about a type; what is left out stays. A turnover is for bookings that are made later."""

    name: Name | None = None
    largest_party: Guests | None = None
    overbooking: Overbooking | None = None
    turnover_nights: Turnover | None = None
    version: Version = None


@frozen(kw_only=True)
class CapacityFrom:
    """How many rooms there are from a night on, whatever was planned for later."""

    from_: Annotated[date, Says("The first night.")]
    rooms: Rooms
    version: Version = None

    def made(self) -> Capacity:
        """Return the capacity."""
        return Capacity(self.from_, self.rooms)


@frozen(kw_only=True)
class NewUnit:
    """One more room of a type."""

    unit_type_id: UnitTypeId
    name: UnitNameText


@frozen(kw_only=True)
class UnitName:
    """The name that a unit is to have."""

    name: UnitNameText
    version: Version = None


def time_of_day(text: str, field: str) -> time:
    """Return the time that is written HH:MM.

    Raises:
        InvalidInputError: it is not.
    """
    hours, colon, minutes = text.partition(":")
    if len(text) == 5 and colon and hours.isdecimal() and minutes.isdecimal() and text.isascii():
        hour, minute = int(hours), int(minutes)
        if hour < 24 and minute < 60:
            return time(hour, minute)
    raise InvalidInputError(field, "not_a_time")


class _NoIds(IdSource):
    def new(self) -> UUID:
        """Return an id that nobody keeps."""
        return UUID(int=0)
