"""A Flask app that answers every call with the same bytes, under gunicorn: what any answer over HTTP costs here.

Run as a script; ``python constant_app.py WORKERS THREADS [DATABASE_URL]``, the bytes on standard input. It
takes a free port of loopback, says where it serves in its first line, and serves until SIGTERM. With a
database it writes what it is sent as one row before it answers: what any answer to a change costs here.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable

import psycopg
from flask import Flask, Response, request
from gunicorn.app.base import BaseApplication
from psycopg_pool import ConnectionPool

__all__ = ["options_of"]

BACKLOG = 512
_TABLE = "CREATE TABLE IF NOT EXISTS sent (id bigserial PRIMARY KEY, body bytea NOT NULL)"
_WRITE = "INSERT INTO sent (body) VALUES (%s)"


def options_of(workers: int, threads: int) -> dict[str, object]:
    """Return how gunicorn is set up, but for its socket: a test holds it to what the product says."""
    return {
        "worker_class": "gthread",
        "workers": workers,
        "threads": threads,
        "timeout": 60,
        "graceful_timeout": 10,
        "keepalive": 5,
        "limit_request_line": 8_190,
        "limit_request_fields": 64,
        "limit_request_field_size": 8_190,
        "preload_app": False,
        "forwarded_allow_ips": "",
        "loglevel": "warning",
        "control_socket_disable": True,
    }


def app_of(body: bytes, pool: ConnectionPool | None = None) -> Flask:
    """Return the app; it reads what it is sent, as any other would, and keeps it where there is a database."""
    app = Flask(__name__, static_folder=None)

    def answer(path: str) -> Response:  # noqa: ARG001 - any address
        sent = request.get_data(cache=False)
        if pool is not None:
            with pool.connection() as connection:
                connection.execute(_WRITE, (sent,))
        return Response(body, content_type="application/json")

    app.add_url_rule("/<path:path>", "answer", answer, methods=["GET", "POST"])
    return app


class _Server(BaseApplication):  # type: ignore[misc] # gunicorn has no types
    def __init__(self, body: bytes, options: dict[str, object], url: str | None) -> None:
        self._body = body
        self._url = url
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Flask:
        if self._url is None:
            return app_of(self._body)
        settings = {"autocommit": True, "prepare_threshold": 0}
        threads = int(self.cfg.threads)
        pool = ConnectionPool(self._url, min_size=threads, max_size=threads, kwargs=settings, open=True)
        return app_of(self._body, pool)


def _serve(workers: int, threads: int, body: bytes, url: str | None = None) -> None:
    if url is not None:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(_TABLE)
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.bind(("127.0.0.1", 0))
    bound.listen(BACKLOG)
    address = f"http://127.0.0.1:{bound.getsockname()[1]}"
    ready: Callable[[object], None] = lambda _: print(f"Serving on {address}", flush=True)  # noqa: E731
    options = {
        **options_of(workers, threads),
        "bind": f"fd://{os.dup(bound.fileno())}",
        "when_ready": ready,
    }
    _Server(body, options, url).run()


if __name__ == "__main__":
    _serve(int(sys.argv[1]), int(sys.argv[2]), sys.stdin.buffer.read(), *sys.argv[3:4])
