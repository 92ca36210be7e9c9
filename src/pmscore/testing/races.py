"""Many at once for the last rooms: who wins, and what the others are told.

Owns the race and its report. Leaves the verdict to :mod:`pmscore.testing.laws.races` and to the tests of an
adapter, which may run :func:`compete` in processes of their own.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta

from attrs import frozen

from pmscore.dates.nights import StayRange
from pmscore.kernel.errors import PmsError
from pmscore.testing.scenes import Scene, stay

__all__ = ["RaceReport", "at_once", "compete", "race", "round_stays"]

_GAP = 4
_HOUR = timedelta(hours=1)


@frozen
class RaceReport:
    """How often each round was won, and what losers were told, by the code of the error."""

    winners: tuple[int, ...]
    refusals: Counter[str]

    @property
    def attempts(self) -> int:
        """How many attempts there were."""
        return sum(self.winners) + self.refusals.total()


def round_stays(rounds: int) -> tuple[StayRange, ...]:
    """Return the stay that each round is about: two nights, far enough from the next for turnover."""
    return tuple(stay(_GAP * number, 2) for number in range(rounds))


def at_once(calls: Sequence[Callable[[], object]]) -> list[str]:
    """Make all calls at the same moment, each in a thread; return the outcome of each, ``won`` or an error's code."""
    barrier = threading.Barrier(len(calls))
    outcomes = ["lost"] * len(calls)

    def make(number: int, call: Callable[[], object]) -> None:
        barrier.wait()
        try:
            call()
        except PmsError as error:
            outcomes[number] = error.code
        else:
            outcomes[number] = "won"

    crowd = [threading.Thread(target=make, args=each) for each in enumerate(calls)]
    for each in crowd:
        each.start()
    for each in crowd:
        each.join()
    return outcomes


def compete(
    scene: Scene, stays: Sequence[StayRange], wait: Callable[[], object], outcomes: list[tuple[int, str]]
) -> None:
    """Try once a round for a room of the first type; add round and outcome, ``won`` or an error's code."""
    for number, when in enumerate(stays):
        wait()
        try:
            scene.book(when)
        except PmsError as error:
            outcomes.append((number, error.code))
        else:
            outcomes.append((number, "won"))


def race(scene: Scene, *, threads: int, rounds: int, with_expired_holds: bool = False) -> RaceReport:
    """Let ``threads`` compete for the first type's rooms, ``rounds`` times, all starting together.

    With ``with_expired_holds`` every room of every round is held by somebody whose time is over.
    """
    stays = round_stays(rounds)
    if with_expired_holds:
        rooms = scene.type().capacities[0].rooms
        for when in stays:
            for _ in range(rooms):
                scene.hold(when, minutes=1)
        scene.clock.advance(_HOUR)
    barrier = threading.Barrier(threads)
    outcomes: list[tuple[int, str]] = []
    crowd = [
        threading.Thread(target=compete, args=(scene, stays, barrier.wait, outcomes)) for _ in range(threads)
    ]
    for each in crowd:
        each.start()
    for each in crowd:
        each.join()
    won = Counter(number for number, outcome in outcomes if outcome == "won")
    refusals = Counter(outcome for _, outcome in outcomes if outcome != "won")
    return RaceReport(tuple(won[number] for number in range(rounds)), refusals)
