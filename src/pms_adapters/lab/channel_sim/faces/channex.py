"""Channex as it describes itself: JSON over HTTPS, nights with inclusive ends, warnings in answers of success.

Owns what each address answers. It takes what is right of a message and warns about the rest; the feed tells every
revision until it is acknowledged. Two counts a property and minute, ten calls each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import ClassVar, Final

from pms_adapters.http.door import Answer
from pms_adapters.lab.channel_sim.face import FACES, Arrived, Face, FaceSetting, answer_of
from pms_adapters.lab.channel_sim.faces.channex_documents import Documents
from pms_adapters.lab.channel_sim.faces.channex_values import FLAGS, MINIMA, Problems, Taking
from pms_adapters.serialization.json import parse, written
from pms_adapters.serialization.unreadable import UnreadableError
from pmscore.channels.model.manifest import CallGroup, CallKind, Window
from pmscore.channels.model.revisions import Revision
from pmscore.dates.ranges import DateRange
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Json
from pmscore.kernel.money import Money
from pmscore.kernel.ports import Clock
from pmscore.kernel.secrets import Secret
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.testing.channel_hostility import Hostility
from pmscore.testing.channel_platform import RemotePlatform

__all__ = ["ChannexFace", "open_channex"]

_MOST_BYTES: Final = 10_000_000
_ACK: Final = re.compile(r"/booking_revisions/([^/]+)/ack")
_DAY: Final = timedelta(days=1)


class ChannexFace(Face):
    """One property of a Channex account; its bookings come from the platform that is called ``ota_name`` there."""

    name: ClassVar[str] = "channex"
    addresses: ClassVar[tuple[str, ...]] = (
        "https://app.channex.io/api/v1",
        "https://staging.channex.io/api/v1",
    )
    limits: ClassVar[tuple[CallGroup, ...]] = (
        CallGroup(
            name="availability",
            kinds=frozenset({CallKind.PUSH_AVAILABILITY}),
            windows=(Window(calls=10, seconds=60),),
            in_flight=1000,
        ),
        CallGroup(
            name="restrictions",
            kinds=frozenset({CallKind.PUSH_PRICING}),
            windows=(Window(calls=10, seconds=60),),
            in_flight=1000,
        ),
    )

    def __init__(
        self,
        platform: RemotePlatform,
        *,
        clock: Clock,
        api_key: Secret,
        property_id: str,
        currency: str,
        hostility: Hostility | None = None,
        occupancies: Sequence[int] = (),
        ota_name: str = "BookingCom",
    ) -> None:
        super().__init__(platform, clock=clock, hostility=hostility)
        self._api_key = api_key
        self._property_id = property_id
        self._currency = Currency.of(currency)
        self._documents = Documents(property_id, self._currency, occupancies, ota_name)
        self._taking = Taking(
            platform, property_id=property_id, currency=self._currency, occupancies=occupancies
        )

    def kind_of(self, call: Arrived) -> CallKind:
        """Return the count that an address belongs to, whether it is written to or read."""
        match call.path:
            case "/availability":
                return CallKind.PUSH_AVAILABILITY
            case "/restrictions":
                return CallKind.PUSH_PRICING
            case "/booking_revisions/feed":
                return CallKind.PULL
            case path if _ACK.fullmatch(path):
                return CallKind.ACKNOWLEDGE
            case _:
                return CallKind.CHECK

    def too_many(self) -> Answer:
        """Return 429; the count is of a minute."""
        return _refusal(429, "http_too_many_requests", "Too Many Requests", retry_after="60")

    def knock(self, sold: Revision) -> bytes:
        """Return the message of a webhook about a booking."""
        return written(self._documents.knock(sold))

    def answer(self, call: Arrived) -> Answer:
        """Return what the address answers."""
        if call.headers.get("user-api-key", "") != self._api_key.reveal():
            return _refusal(401, "unauthorized", "Unauthorized")
        acknowledged = _ACK.fullmatch(call.path)
        match call.method, call.path:
            case "GET", "/properties":
                return self._listed(call, [self._documents.house()], "title")
            case "GET", "/room_types":
                return self._listed(
                    call, self._own(call, self._documents.room_types(self.platform.rooms)), "title"
                )
            case "GET", "/rate_plans":
                return self._listed(
                    call, self._own(call, self._documents.rate_plans(self.platform.rooms)), "title"
                )
            case "POST", "/availability":
                return self._taken(call, self._taking.availability)
            case "POST", "/restrictions":
                return self._taken(call, self._taking.restrictions)
            case "GET", "/availability" | "/restrictions":
                return self._cells(call)
            case "GET", "/booking_revisions/feed":
                return self._listed(call, self._own(call, self._feed()), "inserted_at")
            case "GET", "/bookings":
                return self._listed(call, self._own(call, self._bookings(call)), "inserted_at")
            case "POST", _ if acknowledged is not None:
                self.platform.acknowledge((acknowledged[1],))
                return _json(200, {"meta": {"message": "Success"}})
            case _:
                return _refusal(404, "resource_not_found", "Resource Not Found")

    # What is there

    def _own(self, call: Arrived, items: Iterable[dict[str, Json]]) -> list[dict[str, Json]]:
        asked = call.query.get("filter[property_id]", self._property_id)
        return [*items] if asked == self._property_id else []

    # What it is told

    def _taken(self, call: Arrived, take: Callable[[Mapping[str, Json]], Problems]) -> Answer:
        try:
            document = parse(call.body, most_bytes=_MOST_BYTES)
        except UnreadableError:
            return _refusal(400, "bad_request", "Bad Request")
        values = document.get("values") if isinstance(document, dict) else None
        if not isinstance(values, list):
            return _refusal(
                422, "validation_error", "Validation Error", details={"values": ["can't be blank"]}
            )
        warnings: list[Json] = []
        for each in values:
            said = each if isinstance(each, dict) else {}
            problems = take(said)
            if problems:
                placed = {name: value for name, value in said.items() if name in _PLACES}
                told: dict[str, Json] = {name: [*texts] for name, texts in problems.items()}
                warnings.append({**placed, "warning": told})
        tasks: list[Json] = (
            [] if warnings else [{"id": "cccccccc-0000-4000-8000-000000000001", "type": "task"}]
        )
        return _json(200, {"data": tasks, "meta": {"message": "Success", "warnings": warnings}})

    # What it tells

    def _cells(self, call: Arrived) -> Answer:
        try:
            first = date.fromisoformat(call.query.get("filter[date][gte]", ""))
            nights = DateRange(first, date.fromisoformat(call.query.get("filter[date][lte]", "")) + _DAY)
        except (ValueError, InvalidInputError):
            return _refusal(400, "bad_request", "Bad Request")
        if call.query.get("filter[property_id]") != self._property_id:
            return _refusal(404, "resource_not_found", "Resource Not Found")
        data: dict[str, Json] = {}
        if call.path == "/availability":
            for code in self.platform.rooms:
                counts = self.platform.row(code, "", MatrixField.SELLABLE, nights)
                data[code] = _by_day(nights, counts)
            return _json(200, {"data": data})
        names = call.query.get("filter[restrictions]", "").split(",")
        for room_code, rate_codes in self.platform.rooms.items():
            for code in rate_codes:
                data[code] = self._restrictions(room_code, code, names, nights)
        return _json(200, {"data": data})

    def _restrictions(self, room: str, rate: str, names: Iterable[str], nights: DateRange) -> Json:
        days: dict[str, dict[str, Json]] = {}
        fields = {"rate": MatrixField.RATE, "max_stay": MatrixField.MAX_STAY_ARRIVAL} | FLAGS | MINIMA
        for name in names:
            if name not in fields:
                continue
            for day, value in _by_day(nights, self.platform.row(room, rate, fields[name], nights)).items():
                if isinstance(value, int):
                    days.setdefault(day, {})[name] = self._shown(name, value)
        return {day: {**cells} for day, cells in days.items()}

    def _shown(self, name: str, value: int) -> Json:
        if name == "rate":
            return Money(value, self._currency).plain()
        if name in FLAGS:
            return bool(value)
        return max(value, 1) if name in MINIMA else value

    def _bookings(self, call: Arrived) -> list[dict[str, Json]]:
        departs = call.query.get("filter[departure_date][gte]", "")
        arrives = call.query.get("filter[arrival_date][lte]", "9999")
        return [
            self._documents.booking(sold)
            for sold in self.platform.bookings.values()
            if max(room.stay.departure for room in sold.rooms).isoformat() >= departs
            and min(room.stay.arrival for room in sold.rooms).isoformat() <= arrives
        ]

    def _feed(self) -> list[dict[str, Json]]:
        pending = self.platform.pending(10_000)
        if self.hostility is not None:
            repeated = self.hostility.delivered(self.platform.history[-3:])[3:]
            pending = (*self.hostility.delivered(pending), *repeated)
        found = [self._documents.revision(each) for each in pending]
        for each in self.platform.pending_garbled():
            nonsense: dict[str, Json] = {"id": each.message_id, "status": "new", "rooms": each.text}
            found.append({"type": "booking_revision", "id": each.message_id, "attributes": nonsense})
        return found

    def _listed(self, call: Arrived, items: Sequence[dict[str, Json]], order: str) -> Answer:
        page, limit = _number(call, "page", 1), min(_number(call, "limit", 10), 100)
        shown: list[Json] = [*items[(page - 1) * limit : page * limit]]
        meta: dict[str, Json] = {
            "page": page,
            "limit": limit,
            "total": len(items),
            "order_by": order,
            "order_direction": "asc",
        }
        return _json(200, {"data": shown, "meta": meta})


_PLACES: Final = frozenset({"property_id", "room_type_id", "rate_plan_id", "date", "date_from", "date_to"})


@FACES.register(ChannexFace.name)
def open_channex(setting: FaceSetting) -> ChannexFace:
    """Return the face of one property of an account with the key ``api_key``."""
    return ChannexFace(
        setting.platform(ChannexFace),
        clock=setting.clock,
        api_key=setting.credentials["api_key"],
        property_id=setting.listing_id,
        currency=setting.currency,
        hostility=setting.hostility,
        occupancies=setting.occupancies,
        ota_name=setting.sold_on,
    )


def _number(call: Arrived, name: str, default: int) -> int:
    text = call.query.get(f"pagination[{name}]", "")
    return max(int(text), 1) if text.isascii() and text.isdigit() else default


def _by_day(nights: DateRange, values: Iterable[int | None]) -> dict[str, Json]:
    return {
        day.isoformat(): value
        for day, value in zip(nights.nights(), values, strict=True)
        if value is not None
    }


def _json(status: int, document: dict[str, Json], **headers: str) -> Answer:
    return answer_of(status, written(document), content_type="application/json; charset=utf-8", **headers)


def _refusal(
    status: int, code: str, title: str, *, details: dict[str, Json] | None = None, **headers: str
) -> Answer:
    errors: dict[str, Json] = {"code": code, "title": title}
    if details is not None:
        errors["details"] = details
    return _json(status, {"errors": errors}, **headers)
