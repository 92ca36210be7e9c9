"""Our stay rules in the words of a platform that lacks some of them.

Owns what stands for a rule that cannot be said. Law: a stay that a platform admits by what it is told, our
rules admit (those that are left to the platform's own settings are named, and exempt). Why each step holds is
on the page ``docs/algorithms/dialects.md``. Fields of arrival and departure have dates, the others nights, as
in the year matrix.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Final, TypeAlias

from attrs import frozen

from pmscore.channels.model.ari import AriRows, Loss, LossKind, RowKey
from pmscore.channels.model.manifest import Manifest
from pmscore.channels.model.mappings import MappedRoom, MappingBook
from pmscore.channels.policies.stay_lengths import arrival_maxima, arrival_minima, longest_run
from pmscore.dates.nights import FIRST_DAY, LAST_DAY, MAX_NIGHTS
from pmscore.dates.ranges import DateRange
from pmscore.kernel.ids import MappingId
from pmscore.pricing.views.matrix_rows import BLANK, MatrixField
from pmscore.pricing.views.matrix_stays import STAY_FIELDS

__all__ = ["folds_closures", "looked_ahead", "touched", "translated"]

_Row: TypeAlias = "tuple[int, ...]"
_Rows: TypeAlias = "dict[MatrixField, _Row]"

_MINIMA: Final = frozenset({MatrixField.MIN_STAY_ARRIVAL, MatrixField.MIN_STAY_THROUGH})
_THROUGH: Final = frozenset({MatrixField.MIN_STAY_THROUGH, MatrixField.MAX_STAY_THROUGH})


@frozen
class _Lost:
    """A field that cannot be said, the places where it matters, and the field that stands for it."""

    field: MatrixField
    places: tuple[int, ...]
    kind: LossKind
    said: str


def folds_closures(manifest: Manifest) -> bool:
    """Return whether closed nights are said by having nothing to sell."""
    return MatrixField.CLOSED not in manifest.fields and MatrixField.SELLABLE in manifest.fields


def looked_ahead(nights: DateRange, manifest: Manifest) -> DateRange:
    """Return the nights whose rules decide what a platform is told of ``nights``."""
    end = min(nights.end_ordinal + _reach(manifest), LAST_DAY.toordinal())
    return DateRange(nights.start, date.fromordinal(max(end, nights.end_ordinal)))


def touched(nights: DateRange, manifest: Manifest) -> DateRange:
    """Return the nights of which a platform may have to be told something else when rules change on ``nights``."""
    start = max(nights.first_ordinal - _reach(manifest), FIRST_DAY.toordinal())
    return DateRange(date.fromordinal(start), nights.end)


def translated(rows: AriRows, manifest: Manifest, mappings: MappingBook) -> tuple[AriRows, tuple[Loss, ...]]:
    """Return the rows that a platform can be told, and what of ours they do not say.

    Rules stand under the rate that they are for; under the room itself where no plan is sold for it. Where a
    platform cannot close a night, the room has nothing to sell: if it sells by rate as soon as one of them is
    closed, else when all are. Values near the end of ``rows`` are right only as far as the rules after it are
    given.
    """
    speaker, fields = _Speaker(manifest), manifest.fields
    said: dict[RowKey, _Row] = {}
    losses: list[Loss] = []
    closed: dict[str, list[_Row]] = {}
    for mapping_id, mine in _by_mapping(rows).items():
        spoken = speaker.spoken(mine) if any(name in STAY_FIELDS for _, name in mine) else None
        for (occupancy, name), row in mine.items():
            if name in fields and name not in STAY_FIELDS:
                said[RowKey(mapping_id, name, occupancy)] = row
        if spoken is None:
            continue
        mapped = mappings.by_id(mapping_id)
        if not isinstance(mapped, MappedRoom):
            for name in STAY_FIELDS:
                if name in fields:
                    said[RowKey(mapping_id, name)] = spoken.rows[name]
        if mapped is not None:
            closed.setdefault(mapped.room_code, []).append(spoken.rows[MatrixField.CLOSED])
        losses += [each for lost in spoken.losses for each in _losses(lost, mapping_id, rows.nights)]
    if folds_closures(manifest):
        _fold(said, mappings, closed, by_rate=MatrixField.RATE in manifest.fields)
    return AriRows(rows.nights, said), tuple(losses)


def _fold(
    said: dict[RowKey, _Row], mappings: MappingBook, closed: Mapping[str, list[_Row]], *, by_rate: bool
) -> None:
    joined: Callable[[Sequence[int]], bool] = any if by_rate else all
    for room in mappings.rooms:
        key = RowKey(room.mapping_id, MatrixField.SELLABLE)
        rows = closed.get(room.room_code)
        if key in said and rows:
            said[key] = tuple(
                [0 if joined(cells) else count for count, *cells in zip(said[key], *rows, strict=True)]
            )


class _Speaker:
    """Says the rules of one rate in what a manifest has; rates with the same rows are worked out once."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._known: dict[tuple[int, ...], _Spoken] = {}

    def spoken(self, mine: Mapping[tuple[int, MatrixField], _Row]) -> _Spoken:
        length = len(next(iter(mine.values())))
        rows: _Rows = {name: mine.get((0, name), (0,) * length) for name in STAY_FIELDS}
        key = tuple([id(mine.get((0, name))) for name in STAY_FIELDS])
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = _Spoken(rows, self._manifest)
        return found


