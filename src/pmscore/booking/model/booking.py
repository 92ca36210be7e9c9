"""The booking: one guest, one property, one or more rooms, one status.

Owns the state and what a change of it does to claims and to the guest's figures. Which change is legal
stands in ``lifecycle`` and in the policies.
"""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType

from attrs import field, frozen

from pmscore.booking.model.cancellation import CancellationFee
from pmscore.booking.model.lifecycle import CLAIMING, COUNTED, Status
from pmscore.booking.model.rooms import BookedRoom
from pmscore.guests.model import MetricsChange
from pmscore.inventory.model.stock import Claim
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError, NotFoundError
from pmscore.kernel.events import Json
from pmscore.kernel.ids import BookingId, BookingRoomId, GuestId, PropertyId, QuoteId
from pmscore.kernel.money import Money
from pmscore.kernel.text import checked_code, checked_text

__all__ = ["Booking", "Source", "id_bits", "parse_reference", "reference_of"]

MOST_ROOMS = 100
LONGEST_NOTE = 4000
_NO_TERMS: Mapping[str, Json] = MappingProxyType({})
_BITS = 50
_LENGTH = 10
_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD = str.maketrans("OIL", "011")
_CROCKFORD = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"0123456789ABCDEFGHJKMNPQRSTVWXYZ")


@frozen(kw_only=True)
class Source:
    """Where a booking came from: channel code, the channel's reference, market segment code."""

    channel: str = "direct"
    reference: str = ""
    segment: str = ""

    def __attrs_post_init__(self) -> None:
        checked_code(self.channel, field="channel")
        if self.segment:
            checked_code(self.segment, field="segment")
        if self.reference:
            checked_text(self.reference, field="reference", longest=100)


@frozen(kw_only=True)
class Booking:
    """One booking with all its rooms.

    Invariants: it has its nights exactly while its status is one of ``CLAIMING``; all amounts are in
    ``currency``; ``checked_in_on`` and ``checked_out_on`` are business dates; a pending booking may expire at
    ``option_until``. ``terms`` is the snapshot of the conditions it was made under, ``quote_id`` the quote
    that was booked: its nights are the quote's until somebody changes them. ``cancellation`` is what
    cancelling it came to, None where it was not cancelled or nobody could say.
    """

    booking_id: BookingId
    property_id: PropertyId
    guest_id: GuestId
    status: Status
    currency: Currency
    rooms: tuple[BookedRoom, ...]
    created_at: datetime
    source: Source = Source()
    requests: str = field(default="", repr=False)
    notes: str = field(default="", repr=False)
    terms: Mapping[str, Json] = _NO_TERMS
    option_until: datetime | None = None
    checked_in_on: date | None = None
    checked_out_on: date | None = None
    version: int = 1
    quote_id: QuoteId | None = None
    cancellation: CancellationFee | None = None

    def __attrs_post_init__(self) -> None:
        if not 1 <= len(self.rooms) <= MOST_ROOMS:
            raise InvalidInputError("rooms", "out_of_range", most=MOST_ROOMS)
        if self.requests:
            checked_text(self.requests, field="requests", longest=LONGEST_NOTE)
        if self.notes:
            checked_text(self.notes, field="notes", longest=LONGEST_NOTE)

    @property
    def reference(self) -> str:
        """The number to say on the telephone."""
        return reference_of(self.booking_id)

    @property
    def arrival(self) -> date:
        """The first arrival of its rooms."""
        return min([room.stay.arrival for room in self.rooms])

    @property
    def departure(self) -> date:
        """The last departure of its rooms."""
        return max([room.stay.departure for room in self.rooms])

    @property
    def total(self) -> Money:
        """The agreed amount of all nights of all rooms."""
        return Money(sum([room.total_minor for room in self.rooms]), self.currency)

    @property
    def is_oversold(self) -> bool:
        """Whether some room has no stock behind it."""
        return any(room.is_oversold for room in self.rooms)

    def room(self, room_id: BookingRoomId) -> BookedRoom:
        """Return one of the rooms.

        Raises:
            NotFoundError: the booking has no such room.
        """
        for room in self.rooms:
            if room.room_id == room_id:
                return room
        raise NotFoundError("booking_room", room_id)

    def claims(self) -> tuple[Claim, ...]:
        """Return what all rooms claim in the present status."""
        if self.status not in CLAIMING:
            return ()
        left_on = self.checked_out_on
        if len(self.rooms) == 1:
            return self.rooms[0].claims(left_on=left_on)
        return tuple(claim for room in self.rooms for claim in room.claims(left_on=left_on))

    def metrics_since(self, before: Booking | None) -> MetricsChange:
        """Return what the step from ``before`` (None: it is new) to this state does to the guest's figures."""
        counted = int(self.status in COUNTED) - int(before is not None and before.status in COUNTED)
        spent = _spent(self) - (_spent(before) if before is not None else 0)
        return MetricsChange(
            guest_id=self.guest_id,
            bookings=counted,
            spent=Money(spent, self.currency),
            booked_at=self.created_at,
        )


def reference_of(booking_id: BookingId) -> str:
    """Return the number of a booking to say on the telephone: ten letters and digits made from the id."""
    bits = (booking_id.int & ((1 << _BITS) - 1)) << 6
    return b32encode(bits.to_bytes(7, "big"))[:_LENGTH].translate(_CROCKFORD).decode()


def parse_reference(text: str, *, field: str) -> str:
    """Return a reference as :func:`reference_of` writes it; case, blanks and the misread letters O, I and L are forgiven.

    Raises:
        InvalidInputError: reason ``not_a_reference``: it cannot be one; names ``field``.
    """
    written = "".join(text.split()).replace("-", "").upper().translate(_MISREAD)
    if len(written) != _LENGTH or any(each not in _DIGITS for each in written):
        raise InvalidInputError(field, "not_a_reference")
    return written


def id_bits(reference: str) -> int:
    """Return the last fifty bits of the ids whose bookings have this reference; it is as :func:`reference_of` writes it."""
    bits = 0
    for each in reference:
        bits = bits << 5 | _DIGITS.index(each)
    return bits


def _spent(booking: Booking) -> int:
    return booking.total.minor if booking.status is Status.CHECKED_OUT else 0
