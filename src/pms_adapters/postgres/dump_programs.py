"""``pg_dump`` and ``pg_restore``: which of those on this machine fit, and running them.

Owns finding, versions and what their complaints mean. Where to look is the caller's to say. Passwords travel in the
environment of the child, never on its command line, where everybody could read them.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from attrs import frozen
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pmscore.kernel.errors import MisconfiguredError, UnreachableError

__all__ = ["Program", "find_program", "run_program"]

_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
_SERVER_GONE = re.compile(
    r"server closed the connection|terminating connection|could not (?:connect|receive data)|no connection to"
    r"|connection to server .* failed|lost connection|the database system is"
)
_NO_ROOM = "No space left on device"
_NO_RIGHT = re.compile(r"permission denied|must be (?:owner|superuser)|row-level security")
_NO_LIMITS = "-c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0"


@frozen
class Program:
    """One of PostgreSQL's programs, and the major version it belongs to."""

    path: Path
    major: int


def find_program(name: str, at_least: int, folders: Iterable[Path]) -> Program:
    """Return the oldest ``name`` in ``folders`` that is not older than ``at_least``.

    A program reads servers and files up to its own age; the nearest one changes least on the way.

    Raises:
        MisconfiguredError: there is none; ``found`` names the versions that there are.
    """
    there = [found for folder in folders if (found := _versioned(folder / name)) is not None]
    fitting = [each for each in there if each.major >= at_least]
    if not fitting:
        known = ", ".join(sorted({str(each.major) for each in there})) or "none"
        raise MisconfiguredError(reason="no_dump_program", program=name, needed=at_least, found=known)
    return min(fitting, key=lambda each: each.major)


def _versioned(path: Path) -> Program | None:
    if not os.access(path, os.X_OK):
        return None
    try:
        said = subprocess.run(  # noqa: S603 - a program of PostgreSQL
            [str(path), "--version"],
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
            env=_environment({}),
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = _VERSION.search(said)
    return None if found is None else Program(path, int(found[1]))


def run_program(
    program: Program,
    arguments: Sequence[str],
    *,
    url: str | None,
    hear: Callable[[str], None] = lambda _: None,
    read_only: bool = False,
) -> str:
    """Run ``program`` to its end and return what it printed; ``hear`` is told each line of its report.

    Whatever ends the caller ends the program.

    Raises:
        UnreachableError: the server did not answer, or went away.
        MisconfiguredError: ``reason`` is ``no_space``, ``not_permitted`` or ``dump_program_failed``; ``said``
            has its words.
    """
    parsed = conninfo_to_dict(url.replace("postgresql+psycopg://", "postgresql://", 1)) if url else {}
    known = {name: str(value) for name, value in parsed.items()}
    password = known.pop("password", None)
    more = {"PGPASSWORD": password} if password is not None else {}
    if url:
        limits = f"{_NO_LIMITS} -c default_transaction_read_only=on" if read_only else _NO_LIMITS
        known["options"] = f"{known.get('options', '')} {limits}".strip()
        arguments = (*arguments, f"--dbname={make_conninfo(**known)}")
    process = subprocess.Popen(  # noqa: S603 - a program of PostgreSQL
        [str(program.path), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=_environment(more),
    )
    said: list[str] = []
    try:
        with process:
            for line in process.stdout or ():
                said.append(line.rstrip())
                hear(said[-1])
    except BaseException:
        process.send_signal(signal.SIGTERM)
        process.wait()
        raise
    if process.returncode:
        raise _failure(program, said)
    return "\n".join(said)


def _failure(program: Program, said: Sequence[str]) -> Exception:
    told = [each for each in said if re.search(r"error|fatal|detail|hint|could not", each, re.IGNORECASE)]
    words = " ".join(told[-3:] or said[-3:])[:400]
    if _NO_ROOM in words:
        return MisconfiguredError(reason="no_space", said=words)
    if _SERVER_GONE.search(words):
        return UnreachableError(reason="no_connection")
    reason = "not_permitted" if _NO_RIGHT.search(words) else "dump_program_failed"
    return MisconfiguredError(reason=reason, program=program.path.name, said=words)


def _environment(more: Mapping[str, str]) -> Mapping[str, str]:
    kept = {
        name: text
        for name, text in os.environ.items()
        if name in {"PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH"}
    }
    return {**kept, "LC_ALL": "C", "TZ": "UTC", **more}
