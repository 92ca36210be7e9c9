"""Calls over HTTP in an open loop, at times that were fixed beforehand whether or not answers come, or in a closed one.

Owns a process of callers beside the servers. In an open loop, how long a call took is counted from when it
was to go out, so a server that stalls is charged with all that piled up meanwhile. Leaves the loop to
``call_loop``, the servers and the judgement to ``answering`` and its neighbours.
"""

from __future__ import annotations

import gc
import multiprocessing
import random
from collections.abc import Mapping
from itertools import accumulate
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Self

from pms_adapters.lab.bench.call_loop import Calls, Heard, call_all

__all__ = ["Callers", "http_call", "schedule"]

_PATIENCE_SECONDS = 120.0


def schedule(count: int, rate: float, seed: int) -> tuple[float, ...]:
    """Return times of calls that do not know of each other, so many a second in the mean; the same for a seed."""
    chance = random.Random(seed)
    gaps = [chance.expovariate(rate) for _ in range(count)]
    stretch = count / rate / sum(gaps)
    return tuple(accumulate(gap * stretch for gap in gaps))


def http_call(method: str, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
    """Return a request with a JSON body, as it goes over the line."""
    said = {
        "Host": "127.0.0.1",
        "Content-Type": "application/json",
        "Content-Length": len(body),
        **(headers or {}),
    }
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in said.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


class Callers:
    """A process with a few connections of its own; to be used in a ``with`` block."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._line, there = context.Pipe()
        self._process = context.Process(target=_call_on_demand, args=(there,), daemon=True)
        self._process.start()
        there.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._line.close()
        self._process.join(5.0)
        if self._process.is_alive():
            self._process.kill()

    def send(self, calls: Calls) -> Heard:
        """Make all calls at their times, and return how long they took.

        Raises:
            RuntimeError: a call was answered with another status than 2xx, or not at all.
        """
        self._line.send(calls)
        if not self._line.poll(_PATIENCE_SECONDS + calls.times[-1]):
            raise RuntimeError("the calling process does not answer")
        match self._line.recv():
            case Heard() as heard:
                return heard
            case complaint:
                raise RuntimeError(str(complaint))


def _call_on_demand(line: Connection) -> None:
    gc.disable()
    try:
        while True:
            calls: Calls = line.recv()
            try:
                line.send(call_all(calls))
            except Exception as error:  # noqa: BLE001 - the parent raises it
                line.send(f"{type(error).__name__}: {error}")
            gc.collect()
    except EOFError:
        return