class _Spoken:
    """The rules of one rate, step by step brought into fields that can be said."""

    def __init__(self, rows: _Rows, manifest: Manifest) -> None:
        self.rows = dict(rows)
        self.losses: list[_Lost] = []
        self._fields = manifest.fields
        if any(any(row) for row in rows.values()):
            self._leave(manifest.left_to_platform)
            self._lengths()
            self._through()
            self._arrival()
            self._closures(can_fold=folds_closures(manifest))
            self._least()

    def _leave(self, left: frozenset[MatrixField]) -> None:
        for name in STAY_FIELDS:
            if name in left and name not in self._fields:
                over = 1 if name in _MINIMA else 0
                self._lose(name, _places(self.rows[name], over), "", LossKind.LEFT_TO_PLATFORM)

    def _lengths(self) -> None:
        """Say allowed lengths by the longest run of them, as minimum and maximum."""
        name = MatrixField.ALLOWED_LENGTHS
        row = self.rows[name]
        if name in self._fields or not any(row):
            return
        least, most = [*self._row(_MIN_ARRIVAL)], [*self._row(_MAX_ARRIVAL)]
        none = [*self._row(_CTA)]
        places = _places(row)
        for at in places:
            run = longest_run(row[at] >> 1, least[at] or 1, most[at] or MAX_NIGHTS)
            if run is None:
                none[at] = 1
            else:
                first, last = run
                least[at] = first if first > 1 else least[at]
                most[at] = last if last < MAX_NIGHTS else most[at]
        self._lose(name, places, _MIN_ARRIVAL.value)
        self._put({_MIN_ARRIVAL: least, _MAX_ARRIVAL: most, _CTA: none})

    def _through(self) -> None:
        """Say limits of all nights by those of the arrival."""
        for name, target, by_arrival in (
            (MatrixField.MIN_STAY_THROUGH, _MIN_ARRIVAL, arrival_minima),
            (MatrixField.MAX_STAY_THROUGH, _MAX_ARRIVAL, arrival_maxima),
        ):
            row = self.rows[name]
            if name in self._fields or not any(row):
                continue
            after = by_arrival(row, self._row(target))
            self._lose(name, _places(row, 1 if name in _MINIMA else 0), target.value)
            self._put({target: after})

    def _arrival(self) -> None:
        """Say limits of the arrival by those of all nights, where these can be said; else close the arrival."""
        for name, through in (
            (_MIN_ARRIVAL, MatrixField.MIN_STAY_THROUGH),
            (_MAX_ARRIVAL, MatrixField.MAX_STAY_THROUGH),
        ):
            row = self.rows[name]
            places = _places(row, 1 if name in _MINIMA else 0)
            if name in self._fields or not places:
                continue
            target = through if through in self._fields else _CTA
            after = [*self._row(target)]
            for at in places:
                after[at] = _stricter(name, after[at], row[at]) if target is through else 1
            self._lose(name, places, target.value)
            self._put({target: after})

    def _closures(self, *, can_fold: bool) -> None:
        closed = [*self._row(_CLOSED)]
        for name, shift in ((_CTA, 0), (MatrixField.CLOSED_TO_DEPARTURE, 1)):
            if name in self._fields:
                continue
            places = _places(self.rows[name])
            for at in places:
                if at >= shift:
                    closed[at - shift] = 1
            self._lose(name, places, _CLOSED.value)
        self._put({_CLOSED: closed})
        if _CLOSED not in self._fields:
            said = MatrixField.SELLABLE.value if can_fold else ""
            kind = LossKind.NARROWED if can_fold else LossKind.LEFT_TO_PLATFORM
            self._tell(_Lost(_CLOSED, _places(tuple(closed)), kind, said))

    def _least(self) -> None:
        """Say a least stay of one night, which every stay has, as no rule: platforms show both alike."""
        for name in _MINIMA:
            if 1 in self.rows[name]:
                self.rows[name] = tuple([0 if least == 1 else least for least in self.rows[name]])

    def _row(self, name: MatrixField) -> _Row:
        return self.rows[name]

    def _put(self, rows: Mapping[MatrixField, Sequence[int]]) -> None:
        self.rows.update({name: tuple(row) for name, row in rows.items()})

    def _lose(
        self, name: MatrixField, places: tuple[int, ...], said: str, kind: LossKind = LossKind.NARROWED
    ) -> None:
        """Blank a field that cannot be said, and remember where it mattered."""
        self._tell(_Lost(name, places, kind, said))
        self.rows[name] = (BLANK[name],) * len(self.rows[name])

    def _tell(self, lost: _Lost) -> None:
        if lost.places:
            self.losses.append(lost)


