"""``/metrics`` of an app of several processes: one sum, whichever of them answers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from adapters.conftest import PostgresDatabase

pytestmark = pytest.mark.postgres

MOST_REQUESTS = 2_000


def counted(address: str) -> float:
    with urlopen(f"{address}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return sum(
        each.value
        for family in text_string_to_metric_families(text)
        for each in family.samples
        if each.name == "pms_http_requests_total" and each.labels["route"] == "health.alive"
    )


def test_the_figures_of_all_processes_are_put_together(postgres_database: PostgresDatabase, tmp_path: Path):
    kept = {name: text for name, text in os.environ.items() if name not in {"REDIS_URL", "PMS_HOME"}}
    source = Path(__file__).resolve().parents[3] / "src"
    process = subprocess.Popen(
        (sys.executable, "-m", "pms_web.cli.main", "serve", "--port", "0", "--workers", "2"),
        env={
            **kept,
            "PYTHONPATH": str(source),
            "PYTHONUNBUFFERED": "1",
            "DATABASE_URL": postgres_database.app_url,
            "ENABLE_REDIS_HEALTHCHECK": "false",
            "ENABLE_WORKER_HEALTHCHECK": "false",
            "TMPDIR": str(tmp_path),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline()
        assert line.startswith("Serving on http://127.0.0.1:"), (line, process.poll())
        address = line.split()[2]
        sent = 0
        # Until both processes have answered, so that no one of them can know all of it.
        while len(list(tmp_path.glob("pms-figures-*/counter_*.db"))) < 2:
            urlopen(f"{address}/health", timeout=10).close()
            sent += 1
            assert sent < MOST_REQUESTS
        assert {counted(address) for _ in range(6)} == {sent}
        process.terminate()
        _, complaints = process.communicate(timeout=20)
        assert process.returncode == 0, complaints
        assert "Traceback" not in complaints
        assert list(tmp_path.glob("pms-figures-*")) == []
    finally:
        process.kill()
        process.communicate()
