"""Our own calendar of a room: what a platform must not sell, never what it has told us itself."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from attrs import evolve

from core.channels.selling import HOUSE
from pmscore.availability.model import Occupant, OccupiedRange, TypeNights
from pmscore.channels.model.mappings import MappedRoom
from pmscore.channels.model.revisions import Link
from pmscore.channels.policies.dialects import folds_closures
from pmscore.channels.views.calendar import BusyRange, calendar_of, counts_for_calendar, night_manifest
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.house import Capacity, House, Unit
from pmscore.inventory.model.stock import ClaimKind
from pmscore.kernel.ids import BlockId, BookingId, ConnectionId, HoldId, MappingId, UnitId
from pmscore.testing.channel_profiles import PROFILES
from pmscore.testing.channel_strategies import TOLD, TOLD_TYPES

TYPE = TOLD_TYPES[0]
UNIT, OTHER = UnitId(UUID(int=51)), UnitId(UUID(int=52))
OWN = ConnectionId(UUID(int=40))
ROOM = MappedRoom(
    mapping_id=MappingId(UUID(int=60)), connection_id=OWN, unit_type_id=TYPE, room_code="cottage"
)
B1, B2 = BookingId(UUID(int=71)), BookingId(UUID(int=72))
FREE = (1,) * TOLD.length


def house_of(*units: UnitId, rooms: int = 1) -> House:
    cottage = evolve(HOUSE.types[TYPE], capacities=(Capacity(date(2029, 1, 1), rooms),))
    made = {each: Unit(unit_id=each, unit_type_id=TYPE, name=f"U{each.int}") for each in units}
    return evolve(HOUSE, types={**HOUSE.types, TYPE: cottage}, units=made)


COTTAGE = house_of(UNIT)


def on(first: int, length: int) -> DateRange:
    return DateRange.of(TOLD.start + timedelta(days=first), length)


def booked(
    booking_id: BookingId,
    nights: DateRange,
    state: ClaimKind = ClaimKind.BOOKED,
    unit_id: UnitId | None = UNIT,
) -> OccupiedRange:
    return OccupiedRange(
        kind=Occupant.BOOKING,
        state=state,
        unit_type_id=TYPE,
        unit_id=unit_id,
        nights=nights,
        booking_id=booking_id,
    )


def link(nights: DateRange, room_code: str = "cottage", **more: object) -> Link:
    known = Link(
        connection_id=OWN,
        booking_key=f"{room_code}/uid-1",
        booking_id=B1,
        revision_id="r",
        revised_at=datetime(2030, 1, 1, tzinfo=UTC),
        nights=nights,
    )
    return evolve(known, **more)


def told(*occupied: OccupiedRange, links=(), sellable=FREE, house=COTTAGE, room=ROOM) -> list[BusyRange]:
    return [*calendar_of(room, house=house, occupied=occupied, links=links, nights=TOLD, sellable=sellable)]


def test_each_claim_on_the_unit_is_an_event_under_a_name_that_stays() -> None:
    hold = OccupiedRange(
        kind=Occupant.HOLD,
        state=ClaimKind.HELD,
        unit_type_id=TYPE,
        unit_id=UNIT,
        nights=on(8, 1),
        hold_id=HoldId(UUID(int=80)),
    )
    found = told(hold, booked(B1, on(1, 3)), booked(B2, on(4, 2)))
    assert found == [
        BusyRange(f"{B1}@pmscore", on(1, 3)),
        BusyRange(f"{B2}@pmscore", on(4, 2)),
        BusyRange(f"{hold.hold_id}@pmscore", on(8, 1)),
    ]
    assert told(booked(B1, on(2, 3)))[0].uid == found[0].uid


def test_what_the_feed_of_the_room_has_told_is_not_told_back() -> None:
    block = OccupiedRange(
        kind=Occupant.BLOCK,
        state=ClaimKind.BLOCKED,
        unit_type_id=TYPE,
        unit_id=UNIT,
        nights=on(6, 2),
        block_id=BlockId(UUID(int=90)),
    )
    blocked = link(on(6, 2), booking_id=None, block_ids=(block.block_id,))
    assert told(booked(B1, on(1, 3)), block, links=[link(on(1, 3)), blocked]) == []


@pytest.mark.parametrize(
    "known",
    [
        link(on(1, 3), is_cancelled=True),
        link(on(1, 3), room_code="cottage two"),
        evolve(link(on(1, 3)), nights=None),
        link(on(1, 3), booking_id=B2),
    ],
)
def test_what_another_room_or_nobody_has_told_is_told(known: Link) -> None:
    assert told(booked(B1, on(1, 3)), links=[known]) == [BusyRange(f"{B1}@pmscore", on(1, 3))]


def test_nights_that_were_added_here_and_those_of_turning_the_room_over_are_told() -> None:
    found = told(booked(B1, on(1, 6)), booked(B1, on(7, 1), ClaimKind.BUFFER), links=[link(on(2, 3))])
    assert found == [
        BusyRange(f"{B1}@pmscore", on(1, 1)),
        BusyRange(f"{B1}-{on(5, 1).start:%Y%m%d}@pmscore", on(5, 2)),
        BusyRange(f"{B1}-after@pmscore", on(7, 1)),
    ]


def test_another_unit_and_what_has_no_place_are_not_told() -> None:
    house = house_of(UNIT, OTHER, rooms=2)
    room = evolve(ROOM, unit_id=UNIT)
    elsewhere = booked(B1, on(1, 2), unit_id=OTHER)
    nowhere = booked(B2, on(1, 2), ClaimKind.OVERSOLD, unit_id=None)
    assert told(elsewhere, nowhere, house=house, room=room) == []
    assert told(booked(B1, on(1, 2)), house=house, room=room) == [BusyRange(f"{B1}@pmscore", on(1, 2))]


def test_a_room_of_a_type_is_taken_where_nothing_is_left_to_sell() -> None:
    row = [2] * TOLD.length
    row[0] = row[1] = row[5] = row[6] = row[-1] = 0
    found = told(booked(B1, on(3, 1)), sellable=row, house=house_of(UNIT, OTHER, rooms=2))
    assert [each.nights for each in found] == [on(0, 2), on(5, 2), on(TOLD.length - 1, 1)]
    names = {each.uid for each in found}
    later = calendar_of(
        ROOM,
        house=house_of(UNIT, OTHER, rooms=2),
        occupied=(),
        links=(),
        nights=on(1, TOLD.length),
        sellable=(*row[1:], 2),
    )
    assert {each.uid for each in later} == names, "a day later the names are the same"


def test_closed_nights_follow_beside_the_claims_without_telling_a_night_twice() -> None:
    row = [1] * TOLD.length
    for at in (1, 2, 3, 4, 5):
        row[at] = 0
    found = told(booked(B1, on(2, 2)), sellable=row)
    assert [each.nights for each in found] == [on(1, 1), on(2, 2), on(4, 2)]
    assert len({each.uid for each in found}) == 3


def test_counts_are_without_what_came_from_the_feed_and_with_everything_else() -> None:
    counts = TypeNights(
        unit_type_id=TYPE,
        nights=TOLD,
        capacity=(1,) * TOLD.length,
        overbooking=0,
        claims={
            ClaimKind.BOOKED: tuple(1 if 1 <= at < 5 else 0 for at in range(TOLD.length)),
            ClaimKind.BUFFER: tuple(int(at == 5) for at in range(TOLD.length)),
        },
    )
    occupied = (booked(B1, on(1, 4)), booked(B1, on(5, 1), ClaimKind.BUFFER))
    after = counts_for_calendar(counts, ROOM, occupied, [link(on(1, 3))])
    assert [at for at, count in enumerate(after.sellable()) if not count] == [4, 5]
    assert counts_for_calendar(counts, ROOM, occupied, []) == counts


def test_closures_are_told_as_nights_with_nothing_to_sell() -> None:
    assert not folds_closures(PROFILES["ical"])
    assert folds_closures(night_manifest(PROFILES["ical"]))
