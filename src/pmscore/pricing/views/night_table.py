"""The amounts of one kind of stay on every night, with running sums of what they come to after taxes.

Owns the amounts and their sums; leaves to the maker what an amount comes to. Law: a difference of two running sums is
the sum over the nights between.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import Final, TypeAlias

__all__ = ["BYTES", "NOT_SOLD", "NightTable", "NightTotals", "RunningSums", "written"]

NOT_SOLD: Final = -1
"""What a table has where the plan has no price."""

NightTotals: TypeAlias = "tuple[int, int, int]"
"""What the amount of one night comes to: its net, its taxes without city tax, its city tax."""

RunningSums: TypeAlias = "tuple[array[int], array[int], array[int] | None]"
"""The running sums of ``NightTotals``; None for city taxes where there are none, as in most houses."""

BYTES: Final = array("q").itemsize
"""How many bytes an amount has in a fingerprint."""


class NightTable:
    """The amount of each night, ``NOT_SOLD`` where there is none; sums are made when they are first asked for.

    ``gross`` are the running sums of the amounts; ``unsold`` counts the nights without one, and is None if there are
    none. Amounts are kept as objects and as bytes (:func:`written`): a slice of each is quicker than to turn one into
    the other.
    """

    def __init__(self, amounts: Sequence[int]) -> None:
        self.amounts = tuple(amounts)
        self.gross = _running(max(amount, 0) for amount in amounts)
        self.unsold = _running(int(amount == NOT_SOLD) for amount in amounts) if NOT_SOLD in amounts else None
        self.written = written(self.amounts)
        self._sums: dict[int, RunningSums] = {}

    def sums(self, key: int, totals_of: Callable[[int], NightTotals]) -> RunningSums:
        """Return the running sums under the taxes that ``key`` stands for."""
        found = self._sums.get(key)
        if found is None:
            known = {amount: totals_of(max(amount, 0)) for amount in set(self.amounts)}
            net, tax, city_tax = zip(*map(known.__getitem__, self.amounts), strict=True)
            city_taxes = _running(city_tax) if any(city_tax) else None
            found = self._sums[key] = (_running(net), _running(tax), city_taxes)
        return found


def written(amounts: Iterable[int]) -> bytes:
    """Return amounts as a fingerprint has them: ``BYTES`` bytes each."""
    return array("q", amounts).tobytes()


def _running(values: Iterable[int]) -> array[int]:
    return array("q", accumulate(values, initial=0))
