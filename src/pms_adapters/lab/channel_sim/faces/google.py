"""Google's hotel prices as they describe themselves: three kinds of messages about nights, each taken whole or not at all.

Owns what is checked and how it is answered. A product is closed until it was opened; rates replace those of all
numbers of guests on their nights; counts and rules leave alone what they do not say. A partner is known by its key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import ClassVar, Final

from attrs import frozen

from pms_adapters.http.door import Answer
from pms_adapters.lab.channel_sim.face import FACES, Arrived, Face, FaceSetting, answer_of
from pms_adapters.serialization.unreadable import UnreadableError
from pms_adapters.serialization.xml import Element, Node, element, parse, written
from pmscore.channels.model.manifest import CallKind
from pmscore.dates.ranges import DateRange
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.money import Money
from pmscore.kernel.ports import Clock
from pmscore.kernel.secrets import Secret
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.testing.channel_hostility import Hostility
from pmscore.testing.channel_platform import RemotePlatform

__all__ = ["GoogleFace", "open_google"]

_OTA: Final = "http://www.opentravel.org/OTA/2003/05"
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]+")
_DAY: Final = timedelta(days=1)
_LONGEST: Final = 365
"""A longest stay of a year or more is no rule."""
_STATUSES: Final = {
    "Master": MatrixField.CLOSED,
    "Arrival": MatrixField.CLOSED_TO_ARRIVAL,
    "Departure": MatrixField.CLOSED_TO_DEPARTURE,
}
_LENGTHS: Final = {
    "SetMinLOS": MatrixField.MIN_STAY_ARRIVAL,
    "SetMaxLOS": MatrixField.MAX_STAY_ARRIVAL,
    "SetForwardMinStay": MatrixField.MIN_STAY_THROUGH,
    "SetForwardMaxStay": MatrixField.MAX_STAY_THROUGH,
}
_PATHS: Final = {
    "/ota/hotel_inv_count_notif": "OTA_HotelInvCountNotif",
    "/ota/hotel_rate_amount_notif": "OTA_HotelRateAmountNotif",
    "/ota/hotel_avail_notif": "OTA_HotelAvailNotif",
}


@frozen(kw_only=True)
class _Cell:
    """One thing that a message says of some nights."""

    room: str
    rate: str
    name: MatrixField
    nights: DateRange
    value: int
    occupancy: int = 0


class _WrongError(Exception):
    """Something of a message is not as it has to be."""


class GoogleFace(Face):
    """One hotel of a partner's account."""

    name: ClassVar[str] = "google_ari"
    addresses: ClassVar[tuple[str, ...]] = ("https://www.google.com/travel/hotels/uploads",)
    sells: ClassVar[bool] = False

    def __init__(
        self,
        platform: RemotePlatform,
        *,
        clock: Clock,
        partner_key: Secret,
        hotel_code: str,
        currency: str,
        hostility: Hostility | None = None,
    ) -> None:
        super().__init__(platform, clock=clock, hostility=hostility)
        self._partner_key = partner_key
        self._hotel_code = hotel_code
        self._currency = Currency.of(currency)

    def kind_of(self, call: Arrived) -> CallKind:
        """Return the count that an address belongs to."""
        if call.path == "/ota/hotel_inv_count_notif":
            return CallKind.PUSH_AVAILABILITY
        return CallKind.PUSH_PRICING

    def too_many(self) -> Answer:
        """Return 429."""
        return answer_of(429, b"Too many requests", content_type="text/plain", retry_after="60")

    def is_for_sale(self, room: str, rate: str, day: date) -> bool:
        """Return whether a product was opened on a night and there is a room left."""
        master = self.platform.cell(room, rate, MatrixField.CLOSED, day)
        return master == 0 and (self.platform.cell(room, "", MatrixField.SELLABLE, day) or 0) > 0

    def answer(self, call: Arrived) -> Answer:
        """Return what the address answers; what is wrong in a message refuses all of it."""
        name = _PATHS.get(call.path)
        if name is None or call.method != "POST":
            return answer_of(404, b"Not found", content_type="text/plain")
        try:
            said = parse(call.body)
        except UnreadableError:
            return answer_of(400, b"Bad request", content_type="text/plain")
        asks = said.at("POS", "Source", "RequestorID")
        if asks is None or asks.attr.get("ID") != self._partner_key.reveal():
            return answer_of(403, b"Forbidden", content_type="text/plain")
        token = said.attr.get("EchoToken", "")
        try:
            cells = [*self._cells(name, said)]
        except (_WrongError, InvalidInputError, ValueError) as error:
            return self._answered(name, token, _errors(str(error)))
        if said.attr.get("NotifType") == "Overlay":
            self._forget(cells)
        for each in cells:
            self.platform.tell(
                each.room, each.rate, each.name, each.nights, each.value, occupancy=each.occupancy
            )
        return self._answered(name, token, element("Success"))

    def _cells(self, name: str, said: Node) -> Iterator[_Cell]:
        token = said.attr.get("EchoToken", "")
        if said.name != f"{name}RQ" or not _TOKEN.fullmatch(token) or not said.attr.get("TimeStamp"):
            raise _WrongError("the head is not as it has to be")
        match name:
            case "OTA_HotelInvCountNotif":
                yield from self._each(said, "Inventories", "Inventory", self._counts)
            case "OTA_HotelRateAmountNotif":
                yield from self._each(said, "RateAmountMessages", "RateAmountMessage", self._rates)
            case _:
                yield from self._each(said, "AvailStatusMessages", "AvailStatusMessage", self._rules)

    def _each(
        self, said: Node, around: str, item: str, read: Callable[[Node, str, str, DateRange], Iterator[_Cell]]
    ) -> Iterator[_Cell]:
        items = said.child(around)
        if items is None or items.attr.get("HotelCode") != self._hotel_code:
            raise _WrongError("the hotel is not known")
        for each in items.children(item):
            place = each.child("StatusApplicationControl")
            if place is None:
                raise _WrongError("nobody knows what it is about")
            room, rate = place.attr.get("InvTypeCode", ""), place.attr.get("RatePlanCode", "")
            if room not in self.platform.rooms or rate not in {"", *self.platform.rooms[room]}:
                raise _WrongError(f"there is no {room} {rate}")
            start, end = (date.fromisoformat(place.attr.get(key, "")) for key in ("Start", "End"))
            yield from read(each, room, rate, DateRange(start, end + _DAY))

    def _counts(self, said: Node, room: str, rate: str, nights: DateRange) -> Iterator[_Cell]:
        count = said.at("InvCounts", "InvCount")
        if rate or count is None or count.attr.get("CountType") != "2":
            raise _WrongError("a count is of a room and of type 2")
        value = _whole(count.attr, "Count", least=0)
        yield _Cell(room=room, rate="", name=MatrixField.SELLABLE, nights=nights, value=value)

    def _rates(self, said: Node, room: str, rate: str, nights: DateRange) -> Iterator[_Cell]:
        amounts = [*said.walk("BaseByGuestAmt")]
        if not rate or not amounts:
            raise _WrongError("a rate is of a package and has an amount")
        for each in amounts:
            text = each.attr.get("AmountAfterTax") or each.attr.get("AmountBeforeTax") or ""
            if each.attr.get("CurrencyCode") != self._currency.code:
                raise _WrongError("the currency is not that of the hotel")
            yield _Cell(
                room=room,
                rate=rate,
                name=MatrixField.RATE,
                nights=nights,
                value=Money.parse(text, self._currency).minor,
                occupancy=_whole(each.attr, "NumberOfGuests", least=1)
                if "NumberOfGuests" in each.attr
                else 0,
            )

    def _rules(self, said: Node, room: str, rate: str, nights: DateRange) -> Iterator[_Cell]:
        if not rate:
            raise _WrongError("a rule is of a package")
        status = said.child("RestrictionStatus")
        if status is not None:
            name, word = _STATUSES.get(status.attr.get("Restriction", "")), status.attr.get("Status")
            if name is None or word not in {"Open", "Close"}:
                raise _WrongError("there is no such status")
            yield _Cell(room=room, rate=rate, name=name, nights=nights, value=int(word == "Close"))
        for each in said.walk("LengthOfStay"):
            name, time = (
                _LENGTHS.get(each.attr.get("MinMaxMessageType", "")),
                _whole(each.attr, "Time", least=1),
            )
            if name is None or each.attr.get("TimeUnit") != "Day":
                raise _WrongError("there is no such length of stay")
            is_least = name in {MatrixField.MIN_STAY_ARRIVAL, MatrixField.MIN_STAY_THROUGH}
            is_rule = time > 1 if is_least else time < _LONGEST
            yield _Cell(room=room, rate=rate, name=name, nights=nights, value=time if is_rule else 0)

    def _forget(self, cells: Sequence[_Cell]) -> None:
        """Take away what was said for any number of guests on the nights of these."""
        for each in cells:
            for (room, rate, name, _), row in self.platform.cells.items():
                if (room, rate, name) == (each.room, each.rate, each.name):
                    for night in range(each.nights.first_ordinal, each.nights.end_ordinal):
                        row.pop(night, None)

    def _answered(self, name: str, token: str, said: Element) -> Answer:
        head = {"TimeStamp": f"{self.clock.now():%Y-%m-%dT%H:%M:%SZ}", "EchoToken": token, "Version": "3.0"}
        body = written(Element(f"{name}RS", head, "", (said,)), namespace=_OTA)
        return answer_of(200, body, content_type="application/xml")


@FACES.register(GoogleFace.name)
def open_google(setting: FaceSetting) -> GoogleFace:
    """Return the face of a hotel of the partner with the key ``google_hotels_partner_key``."""
    return GoogleFace(
        setting.platform(GoogleFace),
        clock=setting.clock,
        partner_key=setting.credentials["google_hotels_partner_key"],
        hotel_code=setting.listing_id,
        currency=setting.currency,
        hostility=setting.hostility,
    )


def _errors(text: str) -> Element:
    return element(
        "Errors",
        element("Error", Type="12", Code="1001", Status="NotProcessed", ShortText=text or "not readable"),
    )


def _whole(said: Mapping[str, str], name: str, *, least: int) -> int:
    text = said.get(name, "")
    if not (text.isascii() and text.isdigit()) or int(text) < least:
        raise _WrongError(f"{name} is no whole number from {least} on")
    return int(text)
