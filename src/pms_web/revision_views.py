"""What a platform has sold, and which rooms it has, over HTTP.

Owns names and shapes of replies. What is personal is shown to those who may read guests, and to nobody else.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypedDict

from pms_web.url_parts import url_part
from pms_web.wire import DateText, IdText, InstantText, OneOf
from pmscore.channels.model.calls import RemoteRoom
from pmscore.channels.model.revisions import (
    Revision,
    RevisionStatus,
    SaleKind,
    SoldRoom,
    StoredRevision,
    StoredState,
)
from pmscore.channels.use_cases.rooms import ListedRooms

__all__ = [
    "ChannelRevisionBody",
    "ConfirmedFeedBody",
    "RemoteRoomsBody",
    "remote_rooms_body",
    "revision_body",
]


class RemoteRateBody(TypedDict):
    """A rate that the platform knows."""

    rate_code: str
    name: str
    occupancies: list[int]


class RemoteRoomBody(TypedDict):
    """A room that the platform knows."""

    room_code: str
    name: str
    rates: list[RemoteRateBody]


class RemoteRoomsBody(TypedDict):
    """The rooms of a platform; where it ``is_listed`` not, the gateway cannot ask for them."""

    connection_id: IdText
    is_listed: bool
    rooms: list[RemoteRoomBody]


class SoldToBody(TypedDict):
    """Whoever booked, as the platform wrote it."""

    name: str
    email: str
    phone: str
    country: str


class SoldRoomBody(TypedDict):
    """A room as it was sold."""

    room_code: str
    rate_code: str
    arrival: DateText
    departure: DateText
    adults: int
    children: int
    infants: int


class SaleBody(TypedDict):
    """What a revision says; ``guest`` and ``requests`` are null for whoever may not read guests."""

    booking_key: str
    status: Annotated[str, OneOf(RevisionStatus)]
    kind: Annotated[str, OneOf(SaleKind)]
    revised_at: InstantText
    channel: str
    reference: str
    currency: str
    rooms: list[SoldRoomBody]
    guest: SoldToBody | None
    requests: str | None


class ChannelRevisionBody(TypedDict):
    """What a platform has told, and what became of it.

    ``id`` names it in addresses; ``revision_id`` is the platform's own name. ``sale`` is null where the
    message could not be read; then ``raw`` is the message, for whoever may read guests.
    """

    id: str
    revision_id: str
    connection_id: IdText
    state: Annotated[str, OneOf(StoredState)]
    reason: str
    booking_id: IdText | None
    received_at: InstantText
    applied_at: InstantText | None
    acknowledged_at: InstantText | None
    sale: SaleBody | None
    raw: str | None


class ConfirmedFeedBody(TypedDict):
    """How many stays end because a person has said that the feed is right."""

    connection_id: IdText
    room_code: str
    ended: int


def remote_rooms_body(connection_id: str, found: ListedRooms) -> RemoteRoomsBody:
    """Return the rooms of a platform."""
    return {
        "connection_id": connection_id,
        "is_listed": found.is_listed,
        "rooms": [_remote_room(each) for each in found.rooms],
    }


def revision_body(stored: StoredRevision, *, shows_guest: bool) -> ChannelRevisionBody:
    """Return a revision; what is personal only where ``shows_guest``."""
    revision, malformed = stored.revision, stored.malformed
    return {
        "id": url_part(stored.revision_id),
        "revision_id": stored.revision_id,
        "connection_id": str(stored.connection_id),
        "state": stored.state.value,
        "reason": stored.reason,
        "booking_id": None if stored.booking_id is None else str(stored.booking_id),
        "received_at": stored.received_at.isoformat(),
        "applied_at": _instant(stored.applied_at),
        "acknowledged_at": _instant(stored.acknowledged_at),
        "sale": None if revision is None else _sale(revision, shows_guest=shows_guest),
        "raw": malformed.raw if malformed is not None and shows_guest else None,
    }


def _sale(revision: Revision, *, shows_guest: bool) -> SaleBody:
    guest = revision.guest
    return {
        "booking_key": revision.booking_key,
        "status": revision.status.value,
        "kind": revision.kind.value,
        "revised_at": revision.revised_at.isoformat(),
        "channel": revision.channel,
        "reference": revision.reference,
        "currency": revision.currency,
        "rooms": [_sold_room(each) for each in revision.rooms],
        "guest": {
            "name": guest.name,
            "email": guest.email,
            "phone": guest.phone,
            "country": guest.country,
        }
        if shows_guest
        else None,
        "requests": revision.requests if shows_guest else None,
    }


def _sold_room(room: SoldRoom) -> SoldRoomBody:
    return {
        "room_code": room.room_code,
        "rate_code": room.rate_code,
        "arrival": room.stay.arrival.isoformat(),
        "departure": room.stay.departure.isoformat(),
        "adults": room.adults,
        "children": room.children or len(room.child_ages),
        "infants": room.infants,
    }


def _remote_room(room: RemoteRoom) -> RemoteRoomBody:
    return {
        "room_code": room.room_code,
        "name": room.name,
        "rates": [
            {"rate_code": each.rate_code, "name": each.name, "occupancies": [*each.occupancies]}
            for each in room.rates
        ],
    }


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
