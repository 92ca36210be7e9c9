"""What was sold beside what the platform was told to sell it for.

Owns the comparison, for the log of the connection. Changes nothing: a booking is kept at the price at which it was
sold.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pmscore.channels.model.ari import ANY, UNKNOWN, RowKey
from pmscore.channels.model.mappings import MappingBook
from pmscore.channels.model.revisions import Revision, SoldRoom, StoredRevision
from pmscore.channels.use_cases.lane_runs import LaneRun
from pmscore.dates.ranges import DateRange
from pmscore.kernel.events import Json
from pmscore.pricing.views.matrix_rows import MatrixField

__all__ = ["priced_otherwise"]

MOST_TOLD: Final = 20


def priced_otherwise(run: LaneRun, applied: Iterable[StoredRevision]) -> list[Json]:
    """Return the revisions that were sold for another amount than the platform was told last, with both amounts.

    Amounts are minor units of the house's currency, of all rooms together. What nobody knows is not compared: rooms
    without a price, or without a mapped rate, and nights that the platform has not acknowledged. At most twenty.
    """
    found: list[Json] = []
    for stored in applied:
        revision = stored.revision
        if revision is None or len(found) == MOST_TOLD:
            continue
        told = _told(run, revision)
        sold = sum(sum(room.nightly) for room in revision.rooms)
        if told is not None and told != sold:
            found.append({"revision_id": stored.revision_id, "sold": sold, "told": told})
    return found


def _told(run: LaneRun, revision: Revision) -> int | None:
    """Return what the rooms would have cost by what the platform was told; None where that is not known."""
    keyed = [(room, _key(run.begun.mappings, room)) for room in revision.rooms if room.nightly]
    keys = [key for _, key in keyed if key is not None]
    if not keys or len(keys) != len(revision.rooms):
        return None
    nights = DateRange.from_stay(revision.rooms[0].stay)
    for room in revision.rooms:
        nights = nights.span(DateRange.from_stay(room.stay))
    with run.uow.begin(run.command) as work:
        rows = work.cells.read(run.begun.connection.connection_id, keys, nights)
    total = 0
    for room, key in keyed:
        first = (room.stay.arrival - nights.start).days
        amounts = () if key is None else rows.row(key)[first : first + room.stay.length]
        if not amounts or {UNKNOWN, ANY} & {*amounts}:
            return None
        total += sum(amounts)
    return total


def _key(mappings: MappingBook, room: SoldRoom) -> RowKey | None:
    """Return the row of the rate for as many adults; None where the platform is told no such price."""
    rate = mappings.rate(room.room_code, room.rate_code)
    if rate is None:
        return None
    if not rate.occupancies:
        return RowKey(rate.mapping_id, MatrixField.RATE)
    return RowKey(rate.mapping_id, MatrixField.RATE, room.adults) if room.adults in rate.occupancies else None
