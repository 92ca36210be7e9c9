"""What occupies which nights: bookings, holds and blocks as ranges with their source.

Owns the queries behind the occupied ranges of a property; counts stand in ``availability``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import LiteralString, NamedTuple
from uuid import UUID

from pms_adapters.postgres.known_ids import type_id_of, unit_id_of
from pms_adapters.postgres.session import Session
from pmscore.availability.model import Occupant, OccupiedRange
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.stock import ClaimKind
from pmscore.kernel.errors import NotFoundError
from pmscore.kernel.ids import BlockId, BookingId, HoldId, PropertyId, UnitId, UnitTypeId

__all__ = ["occupied_ranges"]

_PROPERTY: LiteralString = "SELECT 1 FROM properties WHERE agency_id = %s AND property_id = %s"
_OCCUPIED_ROOMS: LiteralString = """\
SELECT r.room_id::text, b.booking_id, r.unit_type_id::text, p.unit_type_id::text, p.unit_id::text, p."from",
       p."to", r.arrival,
       CASE WHEN b.checked_out_on IS NULL THEN r.departure
            ELSE least(r.departure, greatest(b.checked_out_on, r.arrival + 1)) END,
       r.turnover_nights, r.is_oversold
  FROM booking_rooms r JOIN bookings b USING (agency_id, booking_id)
  LEFT JOIN LATERAL jsonb_to_recordset(r.placements) AS p(
         unit_id uuid, unit_type_id uuid, "from" date, "to" date) ON true
 WHERE r.agency_id = %s AND b.property_id = %s AND r.arrival < %s AND r.departure + r.turnover_nights > %s
   AND b.status IN ('pending', 'confirmed', 'checked_in', 'checked_out')
 ORDER BY r.room_id, p."from" """
_OCCUPIED_HOLDS: LiteralString = """\
SELECT hold_id, unit_type_id, unit_id, arrival, departure, turnover_nights FROM holds
 WHERE agency_id = %s AND property_id = %s AND arrival < %s AND departure + turnover_nights > %s
   AND status = 'active' AND expires_at > %s"""
_OCCUPIED_BLOCKS: LiteralString = """\
SELECT block_id, unit_type_id, unit_id, first_night, end_date, kind FROM blocks
 WHERE agency_id = %s AND property_id = %s AND first_night < %s AND end_date > %s"""


def occupied_ranges(
    session: Session, property_id: PropertyId, nights: DateRange, now: datetime
) -> tuple[OccupiedRange, ...]:
    """Return what claims a night of the range, by first night, type, unit and source; expired holds do not.

    Raises:
        NotFoundError: no such property in this agency.
    """
    values = (session.agency_id, property_id, nights.end, nights.start)
    found_property, rooms, holds, blocks = session.read(
        [
            (_PROPERTY, values[:2]),
            (_OCCUPIED_ROOMS, values),
            (_OCCUPIED_HOLDS, (*values, now)),
            (_OCCUPIED_BLOCKS, values),
        ]
    )
    if not found_property:
        raise NotFoundError("property", property_id)
    found = [
        each
        for _, placed in groupby(rooms, key=itemgetter(0))
        for each in _room_ranges([_Placed(*row[1:]) for row in placed])  # type: ignore[arg-type]
    ]
    found += [each for row in holds for each in _hold_ranges(*row)]  # type: ignore[arg-type]
    found += [_block_range(*row) for row in blocks]  # type: ignore[arg-type]
    first, end = nights.start, nights.end
    met = [each for each in found if each.nights.start < end and first < each.nights.end]
    return tuple(sorted(met, key=_order))


class _Placed(NamedTuple):
    """A room of a booking beside one of its placements, if it has any."""

    booking_id: UUID
    sold_type: str
    unit_type: str | None
    unit: str | None
    start: date | None
    end: date | None
    arrival: date
    until: date
    turnover_nights: int
    is_oversold: bool


def _room_ranges(placements: list[_Placed]) -> Iterable[OccupiedRange]:
    """Yield the runs of one room: each unit's, those without one between them, and the turnover after."""
    room = placements[0]
    state = ClaimKind.OVERSOLD if room.is_oversold else ClaimKind.BOOKED
    upto = room.arrival
    type_id, unit_id = type_id_of(room.sold_type), None
    for placed in placements:
        if placed.start is None or placed.end is None or placed.unit is None or placed.unit_type is None:
            break
        last = min(placed.end, room.until)
        if placed.start >= last:
            continue
        if upto < placed.start:
            yield _booked(state, room, type_id_of(room.sold_type), None, DateRange(upto, placed.start))
        type_id, unit_id = type_id_of(placed.unit_type), unit_id_of(placed.unit)
        yield _booked(state, room, type_id, unit_id, DateRange(placed.start, last))
        upto = last
    if upto < room.until:
        type_id, unit_id = type_id_of(room.sold_type), None
        yield _booked(state, room, type_id, unit_id, DateRange(upto, room.until))
    if room.turnover_nights and not room.is_oversold:
        after = DateRange(room.until, room.until + timedelta(days=room.turnover_nights))
        yield _booked(ClaimKind.BUFFER, room, type_id, unit_id, after)


def _booked(
    state: ClaimKind, room: _Placed, type_id: UnitTypeId, unit_id: UnitId | None, nights: DateRange
) -> OccupiedRange:
    return OccupiedRange(
        kind=Occupant.BOOKING,
        state=state,
        unit_type_id=type_id,
        unit_id=unit_id,
        nights=nights,
        booking_id=BookingId(room.booking_id),
    )


def _hold_ranges(
    hold_id: UUID, type_id: UUID, unit_id: UUID | None, arrival: date, departure: date, turnover_nights: int
) -> Iterable[OccupiedRange]:
    parts = [(ClaimKind.HELD, DateRange(arrival, departure))]
    if turnover_nights:
        end = departure + timedelta(days=turnover_nights)
        parts.append((ClaimKind.BUFFER, DateRange(departure, end)))
    for state, nights in parts:
        yield OccupiedRange(
            kind=Occupant.HOLD,
            state=state,
            unit_type_id=UnitTypeId(type_id),
            unit_id=None if unit_id is None else UnitId(unit_id),
            nights=nights,
            hold_id=HoldId(hold_id),
        )


def _block_range(
    block_id: UUID, type_id: UUID, unit_id: UUID, first_night: date, end_date: date, kind: str
) -> OccupiedRange:
    is_broken = kind == "out_of_order"
    return OccupiedRange(
        kind=Occupant.BLOCK,
        state=ClaimKind.OUT_OF_ORDER if is_broken else ClaimKind.BLOCKED,
        unit_type_id=UnitTypeId(type_id),
        unit_id=UnitId(unit_id),
        nights=DateRange(first_night, end_date),
        block_id=BlockId(block_id),
    )


def _order(each: OccupiedRange) -> tuple[date, int, int, int]:
    source = each.booking_id or each.hold_id or each.block_id
    unit = -1 if each.unit_id is None else each.unit_id.int
    return each.nights.start, each.unit_type_id.int, unit, 0 if source is None else source.int
