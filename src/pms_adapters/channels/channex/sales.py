"""Bookings as Channex tells them: pages of revisions, and the knock that says that there is one.

Owns reading them. One revision that makes no sense is told as malformed, and the page goes on. Card data does
not come by this way (it has a host of its own), so whatever looks like a card number is masked all the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from attrs import frozen

from pms_adapters.channels.channex.mapping import STATUSES, channel_of
from pms_adapters.channels.channex.wire import minor_of
from pms_adapters.http.aside import set_aside
from pms_adapters.serialization.instants import read_instant
from pms_adapters.serialization.json import written
from pmscore.channels.model.calls import At
from pmscore.channels.model.mappings import MappingBook
from pmscore.channels.model.revisions import Malformed, Revision, RevisionStatus, SoldRoom, SoldTo
from pmscore.channels.policies.cards import without_cards
from pmscore.dates.nights import StayRange
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.money import Money
from pmscore.kernel.reading import ObjectReader

__all__ = ["Page", "read_bookings", "read_page"]


@frozen
class Page:
    """One page of the feed, and whether there is another."""

    revisions: tuple[Revision, ...]
    malformed: tuple[Malformed, ...]
    has_more: bool


def read_page(reply: ObjectReader, at: At) -> Page:
    """Return what a page of the feed says of one property; those of others are no business of the connection.

    Raises:
        InvalidInputError: it is no page.
    """
    revisions: list[Revision] = []
    malformed: list[Malformed] = []
    for item in reply.each("data"):
        try:
            attributes = item.inside("attributes")
            if _is_of(attributes, at):
                revisions.append(_revision(attributes, at, revision="id", booking="booking_id"))
        except InvalidInputError as error:
            malformed.append(_malformed(item, f"{error.field}: {error.reason}"))
    meta = reply.inside("meta")
    read = meta.integer("page") * meta.integer("limit")
    return Page(tuple(revisions), tuple(malformed), has_more=read < meta.integer("total"))


def read_bookings(items: Iterable[ObjectReader], at: At) -> tuple[Revision, ...]:
    """Return the newest revision of each booking of a list; what makes no sense is left out, the feed tells it, too.

    Raises:
        InvalidInputError: one of them is no booking of theirs at all.
    """
    found: list[Revision] = []
    for item in items:
        attributes = item.inside("attributes")
        with suppress(InvalidInputError):
            if _is_of(attributes, at):
                found.append(_revision(attributes, at, revision="revision_id", booking="id"))
    return tuple(found)


def _is_of(said: ObjectReader, at: At) -> bool:
    listing_id = at.connection.listing_id
    return said.text("property_id", listing_id) == listing_id


def _revision(said: ObjectReader, at: At, *, revision: str, booking: str) -> Revision:
    """Return a revision; its own id and that of its booking stand under the two names."""
    word = said.text("status")
    if word not in STATUSES:
        raise InvalidInputError("status", "unknown_value")
    status = STATUSES[word]
    currency = Currency.recorded(said.text("currency"))
    rooms = tuple(
        _room(each, currency, at.mappings)
        for each in said.find_each("rooms")
        if status is RevisionStatus.CANCELLED or not _is_cancelled(each)
    )
    if not rooms and status is not RevisionStatus.CANCELLED:
        raise InvalidInputError("rooms", "empty")
    return Revision(
        revision_id=_named(said, revision),
        booking_key=_named(said, booking),
        status=status,
        revised_at=read_instant(said.text("inserted_at"), "inserted_at"),
        rooms=rooms,
        currency=currency.code,
        guest=_guest(said.find_inside("customer")),
        channel=channel_of(said.find_text("ota_name") or ""),
        reference=said.find_text("ota_reservation_code") or said.find_text("unique_id") or "",
        requests=without_cards(said.find_text("notes") or ""),
    )


def _room(said: ObjectReader, currency: Currency, mappings: MappingBook) -> SoldRoom:
    stay = said.make(lambda: StayRange.parse(said.text("checkin_date"), said.text("checkout_date")))
    guests = said.find_inside("occupancy") or ObjectReader({})
    room_code = said.find_text("room_type_id") or ""
    return SoldRoom(
        room_code=room_code,
        rate_code=_rate_code(said, room_code, mappings),
        stay=stay,
        adults=_count(guests, "adults"),
        child_ages=guests.find_integers("ages"),
        children=_count(guests, "children"),
        infants=_count(guests, "infants"),
        nightly=_nightly(said, stay, currency),
    )


def _rate_code(said: ObjectReader, room_code: str, mappings: MappingBook) -> str:
    """Return the rate plan; a derived one, or the option of an occupancy, names the plan that it belongs to."""
    code = said.find_text("rate_plan_id") or ""
    meta = said.find_inside("meta")
    parent = None if meta is None else meta.find_text("parent_rate_plan_id")
    return parent if parent and mappings.rate(room_code, code) is None else code


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
    found = item.values.get("id")
    return set_aside(written(dict(item.values)), reason, revision_id=found if isinstance(found, str) else "")
