"""One running server: its start through the watchdog, its end, its log.

Decided: a server lives as long as its owner. Stopping it, the owner's normal end and the owner's kill -9 all take the
same way through ``watchdog``. Processes that attach to a server do not prolong its life.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from attrs import frozen

from pms_adapters.embedded.account import SERVER_ENVIRONMENT, Account
from pms_adapters.embedded.errors import FolderUnusableError, NoServerAccountError, ServerFailedError
from pms_adapters.embedded.lock import ServerLock

__all__ = ["Plan", "Supervisor"]

_WATCHDOG = Path(__file__).with_name("watchdog.py")
_LONGEST_LOG_BYTES = 10_000_000


@frozen(kw_only=True)
class Plan:
    """What to run and how it ends.

    ``ending`` lists signals, each with the seconds it is given. ``sockets`` is removed at any end of the server,
    ``doomed`` only when it is stopped, not when it dies.
    """

    server: str
    command: tuple[str, ...]
    account: Account
    log: Path
    ending: tuple[tuple[signal.Signals, float], ...]
    sockets: Path
    doomed: tuple[Path, ...] = ()


class Supervisor:
    """A server that was started; the one who made this owns it."""

    def __init__(self, plan: Plan, lock: ServerLock) -> None:
        """Start the server; it is not ready yet.

        Raises:
            NoServerAccountError: this process may not change to the account.
            ServerFailedError: the program did not start.
            FolderUnusableError: the log cannot be written.
        """
        self._plan = plan
        account = plan.account
        order = {
            "command": plan.command,
            "environment": dict(SERVER_ENVIRONMENT),
            "uid": account.uid if account.is_foreign else None,
            "gid": account.gid if account.is_foreign else None,
            "ending": [[int(number), seconds] for number, seconds in plan.ending],
            "sockets": str(plan.sockets),
            "doomed": [str(each) for each in plan.doomed],
        }
        with _open_log(plan.log) as log:
            self._log_start = log.tell()
            self._watchdog = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_WATCHDOG), json.dumps(order)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd="/",
                pass_fds=(lock.descriptor,),
                start_new_session=True,
            )
        self.pid = self._read_pid()

    def _read_pid(self) -> int:
        assert self._watchdog.stdout is not None  # noqa: S101
        with self._watchdog.stdout as answer:
            line = answer.readline().strip()
        pid = int(line or b"-1")
        if pid > 0:
            return pid
        self.stop()
        if -pid in {errno.EPERM, errno.EINVAL} and self._plan.account.is_foreign:
            raise NoServerAccountError("cannot_change_user", uid=self._plan.account.uid)
        raise ServerFailedError(
            self._plan.server, step="launch", log=self._plan.log, detail=os.strerror(-pid)
        )

    @property
    def is_alive(self) -> bool:
        """Whether the server has not ended."""
        return self._watchdog.poll() is None

    def stop(self) -> None:
        """End the server and wait until it, and all that belongs to it, is gone."""
        pipe = self._watchdog.stdin
        if pipe is not None and not pipe.closed:
            # A word as well as the end of the pipe, which a forked child may hold open.
            with suppress(OSError):
                pipe.write(b"stop\n")
                pipe.flush()
            with suppress(OSError):
                pipe.close()
        self.wait()

    def wait(self) -> None:
        """Wait until the watchdog has ended, and with it the server."""
        limit = sum(seconds for _, seconds in self._plan.ending) + 10
        try:
            self._watchdog.wait(limit)
        except subprocess.TimeoutExpired:
            self._watchdog.kill()
            self._watchdog.wait()

    def failure(self, step: str) -> ServerFailedError | FolderUnusableError:
        """Return the error for a server that did not come up, with what its log says about this start."""
        story = self._read_log()
        if "No space left on device" in story or "Disk quota exceeded" in story:
            return FolderUnusableError(self._plan.log.parent, "full")
        lines = [line.strip() for line in story.splitlines() if line.strip()]
        telling = [line for line in lines if any(word in line for word in ("FATAL", "PANIC", "# ", "rror"))]
        said = (telling or lines)[-1:]
        return ServerFailedError(
            self._plan.server, step=step, log=self._plan.log, detail=said[0][-300:] if said else None
        )

    def _read_log(self) -> str:
        with suppress(OSError), self._plan.log.open("rb") as log:
            log.seek(max(self._log_start, log.seek(0, os.SEEK_END) - 20_000))
            return log.read().decode("utf-8", "replace")
        return ""


def _open_log(path: Path) -> BinaryIO:
    try:
        if path.exists() and path.stat().st_size > _LONGEST_LOG_BYTES:
            path.replace(path.with_name(f"{path.name}.1"))
        descriptor = os.open(
            path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
        )
        log = os.fdopen(descriptor, "ab")
        log.seek(0, os.SEEK_END)
    except OSError as error:
        raise FolderUnusableError.of(path.parent, error) from error
    return log
