"""What occupies which nights: bookings, holds and blocks as ranges with their source.

Owns the queries behind the occupied ranges of a property; counts stand in ``availability``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import LiteralString
from uuid import UUID

from pms_adapters.postgres.session import Session
from pmscore.availability.model import Occupant, OccupiedRange
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.stock import ClaimKind
from pmscore.kernel.errors import NotFoundError
from pmscore.kernel.ids import BlockId, BookingId, HoldId, PropertyId, UnitId, UnitTypeId

__all__ = ["occupied_ranges"]

_PROPERTY: LiteralString = "SELECT 1 FROM properties WHERE agency_id = %s AND property_id = %s"
_OCCUPIED_ROOMS: LiteralString = """\
SELECT b.booking_id, r.unit_type_id, r.placements, r.arrival,
       CASE WHEN b.checked_out_on IS NULL THEN r.departure
            ELSE least(r.departure, greatest(b.checked_out_on, r.arrival + 1)) END,
       r.turnover_nights, r.is_oversold
  FROM booking_rooms r JOIN bookings b USING (agency_id, booking_id)
 WHERE r.agency_id = %s AND b.property_id = %s AND r.arrival < %s AND r.departure + r.turnover_nights > %s
   AND b.status IN ('pending', 'confirmed', 'checked_in', 'checked_out')"""
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
    found = [each for row in rooms for each in _room_ranges(*row)]  # type: ignore[arg-type]
    found += [each for row in holds for each in _hold_ranges(*row)]  # type: ignore[arg-type]
    found += [_block_range(*row) for row in blocks]  # type: ignore[arg-type]
    return tuple(sorted((each for each in found if each.nights.overlaps(nights)), key=_order))


def _room_ranges(
    booking_id: UUID, unit_type_id: UUID, placements: list[dict[str, str]], arrival: date, end: date,
    turnover_nights: int, is_oversold: bool,  # noqa: FBT001 - the columns of a row, in their order
) -> Iterable[OccupiedRange]:  # fmt: skip
    state = ClaimKind.OVERSOLD if is_oversold else ClaimKind.BOOKED
    runs: list[tuple[UUID, UUID | None, date, date]] = []
    upto = arrival
    for placed in placements:
        first, last = date.fromisoformat(placed["from"]), min(date.fromisoformat(placed["to"]), end)
        if first >= last:
            continue
        if upto < first:
            runs.append((unit_type_id, None, upto, first))
        runs.append((UUID(placed["unit_type_id"]), UUID(placed["unit_id"]), first, last))
        upto = last
    if upto < end:
        runs.append((unit_type_id, None, upto, end))
    for type_id, unit_id, first, last in runs:
        yield _booked(state, booking_id, type_id, unit_id, DateRange(first, last))
    if turnover_nights and not is_oversold:
        type_id, unit_id, _, _ = runs[-1]
        after = DateRange(end, end + timedelta(days=turnover_nights))
        yield _booked(ClaimKind.BUFFER, booking_id, type_id, unit_id, after)


def _booked(
    state: ClaimKind, booking_id: UUID, type_id: UUID, unit_id: UUID | None, nights: DateRange
) -> OccupiedRange:
    return OccupiedRange(
        kind=Occupant.BOOKING,
        state=state,
        unit_type_id=UnitTypeId(type_id),
        unit_id=None if unit_id is None else UnitId(unit_id),
        nights=nights,
        booking_id=BookingId(booking_id),
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


def _order(each: OccupiedRange) -> tuple[date, str, str, str]:
    source = each.booking_id or each.hold_id or each.block_id
    return each.nights.start, str(each.unit_type_id), str(each.unit_id or ""), str(source)
