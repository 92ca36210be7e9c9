"""Holds: claims that end by themselves.

Owns the life of a hold: active, then exactly one of taken up, released or expired. Leaves the booking that
takes it up to :mod:`pmscore.booking`.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import Enum
from typing import ClassVar

from attrs import evolve, frozen

from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.stock import Claim, ClaimKind
from pmscore.kernel.errors import InvalidInputError, TransitionError
from pmscore.kernel.events import Decision, Event
from pmscore.kernel.ids import HoldId, PropertyId, UnitId, UnitTypeId

__all__ = ["Hold", "HoldChanged", "HoldStatus"]

LONGEST_HOLD = timedelta(days=30)


class HoldStatus(Enum):
    """Where a hold stands; all but ``ACTIVE`` are final."""

    ACTIVE = "active"
    TAKEN_UP = "taken_up"
    RELEASED = "released"
    EXPIRED = "expired"


@frozen(kw_only=True)
class HoldChanged(Event):
    """A hold was placed, or came to one of its ends."""

    aggregate: ClassVar[str] = "hold"

    property_id: PropertyId
    unit_type_id: UnitTypeId
    unit_id: UnitId | None
    arrival: date
    departure: date
    expires_at: datetime


@frozen(kw_only=True)
class Hold:
    """One room kept for somebody until an instant.

    Invariants: it claims its nights exactly while it is active; ``turnover_nights`` is the type's at the
    time of placing.
    """

    hold_id: HoldId
    property_id: PropertyId
    unit_type_id: UnitTypeId
    unit_id: UnitId | None
    stay: StayRange
    turnover_nights: int
    expires_at: datetime
    status: HoldStatus = HoldStatus.ACTIVE
    version: int = 1

    def placed(self, now: datetime) -> Decision[Hold]:
        """Return the new hold and its event.

        Raises:
            InvalidInputError: it would end in the past, or later than in 30 days.
        """
        if not now < self.expires_at <= now + LONGEST_HOLD:
            raise InvalidInputError("expires_at", "out_of_range", longest_days=LONGEST_HOLD.days)
        return Decision(self, (_event(self, "hold.placed"),))

    def is_expired(self, now: datetime) -> bool:
        """Return whether its time is over although it still claims its nights."""
        return self.status is HoldStatus.ACTIVE and self.expires_at <= now

    def ended(self, status: HoldStatus) -> Decision[Hold]:
        """Return the hold at its end.

        Raises:
            TransitionError: it has come to an end before.
        """
        if self.status is not HoldStatus.ACTIVE:
            raise TransitionError(status.value, self.status.value)
        ended = evolve(self, status=status, version=self.version + 1)
        kind = "hold.takenUp" if status is HoldStatus.TAKEN_UP else f"hold.{status.value}"
        return Decision(ended, (_event(ended, kind),))

    def claims(self) -> tuple[Claim, ...]:
        """Return what the hold claims in its present status."""
        if self.status is not HoldStatus.ACTIVE:
            return ()
        nights = DateRange.from_stay(self.stay)
        held = Claim(ClaimKind.HELD, self.hold_id, self.unit_type_id, nights, self.unit_id)
        if not self.turnover_nights:
            return (held,)
        after = DateRange(nights.end, nights.end + timedelta(days=self.turnover_nights))
        return held, Claim(ClaimKind.BUFFER, self.hold_id, self.unit_type_id, after, self.unit_id)


def _event(hold: Hold, kind: str) -> HoldChanged:
    return HoldChanged(
        kind=kind,
        property_id=hold.property_id,
        aggregate_id=hold.hold_id,
        version=hold.version,
        unit_type_id=hold.unit_type_id,
        unit_id=hold.unit_id,
        arrival=hold.stay.arrival,
        departure=hold.stay.departure,
        expires_at=hold.expires_at,
    )
