"""A portal as the AlpineBits standard describes its server: one address, a form with an action, documents of OpenTravel.

Owns what the address answers. A message is taken as a whole or not at all. What was sold is told until it is
acknowledged by its kind and id, and an acknowledgement counts for all that has them, told or not; with a start in the
question all that was made after it is told, acknowledged or not.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from datetime import datetime
from email.parser import BytesParser
from hmac import compare_digest
from typing import ClassVar

from attrs import frozen

from pms_adapters.http.door import Answer
from pms_adapters.lab.channel_sim.face import FACES, Arrived, Face, FaceSetting, answer_of
from pms_adapters.lab.channel_sim.faces.alpinebits_documents import (
    acknowledged,
    errors,
    handshaken,
    list_of,
    success,
)
from pms_adapters.lab.channel_sim.faces.alpinebits_rooms import RoomsTaken
from pms_adapters.serialization.unreadable import UnreadableError
from pms_adapters.serialization.xml import Element, Node, parse, written
from pmscore.channels.model.manifest import CallKind
from pmscore.channels.model.revisions import Revision, RevisionStatus
from pmscore.kernel.ports import Clock
from pmscore.kernel.secrets import Secret
from pmscore.testing.channel_hostility import Hostility
from pmscore.testing.channel_platform import RemotePlatform

__all__ = ["AlpineBitsFace", "open_alpinebits"]

_NAMESPACE = "http://www.opentravel.org/OTA/2003/05"
_VERSION = "2020-10"
_KINDS = {
    "OTA_HotelInvCountNotif:FreeRooms": CallKind.PUSH_AVAILABILITY,
    "OTA_Read:GuestRequests": CallKind.PULL,
    "OTA_NotifReport:GuestRequests": CallKind.ACKNOWLEDGE,
}


@frozen
class _Form:
    action: str
    request: bytes


class AlpineBitsFace(Face):
    """One hotel on a portal; whoever calls has a user name and a password."""

    name: ClassVar[str] = "alpinebits"
    addresses: ClassVar[tuple[str, ...]] = ("https://portal.example/alpinebits",)

    def __init__(
        self,
        platform: RemotePlatform,
        *,
        clock: Clock,
        username: Secret,
        password: Secret,
        hotel_code: str,
        hostility: Hostility | None = None,
    ) -> None:
        super().__init__(platform, clock=clock, hostility=hostility)
        pair = f"{username.reveal()}:{password.reveal()}".encode()
        self._knows = Secret(f"Basic {b64encode(pair).decode()}")
        self._hotel_code = hotel_code
        self._rooms = RoomsTaken(platform)

    def kind_of(self, call: Arrived) -> CallKind:
        """Return what the action of the form counts as."""
        return _KINDS.get(_form(call).action, CallKind.CHECK)

    def too_many(self) -> Answer:
        """Return 429; the standard names no limit, so only a bad day brings it."""
        return _plain(429, "ERROR:too many requests")

    def answer(self, call: Arrived) -> Answer:
        """Return what the address answers."""
        given = call.headers.get("authorization", "")
        if not compare_digest(given.encode(), self._knows.reveal().encode()):
            return _plain(401, "ERROR:invalid or missing username/password")
        if call.method != "POST":
            return _plain(405, "ERROR:only POST is known here")
        if call.headers.get("x-alpinebits-clientprotocolversion") != _VERSION:
            return _plain(400, "ERROR:unknown or missing protocol version")
        form = _form(call)
        try:
            said = parse(form.request)
        except UnreadableError:
            return _plain(400, "ERROR:request is no XML")
        match form.action, said.name:
            case "OTA_Ping:Handshaking", "OTA_PingRQ":
                return _document(handshaken(said))
            case "OTA_HotelInvCountNotif:FreeRooms", "OTA_HotelInvCountNotifRQ":
                return self._taken(said)
            case "OTA_Read:GuestRequests", "OTA_ReadRQ":
                return self._told(said)
            case "OTA_NotifReport:GuestRequests", "OTA_NotifReportRQ":
                return self._acknowledged(said)
            case _:
                return _plain(400, "ERROR:unknown or missing action")

    def _taken(self, said: Node) -> Answer:
        place = said.child("Inventories")
        problem = (
            ("392", "Invalid hotel code")
            if place is None or place.attr.get("HotelCode") != self._hotel_code
            else self._rooms.take(said)
        )
        name = "OTA_HotelInvCountNotifRS"
        return _document(success(name) if problem is None else errors(name, *problem))

    def _told(self, said: Node) -> Answer:
        place = said.at("ReadRequests", "HotelReadRequest")
        if place is None or place.attr.get("HotelCode") != self._hotel_code:
            return _document(errors("OTA_ResRetrieveRS", "392", "Invalid hotel code"))
        start = place.child("SelectionCriteria")
        told: Iterable[Revision] = self.platform.pending(10_000)
        if start is not None:
            since = datetime.fromisoformat(start.attr["Start"])
            told = tuple(each for each in self.platform.history if each.revised_at > since)
        if self.hostility is not None:
            told = self.hostility.delivered(tuple(told))
        garbled = () if start is not None else self.platform.pending_garbled()
        return _document(list_of(told, garbled, self._hotel_code))

    def _acknowledged(self, said: Node) -> Answer:
        known = acknowledged(said)
        self.platform.acknowledge(
            each.revision_id
            for each in self.platform.pending(10_000)
            if ("15" if each.status is RevisionStatus.CANCELLED else "14", each.booking_key) in known
        )
        return _document(success("OTA_NotifReportRS"))


@FACES.register(AlpineBitsFace.name)
def open_alpinebits(setting: FaceSetting) -> AlpineBitsFace:
    """Return the face of one hotel for the account with ``username`` and ``password``."""
    return AlpineBitsFace(
        setting.platform(AlpineBitsFace),
        clock=setting.clock,
        username=setting.credentials["username"],
        password=setting.credentials["password"],
        hotel_code=setting.listing_id,
        hostility=setting.hostility,
    )


def _form(call: Arrived) -> _Form:
    """Return the fields of a form; empty ones where it is none."""
    head = f"content-type: {call.headers.get('content-type', '')}\r\n\r\n".encode()
    found = {"action": b"", "request": b""}
    message = BytesParser().parsebytes(head + call.body)
    for part in message.get_payload() if message.is_multipart() else ():
        assert not isinstance(part, str)
        name = part.get_param("name", header="content-disposition")
        body = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(body, bytes):
            found[name] = body
    return _Form(found["action"].decode("utf-8", "replace"), found["request"])


def _document(root: Element) -> Answer:
    return answer_of(200, written(root, namespace=_NAMESPACE), content_type="text/xml; charset=utf-8")


def _plain(status: int, text: str) -> Answer:
    return answer_of(status, text.encode(), content_type="text/plain; charset=utf-8")
