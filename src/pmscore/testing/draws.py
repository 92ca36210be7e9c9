"""Choices for histories and laws: from a seed, the same on every machine, or from Hypothesis.

Owns the chance in the test kit; the core itself has none.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TypeVar

__all__ = ["Chance", "Draws"]

ItemT = TypeVar("ItemT")
_MASK = (1 << 64) - 1


class Chance(ABC):
    """Where choices come from."""

    @abstractmethod
    def below(self, limit: int) -> int:
        """Return a number from 0 to ``limit - 1``."""

    def between(self, low: int, high: int) -> int:
        """Return a number from ``low`` to ``high``, both included."""
        return low + self.below(high - low + 1)

    def one_of(self, items: Sequence[ItemT]) -> ItemT:
        """Return one of the items."""
        return items[self.below(len(items))]

    def happens(self, percent: int) -> bool:
        """Return True in ``percent`` of a hundred draws."""
        return self.below(100) < percent

    def weighted(self, items: Sequence[tuple[int, ItemT]]) -> ItemT:
        """Return one of the items, each as often as its weight says."""
        at = self.below(sum(weight for weight, _ in items))
        for weight, item in items:
            at -= weight
            if at < 0:
                return item
        return items[-1][1]


class Draws(Chance):
    """A sequence of draws from one seed (SplitMix64, Steele, Lea and Flood 2014)."""

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK

    def below(self, limit: int) -> int:
        """Return a number from 0 to ``limit - 1``."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        mixed = self._state
        mixed = ((mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ mixed >> 27) * 0x94D049BB133111EB) & _MASK
        return (mixed ^ mixed >> 31) % limit
