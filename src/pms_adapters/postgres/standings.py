"""What bookings, holds, blocks and allotments claim, read as standings for a stock board: all of them, or those of some sources.

Owns the four queries, and what several units of one room come to. Everything that has ended before a first night is
left out by the server; so are bookings in a status without nights, and holds that are over.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import LiteralString, TypeAlias
from uuid import UUID

from attrs import field, frozen

from pms_adapters.postgres.allotments import ALLOTMENT_COLUMNS, loaded_allotment
from pms_adapters.postgres.session import Row, Session, Statement
from pmscore.availability.views.stock_board import Standing
from pmscore.inventory.model.allotments import Allotment

__all__ = ["StandingRows", "read_standings", "read_standings_of"]

# A day as a number, counted as Python counts: 1 January of the year 1 is day 1.
_NUMBERED: LiteralString = " - DATE '0001-01-01' + 1"
_ROOMS: LiteralString = f"""\
SELECT booking_id::text, CASE WHEN is_oversold THEN 'oversold' ELSE 'booked' END,
       CASE WHEN is_whole THEN placements -> 0 ->> 'unit_type_id' ELSE unit_type_id::text END,
       CASE WHEN is_whole THEN placements -> 0 ->> 'unit_id' END,
       arrival{_NUMBERED}, until{_NUMBERED}, CASE WHEN is_oversold THEN 0 ELSE turnover_nights END,
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
SELECT hold_id::text, 'held', unit_type_id::text, unit_id::text, arrival{_NUMBERED}, departure{_NUMBERED},
       turnover_nights, expires_at
  FROM holds WHERE agency_id = %s AND departure + turnover_nights > %s AND status = 'active'"""
_BLOCKS: LiteralString = f"""\
SELECT block_id::text, CASE WHEN kind = 'out_of_order' THEN kind ELSE 'blocked' END, unit_type_id::text, unit_id::text,
       first_night{_NUMBERED}, end_date{_NUMBERED}, 0, NULL::timestamptz
  FROM blocks WHERE agency_id = %s AND end_date > %s"""
_ALLOTMENTS: LiteralString = f"""\
SELECT {ALLOTMENT_COLUMNS} FROM allotments WHERE agency_id = %s AND end_date > %s AND guaranteed > 0"""

# An agency that came after the last ANALYZE is taken for one of a single row, and all of its bookings are then looked
# through for each of its rooms. Until the transaction ends, no join is made that way.
_NO_LOOPS: LiteralString = "SELECT set_config('enable_nestloop', 'off', true)"

_Placements: TypeAlias = list[Mapping[str, str]]


@frozen
class StandingRows:
    """The rows as the server sent them: standings, but for rooms that are not in one unit throughout."""

    rooms: list[Row]
    holds: list[Row]
    blocks: list[Row]
    allotments: list[Row] = field(factory=list)

    def __len__(self) -> int:
        return len(self.rooms) + len(self.holds) + len(self.blocks) + len(self.allotments)

    def standings(self) -> Iterator[Standing]:
        """Yield what the rows say."""
        for row in self.rooms:
            if row[-1] is None:
                yield row  # type: ignore[misc] # as the query says
            else:
                yield from _of_placements(*row)  # type: ignore[arg-type]
        yield from self.holds  # type: ignore[misc]
        yield from self.blocks  # type: ignore[misc]
        for row in self.allotments:
            yield from _of_allotment(loaded_allotment(row))


def read_standings(session: Session, since: date, *, most: int) -> StandingRows:
    """Return what claims a night from ``since`` on, as the session's transaction sees it: at most so many of each kind.

    Raises:
        UnreachableError: the database did not answer.
    """
    values = (session.agency_id, since, most)
    asked: list[Statement] = [
        (_NO_LOOPS, ()),
        (_ROOMS + _AS_ROOMS + " LIMIT %s", values),
        (_HOLDS + " LIMIT %s", values),
        (_BLOCKS + " LIMIT %s", values),
        (_ALLOTMENTS + " LIMIT %s", values),
    ]
    _, *rows = session.run(asked)
    return StandingRows(*rows)


def read_standings_of(session: Session, since: date, sources: Mapping[str, Collection[UUID]]) -> StandingRows:
    """Return the same of some sources alone: bookings, holds, blocks and allotments, named by their aggregate.

    Raises:
        UnreachableError: the database did not answer.
    """
    bookings, holds, blocks, allotments = (
        list(sources.get(each, ())) for each in ("booking", "hold", "block", "allotment")
    )
    values = (session.agency_id, since)
    asked: list[Statement] = [
        (_ROOMS + " AND b.booking_id = ANY(%s)" + _AS_ROOMS, (*values, bookings)),
        (_HOLDS + " AND hold_id = ANY(%s)", (*values, holds)),
        (_BLOCKS + " AND block_id = ANY(%s)", (*values, blocks)),
        (_ALLOTMENTS + " AND allotment_id = ANY(%s)", (*values, allotments)),
    ]
    return StandingRows(*session.run(asked))


def _of_allotment(allotment: Allotment) -> Iterator[Standing]:
    """Yield a standing for each stretch of nights on which one more room is kept."""
    source_id, type_id = str(allotment.allotment_id), str(allotment.unit_type_id)
    for claim in allotment.claims():
        nights = claim.nights
        yield (
            source_id, claim.kind.value, type_id, None, nights.first_ordinal, nights.end_ordinal, 0, None,
        )  # fmt: skip


def _of_placements(
    source_id: str, kind: str, sold: str, _: None, first: int, until: int, turnover_nights: int,
    placements: _Placements,
) -> Iterator[Standing]:  # fmt: skip
    """Yield the runs of a room that is not in one unit throughout; the last is followed by the turnover nights."""
    runs: list[tuple[str, str | None, int, int]] = []
    upto = first
    for placed in placements:
        start = date.fromisoformat(placed["from"]).toordinal()
        end = min(date.fromisoformat(placed["to"]).toordinal(), until)
        if start >= end:
            continue
        if upto < start:
            runs.append((sold, None, upto, start))
        runs.append((placed["unit_type_id"], placed["unit_id"], start, end))
        upto = end
    if upto < until:
        runs.append((sold, None, upto, until))
    for unit_type, unit, start, end in runs:
        yield source_id, kind, unit_type, unit, start, end, turnover_nights if end == until else 0, None
