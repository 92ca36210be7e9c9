"""Web servers in processes of their own, for the length of a ``with`` block.

Owns their start, the address that they name in their first line, and their end. What they answer is not known here.
"""

from __future__ import annotations

import os
import select
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

__all__ = ["serving"]

_START_SECONDS = 30.0
_END_SECONDS = 15.0
_WORDS = b"Serving on "


@contextmanager
def serving(command: Sequence[str], environ: Mapping[str, str], given: bytes = b"") -> Iterator[str]:
    """Start a program that says ``Serving on <address>`` first, and yield the address; SIGTERM ends it.

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
            yield _address(process, given)
        finally:
            process.terminate()
            try:
                process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


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
