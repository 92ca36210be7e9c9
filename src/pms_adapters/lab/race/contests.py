"""Which rooms are fought over, by whom, and how many may win.

Owns contests as plain data, the same for the house and for the store that is planted to fail. Each contest has nights
of its own, so its outcome follows from its numbers alone, whatever happened in the others.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from itertools import cycle, islice

from attrs import frozen

__all__ = ["NIGHTS_EACH", "TYPES", "Contest", "Kind", "RacedType", "Wish", "contests"]

NIGHTS_EACH = 6
"""How many nights lie between the first nights of two contests."""

_CAPACITIES = (1, 2, 3, 4, 5)


class Kind(Enum):
    """What is tried in a contest."""

    POOLED = "pooled"
    ANY_UNIT = "any_unit"
    ONE_UNIT = "one_unit"
    EXPIRED_HOLDS = "expired_holds"
    EXPIRED_HOLD_ON_UNIT = "expired_hold_on_unit"
    BUFFER = "buffer"
    TWO_OF_ONE = "two_of_one"
    TWO_CROSSED = "two_crossed"
    TWO_UNITS_CROSSED = "two_units_crossed"
    MOVE = "move"


@frozen
class RacedType:
    """A type of the raced house; ``rooms`` None means as many as there are contestants, and one."""

    name: str
    rooms: int | None
    units: int = 0
    turnover_nights: int = 0


@frozen
class Wish:
    """One room wanted: nights counted from the first day of the race; ``unit`` is its place among the type's."""

    unit_type: str
    first: int
    nights: int
    unit: int | None = None


@frozen(kw_only=True)
class Contest:
    """Contestant k wants all rooms of ``wishes[k % len(wishes)]``; exactly ``winners`` of them may have them.

    ``expired_holds`` lie on the nights before anyone tries. In a ``MOVE`` each contestant has a booking of the type
    already, and wants its unit.
    """

    number: int
    kind: Kind
    wishes: tuple[tuple[Wish, ...], ...]
    winners: int
    expired_holds: tuple[Wish, ...] = ()

    def wishes_of(self, contestant: int) -> tuple[Wish, ...]:
        """Return what one contestant wants."""
        return self.wishes[contestant % len(self.wishes)]


TYPES = (
    *(RacedType(f"pooled-{rooms}", rooms) for rooms in _CAPACITIES),
    *(RacedType(f"units-{rooms}", rooms, units=rooms) for rooms in _CAPACITIES),
    RacedType("turnover", 1, units=1, turnover_nights=1),
    RacedType("moving", None, units=2),
)


def contests(count: int) -> tuple[Contest, ...]:
    """Return ``count`` contests: every kind, on capacities from 1 to 5, in turn."""
    made: list[Contest] = []
    turns = cycle((make, rooms) for rooms in _CAPACITIES for make in _KINDS)
    for number, (make, rooms) in enumerate(islice(turns, count)):
        made.append(make(number, rooms, number * NIGHTS_EACH))
    return tuple(made)


def _pooled(number: int, rooms: int, first: int) -> Contest:
    wish = Wish(f"pooled-{rooms}", first, 3)
    return Contest(number=number, kind=Kind.POOLED, wishes=((wish,),), winners=rooms)


def _any_unit(number: int, rooms: int, first: int) -> Contest:
    # Stays of two lengths that share a night, so that they lock different numbers of rows.
    wishes = ((Wish(f"units-{rooms}", first, 4),), (Wish(f"units-{rooms}", first + 1, 2),))
    return Contest(number=number, kind=Kind.ANY_UNIT, wishes=wishes, winners=rooms)


def _one_unit(number: int, rooms: int, first: int) -> Contest:
    wish = Wish(f"units-{rooms}", first, 3, unit=rooms - 1)
    return Contest(number=number, kind=Kind.ONE_UNIT, wishes=((wish,),), winners=1)


def _expired_holds(number: int, rooms: int, first: int) -> Contest:
    wish = Wish(f"pooled-{rooms}", first, 3)
    return Contest(
        number=number,
        kind=Kind.EXPIRED_HOLDS,
        wishes=((wish,),),
        winners=rooms,
        expired_holds=(wish,) * rooms,
    )


def _expired_hold_on_unit(number: int, rooms: int, first: int) -> Contest:
    wish = Wish(f"units-{rooms}", first, 3, unit=0)
    return Contest(
        number=number,
        kind=Kind.EXPIRED_HOLD_ON_UNIT,
        wishes=((wish,),),
        winners=1,
        expired_holds=(wish,),
    )


def _buffer(number: int, rooms: int, first: int) -> Contest:
    # The second stay begins on the night that must stay empty after the first.
    del rooms
    wishes = ((Wish("turnover", first, 2),), (Wish("turnover", first + 2, 2),))
    return Contest(number=number, kind=Kind.BUFFER, wishes=wishes, winners=1)


def _two_of_one(number: int, rooms: int, first: int) -> Contest:
    wish = Wish(f"pooled-{rooms}", first, 2)
    return Contest(number=number, kind=Kind.TWO_OF_ONE, wishes=((wish, wish),), winners=rooms // 2)


def _two_crossed(number: int, rooms: int, first: int) -> Contest:
    one, other = Wish(f"pooled-{rooms}", first, 2), Wish(f"units-{rooms}", first, 2)
    return Contest(number=number, kind=Kind.TWO_CROSSED, wishes=((one, other), (other, one)), winners=rooms)


def _two_units_crossed(number: int, rooms: int, first: int) -> Contest:
    one = Wish(f"units-{rooms}", first, 2, unit=0)
    other = Wish(f"units-{rooms % 5 + 1}", first, 2, unit=0)
    return Contest(number=number, kind=Kind.TWO_UNITS_CROSSED, wishes=((one, other), (other, one)), winners=1)


def _move(number: int, rooms: int, first: int) -> Contest:
    del rooms
    wish = Wish("moving", first, 2, unit=0)
    return Contest(number=number, kind=Kind.MOVE, wishes=((wish,),), winners=1)


_KINDS: tuple[Callable[[int, int, int], Contest], ...] = (
    _pooled,
    _any_unit,
    _one_unit,
    _expired_holds,
    _expired_hold_on_unit,
    _buffer,
    _two_of_one,
    _two_crossed,
    _two_units_crossed,
    _move,
)
