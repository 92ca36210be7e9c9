"""The documents of a portal: what was sold, outcomes, and the handshake.

Owns their form, which is that of the published samples, with the card of each guest as portals send it.
"""

from __future__ import annotations

from collections.abc import Iterable

from pms_adapters.serialization.json import parse as parse_json
from pms_adapters.serialization.json import written as written_json
from pms_adapters.serialization.unreadable import UnreadableError
from pms_adapters.serialization.xml import Element, Node, element
from pmscore.channels.model.revisions import Revision, RevisionStatus, SoldRoom
from pmscore.kernel.currency import Currency
from pmscore.kernel.events import Json
from pmscore.kernel.money import Money
from pmscore.testing.channel_platform import Garbled

__all__ = ["acknowledged", "errors", "handshaken", "list_of", "success"]

_STATUSES = {
    RevisionStatus.NEW: ("14", "Reserved"),
    RevisionStatus.CHANGED: ("14", "Modify"),
    RevisionStatus.CANCELLED: ("15", "Cancelled"),
}
_CAN = {
    "action_OTA_Ping": (),
    "action_OTA_HotelInvCountNotif": (
        "OTA_HotelInvCountNotif_accept_categories",
        "OTA_HotelInvCountNotif_accept_deltas",
    ),
    "action_OTA_Read": (),
}


def success(name: str) -> Element:
    """Return the answer of a message that was taken."""
    return element(name, element("Success"), Version="1.001")


def errors(name: str, code: str, text: str) -> Element:
    """Return the answer of a message that was not taken."""
    return element(
        name, element("Errors", element("Error", text=text, Type="13", Code=code)), Version="1.001"
    )


def handshaken(said: Node) -> Element:
    """Return the answer of a handshake: what both can, and what we were told, again."""
    echoed = said.said("EchoData")
    try:
        told = parse_json(echoed.encode())
    except UnreadableError:
        return errors("OTA_PingRS", "450", "Unable to process")
    offered = _offered(told)
    actions: list[Json] = [
        {"action": name, "supports": list(supports)} if supports else {"action": name}
        for name, supports in _CAN.items()
        if name in offered
    ]
    common: Json = {"versions": [{"version": "2020-10", "actions": actions}]}
    warning = element("Warning", text=written_json(common).decode(), Type="11", Status="ALPINEBITS_HANDSHAKE")
    return element(
        "OTA_PingRS",
        element("Success"),
        element("Warnings", warning),
        element("EchoData", text=echoed),
        Version="8.000",
    )


def list_of(sold: Iterable[Revision], garbled: Iterable[Garbled], hotel_code: str) -> Element:
    """Return the answer that tells what was sold."""
    told = [_reservation(each, hotel_code) for each in sold]
    told += [
        element(
            "HotelReservation",
            element("UniqueID", Type="14", ID=each.message_id),
            element("RoomStays", text=each.text),
            CreateDateTime="soon",
            ResStatus="Reserved",
        )
        for each in garbled
    ]
    return element(
        "OTA_ResRetrieveRS", element("Success"), element("ReservationsList", *told), Version="7.000"
    )


def acknowledged(said: Node) -> frozenset[tuple[str, str]]:
    """Return the kinds and ids that a report names."""
    return frozenset((each.attr.get("Type", ""), each.attr.get("ID", "")) for each in said.walk("UniqueID"))


def _reservation(sold: Revision, hotel_code: str) -> Element:
    kind, status = _STATUSES[sold.status]
    currency = Currency.of(sold.currency)
    given, _, surname = sold.guest.name.partition(" ")
    customer = element(
        "Customer",
        element("PersonName", element("GivenName", text=given), element("Surname", text=surname)),
        element("Email", text=sold.guest.email),
        Language="de",
    )
    profile = element("Profiles", element("ProfileInfo", element("Profile", customer)))
    return element(
        "HotelReservation",
        element("UniqueID", Type=kind, ID=sold.booking_key),
        element("RoomStays", *(_stay(each, currency) for each in sold.rooms)),
        element("ResGuests", element("ResGuest", profile)),
        element("ResGlobalInfo", element("BasicPropertyInfo", HotelCode=hotel_code)),
        CreateDateTime=sold.revised_at.isoformat(),
        ResStatus=status,
    )


def _stay(room: SoldRoom, currency: Currency) -> Element:
    guests = [element("GuestCount", Count=str(room.adults))]
    guests += [element("GuestCount", Count="1", Age=str(age)) for age in room.child_ages]
    plans = [element("RatePlans", element("RatePlan", RatePlanCode=room.rate_code))] if room.rate_code else []
    card = element(
        "PaymentCard",
        element("CardHolderName", text="Otto Mustermann"),
        element("CardNumber", element("PlainText", text="4444333322221111")),
        CardCode="VI",
        ExpireDate="1230",
    )
    return element(
        "RoomStay",
        element("RoomTypes", element("RoomType", RoomTypeCode=room.room_code)),
        *plans,
        element("GuestCounts", *guests),
        element("TimeSpan", Start=room.stay.arrival.isoformat(), End=room.stay.departure.isoformat()),
        element("Guarantee", element("GuaranteesAccepted", element("GuaranteeAccepted", card))),
        element(
            "Total", AmountAfterTax=Money(sum(room.nightly), currency).plain(), CurrencyCode=currency.code
        ),
    )


def _offered(told: Json) -> frozenset[str]:
    """Return the actions that a handshake offers of the version that is spoken here."""
    versions = told.get("versions") if isinstance(told, dict) else None
    found: set[str] = set()
    for each in versions if isinstance(versions, list) else ():
        if isinstance(each, dict) and each.get("version") == "2020-10":
            actions = each.get("actions")
            for action in actions if isinstance(actions, list) else ():
                name = action.get("action") if isinstance(action, dict) else None
                found |= {name} if isinstance(name, str) else set()
    return frozenset(found)
