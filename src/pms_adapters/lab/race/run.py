"""Letting many threads, or processes of threads, try for the last rooms at the same moment.

Owns the start signal and the counting. All contestants wait for each other before each contest, so they meet.
"""

from __future__ import annotations

import multiprocessing
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.process import BaseProcess
from multiprocessing.queues import Queue
from queue import Empty
from threading import Barrier, Thread
from typing import Protocol

import psycopg
from attrs import frozen

from pms_adapters.bootstrap import Services, connect
from pms_adapters.lab.race.audit import Audit, audit_stock, deadlocks
from pms_adapters.lab.race.contests import Contest, Kind, contests
from pms_adapters.lab.race.house import RacedHouse, open_raced_house, prepare
from pms_adapters.lab.race.naive import prepare_naive
from pms_adapters.settings import Settings
from pmscore.kernel.errors import NightsTakenError, PmsError

__all__ = ["WON", "RaceReport", "run_naive_race", "run_race"]

WON = "won"
_PATIENCE_SECONDS = 120.0

Attempt = Callable[[Contest, int], None]
Outcome = tuple[int, int, str]


class StartSignal(Protocol):
    """What all contestants wait at; of threads or of processes."""

    def wait(self, timeout: float | None = None) -> int:
        """Return when all have come."""

    def abort(self) -> None:
        """Send everybody home."""


@frozen(kw_only=True)
class RaceReport:
    """What came of a race. ``outcomes`` counts ``won`` and the codes of errors.

    ``wrong_contests`` are those with another number of winners than rooms: number, kind, winners, and who should have
    won. ``audit`` is None for the naive store, whose double bookings stand in ``double_bookings`` alone.
    """

    contestants: int
    attempts: int
    outcomes: Mapping[str, int]
    wrong_contests: tuple[tuple[int, Kind, int, int], ...]
    double_bookings: int
    deadlocks: int
    seconds: float
    audit: Audit | None = None

    @property
    def won(self) -> int:
        """How many attempts got their rooms."""
        return self.outcomes.get(WON, 0)

    @property
    def lost(self) -> int:
        """How many attempts were told that somebody else has the nights."""
        return self.outcomes.get(NightsTakenError.code, 0)

    @property
    def others(self) -> dict[str, int]:
        """The outcomes that should not be, by code."""
        return {
            code: count for code, count in self.outcomes.items() if code not in {WON, NightsTakenError.code}
        }


def run_race(url: str, *, contestants: int, rounds: int, processes: int = 1) -> RaceReport:
    """Race for the rooms of a new agency in the database at ``url``, and count what came of it.

    ``contestants`` are threads, shared out among ``processes``; with one process, they are threads of this one. Each
    contestant tries once a round.

    Raises:
        UnreachableError: the database does not answer, or has too few connections.
    """
    races = contests(rounds)
    # Who races is to get a turn on a slow machine, too, so time limits only guard against hanging.
    patience_ms = round(_PATIENCE_SECONDS * 1_000)
    settings = Settings(
        database_url=url,
        database_pool_size=contestants // processes + 1,
        lock_timeout_ms=patience_ms,
        statement_timeout_ms=patience_ms,
    )
    with connect(settings) as services:
        house = prepare(open_raced_house(services, contestants), services, races, contestants)
        before = deadlocks(services.engine, house.agency_id)
        started = time.perf_counter()
        if processes == 1:
            outcomes = _race_threads(_attempting(house, services), races, range(contestants))
        else:
            outcomes = _race_processes(settings, house, races, contestants, processes)
        seconds = time.perf_counter() - started
        audit = audit_stock(services.engine, house.agency_id)
        met = deadlocks(services.engine, house.agency_id) - before
    return _report(races, outcomes, contestants, seconds, audit.double_bookings, met, audit)


