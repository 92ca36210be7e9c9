"""The read model of a process: the stock boards of the agencies that are searched, and the thread that follows the log.

Owns which agencies have a board, when each is brought up to date, how old a board may be, and that somebody who has
just changed something is not shown what was before. What a board shows is ``followed``'s, the answers are
``board_reader``'s. How it works, and when it gives way: ``docs/algorithms/availability.md``.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread

from attrs import frozen
from sqlalchemy import Engine

from pms_adapters.postgres.followed import FollowedBoard, OutOfReachError
from pms_adapters.postgres.houses import HouseMemory
from pms_adapters.postgres.transaction import PostgresUnitOfWork, PostgresWork
from pmscore.kernel.errors import PmsError
from pmscore.kernel.events import Command
from pmscore.kernel.ids import ActorId, AgencyId
from pmscore.kernel.ports import Clock

__all__ = ["Boards", "Limits", "NotedUnitOfWork"]

_log = logging.getLogger(__name__)


@frozen(kw_only=True)
class Limits:
    """How old a board may be, how often it is looked after, and how much of the process it may take.

    A board that nobody asked for ``resting_after_seconds`` is left as it is until somebody asks again, and is
    thrown away after ``dropped_after_seconds``. ``most_sources`` are bookings, holds and blocks of all boards
    together, each some 500 bytes.
    """

    oldest_seconds: float = 1.0
    turn_seconds: float = 0.25
    least_pause_seconds: float = 0.02
    resting_after_seconds: float = 10.0
    dropped_after_seconds: float = 300.0
    retry_seconds: float = 5.0
    most_boards: int = 50
    most_sources: int = 400_000


class Boards:
    """All boards of a process; safe to share between threads.

    The thread begins with the first question, so that a server that forks first has it where it is needed.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        clock: Clock,
        houses: HouseMemory | None = None,
        limits: Limits | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._houses = houses or HouseMemory()
        self._limits = limits or Limits()
        self._monotonic = monotonic
        self._boards: dict[AgencyId, FollowedBoard] = {}
        self._answers: Counter[str] = Counter()
        self._lock = Lock()
        self._wake = Event()
        self._ended = Event()
        self._thread: Thread | None = None
        self._are_failing: set[AgencyId] = set()

    def find_current(self, agency_id: AgencyId, actor_id: ActorId) -> FollowedBoard | None:
        """Return the agency's board if it may be shown to this actor; if not, it soon may."""
        board = self.of(agency_id)
        board.used_at = self._monotonic()
        if board.is_current(actor_id, self._limits.oldest_seconds):
            return board
        if not board.is_young(self._limits.oldest_seconds):
            self._wake.set()
        self._begin()
        return None

    def of(self, agency_id: AgencyId) -> FollowedBoard:
        """Return the agency's board, which may have nothing on it yet."""
        board = self._boards.get(agency_id)
        if board is None:
            with self._lock:
                board = self._boards.setdefault(agency_id, self._made(agency_id))
        return board

    def wrote(self, agency_id: AgencyId, actor_id: ActorId) -> None:
        """Hear that somebody has changed something: they are answered by SQL until the board shows it."""
        board = self._boards.get(agency_id)
        if board is not None:
            board.wrote(actor_id)

    def count(self, source: str, instead_of: str = "") -> None:
        """Count an answer by where it came from; the place of one that was counted before is taken."""
        with self._lock:
            self._answers[source] += 1
            self._answers[instead_of] -= 1

    def answers(self, source: str) -> float:
        """Return how many answers came from there."""
        return float(self._answers[source])

    def age_seconds(self) -> float:
        """Return how old the oldest board in use is; zero where none is."""
        now = self._monotonic()
        resting = now - self._limits.resting_after_seconds
        ages = [
            now - (board.used_at if board.as_of is None else board.as_of)
            for board in list(self._boards.values())
            if board.used_at > resting
        ]
        return max(ages, default=0.0)

    def close(self) -> None:
        """End the thread; nobody is answered from a board any more."""
        self._ended.set()
        self._wake.set()
        thread = self._thread
        if thread is not None:
            thread.join()
        self._boards.clear()

    def turn(self) -> None:
        """Bring every board in use up to date, once; the thread does so again and again."""
        now = self._monotonic()
        for agency_id, board in list(self._boards.items()):
            if now - board.used_at > self._limits.dropped_after_seconds:
                self._boards.pop(agency_id, None)
                self._are_failing.discard(agency_id)
            elif now - board.used_at <= self._limits.resting_after_seconds and board.retry_at <= now:
                self._take_turn(board)

    def _take_turn(self, board: FollowedBoard) -> None:
        try:
            board.follow()
        except OutOfReachError as error:
            self._give_way(board, error)
            board.retry_at = self._monotonic() + self._limits.retry_seconds
        except PmsError as error:
            self._give_way(board, error)
        except Exception:  # noqa: BLE001 - the thread serves all other agencies too
            # What stands on the board now is not known, so all of it is read again.
            _log.exception("the stock board of agency %s broke and is read again", board.agency_id)
            board.forget()
            board.retry_at = self._monotonic() + self._limits.retry_seconds
        else:
            self._are_failing.discard(board.agency_id)
            self._make_room(board)

    def _give_way(self, board: FollowedBoard, error: Exception) -> None:
        board.give_way()
        if board.agency_id not in self._are_failing:
            self._are_failing.add(board.agency_id)
            _log.warning("searches of agency %s go to the database: %s", board.agency_id, error)

    def _make_room(self, latest: FollowedBoard) -> None:
        """Throw away the boards that nobody has asked for longest, until all together are few enough."""
        limits = self._limits
        boards = sorted(self._boards.values(), key=lambda each: each.used_at)
        total = sum(map(len, boards))
        for number, board in enumerate(boards):
            if total <= limits.most_sources and len(boards) - number <= limits.most_boards:
                return
            if board is not latest:
                total -= len(board)
                self._boards.pop(board.agency_id, None)

    def _made(self, agency_id: AgencyId) -> FollowedBoard:
        return FollowedBoard(
            self._engine,
            agency_id,
            clock=self._clock,
            houses=self._houses,
            most_sources=self._limits.most_sources,
            monotonic=self._monotonic,
        )

    def _begin(self) -> None:
        if self._thread is not None and self._thread.is_alive():
            return
        with self._lock:
            is_needed = self._thread is None or not self._thread.is_alive()
            if is_needed and not self._ended.is_set():
                self._thread = Thread(target=self._follow, name="pms-boards", daemon=True)
                self._thread.start()

    def _follow(self) -> None:
        while not self._ended.is_set():
            self._wake.wait(self._limits.turn_seconds)
            self._wake.clear()
            self.turn()
            # However many ask for it, a turn must leave the process to those who answer.
            self._ended.wait(self._limits.least_pause_seconds)


class NotedUnitOfWork:
    """The unit of work of a process that has boards: it tells them who has changed something."""

    def __init__(self, inner: PostgresUnitOfWork, boards: Boards) -> None:
        self._inner = inner
        self._boards = boards

    @contextmanager
    def begin(self, command: Command) -> Iterator[PostgresWork]:
        """Open a transaction for the command's agency."""
        is_known = False
        try:
            with self._inner.begin(command) as work:
                yield work
            is_known = True
        finally:
            # After an error nobody knows here whether it was committed; telling once too often is harmless.
            if not is_known or work.is_committed:
                self._boards.wrote(command.agency_id, command.actor_id)
