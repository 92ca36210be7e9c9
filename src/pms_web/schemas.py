"""What a booking looks like on its way in.

Owns the members of request bodies and what they become: parts of commands. Leaves reading single members to
``fields`` and what goes out to ``views``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import TypeAlias

from attrs import frozen

from pms_web.fields import Fields, collecting
from pms_web.stay_schemas import StayChange, stay_change
from pmscore.booking.model.booking import Booking, Source
from pmscore.booking.model.lifecycle import Status
from pmscore.booking.model.rooms import BookedRoom
from pmscore.booking.policies.drafting import RoomRequest
from pmscore.booking.use_cases.amend import RoomAmendment
from pmscore.dates.nights import StayRange
from pmscore.guests.model import Guest
from pmscore.inventory.model.party import Party
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Json
from pmscore.kernel.ids import BookingRoomId, GuestId, HoldId, PropertyId, UnitId, UnitTypeId
from pmscore.kernel.money import Money
from pmscore.kernel.ports import IdSource

__all__ = [
    "MOST_ROOMS",
    "Amendment",
    "NewBooking",
    "Patch",
    "RoomChange",
    "StatusChange",
    "UnitChange",
    "only_room",
    "read_guest",
]

MOST_ROOMS = 100


@frozen(kw_only=True)
class NewBooking:
    """A booking as asked for."""

    property_id: PropertyId
    guest: GuestId | Guest
    rooms: tuple[RoomRequest, ...]
    source: Source
    requests: str
    notes: str
    option_until: datetime | None
    hold_ids: tuple[HoldId, ...]

    @classmethod
    def read(cls, body: Mapping[str, Json], ids: IdSource) -> NewBooking:
        """Read a request; one room may stand in the body itself, several stand in ``rooms``.

        Raises:
            FieldsError: with every mistake in the body.
        """
        with collecting() as errors:
            fields = Fields(body, errors)
            property_id = fields.id("property_id", required=True)
            guest = read_guest(fields, ids)
            nested = fields.objects("rooms", most=MOST_ROOMS)
            rooms = tuple(_room(each) for each in nested) if fields.has("rooms") else (_room(fields),)
            for each in nested:
                each.close()
            source = _source(fields)
            requests, notes = fields.text("requests") or "", fields.text("notes") or ""
            option_until = fields.instant("option_until")
            holds = tuple(HoldId(each) for each in fields.ids("hold_ids"))
            fields.close()
        wanted = tuple(room for room in rooms if room is not None)
        if property_id is None or guest is None:
            raise InvalidInputError("body", "incomplete")
        return cls(
            property_id=PropertyId(property_id),
            guest=guest,
            rooms=wanted,
            source=source or Source(),
            requests=requests,
            notes=notes,
            option_until=option_until,
            hold_ids=holds,
        )


@frozen(kw_only=True)
class StatusChange:
    """The status that a booking is to have."""

    status: Status
    reason: str
    version: int | None


@frozen(kw_only=True)
class UnitChange:
    """The unit that a room is to have; None takes it back."""

    room_id: BookingRoomId | None
    unit_id: UnitId | None
    from_night: date | None
    version: int | None


@frozen(kw_only=True)
class RoomChange:
    """What is to change about a room; None leaves it. ``room_id`` None is the only room."""

    room_id: BookingRoomId | None
    arrival: date | None
    departure: date | None
    adults: int | None
    children: int | None
    infants: int | None
    unit_type_id: UnitTypeId | None
    nightly: tuple[Money, ...] | None
    rate: Money | None

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


@frozen(kw_only=True)
class Amendment:
    """Changes of rooms and texts."""

    rooms: tuple[RoomChange, ...]
    requests: str | None
    notes: str | None
    version: int | None


Change: TypeAlias = StatusChange | UnitChange | StayChange | Amendment


class Patch:
    """A change of a booking: its status, a unit, its stay at prices of the house, or what it is about; one at a time."""

    @staticmethod
    def read(body: Mapping[str, Json]) -> Change:
        """Read a change.

        Raises:
            FieldsError: with every mistake in the body, nothing to change among them.
        """
        kinds = [name for name in ("status", "unit_id") if name in body]
        with collecting() as errors:
            fields = Fields(body, errors)
            version = fields.whole("version")
            change: Change
            if kinds == ["status"]:
                change = _status_change(fields, version)
            elif kinds == ["unit_id"]:
                change = _unit_change(fields, version)
            elif fields.has("reprice"):
                change = stay_change(fields, version)
            else:
                change = _amendment(fields, version)
            if not body:
                fields.note("body", "nothing_to_change")
            fields.close()
        return change


def only_room(booking: Booking) -> BookedRoom:
    """Return the room of a booking that has one.

    Raises:
        InvalidInputError: it has several.
    """
    if len(booking.rooms) != 1:
        raise InvalidInputError("room_id", "required")
    return booking.rooms[0]


def read_guest(fields: Fields, ids: IdSource) -> GuestId | Guest | None:
    """Read who a booking is for: the id of a known guest, or a new one."""
    known, new = fields.id("guest_id"), fields.object("guest")
    if fields.has("guest_id") and fields.has("guest"):
        fields.note("guest", "one_of_two", other="guest_id")
    if known is not None:
        return GuestId(known)
    if new is None:
        if not fields.has("guest_id") and not fields.has("guest"):
            fields.note("guest", "required")
        return None
    name = new.text("name", required=True)
    email, phone = new.text("email") or "", new.text("phone") or ""
    country = new.text("country") or ""
    new.close()
    if name is None:
        return None
    return new.made(
        lambda: Guest(guest_id=GuestId(ids.new()), name=name, email=email, phone=phone, country=country)
    )


def _source(fields: Fields) -> Source | None:
    source = fields.object("source")
    if source is None:
        return None
    channel, reference = source.text("channel") or "direct", source.text("reference") or ""
    segment = source.text("segment") or ""
    source.close()
    return source.made(lambda: Source(channel=channel, reference=reference, segment=segment))


def _room(fields: Fields) -> RoomRequest | None:
    arrival, departure = fields.day("arrival", required=True), fields.day("departure", required=True)
    adults = fields.whole("adults", required=True)
    children, infants = fields.whole("children") or 0, fields.whole("infants") or 0
    nightly, rate = fields.amounts("nightly"), fields.money("rate")
    unit_type_id, unit_id = fields.id("unit_type_id"), fields.id("unit_id")
    if fields.has("nightly") and fields.has("rate"):
        fields.note("rate", "one_of_two", other="nightly")
    elif not fields.has("nightly") and not fields.has("rate"):
        fields.note("nightly", "required")
    party = None if adults is None else fields.made(lambda: Party(adults, children, infants))
    stay = None
    if arrival is not None and departure is not None:
        stay = fields.made(lambda: StayRange(arrival, departure))
    if stay is None or party is None:
        return None
    if nightly is None:
        nightly = () if rate is None else (rate,) * stay.length
    _check_amounts(fields, nightly, stay)
    return RoomRequest(
        stay=stay,
        party=party,
        nightly=nightly,
        unit_type_id=None if unit_type_id is None else UnitTypeId(unit_type_id),
        unit_id=None if unit_id is None else UnitId(unit_id),
    )


def _check_amounts(fields: Fields, nightly: tuple[Money, ...], stay: StayRange) -> None:
    name = "rate" if fields.has("rate") else "nightly"
    if any(each.minor < 0 for each in nightly):
        fields.note(name, "negative_amount")
    if len({each.currency.code for each in nightly}) > 1:
        fields.note(name, "mixed_currencies")
    if nightly and len(nightly) != stay.length:
        fields.note(name, "not_one_amount_a_night", nights=stay.length)


def _status_change(fields: Fields, version: int | None) -> StatusChange:
    text, reason = fields.text("status", required=True), fields.text("reason")
    known = {each.value: each for each in Status}
    if text is not None and text not in known:
        fields.note("status", "unknown_value", allowed=", ".join(known))
    return StatusChange(
        status=known.get(text or "", Status.PENDING), reason=reason or "unstated", version=version
    )


def _unit_change(fields: Fields, version: int | None) -> UnitChange:
    room_id, unit_id = fields.id("room_id"), fields.id("unit_id")
    return UnitChange(
        room_id=None if room_id is None else BookingRoomId(room_id),
        unit_id=None if unit_id is None else UnitId(unit_id),
        from_night=fields.day("from_night"),
        version=version,
    )


def _amendment(fields: Fields, version: int | None) -> Amendment:
    nested = fields.objects("rooms", most=MOST_ROOMS)
    rooms = [_room_change(each) for each in nested]
    for each in nested:
        each.close()
    if not fields.has("rooms"):
        rooms = [change for change in (_room_change(fields),) if change.changes_something]
    fields.refuse("expected_total", "only_with_reprice")
    return Amendment(
        rooms=tuple(rooms), requests=fields.text("requests"), notes=fields.text("notes"), version=version
    )


def _room_change(fields: Fields) -> RoomChange:
    room_id, unit_type_id = fields.id("room_id"), fields.id("unit_type_id")
    nightly, rate = fields.amounts("nightly"), fields.money("rate")
    if nightly is not None and rate is not None:
        fields.note("rate", "one_of_two", other="nightly")
    return RoomChange(
        room_id=None if room_id is None else BookingRoomId(room_id),
        arrival=fields.day("arrival"),
        departure=fields.day("departure"),
        adults=fields.whole("adults"),
        children=fields.whole("children"),
        infants=fields.whole("infants"),
        unit_type_id=None if unit_type_id is None else UnitTypeId(unit_type_id),
        nightly=nightly,
        rate=rate,
    )
