"""Stays on their way in: both ends, or those that are to change.

Owns their members. Leaves who stays and for how much to ``booking_schemas``, ``change_schemas`` and
``quote_schemas``.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

from attrs import frozen

from pms_web.wire import Says, rule
from pmscore.booking.model.booking import Booking
from pmscore.dates.nights import StayRange

__all__ = ["MOST_NIGHTS", "OtherStay", "StayAsked"]

MOST_NIGHTS = 1096
"""No list with an entry a night is longer."""


@frozen(kw_only=True, slots=False)
class StayAsked:
    """A stay."""

    arrival: date
    departure: Annotated[date, Says("Not a night of the stay.")]

    @rule
    def stay(self) -> StayRange:
        """Return the stay."""
        return StayRange(self.arrival, self.departure)


@frozen(kw_only=True, slots=False)
class OtherStay:
    """Another stay for a booking; what is left out stays as it is."""

    arrival: date | None = None
    departure: date | None = None

    def stay_of(self, booking: Booking) -> StayRange:
        """Return the stay that is meant for a booking.

        Raises:
            InvalidInputError: it would end before it begins, or is too long.
        """
        return StayRange(self.arrival or booking.arrival, self.departure or booking.departure)
