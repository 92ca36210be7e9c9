"""Serving the app with gunicorn, from this process.

Owns worker processes, which queue of connections each has, and their end.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger
from gunicorn.workers.base import Worker

import pmscore
from pms_adapters.bootstrap import set_up_logs
from pms_adapters.settings import Settings
from pms_adapters.tracing import set_up_traces
from pms_web.app import create_app
from pms_web.cli.collecting import collect_rarely
from pms_web.cli.crew import CrewWorker
from pms_web.cli.listening import Listener
from pms_web.cli.shared_figures import shared_figures
from pms_web.logs import about_request
from pms_web.tracing import trace_requests
from pms_web.wiring import connected

__all__ = [
    "GRACEFUL_SECONDS",
    "serve",
    "usable_cpus",
    "usual_options",
    "with_traces",
]

GRACEFUL_SECONDS = 10
KEEP_ALIVE_SECONDS = 5
LONGEST_LINE = 8_190
MOST_HEADERS = 64


def usable_cpus() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def usual_options(workers: int, threads: int, graceful_seconds: int = GRACEFUL_SECONDS) -> dict[str, object]:
    """Return how gunicorn is set up, but for its socket, its log and its name."""
    return {
        "worker_class": CrewWorker,
        "workers": workers,
        "threads": threads,
        "timeout": 60,
        "graceful_timeout": graceful_seconds,
        "keepalive": KEEP_ALIVE_SECONDS,
        "limit_request_line": LONGEST_LINE,
        "limit_request_fields": MOST_HEADERS,
        "limit_request_field_size": LONGEST_LINE,
        # Each process connects for itself: a connection that two of them share is none.
        "preload_app": False,
        # Whose word on address and scheme is taken is the app's to say (TRUSTED_PROXIES).
        "forwarded_allow_ips": "",
        "loglevel": "warning",
        "control_socket_disable": True,
    }


def serve(
    listener: Listener,
    settings: Settings,
    *,
    workers: int = 2,
    threads: int = 8,
    graceful_seconds: int = GRACEFUL_SECONDS,
    when_ready: Callable[[], None] | None = None,
) -> None:
    """Serve with gunicorn until a signal ends it; requests that are being worked on are finished first.

    They have ``graceful_seconds`` for it. ``when_ready`` is called once, when calls are taken. Returns after
    SIGTERM or SIGINT.
    """

    def ready(_: object) -> None:
        if when_ready is not None:
            when_ready()

    queues = listener.queues(workers)
    options: dict[str, object] = {
        **usual_options(workers, threads, graceful_seconds),
        "bind": [f"fd://{os.dup(each.fileno())}" for each in queues],
        "pre_fork": _own_queue,
        "logger_class": _OneWay,
        "proc_name": "pms",
        "when_ready": ready,
    }
    set_up_logs(settings, about=about_request)
    owner = os.getpid()
    try:
        with shared_figures() as forget:
            options["child_exit"] = forget
            _Server(settings, options).run()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
        if os.getpid() != owner:
            # A worker process: what its parent has opened is its parent's to close.
            os._exit(code)
        if code:
            raise
    finally:
        for each in queues[1:]:
            each.close()


def with_traces(app: Flask) -> Flask:
    """Return the app, with traces where ``OTEL_…`` says where they go."""
    if set_up_traces(os.environ, service="pms", version=pmscore.__version__):
        trace_requests(app)
    return app


def _own_queue(arbiter: Arbiter, worker: Worker) -> None:
    """Give a new process the queue that no other has; gunicorn asks before it starts one.

    The sockets stay open here, so what waits in the queue of a process that ended waits for the next.
    """
    taken = [each.sockets[0] for each in arbiter.WORKERS.values() if len(each.sockets) == 1]
    free = [each for each in arbiter.LISTENERS if each not in taken]
    worker.sockets = free[:1] or arbiter.LISTENERS


class _OneWay(Logger):  # type: ignore[misc] # gunicorn has no types
    """gunicorn's own lines leave by the same way as all others; access lines are the app's."""

    def setup(self, cfg: object) -> None:  # noqa: ARG002 - gunicorn's signature
        for logger in (self.error_log, self.access_log):
            logger.propagate = True
            logger.handlers.clear()
        self.error_log.setLevel("WARNING")
        self.access_log.setLevel("CRITICAL")


class _Server(BaseApplication):  # type: ignore[misc] # gunicorn has no types
    """gunicorn's application: each worker process connects for itself."""

    def __init__(self, settings: Settings, options: Mapping[str, object]) -> None:
        self._settings = settings
        self._options = options
        self._stack = ExitStack()
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            if name in self.cfg.settings:  # gunicorn 23 has no control socket
                self.cfg.set(name, value)

    def load(self) -> Flask:
        commit = os.environ.get("SOURCE_COMMIT", "unknown")
        processes = int(self.cfg.workers)
        services = self._stack.enter_context(
            connected(self._settings, None, commit=commit, processes=processes)
        )
        app = with_traces(create_app(services))
        collect_rarely()
        return app
