"""Who runs the server of a folder.

The lock is a ``flock`` on an empty file: the kernel drops it with the last process that holds it, so a kill -9
leaves no stale lock, and a pid that was given to somebody else means nothing. Beside it lies a note with the
address, written whole or not at all, for those who come second; a note that cannot be read counts as none.

Leaves starting and stopping to ``supervisor``.
"""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from attrs import asdict, field, frozen

from pms_adapters.embedded import processes
from pms_adapters.embedded.errors import AlreadyRunningError, FolderUnusableError

__all__ = ["Note", "ServerLock", "write_private"]

_FILE = "lock"
_NOTE = "running.json"


@frozen(kw_only=True)
class Note:
    """What the owner of a server tells others: no secret in it."""

    owner_pid: int
    owner_ticks: int | None
    address: str
    socket_folder: str
    port: int | None = None

    @property
    def is_owner_alive(self) -> bool:
        """Whether the process that wrote this still runs."""
        return processes.is_same_process(self.owner_pid, self.owner_ticks)


@frozen
class ServerLock:
    """The lock of the server in ``folder``; ``descriptor`` is open, and inherited by those who keep it held."""

    folder: Path
    descriptor: int = field()

    @classmethod
    def open(cls, folder: Path) -> ServerLock:
        """Open the lock, without taking it.

        Raises:
            FolderUnusableError: the file cannot be made.
        """
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            return cls(folder, os.open(folder / _FILE, flags, 0o600))
        except OSError as error:
            raise FolderUnusableError.of(folder, error) from error

    def try_take(self) -> bool:
        """Take the lock if it is free; return whether it is ours now.

        Raises:
            FolderUnusableError: the file system has no locks.
        """
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            raise FolderUnusableError(self.folder, "no_locks", detail=error.strerror) from error
        return True

    def release(self) -> None:
        """Give the lock back, also for processes that inherited it, and close it."""
        with suppress(OSError):
            fcntl.flock(self.descriptor, fcntl.LOCK_UN)
        self.close()

    def close(self) -> None:
        """Close the descriptor; others that inherited it hold the lock on."""
        with suppress(OSError):
            os.close(self.descriptor)

    def take(self, server: str, seconds: float = 30.0) -> Note | None:
        """Take the lock, or return the note of the living owner.

        Where the owner has died but its server is still on its way down, or the owner has not said yet where
        it is, this waits.

        Raises:
            AlreadyRunningError: after ``seconds`` somebody still holds the lock, but does not say who.
            FolderUnusableError: the file system has no locks.
        """
        found: list[Note] = []

        def is_settled() -> bool:
            if self.try_take():
                return True
            note = self.find_note()
            if note is not None and note.is_owner_alive:
                found.append(note)
            return bool(found)

        if processes.wait_until(is_settled, seconds):
            return found[0] if found else None
        note = self.find_note()
        raise AlreadyRunningError(
            server,
            address=note.address if note else None,
            pid=note.owner_pid if note else None,
            folder=self.folder,
        )

    def write_note(self, *, address: str, socket_folder: Path, port: int | None) -> None:
        """Tell others where the server is; this process is its owner."""
        pid = os.getpid()
        note = Note(
            owner_pid=pid,
            owner_ticks=processes.started_ticks(pid),
            address=address,
            socket_folder=str(socket_folder),
            port=port,
        )
        write_private(self.folder / _NOTE, json.dumps(asdict(note)))

    def find_note(self) -> Note | None:
        """Return the owner's note; None if there is none that can be read."""
        try:
            found = json.loads((self.folder / _NOTE).read_text(encoding="utf-8"))
            return Note(
                owner_pid=int(found["owner_pid"]),
                owner_ticks=None if found["owner_ticks"] is None else int(found["owner_ticks"]),
                address=str(found["address"]),
                socket_folder=str(found["socket_folder"]),
                port=None if found["port"] is None else int(found["port"]),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def remove_note(self) -> None:
        """Remove the note."""
        (self.folder / _NOTE).unlink(missing_ok=True)


def write_private(path: Path, text: str, *, is_durable: bool = False) -> None:
    """Write a file of mode 0600 whole or not at all; a durable one is on the disk when this returns.

    Raises:
        FolderUnusableError: there is no room, or no right to.
    """
    name: str | None = None
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
            if is_durable:
                file.flush()
                os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError as error:
        if name is not None:
            Path(name).unlink(missing_ok=True)
        raise FolderUnusableError.of(path.parent, error) from error
