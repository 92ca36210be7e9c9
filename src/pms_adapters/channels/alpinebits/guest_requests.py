"""What was sold, as a server of AlpineBits tells it: reservations, their changes and cancellations.

Owns reading them. One that makes no sense is told as malformed, and the others are read. Card data is left out before
anything else is looked at: no field reads it, no digest contains it, and what is kept of a malformed one has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Final

from attrs import evolve, frozen

from pms_adapters.http.aside import plain, set_aside
from pms_adapters.serialization.instants import read_instant
from pms_adapters.serialization.xml import Node, written
from pmscore.channels.model.calls import At
from pmscore.channels.model.revisions import Malformed, Revision, RevisionStatus, SoldRoom, SoldTo
from pmscore.channels.policies.cards import without_cards
from pmscore.dates.nights import StayRange
from pmscore.dates.zones import Zone
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.money import Money

__all__ = ["Page", "read_page"]

_LONGEST_ID: Final = 120
_LONGEST_REQUEST: Final = 4_000
_MOST_ROOMS: Final = 100
_CARDS: Final = frozenset({"PaymentCard", "BankAcct", "GuaranteesAccepted"})

_STATUSES: Final[Mapping[str, RevisionStatus]] = {
    "Reserved": RevisionStatus.NEW,
    "Modify": RevisionStatus.CHANGED,
    "Cancelled": RevisionStatus.CANCELLED,
}
_QUOTE: Final = "Requested"
_VOICE_OR_MOBILE: Final = ("1", "5")


@frozen
class Page:
    """All that one answer tells of a hotel."""

    revisions: tuple[Revision, ...]
    malformed: tuple[Malformed, ...]


def read_page(root: Node, at: At) -> Page:
    """Return what an answer tells of one hotel; those of others are no business of the connection."""
    revisions: list[Revision] = []
    malformed: list[Malformed] = []
    for listed in root.children("ReservationsList"):
        for item in map(_without_cards, listed.children("HotelReservation")):
            if not _is_of(item, at):
                continue
            try:
                revisions.append(_revision(item, at))
            except InvalidInputError as error:
                malformed.append(_malformed(item, f"{error.field}: {error.reason}"))
    return Page(tuple(revisions), tuple(malformed))


def _without_cards(node: Node) -> Node:
    kept = tuple(_without_cards(each) for each in node.elements if each.name not in _CARDS)
    return evolve(node, elements=kept)


def _is_of(item: Node, at: At) -> bool:
    place = item.at("ResGlobalInfo", "BasicPropertyInfo")
    code = "" if place is None else place.attr.get("HotelCode", "")
    return code in {"", at.connection.listing_id}


def _revision(item: Node, at: At) -> Revision:
    word = item.attr.get("ResStatus", "")
    if word not in _STATUSES:
        raise InvalidInputError("ResStatus", "quote_request" if word == _QUOTE else "unknown_value")
    status = _STATUSES[word]
    stays = [each for part in item.children("RoomStays") for each in part.children("RoomStay")]
    if len(stays) > _MOST_ROOMS:
        raise InvalidInputError("RoomStays", "too_many")
    currency = _currency(stays, at.currency)
    rooms = tuple(_room(each, f"RoomStays.{number}", currency) for number, each in enumerate(stays))
    if not rooms and status is not RevisionStatus.CANCELLED:
        raise InvalidInputError("RoomStays", "empty")
    kind, key = _unique_id(item)
    return Revision(
        revision_id=f"{key}:{word}:{_digest(item)[:24]}",
        booking_key=key,
        status=status,
        revised_at=_revised_at(item, at.zone),
        rooms=rooms,
        currency=currency.code,
        guest=_guest(item),
        reference=key,
        requests=_requests(item),
        receipt={"type": kind, "id": key},
    )


def _unique_id(item: Node) -> tuple[str, str]:
    """Return the kind and the id by which a reservation is acknowledged; its changes and its end have the same id."""
    found = item.child("UniqueID")
    kind, key = ("", "") if found is None else (found.attr.get("Type", ""), found.attr.get("ID", "").strip())
    if not kind.isascii() or not kind.isdigit() or len(kind) > 3:
        raise InvalidInputError("UniqueID.Type", "not_an_integer")
    if not key or len(key) > _LONGEST_ID or not key.isprintable():
        raise InvalidInputError("UniqueID.ID", "no_id")
    return kind, key


def _revised_at(item: Node, zone: Zone) -> datetime:
    """Return when it was made, or changed where that is told; a time without a zone is the house's."""
    text = item.attr.get("LastModifyDateTime") or item.attr.get("CreateDateTime", "")
    return read_instant(text, "CreateDateTime", zone=zone)


