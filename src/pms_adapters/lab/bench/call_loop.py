"""One round of calls over HTTP by one thread: so many connections, each with one call at a time.

Owns the loop and the reading of answers. It is to cost little, since it runs beside what it measures: one system call
sends a call, one learns of answers, one reads each. Leaves the process that it runs in, and what is called when, to
``calling``.
"""

from __future__ import annotations

import select
import selectors
import socket
import time
from collections import deque
from contextlib import suppress

from attrs import frozen

__all__ = ["Calls", "Heard", "call_all"]

_HEAD_START_SECONDS = 0.1
_ANSWER_SECONDS = 30.0
_PIECE = 1 << 18
_HEAD_END = b"\r\n\r\n"
_LENGTH = b"\r\ncontent-length:"


@frozen(kw_only=True)
class Calls:
    """What is sent where and when, by how many callers: whole requests as bytes.

    The requests are sent in turn, from the first again after the last. ``times`` are in seconds from the
    start, one for each call; one that is due while all callers wait for answers goes out as soon as one of
    them is free. Where ``follows_answers``, each caller makes its next call when its last was answered, and
    the times do not count. An answer is ``marked`` if its head has these bytes.
    """

    host: str
    port: int
    requests: tuple[bytes, ...]
    times: tuple[float, ...]
    callers: int = 32
    follows_answers: bool = False
    mark: bytes = b""


@frozen(kw_only=True)
class Heard:
    """How long each call took, in seconds from when it was to go out, and in how many seconds all were answered.

    ``late`` says of each call by how much it went out too late although a caller was free, which is the
    callers' fault; ``busy`` is the processor time that the callers took. ``marked`` answers had the mark.
    """

    seconds: tuple[float, ...]
    span: float
    late: tuple[float, ...] = ()
    busy: float = 0.0
    marked: int = 0

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.seconds) / self.span

    def percentile(self, part: float) -> float:
        """Return the seconds within which a part of the calls was answered; a part of 1 is the longest."""
        return _percentile(self.seconds, part)

    def lateness(self, part: float) -> float:
        """Return the seconds by which a part of the calls went out late at most, by the callers' own fault."""
        return _percentile(self.late, part)


def call_all(calls: Calls) -> Heard:
    """Make all calls and return how long they took.

    Raises:
        RuntimeError: a call was answered with another status than 2xx, or not at all.
        OSError: the server cannot be reached, or breaks off.
    """
    return _Round(calls).heard()


class _Round:
    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._took = [0.0] * len(calls.times)
        self._late = [0.0] * len(calls.times)
        self._marked = 0
        self._selector = selectors.DefaultSelector()
        lines = [_Line(calls.host, calls.port) for _ in range(min(calls.callers, len(calls.times)))]
        self._free = deque(lines)
        for line in lines:
            self._selector.register(line.socket, selectors.EVENT_READ, line)

    def heard(self) -> Heard:
        busy_from = time.process_time()
        started_at = time.perf_counter() + _HEAD_START_SECONDS
        for line in self._free:
            line.free_at = started_at
        try:
            ended_at = self._run(started_at)
        finally:
            for key in list(self._selector.get_map().values()):
                key.data.socket.close()
            self._selector.close()
        return Heard(
            seconds=tuple(self._took),
            span=ended_at - started_at,
            late=tuple(self._late),
            busy=time.process_time() - busy_from,
            marked=self._marked,
        )

    def _run(self, started_at: float) -> float:
        times, free, count = self._calls.times, self._free, len(self._calls.times)
        follows = self._calls.follows_answers
        sent = answered = 0
        now = time.perf_counter()
        while answered < count:
            while free and sent < count:
                due_at = free[0].free_at if follows else started_at + times[sent]
                if due_at > now:
                    break
                self._send(free.popleft(), sent, due_at)
                sent += 1
            is_timed = bool(free) and sent < count
            next_at = max(started_at, 0.0 if follows or not is_timed else started_at + times[sent])
            lines = self._ready(next_at - time.perf_counter() if is_timed else _ANSWER_SECONDS)
            now = time.perf_counter()
            if not lines and not is_timed:
                raise RuntimeError(f"no answer in {_ANSWER_SECONDS:.0f} seconds")
            for line in lines:
                if self._has_answered(line, now):
                    answered += 1
        return now

    def _send(self, line: _Line, number: int, due_at: float) -> None:
        requests = self._calls.requests
        self._late[number] = time.perf_counter() - max(due_at, line.free_at)
        line.send(number, due_at, requests[number % len(requests)])

    def _ready(self, seconds: float) -> list[_Line]:
        """Return the connections on which something has come; wait so long for it at most."""
        # A selector waits by the millisecond; it can be waited for by the microsecond.
        if seconds > 0:
            select.select([self._selector], (), (), seconds)
        return [key.data for key, _ in self._selector.select(0)]

    def _has_answered(self, line: _Line, now: float) -> bool:
        """Read what has come; return whether an answer is whole, whose caller is then free again."""
        before = line.socket
        head = line.read()
        if line.socket is not before:
            self._selector.unregister(before)
            before.close()
            self._selector.register(line.socket, selectors.EVENT_READ, line)
        if head is None:
            return False
        if self._calls.mark in head:
            self._marked += 1
        self._took[line.number] = now - line.due_at
        line.free_at = now
        self._free.append(line)
        return True


class _Line:
    """A kept-alive connection; one that the server has closed meanwhile is opened anew."""

    def __init__(self, host: str, port: int) -> None:
        self._place = (host, port)
        self.socket = self._connected()
        self.number = -1
        self.due_at = 0.0
        self.free_at = 0.0
        self._request = b""
        self._answer = b""
        self._head = b""
        self._missing = 0
        self._is_repeated = False

    def _connected(self) -> socket.socket:
        made = socket.create_connection(self._place, timeout=_ANSWER_SECONDS)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def send(self, number: int, due_at: float, request: bytes) -> None:
        """Send the call with this number."""
        self.number, self.due_at, self._request = number, due_at, request
        with suppress(ConnectionError):  # what comes next is its end, and the call goes out on another
            self.socket.sendall(request)

    def read(self) -> bytes | None:
        """Read what has come; return the head of the answer once it is whole.

        Raises:
            RuntimeError: the status is not 2xx.
            OSError: the answer breaks off.
        """
        try:
            piece = self.socket.recv(_PIECE)
        except ConnectionError:
            piece = b""
        if not piece:
            self._open_anew()
        elif self._head:
            self._missing -= len(piece)
        else:
            self._begin(piece)
        if not self._head or self._missing > 0:
            return None
        head, self._head, self._request = self._head, b"", b""
        self._is_repeated = False
        return head

    def _begin(self, piece: bytes) -> None:
        self._answer += piece
        end = self._answer.find(_HEAD_END)
        if end < 0:
            return
        head, body = self._answer[:end], self._answer[end + len(_HEAD_END) :]
        if not head.startswith(b"HTTP/1.1 2"):
            raise RuntimeError(f"answered with {head.splitlines()[0]!r}: {body[:300]!r}")
        length = head.lower().partition(_LENGTH)[2].partition(b"\r\n")[0]
        self._head, self._answer, self._missing = head, b"", int(length) - len(body)

    def _open_anew(self) -> None:
        if self._head or self._answer or self._is_repeated:
            raise ConnectionError("the answer breaks off")
        self.socket = self._connected()
        if self._request:
            self._is_repeated = True
            self.socket.sendall(self._request)


def _percentile(seconds: tuple[float, ...], part: float) -> float:
    ordered = sorted(seconds)
    return ordered[max(0, min(len(ordered) - 1, int(part * len(ordered))))]
