"""``pms demo`` from nothing, as a visitor runs it; it takes a while because it seeds two years of stays."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pms_adapters.embedded.account import Account
from pms_adapters.embedded.processes import find_servers
from pms_adapters.embedded.temporary import temporary_home
from web.cli.test_serve import PMS, _get, environment

pytestmark = [pytest.mark.postgres]


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with temporary_home() as found:
        # A path with a space in it, which every command must be able to live with.
        folder = found.root / "a home"
        folder.mkdir()
        if Account.for_servers().is_foreign:
            folder.chmod(0o711)
        yield folder


def _demo(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (*PMS, "demo", *arguments),
        env=environment(PMS_HOME=str(home)),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_the_first_demo_seeds_checks_itself_and_leaves_no_process(home: Path) -> None:
    started = time.monotonic()
    run = _demo(home, "--exit")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "pms verify: 0 violations" in run.stdout.splitlines()
    assert "Seeded " in run.stdout
    assert "FAIL" not in run.stdout
    assert run.stdout.splitlines()[-1] == "Self-check passed."
    assert time.monotonic() - started < 120
    for server, program in (("postgres", "postgres"), ("redis", "redis-server")):
        assert find_servers(program, home / server / "data", "") == ()
    assert not (home / "app.json").exists()


def test_the_next_demo_continues_and_a_second_one_names_the_first(home: Path) -> None:
    first = subprocess.Popen(
        (*PMS, "demo", "--port", "0"),
        env=environment(PMS_HOME=str(home)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        lines = [first.stdout.readline(), first.stdout.readline(), first.stdout.readline()]
        assert lines[0] == "pms verify: 0 violations\n"
        assert lines[1].startswith("The demo runs at http://127.0.0.1:")
        assert "one agency" in lines[2]
        address = lines[1].split()[4]
        second = _demo(home)
        assert second.returncode == 0, second.stderr
        assert address in second.stdout
        checked = _demo(home, "--exit")
        assert checked.returncode == 0, checked.stdout + checked.stderr
        verified = subprocess.run(
            (*PMS, "verify"), env=environment(PMS_HOME=str(home)), capture_output=True, text=True, check=False
        )
        assert (verified.returncode, verified.stdout) == (0, "pms verify: 0 violations\n")
        assert _get(f"{address}/api/v1/properties")[1]["total"] == 9
        os.kill(first.pid, signal.SIGINT)
        _, complaints = first.communicate(timeout=30)
        assert first.returncode == 0, complaints
        assert "Traceback" not in complaints
    finally:
        first.kill()
        first.communicate()
