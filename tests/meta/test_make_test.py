"""What `make test` does around the tests: the checks run two at a time, and the files that take long begin first."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from conftest import LONG

# Each waits for the other to have begun, so that they end only where they run at once.
NOX = """
import pathlib, sys, time
name = sys.argv[-1]
pathlib.Path(name).touch()
print("asked:", name)
deadline = time.monotonic() + 20
while name in ("docs", "types") and not (pathlib.Path("docs").exists() and pathlib.Path("types").exists()):
    if time.monotonic() > deadline:
        sys.exit("alone")
    time.sleep(0.01)
sys.exit(name in ("docs", "lint"))
"""


def _check(repository: Path, folder: Path, *names: str) -> subprocess.CompletedProcess[str]:
    (folder / "nox.py").write_text(NOX, "utf-8")
    return subprocess.run(
        [sys.executable, repository / ".ci" / "checks.py", *names],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_checks_run_two_at_a_time_and_those_that_failed_are_named(repository: Path, tmp_path: Path) -> None:
    ended = _check(repository, tmp_path, "docs", "types", "bare", "lint")
    assert (ended.returncode, ended.stdout) == (0, "docs lint\n")
    assert sorted(ended.stderr.splitlines()) == ["asked: bare", "asked: docs", "asked: lint", "asked: types"]


def test_nothing_is_named_where_nothing_failed(repository: Path, tmp_path: Path) -> None:
    ended = _check(repository, tmp_path, "bare", "contracts")
    assert (ended.returncode, ended.stdout) == (0, "\n")


def test_the_files_that_begin_first_are_there_and_each_is_named_once(repository: Path) -> None:
    assert [name for name in LONG if not (repository / "tests" / name).is_file()] == []
    assert len(set(LONG)) == len(LONG)
