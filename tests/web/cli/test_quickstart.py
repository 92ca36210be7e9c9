"""The quickstart page: its lines are run as they stand, and say what the page says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from attrs import evolve

from adapters.conftest import PostgresDatabase
from pms_adapters.bootstrap import connect
from pms_adapters.lab.seed import seed
from pms_adapters.lab.seed_houses import HOTEL, TypeDraft
from pms_adapters.settings import Settings
from web.cli.test_serving import serving

pytestmark = pytest.mark.postgres
PENSION = evolve(HOTEL, name="Pension", types=(TypeDraft(name="Double", floors=(1, 2), rooms_a_floor=4),))
MARK = "--- end of block ---"


def _blocks(repository: Path) -> list[tuple[str, str | None]]:
    """Return each block that is run, and what the page says it prints."""
    page = (repository / "docs" / "howto" / "quickstart.md").read_text(encoding="utf-8")
    return re.findall(r"```bash\n(.*?)```\n(?:\n```text\n(.*?)```\n)?", page, re.DOTALL)


def test_its_lines_do_what_it_says(
    repository: Path, postgres_database: PostgresDatabase, tmp_path: Path
) -> None:
    url = postgres_database.app_url
    with connect(Settings(database_url=url)) as services:
        seed(services, admin_url=postgres_database.admin_url, drafts=(PENSION,))
    blocks = _blocks(repository)
    script = "set -eo pipefail\n" + "".join(f"{lines}echo; echo '{MARK}'\n" for lines, _ in blocks)
    with serving(DATABASE_URL=url) as (_, address):
        ran = subprocess.run(
            ("bash", "-c", script),
            env=_environment(tmp_path, repository, DATABASE_URL=url, PMS=address),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    printed = ran.stdout.split(f"{MARK}\n")[:-1]
    assert len(printed) == len(blocks) > 5
    for (lines, said), text in zip(blocks, printed, strict=True):
        expected = ".+".join(re.escape(part) for part in said.strip().split("…"))
        assert re.fullmatch(expected, text.strip(), re.DOTALL), (lines, said, text)


def _environment(folder: Path, repository: Path, **more: str) -> dict[str, str]:
    """Return an environment in which ``pms`` and ``python3`` are those of the tests."""
    for name, program in (
        ("pms", (sys.executable, "-m", "pms_web.cli.main")),
        ("python3", (sys.executable,)),
    ):
        command = folder / name
        command.write_text(f'#!/bin/sh\nexec {shlex.join(program)} "$@"\n', encoding="utf-8")
        command.chmod(0o755)
    kept = {name: text for name, text in os.environ.items() if name not in {"REDIS_URL", "PMS_HOME"}}
    path = f"{folder}{os.pathsep}{kept['PATH']}"
    return {**kept, "PATH": path, "PYTHONPATH": str(repository / "src"), **more}
