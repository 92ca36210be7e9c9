"""Backups: whole or not there, of one instant, restored with walls and log into another server; and what goes wrong."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from attrs import evolve, frozen

from adapters.conftest import PostgresDatabase, PostgresServer
from pms_adapters.bootstrap import connect
from pms_adapters.embedded.binaries import find_wheel_clients
from pms_adapters.embedded.postgres import EmbeddedPostgres
from pms_adapters.embedded.temporary import temporary_postgres
from pms_adapters.lab.seed import DEMO_AGENCY, seed
from pms_adapters.lab.seed_houses import HOTEL, TypeDraft
from pms_adapters.postgres import restore as restoring
from pms_adapters.postgres.backup import BackupNote, checksum_file, make_backup, note_file
from pms_adapters.postgres.dump_programs import find_program
from pms_adapters.postgres.events import read_events, read_horizon
from pms_adapters.postgres.migrations.roles import RolePlan
from pms_adapters.postgres.restore import RestoreReport, checked_backup, restore_backup, seeing_all
from pms_adapters.postgres.seals import seal_next
from pms_adapters.postgres.tenancy import APP_ROLE, BACKUP_ROLE, unsafe_role
from pms_adapters.postgres.verify import verify
from pms_adapters.settings import Settings
from pmscore.kernel.errors import MisconfiguredError, UnreachableError
from pmscore.testing.clocks import FixedClock

pytestmark = pytest.mark.postgres
NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
PENSION = evolve(HOTEL, name="Pension", types=(TypeDraft(name="Room", floors=(1,), rooms_a_floor=3),))
PROGRAMS = tuple(
    each for each in (find_wheel_clients(), Path("/usr/lib/postgresql/15/bin")) if each is not None
)


@contextmanager
def _full_disk(folder: Path, file: Path) -> Iterator[None]:
    """Let a backup to ``file`` run out of space: on a tiny disk, or, for who may not mount one, in its last file."""
    mount = ("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder))
    is_mounted = os.geteuid() == 0 and not subprocess.run(mount, check=False, capture_output=True).returncode
    if not is_mounted:
        folder.joinpath(f".{checksum_file(file).name}.part").symlink_to("/dev/full")
    try:
        yield
    finally:
        if is_mounted:
            subprocess.run(("umount", str(folder)), check=True)


@frozen
class Kept:
    """A seeded database whose server has counted a thousand million transactions, and its backup."""

    database: PostgresDatabase
    file: Path
    note: BackupNote


@pytest.fixture(scope="module")
def kept(postgres_database: PostgresDatabase, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    with connect(Settings(database_url=postgres_database.app_url), clock=FixedClock(NOON)) as services:
        seed(services, admin_url=postgres_database.admin_url, drafts=(PENSION,))
        seal_next(services.engine, DEMO_AGENCY, horizon=read_horizon(services.engine, DEMO_AGENCY))
    with psycopg.connect(postgres_database.admin_url) as connection:
        for table in ("events", "audit_seals"):
            connection.execute(f"UPDATE {table} SET txid = txid + 1000000000")
    file = tmp_path_factory.mktemp("kept") / "pms.dump"
    return Kept(postgres_database, file, make_backup(postgres_database.admin_url, file, programs=PROGRAMS))


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[EmbeddedPostgres]:
    """Another server: it knows none of our roles, and counts transactions from its own beginning."""
    with temporary_postgres(shared_buffers_mb=16) as server:
        yield server


@pytest.fixture(scope="module")
def restored(kept: Kept, elsewhere: EmbeddedPostgres) -> RestoreReport:
    plan = RolePlan(passwords={APP_ROLE: elsewhere.password(APP_ROLE)})
    return restore_backup(kept.file, elsewhere.url(), programs=PROGRAMS, roles=plan)


def _counts(url: str) -> Mapping[str, int]:
    with psycopg.connect(url) as connection:
        names = connection.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        ).fetchall()
        return {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for (name,) in names}


def _refused(reason: str, call: Callable[[], object]) -> Mapping[str, object]:
    with pytest.raises(MisconfiguredError) as caught:
        call()
    assert caught.value.params["reason"] == reason
    return caught.value.params


def _left(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


class TestABackup:
    def test_says_what_is_in_it(self, kept: Kept) -> None:
        assert kept.note.rows["bookings"] > 100
        assert kept.note.rows == _counts(kept.database.admin_url)
        assert kept.note.sha256 == hashlib.sha256(kept.file.read_bytes()).hexdigest()
        assert BackupNote.read(note_file(kept.file)) == kept.note
        assert checked_backup(kept.file) == kept.note

    def test_has_a_checksum_that_other_programs_read(self, kept: Kept) -> None:
        said = subprocess.run(
            ("sha256sum", "--check", checksum_file(kept.file).name),
            check=False,
            cwd=kept.file.parent,
            capture_output=True,
        )
        assert said.returncode == 0, said

    def test_can_be_read_by_its_owner_only_and_leaves_nothing_else(self, kept: Kept) -> None:
        assert stat.S_IMODE(kept.file.stat().st_mode) == 0o600
        assert _left(kept.file.parent) == ["pms.dump", "pms.dump.json", "pms.dump.sha256"]

    def test_is_of_one_instant_whatever_is_written_meanwhile(
        self, kept: Kept, postgres_server: PostgresServer, tmp_path: Path
    ) -> None:
        asked = []

        def write(step: str, *_: int) -> None:
            if step == "Writing" and not asked:
                asked.append(step)
                with psycopg.connect(kept.database.admin_url) as connection:
                    connection.execute(
                        "INSERT INTO schedules (agency_id, name, due_at) VALUES (%s, 'meanwhile', now())",
                        [uuid4()],
                    )

        file = tmp_path / "a.dump"
        note = make_backup(kept.database.admin_url, file, programs=PROGRAMS, progress=write)
        with postgres_server.database() as empty:
            report = restore_backup(file, empty.admin_url, programs=PROGRAMS)
        assert asked
        assert report.is_whole
        assert report.rows["schedules"] == note.rows["schedules"]
        with psycopg.connect(kept.database.admin_url) as connection:
            gone = connection.execute("DELETE FROM schedules WHERE name = 'meanwhile'")
        assert gone.rowcount == 1

    def test_is_never_written_over_another(self, kept: Kept) -> None:
        before = kept.file.read_bytes()
        _refused("backup_exists", lambda: make_backup(kept.database.admin_url, kept.file, programs=PROGRAMS))
        assert kept.file.read_bytes() == before

    def test_cannot_be_made_by_who_sees_one_agency(self, kept: Kept, tmp_path: Path) -> None:
        params = _refused(
            "backup_sees_too_little",
            lambda: make_backup(kept.database.app_url, tmp_path / "a", programs=PROGRAMS),
        )
        assert params["login"] == APP_ROLE
        assert _left(tmp_path) == []

    def test_is_made_by_pms_backup_alone(self, kept: Kept, tmp_path: Path) -> None:
        with psycopg.connect(kept.database.admin_url, autocommit=True) as connection:
            connection.execute(f"ALTER ROLE {BACKUP_ROLE} LOGIN PASSWORD 'reads-only'")
            try:
                info = connection.info
                url = (
                    f"postgresql://{BACKUP_ROLE}:reads-only@/{info.dbname}?host={info.host}&port={info.port}"
                )
                note = make_backup(url, tmp_path / "a.dump", programs=PROGRAMS)
                with psycopg.connect(url) as reader, pytest.raises(psycopg.Error):
                    reader.execute("DELETE FROM bookings")
            finally:
                connection.execute(f"ALTER ROLE {BACKUP_ROLE} NOLOGIN PASSWORD NULL")
        assert note.rows["bookings"] == kept.note.rows["bookings"]


class TestARestore:
    def test_brings_every_row_back(
        self, kept: Kept, restored: RestoreReport, elsewhere: EmbeddedPostgres
    ) -> None:
        assert restored.is_whole
        there = dict(_counts(elsewhere.url()))
        for written_anew in ("work_due", "relay_positions"):
            there.pop(written_anew)
        assert there.items() <= kept.note.rows.items()
        assert len(there) == len(kept.note.rows) - 2

    @pytest.mark.usefixtures("restored")
    def test_violates_no_invariant(self, elsewhere: EmbeddedPostgres) -> None:
        assert verify(elsewhere.url()) == ()

    @pytest.mark.usefixtures("restored")
    def test_leaves_the_walls_standing(self, elsewhere: EmbeddedPostgres) -> None:
        with psycopg.connect(elsewhere.url(role=APP_ROLE)) as connection:
            assert unsafe_role(connection) is None
            assert connection.execute("SELECT count(*) FROM bookings").fetchone() == (0,)
            connection.execute("SELECT set_config('app.agency_id', %s, true)", [str(DEMO_AGENCY)])
            assert connection.execute("SELECT count(*) FROM bookings").fetchone()[0] > 100
            with pytest.raises(psycopg.Error):
                connection.execute("ALTER TABLE bookings DISABLE ROW LEVEL SECURITY")

    def test_lets_the_log_be_read_on(
        self, kept: Kept, restored: RestoreReport, elsewhere: EmbeddedPostgres
    ) -> None:
        with connect(Settings(database_url=elsewhere.url(role=APP_ROLE))) as services:
            found, position = 0, None
            while events := read_events(
                services.engine, DEMO_AGENCY, **({} if position is None else {"after": position})
            ):
                found, position = found + len(events), events[-1].position
        assert found == restored.rows["events"] == kept.note.rows["events"]

    def test_without_settling_the_log_would_not_be_read(
        self, kept: Kept, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The positive control: the backup is of a server that has counted further."""
        with temporary_postgres(shared_buffers_mb=16) as behind:
            monkeypatch.setattr(restoring, "settle_positions", lambda _: None)
            plan = RolePlan(passwords={APP_ROLE: behind.password(APP_ROLE)})
            restore_backup(kept.file, behind.url(), programs=PROGRAMS, roles=plan)
            with connect(Settings(database_url=behind.url(role=APP_ROLE))) as services:
                assert read_events(services.engine, DEMO_AGENCY) == ()

    def test_needs_an_empty_database(self, kept: Kept, fresh_postgres_database: PostgresDatabase) -> None:
        params = _refused(
            "not_empty",
            lambda: restore_backup(kept.file, fresh_postgres_database.admin_url, programs=PROGRAMS),
        )
        assert "agencies" in str(params["tables"])

    @pytest.mark.parametrize("harm", ["changed", "shorter", "longer", "empty"])
    def test_refuses_a_file_that_is_not_what_was_written(
        self, kept: Kept, tmp_path: Path, empty_postgres_database: PostgresDatabase, harm: str
    ) -> None:
        whole = kept.file.read_bytes()
        middle = len(whole) // 2
        text = {
            "changed": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
            "shorter": whole[:-1],
            "longer": whole + b"x",
            "empty": b"",
        }[harm]
        file = _copied(kept, tmp_path, text)
        _refused(
            "backup_is_broken",
            lambda: restore_backup(file, empty_postgres_database.admin_url, programs=PROGRAMS),
        )
        assert _counts(empty_postgres_database.admin_url) == {}

    def test_refuses_what_nobody_has_described(self, kept: Kept, tmp_path: Path) -> None:
        file = _copied(kept, tmp_path, kept.file.read_bytes())
        note_file(file).write_text("{")
        _refused("no_backup_note", lambda: checked_backup(file))
        note_file(file).unlink()
        _refused("no_backup_note", lambda: checked_backup(file))
        _refused("no_backup", lambda: checked_backup(tmp_path / "none"))

    def test_a_file_that_is_no_backup_leaves_the_database_empty(
        self, kept: Kept, tmp_path: Path, empty_postgres_database: PostgresDatabase
    ) -> None:
        file = _copied(kept, tmp_path, b"PGDMP is not all of it")
        _described(file, kept.note)
        _refused(
            "dump_program_failed",
            lambda: restore_backup(file, empty_postgres_database.admin_url, programs=PROGRAMS),
        )
        assert _counts(empty_postgres_database.admin_url) == {}

    def test_needs_a_server_that_is_not_older(
        self, kept: Kept, tmp_path: Path, empty_postgres_database: PostgresDatabase
    ) -> None:
        file = _copied(kept, tmp_path, kept.file.read_bytes())
        evolve(kept.note, server=99).write(note_file(file))
        params = _refused(
            "server_too_old",
            lambda: restore_backup(file, empty_postgres_database.admin_url, programs=PROGRAMS),
        )
        assert params["needs"] == 99

    def test_a_login_without_the_rights_is_told(
        self, kept: Kept, empty_postgres_database: PostgresDatabase
    ) -> None:
        with pytest.raises(MisconfiguredError) as caught:
            restore_backup(kept.file, empty_postgres_database.app_url, programs=PROGRAMS)
        assert caught.value.params["reason"] in {"cannot_make_roles", "not_permitted"}
        assert _counts(empty_postgres_database.admin_url) == {}

    def test_who_is_above_the_policies_stays_who_they_are(self, kept: Kept) -> None:
        assert seeing_all(kept.database.admin_url) == kept.database.admin_url


