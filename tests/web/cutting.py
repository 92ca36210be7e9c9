"""A wire to PostgreSQL that is cut when the server has done its work and before anybody hears of it.

Whose answer is lost says the idempotency key itself: the first two answers to statements that carry ``cut2-…`` are lost,
the first one for ``cut1-…``. Everything else passes.
"""

from __future__ import annotations

import re
import selectors
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock, Thread
from urllib.parse import parse_qs, urlsplit

from attrs import define, field

KEY = re.compile(rb"cut([12])-[0-9a-f]{32}")
LONGEST_KEY = 37
DONE = b"Z\x00\x00\x00\x05I"
"""The server is ready for the next query, and in no transaction."""
REFUSED = re.compile(rb"E\x00\x00[\x00-\x0f].S[A-Z]+\x00", re.DOTALL)


@define
class Wire:
    """What has been cut: answers by key, and how many of them told of a commit."""

    url: str = ""
    cuts: Counter[bytes] = field(factory=Counter)
    commits: int = 0
    _lock: Lock = field(factory=Lock)

    def takes(self, key: bytes, most: int) -> bool:
        """Count one cut for a key, unless it has had as many as it wants."""
        with self._lock:
            if self.cuts[key] >= most:
                return False
            self.cuts[key] += 1
            return True

    def told_of(self, answer: bytes) -> None:
        with self._lock:
            self.commits += not REFUSED.search(answer)


@contextmanager
def wired(url: str) -> Iterator[Wire]:
    """Yield a wire to the server of ``url``; ``Wire.url`` goes through it."""
    parts = urlsplit(url)
    asked = parse_qs(parts.query)
    listener = socket.create_server(("127.0.0.1", 0))
    credentials, _, place = parts.netloc.rpartition("@")
    port = listener.getsockname()[1]
    wire = Wire(f"postgresql://{credentials}@127.0.0.1:{port}{parts.path}?sslmode=disable&gssencmode=disable")

    def to_server() -> socket.socket:
        if "host" in asked:
            made = socket.socket(socket.AF_UNIX)
            made.connect(f"{asked['host'][0]}/.s.PGSQL.{asked.get('port', ['5432'])[0]}")
            return made
        host, _, number = place.partition(":")
        return socket.create_connection((host, int(number or 5432)))

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            Thread(target=_carry, args=(wire, client, to_server()), daemon=True).start()

    thread = Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield wire
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def _carry(wire: Wire, client: socket.socket, server: socket.socket) -> None:
    """Carry bytes both ways until one side ends, or the wire is cut."""
    tail = kept = b""
    is_armed = False
    with client, server, selectors.DefaultSelector() as both, suppress(OSError):
        both.register(client, selectors.EVENT_READ)
        both.register(server, selectors.EVENT_READ)
        while True:
            for ready, _ in both.select():
                end = ready.fileobj
                read = end.recv(1 << 16)  # type: ignore[union-attr]
                if not read:
                    return
                if end is client:
                    found = KEY.search(tail + read)
                    tail = b"" if found else (tail + read)[-LONGEST_KEY:]
                    is_armed = is_armed or (found is not None and wire.takes(found[0], int(found[1])))
                    server.sendall(read)
                elif not is_armed:
                    client.sendall(read)
                else:
                    kept += read
                    if kept.endswith(DONE):
                        wire.told_of(kept)
                        return
                    if kept[-6:-1] == DONE[:-1]:
                        client.sendall(kept)
                        kept = b""
