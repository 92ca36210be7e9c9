"""Requests that were counted ahead: whoever asks often is counted in blocks, not one by one.

Owns how large a block may be and for how long what is left of it holds. A block is counted in full before its first
request passes, so nobody ever gets more than their measure; who stops in the middle of one gets a hundredth less.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Final

from attrs import define, field

__all__ = ["Blocks"]

LARGEST: Final = 64
SHARE: Final = 100
"""A block is no more than this part of what passes in a minute; so small measures are counted one by one."""
HURRIED_SECONDS: Final = 0.2
"""Who has used up a block so soon gets one of twice the size."""
LASTING_SECONDS: Final = 1.0
MOST_NAMES: Final = 10_000


@define
class _Block:
    size: int
    left: int
    counted_at: float


@define
class Blocks:
    """What is left of the block of each who asks; safe to share between threads."""

    _monotonic: Callable[[], float]
    _blocks: dict[Hashable, _Block] = field(factory=dict, init=False)
    _changing: threading.Lock = field(factory=threading.Lock, init=False)

    def takes(self, who: Hashable) -> bool:
        """Take one of what is left; return whether there was one."""
        with self._changing:
            block = self._blocks.get(who)
            if block is None or not block.left or self._monotonic() - block.counted_at > LASTING_SECONDS:
                return False
            block.left -= 1
            return True

    def next_size(self, who: Hashable, most: int) -> int:
        """Return how many to count now for somebody who may ask ``most`` times a minute."""
        block = self._blocks.get(who)
        if block is None or self._monotonic() - block.counted_at > HURRIED_SECONDS:
            return 1
        return max(1, min(block.size * 2, most // SHARE, LARGEST))

    def put(self, who: Hashable, size: int) -> None:
        """Keep a block that has been counted, of which one request passes now."""
        with self._changing:
            if len(self._blocks) >= MOST_NAMES:
                self._blocks.clear()
            self._blocks[who] = _Block(size, size - 1, self._monotonic())
