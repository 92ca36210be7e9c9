"""Who works on the requests of one process: few threads, and more only for what takes long.

Owns how many there are. A process computes one thing at a time, however many threads it has: where eight compute by
turns, each request takes as long as all of them together. So two work, one of which waits for the database while the
other computes, and the rest of the requests wait in their order. A request that takes longer than a moment (it asks a
platform far away, or its sender is slow) does not count as one of the two: another thread takes its place.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from queue import Empty, SimpleQueue
from typing import ParamSpec, TypeVar

from attrs import frozen
from gunicorn.workers.gthread import ThreadWorker

__all__ = ["FEW", "MOMENT_SECONDS", "Crew", "CrewWorker"]

FEW = 2
MOMENT_SECONDS = 0.1

_P = ParamSpec("_P")
_T = TypeVar("_T")


@frozen
class _Asked:
    cancel: Callable[[], object]
    work: Callable[[], None]


class Crew(Executor):
    """Works on what it is given in the order in which it came, ``few`` at a time and those that take long beside.

    There are never more than ``most`` threads; those that are no longer needed end.
    """

    def __init__(self, few: int, most: int, *, moment: float = MOMENT_SECONDS) -> None:
        self._few = min(few, most)
        self._most = most
        self._moment = moment
        self._waiting = SimpleQueue[_Asked | None]()
        self._began: dict[int, float] = {}
        self._members: set[threading.Thread] = set()
        self._changing = threading.Lock()
        self._ended = threading.Event()
        for _ in range(self._few):
            self._start()
        threading.Thread(target=self._watch, name="crew-watch", daemon=True).start()

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Let a call be made by the next thread that is free, and return what it will come to.

        Raises:
            RuntimeError: the crew has been told to end.
        """
        if self._ended.is_set():
            raise RuntimeError("this crew has ended and takes no more work")
        result = Future[_T]()

        def work() -> None:
            if not result.set_running_or_notify_cancel():
                return
            try:
                result.set_result(fn(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001 - whoever waits for it is told
                result.set_exception(error)

        self._waiting.put(_Asked(result.cancel, work))
        return result

    def shutdown(
        self,
        wait: bool = True,  # noqa: FBT002 - the signature is the executor's
        *,
        cancel_futures: bool = False,
    ) -> None:
        """Take no more work and let the threads end when what waits is done, or cancelled."""
        self._ended.set()
        if cancel_futures:
            self._cancel_what_waits()
        for _ in range(self._most):
            self._waiting.put(None)
        if wait:
            for each in tuple(self._members):
                each.join()

    def _cancel_what_waits(self) -> None:
        while True:
            try:
                asked = self._waiting.get_nowait()
            except Empty:
                return
            if asked is not None:
                asked.cancel()

    @property
    def threads(self) -> int:
        """How many threads there are now."""
        return len(self._members)

    def _start(self) -> None:
        member = threading.Thread(target=self._work, name="crew", daemon=True)
        self._members.add(member)
        member.start()

    def _work(self) -> None:
        me = threading.get_ident()
        while (asked := self._waiting.get()) is not None:
            self._began[me] = time.monotonic()
            asked.work()
            del self._began[me]
            if len(self._members) > self._few and self._leaves():
                return
        with self._changing:
            self._members.discard(threading.current_thread())

    def _leaves(self) -> bool:
        """Return whether there are enough others, and take this thread off the crew where there are."""
        with self._changing:
            if len(self._members) - self._slow() <= self._few:
                return False
            self._members.discard(threading.current_thread())
            return True

    def _watch(self) -> None:
        while not self._ended.wait(self._moment):
            if not self._began or self._waiting.empty():
                continue
            with self._changing:
                for _ in range(min(self._most, self._few + self._slow()) - len(self._members)):
                    self._start()

    def _slow(self) -> int:
        """Return how many have been at one thing for longer than a moment."""
        long_ago = time.monotonic() - self._moment
        return sum(began < long_ago for began in tuple(self._began.values()))


class CrewWorker(ThreadWorker):  # type: ignore[misc] # gunicorn has no types
    """gunicorn's process with threads, whose requests a crew works on."""

    def get_thread_pool(self) -> Crew:
        """Return the crew; gunicorn asks for it once."""
        return Crew(FEW, int(self.cfg.threads))
