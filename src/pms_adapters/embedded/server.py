"""What the two embedded servers have in common: owner, start, stop, kill, addresses for those who come second.

Leaves to ``postgres`` and ``redis`` what only they know: their data, their configuration, when they are ready, and
what their addresses look like. ``supervisor`` runs the program and decides that a server lives as long as its owner;
``lock`` tells who that is. A server that was left alone all the same (its owner and its watchdog both killed, on a
system that does not tell children) is ended by the next start, after proof that it works on this very folder.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from pms_adapters.embedded import processes
from pms_adapters.embedded.account import Account
from pms_adapters.embedded.errors import AlreadyRunningError, ServerFailedError
from pms_adapters.embedded.home import Home, folder_mark
from pms_adapters.embedded.lock import ServerLock
from pms_adapters.embedded.supervisor import Plan, Supervisor
from pmscore.kernel.errors import MisuseError

__all__ = ["EmbeddedServer"]

_START_SECONDS = 60.0


class EmbeddedServer(ABC):
    """A server in ``home``; start it, or use it as a context manager. Not thread-safe.

    ``port`` None means no TCP. ``doomed`` folders are removed with the server, even if this process cannot do it
    any more.
    """

    server: ClassVar[str]
    process: ClassVar[str]
    ending: ClassVar[tuple[tuple[signal.Signals, float], ...]]

    def __init__(self, home: Home, *, port: int | None = None, doomed: tuple[Path, ...] = ()) -> None:
        self._home = home
        self._port = port
        self._doomed = doomed
        self._account: Account | None = None
        self._folder: Path | None = None
        self._sockets: Path | None = None
        self._lock: ServerLock | None = None
        self._owner_pid: int | None = None
        self._supervisor: Supervisor | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def folder(self) -> Path:
        """Where this server keeps its data, password and log; known from the first start on."""
        if self._folder is None:
            raise MisuseError(reason="not_started")
        return self._folder

    @property
    def is_attached(self) -> bool:
        """Whether the server belongs to another process."""
        return self._sockets is not None and self._lock is None

    @property
    def is_running(self) -> bool:
        """Whether the server is up."""
        if self._supervisor is not None:
            return self._supervisor.is_alive
        return self.is_attached and self._is_accepting()

    def start(self, *, attach: bool = False) -> str:
        """Start the server, and return its URL; with ``attach`` another process's server will do.

        Repeating it changes nothing; after ``kill`` or a crash it starts the server again, at the same address.

        Raises:
            AlreadyRunningError: another process runs the server of this home.
            ServerMissingError: the wheel is not installed, or does not run here.
            FolderUnusableError: a folder is not writable, full, somebody else's, or of another version.
            NoServerAccountError: root has nobody to hand over to, or this user has no name.
            ServerFailedError: the server did not come up.
        """
        if self.is_running:
            return self.url()
        self._account = Account.for_servers()
        self._folder = self._home.folder_for(self.server, self._account)
        self._find_programs(self._account, self._home.state)
        if self._lock is None and not self._take_lock(self._folder, attach=attach):
            return self.url()
        try:
            self._launch(self._account, self._folder)
        except BaseException:
            self.stop()
            raise
        return self.url()

    def _take_lock(self, folder: Path, *, attach: bool) -> bool:
        """Become the owner and return True, or attach to the server that runs and return False."""
        lock = ServerLock.open(folder)
        try:
            note = lock.take(self.server)
        except BaseException:
            lock.close()
            raise
        if note is None:
            self._lock, self._owner_pid = lock, os.getpid()
            return True
        lock.close()
        if not attach:
            raise AlreadyRunningError(self.server, address=note.address, pid=note.owner_pid, folder=folder)
        self._sockets, self._port = Path(note.socket_folder), note.port
        if not processes.wait_until(self._is_accepting, _START_SECONDS):
            self._sockets = None
            raise ServerFailedError(self.server, step="attach", log=folder / "log")
        return False

    def _launch(self, account: Account, folder: Path) -> None:
        if self._lock is None or self._owner_pid != os.getpid():
            raise MisuseError(reason="not_the_owner")
        if self._supervisor is not None:
            self._supervisor.stop()
        self._end_orphans()
        if self._port is not None:
            self._check_port_is_free(self._port)
        sockets = self._sockets = self._home.make_socket_folder(folder, account)
        self._lock.write_note(address=self._address(), socket_folder=sockets, port=self._port)
        command = self._prepare(sockets, held=(self._lock.descriptor,))
        supervisor = self._supervisor = Supervisor(
            Plan(
                server=self.server,
                command=command,
                account=account,
                log=folder / "log",
                ending=self.ending,
                sockets=sockets,
                doomed=self._doomed,
            ),
            self._lock,
        )

        def has_settled() -> bool:
            return not supervisor.is_alive or self._is_ready(supervisor.pid)

        if not processes.wait_until(has_settled, _START_SECONDS) or not supervisor.is_alive:
            raise supervisor.failure("start")

    def stop(self) -> None:
        """End the server, its processes, its socket folder and its lock; a server of another process goes on."""
        if self._lock is None:
            self._sockets = None
            return
        if self._owner_pid != os.getpid():
            return  # a forked child: the server is its parent's
        if self._supervisor is not None:
            self._supervisor.stop()
            self._supervisor = None
        self._end_orphans()
        for leftover in (self._sockets, *self._doomed):
            if leftover is not None:
                shutil.rmtree(leftover, ignore_errors=True)
        self._sockets = None
        self._lock.remove_note()
        self._lock.release()
        self._lock = None

    def kill(self) -> None:
        """Kill the server and all its processes at once, as a power cut would; ``start`` brings it back.

        Raises:
            MisuseError: the server belongs to another process, or was never started.
        """
        if self._supervisor is None or self._owner_pid != os.getpid():
            raise MisuseError(reason="not_the_owner")
        processes.kill_all(self._find_processes, first=self._supervisor.pid)
        self._supervisor.wait()

    def _end_orphans(self) -> None:
        polite, seconds = self.ending[0]
        processes.end_all(self._find_processes, polite, seconds)

    def _find_processes(self) -> tuple[int, ...]:
        return processes.find_servers(self.process, self.folder / "data", folder_mark(self.folder))

    def _check_port_is_free(self, port: int) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise ServerFailedError(self.server, step="port_taken", detail=f"127.0.0.1:{port}") from error

    @abstractmethod
    def url(self) -> str:
        """Return the URL, password included.

        Raises:
            MisuseError: the server was not started.
        """

    @abstractmethod
    def _address(self) -> str:
        """Return the URL without the password."""

    @abstractmethod
    def _find_programs(self, account: Account, state: Path) -> None:
        """Find what is to be run, before anything is locked or made."""

    @abstractmethod
    def _prepare(self, sockets: Path, *, held: tuple[int, ...]) -> tuple[str, ...]:
        """Make data and configuration, and return the command that runs the server."""

    @abstractmethod
    def _is_ready(self, pid: int) -> bool:
        """Whether the server just started, as ``pid``, takes connections."""

    @abstractmethod
    def _is_accepting(self) -> bool:
        """Whether a server that may be another process's takes connections."""
