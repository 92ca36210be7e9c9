"""The program between the owner and an embedded server: it starts the server and sees it to its end.

Run as ``python -I -S watchdog.py PLAN``, with the standard library only. It holds the server's lock, waits for the
server, and stops it when the owner says so or is gone (its end of the pipe closes, or this program gets another
parent: forked children of the owner may keep the pipe open). So a kill -9 of the owner leaves no server; a kill -9
of this program makes the kernel stop the server (Linux). Children of a dead server come to this program, which
collects them, so that none is left, not even as a zombie. At the end it removes what must not outlive the server.

PLAN is JSON: ``command``, ``uid`` and ``gid`` (or null), ``ending`` (signals with the seconds each is given),
``sockets`` (removed at any end) and ``doomed`` (removed when the server was stopped, not when it died).
The first line that it writes is the server's pid, or ``-errno``.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from typing import TypedDict

_PARENT_CHECK_SECONDS = 1.0
_SET_PARENT_DEATH_SIGNAL = 1
_SET_CHILD_SUBREAPER = 36


class Order(TypedDict):
    """What PLAN holds."""

    command: list[str]
    environment: dict[str, str]
    uid: int | None
    gid: int | None
    ending: list[tuple[int, float]]
    sockets: str
    doomed: list[str]


def main(plan: Order) -> int:
    """Start the server, wait for its end or the owner's, tidy up; return the server's exit code."""
    owner = os.getppid()
    for ignored in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(ignored, signal.SIG_IGN)
    awake, wake = os.pipe()
    for end in (awake, wake):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    try:
        child = _start(plan)
    except OSError as error:
        _say(-(error.errno or 1))
        return 1
    _say(child.pid)
    is_stopped = _wait_for_an_end(child, owner, awake)
    if is_stopped:
        _stop(child, plan["ending"])
    _end_orphans()
    shutil.rmtree(plan["sockets"], ignore_errors=True)
    if is_stopped:
        for path in plan["doomed"]:
            shutil.rmtree(path, ignore_errors=True)
    return 0 if is_stopped or child.returncode == 0 else 1


def _end_orphans() -> None:
    """Kill and collect what a dead server has left: its children became ours."""
    while True:
        try:
            with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:  # noqa: PTH123 - pathlib loads slowly
                for pid in file.read().split():
                    os.kill(int(pid), signal.SIGKILL)
        except OSError:
            pass
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _start(plan: Order) -> subprocess.Popen[bytes]:
    here = os.getpid()
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    parting = plan["ending"][0][0]

    if libc is not None:
        libc.prctl(_SET_CHILD_SUBREAPER, 1)

    def follow_parent() -> None:
        # After the change of user, which would undo it.
        if libc is not None:
            libc.prctl(_SET_PARENT_DEATH_SIGNAL, parting)
            if os.getppid() != here:
                os._exit(1)
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)

    return subprocess.Popen(
        plan["command"],
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        stderr=sys.stderr,
        cwd="/",
        env=plan["environment"],
        user=plan["uid"],
        group=plan["gid"],
        extra_groups=None if plan["uid"] is None else (),
        start_new_session=True,
        umask=0o077,
        preexec_fn=follow_parent,  # noqa: PLW1509 - this program has one thread
    )


def _wait_for_an_end(child: subprocess.Popen[bytes], owner: int, awake: int) -> bool:
    """Return True when the server is to be stopped, False when it has ended by itself."""
    while True:
        ready, _, _ = select.select([0, awake], [], [], _PARENT_CHECK_SECONDS)
        if awake in ready and bytes([signal.SIGTERM]) in os.read(awake, 4096):
            return True
        if child.poll() is not None:
            return False
        if 0 in ready or os.getppid() != owner:
            return True


def _stop(child: subprocess.Popen[bytes], ending: list[tuple[int, float]]) -> None:
    for number, seconds in ending:
        if child.poll() is not None:
            return
        child.send_signal(number)
        deadline = time.monotonic() + seconds
        while child.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()
    sys.stdout.close()


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
