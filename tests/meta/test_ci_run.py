"""``.ci/run`` passes what may skip, fails on any other skip, and ends with pytest's own summary."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

RULE = "=" * 20


def _run(repository: Path, folder: Path, *lines: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    """Run ``.ci/run`` in a checkout whose ``make test`` prints ``lines``."""
    (folder / ".ci").mkdir(parents=True)
    shutil.copy(repository / ".ci/run", folder / ".ci/run")
    tools = folder / "tools"
    tools.mkdir()
    (folder / "printed").write_text("\n".join(lines) + "\n", "utf-8")
    (tools / "make").write_text(f"#!/bin/sh\ncat printed\nexit {status}\n", "utf-8")
    (tools / "make").chmod(0o755)
    return subprocess.run(
        ["bash", ".ci/run"],
        cwd=folder,
        env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("reason", ["needs ../shared", "needs Chromium", "needs Pango to draw invoices"])
def test_an_allowed_skip_passes(repository: Path, tmp_path: Path, reason: str) -> None:
    summary = f"{RULE} 3 passed, 1 skipped in 0.10s {RULE}"
    run = _run(repository, tmp_path / "a place", f"SKIPPED [1] tests/conftest.py:61: {reason}", summary)
    assert run.returncode == 0
    assert run.stdout.splitlines()[-1] == summary


@pytest.mark.parametrize(
    "line",
    [
        "SKIPPED [2] tests/core/test_x.py:3: no time",
        "SKIPPED [1] tests/core/test_x.py: could not import 'x'",
        "SKIPPED [1] tests/core/test_x.py:3: it needs ../shared, perhaps",
        "\x1b[33mSKIPPED\x1b[0m [1] tests/core/test_x.py:3: no time",
    ],
)
def test_any_other_skip_fails_and_is_named(repository: Path, tmp_path: Path, line: str) -> None:
    summary = f"{RULE} 3 passed, 1 skipped in 65.10s (0:01:05) {RULE}"
    run = _run(repository, tmp_path, line, summary)
    assert run.returncode == 1
    assert "does not allow" in run.stdout
    assert run.stdout.splitlines()[-1] == summary


def test_a_failed_test_fails_the_run(repository: Path, tmp_path: Path) -> None:
    summary = f"{RULE} 1 failed, 3 passed in 0.10s {RULE}"
    assert _run(repository, tmp_path, summary, status=2).returncode == 2


def test_a_run_without_a_summary_fails(repository: Path, tmp_path: Path) -> None:
    assert _run(repository, tmp_path, "installing").returncode == 1
