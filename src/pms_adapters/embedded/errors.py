"""What can keep an embedded server from running; every one of them needs a human.

Owns codes and parameters. Sentences and ways out belong to ``pms_web``: ``server`` says which one it is,
``setting`` which URL to give instead, ``install`` what pip needs to hear.
"""

from __future__ import annotations

import errno
from pathlib import Path

from pmscore.kernel.errors import MisconfiguredError

__all__ = [
    "AlreadyRunningError",
    "FolderUnusableError",
    "NoServerAccountError",
    "ServerFailedError",
    "ServerMissingError",
]


class ServerMissingError(MisconfiguredError):
    """No program to run: the wheel is not installed, or its binaries do not run on this machine."""

    code = "embedded_server_missing"

    def __init__(self, server: str, *, setting: str, reason: str = "not_installed") -> None:
        super().__init__(server=server, setting=setting, reason=reason, install='pip install "pmscore[demo]"')


class AlreadyRunningError(MisconfiguredError):
    """Another process runs the server of this folder; ``address`` says where (no password in it)."""

    code = "already_running"

    def __init__(self, server: str, *, address: str | None, pid: int | None, folder: Path) -> None:
        super().__init__(server=server, address=address, pid=pid, folder=str(folder))
        self.address = address


class FolderUnusableError(MisconfiguredError):
    """A folder cannot hold what it must.

    ``reason`` is one of ``not_writable``, ``full``, ``not_a_folder``, ``not_ours`` (another user owns it),
    ``not_reachable`` (for the user that servers run as), ``password_unreadable``,
    ``no_locks`` (the file system has none), ``path_too_long``, ``other_version`` (made by another PostgreSQL).
    """

    code = "folder_unusable"

    def __init__(
        self, folder: Path, reason: str, *, setting: str = "PMS_HOME", detail: str | None = None
    ) -> None:
        super().__init__(folder=str(folder), reason=reason, setting=setting, detail=detail)
        self.reason = reason

    @classmethod
    def of(cls, folder: Path, error: OSError) -> FolderUnusableError:
        """Return the error that says what ``error`` means for ``folder``."""
        reasons = {
            errno.ENOSPC: "full",
            errno.EDQUOT: "full",
            errno.ENOTDIR: "not_a_folder",
            errno.EEXIST: "not_a_folder",
            errno.ENAMETOOLONG: "path_too_long",
            errno.ENOLCK: "no_locks",
        }
        return cls(folder, reasons.get(error.errno or 0, "not_writable"), detail=error.strerror)


class NoServerAccountError(MisconfiguredError):
    """Nobody to run a server as.

    ``reason``: ``root_without_helper_user`` (PostgreSQL refuses root, and none of the users that could stand in
    exists), ``cannot_change_user`` (root without that right) or ``user_without_name`` (initdb asks for one).
    """

    code = "no_server_account"

    def __init__(self, reason: str, *, uid: int, setting: str = "DATABASE_URL") -> None:
        super().__init__(reason=reason, uid=uid, setting=setting)


class ServerFailedError(MisconfiguredError):
    """A server, or the program that makes its data, ended or did not answer; ``log`` has the whole story."""

    code = "embedded_server_failed"

    def __init__(self, server: str, *, step: str, log: Path | None = None, detail: str | None = None) -> None:
        super().__init__(server=server, step=step, log=None if log is None else str(log), detail=detail)
