"""Connecting: to the very number that the guard has passed, with the name kept for Host, SNI and certificate.

Owns one pool of connections without redirects, cookies, proxies or environment, and that a call as a whole has an
end: each read and write gets what is left of its time, so a server that answers a byte at a time does not hold us.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import httpcore
import httpx

from pms_adapters.http.guard import Guard

__all__ = ["GuardedTransport", "Resolve", "resolve"]

MOST_CONNECTIONS = 50
MOST_IDLE = 10
IDLE_SECONDS = 20.0


class Resolve(Protocol):
    """Returns all numbers of a name, in the order in which to try them."""

    def __call__(self, host: str, port: int, /) -> Sequence[str]:
        """Return the numbers; raises ``OSError`` where the name has none."""


def resolve(host: str, port: int, /) -> Sequence[str]:
    """Ask the system for all numbers of a name."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


class GuardedTransport(httpx.BaseTransport):
    """Sends requests over connections that the guard has passed; safe to share between threads."""

    def __init__(
        self,
        guard: Guard,
        *,
        find: Resolve = resolve,
        tls: ssl.SSLContext | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._backend = _GuardedBackend(guard, find, monotonic)
        self._tls = tls
        self._lock = threading.Lock()
        self._pool: httpcore.ConnectionPool | None = None

    @contextmanager
    def until(self, deadline: float) -> Iterator[None]:
        """Let everything that this thread sends and reads in the block end at ``deadline`` (monotonic)."""
        self._backend.deadlines.at = deadline
        try:
            yield
        finally:
            self._backend.deadlines.at = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; the answer's body is read by whoever asked."""
        url = request.url
        response = self._open_pool().handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(status_code=response.status, headers=response.headers, stream=_Body(response))

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            if self._pool is not None:
                self._pool.close()
                self._pool = None

    def _open_pool(self) -> httpcore.ConnectionPool:
        # Made at the first call: reading the trusted certificates takes longer than most commands do.
        with self._lock:
            if self._pool is None:
                self._pool = httpcore.ConnectionPool(
                    ssl_context=self._tls or ssl.create_default_context(),
                    max_connections=MOST_CONNECTIONS,
                    max_keepalive_connections=MOST_IDLE,
                    keepalive_expiry=IDLE_SECONDS,
                    network_backend=self._backend,
                )
            return self._pool


class _Body(httpx.SyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        yield from self._response.iter_stream()

    def close(self) -> None:
        self._response.close()


class _Deadlines(threading.local):
    at: float | None = None


class _GuardedBackend(httpcore.NetworkBackend):
    def __init__(self, guard: Guard, find: Resolve, monotonic: Callable[[], float]) -> None:
        self._guard = guard
        self._find = find
        self._monotonic = monotonic
        self._sockets = httpcore.SyncBackend()
        self.deadlines = _Deadlines()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Resolve once, let the guard see every number, and connect to the first that answers."""
        try:
            found = self._find(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError("name resolution failed") from error
        addresses = self._guard.admit(found, host=host)
        failure: Exception = httpcore.ConnectError("the name has no address")
        for address in addresses:
            try:
                stream = self._sockets.connect_tcp(
                    address, port, self.left(timeout), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _Timed(stream, self)
        raise failure

    def left(self, timeout: float | None) -> float | None:
        """Return how long the next step may take."""
        if self.deadlines.at is None:
            return timeout
        left = self.deadlines.at - self._monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the call took too long")
        return left if timeout is None else min(left, timeout)


class _Timed(httpcore.NetworkStream):
    """A connection on which no step lasts longer than the call may."""

    def __init__(self, stream: httpcore.NetworkStream, backend: _GuardedBackend) -> None:
        self._stream = stream
        self._backend = backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._backend.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._backend.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = self._backend.left(timeout)
        return _Timed(self._stream.start_tls(ssl_context, server_hostname, left), self._backend)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
