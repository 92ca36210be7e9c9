"""Units that are free for a whole stay, and stays over several units where none is.

Owns one stay at a time, with everything else fixed. Leaves moving others to ``placing``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from pmscore.dates.ranges import DateRange, DateSet
from pmscore.inventory.policies.assignment.chart import bits_of
from pmscore.inventory.policies.assignment.plans import Impossible, Obstacle, SplitPlan
from pmscore.kernel.ids import UnitId

__all__ = ["free_throughout", "split"]


def free_throughout(
    units: Sequence[UnitId], taken: Mapping[UnitId, DateSet], nights: DateRange
) -> tuple[UnitId, ...]:
    """Return the units that are free on every one of ``nights``, in the given order."""
    wanted = nights.mask(nights.start)
    return tuple(unit for unit in units if not taken.get(unit, DateSet.EMPTY).mask(nights.start) & wanted)


def split(
    units: Sequence[UnitId], taken: Mapping[UnitId, DateSet], nights: DateRange, *, turnover: int = 0
) -> SplitPlan | Impossible:
    """Return the stay with the fewest changes of unit, one part if a unit is free throughout.

    The last ``turnover`` of the nights come after the stay, on the unit of its last night. From each change on
    the guest takes the unit that is free longest, the first of them in the given order; no other choice can
    reach further with as many changes. Impossible names the nights without a free unit, or else the last
    night and its turnover, for which no unit is free throughout.
    """
    wanted = nights.mask(nights.start)
    free = {unit: wanted & ~taken.get(unit, DateSet.EMPTY).mask(nights.start) for unit in units}
    covered = 0
    for mask in free.values():
        covered |= mask
    if covered != wanted:
        without = tuple(_day(nights, night) for night in bits_of(wanted & ~covered))
        return Impossible(without, (), Obstacle.OVERFULL)
    parts: list[tuple[UnitId, DateRange]] = []
    last_night = nights.length - turnover - 1
    at = 0
    while at < nights.length:
        unit = max(free, key=lambda each: _run(free[each] >> at))
        end = at + _run(free[unit] >> at)
        if end < nights.length:
            end = min(end, last_night)
        if end == at:
            rest = tuple(_day(nights, night) for night in range(at, nights.length))
            return Impossible(rest, (), Obstacle.FRAGMENTED)
        parts.append((unit, DateRange(_day(nights, at), _day(nights, end))))
        at = end
    return SplitPlan(tuple(parts))


def _run(mask: int) -> int:
    return (~mask & (mask + 1)).bit_length() - 1


def _day(nights: DateRange, offset: int) -> date:
    return nights.start + timedelta(days=offset)
