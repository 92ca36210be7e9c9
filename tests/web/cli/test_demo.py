"""``pms demo`` from nothing, as a visitor runs it; it takes a while because it seeds two years of stays."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pms_adapters.embedded.account import Account
from pms_adapters.embedded.home import folder_mark
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


def _servers_of(home: Path) -> list[str]:
    """Return which embedded servers of a home have processes."""
    programs = {"postgres": "postgres", "redis": "redis-server"}
    folders = {server: home / server for server in programs}
    return [
        server
        for server, folder in folders.items()
        if find_servers(programs[server], folder / "data", folder_mark(folder))
    ]


def _demo(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (*PMS, "demo", *arguments),
        env=environment(PMS_HOME=str(home)),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


@pytest.fixture(scope="module")
def first_run(home: Path) -> subprocess.CompletedProcess[str]:
    return _demo(home, "--exit")


def test_the_first_demo_seeds_checks_itself_and_leaves_no_process(
    home: Path, first_run: subprocess.CompletedProcess[str]
) -> None:
    assert first_run.returncode == 0, first_run.stdout + first_run.stderr
    lines = first_run.stdout.splitlines()
    assert lines[0].startswith("Seeded ")
    assert lines[1] == "pms verify: 0 violations"
    assert "FAIL" not in first_run.stdout
    assert lines[-1] == "Self-check passed."
    assert lines[-4].startswith("ok   channel: channex at http://127.0.0.1:")
    assert lines[-3:-1] == [
        "ok   what is booked is gone from the platform",
        "ok   what the platform sells is booked",
    ]
    assert _servers_of(home) == []
    assert not (home / "app.json").exists()


def test_the_next_demo_continues_and_a_second_one_names_the_first(
    home: Path, first_run: subprocess.CompletedProcess[str]
) -> None:
    assert first_run.returncode == 0
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
        assert lines[2].startswith("User (admin): admin@demo.example")
        address = lines[1].split()[4]
        assert _servers_of(home) == ["postgres", "redis"]
        second = _demo(home)
        assert second.returncode == 0, second.stderr
        assert address in second.stdout
        checked = _demo(home, "--exit")
        assert checked.returncode == 0, checked.stdout + checked.stderr
        verified = subprocess.run(
            (*PMS, "verify"), env=environment(PMS_HOME=str(home)), capture_output=True, text=True, check=False
        )
        assert (verified.returncode, verified.stdout) == (0, "pms verify: 0 violations\n")
        shown = next(line for line in first.stdout if "simulated platform" in line)
        assert list(_get(re.search(r"http://\S+", shown)[0])[1]) == ["channex"]
        assert _get(f"{address}/api/v1/properties")[0] == 401
        token = subprocess.run(
            (*PMS, "token"), env=environment(PMS_HOME=str(home)), capture_output=True, text=True, check=True
        )
        assert _get(f"{address}/api/v1/properties", key=token.stdout.strip())[1]["total"] == 9
        os.kill(first.pid, signal.SIGINT)
        _, complaints = first.communicate(timeout=30)
        assert first.returncode == 0, complaints
        assert "Traceback" not in complaints
        # The password has to stay in sight: what was asked for and done well is not listed.
        assert "/api/v1/properties" not in complaints
        assert "info" not in complaints.lower()
        assert _servers_of(home) == []
    finally:
        first.kill()
        first.communicate()