def run_naive_race(url: str, *, contestants: int, rounds: int) -> RaceReport:
    """Race on the store that asks before it writes; ``url`` is a role that may make a table."""
    races = contests(rounds)
    store = prepare_naive(url, contestants)
    connections = [psycopg.connect(url) for _ in range(contestants)]
    try:
        started = time.perf_counter()
        outcomes = _race_threads(
            lambda contest, who: store.attempt(connections[who], contest, who), races, range(contestants)
        )
        seconds = time.perf_counter() - started
    finally:
        for connection in connections:
            connection.close()
    return _report(races, outcomes, contestants, seconds, store.double_bookings(), 0, None)


def _race_threads(
    attempt: Attempt, races: tuple[Contest, ...], who: range, signal: StartSignal | None = None
) -> list[Outcome]:
    """Run one thread a contestant and return all outcomes; without a signal they have one of their own."""
    start: StartSignal = signal or Barrier(len(who))
    outcomes: list[Outcome] = []
    failures: list[BaseException] = []

    def run(contestant: int) -> None:
        try:
            for contest in races:
                start.wait(_PATIENCE_SECONDS)
                outcomes.append((contest.number, contestant, _tried(attempt, contest, contestant)))
        except BaseException as error:
            failures.append(error)
            start.abort()
            raise

    threads = [Thread(target=run, args=(each,), name=f"racer-{each}") for each in who]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return outcomes


def _tried(attempt: Attempt, contest: Contest, contestant: int) -> str:
    try:
        attempt(contest, contestant)
    except PmsError as error:
        return error.code
    return WON


def _race_processes(
    settings: Settings, house: RacedHouse, races: tuple[Contest, ...], contestants: int, processes: int
) -> list[Outcome]:
    context = multiprocessing.get_context("spawn")
    signal = context.Barrier(contestants)
    answers: Queue[list[Outcome] | str] = context.Queue()
    shares = [range(first, contestants, processes) for first in range(processes)]
    racers = [
        context.Process(target=_race_share, args=(settings, house, races, share, signal, answers))
        for share in shares
    ]
    for racer in racers:
        racer.start()
    outcomes: list[Outcome] = []
    for _ in racers:
        outcomes.extend(_answer(answers, racers))
    for racer in racers:
        racer.join()
    return outcomes


def _answer(answers: Queue[list[Outcome] | str], racers: Sequence[BaseProcess]) -> list[Outcome]:
    while True:
        try:
            answer = answers.get(timeout=1)
        except Empty:
            # One that was killed says nothing any more.
            if any(racer.exitcode for racer in racers):
                raise ChildProcessError("a racing process ended without an answer") from None
            continue
        if isinstance(answer, str):
            raise ChildProcessError(answer)
        return answer


def _race_share(
    settings: Settings,
    house: RacedHouse,
    races: tuple[Contest, ...],
    share: range,
    signal: StartSignal,
    answers: Queue[list[Outcome] | str],
) -> None:
    """Race some of the contestants in a process of their own."""
    try:
        with connect(settings) as services:
            answers.put(_race_threads(_attempting(house, services), races, share, signal))
    except BaseException as error:
        signal.abort()
        answers.put(repr(error))
        raise


def _attempting(house: RacedHouse, services: Services) -> Attempt:
    return lambda contest, contestant: house.attempt(services, contest, contestant)


def _report(
    races: tuple[Contest, ...],
    outcomes: list[Outcome],
    contestants: int,
    seconds: float,
    double_bookings: int,
    met_deadlocks: int,
    audit: Audit | None,
) -> RaceReport:
    winners = Counter(number for number, _, outcome in outcomes if outcome == WON)
    wrong = tuple(
        (each.number, each.kind, winners[each.number], each.winners)
        for each in races
        if winners[each.number] != each.winners
    )
    return RaceReport(
        contestants=contestants,
        attempts=len(outcomes),
        outcomes=Counter(outcome for _, _, outcome in outcomes),
        wrong_contests=wrong,
        double_bookings=double_bookings,
        deadlocks=met_deadlocks,
        seconds=seconds,
        audit=audit,
    )
