"""What a change of a booking looks like on its way in: of its status, a unit, its stay, or what it is about.

Owns the members of its bodies and the parts of commands that they become. One kind of change at a time: the
member that is there says which.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, TypeAlias

from attrs import frozen

from pms_web.stay_schemas import MOST_NIGHTS, OtherStay
from pms_web.wire import ByMember, Entries, Says, instead, out_of_place, rule
from pmscore.booking.model.booking import MOST_ROOMS, Booking
from pmscore.booking.model.lifecycle import Status
from pmscore.booking.model.rooms import BookedRoom
from pmscore.booking.policies.repricing import RepricingBasis
from pmscore.booking.use_cases.amend import RoomAmendment
from pmscore.dates.nights import StayRange
from pmscore.inventory.model.party import Party
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.ids import BookingRoomId, UnitId, UnitTypeId
from pmscore.kernel.money import Money

__all__ = [
    "AnyChange",
    "BookingChange",
    "RoomChange",
    "RoomsChange",
    "StatusChange",
    "StayChange",
    "UnitChange",
    "only_room",
]

Version = Annotated[
    int | None, Says("The version that the change was made from; left out, the newest will do.")
]


@frozen(kw_only=True)
class StatusChange:
    """The status that a booking is to have."""

    status: Status
    reason: Annotated[str, Says("A code for reports.")] = ""
    version: Version = None


@frozen(kw_only=True)
class UnitChange:
    """The unit that a room is to have; null takes it back."""

    unit_id: UnitId | None
    room_id: Annotated[BookingRoomId | None, Says("Needed where there are several rooms.")] = None
    from_night: Annotated[date | None, Says("The night from which the unit changes.")] = None
    version: Version = None


@instead("reprice", "rooms", "room_id", "adults", "children", "infants", "unit_type_id", "nightly", "rate")
@frozen(kw_only=True, slots=False)
class StayChange(OtherStay):
    """Another stay for all rooms, at the amounts that its preview shows."""

    reprice: Annotated[RepricingBasis, Says("Which nights are priced anew.")]
    expected_total: Annotated[Money | None, Says("What the preview said; another total is a conflict.")] = (
        None
    )
    requests: str | None = None
    notes: str | None = None
    version: Version = None


@frozen(kw_only=True, slots=False)
class RoomChange:
    """What is to change about a room; what is left out stays as it is."""

    room_id: Annotated[BookingRoomId | None, Says("Needed where there are several rooms.")] = None
    arrival: date | None = None
    departure: date | None = None
    adults: int | None = None
    children: int | None = None
    infants: int | None = None
    unit_type_id: UnitTypeId | None = None
    nightly: Annotated[tuple[Money, ...] | None, Entries(MOST_NIGHTS)] = None
    rate: Annotated[Money | None, Says("The amount of every night, in place of nightly.")] = None

    @rule
    def has_amounts_of_one_kind(self) -> None:
        """Refuse amounts said twice."""
        if self.nightly is not None and self.rate is not None:
            raise InvalidInputError("rate", "one_of_two", other="nightly")

    @property
    def changes_something(self) -> bool:
        """Whether a member besides the id is there."""
        given = (self.arrival, self.departure, self.adults, self.children, self.infants)
        return any(each is not None for each in (*given, self.unit_type_id, self.nightly, self.rate))

    def amending(self, booking: Booking) -> RoomAmendment:
        """Return the change of one of the booking's rooms, what is left out taken from the room.

        Raises:
            InvalidInputError: which room is not said and there are several, or the new values cannot be.
            NotFoundError: the booking has no such room.
        """
        room = only_room(booking) if self.room_id is None else booking.room(self.room_id)
        stay = StayRange(self.arrival or room.stay.arrival, self.departure or room.stay.departure)
        party = Party(
            room.party.adults if self.adults is None else self.adults,
            room.party.children if self.children is None else self.children,
            room.party.infants if self.infants is None else self.infants,
        )
        nightly = self.nightly if self.rate is None else (self.rate,) * stay.length
        return RoomAmendment(
            room_id=room.room_id,
            stay=stay,
            party=party,
            unit_type_id=self.unit_type_id,
            nightly=nightly,
        )


@out_of_place("only_with_reprice", "expected_total")
@frozen(kw_only=True, slots=False)
class BookingChange(RoomChange):
    """Changes of the texts of a booking and of its only room, or of the one that is named."""

    requests: str | None = None
    notes: str | None = None
    version: Version = None

    @rule
    def names_something(self) -> None:
        """Refuse nothing."""
        given = (self.room_id, self.requests, self.notes, self.version)
        if not self.changes_something and all(each is None for each in given):
            raise InvalidInputError("body", "nothing_to_change")

    def room_changes(self) -> tuple[RoomChange, ...]:
        """Return the change of a room, if there is any."""
        return (self,) if self.changes_something else ()


@out_of_place("only_with_reprice", "expected_total")
@frozen(kw_only=True)
class RoomsChange:
    """Changes of several rooms, all or none."""

    rooms: Annotated[tuple[RoomChange, ...], Entries(MOST_ROOMS, least=1)]
    requests: str | None = None
    notes: str | None = None
    version: Version = None

    def room_changes(self) -> tuple[RoomChange, ...]:
        """Return the changes."""
        return self.rooms


AnyChange: TypeAlias = Annotated[
    StatusChange | UnitChange | StayChange | RoomsChange | BookingChange,
    ByMember(
        {"status": StatusChange, "unit_id": UnitChange, "reprice": StayChange, "rooms": RoomsChange},
        otherwise=BookingChange,
        even_null=frozenset({"status", "unit_id"}),
    ),
]


def only_room(booking: Booking) -> BookedRoom:
    """Return the room of a booking that has one.

    Raises:
        InvalidInputError: it has several.
    """
    if len(booking.rooms) != 1:
        raise InvalidInputError("room_id", "required")
    return booking.rooms[0]
