"""What a platform has to be told: the difference between what it has acknowledged and what it should have.

Owns the difference. Leaves how it becomes messages to ``packing``. Law: the runs, put on what was acknowledged, give
what is desired in every cell that is not ``ANY``, and no other cell is in them.
"""

from __future__ import annotations

from collections.abc import Iterable

from pmscore.channels.model.ari import ANY, UNKNOWN, AriRows, AriRun, Dirty
from pmscore.channels.model.mappings import MappingBook
from pmscore.kernel.ids import MappingId
from pmscore.pricing.views.matrix_rows import nights_between, runs_between

__all__ = ["forgotten", "runs"]


def forgotten(acked: AriRows, dirty: Iterable[Dirty], book: MappingBook) -> AriRows:
    """Return what was acknowledged, without the cells of which nobody knows any more what the platform has.

    ``dirty`` are rows of the lane that the cells belong to; those that forget nothing are left out.
    """
    rows = {key: [*row] for key, row in acked.rows.items()}
    origin, length = acked.nights.first_ordinal, acked.nights.length
    for each in dirty:
        if not each.forgets:
            continue
        first = end = 0
        if each.nights is None:
            end = length
        else:
            first = max(each.nights.first_ordinal - origin, 0)
            end = min(each.nights.end_ordinal - origin, length)
        if first >= end:
            continue
        for key, row in rows.items():
            if _is_meant(each, book, key.mapping_id):
                row[first:end] = [UNKNOWN] * (end - first)
    return AriRows(acked.nights, {key: tuple(row) for key, row in rows.items()})


def runs(acked: AriRows, desired: AriRows) -> tuple[AriRun, ...]:
    """Return what to say so that a platform that has ``acked`` has ``desired``, by key, then night.

    Rows that are not desired at all are left alone, and so are cells that may be ``ANY``.
    """
    nights, origin = desired.nights, desired.nights.first_ordinal
    known = acked.between(nights)
    found: list[AriRun] = []
    for key in sorted(desired.rows):
        before, after = known.row(key), desired.rows[key]
        if before == after:
            continue
        if ANY in after:
            after = tuple([was if now == ANY else now for was, now in zip(before, after, strict=True)])
        found += [
            AriRun(key, nights_between(origin + first, origin + end), value)
            for first, end, value in runs_between(before, after)
        ]
    return tuple(found)


def _is_meant(dirty: Dirty, book: MappingBook, mapping_id: MappingId) -> bool:
    if dirty.unit_type_ids is None:
        return True
    mapped = book.by_id(mapping_id)
    return mapped is None or mapped.unit_type_id in dirty.unit_type_ids
