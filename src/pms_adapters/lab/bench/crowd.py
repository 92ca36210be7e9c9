"""Several processes that book at the same time.

Owns starting them once, and letting them begin together round by round.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Self

from pms_adapters.lab.bench.house import House
from pms_adapters.lab.bench.making import Shop

__all__ = ["Crowd"]

_PATIENCE_SECONDS = 120.0
_HEAD_START_SECONDS = 0.05


class Crowd:
    """Processes with one connection each; to be used in a ``with`` block."""

    def __init__(self, url: str, house: House, size: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._lines: list[Connection] = []
        self._processes: list[BaseProcess] = []
        for _ in range(size):
            here, there = context.Pipe()
            process = context.Process(target=_book_on_demand, args=(there, url, house), daemon=True)
            process.start()
            there.close()
            self._lines.append(here)
            self._processes.append(process)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for line in self._lines:
            line.close()
        for process in self._processes:
            process.join(5.0)
            if process.is_alive():
                process.kill()

    def rate(self, slots: Sequence[int], count: int) -> float:
        """Return how many bookings a second all processes made together, ``count`` slots each.

        Raises:
            RuntimeError: a process failed or did not answer.
        """
        for index, line in enumerate(self._lines):
            line.send(list(slots[index * count : (index + 1) * count]))
        for line in self._lines:
            _answer(line)
        start_at = time.monotonic() + _HEAD_START_SECONDS
        for line in self._lines:
            line.send(start_at)
        spans = [_answer(line) for line in self._lines]
        first = min(start for start, _ in spans)
        last = max(end for _, end in spans)
        return len(self._lines) * count / (last - first)


def _answer(line: Connection) -> tuple[float, float]:
    if not line.poll(_PATIENCE_SECONDS):
        raise RuntimeError("a booking process does not answer")
    answer = line.recv()
    match answer:
        case (float(start), float(end)):
            return start, end
        case _:
            raise RuntimeError(str(answer))


def _book_on_demand(line: Connection, url: str, house: House) -> None:
    shop = Shop.on(url, house)
    try:
        while True:
            bookings = shop.prepared(line.recv())
            shop.reconnect()
            line.send((0.0, 0.0))
            time.sleep(max(0.0, line.recv() - time.monotonic()))
            started = time.monotonic()
            for booking in bookings:
                shop.write(booking)
            line.send((started, time.monotonic()))
    except EOFError:
        return
    except Exception as error:  # noqa: BLE001 - the parent raises it
        line.send(f"{type(error).__name__}: {error}")
    finally:
        shop.engine.dispose()
