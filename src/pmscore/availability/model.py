"""Questions about availability and their answers.

Owns what is asked and answered. Leaves who counts to ``ports``, what refuses a stay to ``policies`` and the
stay rules to :mod:`pmscore.restrictions`. An answer is a promise by nobody: the store judges at the commit.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from attrs import frozen

from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.party import Party
from pmscore.inventory.model.stock import ClaimKind
from pmscore.kernel.errors import InvalidInputError, Violation
from pmscore.kernel.ids import BlockId, BookingId, HoldId, PropertyId, UnitId, UnitTypeId

__all__ = [
    "Calendar",
    "Occupant",
    "OccupiedRange",
    "Offer",
    "Refusal",
    "SearchResult",
    "StaySearch",
    "TypeNights",
]

MOST_ROOMS = 50


@frozen(kw_only=True)
class StaySearch:
    """A stay that somebody looks for: in these properties and types, in all where none is named.

    ``party`` is everybody together; each of the ``rooms`` needs an adult. Stay rules of the named plan and
    channel apply beside those of the house.
    """

    stay: StayRange
    party: Party
    rooms: int = 1
    property_ids: tuple[PropertyId, ...] = ()
    unit_type_ids: tuple[UnitTypeId, ...] = ()
    plan: str | None = None
    channel: str | None = None

    def __attrs_post_init__(self) -> None:
        if not 1 <= self.rooms <= MOST_ROOMS:
            raise InvalidInputError("rooms", "out_of_range", most=MOST_ROOMS)
        if self.rooms > self.party.adults:
            raise InvalidInputError("rooms", "more_rooms_than_adults", adults=self.party.adults)


@frozen(kw_only=True)
class Offer:
    """A type that has room for the stay.

    ``free_rooms`` is the smallest number that may still be sold on any of its nights, the allowance for
    overbooking included. ``free_units`` are the units that are free throughout, by name; always empty for a
    type that is sold by number alone. Where ``needs_move``, the counts have room on each night, but fewer
    units than rooms are free throughout: the stay can be sold, and assigning it takes a move of another.
    """

    property_id: PropertyId
    unit_type_id: UnitTypeId
    stay: StayRange
    free_rooms: int
    free_units: tuple[UnitId, ...] = ()
    needs_move: bool = False


@frozen(kw_only=True)
class Refusal:
    """A type that does not take the stay, with every reason, and the nearest stays that it would take.

    ``nearest`` holds stays of the same length first, the smallest shift first and the earlier one among
    equal shifts; then stays of another length from the same arrival, the smallest difference first and the
    shorter one among equals.
    """

    property_id: PropertyId
    unit_type_id: UnitTypeId
    stay: StayRange
    violations: tuple[Violation, ...]
    nearest: tuple[StayRange, ...] = ()


@frozen
class SearchResult:
    """The types that take the stay and those that do not, each by names of property and type."""

    offers: tuple[Offer, ...] = ()
    refusals: tuple[Refusal, ...] = ()


@frozen(kw_only=True)
class TypeNights:
    """The counts of one type, one number a night of ``nights``; kinds without a claim are left out."""

    unit_type_id: UnitTypeId
    nights: DateRange
    capacity: tuple[int, ...]
    overbooking: int
    claims: Mapping[ClaimKind, tuple[int, ...]]

    def counts(self, kind: ClaimKind) -> tuple[int, ...]:
        """Return the claims of one kind by night."""
        return self.claims.get(kind, (0,) * len(self.capacity))

    def claimed(self) -> tuple[int, ...]:
        """Return the claims that count against the limit by night: all kinds but oversold ones."""
        counted = [counts for kind, counts in self.claims.items() if kind is not ClaimKind.OVERSOLD]
        if len(counted) == 1:
            return counted[0]
        return tuple(map(sum, zip(*counted, strict=True))) if counted else (0,) * len(self.capacity)

    def free(self) -> tuple[int, ...]:
        """Return the rooms without a claim by night; zero where more are claimed than there are."""
        pairs = zip(self.capacity, self.claimed(), strict=True)
        return tuple([rooms - claims if rooms > claims else 0 for rooms, claims in pairs])

    def sellable(self) -> tuple[int, ...]:
        """Return the rooms that may still be sold by night, the allowance for overbooking included."""
        more = self.overbooking
        pairs = zip(self.capacity, self.claimed(), strict=True)
        return tuple([max(0, rooms + more - claims) for rooms, claims in pairs])


@frozen
class Calendar:
    """Counts by type and night; the types in the order of their names."""

    nights: DateRange
    types: tuple[TypeNights, ...]


class Occupant(Enum):
    """What stands behind an occupied range."""

    BOOKING = "booking"
    HOLD = "hold"
    BLOCK = "block"


@frozen(kw_only=True)
class OccupiedRange:
    """Nights that one source claims, of a unit where it has one.

    ``state`` is the kind of claim; a booking's turnover nights are a range of their own in state ``buffer``.
    Exactly the id that ``kind`` names is there.
    """

    kind: Occupant
    state: ClaimKind
    unit_type_id: UnitTypeId
    unit_id: UnitId | None
    nights: DateRange
    booking_id: BookingId | None = None
    hold_id: HoldId | None = None
    block_id: BlockId | None = None
