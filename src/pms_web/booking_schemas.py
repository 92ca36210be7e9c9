"""What a new booking looks like on its way in: of one room, of several, or of a quote.

Owns the members of its bodies and the parts of commands that they become. Leaves changes of bookings to
``change_schemas`` and what goes out to ``booking_views``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeAlias
from uuid import UUID

from attrs import frozen

from pms_web.field_errors import FieldError, FieldsError
from pms_web.stay_schemas import MOST_NIGHTS, StayAsked
from pms_web.wire import ByMember, Entries, Says, instead, rule
from pmscore.booking.model.booking import MOST_ROOMS, Source
from pmscore.booking.policies.drafting import RoomRequest
from pmscore.guests.model import Guest
from pmscore.inventory.model.party import Party
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.ids import GuestId, HoldId, PropertyId, QuoteId, UnitId, UnitTypeId
from pmscore.kernel.money import Money
from pmscore.kernel.ports import IdSource

__all__ = [
    "AnyNewBooking",
    "GuestOfBooking",
    "NewBooking",
    "NewBookingOfQuote",
    "NewBookingOfRooms",
    "NewSource",
]


@frozen(kw_only=True)
class GuestOfBooking:
    """A guest who is not known yet."""

    name: str
    email: str = ""
    phone: str = ""
    country: Annotated[str, Says("ISO 3166 alpha-2, such as PT.")] = ""

    @rule
    def is_possible(self) -> None:
        """Refuse a guest that cannot be, before there is an id for it."""
        self.made(GuestId(UUID(int=0)))

    def made(self, guest_id: GuestId) -> Guest:
        """Return the guest."""
        return Guest(
            guest_id=guest_id, name=self.name, email=self.email, phone=self.phone, country=self.country
        )


@frozen(kw_only=True)
class NewSource:
    """Where a booking comes from."""

    channel: Annotated[str, Says("The code of a channel.")] = "direct"
    reference: Annotated[str, Says("What the channel calls the booking.")] = ""
    segment: Annotated[str, Says("A code for reports.")] = ""

    @rule
    def made(self) -> Source:
        """Return the source."""
        return Source(channel=self.channel or "direct", reference=self.reference, segment=self.segment)


@instead("quote_id", "channel")
@frozen(kw_only=True)
class QuotedSource:
    """Where a booking of a quote comes from; the channel is the quote's."""

    reference: str = ""
    segment: str = ""

    @rule
    def made(self) -> Source:
        """Return the source."""
        return Source(reference=self.reference, segment=self.segment)


@frozen(kw_only=True, slots=False)
class ForGuest:
    """Whom a booking is for: the id of a known guest, or a new one."""

    guest_id: GuestId | None = None
    guest: GuestOfBooking | None = None

    @rule
    def has_one_guest(self) -> None:
        """Refuse nobody, and two."""
        if self.guest is not None and self.guest_id is not None:
            raise InvalidInputError("guest", "one_of_two", other="guest_id")
        if self.guest is None and self.guest_id is None:
            raise InvalidInputError("guest", "required")

    def whom(self, ids: IdSource) -> GuestId | Guest:
        """Return the guest."""
        if self.guest is not None:
            return self.guest.made(GuestId(ids.new()))
        if self.guest_id is None:
            raise InvalidInputError("guest", "required")
        return self.guest_id


@frozen(kw_only=True, slots=False)
class NewRoom(StayAsked):
    """One room: who stays in it, and its amounts, one for each night or one for all."""

    adults: int
    children: int = 0
    infants: int = 0
    unit_type_id: Annotated[UnitTypeId | None, Says("Needed where the property has several types.")] = None
    unit_id: Annotated[UnitId | None, Says("A unit that is wanted.")] = None
    nightly: Annotated[tuple[Money, ...] | None, Entries(MOST_NIGHTS)] = None
    rate: Annotated[Money | None, Says("The amount of every night, in place of nightly.")] = None

    @rule
    def party(self) -> Party:
        """Return who stays."""
        return Party(self.adults, self.children, self.infants)

    @rule
    def has_amounts(self) -> None:
        """Refuse no amounts, and both kinds."""
        if self.nightly is not None and self.rate is not None:
            raise InvalidInputError("rate", "one_of_two", other="nightly")
        if self.nightly is None and self.rate is None:
            raise InvalidInputError("nightly", "required")

    @rule
    def amounts(self) -> tuple[Money, ...]:
        """Return one amount a night."""
        nights = self.stay().length
        nightly = (self.rate,) * nights if self.rate is not None else self.nightly or ()
        name = "rate" if self.rate is not None else "nightly"
        wrong: list[FieldError] = []
        if any(each.minor < 0 for each in nightly):
            wrong.append(FieldError(name, "negative_amount"))
        if len({each.currency.code for each in nightly}) > 1:
            wrong.append(FieldError(name, "mixed_currencies"))
        if nightly and len(nightly) != nights:
            wrong.append(FieldError(name, "not_one_amount_a_night", {"nights": nights}))
        if wrong:
            raise FieldsError(tuple(wrong))
        return nightly

    def room(self) -> RoomRequest:
        """Return the room."""
        return RoomRequest(
            stay=self.stay(),
            party=self.party(),
            nightly=self.amounts(),
            unit_type_id=self.unit_type_id,
            unit_id=self.unit_id,
        )


@frozen(kw_only=True, slots=False)
class _OfProperty(ForGuest):
    property_id: PropertyId
    source: NewSource = NewSource()
    requests: Annotated[str, Says("What the guest wishes.")] = ""
    notes: Annotated[str, Says("For colleagues.")] = ""
    option_until: Annotated[datetime | None, Says("Makes it an option that ends at this moment.")] = None
    hold_ids: Annotated[tuple[HoldId, ...], Says("Holds whose nights the booking takes over.")] = ()


@frozen(kw_only=True, slots=False)
class NewBooking(_OfProperty, NewRoom):
    """A booking of one room, which stands in the body itself."""

    def room_requests(self) -> tuple[RoomRequest, ...]:
        """Return the room."""
        return (self.room(),)


@frozen(kw_only=True, slots=False)
class NewBookingOfRooms(_OfProperty):
    """A booking of several rooms, all or none."""

    rooms: Annotated[tuple[NewRoom, ...], Entries(MOST_ROOMS, least=1)]

    def room_requests(self) -> tuple[RoomRequest, ...]:
        """Return the rooms."""
        return tuple(each.room() for each in self.rooms)


@instead(
    "quote_id",
    "property_id",
    "rooms",
    "arrival",
    "departure",
    "adults",
    "children",
    "infants",
    "nightly",
    "rate",
    "unit_type_id",
    "unit_id",
    "hold_ids",
)
@frozen(kw_only=True, slots=False)
class NewBookingOfQuote(ForGuest):
    """A booking of a kept quote; stay, rooms, guests, amounts and channel are the quote's."""

    quote_id: QuoteId
    source: QuotedSource = QuotedSource()
    requests: Annotated[str, Says("What the guest wishes.")] = ""
    notes: Annotated[str, Says("For colleagues.")] = ""
    option_until: Annotated[datetime | None, Says("Makes it an option that ends at this moment.")] = None


AnyNewBooking: TypeAlias = Annotated[
    NewBookingOfQuote | NewBookingOfRooms | NewBooking,
    ByMember({"quote_id": NewBookingOfQuote, "rooms": NewBookingOfRooms}, otherwise=NewBooking),
]
