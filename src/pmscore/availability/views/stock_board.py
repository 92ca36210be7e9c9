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
from typing import NamedTuple
from uuid import UUID

from pmscore.availability.views.night_board import NightBoard, Span
from pmscore.dates.nights import HalfOpen
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.house import House
from pmscore.inventory.model.stock import Claim, ClaimKind
from pmscore.kernel.ids import UnitId, UnitTypeId

__all__ = ["Standing", "StockBoard"]


class Standing(NamedTuple):
    """What one source claims in a row: nights, and the turnover nights that follow them.

    The first night and the day after the last are proleptic Gregorian ordinals. A hold says when it expires; an
    oversold standing has no unit and no turnover nights. A tuple, since tens of thousands are made at a start.
    """

    source_id: UUID
    kind: ClaimKind
    unit_type_id: UnitTypeId
    unit_id: UnitId | None
    first_ordinal: int
    end_ordinal: int
    turnover_nights: int = 0
    expires_at: datetime | None = None

    def claims(self) -> Iterator[Claim]:
        """Yield the same as claims."""
        for kind, first, end in self.spans():
            nights = DateRange(date.fromordinal(first), date.fromordinal(end))
            yield Claim(kind, self.source_id, self.unit_type_id, nights, self.unit_id)

    def spans(self) -> Iterator[tuple[ClaimKind, int, int]]:
        """Yield the nights and the turnover nights, each with their kind of claim."""
        yield self.kind, self.first_ordinal, self.end_ordinal
        if self.turnover_nights:
            yield ClaimKind.BUFFER, self.end_ordinal, self.end_ordinal + self.turnover_nights


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
        self._sources: dict[UUID, Standing] = {}
        self._more: dict[UUID, list[Standing]] = {}
        self._expiries: list[tuple[datetime, UUID]] = []
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

    def replace(self, source_ids: Iterable[UUID], standings: Iterable[Standing]) -> None:
        """Let each of these sources claim what its ``standings`` say, and nothing else; all in one step.

        Raises:
            MisuseError: a type or unit that no house has; the board is of no use any more.
        """
        for source_id in source_ids:
            self._drop(source_id)
        for standing in standings:
            if self._sources.setdefault(standing.source_id, standing) is not standing:
                self._more.setdefault(standing.source_id, []).append(standing)
            self._count(standing, 1)
            for claim in standing.claims():
                self._board.take(claim)
            if standing.expires_at is not None:
                heappush(self._expiries, (standing.expires_at, standing.source_id))

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
            expires = [each.expires_at for each in self._standings(source_id)]
            if any(each is not None and each <= now for each in expires):
                self._drop(source_id)

    def _start(self, standings: Iterable[Standing]) -> None:
        turnovers: dict[UnitTypeId, list[int]] = {}
        self._board.fill(self._entered(standings, turnovers))
        for type_id, steps in turnovers.items():
            counts = self._counts_of(type_id, ClaimKind.BUFFER)
            self._others[type_id, ClaimKind.BUFFER] = list(map(add, counts, accumulate(steps)))
        heapify(self._expiries)

    def _entered(
        self, standings: Iterable[Standing], turnovers: dict[UnitTypeId, list[int]]
    ) -> Iterator[Span]:
        """Remember standings and yield their spans: the loop that a rebuild of the board consists of.

        ``turnovers`` is given the steps of each type's turnover counts, which running sums make into counts.
        """
        sources, booked, oversold = self._sources, ClaimKind.BOOKED, ClaimKind.OVERSOLD
        origin, length = self._origin, self.nights.length
        for standing in standings:
            source_id, kind, type_id, unit_id, first, end, turnover, expires_at = standing
            # Whoever makes a container for each of many bookings has the collector of garbage look at them all.
            if sources.setdefault(source_id, standing) is not standing:
                self._more.setdefault(source_id, []).append(standing)
            if turnover:
                steps = turnovers.get(type_id)
                if steps is None:
                    steps = turnovers[type_id] = [0] * (length + 1)
                steps[min(max(end - origin, 0), length)] += 1
                steps[min(max(end + turnover - origin, 0), length)] -= 1
            if kind is not booked:
                self._count(standing._replace(turnover_nights=0), 1)
                if expires_at is not None:
                    self._expiries.append((expires_at, source_id))
                if kind is oversold:
                    continue
            yield type_id, unit_id, first, end + turnover

    def _drop(self, source_id: UUID) -> None:
        for standing in self._standings(source_id):
            self._count(standing, -1)
            for claim in standing.claims():
                self._board.give_up(claim)
        self._sources.pop(source_id, None)
        self._more.pop(source_id, None)

    def _standings(self, source_id: UUID) -> Iterator[Standing]:
        if source_id in self._sources:
            yield self._sources[source_id]
            yield from self._more.get(source_id, ())

    def _count(self, standing: Standing, step: int) -> None:
        for kind, first, end in standing.spans():
            if kind is not ClaimKind.BOOKED:
                counts = self._counts_of(standing.unit_type_id, kind)
                for at in range(max(first - self._origin, 0), min(end - self._origin, len(counts))):
                    counts[at] += step

    def _counts_of(self, type_id: UnitTypeId, kind: ClaimKind) -> list[int]:
        counts = self._others.get((type_id, kind))
        if counts is None:
            counts = self._others[type_id, kind] = [0] * self.nights.length
        return counts