def _currency(stays: Iterable[Node], default: Currency) -> Currency:
    codes = {total.attr.get("CurrencyCode", "") for stay in stays for total in stay.children("Total")} - {""}
    if len(codes) > 1:
        raise InvalidInputError("Total.CurrencyCode", "several")
    return Currency.recorded(codes.pop()) if codes else default


def _room(stay: Node, path: str, currency: Currency) -> SoldRoom:
    kind, plan = stay.at("RoomTypes", "RoomType"), stay.at("RatePlans", "RatePlan")
    span = stay.child("TimeSpan")
    if span is None:
        raise InvalidInputError(f"{path}.TimeSpan", "required")
    try:
        nights = StayRange.parse(span.attr.get("Start", ""), span.attr.get("End", ""))
    except InvalidInputError as error:
        raise InvalidInputError(f"{path}.{error.field}", error.reason) from None
    adults, ages = _guests(stay, path)
    return SoldRoom(
        room_code="" if kind is None else kind.attr.get("RoomTypeCode", ""),
        rate_code="" if plan is None else plan.attr.get("RatePlanCode", ""),
        stay=nights,
        adults=adults,
        child_ages=ages,
        children=len(ages),
        nightly=_nightly(stay.child("Total"), nights, currency, f"{path}.Total"),
    )


def _guests(stay: Node, path: str) -> tuple[int, tuple[int, ...]]:
    """Return the adults and the ages of the children; whoever has an age is a child."""
    adults, ages = 0, []
    for part in stay.children("GuestCounts"):
        for each in part.children("GuestCount"):
            count = _whole(each.attr.get("Count", ""), 99, f"{path}.GuestCount")
            if "Age" in each.attr:
                ages += [_whole(each.attr["Age"], 150, f"{path}.Age")] * count
            else:
                adults += count
    return adults, tuple(sorted(ages))


def _whole(text: str, most: int, field: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and int(text) <= most):
        raise InvalidInputError(field, "out_of_range")
    return int(text)


def _nightly(total: Node | None, nights: StayRange, currency: Currency, field: str) -> tuple[int, ...]:
    """Return the price of each night: the stay's, spread evenly to the last unit; empty where none is told."""
    text = "" if total is None else total.attr.get("AmountAfterTax", "")
    if not text:
        return ()
    whole, _, fraction = text.partition(".")
    kept = fraction.rstrip("0") if len(fraction) > currency.digits else fraction
    amount = Money.parse(f"{whole}.{kept}" if kept else whole, currency, field=field)
    if amount.minor < 0:
        raise InvalidInputError(field, "negative")
    return tuple(each.minor for each in amount.split(nights.length))


def _guest(item: Node) -> SoldTo:
    customer = item.at("ResGuests", "ResGuest", "Profiles", "ProfileInfo", "Profile", "Customer")
    if customer is None:
        return SoldTo()
    name = (customer.said("PersonName", "GivenName"), customer.said("PersonName", "Surname"))
    phones = {
        each.attr.get("PhoneTechType", "1"): each.attr.get("PhoneNumber", "")
        for each in reversed(customer.children("Telephone"))
    }
    country = customer.at("Address", "CountryName")
    return SoldTo(
        name=" ".join(each for each in name if each),
        email=customer.said("Email"),
        phone=next((phones[each] for each in _VOICE_OR_MOBILE if phones.get(each)), ""),
        country="" if country is None else country.attr.get("Code", ""),
    )


def _requests(item: Node) -> str:
    """Return what the guest wrote, and what the portal says is included."""
    told: list[str] = []
    for comment in item.walk("Comment"):
        listed = ", ".join(each.text for each in comment.children("ListItem") if each.text)
        words = " ".join(comment.said("Text").split())
        told += [f"{comment.attr.get('Name', '')}: {listed}".lstrip(": ")] if listed else []
        told += [words] if words else []
    return without_cards("\n".join(told))[:_LONGEST_REQUEST]


def _malformed(item: Node, reason: str) -> Malformed:
    return set_aside(written(plain(item)), reason, revision_id=_malformed_id(item))


def _malformed_id(item: Node) -> str:
    """Return the id by which it is known when it comes again: a booking is told once, its changes share its id."""
    try:
        key = _unique_id(item)[1]
    except InvalidInputError:
        return ""
    word = item.attr.get("ResStatus", "")
    return key if _STATUSES.get(word) is RevisionStatus.NEW else f"{key}:{_digest(item)[:24]}"


def _digest(item: Node) -> str:
    """Return what is the same whenever the same is told: order of attributes and white space do not count."""
    return sha256(written(plain(item))).hexdigest()
