"""Bookings as Channex tells them: pages of revisions, and the knock that says that there is one.

Owns reading them. One revision that makes no sense is told as malformed, and the page goes on. Card data does not come
by this way (it has a host of its own), so whatever looks like a card number is masked all the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from attrs import frozen

from pms_adapters.channels.channex.mapping import STATUSES, channel_of
from pms_adapters.channels.channex.wire import minor_of
from pms_adapters.serialization.json import written
from pmscore.channels.model.revisions import Malformed, Revision, RevisionStatus, SoldRoom, SoldTo
from pmscore.channels.policies.cards import without_cards
from pmscore.dates.nights import StayRange
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.money import Money
from pmscore.kernel.reading import ObjectReader

__all__ = ["Page", "read_page"]

_LONGEST_RAW: Final = 20_000


@frozen
class Page:
    """One page of the feed, and whether there is another."""

    revisions: tuple[Revision, ...]
    malformed: tuple[Malformed, ...]
    has_more: bool


def read_page(reply: ObjectReader, listing_id: str) -> Page:
    """Return what a page of the feed says of one property; those of others are no business of the connection.

    Raises:
        InvalidInputError: it is no page.
    """
    revisions: list[Revision] = []
    malformed: list[Malformed] = []
    for item in reply.each("data"):
        try:
            attributes = item.inside("attributes")
            if attributes.text("property_id", listing_id) == listing_id:
                revisions.append(_revision(attributes))
        except InvalidInputError as error:
            malformed.append(_malformed(item, f"{error.field}: {error.reason}"))
    meta = reply.inside("meta")
    read = meta.integer("page") * meta.integer("limit")
    return Page(tuple(revisions), tuple(malformed), has_more=read < meta.integer("total"))


def _revision(said: ObjectReader) -> Revision:
    word = said.text("status")
    if word not in STATUSES:
        raise InvalidInputError("status", "unknown_value")
    status = STATUSES[word]
    currency = Currency.recorded(said.text("currency"))
    rooms = tuple(
        _room(each, currency)
        for each in said.find_each("rooms")
        if status is RevisionStatus.CANCELLED or not _is_cancelled(each)
    )
    if not rooms and status is not RevisionStatus.CANCELLED:
        raise InvalidInputError("rooms", "empty")
    return Revision(
        revision_id=_named(said, "id"),
        booking_key=_named(said, "booking_id"),
        status=status,
        revised_at=_instant(said.text("inserted_at"), "inserted_at"),
        rooms=rooms,
        currency=currency.code,
        guest=_guest(said.find_inside("customer")),
        channel=channel_of(said.find_text("ota_name") or ""),
        reference=said.find_text("ota_reservation_code") or said.find_text("unique_id") or "",
        requests=without_cards(said.find_text("notes") or ""),
    )


def _room(said: ObjectReader, currency: Currency) -> SoldRoom:
    stay = said.make(lambda: StayRange.parse(said.text("checkin_date"), said.text("checkout_date")))
    guests = said.find_inside("occupancy") or ObjectReader({})
    return SoldRoom(
        room_code=said.find_text("room_type_id") or "",
        rate_code=said.find_text("rate_plan_id") or "",
        stay=stay,
        adults=_count(guests, "adults"),
        child_ages=guests.find_integers("ages"),
        children=_count(guests, "children"),
        infants=_count(guests, "infants"),
        nightly=_nightly(said, stay, currency),
    )


def _nightly(said: ObjectReader, stay: StayRange, currency: Currency) -> tuple[int, ...]:
    """Return the price of each night: as it was told, or the room's amount spread over its nights, or nothing."""
    days = said.find_inside("days")
    wanted = tuple(each.isoformat() for each in stay.nights())
    if days is not None and set(days.values) == set(wanted):
        return tuple(_price(days, each, currency) for each in wanted)
    if not said.has("amount"):
        return ()
    total = Money(_price(said, "amount", currency), currency)
    return tuple(each.minor for each in total.split(stay.length))


def _price(said: ObjectReader, name: str, currency: Currency) -> int:
    minor = minor_of(said.value(name), currency, field=said.at(name))
    if minor < 0:
        raise InvalidInputError(said.at(name), "negative")
    return minor


def _count(guests: ObjectReader, name: str) -> int:
    count = guests.find_integer(name) or 0
    if not 0 <= count <= 999:
        raise InvalidInputError(guests.at(name), "out_of_range")
    return count


def _is_cancelled(room: ObjectReader) -> bool:
    return room.has("is_cancelled") and room.flag("is_cancelled")


def _named(said: ObjectReader, name: str) -> str:
    text = said.text(name)
    if not text or len(text) > 200 or not text.isprintable():
        raise InvalidInputError(said.at(name), "no_id")
    return text


def _instant(text: str, field: str) -> datetime:
    """Return an instant; theirs have no zone and mean UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInputError(field, "not_an_instant") from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _guest(said: ObjectReader | None) -> SoldTo:
    if said is None:
        return SoldTo()
    name = _joined((said.find_text("name"), said.find_text("surname")))
    return SoldTo(
        name=name,
        email=said.find_text("mail") or "",
        phone=said.find_text("phone") or "",
        country=said.find_text("country") or "",
    )


def _joined(parts: Iterable[str | None]) -> str:
    return " ".join(each.strip() for each in parts if each)


def _malformed(item: ObjectReader, reason: str) -> Malformed:
    body = written(dict(item.values))
    found = item.values.get("id")
    return Malformed(
        digest=sha256(body).hexdigest(),
        reason=reason[:200],
        raw=without_cards(body.decode())[:_LONGEST_RAW],
        revision_id=found if isinstance(found, str) and len(found) <= 200 else "",
    )
