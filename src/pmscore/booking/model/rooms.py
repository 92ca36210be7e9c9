"""The rooms of a booking: stay, party, agreed nights, and the units they are given.

Owns what one room of a booking claims. Leaves the judgement whether the claims fit to the store.
"""

from __future__ import annotations

from datetime import date, timedelta

from attrs import frozen

from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange, DateSet
from pmscore.inventory.model.party import Party
from pmscore.inventory.model.stock import Claim, ClaimKind
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.ids import BookingRoomId, UnitId, UnitTypeId

__all__ = ["BookedRoom", "Placement"]

LARGEST_NIGHT_AMOUNT = 10**12


@frozen
class Placement:
    """One unit for some nights of a room; ``unit_type_id`` is the unit's, upgrades included."""

    unit_id: UnitId
    unit_type_id: UnitTypeId
    nights: DateRange


@frozen(kw_only=True)
class BookedRoom:
    """One room of a booking.

    Invariants: ``nightly`` has the agreed amount of each night, in minor units of the booking's currency,
    none negative; placements lie within the stay, ascending, without overlap; an oversold room claims no
    stock and has no unit. ``is_locked`` keeps the unit from being changed by assignment.
    """

    room_id: BookingRoomId
    unit_type_id: UnitTypeId
    stay: StayRange
    party: Party
    nightly: tuple[int, ...]
    placements: tuple[Placement, ...] = ()
    turnover_nights: int = 0
    is_locked: bool = False
    is_oversold: bool = False

    def __attrs_post_init__(self) -> None:
        if len(self.nightly) != self.stay.length:
            raise InvalidInputError("nightly", "not_one_amount_a_night", nights=self.stay.length)
        if min(self.nightly) < 0:
            raise InvalidInputError("nightly", "negative_amount")
        if max(self.nightly) > LARGEST_NIGHT_AMOUNT:
            raise InvalidInputError("nightly", "out_of_range", most=LARGEST_NIGHT_AMOUNT)
        if self.placements:
            self._check_placements()

    @property
    def total_minor(self) -> int:
        """The agreed amounts of all nights together, in minor units."""
        return sum(self.nightly)

    @property
    def is_placed(self) -> bool:
        """Whether every night has a unit."""
        return sum(each.nights.length for each in self.placements) == self.stay.length

    def claims(self, *, left_on: date | None = None) -> tuple[Claim, ...]:
        """Return what the room claims; after an early departure only the nights before ``left_on``."""
        end = self.stay.departure
        if left_on is not None and left_on < end:
            end = max(left_on, self.stay.arrival + timedelta(days=1))
        nights = DateRange(self.stay.arrival, end)
        if self.is_oversold:
            return (Claim(ClaimKind.OVERSOLD, self.room_id, self.unit_type_id, nights),)
        claims = self._booked(nights)
        if not self.turnover_nights:
            return claims
        last = claims[-1]
        after = DateRange(end, end + timedelta(days=self.turnover_nights))
        return *claims, Claim(ClaimKind.BUFFER, self.room_id, last.unit_type_id, after, last.unit_id)

    def _booked(self, nights: DateRange) -> tuple[Claim, ...]:
        """Return the claims on the room's own nights, ascending by their first night."""
        if not self.placements:
            return (Claim(ClaimKind.BOOKED, self.room_id, self.unit_type_id, nights),)
        first = self.placements[0]
        if first.nights == nights:
            return (Claim(ClaimKind.BOOKED, self.room_id, first.unit_type_id, nights, first.unit_id),)
        claims: list[Claim] = []
        for placement in self.placements:
            kept = placement.nights.intersection(nights)
            if kept is not None:
                claims.append(
                    Claim(ClaimKind.BOOKED, self.room_id, placement.unit_type_id, kept, placement.unit_id)
                )
        if sum(claim.nights.length for claim in claims) == nights.length:
            return tuple(claims)
        without = DateSet.of(nights) - DateSet.of(*(each.nights for each in self.placements))
        claims.extend(
            Claim(ClaimKind.BOOKED, self.room_id, self.unit_type_id, run) for run in without.ranges()
        )
        return tuple(sorted(claims, key=lambda claim: claim.nights.start))

    def _check_placements(self) -> None:
        if self.is_oversold:
            raise InvalidInputError("placements", "oversold_room_has_no_unit")
        end = self.stay.arrival
        for placement in self.placements:
            if placement.nights.start < end:
                raise InvalidInputError("placements", "overlap_or_before_arrival")
            end = placement.nights.end
        if end > self.stay.departure:
            raise InvalidInputError("placements", "after_departure")
