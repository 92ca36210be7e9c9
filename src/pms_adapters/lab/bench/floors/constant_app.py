"""A Flask app that answers every call with the same bytes, under gunicorn: what any answer over HTTP costs here.

Run as a script; ``python constant_app.py WORKERS THREADS``, the bytes on standard input. It takes a free port of
loopback, says where it serves in its first line, and serves until SIGTERM.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable

from flask import Flask, Response, request
from gunicorn.app.base import BaseApplication

__all__ = ["options_of"]

BACKLOG = 512


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


def app_of(body: bytes) -> Flask:
    """Return the app; it reads what it is sent, as any other would."""
    app = Flask(__name__, static_folder=None)

    def answer(path: str) -> Response:  # noqa: ARG001 - any address
        request.get_data(cache=False)
        return Response(body, content_type="application/json")

    app.add_url_rule("/<path:path>", "answer", answer, methods=["GET", "POST"])
    return app


class _Server(BaseApplication):  # type: ignore[misc] # gunicorn has no types
    def __init__(self, body: bytes, options: dict[str, object]) -> None:
        self._body = body
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Flask:
        return app_of(self._body)


def _serve(workers: int, threads: int, body: bytes) -> None:
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
    _Server(body, options).run()


if __name__ == "__main__":
    _serve(int(sys.argv[1]), int(sys.argv[2]), sys.stdin.buffer.read())
