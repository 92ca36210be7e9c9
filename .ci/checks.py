"""Run the checks that `make test` makes before the tests, two at a time: ``python .ci/checks.py lint types …``.

Owns their order and their output: each check's lines are shown together when it has ended. Leaves what a check is to
the noxfile. The names of those that failed go to standard output, everything else to standard error; the exit code
is 0 whenever every check was run, since the tests are run after a failed check, too. Standard library only.
"""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed

AT_ONCE = 2  # each of them keeps one processor busy


def main() -> int:
    """Run the checks named on the command line; those named first begin first."""
    names = sys.argv[1:]
    failed: set[str] = set()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        running = {pool.submit(_run, name): name for name in names}
        for ended in as_completed(running):
            code, said = ended.result()
            sys.stderr.write(said)
            sys.stderr.flush()
            if code:
                failed.add(running[ended])
    print(*(name for name in names if name in failed))
    return 0


def _run(name: str) -> tuple[int, str]:
    """Run one check to its end; return its exit code and all that it said."""
    command = [sys.executable, "-m", "nox", "--session", name]
    ended = subprocess.run(
        command,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    return ended.returncode, ended.stdout


if __name__ == "__main__":
    raise SystemExit(main())
