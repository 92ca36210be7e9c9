"""A revision of a platform in the words of a booking: its rooms, its guest, where it came from.

Laws: amounts are those that were sold, to the last minor unit; whatever a platform wrote about a guest gives
a profile that can be kept, and what cannot be kept is left out rather than made up.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Final

from attrs import evolve

from pmscore.booking.model.booking import LONGEST_NOTE, Source
from pmscore.booking.policies.drafting import RoomRequest
from pmscore.channels.model.connections import Connection
from pmscore.channels.model.mappings import MappingBook
from pmscore.channels.model.revisions import Malformed, Revision, SoldRoom, SoldTo
from pmscore.channels.policies.cards import without_cards
from pmscore.guests.model import Guest
from pmscore.inventory.model.party import Party
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError, NotFoundError
from pmscore.kernel.events import Json
from pmscore.kernel.ids import GuestId
from pmscore.kernel.money import Money
from pmscore.kernel.text import checked_code

__all__ = ["LONGEST_CODE", "guest_of", "room_requests", "source_of", "storable", "terms_of"]

LONGEST_CODE: Final = 200
_PRICE_UNKNOWN: Final[Mapping[str, Json]] = {"price": "unknown"}


def storable(revision: Revision) -> Revision | Malformed:
    """Return the revision as it may be kept, without card numbers; as malformed one where its codes cannot be kept."""
    codes = (revision.revision_id, revision.booking_key)
    more = [code for room in revision.rooms for code in (room.room_code, room.rate_code)]
    written = "".join((*codes, *more, revision.channel, revision.reference, revision.currency))
    if not all(codes) or max(map(len, (*codes, *more))) > LONGEST_CODE or not written.isprintable():
        return _not_storable(revision, "codes_cannot_be_kept")
    if not _is_storable(revision.receipt):
        return _not_storable(revision, "receipt_cannot_be_kept")
    told = revision.guest
    guest = SoldTo(
        name=_kept(told.name, 200), email=_kept(told.email, 254), phone=_kept(told.phone, 40),
        country=_kept(told.country, 40),
    )  # fmt: skip
    return evolve(revision, guest=guest, requests=_kept(revision.requests, LONGEST_NOTE))


def room_requests(revision: Revision, mappings: MappingBook, currency: Currency) -> tuple[RoomRequest, ...]:
    """Return the rooms as they are asked for here; where nobody said a price, the nights cost nothing.

    Raises:
        NotFoundError: a room is not mapped.
        InvalidInputError: nobody, or too many people, would sleep in a room.
    """
    return tuple(_room_request(room, mappings, currency) for room in revision.rooms)


def guest_of(revision: Revision, guest_id: GuestId, title: str) -> Guest:
    """Return the guest as a new profile; ``title`` names the platform where it named nobody."""
    told = revision.guest
    country = told.country.upper()
    guest = Guest(
        guest_id=guest_id,
        name=told.name or f"Guest of {title}",
        phone=told.phone,
        country=country if len(country) == 2 and country.isascii() and country.isalpha() else "",
    )
    try:
        return evolve(guest, email=told.email)
    except InvalidInputError:
        return guest


def source_of(revision: Revision, connection: Connection) -> Source:
    """Return where the booking came from: the platform that sold it, and the reference that its guest knows."""
    channel = revision.channel or connection.channel
    try:
        checked_code(channel, field="channel")
    except InvalidInputError:
        channel = connection.channel
    return Source(channel=channel, reference=(revision.reference or revision.booking_key)[:100])


def terms_of(revision: Revision) -> Mapping[str, Json]:
    """Return the terms it is kept with: that nobody said a price, where that is so."""
    return {} if any(room.nightly for room in revision.rooms) else _PRICE_UNKNOWN


def _not_storable(revision: Revision, reason: str) -> Malformed:
    """Return what is kept of it: its codes, written so that every store can keep them."""
    said = ascii((revision.revision_id, revision.booking_key, reason))
    return Malformed(digest=sha256(said.encode()).hexdigest(), reason=reason, raw=said)


def _is_storable(receipt: Mapping[str, Json]) -> bool:
    """Return whether a store of text can keep what the acknowledgement has to repeat: no NUL, no lone surrogate."""
    try:
        written = json.dumps(dict(receipt), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return b"\\u0000" not in written


def _room_request(room: SoldRoom, mappings: MappingBook, currency: Currency) -> RoomRequest:
    mapped = mappings.room(room.room_code)
    if mapped is None:
        raise NotFoundError("room_code", room.room_code)
    nightly = room.nightly or (0,) * room.stay.length
    return RoomRequest(
        stay=room.stay,
        party=Party(max(room.adults, 1), max(room.children, len(room.child_ages)), room.infants),
        nightly=tuple(Money(amount, currency) for amount in nightly),
        unit_type_id=mapped.unit_type_id,
        unit_id=mapped.unit_id,
    )


def _kept(text: str, longest: int) -> str:
    """Return the text without card numbers and without what cannot be shown, cut to its length."""
    shown = "".join(each for each in text if each.isprintable() or each in "\t\n\r")
    return without_cards(shown).strip()[:longest].strip()
