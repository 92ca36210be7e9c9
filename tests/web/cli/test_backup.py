"""``pms backup`` and ``pms restore``: what they print, and how they end."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from attrs import evolve
from click.testing import CliRunner, Result

from adapters.conftest import PostgresDatabase
from pms_adapters.postgres.backup import BackupNote, note_file
from pms_web.cli.backup_texts import BACKUP_TEXTS
from pms_web.cli.main import pms

pytestmark = pytest.mark.postgres
SOURCES = ("backup", "restore", "dump_programs")


def run(*arguments: object, **environment: str) -> Result:
    cleared = dict.fromkeys(("DATABASE_URL", "REDIS_URL", "PMS_HOME"))
    return CliRunner().invoke(pms, [str(each) for each in arguments], env={**cleared, **environment})


def test_what_was_backed_up_is_restored_and_verified(
    postgres_database: PostgresDatabase, empty_postgres_database: PostgresDatabase, tmp_path: Path
) -> None:
    file = tmp_path / "a house's.dump"
    made = run("backup", file, DATABASE_URL=postgres_database.admin_url)
    assert made.exit_code == 0, made.output
    assert re.match(rf"{re.escape(str(file))}: [\d,]+ bytes, [\d,]+ rows of \d+ tables as of ", made.stdout)
    back = run("restore", file, "--into", empty_postgres_database.admin_url)
    assert back.exit_code == 0, back.output
    assert back.stdout.endswith("pms verify: 0 violations\n")
    again = run("restore", file, "--into", empty_postgres_database.admin_url)
    assert again.exit_code == 1
    assert "not empty" in again.stderr
    assert "createdb" in again.stderr


def test_both_report_as_json(
    postgres_database: PostgresDatabase, empty_postgres_database: PostgresDatabase, tmp_path: Path
) -> None:
    file = tmp_path / "a.dump"
    made = json.loads(run("backup", "--json", file, DATABASE_URL=postgres_database.admin_url).stdout)
    assert made["rows"]["alembic_version"] == 1
    back = run("restore", "--json", file, "--into", empty_postgres_database.admin_url)
    report = json.loads(back.stdout)
    assert back.exit_code == 0
    assert report["rows"] == made["rows"]
    assert [report[each] for each in ("differing", "tenancy", "pending_migrations", "violations")] == [
        {},
        [],
        [],
        [],
    ]


def test_rows_that_are_missing_are_counted(
    postgres_database: PostgresDatabase, empty_postgres_database: PostgresDatabase, tmp_path: Path
) -> None:
    file = tmp_path / "a.dump"
    assert run("backup", file, DATABASE_URL=postgres_database.admin_url).exit_code == 0
    note = BackupNote.read(note_file(file))
    evolve(note, rows={**note.rows, "bookings": note.rows["bookings"] + 3}).write(note_file(file))
    back = run("restore", file, "--into", empty_postgres_database.admin_url)
    assert back.exit_code == 1
    assert "bookings has 0 rows; the backup counted 3." in back.stderr


@pytest.mark.nightly
def test_a_backup_goes_from_one_home_to_another(tmp_path: Path) -> None:
    first, second, file = tmp_path / "one", tmp_path / "two", tmp_path / "a.dump"
    for home in (first, second):
        home.mkdir(mode=0o711)
    assert run("migrate", PMS_HOME=str(first)).exit_code == 0
    made = run("backup", file, PMS_HOME=str(first))
    assert made.exit_code == 0, made.output
    back = run("restore", file, PMS_HOME=str(second))
    assert back.exit_code == 0, back.output
    assert run("doctor", PMS_HOME=str(second), ENABLE_REDIS_HEALTHCHECK="false").exit_code == 0


def test_a_folder_that_is_not_there_is_said_before_anything_is_read(tmp_path: Path) -> None:
    made = run("backup", tmp_path / "none" / "a.dump", DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    assert made.exit_code == 1
    assert "no such folder" in made.stderr


def test_without_a_server_there_is_a_sentence(tmp_path: Path) -> None:
    made = run("backup", tmp_path / "a.dump", DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    assert made.exit_code == 1
    assert "unavailable" in made.stderr
    assert list(tmp_path.iterdir()) == []


def test_every_reason_has_a_sentence_and_a_way_out(repository: Path) -> None:
    folder = repository / "src" / "pms_adapters" / "postgres"
    text = "".join((folder / f"{each}.py").read_text() for each in SOURCES)
    reasons = set(re.findall(r'reason="([a-z_]+)"', text)) - {"no_connection"}
    reasons |= {"not_permitted", "dump_program_failed", "no_space", "backup_not_writable"}
    assert reasons == set(BACKUP_TEXTS)
    assert all(sentence and way_out for sentence, way_out in BACKUP_TEXTS.values())
