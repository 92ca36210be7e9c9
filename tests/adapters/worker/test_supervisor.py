"""A whole worker as a program: it comes back when its servers do, and ends when it is told to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pms_adapters.redis.heartbeats import list_workers
from pms_adapters.settings import Settings
from pms_adapters.worker.preflight import Place, places, wait_for_servers
from pms_adapters.worker.supervisor import environ_of
from pmscore.kernel.errors import UnreachableError
from pmscore.kernel.secrets import Secret

pytestmark = [pytest.mark.postgres, pytest.mark.fault]

PATIENCE = 60.0
WORKER = """\
import sys
from pms_adapters.settings import Settings
from pms_adapters.worker.processes import end_on_signals
from pms_adapters.worker.supervisor import Supervisor
worker = Supervisor(Settings(database_url=sys.argv[1], redis_url=sys.argv[2]))
end_on_signals(worker.ended.set)
worker.run()
"""


def test_what_was_found_for_the_worker_reaches_its_processes() -> None:
    """A database and a key that came with embedded servers are in no environment but this one."""
    url, key = "postgresql://pms_app:secret@127.0.0.1:5433/pms", Secret("k1:" + "0" * 43)
    found = Settings(database_url=url, redis_url="redis://127.0.0.1:1", encryption_key=key)
    environ = environ_of(found, {"DATABASE_URL": "", "LOG_LEVEL": "ERROR"})
    read = Settings.from_mapping(environ)
    assert (read.database_url, read.redis_url) == (url, found.redis_url)
    assert read.encryption_key is not None
    assert read.encryption_key.reveal() == key.reveal()
    assert environ["LOG_LEVEL"] == "ERROR"
    assert environ_of(Settings(), {"ENCRYPTION_KEY": "mine"}) == {"ENCRYPTION_KEY": "mine"}


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.05)


def is_alive(url: str) -> bool:
    try:
        return len(list_workers(url)) == 1
    except UnreachableError:
        return False


def children(pid: int) -> list[int]:
    found = []
    for each in Path("/proc").iterdir():
        try:
            if each.name.isdigit() and int((each / "stat").read_text().rsplit(")", 1)[1].split()[1]) == pid:
                found.append(int(each.name))
        except OSError:
            continue
    return found


@pytest.fixture
def program(shop, tmp_path) -> Iterator[subprocess.Popen]:
    script = tmp_path / "worker.py"
    script.write_text(WORKER)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, script, shop.settings.database_url, shop.settings.redis_url], env=environment
    ) as running:
        try:
            yield running
        finally:
            running.kill()


def test_it_comes_back_with_redis_and_with_its_own_processes_and_ends_when_told(shop, program, redis_server):
    url = shop.settings.redis_url
    wait_until(lambda: is_alive(url))
    shop.append(1)
    wait_until(shop.is_carried_on)

    redis_server.kill()
    shop.append(1)
    redis_server.start()
    wait_until(lambda: shop.is_carried_on() and is_alive(url))

    for child in children(program.pid):
        os.kill(child, signal.SIGKILL)
    shop.append(1)
    wait_until(lambda: shop.is_carried_on() and is_alive(url))

    known = children(program.pid)
    program.terminate()
    assert program.wait(PATIENCE) == 0
    assert not is_alive(url)
    assert not [pid for pid in known if Path(f"/proc/{pid}").exists()]


@pytest.mark.parametrize("kind", ["relay", "queue"])
def test_its_processes_end_when_it_is_gone_without_a_word(shop, kind):
    gone = str(os.getppid())
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "DATABASE_URL": shop.settings.database_url,
        "REDIS_URL": shop.settings.redis_url,
    }
    orphan = subprocess.run(
        [sys.executable, "-m", "pms_adapters.worker", kind, gone],
        env=environment,
        timeout=PATIENCE,
        check=False,
    )
    assert orphan.returncode in {0, -signal.SIGTERM}


class TestPreflight:
    def test_what_is_named_comes_before_the_urls(self):
        urls = {"DATABASE_URL": "postgresql://u:p@db:5433/pms", "REDIS_URL": "redis://:p@cache/0"}
        usual = Settings.from_mapping(urls)
        assert places(usual) == (Place("Database", "db", 5433), Place("Redis", "cache", 6379))
        named = Settings.from_mapping(
            {**urls, "WORKER_WAIT_DB_HOST": "near", "WORKER_WAIT_REDIS_PORT": "7000"}
        )
        assert places(named) == (Place("Database", "near", 5433), Place("Redis", "cache", 7000))

    def test_servers_that_are_there_are_not_waited_for(self, shop):
        said = []
        wait_for_servers(shop.settings, said.append)
        assert said[-1] == "✓ All dependencies ready"
        assert "✓ Database is ready" in said
        assert not any("***" in line or "password" in line for line in said)

    def test_patience_ends(self):
        settings = Settings(redis_url="redis://127.0.0.1:1/0", worker_wait_timeout_seconds=6)
        now = [0.0]

        def sleep(seconds: float) -> None:
            now[0] += seconds

        with pytest.raises(UnreachableError) as caught:
            wait_for_servers(settings, lambda _: None, sleep=sleep, now=lambda: now[0])
        assert caught.value.params["server"] == "Redis (127.0.0.1:1)"
        assert now[0] == 6
