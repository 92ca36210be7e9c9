"""From what was asked for to a booking that could be made.

Law: a draft has every room's type, turnover and amounts settled from the house; it says nothing about
whether the nights are free.
"""

from __future__ import annotations

from datetime import datetime

from attrs import evolve, frozen

from pmscore.booking.model.booking import Booking
from pmscore.booking.model.rooms import BookedRoom, Placement
from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.house import House, Unit
from pmscore.inventory.model.party import Party
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError, Violation
from pmscore.kernel.ids import BookingRoomId, UnitId, UnitTypeId
from pmscore.kernel.money import Money
from pmscore.restrictions.model.book import RuleBook
from pmscore.restrictions.model.rules import StayQuestion
from pmscore.restrictions.policies.evaluation import violations_of

__all__ = [
    "RoomRequest",
    "draft_room",
    "minor_amounts",
    "newly_broken",
    "oversold",
    "placed_throughout",
    "rule_violations",
]


@frozen(kw_only=True)
class RoomRequest:
    """One room as asked for: a type or a unit (neither where the property has one type), one amount a night."""

    stay: StayRange
    party: Party
    nightly: tuple[Money, ...]
    unit_type_id: UnitTypeId | None = None
    unit_id: UnitId | None = None


def draft_room(request: RoomRequest, house: House, room_id: BookingRoomId) -> BookedRoom:
    """Return the room, on its unit where one is named or the type has only one.

    Raises:
        NotFoundError: the house has no such type or unit.
        InvalidInputError: no type is named and there are several; amounts are negative, of another
            currency, or not one a night.
    """
    unit_type = house.type_of(request.unit_type_id, request.unit_id)
    unit = house.unit(request.unit_id) if request.unit_id is not None else None
    if unit is None:
        unit = house.only_unit_of(unit_type.unit_type_id)
    return BookedRoom(
        room_id=room_id,
        unit_type_id=unit_type.unit_type_id,
        stay=request.stay,
        party=request.party,
        nightly=minor_amounts(request.nightly, house.property.currency),
        placements=placed_throughout(unit, request.stay) if unit is not None else (),
        turnover_nights=unit_type.turnover_nights,
    )


def minor_amounts(amounts: tuple[Money, ...], currency: Currency) -> tuple[int, ...]:
    """Return the amounts in minor units.

    Raises:
        InvalidInputError: one of them is in another currency.
    """
    for amount in amounts:
        if amount.currency is not currency:
            raise InvalidInputError("nightly", "mixed_currencies", expected=currency.code)
    return tuple([amount.minor for amount in amounts])


def placed_throughout(unit: Unit, stay: StayRange) -> tuple[Placement, ...]:
    """Return the placement on one unit for all nights."""
    return (Placement(unit.unit_id, unit.unit_type_id, DateRange.from_stay(stay)),)


def rule_violations(
    booking: Booking, house: House, rules: RuleBook, *, now: datetime
) -> tuple[Violation, ...]:
    """Return every rule that the booking's rooms break, parties too large for their type included."""
    found: list[Violation] = []
    home = house.property
    for room in booking.rooms:
        unit_type = house.types[room.unit_type_id]
        if room.party.beds > unit_type.largest_party:
            found.append(
                Violation("party_too_large", room.stay.arrival, unit_type.largest_party, "unit_type")
            )
        question = StayQuestion(
            stay=room.stay,
            unit_type_id=room.unit_type_id,
            asked_at=now,
            business_date=home.business_date,
            zone=home.zone,
            check_in_at=home.check_in_at,
            channel=booking.source.channel,
        )
        found.extend(violations_of(rules, question))
    return tuple(dict.fromkeys(found))


def newly_broken(
    before: Booking, after: Booking, house: House, rules: RuleBook, *, now: datetime
) -> tuple[Violation, ...]:
    """Return the rules that the rooms after a change break, but for what those before it broke already."""
    known = set(rule_violations(before, house, rules, now=now))
    return tuple(each for each in rule_violations(after, house, rules, now=now) if each not in known)


def oversold(room: BookedRoom) -> BookedRoom:
    """Return the room with no stock behind it, as work to do."""
    return evolve(room, is_oversold=True, placements=())
