"""Which bookings a list is to show.

Owns the conditions and what they mean of one booking; stores answer them in bulk, newest booking first. Leaves
counting nights and money to reports.
"""

from __future__ import annotations

from attrs import frozen

from pmscore.booking.model.booking import Booking
from pmscore.booking.model.lifecycle import Status
from pmscore.dates.ranges import DateRange
from pmscore.kernel.ids import GuestId, PropertyId

__all__ = ["BookingFilter"]


@frozen(kw_only=True)
class BookingFilter:
    """Conditions that all hold; one that is left out lets everything pass.

    ``arrival`` and ``departure`` are days on which some room arrives or departs; ``staying`` are nights of
    which some room stays at least one. ``channel_reference`` is the number that the channel gave,
    ``reference`` our own, written as ``parse_reference`` returns it.
    """

    property_ids: frozenset[PropertyId] | None = None
    statuses: frozenset[Status] = frozenset()
    arrival: DateRange | None = None
    departure: DateRange | None = None
    staying: DateRange | None = None
    guest_id: GuestId | None = None
    channel: str | None = None
    channel_reference: str | None = None
    reference: str | None = None

    def admits(self, booking: Booking) -> bool:
        """Return whether the list shows the booking."""
        return (
            (self.property_ids is None or booking.property_id in self.property_ids)
            and (not self.statuses or booking.status in self.statuses)
            and (self.guest_id is None or booking.guest_id == self.guest_id)
            and (self.channel is None or booking.source.channel == self.channel)
            and (self.channel_reference is None or booking.source.reference == self.channel_reference)
            and (self.reference is None or booking.reference == self.reference)
            and self._admits_dates(booking)
        )

    def _admits_dates(self, booking: Booking) -> bool:
        stays = [room.stay for room in booking.rooms]
        return (
            (self.arrival is None or any(stay.arrival in self.arrival for stay in stays))
            and (self.departure is None or any(stay.departure in self.departure for stay in stays))
            and (
                self.staying is None
                or any(DateRange.from_stay(stay).overlaps(self.staying) for stay in stays)
            )
        )
