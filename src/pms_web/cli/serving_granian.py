"""Serving the app with Granian, for those who like it better than gunicorn; ``pip install "pmscore[granian]"``.

Owns its options, so that both behave the same: threads, an end that waits for what has begun, no word of proxies.
Granian starts its processes anew, so they read the settings again, from the environment.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec

from flask import Flask

from pms_adapters.bootstrap import set_up_logs
from pms_adapters.settings import Settings
from pms_web.app import create_app
from pms_web.cli.collecting import collect_rarely
from pms_web.cli.listening import Listener
from pms_web.cli.serving import GRACEFUL_SECONDS, with_traces
from pms_web.cli.shared_figures import shared_figures
from pms_web.logs import about_request
from pms_web.wiring import connected
from pmscore.kernel.errors import MisconfiguredError

__all__ = ["make_app", "require_granian", "serve_with_granian"]

HEADER_SECONDS = 10
_PROCESSES = "PMS_PROCESSES"
_ONE_WAY = {
    "version": 1,
    "disable_existing_loggers": False,
    "loggers": {"_granian": {"handlers": [], "propagate": True}, "granian.access": {"handlers": []}},
}
_stack = ExitStack()


def require_granian() -> None:
    """Go on only where it is installed.

    Raises:
        MisconfiguredError: it is not.
    """
    if find_spec("granian") is None:
        raise MisconfiguredError(reason="no_granian")


def serve_with_granian(
    listener: Listener,
    settings: Settings,
    *,
    workers: int = 2,
    threads: int = 8,
    graceful_seconds: int = GRACEFUL_SECONDS,
    when_ready: Callable[[], None] | None = None,
) -> None:
    """Serve as ``serving.serve`` does; the port is given up for a moment, since Granian takes it by itself."""
    from granian.constants import Interfaces  # noqa: PLC0415 - an extra
    from granian.http import HTTP1Settings  # noqa: PLC0415 - an extra
    from granian.log import LogLevels  # noqa: PLC0415 - an extra
    from granian.server import Server  # noqa: PLC0415 - an extra

    set_up_logs(settings, about=about_request)
    host, port = listener.socket.getsockname()[:2]
    listener.socket.close()
    with shared_figures(), _told(settings, workers):
        server = Server(
            f"{__name__}:make_app",
            address=host,
            port=port,
            interface=Interfaces.WSGI,
            workers=workers,
            blocking_threads=threads,
            backlog=512,
            http1_settings=HTTP1Settings(header_read_timeout=HEADER_SECONDS * 1000),
            websockets=False,
            factory=True,
            log_level=LogLevels.error,
            log_dictconfig=_ONE_WAY,
            respawn_failed_workers=True,
            workers_kill_timeout=graceful_seconds,
        )
        if when_ready is not None:
            server.on_startup(when_ready)
        server.serve()


def make_app() -> Flask:
    """Return the app of one process; Granian calls it."""
    settings = Settings.from_mapping(os.environ)
    set_up_logs(settings, about=about_request)
    here = connected(
        settings,
        None,
        commit=os.environ.get("SOURCE_COMMIT", "unknown"),
        processes=int(os.environ.get(_PROCESSES, "1")),
    )
    app = with_traces(create_app(_stack.enter_context(here)))
    collect_rarely()
    return app


@contextmanager
def _told(settings: Settings, workers: int) -> Iterator[None]:
    """Tell the processes what this one has found out: where the servers are, and how many they are."""
    urls = {"DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url}
    more = {_PROCESSES: str(workers), **{name: url for name, url in urls.items() if url is not None}}
    before = {name: os.environ.get(name) for name in more}
    os.environ.update(more)
    try:
        yield
    finally:
        for name, text in before.items():
            if text is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = text
