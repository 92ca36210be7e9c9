"""The documents of a property at Booking.com: its two queues of reservations, and answers to what it is told.

Owns their form, which is that of the public documentation: amounts are whole numbers with decimal places, and
a change has no instant of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from pms_adapters.http.door import Answer
from pms_adapters.lab.channel_sim.face import answer_of
from pms_adapters.serialization.xml import Element, element, written
from pmscore.channels.model.revisions import Revision, RevisionStatus, SoldRoom
from pmscore.kernel.currency import Currency
from pmscore.testing.channel_platform import Garbled

__all__ = ["Documents"]

_NAMESPACE: Final = "http://www.opentravel.org/OTA/2003/05"
_ITEMS: Final = {
    "OTA_HotelResNotif": ("HotelReservations", "HotelReservation"),
    "OTA_HotelResModifyNotif": ("HotelResModifies", "HotelResModify"),
}
_CANCELLED: Final = ("Cancel", "Cancelled")


class Documents:
    """Writes the documents of one property."""

    def __init__(self, hotel_code: str, currency: Currency) -> None:
        self._hotel_code = hotel_code
        self._currency = currency

    def queue(self, name: str, now: datetime, sold: Sequence[Revision], garbled: Sequence[Garbled]) -> Answer:
        """Return a queue; an empty one has nothing in it at all."""
        many, one = _ITEMS[name]
        found = [self._reservation(one, each) for each in sold]
        found += [self._nonsense(one, each) for each in garbled]
        inside = [self._source(), element(many, *found)] if found else []
        root = element(f"{name}RQ", *inside, TimeStamp=_instant(now), Target="Production", Version="2.001")
        return _xml(root)

    def answered(self, name: str, now: datetime, problem: str) -> Answer:
        """Return the answer to a message: success, or what was wrong with it."""
        error = element("Error", Type="6", Code="783", Status="NotProcessed", ShortText=problem)
        said = element("Errors", error) if problem else element("Success")
        return _xml(element(f"{name}RS", said, TimeStamp=_instant(now), Version="1.0"))

    def _source(self) -> Element:
        return element("POS", element("Source", element("RequestorID", Type="22", ID="booking.com")))

    def _reservation(self, one: str, sold: Revision) -> Element:
        amount = sum(sum(room.nightly) for room in sold.rooms)
        told = element(
            "ResGlobalInfo",
            *_comments(sold),
            self._total(amount),
            element(
                "HotelReservationIDs",
                element(
                    "HotelReservationID",
                    ResID_Type="14",
                    ResID_Value=sold.reference,
                    ResID_Source="BOOKING.COM",
                    ResID_Date="2026-11-01T08:00:00",
                ),
            ),
            _guest(sold),
        )
        return element(
            one,
            element("UniqueID", Type="14", ID=sold.booking_key),
            element("RoomStays", *(self._stay(at, each) for at, each in enumerate(sold.rooms, 1))),
            told,
            CreateDateTime="2026-11-01T08:00:00+00:00",
            **_status(one, sold),
        )

    def _stay(self, number: int, room: SoldRoom) -> Element:
        nights = zip(room.stay.nights(), room.nightly, strict=True)
        counts = (("10", room.adults), ("8", room.children), ("7", room.infants))
        return element(
            "RoomStay",
            element("RoomTypes", element("RoomType", RoomTypeCode=room.room_code)),
            element(
                "RoomRates",
                *(
                    element(
                        "RoomRate",
                        element("Rates", element("Rate", self._total(minor))),
                        EffectiveDate=night.isoformat(),
                        RatePlanCode=room.rate_code,
                    )
                    for night, minor in nights
                ),
            ),
            element(
                "GuestCounts",
                *(
                    element("GuestCount", AgeQualifyingCode=kind, Count=str(count))
                    for kind, count in counts
                    if count
                ),
            ),
            element("TimeSpan", Start=room.stay.arrival.isoformat(), End=room.stay.departure.isoformat()),
            self._total(sum(room.nightly)),
            element("BasicPropertyInfo", HotelCode=self._hotel_code),
            IndexNumber=str(number),
        )

    def _nonsense(self, one: str, garbled: Garbled) -> Element:
        span = element("TimeSpan", Start="2026-02-31", End=garbled.text)
        return element(
            one,
            element("UniqueID", Type="14", ID=garbled.message_id),
            element("RoomStays", element("RoomStay", span)),
            self._total(0),
        )

    def _total(self, minor: int) -> Element:
        return element(
            "Total",
            AmountAfterTax=str(minor),
            DecimalPlaces=str(self._currency.digits),
            CurrencyCode=self._currency.code,
        )


def _status(one: str, sold: Revision) -> dict[str, str]:
    if sold.status is RevisionStatus.CANCELLED:
        return {"ResStatus": _CANCELLED[int(sold.revision_id[:2], 16) % 2]}
    return {"ResStatus": "Modify"} if one == "HotelResModify" else {}


def _comments(sold: Revision) -> Iterable[Element]:
    if sold.requests:
        yield element("Comments", element("Comment", element("Text", text=sold.requests)))


def _guest(sold: Revision) -> Element:
    given, _, surname = sold.guest.name.partition(" ")
    name = element("PersonName", element("GivenName", text=given), element("Surname", text=surname))
    customer = element("Customer", name, element("Email", text=sold.guest.email))
    return element("Profiles", element("ProfileInfo", element("Profile", customer)))


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def _xml(root: Element) -> Answer:
    return answer_of(200, written(root, namespace=_NAMESPACE), content_type="application/xml; charset=utf-8")
