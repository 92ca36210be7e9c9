"""Floor of P8: free rooms from one integer a night, the expression written out where it is needed.

Bit n of a night's integer is room n; the ids that are free come back as a list, by number of room.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import compress

__all__ = ["masks_of", "search", "seconds_a_search"]

_FLAGS = bytes(0 if digit == ord("0") else 1 for digit in range(256))


def masks_of(stays: Sequence[tuple[int, int, int]], nights: int) -> list[int]:
    """Return the occupied rooms of each night as bits, from stays as (room, first night, end)."""
    masks = [0] * nights
    for room, first, end in stays:
        bit = 1 << room
        for night in range(max(first, 0), min(end, nights)):
            masks[night] |= bit
    return masks


def search(masks: Sequence[int], ids: Sequence[object], first: int, end: int) -> list[object]:
    """Return the ids of the rooms that are free on each of the nights."""
    occupied = 0
    for night in range(first, end):
        occupied |= masks[night]
    free = ~occupied & ((1 << len(ids)) - 1)
    return list(compress(ids, format(free, f"0{len(ids)}b")[::-1].encode().translate(_FLAGS)))


def seconds_a_search(masks: Sequence[int], ids: Sequence[object], asked: Sequence[tuple[int, int]]) -> float:
    """Return how much of the processor's time a search takes, without even the call of a function around it."""
    full = (1 << len(ids)) - 1
    width = f"0{len(ids)}b"
    started = time.thread_time()
    for first, end in asked:
        occupied = 0
        for night in range(first, end):
            occupied |= masks[night]
        list(compress(ids, format(~occupied & full, width)[::-1].encode().translate(_FLAGS)))
    return (time.thread_time() - started) / len(asked)
