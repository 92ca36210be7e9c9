"""The simulated platforms on a port: a gateway of anybody's can be tried against them.

Owns carrying out on a real connection what the hostility draws: answers that never come, come late or are cut off.
Each face stands below its own name, ``/channex`` for instance. One call is carried out at a time; waiting is done
side by side.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from attrs import field, frozen

from pms_adapters.http.door import Answer
from pms_adapters.lab.channel_sim.face import Arrived, Face, arrived
from pms_adapters.lab.channel_sim.front import Front
from pms_adapters.lab.channel_sim.wire import Met, met
from pmscore.kernel.errors import InvalidInputError
from pmscore.testing.channel_hostility import FateKind, Hostility

__all__ = ["SimulatedServer", "serving"]

_LARGEST_CALL: Final = 12_000_000
_MISSING: Final = 7


@frozen(kw_only=True)
class SimulatedServer:
    """A server that runs; ``lock`` is held by whoever touches a platform."""

    host: str
    port: int
    faces: Mapping[str, Face]
    lock: threading.Lock = field(repr=False)

    def url(self, name: str) -> str:
        """Return the address of a face, to be a connection's ``base_url``."""
        return f"http://{self.host}:{self.port}/{name}"


@contextmanager
def serving(
    faces: Iterable[Face],
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    hostility: Hostility | None = None,
    longest_stall: float = 30.0,
    front: Front | None = None,
) -> Iterator[SimulatedServer]:
    """Serve faces until the block ends; ``longest_stall`` seconds are waited for an answer that never comes.

    What is for no face is answered by ``front``.

    Raises:
        InvalidInputError: for ``port``: somebody else listens there.
    """
    stage = _Stage(
        faces={each.name: each for each in faces},
        hostility=hostility,
        longest_stall=longest_stall,
        front=front,
    )
    try:
        server = _Server((host, port), stage)
    except OSError as error:
        raise InvalidInputError("port", "taken", value=port) from error
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        bound = int(server.server_address[1])
        yield SimulatedServer(host=host, port=bound, faces=stage.faces, lock=stage.lock)
    finally:
        stage.is_over.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


@frozen(kw_only=True)
class _Stage:
    """The faces, what goes wrong with calls of them, and the turns of those who call at once."""

    faces: Mapping[str, Face]
    hostility: Hostility | None
    longest_stall: float
    front: Front | None
    lock: threading.Lock = field(factory=threading.Lock, repr=False)
    is_over: threading.Event = field(factory=threading.Event, repr=False)

    def meet(self, face: Face, call: Arrived) -> Met:
        with self.lock:
            return met(face, call, self.hostility, is_answered=False)

    def end(self, face: Face, call: Arrived) -> None:
        with self.lock:
            face.end(call)

    def answer_at_front(self, call: Arrived) -> Answer:
        found = None if self.front is None else self.front.answer(call, self.lock)
        return found or _plain(HTTPStatus.NOT_FOUND)

    def stall(self, seconds: float) -> None:
        self.is_over.wait(min(seconds, self.longest_stall))


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], stage: _Stage) -> None:
        self.stage = stage
        super().__init__(address, _Handler)

    def handle_error(self, *_: object) -> None:
        """Say nothing: callers who hang up are what this server is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def _stage(self) -> _Stage:
        assert isinstance(self.server, _Server)
        return self.server.stage

    def handle_any(self) -> None:
        size = int(self.headers.get("content-length") or 0)
        if size > _LARGEST_CALL:
            self._send(_plain(HTTPStatus.REQUEST_ENTITY_TOO_LARGE))
            return
        body = self.rfile.read(size)
        name = self.path.split("/", 2)[1].partition("?")[0]
        face = self._stage.faces.get(name)
        if face is None:
            self._send(self._stage.answer_at_front(arrived(self.command, self.path, {**self.headers}, body)))
            return
        call = arrived(self.command, self.path, {**self.headers}, body, address=f"/{name}")
        seen = self._stage.meet(face, call)
        if seen.answer is None:
            self._hang_up()
            return
        try:
            self._told(seen, seen.answer)
        finally:
            self._stage.end(face, call)

    do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815 - names of the library

    def log_message(self, *_: object) -> None:
        """Write no log."""

    def _told(self, seen: Met, answer: Answer) -> None:
        if seen.fate.kind is FateKind.STALLED:
            self._stage.stall(seen.fate.stall)
        if seen.fate.kind in {FateKind.STALLED, FateKind.LOST_AFTER}:
            self._hang_up()
            return
        self._send(answer)

    def _send(self, answer: Answer) -> None:
        """Send an answer; one that is cut promises more than it holds."""
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(answer.body) + (_MISSING if answer.is_cut else 0)))
        self.end_headers()
        self.wfile.write(answer.body)
        if answer.is_cut:
            self._hang_up()

    def _hang_up(self) -> None:
        self.close_connection = True


def _plain(status: HTTPStatus) -> Answer:
    return Answer(
        status=status, headers={"content-type": "text/plain"}, body=status.phrase.encode(), seconds=0.0
    )
