"""Calls over HTTP in an open loop: they go out at times that were fixed beforehand, whether or not answers come.

Owns a process of callers beside the servers. How long a call took is counted from when it was to go out, so a server
that stalls is charged with all that piled up meanwhile. Leaves the servers and the judgement to ``answering``.
"""

from __future__ import annotations

import gc
import multiprocessing
import random
import socket
import threading
import time
from collections.abc import Mapping
from itertools import accumulate
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Self

from attrs import frozen

__all__ = ["Callers", "Calls", "Heard", "http_call", "schedule"]

_PATIENCE_SECONDS = 120.0
_HEAD_START_SECONDS = 0.1
_ANSWER_SECONDS = 30.0
_CALLERS = 32
_PIECE = 1 << 16


@frozen
class Calls:
    """What is sent where and when: whole requests as bytes, and a time in seconds from the start for each call.

    The requests are sent in turn, from the first again after the last.
    """

    host: str
    port: int
    requests: tuple[bytes, ...]
    times: tuple[float, ...]


@frozen
class Heard:
    """How long each call took, in seconds from when it was to go out, and in how many seconds all were answered."""

    seconds: tuple[float, ...]
    span: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.seconds) / self.span

    def percentile(self, part: float) -> float:
        """Return the seconds within which a part of the calls was answered; a part of 1 is the longest."""
        ordered = sorted(self.seconds)
        return ordered[max(0, min(len(ordered) - 1, int(part * len(ordered))))]


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
            RuntimeError: a call was answered with another status than 200, or not at all.
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
                line.send(_Round(calls).heard())
            except Exception as error:  # noqa: BLE001 - the parent raises it
                line.send(f"{type(error).__name__}: {error}")
            gc.collect()
    except EOFError:
        return


class _Round:
    """One round of calls by threads that take the next call as soon as they are done with one."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._numbers = iter(range(len(calls.times)))
        self._took = [0.0] * len(calls.times)
        self._failures: list[Exception] = []
        self._ended_at = 0.0

    def heard(self) -> Heard:
        """Make the calls."""
        lines = [_Line(self._calls.host, self._calls.port) for _ in range(_CALLERS)]
        started_at = time.perf_counter() + _HEAD_START_SECONDS
        threads = [threading.Thread(target=self._call, args=(line, started_at)) for line in lines]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._failures:
            raise self._failures[0]
        return Heard(tuple(self._took), self._ended_at - started_at)

    def _call(self, line: _Line, started_at: float) -> None:
        requests, times = self._calls.requests, self._calls.times
        try:
            for number in self._numbers:  # one thread at a time is in here, by the interpreter's lock
                due_at = started_at + times[number]
                pause = due_at - time.perf_counter()
                if pause > 0:
                    time.sleep(pause)
                line.ask(requests[number % len(requests)])
                now = time.perf_counter()
                self._took[number] = now - due_at
                self._ended_at = max(self._ended_at, now)
        except Exception as error:  # noqa: BLE001 - raised where all are joined
            self._failures.append(error)
        finally:
            line.close()


class _Line:
    """A kept-alive connection; one that the server has closed meanwhile is opened anew."""

    def __init__(self, host: str, port: int) -> None:
        self._place = (host, port)
        self._socket = self._connected()

    def _connected(self) -> socket.socket:
        made = socket.create_connection(self._place, timeout=_ANSWER_SECONDS)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def ask(self, request: bytes) -> None:
        """Send a request and read the answer to its end.

        Raises:
            RuntimeError: its status is not 200.
            OSError: there is none.
        """
        try:
            self._socket.sendall(request)
            first = self._socket.recv(_PIECE)
        except ConnectionError:
            first = b""
        if not first:
            self._socket.close()
            self._socket = self._connected()
            self._socket.sendall(request)
            first = self._socket.recv(_PIECE)
        self._read(first)

    def _read(self, answer: bytes) -> None:
        while b"\r\n\r\n" not in answer:
            answer += self._more()
        head, _, body = answer.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(f"answered with {head.splitlines()[0]!r}: {body[:300]!r}")
        length = head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
        missing = int(length) - len(body)
        while missing > 0:
            missing -= len(self._more())

    def _more(self) -> bytes:
        piece = self._socket.recv(_PIECE)
        if not piece:
            raise ConnectionError("the answer breaks off")
        return piece

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()
