"""What is told to whoever makes or moves a booking: a receipt of ids, dates and amounts, the same on every repetition.

Holds no personal value, so it may be kept beside an idempotency key.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from attrs import frozen

from pmscore.booking.model.booking import Booking, reference_of
from pmscore.booking.model.cancellation import CancellationFee
from pmscore.dates.nights import parse_date
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import MisuseError
from pmscore.kernel.events import Json
from pmscore.kernel.ids import BookingId, BookingRoomId, PropertyId
from pmscore.kernel.money import Money

__all__ = ["BookingReceipt"]


@frozen(kw_only=True)
class BookingReceipt:
    """A booking as it was made, or as it was after a step; ``cancellation`` is what cancelling it came to."""

    booking_id: BookingId
    property_id: PropertyId
    status: str
    arrival: date
    departure: date
    total: Money
    room_ids: tuple[BookingRoomId, ...]
    is_oversold: bool
    version: int
    cancellation: CancellationFee | None = None

    @property
    def reference(self) -> str:
        """The number to say on the telephone."""
        return reference_of(self.booking_id)

    @classmethod
    def of(cls, booking: Booking) -> BookingReceipt:
        """Return the receipt for ``booking`` as it is now."""
        return cls(
            booking_id=booking.booking_id,
            property_id=booking.property_id,
            status=booking.status.value,
            arrival=booking.arrival,
            departure=booking.departure,
            total=booking.total,
            room_ids=tuple(room.room_id for room in booking.rooms),
            is_oversold=booking.is_oversold,
            version=booking.version,
            cancellation=booking.cancellation,
        )

    def reply(self) -> dict[str, Json]:
        """Return the receipt as JSON."""
        fee = self.cancellation
        cancelled: dict[str, Json] = {} if fee is None else {"cancellation": fee.to_json()}
        return {
            "booking_id": str(self.booking_id),
            "property_id": str(self.property_id),
            "status": self.status,
            "arrival": self.arrival.isoformat(),
            "departure": self.departure.isoformat(),
            "total_minor": self.total.minor,
            "currency": self.total.currency.code,
            "room_ids": [str(each) for each in self.room_ids],
            "is_oversold": self.is_oversold,
            "version": self.version,
            **cancelled,
        }

    @classmethod
    def from_reply(cls, reply: Mapping[str, Json]) -> BookingReceipt:
        """Return the receipt that :meth:`reply` wrote.

        Raises:
            MisuseError: it did not.
        """
        match reply:
            case {
                "booking_id": str(booking_id),
                "property_id": str(property_id),
                "status": str(status),
                "arrival": str(arrival),
                "departure": str(departure),
                "total_minor": int(total_minor),
                "currency": str(currency),
                "room_ids": list(room_ids),
                "is_oversold": bool(is_oversold),
                "version": int(version),
            }:
                return cls(
                    booking_id=BookingId(UUID(booking_id)),
                    property_id=PropertyId(UUID(property_id)),
                    status=status,
                    arrival=parse_date(arrival, field="arrival"),
                    departure=parse_date(departure, field="departure"),
                    total=Money(total_minor, Currency.of(currency)),
                    room_ids=tuple(BookingRoomId(UUID(str(each))) for each in room_ids),
                    is_oversold=is_oversold,
                    version=version,
                    cancellation=_fee(reply.get("cancellation")),
                )
            case _:
                raise MisuseError(reply="not_a_receipt")


def _fee(document: Json) -> CancellationFee | None:
    return CancellationFee.from_json(document) if isinstance(document, dict) else None
