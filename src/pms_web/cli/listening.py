"""The port that the app listens on: taken before anything else happens, and shared out among its processes.

Owns the sockets. A taken port is known at once, and port 0 finds a free one. Each process has a queue of its
own, which the kernel fills evenly: of one queue for all, the process that wakes up first takes nearly every
connection, and keeps them while they last.
"""

from __future__ import annotations

import ipaddress
import socket as sockets
import sys

from attrs import frozen

from pmscore.kernel.errors import InvalidInputError, MisconfiguredError

__all__ = ["Listener", "PortTakenError", "is_loopback", "listen"]

_BACKLOG = 512


class PortTakenError(MisconfiguredError):
    """Another program listens there."""

    code = "port_taken"

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host=host, port=port)


@frozen
class Listener:
    """A bound socket."""

    socket: sockets.socket
    host: str

    @property
    def address(self) -> str:
        """The address to call."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.socket.getsockname()[1]}"

    def queues(self, processes: int) -> tuple[sockets.socket, ...]:
        """Return a listening socket for each process, this one first; only this one where the system cannot share.

        Whoever asks closes the others. They are made after this one is bound, so the port is nobody else's.
        """
        if sys.platform != "linux":
            return (self.socket,)
        self.socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEPORT, 1)
        others = []
        for _ in range(processes - 1):
            another = _unbound(self.host)
            another.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEPORT, 1)
            another.bind(self.socket.getsockname())
            others.append(another)
        for each in (self.socket, *others):
            each.listen(_BACKLOG)
        return (self.socket, *others)


def is_loopback(host: str) -> bool:
    """Return whether nobody but this machine reaches ``host``."""
    try:
        return ipaddress.ip_address(_shown(host)).is_loopback
    except ValueError:
        return False


def listen(host: str, port: int, *, is_open: bool = False) -> Listener:
    """Take a port of this machine; with ``is_open`` others may reach it.

    Raises:
        InvalidInputError: ``host`` is no address, or others would reach it and may not.
        PortTakenError: somebody else listens there.
    """
    shown = _shown(host)
    if not is_open and not is_loopback(host):
        raise InvalidInputError("--host", "not_loopback")
    try:
        ipaddress.ip_address(shown)
    except ValueError as error:
        raise InvalidInputError("--host", "not_an_ip_address") from error
    bound = _unbound(shown)
    try:
        bound.bind((shown, port))
    except OSError as error:
        bound.close()
        raise PortTakenError(shown, port) from error
    bound.listen(_BACKLOG)
    return Listener(bound, shown)


def _unbound(host: str) -> sockets.socket:
    made = sockets.socket(sockets.AF_INET6 if ":" in host else sockets.AF_INET, sockets.SOCK_STREAM)
    made.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1)
    return made


def _shown(host: str) -> str:
    return "127.0.0.1" if host == "localhost" else host
