"""Makes room for bars that found no free unit, by moving others: a bounded, complete search.

Law: if it says that there is none and was not cut short, no assignment exists of the bars it touched.
Leaves the first placing to ``placing``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum

from attrs import define, field

from pmscore.inventory.policies.assignment.chart import Bar, Chart, bits_of

__all__ = ["Repair", "Verdict"]

# Bounds the depth of the recursion; what lies deeper counts as not searched.
_DEEPEST = 300


class Verdict(Enum):
    """How a search ended."""

    PLACED = "placed"
    NONE = "none"
    GAVE_UP = "gave_up"


@define
class Repair:
    """A search on one chart, which it leaves as it was unless it succeeds.

    ``tries`` counts placements tried, over all searches; ``touched`` are the numbers of the bars that the
    last search had to find a place for.
    """

    chart: Chart
    tries: int = 0
    touched: set[int] = field(factory=set[int])
    _limit: int = 0
    _was_cut: bool = False

    def place(self, bars: Sequence[Bar], steps: int) -> Verdict:
        """Place ``bars``, moving as few others as possible, with at most ``steps`` placements tried.

        Allows one bar to be moved, then two, and so on, so the first success moves the fewest.
        """
        self._limit = self.tries + steps
        most = _DEEPEST - len(bars)
        moved = 0
        while moved <= most:
            self._was_cut = False
            self.touched = set()
            if self._place(tuple(bars), moved):
                return Verdict.PLACED
            if not self._was_cut:
                return Verdict.NONE
            if self.tries >= self._limit:
                return Verdict.GAVE_UP
            moved = moved + 1 if moved < 4 else max(min(moved * 2, most), moved + 1)
        return Verdict.GAVE_UP

    def _place(self, waiting: tuple[Bar, ...], allowance: int) -> bool:
        if not waiting:
            return True
        chart = self.chart
        self.touched.update(each.number for each in waiting)
        bar = min(waiting, key=lambda each: (chart.open_throughout(each).bit_count(), each.number))
        rest = tuple(each for each in waiting if each is not bar)
        for unit, moving in self._options(bar, allowance):
            if self.tries >= self._limit:
                self._was_cut = True
                return False
            self.tries += 1
            for each in moving:
                chart.remove(each)
            chart.place(bar, unit)
            chart.close(bar)
            is_placed = self._place((*rest, *moving), allowance - len(moving))
            chart.reopen(bar)
            if is_placed:
                return True
            chart.remove(bar)
            for each in moving:
                chart.place(each, unit)
        return False

    def _options(self, bar: Bar, allowance: int) -> Iterator[tuple[int, tuple[Bar, ...]]]:
        """Yield units with the bars that would have to move: nobody first, then few, then the preferred."""
        chart = self.chart
        free = chart.free_throughout(bar)
        if bar.present >= 0 and free >> bar.present & 1:
            yield bar.present, ()
            free ^= 1 << bar.present
        while free:
            unit = chart.snuggest(bar, free)
            yield unit, ()
            free ^= 1 << unit
        ranked: list[tuple[int, int, bool, int, tuple[Bar, ...]]] = []
        for unit in bits_of(chart.open_throughout(bar) & ~chart.free_throughout(bar)):
            moving = chart.others_in(unit, bar)
            if len(moving) > allowance:
                self._was_cut = True
                continue
            kept = sum(map(chart.is_kept, moving))
            ranked.append((len(moving), kept, unit != bar.present, unit, moving))
        for _, _, _, unit, moving in sorted(ranked, key=lambda each: each[:4]):
            yield unit, moving
