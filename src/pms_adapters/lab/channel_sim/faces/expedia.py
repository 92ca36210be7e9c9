"""Expedia QuickConnect as it describes itself: XML over HTTPS, the account in the body, errors with status 200.

Owns what each service answers. One message of a hotel is worked on at a time; a second one is refused with 3210.
Messages of a booking come one after the other: the next one only when the one before is confirmed. Who does not ask
for what was retrieved already gets each message once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC
from typing import ClassVar, Final

from pms_adapters.http.door import Answer
from pms_adapters.lab.channel_sim.face import FACES, Arrived, Face, FaceSetting, answer_of
from pms_adapters.lab.channel_sim.faces.expedia_frames import (
    REQUESTS,
    SUBJECTS,
    Refusal,
    RefusedError,
    answered,
    errors,
    success,
)
from pms_adapters.lab.channel_sim.faces.expedia_products import products
from pms_adapters.lab.channel_sim.faces.expedia_taking import Taking
from pms_adapters.serialization.unreadable import UnreadableError
from pms_adapters.serialization.xml import Element, Node, element, parse
from pmscore.channels.model.manifest import CallGroup, CallKind
from pmscore.channels.model.revisions import Revision, RevisionStatus, SoldRoom
from pmscore.kernel.currency import Currency
from pmscore.kernel.money import Money
from pmscore.kernel.ports import Clock
from pmscore.kernel.secrets import Secret
from pmscore.testing.channel_hostility import Hostility
from pmscore.testing.channel_platform import Garbled, RemotePlatform

__all__ = ["MOST_BOOKINGS", "ExpediaFace", "open_expedia"]

MOST_BOOKINGS: Final = 125
"""Of one answer."""

_MOST_CONFIRMED: Final = 10
_LONGEST_NUMBER: Final = 50
_PENDING, _RETRIEVED = "pending", "retrieved"
_TYPES: Final = {
    RevisionStatus.NEW: "Book",
    RevisionStatus.CHANGED: "Modify",
    RevisionStatus.CANCELLED: "Cancel",
}


class ExpediaFace(Face):
    """One hotel of an account; ``confirmed`` has the number of each message that was confirmed."""

    name: ClassVar[str] = "expedia_eqc"
    addresses: ClassVar[tuple[str, ...]] = ("https://services.expediapartnercentral.com/eqc",)
    limits: ClassVar[tuple[CallGroup, ...]] = (
        CallGroup(name="hotel", kinds=frozenset(CallKind), in_flight=1),
    )

    def __init__(
        self,
        platform: RemotePlatform,
        *,
        clock: Clock,
        credentials: Mapping[str, Secret],
        hotel_id: str,
        currency: str,
        hostility: Hostility | None = None,
        occupancies: Iterable[int] = (),
    ) -> None:
        super().__init__(platform, clock=clock, hostility=hostility)
        self._account = (credentials["username"].reveal(), credentials["password"].reveal())
        self._hotel_id = hotel_id
        self._currency = Currency.of(currency)
        self._taking = Taking(platform, self._currency, tuple(occupancies))
        self._retrieved: set[str] = set()
        self.confirmed: dict[tuple[str, str], str] = {}

    def kind_of(self, call: Arrived) -> CallKind:
        """Return what the call counts as; all count together."""
        if call.path == "/br":
            return CallKind.PULL
        if call.path == "/bc":
            return CallKind.ACKNOWLEDGE
        if call.path == "/parr":
            return CallKind.CHECK
        return CallKind.PUSH_AVAILABILITY if b"<Inventory" in call.body else CallKind.PUSH_PRICING

    def too_many(self) -> Answer:
        """Return the error of a second message of the hotel."""
        return errors("/ar", (Refusal(3210, "There is more than one connection for the hotel."),))

    def answer(self, call: Arrived) -> Answer:
        """Return what the service answers."""
        services: Mapping[str, Callable[[Node], Answer]] = {
            "/ar": self._update,
            "/br": self._retrieve,
            "/bc": self._confirm,
            "/parr": self._products,
        }
        if call.method != "POST" or call.path not in services:
            return answer_of(404, b"Not Found", content_type="text/plain")
        try:
            return services[call.path](self._checked(call))
        except RefusedError as error:
            return errors(call.path, (error.refusal,))

    def _checked(self, call: Arrived) -> Node:
        try:
            message = parse(call.body)
        except UnreadableError:
            raise RefusedError(2002, "The message is not well-formed XML.") from None
        if f'xmlns="{REQUESTS[call.path]}"'.encode() not in call.body:
            raise RefusedError(2010, "The namespace is not one of this service.")
        if message.name != f"{SUBJECTS[call.path]}RQ":
            raise RefusedError(3010, "The message is not valid by its schema.")
        who, hotel = message.child("Authentication"), message.child("Hotel")
        if who is None or (who.attr.get("username"), who.attr.get("password")) != self._account:
            raise RefusedError(1001, "The account could not be authenticated.")
        if hotel is None and call.path != "/br":
            raise RefusedError(3010, "The hotel is missing.")
        if hotel is not None and hotel.attr.get("id") != self._hotel_id:
            raise RefusedError(3202, "The hotel is not known, or not linked to the account.")
        return message

    # Nights

    def _update(self, message: Node) -> Answer:
        warned = self._taking.take(message)
        return success("/ar", *(element("Warning", text=each.text, code=str(each.code)) for each in warned))

    def _products(self, message: Node) -> Answer:
        if message.at("ParamSet", "ProductRetrieval") is None:
            raise RefusedError(4100, "Asking for nights is not simulated.")
        hotel = element("Hotel", id=self._hotel_id, name="Simulated hotel", city="Bolzano")
        return answered("/parr", element("ProductList", hotel, *products(self.platform.rooms)))

    # Bookings

    def _retrieve(self, message: Node) -> Answer:
        wanted = message.child("ParamSet") or Node("ParamSet")
        if wanted.child("Booking") or wanted.child("NbDaysInPast"):
            raise RefusedError(4100, "Asking for one booking, or for days in the past, is not simulated.")
        states = {each.attr.get("value", "") for each in wanted.children("Status")} or {_PENDING}
        open_now = [each for each in self._next_of_each() if self._state(each) in states]
        told = open_now[:MOST_BOOKINGS]
        if self.hostility is not None:
            told = [*self.hostility.delivered(told)][:MOST_BOOKINGS]
        found = [self._booking(each) for each in told]
        garbled = self.platform.pending_garbled()[: MOST_BOOKINGS - len(found)]
        found += [self._garbled(each) for each in garbled]
        self._retrieved.update(each.revision_id for each in told)
        return answered("/br", element("Bookings", *found))

    def _next_of_each(self) -> tuple[Revision, ...]:
        """Return the oldest message of each booking that is not confirmed."""
        oldest: dict[str, Revision] = {}
        for each in self.platform.pending(100_000):
            oldest.setdefault(each.booking_key, each)
        return tuple(oldest.values())

    def _state(self, sold: Revision) -> str:
        return _RETRIEVED if sold.revision_id in self._retrieved else _PENDING

    def _confirm(self, message: Node) -> Answer:
        numbers = message.at("BookingConfirmNumbers") or Node("BookingConfirmNumbers")
        said = numbers.children("BookingConfirmNumber")
        if not 1 <= len(said) <= _MOST_CONFIRMED:
            raise RefusedError(3010, "There are 1 to 10 confirmations in a message.")
        for each in said:
            if not 1 <= len(each.attr.get("confirmNumber", "")) <= _LONGEST_NUMBER:
                raise RefusedError(3010, "A confirmation number has 1 to 50 characters.")
            if each.attr.get("bookingID", "") not in self.platform.bookings:
                raise RefusedError(3080, "The booking is not known.")
        for each in said:
            self._take_confirmation(each)
        return success("/bc")

    def _take_confirmation(self, said: Node) -> None:
        """Confirm the message of a booking that was told last; of another one only the number is noted."""
        booking_id, kind = said.attr["bookingID"], said.attr.get("bookingType", "")
        self.confirmed[booking_id, kind] = said.attr["confirmNumber"]
        for each in self._next_of_each():
            if each.booking_key == booking_id and _TYPES[each.status] == kind:
                if each.revision_id in self._retrieved:
                    self.platform.acknowledge((each.revision_id,))
                return

    def _booking(self, sold: Revision) -> Element:
        (room, *_) = sold.rooms
        is_cancelled = sold.status is RevisionStatus.CANCELLED
        given, _, family = sold.guest.name.partition(" ")
        guest = element(
            "PrimaryGuest",
            element("Name", givenName=given, surname=family or given),
            element("Email", text=sold.guest.email),
        )
        return element(
            "Booking",
            element("Hotel", id=self._hotel_id),
            self._room_stay(room, is_cancelled=is_cancelled),
            guest,
            id=sold.booking_key,
            type=_TYPES[sold.status],
            createDateTime=sold.revised_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            source="Expedia",
            status=self._state(sold),
        )

    def _room_stay(self, room: SoldRoom, *, is_cancelled: bool) -> Element:
        """Return the room; of a cancellation only its nights are left."""
        amounts = [0] * room.stay.length if is_cancelled else [*room.nightly]
        prices = [Money(each, self._currency).plain() for each in amounts]
        currency = {} if is_cancelled else {"currency": self._currency.code}
        days = (
            element("PerDayRate", stayDate=night.isoformat(), baseRate=price)
            for night, price in zip(room.stay.nights(), prices, strict=True)
        )
        ends = {"arrival": room.stay.arrival.isoformat(), "departure": room.stay.departure.isoformat()}
        total = Money(sum(amounts), self._currency).plain()
        return element(
            "RoomStay",
            element("StayDate", **ends),
            element("GuestCount", adult=str(room.adults)),
            element("PerDayRates", *days, **currency),
            element("Total", amountAfterTaxes=total, **currency),
            roomTypeID="0" if is_cancelled else room.room_code,
            ratePlanID="0" if is_cancelled else room.rate_code,
        )

    def _garbled(self, garbled: Garbled) -> Element:
        return element(
            "Booking",
            element("Hotel", id=self._hotel_id),
            element("RoomStay", text=garbled.text),
            id=garbled.message_id,
        )


@FACES.register(ExpediaFace.name)
def open_expedia(setting: FaceSetting) -> ExpediaFace:
    """Return the face of one hotel of an account with a ``username`` and a ``password``."""
    return ExpediaFace(
        setting.platform(ExpediaFace),
        clock=setting.clock,
        credentials={name: setting.credentials[name] for name in ("username", "password")},
        hotel_id=setting.listing_id,
        currency=setting.currency,
        hostility=setting.hostility,
        occupancies=setting.occupancies,
    )
