"""Reservations as Booking.com tells them: one queue of new ones, one of changes and cancellations.

Owns reading them. Neither queue numbers what it tells: a reservation comes as it is now, under its own id
alone, so a revision is known by what it says. One that makes no sense is told as malformed, and the others go
on. Whatever is about cards is not read. Leaves rooms and their amounts to ``rooms``, and what is kept of
nonsense to ``aside``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Final

from attrs import frozen

from pms_adapters.channels.booking_com.aside import malformed_of
from pms_adapters.channels.booking_com.mapping import STATUSES
from pms_adapters.channels.booking_com.rooms import sold_room
from pms_adapters.serialization.instants import read_instant
from pms_adapters.serialization.json import written as written_json
from pms_adapters.serialization.xml import Node
from pmscore.channels.model.calls import At
from pmscore.channels.model.revisions import Malformed, Revision, RevisionStatus, SoldRoom, SoldTo
from pmscore.channels.policies.cards import without_cards
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Json

__all__ = ["Queue", "Told", "read_queue"]

_LONGEST_ID: Final = 64
_OUR_OWN: Final = "RT"


@frozen(kw_only=True)
class Queue:
    """One of the two queues: its address, its messages, and what its reservations are called in them."""

    name: str
    many: str
    one: str
    is_change: bool

    @property
    def told(self) -> str:
        """What the message with the reservations is called."""
        return f"{self.name}RQ"

    @property
    def answer(self) -> str:
        """What the message that answers it is called."""
        return f"{self.name}RS"


@frozen
class Told:
    """What a queue holds for one property."""

    revisions: tuple[Revision, ...]
    malformed: tuple[Malformed, ...]


def read_queue(said: Node, queue: Queue, at: At) -> Told:
    """Return what a queue tells of one property; reservations of others are no business of the connection.

    Raises:
        InvalidInputError: it is not the message of that queue.
    """
    if said.name != queue.told:
        raise InvalidInputError("message", "unknown_value")
    told_at = read_instant(said.attr.get("TimeStamp", ""), "TimeStamp")
    items = said.child(queue.many)
    revisions: list[Revision] = []
    malformed: list[Malformed] = []
    for item in () if items is None else items.children(queue.one):
        if not _is_of(item, at.connection.listing_id):
            continue
        try:
            revisions.append(_revision(item, queue, told_at, at.currency))
        except InvalidInputError as error:
            malformed.append(malformed_of(item, f"{error.field}: {error.reason}"))
    return Told(tuple(revisions), tuple(malformed))


def _is_of(item: Node, listing_id: str) -> bool:
    houses = {each.attr.get("HotelCode", listing_id) for each in item.walk("BasicPropertyInfo")}
    return houses <= {listing_id}


def _revision(item: Node, queue: Queue, told_at: datetime, usual: Currency) -> Revision:
    status = _status(item, queue)
    receipt = _receipt(item, queue)
    key = _key(item, receipt)
    stays = item.child("RoomStays")
    found = () if stays is None else stays.children("RoomStay")
    currency = _currency(item) or usual
    rooms = tuple(sold_room(each, currency) for each in found)
    if not rooms and status is not RevisionStatus.CANCELLED:
        raise InvalidInputError("RoomStays", "empty")
    changed_at = item.attr.get("LastModifyDateTime", "")
    guest, requests = _guest(item), without_cards(_requests(item))
    return Revision(
        revision_id=f"{key}:{_digest(status, rooms, currency, guest, requests, changed_at)}",
        booking_key=key,
        status=status,
        revised_at=read_instant(changed_at, "LastModifyDateTime") if changed_at else told_at,
        rooms=rooms,
        currency=currency.code,
        guest=guest,
        reference=str(receipt["value"]),
        requests=requests,
        receipt=receipt,
    )


def _status(item: Node, queue: Queue) -> RevisionStatus:
    word = item.attr.get("ResStatus", "").strip().lower()
    if queue.is_change and word not in STATUSES:
        raise InvalidInputError("ResStatus", "unknown_value")
    if STATUSES.get(word) is RevisionStatus.CANCELLED:
        return RevisionStatus.CANCELLED
    return RevisionStatus.CHANGED if queue.is_change else RevisionStatus.NEW


def _receipt(item: Node, queue: Queue) -> Mapping[str, Json]:
    """Return what an acknowledgement has to repeat: the reservation's id as it was told, and in which queue."""
    ids = item.at("ResGlobalInfo", "HotelReservationIDs")
    told = (
        each.attr
        for each in (() if ids is None else ids.children("HotelReservationID"))
        if each.attr.get("ResID_Source") != _OUR_OWN
    )
    found = next(told, None)
    if found is None:
        unique = item.child("UniqueID")
        found = {"ResID_Value": "" if unique is None else unique.attr.get("ID", "")}
    return {
        "is_change": queue.is_change,
        "value": _id(found.get("ResID_Value", "")),
        "type": found.get("ResID_Type", "")[:_LONGEST_ID],
        "source": found.get("ResID_Source", "")[:_LONGEST_ID],
        "date": found.get("ResID_Date", "")[:_LONGEST_ID],
    }


def _key(item: Node, receipt: Mapping[str, Json]) -> str:
    unique = item.child("UniqueID")
    return _id(str(receipt["value"]) if unique is None else unique.attr.get("ID", ""))


def _id(text: str) -> str:
    if not text or len(text) > _LONGEST_ID or not text.isprintable():
        raise InvalidInputError("HotelReservationID", "no_id")
    return text


def _currency(item: Node) -> Currency | None:
    """Return the currency of all amounts, None where none is told; one reservation has one."""
    codes = {each.attr["CurrencyCode"] for each in item.walk("Total") if "CurrencyCode" in each.attr}
    if len(codes) > 1:
        raise InvalidInputError("CurrencyCode", "not_one_currency")
    return Currency.recorded(codes.pop()) if codes else None


def _guest(item: Node) -> SoldTo:
    profiles = item.at("ResGlobalInfo", "Profiles")
    customer = next((profiles or item).walk("Customer"), None)
    if customer is None:
        return SoldTo()
    names = (customer.said("PersonName", "GivenName"), customer.said("PersonName", "Surname"))
    phone, country = customer.child("Telephone"), customer.at("Address", "CountryName")
    return SoldTo(
        name=without_cards(" ".join(each for each in names if each)),
        email=customer.said("Email"),
        phone="" if phone is None else phone.attr.get("PhoneNumber", ""),
        country="" if country is None else country.attr.get("Code", ""),
    )


def _requests(item: Node) -> str:
    told = item.child("ResGlobalInfo")
    if told is None:
        return ""
    lines = (
        text.text
        for name in ("Comment", "SpecialRequest")
        for each in told.walk(name)
        for text in each.walk("Text")
    )
    return "\n".join(each for each in lines if each)


def _digest(
    status: RevisionStatus,
    rooms: Iterable[SoldRoom],
    currency: Currency,
    guest: SoldTo,
    requests: str,
    changed_at: str,
) -> str:
    """Return what a state of a reservation is known by: all that is read of it."""
    told: list[Json] = [
        [
            room.room_code,
            room.rate_code,
            str(room.stay),
            room.adults,
            room.children,
            room.infants,
            [*room.child_ages],
            [*room.nightly],
        ]
        for room in rooms
    ]
    person: list[Json] = [guest.name, guest.email, guest.phone, guest.country]
    said: list[Json] = [status.value, told, currency.code, person, requests, changed_at]
    return sha256(written_json(said)).hexdigest()[:24]
