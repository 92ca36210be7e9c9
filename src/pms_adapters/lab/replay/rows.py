"""A row of the booking file as values of the house, and what of it can be no stay.

Owns what a row means. Leaves reading it from text to ``parsing`` and its order in time to ``plan``. The
format is that of the public hotel booking data set of Antonio, de Almeida and Nunes (*Data in Brief* 22,
2019).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import Enum

from attrs import frozen

from pmscore.booking.model.booking import Source
from pmscore.dates.nights import StayRange
from pmscore.inventory.model.party import Party
from pmscore.kernel.events import Json

__all__ = ["COLUMNS", "BookingFile", "Ending", "SkipReason", "SkippedRow", "StayRow"]

COLUMNS = (
    "arrival_date_year",
    "arrival_date_month",
    "arrival_date_day_of_month",
    "stays_in_weekend_nights",
    "stays_in_week_nights",
    "lead_time",
    "adults",
    "children",
    "babies",
    "meal",
    "country",
    "market_segment",
    "distribution_channel",
    "reserved_room_type",
    "assigned_room_type",
    "deposit_type",
    "customer_type",
    "adr",
    "reservation_status",
    "reservation_status_date",
)
"""The columns that a file must have; it may have others, in any order."""


class Ending(Enum):
    """How a booking of the file ended, in the file's own words."""

    CHECK_OUT = "Check-Out"
    CANCELLED = "Canceled"
    NO_SHOW = "No-Show"


class SkipReason(Enum):
    """Why a row is no stay; the first that applies is counted."""

    ZERO_NIGHTS = "zero_nights"
    NO_ADULT = "no_adult"
    NEGATIVE_RATE = "negative_rate"


@frozen(kw_only=True)
class StayRow:
    """One booking of the file. ``number`` counts the rows below the heading from 1; ``rate_minor`` is cents a night."""

    number: int
    stay: StayRange
    booked_on: date
    party: Party
    unit_type: str
    rate_minor: int
    source: Source
    terms: Mapping[str, Json]
    ending: Ending
    ended_on: date


@frozen(kw_only=True)
class SkippedRow:
    """A row that is no stay, with what is needed to find it again; ``line`` is where it ends in the file."""

    number: int
    line: int
    reason: SkipReason
    arrival: date
    nights: int
    unit_type: str
    rate: str


@frozen(kw_only=True)
class BookingFile:
    """All rows of a file; ``rounded_rates`` is how many rates had more digits than a cent has."""

    stays: tuple[StayRow, ...]
    skipped: tuple[SkippedRow, ...]
    rounded_rates: int

    @property
    def rows(self) -> int:
        """How many rows the file has."""
        return len(self.stays) + len(self.skipped)
