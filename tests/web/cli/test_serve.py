"""``pms serve`` as a process of its own: it answers, finishes what it has begun, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from uuid import uuid4

import pytest

from adapters.conftest import PostgresDatabase
from pms_adapters.bootstrap import connect
from pms_adapters.settings import Settings
from pms_web.cli.people import Desk
from pms_web.wiring import access_of
from pmscore.access.model.permissions import Role
from pmscore.access.use_cases.agencies import OpenAgency, open_agency
from pmscore.access.use_cases.keys import CreateKey, create_key
from pmscore.kernel.ids import AgencyId

pytestmark = [pytest.mark.postgres]
PMS = (sys.executable, "-m", "pms_web.cli.main")


def environment(**more: str) -> dict[str, str]:
    kept = {
        name: text
        for name, text in os.environ.items()
        if name not in {"DATABASE_URL", "REDIS_URL", "PMS_HOME"}
    }
    source = Path(__file__).resolve().parents[3] / "src"
    return {**kept, "PYTHONPATH": str(source), "PYTHONUNBUFFERED": "1", **more}


@contextmanager
def _serving(**environ: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = subprocess.Popen(
        (*PMS, "serve", "--port", "0", "--workers", "1"),
        env=environment(ENABLE_REDIS_HEALTHCHECK="false", ENABLE_WORKER_HEALTHCHECK="false", **environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline()
        assert line.startswith("Serving on http://127.0.0.1:"), (line, process.poll())
        address = line.split()[2]
        _wait_until_it_answers(address)
        yield process, address
    finally:
        process.kill()
        process.communicate()


def _get(url: str, *, key: str = "") -> tuple[int, dict[str, object]]:
    asked = Request(url, headers={"Authorization": f"Bearer {key}"} if key else {})
    try:
        with urlopen(asked, timeout=10) as answer:
            return answer.status, json.loads(answer.read())
    except HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def _key(database: PostgresDatabase) -> str:
    """Open an agency and return a key in it."""
    settings = Settings(database_url=database.app_url)
    with connect(settings) as services:
        access, _ = access_of(settings, services)
        agency_id = AgencyId(uuid4())
        at = Desk(services=services, access=access, agency_id=agency_id)
        opening = OpenAgency(**at.asking, name="Served", slug=f"served-{agency_id.hex[:12]}")
        open_agency(opening, uow=services.uow)
        asked = CreateKey(**at.asking, name="test", role=Role.STAFF)
        made = create_key(
            asked, uow=access.uow, secrets=access.secrets, clock=services.clock, ids=services.ids
        )
    return made.text


def _wait_until_it_answers(address: str) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            _get(f"{address}/health")
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_the_app_is_served_until_a_signal_ends_it(
    postgres_database: PostgresDatabase, end: signal.Signals
) -> None:
    with _serving(DATABASE_URL=postgres_database.app_url) as (process, address):
        status, body = _get(f"{address}/health/ready")
        assert (status, body["status"]) == (200, "up")
        assert _get(f"{address}/api/v1/properties")[0] == 401
        assert _get(f"{address}/api/v1/properties", key=_key(postgres_database))[0] == 200
        process.send_signal(end)
        _, complaints = process.communicate(timeout=20)
        assert process.returncode == 0, complaints
        assert "pms token" in complaints
        assert "Traceback" not in complaints
        with pytest.raises(OSError, match="refused"):
            urlopen(address, timeout=2)


def test_it_starts_without_its_database() -> None:
    with _serving(DATABASE_URL="postgresql://nobody@127.0.0.1:1/none") as (process, address):
        assert _get(f"{address}/health")[0] == 200
        assert _get(f"{address}/health/ready")[0] == 503
        status, body = _get(f"{address}/api/v1/properties", key=f"pms_{'0' * 32}_{'0' * 43}")
        assert (status, body["error"]) == (503, "service_unavailable")
        assert process.poll() is None