def _copied(kept: Kept, folder: Path, text: bytes) -> Path:
    file = folder / kept.file.name
    file.write_bytes(text)
    note_file(file).write_bytes(note_file(kept.file).read_bytes())
    checksum_file(file).write_bytes(checksum_file(kept.file).read_bytes())
    return file


def _described(file: Path, note: BackupNote) -> None:
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    evolve(note, size=file.stat().st_size, sha256=digest).write(note_file(file))
    checksum_file(file).write_text(f"{digest}  {file.name}\n")


def _fake(folder: Path, name: str, version: str, complaint: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && {{ echo "{name} (PostgreSQL) {version}"; exit 0; }}\n'
        f'echo "{complaint}" >&2\nexit 1\n'
    )
    program.chmod(0o755)
    return folder


class TestPrograms:
    def test_the_oldest_that_fits_is_taken(self, tmp_path: Path) -> None:
        folders = [_fake(tmp_path / str(major), "pg_dump", f"{major}.4") for major in (14, 18, 16, 17)]
        assert find_program("pg_dump", 16, folders).major == 16
        assert find_program("pg_dump", 18, folders).major == 18

    def test_older_ones_are_named_and_not_taken(self, tmp_path: Path, kept: Kept) -> None:
        old = [_fake(tmp_path / "old", "pg_dump", "14.2"), tmp_path / "none"]
        params = _refused(
            "no_dump_program", lambda: make_backup(kept.database.admin_url, tmp_path / "a", programs=old)
        )
        assert (params["found"], params["program"]) == ("14", "pg_dump")
        assert _left(tmp_path) == ["old"]

    def test_what_does_not_run_is_no_program(self, tmp_path: Path) -> None:
        (tmp_path / "pg_dump").write_text("not a program")
        (tmp_path / "pg_dump").chmod(0o755)
        _refused("no_dump_program", lambda: find_program("pg_dump", 15, [tmp_path]))

    @pytest.mark.parametrize(
        ("complaint", "reason"),
        [
            ("pg_dump: error: could not write to output file: No space left on device", "no_space"),
            ("pg_dump: error: query failed: ERROR:  permission denied for table quotes", "not_permitted"),
            ("pg_dump: error: something new", "dump_program_failed"),
        ],
    )
    def test_its_complaints_are_understood(
        self, tmp_path: Path, kept: Kept, complaint: str, reason: str
    ) -> None:
        major = str(kept.note.server)
        folder = _fake(tmp_path / "new", "pg_dump", major, complaint)
        _refused(reason, lambda: make_backup(kept.database.admin_url, tmp_path / "a", programs=[folder]))
        assert _left(tmp_path) == ["new"]

    def test_the_password_is_on_no_command_line(self, kept: Kept, tmp_path: Path) -> None:
        seen: list[str] = []

        def look(step: str, *_: int) -> None:
            if step == "Writing":
                for each in Path("/proc").glob("[0-9]*/cmdline"):
                    try:
                        seen.append(each.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
                    except OSError:
                        continue

        make_backup(kept.database.admin_url, tmp_path / "a", programs=PROGRAMS, progress=look)
        password = psycopg.conninfo.conninfo_to_dict(kept.database.admin_url)["password"]
        assert any("--format=custom" in each for each in seen)
        assert not any(str(password) in each for each in seen)


@pytest.mark.fault
class TestFaults:
    def test_a_server_that_goes_away_leaves_no_backup(self, kept: Kept, tmp_path: Path) -> None:
        with temporary_postgres(shared_buffers_mb=16) as server:
            plan = RolePlan(passwords={APP_ROLE: server.password(APP_ROLE)})
            restore_backup(kept.file, server.url(), programs=PROGRAMS, roles=plan)
            done: list[str] = []

            def kill(step: str, *_: int) -> None:
                if step == "Writing" and not done:
                    done.append(step)
                    server.kill()

            with pytest.raises(UnreachableError):
                make_backup(server.url(), tmp_path / "a", programs=PROGRAMS, progress=kill)
            assert done
            assert _left(tmp_path) == []

    def test_a_server_that_goes_away_is_empty_when_it_is_back(self, kept: Kept) -> None:
        with temporary_postgres(shared_buffers_mb=16) as server:
            done: list[str] = []

            def kill(step: str, *_: int) -> None:
                if step == "Restoring" and not done:
                    done.append(step)
                    server.kill()

            with pytest.raises((UnreachableError, MisconfiguredError)):
                restore_backup(kept.file, server.url(), programs=PROGRAMS, progress=kill)
            assert done
            server.start()
            assert _counts(server.url()) == {}
            assert restore_backup(kept.file, server.url(), programs=PROGRAMS).is_whole

    def test_a_full_disk_leaves_nothing(self, kept: Kept, tmp_path: Path) -> None:
        with _full_disk(tmp_path, tmp_path / "a"):
            _refused(
                "no_space", lambda: make_backup(kept.database.admin_url, tmp_path / "a", programs=PROGRAMS)
            )
            assert _left(tmp_path) == []

    def test_a_folder_that_is_not_there_is_named(self, kept: Kept, tmp_path: Path) -> None:
        _refused(
            "backup_not_writable",
            lambda: make_backup(kept.database.admin_url, tmp_path / "none" / "a", programs=PROGRAMS),
        )
