"""How differences become messages: entries of neighbouring nights that are told the same, and pushes of those.

Owns how cells are put together. Leaves which cells to ``diffing`` and the form of a message to the gateways. Laws:
entries share no cell, say exactly the runs and what has to travel with them, and two that touch differ or are full.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from pmscore.channels.model.ari import ANY, UNKNOWN, AriRows, AriRun, Entry, RowKey
from pmscore.channels.model.manifest import Manifest
from pmscore.kernel.ids import MappingId
from pmscore.pricing.views.matrix_rows import MatrixField, nights_between

__all__ = ["cells_of", "entries", "pushes"]

_Piece: TypeAlias = "tuple[int, int, tuple[MatrixField, int], int]"
"""The first night and the end as ordinals, what it says, and the value."""
_Values: TypeAlias = "dict[tuple[MatrixField, int], int]"


def entries(
    runs: Iterable[AriRun], desired: AriRows, manifest: Manifest, fields: frozenset[MatrixField]
) -> tuple[Entry, ...]:
    """Return the entries of the message that carries ``fields``, by mapping, then night.

    Where a run is of a field that travels ``whole``, the entry says all rows of such fields that are desired there.
    """
    by_mapping: dict[MappingId, list[AriRun]] = {}
    for run in runs:
        if run.key.field in fields:
            by_mapping.setdefault(run.key.mapping_id, []).append(run)
    whole = manifest.whole & fields
    together: dict[MappingId, list[RowKey]] = {}
    if whole:
        for key in desired.rows:
            if key.field in whole:
                together.setdefault(key.mapping_id, []).append(key)
    found: list[Entry] = []
    for mapping_id in sorted(by_mapping):
        mine = by_mapping[mapping_id]
        pieces = [_piece(run) for run in mine if run.key.field not in whole]
        spans = [(run.nights.first_ordinal, run.nights.end_ordinal) for run in mine if run.key.field in whole]
        pieces += _completed(spans, together.get(mapping_id, []), desired)
        for first, end, values in _swept(pieces):
            for start in range(first, end, manifest.most_nights):
                nights = nights_between(start, min(start + manifest.most_nights, end))
                found.append(Entry(mapping_id=mapping_id, nights=nights, values=values))
    return tuple(found)


def pushes(found: tuple[Entry, ...], manifest: Manifest) -> tuple[tuple[Entry, ...], ...]:
    """Return the entries in messages of no more than the platform takes at once."""
    most = manifest.most_entries
    return tuple(found[at : at + most] for at in range(0, len(found), most))


def cells_of(found: Iterable[Entry]) -> tuple[AriRun, ...]:
    """Return the cells that entries say."""
    return tuple(run for entry in found for run in entry.runs())


def _piece(run: AriRun) -> _Piece:
    nights = run.nights
    return nights.first_ordinal, nights.end_ordinal, (run.key.field, run.key.occupancy), run.value


def _completed(spans: list[tuple[int, int]], keys: Iterable[RowKey], desired: AriRows) -> Iterator[_Piece]:
    """Yield all that is desired in these rows on nights of which one of them is told."""
    origin = desired.nights.first_ordinal
    for first, end in _joined(spans):
        for key in keys:
            row = desired.rows[key]
            start = first
            for night in range(first, end + 1):
                if night < end and row[night - origin] == row[start - origin]:
                    continue
                value = row[start - origin]
                if value not in (ANY, UNKNOWN):
                    yield start, night, (key.field, key.occupancy), value
                start = night


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return ranges of ordinals so that none touch."""
    found: list[tuple[int, int]] = []
    for first, end in sorted(spans):
        if found and first <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((first, end))
    return found


def _swept(pieces: Iterable[_Piece]) -> Iterator[tuple[int, int, Mapping[tuple[MatrixField, int], int]]]:
    """Yield the longest stretches of nights that are told the same, in the order of nights."""
    begin: dict[int, _Values] = {}
    cease: dict[int, list[tuple[MatrixField, int]]] = {}
    for first, end, what, value in pieces:
        begin.setdefault(first, {})[what] = value
        cease.setdefault(end, []).append(what)
    points = sorted({*begin, *cease})
    told: _Values = {}
    start = 0
    for point in points:
        after = {what: value for what, value in told.items() if what not in cease.get(point, ())}
        after.update(begin.get(point, {}))
        if after != told:
            if told:
                yield start, point, dict(sorted(told.items()))
            start, told = point, after
