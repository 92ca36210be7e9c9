"""The amounts of one kind of stay on every night, with running sums of what they come to after taxes.

Owns the arrays and their sums; leaves to the maker what an amount comes to. Law: a difference of two running sums is
the sum over the nights between.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from itertools import accumulate
from typing import Final, TypeAlias

__all__ = ["NOT_SOLD", "NightTable", "NightTotals", "RunningSums"]

NOT_SOLD: Final = -1
"""What a table has where the plan has no price."""

NightTotals: TypeAlias = "tuple[int, int, int]"
"""What the amount of one night comes to: its net, its taxes without city tax, its city tax."""

RunningSums: TypeAlias = "tuple[array[int], array[int], array[int]]"


class NightTable:
    """The amount of each night, ``NOT_SOLD`` where there is none; sums are made when they are first asked for."""

    def __init__(self, amounts: array[int]) -> None:
        self.amounts = amounts
        self.gross = _running([max(amount, 0) for amount in amounts])
        self.unsold = _running([int(amount == NOT_SOLD) for amount in amounts])
        self._sums: dict[int, RunningSums] = {}

    def sums(self, key: int, totals_of: Callable[[int], NightTotals]) -> RunningSums:
        """Return the running sums under the taxes that ``key`` stands for."""
        found = self._sums.get(key)
        if found is None:
            known = {amount: totals_of(max(amount, 0)) for amount in set(self.amounts)}
            net, tax, city_tax = zip(*map(known.__getitem__, self.amounts), strict=True)
            found = self._sums[key] = (_running(net), _running(tax), _running(city_tax))
        return found


def _running(values: tuple[int, ...] | list[int]) -> array[int]:
    return array("q", accumulate(values, initial=0))
