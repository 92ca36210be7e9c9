"""Booking.com as it describes itself: OTA messages over HTTPS, tokens of an hour, two queues of reservations.

Owns what each address answers, the tokens, and which reservation stands in which queue. A message about
nights is taken as a whole or not at all. A queue tells a reservation as it is now until its id is
acknowledged; what has changed since it was last told comes in the queue of changes. Thirty exchanges of a
token an hour are published.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import ClassVar, Final

from pms_adapters.http.door import Answer
from pms_adapters.lab.channel_sim.face import FACES, Arrived, Face, FaceSetting, answer_of
from pms_adapters.lab.channel_sim.faces.booking_com_documents import Documents
from pms_adapters.lab.channel_sim.faces.booking_com_taking import Taking
from pms_adapters.serialization import json
from pms_adapters.serialization.unreadable import UnreadableError
from pms_adapters.serialization.xml import Node, parse
from pmscore.channels.model.manifest import CallGroup, CallKind, Window
from pmscore.channels.model.revisions import Revision, RevisionStatus
from pmscore.kernel.currency import Currency
from pmscore.kernel.events import Json
from pmscore.kernel.ports import Clock
from pmscore.kernel.secrets import Secret
from pmscore.testing.channel_hostility import Hostility
from pmscore.testing.channel_platform import RemotePlatform

__all__ = ["EXCHANGE", "BookingComFace", "open_booking_com"]

EXCHANGE: Final = "/token-based-authentication/exchange"
_OTA: Final = "/hotels/ota/"
_NEW: Final = "OTA_HotelResNotif"
_CHANGES: Final = "OTA_HotelResModifyNotif"
_COUNTS_AND_RULES: Final = "OTA_HotelAvailNotif"
_RATES: Final = "OTA_HotelRateAmountNotif"
_LASTS: Final = timedelta(hours=1)
_REST: Final = timedelta(seconds=5)


class BookingComFace(Face):
    """One property that a partner's machine account may speak for.

    ``exchanges`` counts the tokens that were given out; ``hurried`` how often a queue was looked into within five
    seconds after an acknowledgement to it.
    """

    name: ClassVar[str] = "booking_ota"
    addresses: ClassVar[tuple[str, ...]] = (
        "https://supply-xml.booking.com",
        "https://secure-supply-xml.booking.com",
        "https://connectivity-authentication.booking.com",
    )
    limits: ClassVar[tuple[CallGroup, ...]] = (
        CallGroup(
            name="token",
            kinds=frozenset({CallKind.TOKEN}),
            windows=(Window(calls=30, seconds=3600),),
            in_flight=1000,
        ),
    )

    def __init__(
        self,
        platform: RemotePlatform,
        *,
        clock: Clock,
        client_id: Secret,
        client_secret: Secret,
        hotel_code: str,
        currency: str,
        hostility: Hostility | None = None,
        occupancies: Sequence[int] = (),
    ) -> None:
        super().__init__(platform, clock=clock, hostility=hostility)
        self.exchanges = 0
        self.hurried = 0
        self._account: dict[str, Json] = {
            "client_id": client_id.reveal(),
            "client_secret": client_secret.reveal(),
        }
        self._hotel_code = hotel_code
        self._documents = Documents(hotel_code, Currency.of(currency))
        self._taking = Taking(
            platform, hotel_code=hotel_code, currency=Currency.of(currency), occupancies=occupancies
        )
        self._token = ""
        self._token_until: datetime | None = None
        self._told: dict[str, str] = {}
        self._confirmed: set[str] = set()
        self._rests_until: dict[str, datetime] = {}

    def kind_of(self, call: Arrived) -> CallKind:
        """Return the count that an address belongs to."""
        match call.method, call.path.removeprefix(_OTA):
            case _, path if path == EXCHANGE:
                return CallKind.TOKEN
            case "POST", path if path == _COUNTS_AND_RULES:
                return CallKind.PUSH_AVAILABILITY
            case "POST", path if path == _RATES:
                return CallKind.PUSH_PRICING
            case "GET", _:
                return CallKind.PULL
            case _:
                return CallKind.ACKNOWLEDGE

    def too_many(self) -> Answer:
        """Return 429; the count is of an hour."""
        return answer_of(429, b"Too Many Requests", content_type="text/plain", retry_after="600")

    def expire_token(self) -> bool:
        """Forget the token that was given out."""
        self._token = ""
        return True

    def answer(self, call: Arrived) -> Answer:
        """Return what the address answers."""
        if call.path == EXCHANGE:
            return self._exchanged(call)
        if not self._is_signed_in(call):
            return answer_of(401, b"Unauthorized", content_type="text/plain")
        name = call.path.removeprefix(_OTA)
        match call.method, name:
            case "GET", _ if name in {_NEW, _CHANGES}:
                return self._queue(call, name)
            case "POST", _ if name in {_NEW, _CHANGES}:
                return self._acknowledged(call, name)
            case "POST", _ if name in {_COUNTS_AND_RULES, _RATES}:
                return self._taken(call, name)
            case _:
                return answer_of(404, b"Not Found", content_type="text/plain")

    # Tokens

    def _exchanged(self, call: Arrived) -> Answer:
        try:
            said = json.parse(call.body)
        except UnreadableError:
            return answer_of(400, b"Bad Request", content_type="text/plain")
        if call.method != "POST" or said != self._account:
            return answer_of(401, b"Unauthorized", content_type="text/plain")
        self.exchanges += 1
        now = self.clock.now()
        self._token_until = now + _LASTS
        claims: dict[str, Json] = {"exp": int(self._token_until.timestamp()), "jti": str(self.exchanges)}
        parts = (json.written({"alg": "RS256"}), json.written(claims), sha256(json.written(claims)).digest())
        self._token = ".".join(urlsafe_b64encode(each).decode().rstrip("=") for each in parts)
        return answer_of(
            200, json.written({"jwt": self._token, "ruid": "r-1"}), content_type="application/json"
        )

    def _is_signed_in(self, call: Arrived) -> bool:
        is_present = self._token_until is not None and self.clock.now() < self._token_until
        return (
            bool(self._token) and is_present and call.headers.get("authorization") == f"Bearer {self._token}"
        )

    # What it is told

    def _taken(self, call: Arrived, name: str) -> Answer:
        said = _read(call)
        take = self._taking.rates if name == _RATES else self._taking.statuses
        problem = "INVALID_XML" if said is None or said.name != f"{name}RQ" else take(said, self.clock.now())
        return self._documents.answered(name, self.clock.now(), problem)

    # What it tells

    def _queue(self, call: Arrived, name: str) -> Answer:
        now = self.clock.now()
        self.hurried += now < self._rests_until.get(name, now)
        wanted = call.query.get("hotel_ids", self._hotel_code).split(",")
        found = self._standing_in(name) if self._hotel_code in wanted else ()
        self._told.update({each.booking_key: each.revision_id for each in found})
        if self.hostility is not None:
            found = self.hostility.delivered(found)
        garbled = self.platform.pending_garbled() if name == _NEW else ()
        return self._documents.queue(name, now, found, garbled)

    def _standing_in(self, name: str) -> tuple[Revision, ...]:
        """Return the newest state of each reservation that stands in a queue."""
        newest = {each.booking_key: each for each in self.platform.pending(10_000)}
        return tuple(
            each
            for key, each in newest.items()
            if (key in self._confirmed or each.status is RevisionStatus.CANCELLED) == (name == _CHANGES)
        )

    def _acknowledged(self, call: Arrived, name: str) -> Answer:
        now, said = self.clock.now(), _read(call)
        if said is None or said.name != f"{name}RS" or said.child("Success") is None:
            return self._documents.answered(name, now, "INVALID_XML")
        ids = [
            each.attr.get("ResID_Value", "")
            for each in said.walk("HotelReservationID")
            if each.attr.get("ResID_Source") != "RT"
        ]
        keys = [key for key in self.platform.bookings if self.platform.bookings[key].reference in ids]
        if len(keys) != len(set(ids)) or not ids:
            return self._documents.answered(name, now, "RESERVATION_NOT_FOUND")
        self._rests_until[name] = now + _REST
        for key in keys:
            self._settle(key)
        return self._documents.answered(name, now, "")

    def _settle(self, key: str) -> None:
        """Take a reservation out of its queue as it was told last; what has changed since then waits on."""
        last = self._told.get(key)
        if last is None:
            return
        self._confirmed.add(key)
        mine = [each.revision_id for each in self.platform.history if each.booking_key == key]
        self.platform.acknowledge(mine[: mine.index(last) + 1])


@FACES.register(BookingComFace.name)
def open_booking_com(setting: FaceSetting) -> BookingComFace:
    """Return the face of one property, for the machine account of the credentials."""
    return BookingComFace(
        setting.platform(BookingComFace),
        clock=setting.clock,
        client_id=setting.credentials["booking_com_client_id"],
        client_secret=setting.credentials["booking_com_client_secret"],
        hotel_code=setting.listing_id,
        currency=setting.currency,
        hostility=setting.hostility,
        occupancies=setting.occupancies,
    )


def _read(call: Arrived) -> Node | None:
    try:
        return parse(call.body)
    except UnreadableError:
        return None
