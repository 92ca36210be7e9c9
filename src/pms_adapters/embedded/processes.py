"""What the system says is running.

A pid in a file proves nothing: the process may have ended and the number may be somebody else's now. So a server
of ours is known by what it is (its program's name) and where it works (its data folder as working directory, or,
where the system hides that from root in a container, its data folder or our mark in its command line).

Reads ``/proc``; on a system without one nothing is ever found, and the server's own checks have to do.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

__all__ = ["end_all", "find_servers", "is_same_process", "kill_all", "started_ticks", "wait_until"]

_PROC = Path("/proc")
_POLL_SECONDS = 0.005


def started_ticks(pid: int) -> int | None:
    """Return when the process began, in clock ticks since boot; None if there is none, or only its remains."""
    try:
        fields = (
            (_PROC / str(pid) / "stat")
            .read_text(encoding="utf-8", errors="replace")
            .rpartition(")")[2]
            .split()
        )
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def is_same_process(pid: int, ticks: int | None) -> bool:
    """Whether the process with this pid is alive, and the one that began at ``ticks`` where that is known."""
    if ticks is not None:
        return started_ticks(pid) == ticks
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def find_servers(program: str, folder: Path, mark: str) -> tuple[int, ...]:
    """Return the pids of all processes of ``program`` that work on the data in ``folder``.

    ``mark`` is a text that only this server's processes have in their titles.
    """
    try:
        numbers = sorted(int(each.name) for each in _PROC.iterdir() if each.name.isdigit())
    except OSError:
        return ()
    return tuple(pid for pid in numbers if _works_on(pid, program, folder, mark))


def _works_on(pid: int, program: str, folder: Path, mark: str) -> bool:
    place = _PROC / str(pid)
    try:
        if (place / "comm").read_text(encoding="utf-8", errors="replace").strip() != program:
            return False
        if started_ticks(pid) is None:
            return False
        try:
            return (place / "cwd").readlink() == folder
        except PermissionError:
            title = os.fsdecode((place / "cmdline").read_bytes())
            return str(folder) in title.split("\0") or mark in title
    except OSError:
        return False


def wait_until(is_true: Callable[[], bool], seconds: float) -> bool:
    """Wait for a condition, looking often; return whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def kill_all(find: Callable[[], tuple[int, ...]], *, first: int | None = None) -> None:
    """Kill, with no chance to tidy up, ``first`` (so that it starts no more) and whatever ``find`` still finds."""
    if first is not None:
        _send((first,), signal.SIGKILL)

    def is_empty() -> bool:
        found = find()
        _send(found, signal.SIGKILL)
        return not found

    wait_until(is_empty, 10)


def end_all(find: Callable[[], tuple[int, ...]], polite: signal.Signals, seconds: float) -> None:
    """Ask whatever ``find`` finds to end, and kill what has not after ``seconds``."""
    found = find()
    if not found:
        return
    _send(found, polite)
    if not wait_until(lambda: not find(), seconds):
        kill_all(find)


def _send(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
