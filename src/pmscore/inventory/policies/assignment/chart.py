"""The room chart: who is where on which night, as one mask of units per night.

Owns placing and removing, the units that are free throughout, and the choice of the one that leaves the
smallest gaps. Leaves who goes where to ``placing`` and ``repair``. Units and nights are small integers
here; a mask has bit ``u`` for unit ``u``, in order of preference.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import define, frozen

__all__ = ["Bar", "Chart", "bits_of"]

_NOBODY = -1
_REACH = 31


@frozen
class Bar:
    """One lodger on the chart: nights ``first`` until before ``end``, units that it may get.

    ``present`` is its unit now, -1 if it has none or has one that is not on the chart.
    """

    number: int
    first: int
    end: int
    allowed: int
    present: int


@define
class Chart:
    """Mutable while a plan is made, and never seen outside.

    ``free``: units with nobody in them, by night. ``open``: units that are not fixed on that night, by
    taken nights, by pinned lodgers or for the time being; whoever is in them may be asked to move.
    """

    bars: tuple[Bar, ...]
    free: list[int]
    open: list[int]
    rows: list[list[int]]
    unit_of: list[int]

    @classmethod
    def blank(cls, bars: tuple[Bar, ...], unit_count: int, nights: int) -> Chart:
        """Return the chart on which every unit is free and no bar is placed."""
        everything = (1 << unit_count) - 1
        rows = [[_NOBODY] * nights for _ in range(unit_count)]
        return cls(bars, [everything] * nights, [everything] * nights, rows, [_NOBODY] * len(bars))

    def fix(self, unit: int, nights: int) -> None:
        """Take a unit out of the game for good on a mask of nights."""
        kept = ~(1 << unit)
        for night in bits_of(nights & ((1 << len(self.free)) - 1)):
            self.free[night] &= kept
            self.open[night] &= kept

    def is_placed(self, bar: Bar) -> bool:
        """Return whether the bar has a unit on the chart."""
        return self.unit_of[bar.number] != _NOBODY

    def is_kept(self, bar: Bar) -> bool:
        """Return whether the bar is where it was before planning."""
        return bar.present != _NOBODY and self.unit_of[bar.number] == bar.present

    def place(self, bar: Bar, unit: int) -> None:
        """Put the bar into a unit that is free throughout."""
        kept = ~(1 << unit)
        free = self.free
        for night in range(bar.first, bar.end):
            free[night] &= kept
        self.rows[unit][bar.first : bar.end] = [bar.number] * (bar.end - bar.first)
        self.unit_of[bar.number] = unit

    def remove(self, bar: Bar) -> None:
        """Take the bar out of its unit."""
        unit = self.unit_of[bar.number]
        bit = 1 << unit
        free = self.free
        for night in range(bar.first, bar.end):
            free[night] |= bit
        self.rows[unit][bar.first : bar.end] = [_NOBODY] * (bar.end - bar.first)
        self.unit_of[bar.number] = _NOBODY

    def close(self, bar: Bar) -> None:
        """Keep the placed bar where it is for the time being."""
        kept = ~(1 << self.unit_of[bar.number])
        for night in range(bar.first, bar.end):
            self.open[night] &= kept

    def reopen(self, bar: Bar) -> None:
        """Allow the placed bar to be moved again."""
        bit = 1 << self.unit_of[bar.number]
        for night in range(bar.first, bar.end):
            self.open[night] |= bit

    def free_throughout(self, bar: Bar) -> int:
        """Return the units that the bar may get without anybody moving."""
        units = bar.allowed
        for free in self.free[bar.first : bar.end]:
            units &= free
        return units

    def open_throughout(self, bar: Bar) -> int:
        """Return the units that the bar may get if others move."""
        units = bar.allowed
        for still_open in self.open[bar.first : bar.end]:
            units &= still_open
        return units

    def others_in(self, unit: int, bar: Bar) -> tuple[Bar, ...]:
        """Return the bars placed in a unit on nights of ``bar``, by first night."""
        numbers = set(self.rows[unit][bar.first : bar.end])
        numbers.discard(_NOBODY)
        return tuple(self.bars[number] for number in sorted(numbers))

    def snuggest(self, bar: Bar, units: int) -> int:
        """Return the one of ``units`` with the fewest free nights before the bar, then after, then preferred.

        Gaps of more than a month are alike. ``units`` is not empty.
        """
        units = self._first_not_free(units, range(bar.first - 1, max(-1, bar.first - 1 - _REACH), -1))
        units = self._first_not_free(units, range(bar.end, min(len(self.free), bar.end + _REACH)))
        return (units & -units).bit_length() - 1

    def _first_not_free(self, units: int, nights: range) -> int:
        for night in nights:
            if beside := units & ~self.free[night]:
                return beside
        return units


def bits_of(mask: int) -> Iterator[int]:
    """Yield the positions of the bits of ``mask``, ascending."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest
