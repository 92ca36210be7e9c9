"""What questions about a booking look like on their way in: another stay, or an end of it.

Owns the members of request bodies of previews. Leaves what goes out to ``preview_views``.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from attrs import frozen

from pms_web.change_schemas import only_room
from pms_web.stay_schemas import OtherStay
from pms_web.wire import Entries, Says, rule
from pmscore.booking.model.booking import MOST_ROOMS, Booking
from pmscore.booking.policies.repricing import RepricingBasis
from pmscore.dates.ranges import DateRange
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.ids import BookingRoomId
from pmscore.kernel.money import Money

__all__ = ["AskedCancellation", "AskedStay", "RemovedRoom"]


@frozen(kw_only=True, slots=False)
class AskedStay(OtherStay):
    """Another stay for a booking; an end that is left out stays as it is."""

    basis: Annotated[RepricingBasis, Says("Which nights are priced anew.")] = RepricingBasis.AGREED


@frozen(kw_only=True)
class RemovedRoom:
    """Nights of a room that are given up; all of them where no end is said."""

    room_id: Annotated[BookingRoomId | None, Says("Needed where there are several rooms.")] = None
    from_: date | None = None
    to: date | None = None


@frozen(kw_only=True)
class AskedCancellation:
    """An end of a booking: when, what was paid by then, and what is given up."""

    captured: Annotated[Money | None, Says("What was paid by then.")] = None
    at: Annotated[datetime | None, Says("When; now where it is left out.")] = None
    removed: Annotated[
        tuple[RemovedRoom, ...] | None, Entries(MOST_ROOMS, least=1), Says("All where it is left out.")
    ] = None

    @rule
    def is_paid_in_full_or_part(self) -> None:
        """Refuse less than nothing."""
        if self.captured is not None and self.captured.minor < 0:
            raise InvalidInputError("captured", "negative_amount")

    def removed_of(self, booking: Booking) -> dict[BookingRoomId, DateRange | None] | None:
        """Return the nights that are given up, by room of a booking; None for a room is all of it.

        Raises:
            InvalidInputError: which room is not said and there are several, or one is named twice.
            NotFoundError: the booking has no such room.
        """
        if self.removed is None:
            return None
        found: dict[BookingRoomId, DateRange | None] = {}
        for each in self.removed:
            room = only_room(booking) if each.room_id is None else booking.room(each.room_id)
            if room.room_id in found:
                raise InvalidInputError("removed", "room_twice")
            is_whole = each.from_ is None and each.to is None
            found[room.room_id] = (
                None
                if is_whole
                else DateRange(each.from_ or room.stay.arrival, each.to or room.stay.departure)
            )
        return found
