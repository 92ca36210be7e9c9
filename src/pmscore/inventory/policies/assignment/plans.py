"""What assignment is asked and what it answers, with a checker for the answer.

Owns the values and the definition of a valid plan. Leaves finding one to ``placing`` and split stays to
``splitting``; neither is trusted by the checker.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from enum import Enum

from attrs import field, frozen

from pmscore.dates.ranges import DateRange, DateSet
from pmscore.kernel.errors import MisuseError
from pmscore.kernel.ids import BookingRoomId, UnitId

__all__ = ["Impossible", "Lodger", "Move", "NotFound", "Obstacle", "Plan", "SplitPlan", "is_valid"]


@frozen(kw_only=True)
class Lodger:
    """One booked room that needs a unit on every one of ``nights`` (its turnover nights included).

    ``unit_id`` is the unit it has now. A pinned lodger (locked by staff, or in the house) has one, keeps it
    whatever else happens, and is not held to ``admissible``: the units that it may get, None for any.
    """

    room_id: BookingRoomId
    nights: DateRange
    unit_id: UnitId | None = None
    is_pinned: bool = False
    admissible: frozenset[UnitId] | None = None

    def __attrs_post_init__(self) -> None:
        if self.is_pinned and self.unit_id is None:
            raise MisuseError(pinned_without_unit=str(self.room_id))


@frozen
class Move:
    """A room gets another unit, or (``from_unit`` is None) its first."""

    room_id: BookingRoomId
    from_unit: UnitId | None
    to_unit: UnitId


@frozen
class Plan:
    """The certificate: the unit of every lodger, and the moves that lead there.

    The moves belong together: one alone may need a unit that another one frees. Sorted by first night.
    """

    moves: tuple[Move, ...]
    units: Mapping[BookingRoomId, UnitId] = field(hash=False)


class Obstacle(Enum):
    """Why no assignment exists.

    ``PINNED_CONFLICT``: pinned lodgers share a unit and night, or one is pinned where the unit is taken.
    ``OVERFULL``: on each of the nights, more lodgers than units that any of them may get and that are free.
    ``FRAGMENTED``: each night has units enough, but too few are free from arrival to departure; a split
    stay may help. ``EXHAUSTED``: every combination was tried.
    """

    PINNED_CONFLICT = "pinned_conflict"
    OVERFULL = "overfull"
    FRAGMENTED = "fragmented"
    EXHAUSTED = "exhausted"


@frozen
class Impossible:
    """Proof that there is no assignment: these lodgers alone have none, beside the pinned and the taken.

    ``nights`` are those that the proof rests on, ascending; ``lodgers`` are sorted by first night.
    """

    nights: tuple[date, ...]
    lodgers: tuple[BookingRoomId, ...]
    reason: Obstacle


@frozen
class NotFound:
    """The search gave up after ``tries`` placements; an assignment may or may not exist."""

    tries: int


@frozen
class SplitPlan:
    """A stay over several units: who sleeps where, ascending and without a gap."""

    parts: tuple[tuple[UnitId, DateRange], ...]

    @property
    def changes(self) -> int:
        """How often the guest changes units."""
        return len(self.parts) - 1


def is_valid(
    plan: Plan, units: Iterable[UnitId], taken: Mapping[UnitId, DateSet], lodgers: Sequence[Lodger]
) -> bool:
    """Return whether ``plan`` is an answer for these units, taken nights and lodgers.

    Every lodger has one unit, a pinned one its own, any other an admissible one of ``units``; nobody sleeps
    on taken nights; no two share a unit and night; the moves are exactly the differences.
    """
    known = frozenset(units)
    if set(plan.units) != {each.room_id for each in lodgers}:
        return False
    occupied = dict(taken)
    for each in lodgers:
        unit_id = plan.units[each.room_id]
        if not _may_have(each, unit_id, known):
            return False
        nights = DateSet.of(each.nights)
        before = occupied.get(unit_id, DateSet.EMPTY)
        if before.overlaps(nights):
            return False
        occupied[unit_id] = before | nights
    present = {each.room_id: each.unit_id for each in lodgers}
    changed = {(room, present[room], unit) for room, unit in plan.units.items() if present[room] != unit}
    moves = [(each.room_id, each.from_unit, each.to_unit) for each in plan.moves]
    return len(moves) == len(changed) and set(moves) == changed


def _may_have(lodger: Lodger, unit_id: UnitId, known: frozenset[UnitId]) -> bool:
    if lodger.is_pinned:
        return unit_id == lodger.unit_id
    return unit_id in known and (lodger.admissible is None or unit_id in lodger.admissible)