_CLOSED: Final = MatrixField.CLOSED
_CTA: Final = MatrixField.CLOSED_TO_ARRIVAL
_MIN_ARRIVAL: Final = MatrixField.MIN_STAY_ARRIVAL
_MAX_ARRIVAL: Final = MatrixField.MAX_STAY_ARRIVAL


def _reach(manifest: Manifest) -> int:
    """Return how many nights later a rule may stand that decides what is told of a night."""
    said = manifest.fields | manifest.left_to_platform
    if _THROUGH - said:
        return MAX_NIGHTS
    return 0 if MatrixField.CLOSED_TO_DEPARTURE in said else 1


def _stricter(name: MatrixField, value: int, other: int) -> int:
    if name is _MIN_ARRIVAL:
        return max(value, other)
    return min(value or other, other)


def _places(row: Sequence[int], over: int = 0) -> tuple[int, ...]:
    """Return where a row says something."""
    return tuple([at for at, value in enumerate(row) if value > over]) if any(row) else ()


def _by_mapping(rows: AriRows) -> dict[MappingId, dict[tuple[int, MatrixField], _Row]]:
    found: dict[MappingId, dict[tuple[int, MatrixField], _Row]] = {}
    for key, row in rows.rows.items():
        found.setdefault(key.mapping_id, {})[key.occupancy, key.field] = row
    return found


def _losses(lost: _Lost, mapping_id: MappingId, nights: DateRange) -> Iterator[Loss]:
    for _, stretch in groupby(enumerate(lost.places), key=lambda each: each[1] - each[0]):
        places = [at for _, at in stretch]
        yield Loss(
            mapping_id=mapping_id,
            field=lost.field,
            nights=DateRange.of(nights.start + timedelta(days=places[0]), len(places)),
            kind=lost.kind,
            said=lost.said,
        )
