"""Limits of all nights of a stay as limits of its arrival, and allowed lengths as one run of them.

Owns the arithmetic, on rows of integers with a number a date; 0 says that there is no limit. Leaves when it is needed
to ``dialects``. Law: whatever the limits by arrival admit, those through the stay admit.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from pmscore.dates.nights import MAX_NIGHTS

__all__ = ["arrival_maxima", "arrival_minima", "longest_run"]


def arrival_minima(through: Sequence[int], own: Sequence[int]) -> list[int]:
    """Return the fewest nights from each date on, so that no night's minimum is broken.

    A stay of L nights from d breaks the minimum m of the night d + k if it has that night and is too short: L
    from k + 1 to m - 1. So where m is at least k + 2, the stay has to have m nights.
    """
    found = [*own]
    for at, least in enumerate(through):
        for arrival in range(max(at - least + 2, 0), at + 1):
            found[arrival] = max(found[arrival], least)
    return found


def arrival_maxima(through: Sequence[int], own: Sequence[int]) -> list[int]:
    """Return the most nights from each date on, so that no night's maximum is broken.

    A stay of L nights from d breaks the maximum x of the night d + k if it has that night (L above k) and L
    is above x. So L is at most the larger of k and x.
    """
    ruled = [at for at, most in enumerate(through) if most]
    found: list[int] = []
    for arrival, mine in enumerate(own):
        most = mine or MAX_NIGHTS
        for at in ruled[bisect_left(ruled, arrival) :]:
            distance = at - arrival
            if distance >= most:
                break
            most = min(most, max(distance, through[at]))
        found.append(most if most < MAX_NIGHTS or mine else 0)
    return found


def longest_run(lengths: int, least: int, most: int) -> tuple[int, int] | None:
    """Return the first and last of the longest run of allowed lengths within two limits, the shortest one of equals.

    Bit n - 1 of ``lengths`` is for n nights.
    """
    best: tuple[int, int] | None = None
    first = 0
    for length in range(least, most + 2):
        if length <= most and lengths >> (length - 1) & 1:
            first = first or length
        elif first:
            if best is None or length - first > best[1] - best[0] + 1:
                best = first, length - 1
            first = 0
        if not lengths >> (length - 1):
            break
    return best
