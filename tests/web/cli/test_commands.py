"""The commands: help with an example, results for people and programs, a sentence where something is wrong."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from adapters.conftest import PostgresDatabase
from pms_adapters.postgres.migrations.history import list_migrations, open_scripts
from pms_adapters.settings import Settings
from pms_web.cli.demo import _told
from pms_web.cli.listening import PortTakenError, listen
from pms_web.cli.main import pms
from pms_web.cli.self_check import Check, run_checks
from pms_web.cli.servers import AppNote
from pmscore.kernel.errors import InvalidInputError, PmsError

COMMANDS = (
    *(
        "backup",
        "bench",
        "channel-seed",
        "channel-sim",
        "chaos",
        "demo",
        "doctor",
        "google-export",
        "migrate",
        "openapi",
        "plugins",
        "quote",
        "rates",
    ),
    *(
        "replay",
        "restore",
        "rotate-keys",
        "serve",
        "smoke",
        "sync-poll",
        "token",
        "user",
        "verify",
        "worker",
        "worker-ping",
    ),
)
MIGRATIONS = [each.revision for each in list_migrations(open_scripts())]


def _run(*arguments: str, **environ: str | None) -> Result:
    unset = {"DATABASE_URL": None, "REDIS_URL": None, "PMS_HOME": None, **environ}
    return CliRunner().invoke(pms, arguments, env=unset)


def _on(database: PostgresDatabase, *arguments: str, **environ: str | None) -> Result:
    return _run(*arguments, DATABASE_URL=database.admin_url, **environ)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str) -> None:
    result = _run(command, "--help")
    assert result.exit_code == 0
    assert f"Example:\n    pms {command}" in result.stdout or f"  pms {command}" in result.stdout
    assert "\x08" not in result.stdout


def test_the_list_of_commands_is_the_one_that_is_documented() -> None:
    assert tuple(sorted(pms.commands)) == COMMANDS
    assert _run("--version").exit_code == 0


@pytest.mark.postgres
def test_migrate_says_what_it_did_and_repeating_it_does_nothing(
    empty_postgres_database: PostgresDatabase,
) -> None:
    first = _on(empty_postgres_database, "migrate", "--json")
    assert first.exit_code == 0
    assert json.loads(first.stdout)["applied"] == MIGRATIONS
    second = _on(empty_postgres_database, "migrate")
    assert second.exit_code == 0
    assert second.stdout == f"Nothing to do: the database is at {MIGRATIONS[-1]}.\n"


@pytest.mark.postgres
def test_verify_counts_violations_and_fails_on_one(fresh_postgres_database: PostgresDatabase) -> None:
    clean = _on(fresh_postgres_database, "verify")
    assert (clean.exit_code, clean.stdout) == (0, "pms verify: 0 violations\n")
    _plant_a_wrong_counter(fresh_postgres_database)
    found = _on(fresh_postgres_database, "verify", "--json")
    report = json.loads(found.stdout)
    assert found.exit_code == 1
    assert report["count"] == len(report["violations"]) > 0
    assert "counters_equal_claims" in {each["code"] for each in report["violations"]}
    assert "violation" in _on(fresh_postgres_database, "verify").stdout.splitlines()[-1]


@pytest.mark.postgres
def test_doctor_looks_at_everything_and_hides_passwords(postgres_database: PostgresDatabase) -> None:
    result = _run(
        "doctor", "--json", DATABASE_URL=postgres_database.app_url, REDIS_URL="redis://:pw-4711@127.0.0.1:1"
    )
    found = {each["name"]: each for each in json.loads(result.stdout)}
    assert result.exit_code == 1
    assert {name for name, each in found.items() if not each["ok"]} == {"redis"}
    assert {"python", "psycopg", "time zones", "settings", "database", "migrations", "schema", "role", "tenancy",
            "clock", "redis"} == set(found)  # fmt: skip
    assert found["redis"]["todo"]
    assert "pw-4711" not in result.output
    assert "***" in found["settings"]["said"]


@pytest.mark.postgres
def test_doctor_says_what_to_do_about_a_schema_that_is_behind(
    empty_postgres_database: PostgresDatabase,
) -> None:
    result = _on(empty_postgres_database, "doctor", REDIS_URL="redis://127.0.0.1:1")
    assert result.exit_code == 1
    assert "Run `pms migrate`." in result.stdout


@pytest.mark.postgres
def test_a_login_above_row_level_security_is_a_warning_and_fails_in_production(
    postgres_database: PostgresDatabase,
) -> None:
    def role(environment: str) -> dict[str, object]:
        result = _on(
            postgres_database, "doctor", "--json", ENVIRONMENT=environment, REDIS_URL="redis://127.0.0.1:1"
        )
        return next(each for each in json.loads(result.stdout) if each["name"] == "role")

    assert (role("development")["ok"], role("development")["is_warning"]) == (True, True)
    assert role("production")["ok"] is False


@pytest.mark.parametrize("command", ["migrate", "verify"])
def test_an_unreachable_database_is_a_sentence_and_a_way_out(command: str) -> None:
    result = _run(command, DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    assert result.exit_code == 1
    assert "temporarily unavailable" in result.stderr
    assert "pms doctor" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("name", "value"),
    [("DATABASE_URL", "mysql://x"), ("LOG_LEVEL", "loud"), ("STATEMENT_TIMEOUT_MS", "soon")],
)
def test_a_setting_that_cannot_be_is_named(name: str, value: str) -> None:
    result = _run("migrate", **{name: value})
    assert result.exit_code == 1
    assert result.stderr.startswith(name)
    assert "Traceback" not in result.output


def test_an_unexpected_error_is_one_sentence_and_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks() -> Settings:
        raise RuntimeError("the cellar is flooded")

    monkeypatch.setattr("pms_web.cli.migrate.read_settings", breaks)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    result = _run("migrate")
    assert result.exit_code == 70
    assert "flooded" not in result.output
    (trace,) = tmp_path.glob("pms-error-*.txt")
    assert str(trace) in result.stderr
    assert "the cellar is flooded" in trace.read_text("utf-8")


def test_a_taken_port_is_named_with_the_flag() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortTakenError):
            listen("127.0.0.1", port)
        result = _run("serve", "--port", str(port), DATABASE_URL="postgresql://x@127.0.0.1:1/x")
    assert result.exit_code == 1
    assert f"Port {port}" in result.stderr
    assert "--port" in result.stderr


@pytest.mark.postgres
def test_in_production_a_login_above_row_level_security_serves_nobody(
    postgres_database: PostgresDatabase,
) -> None:
    more = {"ENVIRONMENT": "production", "ENABLE_REDIS_HEALTHCHECK": "false"}
    result = _on(postgres_database, "serve", "--port", "0", **more)
    assert result.exit_code == 1
    assert "above row-level security (superuser)" in result.stderr
    assert "pms_app" in result.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.com", "::"])
def test_the_app_listens_on_this_machine_only_while_nobody_can_log_in(
    host: str, fresh_postgres_database: PostgresDatabase
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        listen(host, 0)
    assert isinstance(refused.value, PmsError)
    result = _run("serve", "--host", host, DATABASE_URL=fresh_postgres_database.app_url)
    assert result.exit_code == 1
    assert "this machine" in result.stderr


def test_port_zero_finds_a_free_one() -> None:
    listener = listen("localhost", 0)
    try:
        assert listener.address.startswith("http://127.0.0.1:")
        assert not listener.address.endswith(":0")
    finally:
        listener.socket.close()


def test_a_note_counts_as_long_as_its_process_lives(tmp_path: Path) -> None:
    assert AppNote.find(tmp_path) is None
    note = AppNote(address="http://127.0.0.1:1", pid=os.getpid())
    note.write(tmp_path)
    assert AppNote.find(tmp_path) == note
    AppNote(address="http://127.0.0.1:1", pid=2_000_000_000).write(tmp_path)
    assert AppNote.find(tmp_path) is None
    (tmp_path / "app.json").write_text("half a no", "utf-8")
    assert AppNote.find(tmp_path) is None
    AppNote.remove(tmp_path)
    AppNote.remove(tmp_path)


def test_a_self_check_that_meets_nobody_fails(capsys: pytest.CaptureFixture[str]) -> None:
    checks = list(run_checks("http://127.0.0.1:1", "no key"))
    assert [(each.name, each.ok) for each in checks] == [("health", False)]
    assert _told(checks) == 1
    assert _told([]) == 1
    assert _told([Check("health", ok=True)]) == 0
    assert "Self-check passed." in capsys.readouterr().out


@pytest.mark.parametrize("rooms", ["{", '{"A": "1"}', '{"A": true}', "no-such-file.json", "[]"])
def test_rooms_that_cannot_be_read_are_refused(tmp_path: Path, rooms: str) -> None:
    file = tmp_path / "stays.csv"
    file.write_text("hotel\n", "utf-8")
    result = _run("replay", str(file), "--rooms", rooms, DATABASE_URL="postgresql://x@127.0.0.1:1/x")
    assert result.exit_code == 1
    assert "--rooms" in result.stderr


def _plant_a_wrong_counter(database: PostgresDatabase) -> None:
    with psycopg.connect(database.admin_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO agencies (agency_id, name, slug) VALUES (gen_random_uuid(), 'Planted', 'planted')"
        )
        connection.execute(
            "INSERT INTO properties (agency_id, property_id, name, zone, currency, business_date, check_in_at,"
            " check_out_at, version) SELECT agency_id, gen_random_uuid(), 'P', 'Europe/Lisbon', 'EUR', '2027-01-01',"
            " '15:00', '11:00', 1 FROM agencies WHERE slug = 'planted'"
        )
        connection.execute(
            "INSERT INTO unit_types (agency_id, unit_type_id, property_id, name, largest_party, overbooking,"
            " turnover_nights) SELECT agency_id, gen_random_uuid(), property_id, 'T', 2, 0, 0 FROM properties"
        )
        connection.execute(
            "INSERT INTO type_nights (agency_id, unit_type_id, night, capacity, overbooking, booked)"
            " SELECT agency_id, unit_type_id, '2027-01-02', 1, 0, 1 FROM unit_types"
        )


@pytest.mark.postgres
def test_replay_reports_as_json_and_as_tables_and_writes_its_files(
    fresh_postgres_database: PostgresDatabase, repository: Path, tmp_path: Path
) -> None:
    lines = (repository / "tests/data/replay/small.csv").read_text("utf-8").splitlines(keepends=True)
    file, chart, skipped = tmp_path / "stays.csv", tmp_path / "chart.svg", tmp_path / "skipped.csv"
    file.write_text("".join(lines[:12]), "utf-8")
    files = ("--chart", str(chart), "--skipped", str(skipped))
    as_json = _on(fresh_postgres_database, "replay", str(file), "--json", *files)
    assert as_json.exit_code == 0, as_json.output
    report = json.loads(as_json.stdout)
    assert report["rows"] == 11
    assert {"skipped", "accepted", "months"} <= set(report)
    assert "<svg" in chart.read_text("utf-8")[:200]
    assert skipped.stat().st_size
    as_table = _on(fresh_postgres_database, "replay", str(file))
    assert as_table.exit_code == 0
    assert "Occupancy %" in as_table.stdout
    assert _on(fresh_postgres_database, "verify").exit_code == 0


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("stays.csv.gz", b"\x1f\x8bbroken", "gzip"),
        ("stays.csv", b"hotel,adr\n", "is a column that is missing"),
        ("stays.csv", b"", "file must not be empty"),
    ],
)
def test_a_file_that_cannot_be_replayed_is_a_sentence_and_writes_nothing(
    postgres_database: PostgresDatabase, tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    result = _on(postgres_database, "replay", str(file))
    assert result.exit_code == 1
    assert words in result.stderr
    assert "Traceback" not in result.output
    with psycopg.connect(postgres_database.admin_url) as connection:
        assert connection.execute("SELECT count(*) FROM agencies").fetchone() == (0,)
