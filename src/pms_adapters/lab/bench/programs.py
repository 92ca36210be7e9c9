"""Web servers in processes of their own, for the length of a ``with`` block.

Owns their start, the address that they name in their first line, the processor time that they take, and their
end. What they answer is not known here.
"""

from __future__ import annotations

import os
import select
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from attrs import frozen

__all__ = ["Program", "processor_seconds", "serving"]

_START_SECONDS = 30.0
_END_SECONDS = 15.0
_WORDS = b"Serving on "
_PROCESSES = Path("/proc")


@frozen
class Program:
    """A program that serves: its address, and the number of its first process."""

    address: str
    pid: int

    @property
    def host(self) -> str:
        """The host that it serves on."""
        return urlsplit(self.address).hostname or ""

    @property
    def port(self) -> int:
        """The port that it serves on."""
        return urlsplit(self.address).port or 0


@contextmanager
def serving(command: Sequence[str], environ: Mapping[str, str], given: bytes = b"") -> Iterator[Program]:
    """Start a program that says ``Serving on <address>`` first, and yield where it is; SIGTERM ends it.

    ``environ`` is added to the environment of this process, ``given`` is its standard input.

    Raises:
        RuntimeError: it says something else, or nothing in half a minute.
    """
    with subprocess.Popen(
        command,
        env={**os.environ, **environ},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield Program(_address(process, given), process.pid)
        finally:
            process.terminate()
            try:
                process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def processor_seconds(pid: int) -> float | None:
    """Return the processor time that a process and its descendants have taken; None where the system does not say."""
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for folder in _PROCESSES.glob("[0-9]*"):
        with suppress(OSError):  # it ended a moment ago
            # The name of the program comes before these, and may have blanks in it.
            fields = (folder / "stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
            parents[int(folder.name)] = int(fields[1])
            ticks[int(folder.name)] = sum(map(int, fields[11:15]))
    if pid not in ticks:
        return None
    family = [pid]
    for member in family:
        family += [child for child, parent in parents.items() if parent == member]
    return sum(ticks[each] for each in family) / os.sysconf("SC_CLK_TCK")


def _address(process: subprocess.Popen[bytes], given: bytes) -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(given)
    process.stdin.close()
    line = b""
    deadline = time.monotonic() + _START_SECONDS
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))
        piece = os.read(process.stdout.fileno(), 4096) if ready else b""
        if not piece:
            raise RuntimeError(f"{process.args!r} does not serve: {line!r}")
        line += piece
    words, found, rest = line.partition(_WORDS)
    if words or not found:
        raise RuntimeError(f"{process.args!r} does not say where it serves: {line!r}")
    return rest.split()[0].decode()
