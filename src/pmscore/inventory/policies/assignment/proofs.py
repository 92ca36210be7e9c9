"""Proofs that no assignment exists, by counting night by night.

Owns Hall's condition (P. Hall 1935): a set of lodgers on one night that together may get fewer units than
they are. Leaves cases that counting does not decide to ``repair``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from attrs import frozen

from pmscore.inventory.policies.assignment.chart import Bar, Chart
from pmscore.inventory.policies.assignment.plans import Obstacle

__all__ = ["Proof", "find_fragmented", "find_overfull"]


@frozen
class Proof:
    """Bars, by number, for which there is no room, and the mask of nights on which that shows."""

    reason: Obstacle
    nights: int
    numbers: frozenset[int]


def find_overfull(chart: Chart, bars: Iterable[Bar]) -> Proof | None:
    """Return the nights with more bars than units not fixed on that night; None if there are none."""
    return _find_crowded(Obstacle.OVERFULL, bars, lambda bar, night: bar.allowed & chart.open[night])


def find_fragmented(chart: Chart, bars: Iterable[Bar]) -> Proof | None:
    """Return the nights with more bars than units not fixed from arrival to departure; None if none."""
    throughout = {bar.number: chart.open_throughout(bar) for bar in bars}
    return _find_crowded(Obstacle.FRAGMENTED, bars, lambda bar, _night: throughout[bar.number])


def _find_crowded(reason: Obstacle, bars: Iterable[Bar], choices: Callable[[Bar, int], int]) -> Proof | None:
    sleeping: dict[int, list[Bar]] = {}
    for bar in bars:
        for night in range(bar.first, bar.end):
            sleeping.setdefault(night, []).append(bar)
    nights = 0
    crowd: set[int] = set()
    for night, present in sleeping.items():
        crowded = _crowded([choices(bar, night) for bar in present])
        if crowded:
            nights |= 1 << night
            crowd.update(present[index].number for index in crowded)
    return Proof(reason, nights, frozenset(crowd)) if nights else None


def _crowded(choices: Sequence[int]) -> tuple[int, ...]:
    """Return the indices of choices that share fewer units than they are; empty if all can be matched."""
    owner: dict[int, int] = {}
    matched: dict[int, int] = {}
    unowned = -1
    # Those with the fewest choices first: then most find a unit without a search.
    for index in sorted(range(len(choices)), key=lambda each: choices[each].bit_count()):
        at_once = choices[index] & unowned
        if at_once:
            bit = at_once & -at_once
            owner[bit] = index
            matched[index] = bit
            unowned ^= bit
            continue
        reached, found = _match(index, choices, owner, matched)
        if not found:
            return reached
        unowned ^= found
    return ()


def _match(
    start: int, choices: Sequence[int], owner: dict[int, int], matched: dict[int, int]
) -> tuple[tuple[int, ...], int]:
    """Find a unit for ``start`` along an alternating path; return whom it reached, and the new unit or 0."""
    asked_by: dict[int, int] = {}
    seen = 0
    reached = [start]
    for index in reached:
        fresh = choices[index] & ~seen
        seen |= fresh
        while fresh:
            bit = fresh & -fresh
            fresh ^= bit
            asked_by[bit] = index
            if bit not in owner:
                _flip(bit, asked_by, owner, matched)
                return tuple(reached), bit
            reached.append(owner[bit])
    return tuple(reached), 0


def _flip(bit: int, asked_by: dict[int, int], owner: dict[int, int], matched: dict[int, int]) -> None:
    at: int | None = bit
    while at is not None:
        index = asked_by[at]
        before = matched.get(index)
        owner[at] = index
        matched[index] = at
        at = before
