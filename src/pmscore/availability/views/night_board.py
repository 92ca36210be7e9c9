"""The night board: what is free in one house, held in memory as one integer a night.

Owns the read structure behind fast search: each night is a mask of occupied units (a bit a unit, in a fixed
order) and a counter a type. Leaves being right to the store: the board is fed with claims by whoever owns it,
and is safe to read while one thread feeds it only if that owner says so. How it works, and what it was
measured at: ``docs/algorithms/availability.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from heapq import heappop, heappush
from itertools import accumulate, compress
from typing import Final, TypeAlias, TypeVar
from uuid import UUID

from pmscore.dates.nights import HalfOpen
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.house import House
from pmscore.inventory.model.stock import Claim, ClaimKind
from pmscore.kernel.errors import MisuseError
from pmscore.kernel.ids import UnitId, UnitTypeId

__all__ = ["NightBoard", "Span"]

KeyT = TypeVar("KeyT")
Span: TypeAlias = tuple[KeyT, KeyT | None, int, int]
"""One room of a type, its unit if it has one, and the ordinals of its first night and of the day after its last."""

# "0" becomes a false byte; "1" stays a true one.
_FLAGS: Final = bytes.maketrans(b"0", b"\0")


class NightBoard:
    """Claims on the units and types of a house, or of several together, within a fixed range of nights.

    What lies outside of ``nights`` is cut off when claims are fed in, and refused when it is asked for.
    Invariant: if every claim of the store was fed in once and given up once, the masks equal the unit
    nights and the counters equal the type nights.
    """

    def __init__(self, house: House | Iterable[House], nights: DateRange) -> None:
        self.nights = nights
        houses = (house,) if isinstance(house, House) else tuple(house)
        every = [unit for each in houses for unit in each.units.values()]
        units = sorted(every, key=lambda unit: (unit.unit_type_id, unit.name, unit.unit_id))
        # The first unit has the highest bit, so that binary digits come in the order of the units.
        width = len(units)
        self._units: tuple[UnitId, ...] = tuple(unit.unit_id for unit in units)
        self._bits = {unit.unit_id: 1 << (width - 1 - at) for at, unit in enumerate(units)}
        self._types = {unit.unit_id: unit.unit_type_id for unit in units}
        self._blocks = _blocks([unit.unit_type_id for unit in units])
        self._full = (1 << width) - 1
        self._marker = 1 << width
        self._origin = nights.first_ordinal
        self._masks = [0] * nights.length
        self._counts = {key: [0] * nights.length for each in houses for key in each.types}
        self._holds: dict[UUID, tuple[datetime, tuple[Claim, ...]]] = {}
        self._expiries: list[tuple[datetime, UUID]] = []

    @classmethod
    def of(cls, house: House, nights: DateRange, claims: Iterable[Claim] = ()) -> NightBoard:
        """Return a board with these claims on it; no two of them have one unit on one night."""
        board = cls(house, nights)
        board.fill(
            (
                (claim.unit_type_id, claim.unit_id, claim.nights.first_ordinal, claim.nights.end_ordinal)
                for claim in claims
                if claim.kind is not ClaimKind.OVERSOLD
            ),
            _itself,
        )
        return board

    def take(self, claim: Claim) -> None:
        """Enter a claim in both layers; an oversold one counts and occupies nothing."""
        if claim.kind is not ClaimKind.OVERSOLD:
            self._count(claim.unit_type_id, claim.nights, 1)
            if claim.unit_id is not None:
                self.occupy(claim.unit_id, claim.nights)

    def give_up(self, claim: Claim) -> None:
        """Take a claim off again."""
        if claim.kind is not ClaimKind.OVERSOLD:
            self._count(claim.unit_type_id, claim.nights, -1)
            if claim.unit_id is not None:
                self.release(claim.unit_id, claim.nights)

    def occupy(self, unit_id: UnitId, nights: HalfOpen) -> None:
        """Mark the unit as occupied on these nights; the counters of its type stay as they are."""
        bit = self._bit(unit_id)
        masks = self._masks
        for at in self._offsets(nights):
            masks[at] |= bit

    def release(self, unit_id: UnitId, nights: HalfOpen) -> None:
        """Mark the unit as free on these nights."""
        others = ~self._bit(unit_id)
        masks = self._masks
        for at in self._offsets(nights):
            masks[at] &= others

    def hold(self, hold_id: UUID, claims: Iterable[Claim], expires_at: datetime) -> None:
        """Enter the claims of a hold until it is dropped or its time is over."""
        self.drop_hold(hold_id)
        kept = tuple(claims)
        for claim in kept:
            self.take(claim)
        self._holds[hold_id] = expires_at, kept
        heappush(self._expiries, (expires_at, hold_id))

    def drop_hold(self, hold_id: UUID) -> None:
        """Give up the claims of a hold; nothing happens if it is not on the board, or no longer."""
        _, claims = self._holds.pop(hold_id, (None, ()))
        for claim in claims:
            self.give_up(claim)

    def expire(self, now: datetime) -> None:
        """Give up the holds whose time is over at ``now``. To be called before asking."""
        while self._expiries and self._expiries[0][0] <= now:
            _, hold_id = heappop(self._expiries)
            held = self._holds.get(hold_id)
            # A hold that was prolonged stands in the queue with its old time as well.
            if held is not None and held[0] <= now:
                self.drop_hold(hold_id)

    def free_units(self, nights: HalfOpen) -> tuple[UnitId, ...]:
        """Return the units that are free on every night, by type, name and id.

        Raises:
            MisuseError: the nights are not all on the board.
        """
        digits = bin(self._free(nights) | self._marker)[3:]
        return tuple(compress(self._units, digits.encode().translate(_FLAGS)))

    def free_units_of(self, unit_type_id: UnitTypeId, nights: HalfOpen) -> tuple[UnitId, ...]:
        """Return the units of one type that are free on every night, by name and id.

        Raises:
            MisuseError: the nights are not all on the board.
        """
        first, end = self._blocks.get(unit_type_id, (0, 0))
        width = end - first
        free = self._free(nights) >> (len(self._units) - end) & ((1 << width) - 1)
        digits = bin(free | 1 << width)[3:]
        return tuple(compress(self._units[first:end], digits.encode().translate(_FLAGS)))

    def free_units_by_type(
        self, unit_type_ids: Iterable[UnitTypeId], nights: HalfOpen
    ) -> Mapping[UnitTypeId, tuple[UnitId, ...]]:
        """Return the units of each type that are free on every night, as :meth:`free_units_of` does one type.

        Types without any unit, and those that the house does not have, are left out.

        Raises:
            MisuseError: the nights are not all on the board.
        """
        flags = bin(self._free(nights) | self._marker)[3:].encode().translate(_FLAGS)
        places = [(each, self._blocks[each]) for each in unit_type_ids if each in self._blocks]
        return {
            each: tuple(compress(self._units[first:end], flags[first:end])) for each, (first, end) in places
        }

    def free_unit_counts(self, nights: HalfOpen) -> Mapping[UnitTypeId, int]:
        """Return how many units of each type are free on every night.

        Raises:
            MisuseError: the nights are not all on the board.
        """
        free = self._free(nights)
        width = len(self._units)
        return {
            type_id: (free >> (width - end) & ((1 << (end - first)) - 1)).bit_count()
            for type_id, (first, end) in self._blocks.items()
        }

    def claimed(self, unit_type_id: UnitTypeId, nights: HalfOpen) -> tuple[int, ...]:
        """Return the claims that count against the limit of a type, one number a night.

        Raises:
            MisuseError: the nights are not all on the board, or the house has no such type.
        """
        counts = self._counts.get(unit_type_id)
        if counts is None:
            raise MisuseError(unit_type_id=str(unit_type_id))
        first, end = self._asked(nights)
        return tuple(counts[first:end])

    def fill(self, spans: Iterable[Span[KeyT]], name: Callable[[UUID], KeyT]) -> None:
        """Enter many spans on an empty board at once; no two of them have one unit on one night.

        ``name`` says how types and units are named in them.

        Raises:
            MisuseError: a type or unit that the house does not have.
        """
        # Each span is written at its two ends only; running sums and running XORs then fill the nights.
        length, origin = len(self._masks), self._origin
        turns = [0] * (length + 1)
        steps = {type_id: [0] * (length + 1) for type_id in self._counts}
        types = {name(type_id): (0, step) for type_id, step in steps.items()}
        units = {name(unit_id): (bit, steps[self._types[unit_id]]) for unit_id, bit in self._bits.items()}
        for unit_type, unit, first_ordinal, end_ordinal in spans:
            try:
                bit, step = types[unit_type] if unit is None else units[unit]
            except KeyError as stranger:
                raise MisuseError(claim_on=str(stranger.args[0])) from None
            first, end = first_ordinal - origin, end_ordinal - origin
            if first < 0 or end > length:
                first, end = max(first, 0), min(end, length)
                if first >= end:
                    continue
            turns[first] ^= bit
            turns[end] ^= bit
            step[first] += 1
            step[end] -= 1
        self._masks = list(accumulate(turns[:-1], int.__xor__))
        self._counts = {type_id: list(accumulate(each[:-1])) for type_id, each in steps.items()}

    def _free(self, nights: HalfOpen) -> int:
        first, end = self._asked(nights)
        occupied = 0
        for mask in self._masks[first:end]:
            occupied |= mask
        return occupied ^ self._full

    def _asked(self, nights: HalfOpen) -> tuple[int, int]:
        first = nights.first_ordinal - self._origin
        end = nights.end_ordinal - self._origin
        if first < 0 or end > len(self._masks):
            raise MisuseError(asked=str(nights), board=str(self.nights))
        return first, end

    def _offsets(self, nights: HalfOpen) -> range:
        first = nights.first_ordinal - self._origin
        end = nights.end_ordinal - self._origin
        return range(max(first, 0), min(end, len(self._masks)))

    def _count(self, unit_type_id: UnitTypeId, nights: HalfOpen, step: int) -> None:
        counts = self._counts.get(unit_type_id)
        if counts is None:
            raise MisuseError(unit_type_id=str(unit_type_id))
        for at in self._offsets(nights):
            counts[at] += step

    def _bit(self, unit_id: UnitId) -> int:
        bit = self._bits.get(unit_id)
        if bit is None:
            raise MisuseError(unit_id=str(unit_id))
        return bit


def _blocks(types: Sequence[UnitTypeId]) -> dict[UnitTypeId, tuple[int, int]]:
    """Return where the units of each type stand in a list sorted by type."""
    blocks: dict[UnitTypeId, tuple[int, int]] = {}
    for at, type_id in enumerate(types):
        first, _ = blocks.get(type_id, (at, at))
        blocks[type_id] = first, at + 1
    return blocks


def _itself(key: UUID) -> UUID:
    return key
