"""Which unit each stay gets.

Owns the question in the trade's terms: ids, dates, pins. Leaves placing to ``placing``, where units and
nights are small integers, and the turnover nights to the caller. How and why:
``docs/algorithms/assignment.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Final

from attrs import frozen

from pmscore.dates.ranges import DateSet
from pmscore.inventory.policies.assignment.chart import Bar, Chart
from pmscore.inventory.policies.assignment.placing import place_all
from pmscore.inventory.policies.assignment.plans import Impossible, Lodger, Move, NotFound, Obstacle, Plan
from pmscore.inventory.policies.assignment.proofs import Proof
from pmscore.kernel.errors import MisuseError
from pmscore.kernel.ids import BookingRoomId, UnitId

__all__ = ["STEP_LIMIT", "assign"]

STEP_LIMIT: Final = 4_000

# Gaps before the first arrival and after the last departure matter for the choice of a unit, up to here.
_MARGIN = 31


def assign(
    units: Sequence[UnitId],
    taken: Mapping[UnitId, DateSet],
    lodgers: Iterable[Lodger],
    *,
    step_limit: int = STEP_LIMIT,
) -> Plan | Impossible | NotFound:
    """Return a unit for every lodger, a proof that there is none, or that the search gave up.

    ``units`` come in order of preference; ``taken`` are nights that are no lodger's (blocks, out of order,
    bookings that are not to be looked at). Pinned lodgers never move. If all others can keep their units
    while those without one get one, they do; else few move. The answer depends on the values only, not on
    the order of ``lodgers``. ``step_limit`` bounds the search that follows where the first placing fails:
    placements tried. Where no pinned lodger, taken night or choice of units is in the way, as many units
    as lodgers on the fullest night are always enough, whatever the limit.

    Raises:
        MisuseError: a unit or a room comes twice.
    """
    house = tuple(units)
    ordered = tuple(sorted(lodgers, key=lambda each: (each.nights.start, -each.nights.length, each.room_id)))
    _check_distinct(house, ordered)
    conflict = _pinned_conflict(taken, ordered)
    if conflict is not None:
        return conflict
    movable = tuple(each for each in ordered if not each.is_pinned)
    if not movable:
        return _plan(ordered, {})
    setting = _Setting.of(house, taken, ordered, movable)
    outcome = place_all(setting.chart, step_limit)
    if isinstance(outcome, NotFound):
        return outcome
    if outcome is not None:
        return setting.impossible(outcome)
    found = zip(movable, setting.chart.unit_of, strict=True)
    return _plan(ordered, {lodger.room_id: house[unit] for lodger, unit in found})


@frozen
class _Setting:
    """The chart, and what its small integers stand for."""

    chart: Chart
    origin: date
    movable: tuple[Lodger, ...]

    @classmethod
    def of(
        cls,
        units: tuple[UnitId, ...],
        taken: Mapping[UnitId, DateSet],
        lodgers: tuple[Lodger, ...],
        movable: tuple[Lodger, ...],
    ) -> _Setting:
        index = {unit: position for position, unit in enumerate(units)}
        start = min(each.nights.first_ordinal for each in movable) - _MARGIN
        end = max(each.nights.end_ordinal for each in movable) + _MARGIN
        bars = tuple(_bar(number, each, index, start) for number, each in enumerate(movable))
        chart = Chart.blank(bars, len(units), end - start)
        origin = date.fromordinal(start)
        for unit_id, nights in taken.items():
            if unit_id in index:
                chart.fix(index[unit_id], nights.mask(origin))
        for each in lodgers:
            if each.is_pinned and each.unit_id is not None and each.unit_id in index:
                chart.fix(index[each.unit_id], DateSet.of(each.nights).mask(origin))
        return cls(chart, origin, movable)

    def impossible(self, proof: Proof) -> Impossible:
        rooms = tuple(self.movable[number].room_id for number in sorted(proof.numbers))
        return Impossible(tuple(DateSet.of_mask(self.origin, proof.nights)), rooms, proof.reason)


def _bar(number: int, lodger: Lodger, index: Mapping[UnitId, int], start: int) -> Bar:
    allowed = (1 << len(index)) - 1
    if lodger.admissible is not None:
        allowed = sum(1 << index[unit] for unit in lodger.admissible if unit in index)
    present = -1 if lodger.unit_id is None else index.get(lodger.unit_id, -1)
    nights = lodger.nights
    return Bar(number, nights.first_ordinal - start, nights.end_ordinal - start, allowed, present)


def _check_distinct(units: tuple[UnitId, ...], lodgers: tuple[Lodger, ...]) -> None:
    if len(set(units)) < len(units):
        raise MisuseError(repeated="unit")
    if len({each.room_id for each in lodgers}) < len(lodgers):
        raise MisuseError(repeated="lodger")


def _pinned_conflict(taken: Mapping[UnitId, DateSet], lodgers: tuple[Lodger, ...]) -> Impossible | None:
    occupied = dict(taken)
    shared: dict[UnitId, DateSet] = {}
    pins = [
        (each.room_id, each.unit_id, DateSet.of(each.nights))
        for each in lodgers
        if each.is_pinned and each.unit_id is not None
    ]
    for _, unit_id, nights in pins:
        before = occupied.get(unit_id, DateSet.EMPTY)
        shared[unit_id] = shared.get(unit_id, DateSet.EMPTY) | (before & nights)
        occupied[unit_id] = before | nights
    culprits = tuple(room_id for room_id, unit_id, nights in pins if shared[unit_id].overlaps(nights))
    together = (night for nights in shared.values() for night in nights)
    return Impossible(tuple(sorted(set(together))), culprits, Obstacle.PINNED_CONFLICT) if culprits else None


def _plan(lodgers: tuple[Lodger, ...], found: Mapping[BookingRoomId, UnitId]) -> Plan:
    units = {each.room_id: found.get(each.room_id, each.unit_id) for each in lodgers}
    settled = {room_id: unit_id for room_id, unit_id in units.items() if unit_id is not None}
    moves = (
        Move(each.room_id, each.unit_id, settled[each.room_id])
        for each in lodgers
        if settled[each.room_id] != each.unit_id
    )
    return Plan(tuple(moves), MappingProxyType(settled))
