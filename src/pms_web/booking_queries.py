"""Which bookings a list is to show: the members of its query, and the conditions that they become.

Of a range of days an end that is left out is open; the end itself is not included.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

from attrs import frozen

from pms_web.day_ranges import open_range
from pms_web.paging import PageQuery
from pms_web.wire import Longest, Says, rule
from pmscore.booking.model.booking import parse_reference
from pmscore.booking.model.lifecycle import Status
from pmscore.booking.model.listing import BookingFilter
from pmscore.dates.ranges import DateRange
from pmscore.kernel.ids import GuestId, PropertyId

__all__ = ["BookingsQuery"]

FromDay = Annotated[date | None, Says("This day or a later one.")]
ToDay = Annotated[date | None, Says("A day before this one.")]


@frozen(kw_only=True)
class BookingsQuery(PageQuery):
    """Which bookings; all of them where nothing is said."""

    property_id: tuple[PropertyId, ...] = ()
    status: Annotated[tuple[Status, ...], Says("Any of these.")] = ()
    arrival_from: FromDay = None
    arrival_to: ToDay = None
    departure_from: FromDay = None
    departure_to: ToDay = None
    staying_from: Annotated[date | None, Says("Bookings that stay on some night from this one on.")] = None
    staying_to: Annotated[date | None, Says("Bookings that stay on some night before this day.")] = None
    guest_id: GuestId | None = None
    channel: Annotated[str | None, Longest(64), Says("The code of a channel.")] = None
    channel_reference: Annotated[
        str | None, Longest(100), Says("What the channel calls the booking, exactly.")
    ] = None
    reference: Annotated[
        str | None,
        Longest(40),
        Says(
            "What we call it, all of it; case, blanks and hyphens do not matter, nor O for 0, I and L for 1."
        ),
    ] = None

    @rule
    def arrival(self) -> DateRange | None:
        """Return the days of arrival."""
        return open_range(self.arrival_from, self.arrival_to, field="arrival_to")

    @rule
    def departure(self) -> DateRange | None:
        """Return the days of departure."""
        return open_range(self.departure_from, self.departure_to, field="departure_to")

    @rule
    def staying(self) -> DateRange | None:
        """Return the nights of which one is stayed."""
        return open_range(self.staying_from, self.staying_to, field="staying_to")

    @rule
    def own_reference(self) -> str | None:
        """Return our reference as we write it."""
        return None if self.reference is None else parse_reference(self.reference, field="reference")

    def wanted(self) -> BookingFilter:
        """Return the conditions."""
        return BookingFilter(
            property_ids=frozenset(self.property_id) or None,
            statuses=frozenset(self.status),
            arrival=self.arrival(),
            departure=self.departure(),
            staying=self.staying(),
            guest_id=self.guest_id,
            channel=self.channel,
            channel_reference=self.channel_reference,
            reference=self.own_reference(),
        )
