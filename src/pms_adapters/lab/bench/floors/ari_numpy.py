"""What P13 is shown beside where numpy is installed: the rates and counts of a year as arrays of 64 bits.

Takes the parts of the scene of ``ari_rows`` as plain values, and leaves stay rules out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

__all__ = ["prepared"]

WHOLE = 1_000_000


def prepared(
    slots: Sequence[int],
    weeks: Mapping[int, Sequence[Sequence[Sequence[int]]]],
    dated: Mapping[tuple[int, int], Sequence[tuple[int, int, int]]],
    plans: Sequence[tuple[int, int, int]],
    steps: Sequence[tuple[int, int]],
    counts: Sequence[tuple[int, int, Sequence[int]]],
) -> tuple[list[list[int]], Callable[[], None]]:
    """Return the rates as lists, to compare them, and what makes rates and counts once more as arrays.

    Raises:
        ImportError: numpy is not installed.
    """
    np = import_module("numpy")  # optional, and of no type here

    place = np.array(slots)
    tables = {root: np.array(each, dtype=np.int64).reshape(len(each), -1) for root, each in weeks.items()}
    claimed = np.array([each for _, _, each in counts], dtype=np.int64)
    rooms = np.array([each for each, _, _ in counts], dtype=np.int64)[:, None]
    most = rooms + np.array([each for _, each, _ in counts], dtype=np.int64)[:, None]
    starts = np.array([percent for percent, _ in steps])
    factors = np.array([WHOLE, *(WHOLE + change for _, change in steps)], dtype=np.int64)
    rates = np.empty((len(counts), len(plans), len(slots)), dtype=np.int64)
    sellable = np.empty_like(claimed)

    def make() -> None:
        np.maximum(most - claimed, 0, out=sellable)
        factor = factors[np.searchsorted(starts, claimed * 100 // rooms, side="right")]
        prices: dict[int, Any] = {}
        for plan, (parent, percent, amount) in enumerate(plans):
            if parent < 0:
                row = tables[plan][:, place]
                for number in range(len(counts)):
                    for first, end, price in dated.get((plan, number), ()):
                        row[number, first:end] = price
            else:
                row = (prices[parent] * (WHOLE + percent) + amount * WHOLE + WHOLE // 2) // WHOLE
            prices[plan] = row
            rates[:, plan] = (row * factor + WHOLE // 2) // WHOLE

    make()
    return rates.reshape(-1, len(slots)).tolist(), make
