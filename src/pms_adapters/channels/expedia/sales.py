"""Bookings as Expedia tells them, and our word that we have them.

Owns reading what was retrieved and writing confirmations; leaves the room to ``rooms``. One booking that makes no
sense is told as malformed, and the others are read. Card data comes in the same message: it is never read, and of
what is kept of a malformed one its element is left out whole. A cancellation may have no room and no amounts; it is
known by the booking's id alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC
from typing import Final

from attrs import frozen

from pms_adapters.channels.expedia.mapping import STATUSES, TYPES, Service
from pms_adapters.channels.expedia.rooms import attribute, read_currency, read_rooms
from pms_adapters.channels.expedia.wire import request
from pms_adapters.http.aside import plain, set_aside
from pms_adapters.serialization.instants import read_instant
from pms_adapters.serialization.xml import Element, Node, element, written
from pmscore.channels.model.calls import At
from pmscore.channels.model.revisions import (
    Malformed,
    Revision,
    RevisionStatus,
    SoldTo,
    StoredRevision,
)
from pmscore.channels.policies.cards import without_cards
from pmscore.kernel.errors import InvalidInputError

__all__ = ["Retrieved", "confirmation_body", "read_bookings", "retrieval_body"]

_CARDS: Final = frozenset({"paymentcard"})


@frozen
class Retrieved:
    """What one answer says of the connection's hotel."""

    revisions: tuple[Revision, ...]
    malformed: tuple[Malformed, ...]


def retrieval_body(at: At) -> bytes:
    """Return the request for all that is not confirmed.

    Without a word about states an answer has only what was never retrieved: whoever loses one would lose its
    bookings.

    Raises:
        InvalidInputError: ``credentials``: one of them is missing.
    """
    states = (element("Status", value=each) for each in ("pending", "retrieved"))
    return request(at, Service.RETRIEVAL, element("ParamSet", *states))


def confirmation_body(at: At, revisions: Sequence[StoredRevision]) -> bytes:
    """Return the confirmation of some revisions, each with our reference of its booking.

    Raises:
        InvalidInputError: ``credentials``: one of them is missing.
    """
    numbers = (_confirmed(at, each) for each in revisions)
    return request(at, Service.CONFIRM, element("BookingConfirmNumbers", *numbers))


def read_bookings(at: At, answer: Node) -> Retrieved:
    """Return what was retrieved; hotels of the account that are none of the connection's are left out.

    Raises:
        InvalidInputError: it is no answer to a retrieval.
    """
    bookings = answer.child("Bookings")
    if answer.name != f"{Service.RETRIEVAL.subject}RS" or bookings is None:
        raise InvalidInputError("answer", "not_bookings")
    revisions: list[Revision] = []
    malformed: list[Malformed] = []
    for each in bookings.children("Booking"):
        hotel = each.child("Hotel")
        if hotel is not None and hotel.attr.get("id", "").strip() != at.connection.listing_id:
            continue
        try:
            revisions.append(_revision(at, each))
        except InvalidInputError as error:
            malformed.append(
                set_aside(
                    written(plain(each, elements_out=_CARDS)),
                    f"{error.field}: {error.reason}",
                    revision_id=_revision_id(each),
                )
            )
    return Retrieved(tuple(revisions), tuple(malformed))


def _confirmed(at: At, stored: StoredRevision) -> Element:
    """Return one confirmation; what cancels a booking that we never had is confirmed under their own number."""
    revision = stored.revision
    receipt = {} if revision is None else revision.receipt
    booking_id = str(receipt.get("booking_id", ""))
    told_before = str(receipt.get("confirm_number", ""))
    ours = "" if stored.booking_id is None else str(stored.booking_id)
    when = stored.applied_at or at.now
    return element(
        "BookingConfirmNumber",
        bookingID=booking_id,
        bookingType=TYPES[RevisionStatus.NEW if revision is None else revision.status],
        confirmNumber=ours or told_before or booking_id,
        confirmTime=when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


def _revision(at: At, said: Node) -> Revision:
    booking_id = attribute(said, "id")
    word = attribute(said, "type")
    if word not in STATUSES:
        raise InvalidInputError("type", "unknown_value")
    status = STATUSES[word]
    # Theirs have no zone and mean UTC.
    revised_at = read_instant(said.attr.get("createDateTime", ""), "createDateTime")
    stay = said.child("RoomStay")
    currency = read_currency(at, stay)
    rooms = read_rooms(at, stay, currency, is_cancelled=status is RevisionStatus.CANCELLED)
    return Revision(
        revision_id=_revision_id(said),
        booking_key=booking_id,
        status=status,
        revised_at=revised_at,
        rooms=rooms,
        currency=currency.code,
        guest=_guest(said.child("PrimaryGuest")),
        reference=booking_id,
        requests=without_cards("; ".join(_joined(each.text) for each in said.children("SpecialRequest"))),
        receipt={"booking_id": booking_id, "confirm_number": said.attr.get("confirmNumber", "")},
    )


def _guest(said: Node | None) -> SoldTo:
    if said is None:
        return SoldTo()
    name, phone = said.child("Name"), said.child("Phone")
    return SoldTo(
        name=_told(name, ("givenName", "middleName", "surname")),
        email=said.said("Email"),
        phone=_phone(phone) if phone is not None else "",
    )


def _phone(said: Node) -> str:
    country, extension = said.attr.get("countryCode", ""), said.attr.get("extension", "")
    parts = (f"+{country}" if country else "", said.attr.get("cityAreaCode", ""), said.attr.get("number", ""))
    return _joined(" ".join((*parts, f"x{extension}" if extension else "")))


def _told(said: Node | None, names: Iterable[str]) -> str:
    return "" if said is None else _joined(" ".join(said.attr.get(name, "") for name in names))


def _joined(text: str) -> str:
    return " ".join(text.split())


def _revision_id(said: Node) -> str:
    """Return what makes a message one and no other: the booking, what happened to it, and when."""
    parts = (said.attr.get(name, "").strip() for name in ("id", "type", "createDateTime"))
    return ":".join(each for each in parts if each)
