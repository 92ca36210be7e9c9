"""When things happen in a replay, and how many rooms there are.

Owns the order of events and the default number of rooms. Both are pure; ``run`` does what they say.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, time
from enum import IntEnum
from itertools import groupby

from attrs import frozen

from pms_adapters.lab.replay.rows import BookingFile, Ending, StayRow
from pmscore.inventory.model.house import MOST_ROOMS
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.text import checked_text

__all__ = ["Phase", "Step", "checked_rooms", "lanes_of", "moments_of", "peak_rooms", "steps_of"]


class Phase(IntEnum):
    """What happens first on a day: rooms are given back before they are asked for."""

    CHECK_OUT = 1
    BOOK = 2
    CANCEL = 3
    CHECK_IN = 4
    NO_SHOW = 5

    @property
    def at(self) -> time:
        """The time of day that the clock of a replay shows in this phase, in UTC."""
        return time(8 + 3 * self.value)


@frozen
class Step:
    """One thing that happens to one booking of the file."""

    day: date
    phase: Phase
    row: StayRow


def steps_of(stays: Iterable[StayRow]) -> tuple[Step, ...]:
    """Return all steps in the order of day, phase and row."""
    steps: list[Step] = []
    for row in stays:
        steps.append(Step(row.booked_on, Phase.BOOK, row))
        match row.ending:
            case Ending.CHECK_OUT:
                steps.append(Step(row.stay.arrival, Phase.CHECK_IN, row))
                steps.append(Step(row.stay.departure, Phase.CHECK_OUT, row))
            case Ending.CANCELLED:
                steps.append(Step(row.ended_on, Phase.CANCEL, row))
            case Ending.NO_SHOW:
                steps.append(Step(row.stay.arrival, Phase.NO_SHOW, row))
    return tuple(sorted(steps, key=lambda step: (step.day, step.phase, step.row.number)))


def moments_of(steps: Iterable[Step]) -> Iterator[tuple[Step, ...]]:
    """Yield the steps of each phase of each day together, in order."""
    for _, moment in groupby(steps, key=lambda step: (step.day, step.phase)):
        yield tuple(moment)


def lanes_of(moment: tuple[Step, ...], most: int) -> tuple[tuple[Step, ...], ...]:
    """Return the steps of one moment in at most ``most`` lanes that may run beside each other.

    Two new bookings of one type may want the same last room, so they stay in one lane, in their order;
    bookings of two types never meet. All other steps are about bookings that exist, each about another one,
    so their order is nothing.
    """
    if moment[0].phase is not Phase.BOOK:
        return tuple(moment[first::most] for first in range(min(most, len(moment))))
    by_type: defaultdict[str, list[Step]] = defaultdict(list)
    for step in moment:
        by_type[step.row.unit_type].append(step)
    lanes: list[list[Step]] = [[] for _ in range(min(most, len(by_type)))]
    for steps in sorted(by_type.values(), key=len, reverse=True):
        min(lanes, key=len).extend(steps)
    return tuple(tuple(lane) for lane in lanes)


def peak_rooms(stays: Iterable[StayRow]) -> dict[str, int]:
    """Return, by type, how many rooms were in use at once at most, over the stays that ended with a check-out."""
    changes: defaultdict[str, Counter[date]] = defaultdict(Counter)
    for row in stays:
        if row.ending is Ending.CHECK_OUT:
            changes[row.unit_type][row.stay.arrival] += 1
            changes[row.unit_type][row.stay.departure] -= 1
    return {unit_type: _peak(by_day) for unit_type, by_day in sorted(changes.items())}


def checked_rooms(rooms: Mapping[str, int] | None, file: BookingFile) -> dict[str, int]:
    """Return the rooms of each type, by name: those given, else the peak of the file.

    Raises:
        InvalidInputError: field ``rooms``: a name is empty, or a number is none or too large.
    """
    if rooms is None:
        return peak_rooms(file.stays)
    for name, count in rooms.items():
        checked_text(name, field="rooms", longest=100)
        if type(count) is not int or not 0 <= count <= MOST_ROOMS:
            raise InvalidInputError("rooms", "out_of_range", unit_type=name, most=MOST_ROOMS)
    return dict(sorted(rooms.items()))


def _peak(changes: Mapping[date, int]) -> int:
    in_use = peak = 0
    for day in sorted(changes):
        in_use += changes[day]
        peak = max(peak, in_use)
    return peak
