"""Serving the app with gunicorn, from this process.

Owns the listening socket, worker processes and their end: the socket is bound here, so a taken port is known
before anything else happens and port 0 finds a free one.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Callable, Mapping
from contextlib import ExitStack

from attrs import frozen
from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from pms_adapters.bootstrap import set_up_logs
from pms_adapters.settings import Settings
from pms_web.app import create_app
from pms_web.cli.shared_figures import shared_figures
from pms_web.logs import about_request
from pms_web.wiring import connected
from pmscore.kernel.errors import InvalidInputError, MisconfiguredError

__all__ = ["Listener", "PortTakenError", "listen", "serve"]

_BACKLOG = 512


class PortTakenError(MisconfiguredError):
    """Another program listens there."""

    code = "port_taken"

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host=host, port=port)


@frozen
class Listener:
    """A bound socket."""

    socket: socket.socket
    host: str

    @property
    def address(self) -> str:
        """The address to call."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.socket.getsockname()[1]}"


def listen(host: str, port: int) -> Listener:
    """Take a port of this machine; only loopback, as long as there is no log-in.

    Raises:
        InvalidInputError: ``host`` is not an address of loopback.
        PortTakenError: somebody else listens there.
    """
    shown = "127.0.0.1" if host == "localhost" else host
    try:
        is_loopback = ipaddress.ip_address(shown).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise InvalidInputError("--host", "not_loopback")
    bound = socket.socket(socket.AF_INET6 if ":" in shown else socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((shown, port))
    except OSError as error:
        bound.close()
        raise PortTakenError(shown, port) from error
    bound.listen(_BACKLOG)
    return Listener(bound, shown)


def serve(
    listener: Listener,
    settings: Settings,
    *,
    workers: int = 2,
    threads: int = 8,
    when_ready: Callable[[], None] | None = None,
) -> None:
    """Serve until a signal ends it; requests that are being worked on are finished first.

    ``when_ready`` is called once, when calls are taken. Returns after SIGTERM or SIGINT.
    """

    def ready(_: object) -> None:
        if when_ready is not None:
            when_ready()

    options: dict[str, object] = {
        "bind": f"fd://{os.dup(listener.socket.fileno())}",
        "worker_class": "gthread",
        "workers": workers,
        "threads": threads,
        "timeout": 60,
        "graceful_timeout": 10,
        "keepalive": 5,
        "loglevel": "warning",
        "logger_class": _OneWay,
        "proc_name": "pms",
        "control_socket_disable": True,
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
        services = self._stack.enter_context(connected(self._settings, None, commit=commit))
        return create_app(services)
