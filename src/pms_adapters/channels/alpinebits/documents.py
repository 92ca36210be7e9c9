"""The documents that we write: free rooms, the question for what was sold, the acknowledgement, the handshake.

Owns their shape, which is that of the published samples. Both ends of a range are nights there; ours end before the
departure. A room of which none is free is named without a count. Leaves how they travel to ``form``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from pms_adapters.channels.alpinebits.actions import NAMESPACE, OFFERED, VERSION
from pms_adapters.serialization.json import written as written_json
from pms_adapters.serialization.xml import Element, element, written
from pmscore.channels.model.ari import Entry
from pmscore.channels.model.calls import At, Push
from pmscore.channels.model.mappings import MappedRoom
from pmscore.channels.model.revisions import Revision
from pmscore.kernel.errors import MisuseError
from pmscore.kernel.events import Json
from pmscore.pricing.views.matrix_rows import MatrixField

__all__ = ["free_rooms", "handshake", "read_request", "report"]


def free_rooms(at: At, push: Push) -> bytes:
    """Return the message of free rooms; a complete one replaces all that the server has."""
    inventories = element(
        "Inventories", *(_inventory(at, each) for each in push.entries), HotelCode=at.connection.listing_id
    )
    whole = (element("UniqueID", Type="16", ID="1", Instance="CompleteSet"),) if push.is_complete else ()
    return _document(element("OTA_HotelInvCountNotifRQ", *whole, inventories, Version="4"))


def read_request(hotel_code: str, *, since: datetime | None) -> bytes:
    """Return the question for what nobody has acknowledged or, with ``since``, for all that was made after it."""
    start = () if since is None else (element("SelectionCriteria", Start=_instant(since)),)
    asked = element("HotelReadRequest", *start, HotelCode=hotel_code)
    return _document(element("OTA_ReadRQ", element("ReadRequests", asked), Version="1.001"))


def report(revisions: Iterable[Revision]) -> bytes:
    """Return the acknowledgement of revisions, by the kind and id that each came with."""
    known = [
        element(
            "HotelReservation",
            element("UniqueID", Type=str(each.receipt["type"]), ID=str(each.receipt["id"])),
        )
        for each in revisions
    ]
    details = element("NotifDetails", element("HotelNotifReport", element("HotelReservations", *known)))
    return _document(element("OTA_NotifReportRQ", element("Success"), details, Version="1.000"))


def handshake() -> bytes:
    """Return the message that says which version and actions we can."""
    actions: list[Json] = [
        {"action": name, "supports": list(supports)} if supports else {"action": name}
        for name, supports in OFFERED.items()
    ]
    said = written_json({"versions": [{"version": VERSION, "actions": actions}]}).decode()
    return _document(element("OTA_PingRQ", element("EchoData", text=said), Version="8.000"))


def _inventory(at: At, entry: Entry) -> Element:
    mapped = at.mappings.by_id(entry.mapping_id)
    if not isinstance(mapped, MappedRoom):
        raise MisuseError(unmapped=str(entry.mapping_id))
    nights = element(
        "StatusApplicationControl",
        Start=entry.nights.start.isoformat(),
        End=entry.nights.last_night.isoformat(),
        InvTypeCode=mapped.room_code,
    )
    count = entry.values[MatrixField.SELLABLE, 0]
    if count <= 0:
        return element("Inventory", nights)
    return element(
        "Inventory", nights, element("InvCounts", element("InvCount", CountType="2", Count=str(count)))
    )


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")


def _document(root: Element) -> bytes:
    return written(root, namespace=NAMESPACE)
