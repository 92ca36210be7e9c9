"""The documents of a Channex property: its room types, its rate plans, revisions of its bookings.

Owns their form, which is that of the published examples.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from pmscore.channels.model.revisions import Revision, RevisionStatus, SoldRoom
from pmscore.kernel.currency import Currency
from pmscore.kernel.events import Json
from pmscore.kernel.money import Money

__all__ = ["Documents"]

_STATUSES: Final = {
    RevisionStatus.NEW: "new",
    RevisionStatus.CHANGED: "modified",
    RevisionStatus.CANCELLED: "cancelled",
}


class Documents:
    """Writes the documents of one property."""

    def __init__(
        self,
        property_id: str,
        currency: Currency,
        occupancies: Sequence[int] = (),
        ota_name: str = "BookingCom",
    ) -> None:
        self._property_id = property_id
        self._ota_name = ota_name
        self._currency = currency
        self._occupancies = tuple(occupancies)

    def house(self) -> dict[str, Json]:
        """Return the property."""
        said: dict[str, Json] = {
            "id": self._property_id,
            "title": "Simulated Property",
            "currency": self._currency.code,
            "timezone": "Europe/Berlin",
            "is_active": True,
        }
        return {"type": "property", "id": self._property_id, "attributes": said}

    def room_types(self, rooms: Iterable[str]) -> Iterator[dict[str, Json]]:
        """Yield the room type of each code."""
        for number, code in enumerate(rooms, 1):
            said: dict[str, Json] = {
                "id": code,
                "title": f"Room type {number}",
                "count_of_rooms": 10,
                "occ_adults": max(self._occupancies, default=2),
                "occ_children": 0,
                "occ_infants": 0,
                "default_occupancy": max(self._occupancies, default=2),
            }
            yield {
                "type": "room_type",
                "id": code,
                "attributes": said,
                "relationships": self._related("property", self._property_id),
            }

    def rate_plans(self, rooms: Mapping[str, Iterable[str]]) -> Iterator[dict[str, Json]]:
        """Yield the rate plans of each room type."""
        for room_code, rate_codes in rooms.items():
            for number, code in enumerate(rate_codes, 1):
                options: list[Json] = [
                    {"occupancy": each, "is_primary": at == 0, "rate": 0}
                    for at, each in enumerate(sorted(self._occupancies or (2,), reverse=True))
                ]
                said: dict[str, Json] = {
                    "id": code,
                    "title": f"Rate plan {number}",
                    "sell_mode": "per_person" if self._occupancies else "per_room",
                    "rate_mode": "manual",
                    "currency": self._currency.code,
                    "parent_rate_plan_id": None,
                    "options": options,
                }
                related = self._related("property", self._property_id) | self._related("room_type", room_code)
                yield {"type": "rate_plan", "id": code, "attributes": said, "relationships": related}

    def _related(self, kind: str, code: str) -> dict[str, Json]:
        return {kind: {"data": {"type": kind, "id": code}}}

    def revision(self, sold: Revision) -> dict[str, Json]:
        """Return a revision of a booking, as the feed tells it."""
        nights = [room.stay for room in sold.rooms]
        name, _, surname = sold.guest.name.partition(" ")
        said: dict[str, Json] = {
            "id": sold.revision_id,
            "property_id": self._property_id,
            "booking_id": sold.booking_key,
            "unique_id": f"BDC-{sold.reference}",
            "system_id": None,
            "ota_reservation_code": sold.reference,
            "ota_name": self._ota_name or None,
            "status": _STATUSES[sold.status],
            "arrival_date": min(each.arrival for each in nights).isoformat(),
            "departure_date": max(each.departure for each in nights).isoformat(),
            "arrival_hour": "15:00",
            "amount": self._sum(sold.rooms),
            "currency": sold.currency,
            "notes": sold.requests or None,
            "payment_collect": "property",
            "payment_type": "credit_card",
            "occupancy": _guests(sold.rooms),
            "customer": {
                "name": name,
                "surname": surname,
                "mail": sold.guest.email,
                "phone": sold.guest.phone or None,
                "country": sold.guest.country or None,
                "city": None,
                "address": None,
                "zip": None,
                "language": "en",
            },
            "rooms": [self._room(each) for each in sold.rooms],
            "services": [],
            "guarantee": None,
            "inserted_at": sold.revised_at.replace(tzinfo=None).isoformat(timespec="microseconds"),
        }
        related = self._related("property", self._property_id) | self._related("booking", sold.booking_key)
        return {
            "type": "booking_revision",
            "id": sold.revision_id,
            "attributes": said,
            "relationships": related,
        }

    def booking(self, sold: Revision) -> dict[str, Json]:
        """Return a booking as it is now, which is what its newest revision says."""
        said = self.revision(sold)["attributes"]
        assert isinstance(said, dict)
        own = {name: value for name, value in said.items() if name != "booking_id"}
        own |= {"id": sold.booking_key, "revision_id": sold.revision_id}
        return {"type": "booking", "id": sold.booking_key, "attributes": own}

    def knock(self, sold: Revision) -> dict[str, Json]:
        """Return what a webhook says of a revision."""
        payload: dict[str, Json] = {
            "booking_id": sold.booking_key,
            "property_id": self._property_id,
            "revision_id": sold.revision_id,
        }
        at = sold.revised_at.replace(tzinfo=None).isoformat(timespec="microseconds")
        return {
            "event": "booking",
            "property_id": self._property_id,
            "user_id": None,
            "timestamp": f"{at}Z",
            "payload": payload,
        }

    def _room(self, room: SoldRoom) -> dict[str, Json]:
        days: dict[str, Json] = {
            night.isoformat(): Money(minor, self._currency).plain()
            for night, minor in zip(room.stay.nights(), room.nightly, strict=True)
        }
        return {
            "room_type_id": room.room_code,
            "rate_plan_id": room.rate_code or None,
            "checkin_date": room.stay.arrival.isoformat(),
            "checkout_date": room.stay.departure.isoformat(),
            "amount": self._sum((room,)),
            "days": days,
            "occupancy": _guests((room,)),
            "guests": [],
            "services": [],
            "taxes": [],
            "is_cancelled": False,
        }

    def _sum(self, rooms: Iterable[SoldRoom]) -> str:
        return Money(sum(sum(each.nightly) for each in rooms), self._currency).plain()


def _guests(rooms: Iterable[SoldRoom]) -> dict[str, Json]:
    found = tuple(rooms)
    return {
        "adults": sum(each.adults for each in found),
        "children": sum(each.children for each in found),
        "infants": sum(each.infants for each in found),
    }
