"""What bookings, holds and blocks claim, read as standings for a stock board: all of them, or those of some sources.

Owns the three queries, and what several units of one room come to. Everything that has ended before a first night is
left out by the server; so are bookings in a status without nights, and holds that are over.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import LiteralString
from uuid import UUID

from attrs import frozen

from pms_adapters.postgres.known_ids import type_id_of, unit_id_of
from pms_adapters.postgres.session import Row, Session, Statement
from pmscore.availability.views.stock_board import Standing
from pmscore.inventory.model.stock import ClaimKind
from pmscore.kernel.ids import UnitId, UnitTypeId

__all__ = ["StandingRows", "read_standings", "read_standings_of"]

# A day as a number, counted as Python counts: 1 January of the year 1 is day 1.
_NUMBERED: LiteralString = " - DATE '0001-01-01' + 1"
_ROOMS: LiteralString = f"""\
SELECT booking_id,
       CASE WHEN is_whole THEN placements -> 0 ->> 'unit_type_id' ELSE unit_type_id::text END,
       CASE WHEN is_whole THEN placements -> 0 ->> 'unit_id' END,
       arrival{_NUMBERED}, until{_NUMBERED}, turnover_nights,
       CASE WHEN is_oversold THEN 'oversold' ELSE 'booked' END,
       CASE WHEN NOT is_whole AND placements <> '[]' THEN placements END
  FROM (SELECT *, jsonb_array_length(placements) = 1 AND (placements -> 0 ->> 'from')::date <= arrival
                  AND (placements -> 0 ->> 'to')::date >= until AS is_whole
          FROM (SELECT b.booking_id, r.unit_type_id, r.placements, r.arrival, r.turnover_nights, r.is_oversold,
                       CASE WHEN b.checked_out_on IS NULL THEN r.departure
                            ELSE least(r.departure, greatest(b.checked_out_on, r.arrival + 1)) END AS until
                  FROM booking_rooms r JOIN bookings b USING (agency_id, booking_id)
                 WHERE r.agency_id = %s AND r.departure + r.turnover_nights > %s
                   AND b.status IN ('pending', 'confirmed', 'checked_in', 'checked_out')"""
_AS_ROOMS: LiteralString = ") AS room) AS placed"
_HOLDS: LiteralString = f"""\
SELECT hold_id, unit_type_id::text, unit_id::text, arrival{_NUMBERED}, departure{_NUMBERED}, turnover_nights, expires_at
  FROM holds WHERE agency_id = %s AND departure + turnover_nights > %s AND status = 'active'"""
_BLOCKS: LiteralString = f"""\
SELECT block_id, unit_type_id::text, unit_id::text, first_night{_NUMBERED}, end_date{_NUMBERED}, kind
  FROM blocks WHERE agency_id = %s AND end_date > %s"""


@frozen
class StandingRows:
    """The rows as the server sent them."""

    rooms: list[Row]
    holds: list[Row]
    blocks: list[Row]

    def __len__(self) -> int:
        return len(self.rooms) + len(self.holds) + len(self.blocks)

    def standings(self) -> Iterator[Standing]:
        """Yield what the rows say."""
        for row in self.rooms:
            yield from _of_room(*row)  # type: ignore[arg-type]
        for row in self.holds:
            yield _of_hold(*row)  # type: ignore[arg-type]
        for row in self.blocks:
            yield _of_block(*row)  # type: ignore[arg-type]


def read_standings(session: Session, since: date, *, most: int) -> StandingRows:
    """Return what claims a night from ``since`` on, as the session's transaction sees it: at most so many of each kind.

    Raises:
        UnreachableError: the database did not answer.
    """
    values = (session.agency_id, since, most)
    asked: list[Statement] = [
        (_ROOMS + _AS_ROOMS + " LIMIT %s", values),
        (_HOLDS + " LIMIT %s", values),
        (_BLOCKS + " LIMIT %s", values),
    ]
    return StandingRows(*session.run(asked))


def read_standings_of(session: Session, since: date, sources: Mapping[str, Collection[UUID]]) -> StandingRows:
    """Return the same of some sources alone: bookings, holds and blocks, named by their aggregate.

    Raises:
        UnreachableError: the database did not answer.
    """
    bookings, holds, blocks = (list(sources.get(each, ())) for each in ("booking", "hold", "block"))
    values = (session.agency_id, since)
    asked: list[Statement] = [
        (_ROOMS + " AND b.booking_id = ANY(%s)" + _AS_ROOMS, (*values, bookings)),
        (_HOLDS + " AND hold_id = ANY(%s)", (*values, holds)),
        (_BLOCKS + " AND block_id = ANY(%s)", (*values, blocks)),
    ]
    return StandingRows(*session.run(asked))


def _of_room(
    booking_id: UUID, type_text: str, unit_text: str | None, first: int, end: int, turnover_nights: int,
    state: str, placements: list[Mapping[str, str]] | None,
) -> Iterable[Standing]:  # fmt: skip
    if placements is not None:
        return _of_placements(booking_id, type_id_of(type_text), (first, end, turnover_nights), placements)
    type_id = type_id_of(type_text)
    if state == "oversold":
        return (Standing(booking_id, ClaimKind.OVERSOLD, type_id, None, first, end),)
    unit_id = None if unit_text is None else unit_id_of(unit_text)
    return (Standing(booking_id, ClaimKind.BOOKED, type_id, unit_id, first, end, turnover_nights),)


def _of_placements(
    booking_id: UUID, sold: UnitTypeId, nights: tuple[int, int, int], placements: list[Mapping[str, str]]
) -> Iterable[Standing]:
    """Yield the runs of a room that is not in one unit throughout; the last is followed by the turnover nights."""
    first, until, turnover_nights = nights
    runs: list[tuple[UnitTypeId, UnitId | None, int, int]] = []
    upto = first
    for placed in placements:
        start = date.fromisoformat(placed["from"]).toordinal()
        end = min(date.fromisoformat(placed["to"]).toordinal(), until)
        if start >= end:
            continue
        if upto < start:
            runs.append((sold, None, upto, start))
        runs.append((type_id_of(placed["unit_type_id"]), unit_id_of(placed["unit_id"]), start, end))
        upto = end
    if upto < until:
        runs.append((sold, None, upto, until))
    for type_id, unit_id, start, end in runs:
        after = turnover_nights if end == until else 0
        yield Standing(booking_id, ClaimKind.BOOKED, type_id, unit_id, start, end, after)


def _of_hold(
    hold_id: UUID, type_text: str, unit_text: str | None, first: int, end: int, turnover_nights: int,
    expires_at: datetime,
) -> Standing:  # fmt: skip
    unit_id = None if unit_text is None else unit_id_of(unit_text)
    return Standing(
        hold_id, ClaimKind.HELD, type_id_of(type_text), unit_id, first, end, turnover_nights, expires_at
    )


def _of_block(
    block_id: UUID, type_text: str, unit_text: str, first: int, end: int, kind: str
) -> Standing:  # fmt: skip
    is_broken = kind == "out_of_order"
    claim = ClaimKind.OUT_OF_ORDER if is_broken else ClaimKind.BLOCKED
    return Standing(block_id, claim, type_id_of(type_text), unit_id_of(unit_text), first, end)
