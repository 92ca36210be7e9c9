"""The stock board: what an agency's bookings, holds and blocks claim, held in memory and changed source by source.

Owns what is remembered of each source, so that it can be given up again, and the counts by kind of claim. Nights and
units are a ``NightBoard``; reading the store, and knowing how old the board is, is left to whoever feeds it. Not safe
to share between threads by itself. How it works: ``docs/algorithms/availability.md``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from heapq import heapify, heappop, heappush
from itertools import accumulate, chain
from operator import add
from typing import TypeAlias
from uuid import UUID

from pmscore.availability.views.night_board import NightBoard, Span
from pmscore.dates.nights import HalfOpen
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.house import House
from pmscore.inventory.model.stock import Claim, ClaimKind
from pmscore.kernel.errors import MisuseError
from pmscore.kernel.ids import UnitId, UnitTypeId

__all__ = ["Standing", "StockBoard"]


Standing: TypeAlias = tuple[str, str, str, str | None, int, int, int, datetime | None]
"""What one source claims in a row: nights, and the turnover nights that follow them.

The id of the source, the kind of claim, the type and the unit if there is one, all as text; the first night and the
day after the last as proleptic Gregorian ordinals; how many turnover nights follow; when a hold expires. One that is
oversold has no unit and no turnover nights. A row as a store sends it, and a plain tuple of plain values: tens of
thousands are kept, and the collector of garbage passes over what cannot refer to anything.
"""

_BOOKED, _OVERSOLD, _BUFFER = ClaimKind.BOOKED.value, ClaimKind.OVERSOLD.value, ClaimKind.BUFFER.value
_KINDS = {kind.value: kind for kind in ClaimKind}


class StockBoard:
    """The claims of an agency on a range of nights.

    Invariant: it answers as the store does whose standings it was given, as long as each source is replaced whenever
    it changes, and those that changed together are replaced together.
    """

    def __init__(
        self, houses: Sequence[House], nights: DateRange, standings: Iterable[Standing] = ()
    ) -> None:
        self.nights = nights
        self._origin = nights.first_ordinal
        self._types = {key: each for house in houses for key, each in house.types.items()}
        self._units = {key: each for house in houses for key, each in house.units.items()}
        self._board = NightBoard(houses, nights)
        self._named: Mapping[str, UUID] = {str(key): key for key in (*self._types, *self._units)}
        self._sources: dict[str, Standing] = {}
        self._more: dict[str, list[Standing]] = {}
        self._expiries: list[tuple[datetime, str]] = []
        # Most claims are bookings: theirs are what is left of all claims without those of the other kinds.
        self._others: dict[tuple[UnitTypeId, ClaimKind], list[int]] = {}
        self._start(standings)

    def __len__(self) -> int:
        return len(self._sources)

    def for_houses(self, houses: Sequence[House]) -> StockBoard:
        """Return a board with the same standings for houses that have changed: this one if their units have not."""
        types = {key for house in houses for key in house.types}
        units = {key: each for house in houses for key, each in house.units.items()}
        if types == self._types.keys() and units == self._units:
            return self
        kept = chain(self._sources.values(), *self._more.values())
        return StockBoard(houses, self.nights, kept)

    def replace(self, source_ids: Iterable[str], standings: Iterable[Standing]) -> None:
        """Let each of these sources claim what its ``standings`` say, and nothing else; all in one step.

        Raises:
            MisuseError: a type or unit that no house has; the board is of no use any more.
        """
        for source_id in source_ids:
            self._drop(source_id)
        for standing in standings:
            source_id, expires_at = standing[0], standing[-1]
            if self._sources.setdefault(source_id, standing) is not standing:
                self._more.setdefault(source_id, []).append(standing)
            for claim in self._claims(standing):
                self._board.take(claim)
                self._count(claim, 1)
            if expires_at is not None:
                heappush(self._expiries, (expires_at, source_id))

    def covers(self, nights: HalfOpen) -> bool:
        """Return whether the board can be asked about all of these nights."""
        return self._origin <= nights.first_ordinal and nights.end_ordinal <= self.nights.end_ordinal

    def claimed(
        self, unit_type_ids: Iterable[UnitTypeId], nights: HalfOpen, now: datetime
    ) -> Mapping[UnitTypeId, tuple[int, ...]]:
        """Return the claims that count against the limit of each type, one number a night.

        Raises:
            MisuseError: the nights are not all on the board.
        """
        self.expire(now)
        return {each: self._board.claimed(each, nights) for each in unit_type_ids if each in self._types}

    def claims_by_kind(
        self, unit_type_ids: Iterable[UnitTypeId], nights: HalfOpen, now: datetime
    ) -> Mapping[UnitTypeId, Mapping[ClaimKind, tuple[int, ...]]]:
        """Return the claims of each kind, one number a night; kinds without any are left out.

        Raises:
            MisuseError: the nights are not all on the board.
        """
        first, end = nights.first_ordinal - self._origin, nights.end_ordinal - self._origin
        found: dict[UnitTypeId, Mapping[ClaimKind, tuple[int, ...]]] = {}
        for type_id, claimed in self.claimed(unit_type_ids, nights, now).items():
            by_kind = {
                kind: tuple(self._others[type_id, kind][first:end])
                for kind in ClaimKind
                if (type_id, kind) in self._others
            }
            counted = [counts for kind, counts in by_kind.items() if kind is not ClaimKind.OVERSOLD]
            booked = tuple(every - sum(others) for every, *others in zip(claimed, *counted, strict=True))
            by_kind[ClaimKind.BOOKED] = booked
            found[type_id] = {kind: counts for kind, counts in by_kind.items() if any(counts)}
        return found

    def free_units(
        self, wanted: Mapping[UnitTypeId, DateRange], now: datetime
    ) -> Mapping[UnitTypeId, tuple[UnitId, ...]]:
        """Return the units of each type that nothing occupies on any of its nights, by name and id.

        Raises:
            MisuseError: some of the nights are not on the board.
        """
        self.expire(now)
        types: defaultdict[DateRange, list[UnitTypeId]] = defaultdict(list)
        for type_id, nights in wanted.items():
            types[nights].append(type_id)
        found: dict[UnitTypeId, tuple[UnitId, ...]] = {}
        for nights, type_ids in types.items():
            found.update(self._board.free_units_by_type(type_ids, nights))
        return found

    def expire(self, now: datetime) -> None:
        """Give up the holds whose time is over at ``now``; every question does so first."""
        while self._expiries and self._expiries[0][0] <= now:
            _, source_id = heappop(self._expiries)
            # One that was replaced by another of the same source stands in the queue with its old time as well.
            expires = [standing[-1] for standing in self._standings(source_id)]
            if any(each is not None and each <= now for each in expires):
                self._drop(source_id)

    def _start(self, standings: Iterable[Standing]) -> None:
        turnovers: dict[str, list[int]] = {}
        self._board.fill(self._entered(standings, turnovers), str)
        for type_text, steps in turnovers.items():
            type_id = UnitTypeId(self._named[type_text])
            counts = self._counts_of(type_id, ClaimKind.BUFFER)
            self._others[type_id, ClaimKind.BUFFER] = list(map(add, counts, accumulate(steps)))
        heapify(self._expiries)

    def _entered(self, standings: Iterable[Standing], turnovers: dict[str, list[int]]) -> Iterator[Span[str]]:
        """Remember standings and yield their spans: the loop that a rebuild of the board consists of.

        ``turnovers`` is given the steps of each type's turnover counts, which running sums make into counts.
        """
        sources = self._sources
        origin, length = self._origin, self.nights.length
        for standing in standings:
            source_id, kind, unit_type, unit, first, end, turnover, expires_at = standing
            if sources.setdefault(source_id, standing) is not standing:
                self._more.setdefault(source_id, []).append(standing)
            if turnover:
                steps = turnovers.get(unit_type)
                if steps is None:
                    steps = turnovers[unit_type] = [0] * (length + 1)
                first_after, end_after = end - origin, end - origin + turnover
                if first_after < 0 or end_after > length:
                    first_after, end_after = max(first_after, 0), min(max(end_after, 0), length)
                if first_after < end_after:
                    steps[first_after] += 1
                    steps[end_after] -= 1
            if kind != _BOOKED:
                self._count(next(self._claims(standing)), 1)
                if expires_at is not None:
                    self._expiries.append((expires_at, source_id))
                if kind == _OVERSOLD:
                    continue
            yield unit_type, unit, first, end + turnover

    def _drop(self, source_id: str) -> None:
        for standing in self._standings(source_id):
            for claim in self._claims(standing):
                self._board.give_up(claim)
                self._count(claim, -1)
        self._sources.pop(source_id, None)
        self._more.pop(source_id, None)

    def _standings(self, source_id: str) -> Iterator[Standing]:
        if source_id in self._sources:
            yield self._sources[source_id]
            yield from self._more.get(source_id, ())

    def _claims(self, standing: Standing) -> Iterator[Claim]:
        """Yield what a standing claims, its own nights first.

        Raises:
            MisuseError: a type or unit that no house has.
        """
        source_id, kind, unit_type, unit, first, end, turnover, _ = standing
        try:
            type_id = UnitTypeId(self._named[unit_type])
            unit_id = None if unit is None else UnitId(self._named[unit])
        except KeyError as stranger:
            raise MisuseError(claim_on=stranger.args[0]) from None
        for of_kind, start, upto in ((kind, first, end), (_BUFFER, end, end + turnover)):
            if start < upto:
                nights = DateRange(date.fromordinal(start), date.fromordinal(upto))
                yield Claim(_KINDS[of_kind], UUID(source_id), type_id, nights, unit_id)

    def _count(self, claim: Claim, step: int) -> None:
        """Count a claim of a kind whose counts are kept beside the sum of all."""
        if claim.kind is not ClaimKind.BOOKED:
            counts = self._counts_of(claim.unit_type_id, claim.kind)
            first, end = claim.nights.first_ordinal - self._origin, claim.nights.end_ordinal - self._origin
            for at in range(max(first, 0), min(end, len(counts))):
                counts[at] += step

    def _counts_of(self, type_id: UnitTypeId, kind: ClaimKind) -> list[int]:
        counts = self._others.get((type_id, kind))
        if counts is None:
            counts = self._others[type_id, kind] = [0] * self.nights.length
        return counts
