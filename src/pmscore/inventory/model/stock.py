"""Claims on nights, and the change from one set of claims to another.

Owns the two layers of stock as values: a claim counts against a unit type on each of its nights, and where it
names a unit it also occupies that unit. Bookings, holds, blocks, out-of-order units, turnover nights and
rooms kept for a channel all claim in this one way, so nothing is invisible to the check. Leaves keeping them
to the store, whose keys and limits are the judge; the rules are on the algorithm page
``docs/algorithms/stock.md``.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from uuid import UUID

from attrs import frozen

from pmscore.dates.ranges import DateRange
from pmscore.kernel.ids import UnitId, UnitTypeId

__all__ = ["Claim", "ClaimKind", "StockChange"]


class ClaimKind(Enum):
    """What claims a night. ``OVERSOLD`` counts beside the limit and occupies no unit."""

    BOOKED = "booked"
    HELD = "held"
    BLOCKED = "blocked"
    OUT_OF_ORDER = "out_of_order"
    BUFFER = "buffer"
    ALLOTTED = "allotted"
    OVERSOLD = "oversold"


@frozen
class Claim:
    """One source's claim on one room of a type, on each night of a range.

    ``unit_type_id`` is the type that the claim counts against: the type of its unit, else the type sold.
    """

    kind: ClaimKind
    source_id: UUID
    unit_type_id: UnitTypeId
    nights: DateRange
    unit_id: UnitId | None = None


@frozen
class StockChange:
    """The claims that one command gives up and those that it takes, in one step.

    A store applies both together: it locks every type night that either side touches, in ascending order
    (also where the count does not change), then moves the unit nights. What both sides have stays claimed
    throughout, so a change that does not fit loses nothing.
    """

    before: tuple[Claim, ...]
    after: tuple[Claim, ...]

    @classmethod
    def claiming(cls, *claims: Claim) -> StockChange:
        """Return the change that takes ``claims``."""
        return cls((), claims)

    @classmethod
    def releasing(cls, *claims: Claim) -> StockChange:
        """Return the change that gives up ``claims``."""
        return cls(claims, ())

    def __add__(self, other: StockChange) -> StockChange:
        return StockChange(self.before + other.before, self.after + other.after)

    def __bool__(self) -> bool:
        return bool(self.before or self.after)

    def type_nights(self) -> Iterator[tuple[UnitTypeId, DateRange]]:
        """Yield the nights that the change would take, by type."""
        for claim in self.after:
            yield claim.unit_type_id, claim.nights
