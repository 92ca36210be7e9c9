"""Gives every bar of a chart a unit.

Owns the order of attempts: keep everybody and fill the gaps; prove that it cannot be; move a few; place
everybody anew. Leaves counting to ``proofs`` and the search to ``repair``. How and why:
``docs/algorithms/assignment.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pmscore.inventory.policies.assignment.chart import Bar, Chart
from pmscore.inventory.policies.assignment.plans import NotFound, Obstacle
from pmscore.inventory.policies.assignment.proofs import Proof, find_fragmented, find_overfull
from pmscore.inventory.policies.assignment.repair import Repair, Verdict

__all__ = ["place_all"]

# Measured: a search that succeeds mostly does so within a few dozen tries, so each gets a small share.
_SHARE = 16
_ROUNDS = 10


def place_all(chart: Chart, step_limit: int) -> Proof | NotFound | None:
    """Give every bar a unit, None if it worked; ``step_limit`` bounds the placements that are tried."""
    _keep_present(chart)
    if not _fill(chart, chart.bars):
        return None
    crowded = [cluster for cluster in _clusters(chart.bars) if not all(map(chart.is_placed, cluster))]
    bars = [bar for cluster in crowded for bar in cluster]
    proof = find_overfull(chart, bars) or find_fragmented(chart, bars)
    if proof is not None:
        return proof
    repair = Repair(chart)
    for cluster in crowded:
        verdict = _make_room(repair, cluster, step_limit)
        if verdict is Verdict.GAVE_UP:
            return NotFound(repair.tries)
        if verdict is Verdict.NONE:
            return _exhausted(chart, repair.touched)
    return None


def _keep_present(chart: Chart) -> None:
    """Leave as many bars as possible where they are: in each unit, the earliest end first."""
    for bar in sorted(chart.bars, key=lambda each: (each.end, each.number)):
        if bar.present >= 0 and chart.free_throughout(bar) >> bar.present & 1:
            chart.place(bar, bar.present)


def _fill(chart: Chart, bars: Iterable[Bar], wanted: Sequence[int] = ()) -> tuple[Bar, ...]:
    """Give the bars without a unit one that is free, by arrival; return those that found none.

    ``wanted`` are the units to leave, by night, to those who had them, as long as there is a choice.
    """
    waiting = [bar for bar in bars if not chart.is_placed(bar)]
    # By arrival any free unit will do; on the same night the choosy come first.
    waiting.sort(key=lambda each: (each.first, each.allowed.bit_count(), each.number))
    missing: list[Bar] = []
    for bar in waiting:
        units = chart.free_throughout(bar)
        if not units:
            missing.append(bar)
        elif bar.present >= 0 and units >> bar.present & 1:
            chart.place(bar, bar.present)
        else:
            chart.place(bar, chart.snuggest(bar, _least_wanted(units, wanted[bar.first : bar.end])))
    return tuple(missing)


def _wanted(chart: Chart, kept: Iterable[Bar]) -> tuple[int, ...]:
    wanted = [0] * len(chart.free)
    for bar in kept:
        for night in range(bar.first, bar.end):
            wanted[night] |= 1 << bar.present
    return tuple(wanted)


def _least_wanted(units: int, wanted: Iterable[int]) -> int:
    for night in wanted:
        if not units & ~night:
            break
        units &= ~night
    return units


def _clusters(bars: tuple[Bar, ...]) -> list[tuple[Bar, ...]]:
    """Cut the bars, which are sorted by arrival, on nights that nobody sleeps through."""
    clusters: list[list[Bar]] = []
    end = 0
    for bar in bars:
        if bar.first >= end:
            clusters.append([])
        clusters[-1].append(bar)
        end = max(end, bar.end)
    return [tuple(cluster) for cluster in clusters]


def _make_room(repair: Repair, cluster: tuple[Bar, ...], step_limit: int) -> Verdict:
    """Place what is missing in a cluster: nobody moves, then few, then everybody anew."""
    chart = repair.chart
    steps_each = (step_limit - repair.tries) // _SHARE
    kept = [bar for bar in cluster if chart.is_kept(bar)]
    for bar in kept:
        chart.close(bar)
    verdict = _place_each(repair, cluster, steps_each)
    for bar in kept:
        chart.reopen(bar)
    if verdict is not Verdict.PLACED:
        verdict = _place_each(repair, cluster, steps_each)
    if verdict is not Verdict.GAVE_UP:
        return verdict
    return repair.place(_place_anew(chart, cluster, kept), step_limit - repair.tries)


def _place_each(repair: Repair, cluster: tuple[Bar, ...], steps_each: int) -> Verdict:
    for bar in cluster:
        if not repair.chart.is_placed(bar):
            verdict = repair.place((bar,), steps_each)
            if verdict is not Verdict.PLACED:
                return verdict
    return Verdict.PLACED


def _place_anew(chart: Chart, cluster: tuple[Bar, ...], kept: Iterable[Bar]) -> tuple[Bar, ...]:
    """Place everybody by arrival; who found no unit comes first in the next round."""
    wanted = _wanted(chart, kept)
    missing: tuple[Bar, ...] = ()
    urgent: dict[Bar, None] = {}
    for _ in range(_ROUNDS):
        for bar in filter(chart.is_placed, cluster):
            chart.remove(bar)
        _fill(chart, urgent, wanted)
        missing = _fill(chart, cluster, wanted)
        if not missing:
            break
        urgent |= dict.fromkeys(missing)
    return missing


def _exhausted(chart: Chart, numbers: Iterable[int]) -> Proof:
    found = frozenset(numbers)
    nights = 0
    for number in found:
        bar = chart.bars[number]
        nights |= (1 << bar.end) - (1 << bar.first)
    return Proof(Obstacle.EXHAUSTED, nights, found)
