from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import copytree, ignore_patterns
from threading import Barrier

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from attrs import frozen
from sqlalchemy import NullPool, create_engine

from pms_adapters.embedded.temporary import temporary_postgres
from pms_adapters.postgres import migrate
from pms_adapters.postgres.migrate import MigrationReport, status, upgrade
from pms_adapters.postgres.migrations.history import SCRIPTS, brought_by, list_migrations, open_scripts
from pms_adapters.postgres.migrations.roles import RolePlan
from pms_adapters.postgres.migrations.schema import Schema
from pms_adapters.postgres.tables import metadata
from pms_adapters.postgres.tenancy import ROLES, lint_catalogue
from pmscore.kernel.errors import BusyError, MisconfiguredError, UnreachableError

pytestmark = pytest.mark.postgres

NAMES = tuple(migration.revision for migration in list_migrations(open_scripts()))
HEAD = NAMES[-1]
PATIENCE = 30.0


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.02)


def fetch(url: str, query: str) -> list[tuple]:
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


def plant(scripts: Path, statements: str) -> None:
    """Write a last migration that runs ``statements``, which may use ``schema``."""
    body = "".join(f"    {line}\n" for line in statements.splitlines())
    (scripts / "versions" / "planted.py").write_text(
        f"revision = 'planted'\ndown_revision = {HEAD!r}\n\ndef upgrade(schema):\n{body}"
    )


@pytest.fixture
def scripts(tmp_path) -> Path:
    """Return a copy of the migrations to which one may be added."""
    return copytree(SCRIPTS, tmp_path / "migrations", ignore=ignore_patterns("__pycache__"))


class TestUpgrade:
    def test_an_empty_database_gets_every_migration(self, empty_postgres_database):
        heard = []
        report = upgrade(
            empty_postgres_database.admin_url,
            roles=empty_postgres_database.role_plan,
            progress=heard.append,
        )
        assert report == MigrationReport(None, HEAD, NAMES)
        assert tuple(heard) == NAMES

    def test_repeating_it_changes_nothing(self, fresh_postgres_database):
        database = fresh_postgres_database
        assert upgrade(database.admin_url, roles=database.role_plan) == MigrationReport(HEAD, HEAD, ())

    def test_the_owner_cannot_log_in_and_owns_all_tables(self, postgres_database):
        owners = fetch(
            postgres_database.admin_url,
            "SELECT DISTINCT relowner::regrole::text FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace",
        )
        assert owners == [("pms_owner",)]

    def test_the_url_may_name_the_driver(self, fresh_postgres_database):
        url = fresh_postgres_database.admin_url.replace("postgresql://", "postgresql+psycopg://")
        assert upgrade(url).applied == ()

    def test_a_migration_may_hold_percent_signs(self, fresh_postgres_database, scripts):
        plant(scripts, "schema.run(\"COMMENT ON TABLE guests IS '100 %s %'\")")
        upgrade(fresh_postgres_database.admin_url, scripts=scripts)
        said = fetch(fresh_postgres_database.admin_url, "SELECT obj_description('guests'::regclass)")
        assert said == [("100 %s %",)]

    def test_a_migration_that_fails_leaves_nothing_and_is_named(self, fresh_postgres_database, scripts):
        url = fresh_postgres_database.admin_url
        plant(scripts, "schema.column('guests', 'planted text')\nschema.run('SELECT 1 / 0')")
        with pytest.raises(MisconfiguredError) as caught:
            upgrade(url, scripts=scripts)
        assert caught.value.params["reason"] == "migration_failed"
        assert caught.value.params["migration"] == "planted"
        assert caught.value.params["said"] == "division by zero"
        assert columns_of(url, "guests", "planted") == []
        assert status(url).current == HEAD


def columns_of(url: str, table: str, column: str) -> list[tuple]:
    return fetch(
        url,
        "SELECT attname FROM pg_attribute"
        f" WHERE attrelid = '{table}'::regclass AND attname = '{column}' AND NOT attisdropped",
    )


class TestStatus:
    def test_an_empty_database_lacks_all(self, empty_postgres_database):
        found = status(empty_postgres_database.admin_url)
        assert (found.current, found.pending, found.is_current) == (None, NAMES, False)

    def test_the_application_may_ask(self, postgres_database):
        assert status(postgres_database.app_url).is_current

    def test_a_database_ahead_of_the_program_is_left_alone(self, fresh_postgres_database, scripts):
        plant(scripts, "pass")
        upgrade(fresh_postgres_database.admin_url, scripts=scripts)
        for ask in (status, upgrade):
            with pytest.raises(MisconfiguredError) as caught:
                ask(fresh_postgres_database.admin_url)
            assert caught.value.params == {
                "retry_count": 0,
                "reason": "schema_is_newer",
                "revision": "planted",
            }


class TestSchema:
    def test_alembic_sees_no_difference_to_the_tables(self, postgres_database):
        url = postgres_database.admin_url
        engine = create_engine(
            "postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=NullPool
        )
        with engine.connect() as connection:
            context = MigrationContext.configure(
                connection, opts={"compare_type": True, "compare_server_default": True}
            )
            assert compare_metadata(context, metadata) == []

    def test_the_catalogue_is_what_the_tables_would_make(self, postgres_database, empty_postgres_database):
        """Columns, constraints and indexes with their whole definitions, checks and predicates included."""
        url = empty_postgres_database.admin_url
        engine = create_engine(
            "postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=NullPool
        )
        metadata.create_all(engine)
        for query in CATALOGUE:
            assert fetch(postgres_database.admin_url, query) == fetch(url, query)

    def test_every_table_and_column_has_the_migration_that_brings_it(self):
        origins = brought_by()
        for table in metadata.sorted_tables:
            assert origins[table.name, None] in NAMES
            assert all(origins[table.name, column.name] in NAMES for column in table.columns)

    def test_what_the_migrations_bring_is_what_is_there(self, postgres_database):
        live = fetch(
            postgres_database.admin_url,
            "SELECT relname, attname FROM pg_attribute JOIN pg_class c ON c.oid = attrelid"
            " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND attnum > 0"
            " AND relname <> 'alembic_version'",
        )
        assert set(live) == {(table, column) for table, column in brought_by() if column is not None}

    def test_names_fit_into_the_version_table_and_follow_each_other(self):
        assert all(len(name) <= 32 for name in NAMES)
        assert [name[:5] for name in NAMES] == [f"{number:04}_" for number in range(1, len(NAMES) + 1)]
        assert open_scripts().get_heads() == [HEAD]

    def test_a_line_that_is_no_column_is_refused(self):
        schema = Schema(lambda _: None)
        with pytest.raises(ValueError, match="Name"):
            schema.tenant_table("t", "Name text")
        with pytest.raises(ValueError, match="UNIQUE"):
            schema.column("t", "UNIQUE (agency_id)")


CATALOGUE = (
    """SELECT relname, attname, format_type(atttypid, atttypmod), attnotnull, attidentity,
              pg_get_expr(adbin, adrelid)
         FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid
         LEFT JOIN pg_attrdef ON adrelid = c.oid AND adnum = attnum
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND attnum > 0
          AND relname <> 'alembic_version' ORDER BY relname, attnum""",
    # What is not null stands in the columns already; only PostgreSQL 18 keeps it as a constraint too.
    """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
          AND conrelid::regclass::text <> 'alembic_version' ORDER BY 1, 2""",
    """SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'
        ORDER BY 1""",
)


@pytest.mark.race
class TestTwoAtOnce:
    SLOW = "schema.run('SELECT pg_sleep(0.5)')\nschema.column('guests', 'planted text')"

    def run_at_once(self, url, scripts, number=4) -> list[object]:
        gate = Barrier(number)

        def one() -> object:
            gate.wait(PATIENCE)
            try:
                return upgrade(url, scripts=scripts)
            except MisconfiguredError as error:
                return error

        with ThreadPoolExecutor(number) as pool:
            return [future.result(PATIENCE) for future in [pool.submit(one) for _ in range(number)]]

    def test_one_works_and_the_others_find_nothing_to_do(self, empty_postgres_database, scripts):
        plant(scripts, self.SLOW)
        reports = self.run_at_once(empty_postgres_database.admin_url, scripts)
        assert sorted(report.applied for report in reports) == [(), (), (), (*NAMES, "planted")]
        assert {report.to_revision for report in reports} == {"planted"}

    def test_without_the_lock_they_would_collide(self, fresh_postgres_database, scripts, monkeypatch):
        monkeypatch.setattr(migrate, "_wait_for_turn", lambda *_: None)
        # So long that all have begun before the first is done, on a slow machine, too.
        plant(scripts, self.SLOW.replace("0.5", "3"))
        reports = self.run_at_once(fresh_postgres_database.admin_url, scripts)
        assert any(isinstance(report, MisconfiguredError) for report in reports)

    def test_different_databases_share_the_roles_without_a_quarrel(self, postgres_server):
        """Roles belong to the cluster, so the lock of a database does not keep two of them apart."""
        with postgres_server.database() as one, postgres_server.database() as two:
            gate = Barrier(4)

            def again(database, timeout) -> None:
                gate.wait(PATIENCE)
                for lap in range(5):
                    plan = RolePlan(passwords=database.role_plan.passwords, idle_timeout_ms=timeout + lap)
                    upgrade(database.admin_url, roles=plan)

            with ThreadPoolExecutor(4) as pool:
                futures = [
                    pool.submit(again, database, timeout)
                    for database, timeout in ((one, 10_000), (two, 20_000), (one, 30_000), (two, 40_000))
                ]
                for future in futures:
                    future.result(PATIENCE)
            upgrade(one.admin_url, roles=one.role_plan)
            assert status(one.app_url).is_current
            assert status(two.app_url).is_current

    def test_patience_with_another_run_has_an_end(self, fresh_postgres_database):
        url = fresh_postgres_database.admin_url
        with psycopg.connect(url) as other:
            other.execute("SELECT pg_advisory_lock(%s)", [migrate._LOCK_KEY])
            with pytest.raises(BusyError) as caught:
                upgrade(url, wait_seconds=0.1)
        assert caught.value.params == {"reason": "another_migration_runs"}


SLEEPING = "SELECT pid FROM pg_stat_activity WHERE query LIKE '%pg_sleep(61)%' AND pid <> pg_backend_pid()"
HALF_WAY = "schema.column('guests', 'planted text')\nschema.run('SELECT pg_sleep(61)')"
WHOLE = "schema.column('guests', 'planted text')"
MIGRATE = """
import sys
from pathlib import Path
from pms_adapters.postgres.migrate import upgrade
upgrade(sys.argv[1], scripts=Path(sys.argv[2]))
"""


@pytest.mark.fault
class TestKilledHalfWay:
    def test_a_process_that_is_killed_leaves_whole_migrations_only(self, empty_postgres_database, scripts):
        url = empty_postgres_database.admin_url
        plant(scripts, HALF_WAY)
        path = os.pathsep.join(each for each in sys.path if each)
        process = subprocess.Popen(
            [sys.executable, "-c", MIGRATE, url, str(scripts)], env={**os.environ, "PYTHONPATH": path}
        )
        try:
            wait_until(lambda: fetch(url, SLEEPING) != [])
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        plant(scripts, WHOLE)
        # The server notices by itself that its client is gone, and lets the next one in.
        report = upgrade(url, scripts=scripts)
        assert report == MigrationReport(HEAD, "planted", ("planted",))
        assert columns_of(url, "guests", "planted") == [("planted",)]

    def test_a_session_that_is_ended_says_so_and_can_be_repeated(self, fresh_postgres_database, scripts):
        url = fresh_postgres_database.admin_url
        plant(scripts, HALF_WAY)
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(upgrade, url, scripts=scripts)
            wait_until(lambda: fetch(url, SLEEPING) != [])
            [(pid,)] = fetch(url, SLEEPING)
            fetch(url, f"SELECT pg_terminate_backend({pid})")
            with pytest.raises(UnreachableError):
                future.result(PATIENCE)
        assert columns_of(url, "guests", "planted") == []
        plant(scripts, WHOLE)
        assert upgrade(url, scripts=scripts).applied == ("planted",)


class TestBusyTable:
    @pytest.fixture(autouse=True)
    def short_locks(self, monkeypatch) -> None:
        monkeypatch.setattr(migrate, "_LOCK_TIMEOUT_MS", 50)

    def test_a_table_in_use_is_asked_for_again(self, fresh_postgres_database, scripts):
        url = fresh_postgres_database.admin_url
        plant(scripts, WHOLE)
        with ThreadPoolExecutor(1) as pool, psycopg.connect(url) as reader:
            reader.execute("SELECT count(*) FROM guests")
            future = pool.submit(upgrade, url, scripts=scripts)
            wait_until(lambda: was_refused(url))
            assert not future.done()
            reader.rollback()
            assert future.result(PATIENCE).applied == ("planted",)

    def test_patience_has_an_end_and_nothing_is_half_done(self, fresh_postgres_database, scripts):
        url = fresh_postgres_database.admin_url
        plant(scripts, WHOLE)
        with psycopg.connect(url) as reader:
            reader.execute("SELECT count(*) FROM guests")
            with pytest.raises(BusyError) as caught:
                upgrade(url, scripts=scripts, wait_seconds=0.2)
        assert caught.value.params == {"migration": "planted"}
        assert status(url).current == HEAD


def was_refused(url: str) -> bool:
    """Whether a migration has given up a transaction and pauses before the next."""
    return (
        fetch(
            url,
            "SELECT 1 FROM pg_stat_activity WHERE application_name = 'pms migrate' AND query = 'ROLLBACK'"
            " AND datname = current_database()",
        )
        != []
    )


@frozen
class BareServer:
    """A server of its own, whose roles may be made and removed."""

    admin: str
    deployer: str
    deployer_password: str

    def deployer_with(self, right: str) -> str:
        """Return the URL of a login with ``right`` to an empty database of its own; nothing of ours is left."""
        with psycopg.connect(self.admin, autocommit=True, dbname="postgres") as connection:
            connection.execute("DROP DATABASE IF EXISTS house WITH (FORCE)")
            for name in (*ROLES, "deployer"):
                connection.execute(f"DROP ROLE IF EXISTS {name}")
            connection.execute(f"CREATE ROLE deployer LOGIN {right} PASSWORD '{self.deployer_password}'")
            connection.execute("CREATE DATABASE house OWNER deployer")
        return self.deployer


@pytest.fixture(scope="module")
def bare_server() -> Iterator[BareServer]:
    with temporary_postgres() as server:
        yield BareServer(
            server.url(database="house"),
            server.url(role="deployer", database="house"),
            server.password("deployer"),
        )


class TestLogin:
    def test_a_login_that_may_make_roles_needs_to_be_no_superuser(self, bare_server):
        url = bare_server.deployer_with("CREATEROLE")
        assert upgrade(url, roles=RolePlan(passwords={"pms_app": "secret"})).applied == NAMES
        assert upgrade(url, roles=RolePlan(passwords={"pms_app": "secret"})).applied == ()
        with psycopg.connect(url) as connection:
            assert lint_catalogue(connection) == ()

    def test_a_login_that_may_not_is_told_what_an_administrator_runs(self, bare_server):
        url = bare_server.deployer_with("")
        with pytest.raises(MisconfiguredError) as caught:
            upgrade(url)
        assert caught.value.params["reason"] == "cannot_make_roles"
        with psycopg.connect(bare_server.admin) as connection:
            connection.execute(caught.value.params["sql"])
        assert upgrade(url).applied == NAMES
        with psycopg.connect(url) as connection:
            assert lint_catalogue(connection) == ()

    def test_a_role_that_somebody_put_above_the_policies_comes_down_again(self, bare_server):
        url = bare_server.deployer_with("SUPERUSER")
        with psycopg.connect(url) as connection:
            connection.execute("CREATE ROLE pms_app BYPASSRLS")
        upgrade(url)
        with psycopg.connect(url) as connection:
            assert lint_catalogue(connection) == ()

    def test_a_password_reaches_the_server_as_a_verifier_only(self, bare_server):
        url = bare_server.deployer_with("CREATEROLE")
        upgrade(url, roles=RolePlan(passwords={"pms_app": "secret"}))
        [(kept,)] = fetch(bare_server.admin, "SELECT rolpassword FROM pg_authid WHERE rolname = 'pms_app'")
        assert kept.startswith("SCRAM-SHA-256$")

    @pytest.mark.parametrize(
        ("url", "reason"),
        [
            ("postgresql://postgres:wrong@/{name}?{query}", "wrong_password"),
            ("postgresql://postgres@/{name}?{query}", "no_password"),
            ("postgresql://{credentials}@/nowhere?{query}", "no_such_database"),
            ("not a url", "not_a_url"),
        ],
    )
    def test_a_wrong_url_says_what_is_wrong(self, bare_server, monkeypatch, tmp_path, url, reason):
        monkeypatch.setenv("PGPASSFILE", str(tmp_path / "absent"))
        head, _, query = bare_server.admin.partition("?")
        credentials = head.removeprefix("postgresql://").partition("@")[0]
        with pytest.raises(MisconfiguredError) as caught:
            upgrade(url.format(name="postgres", query=query, credentials=credentials))
        assert caught.value.params["reason"] == reason

    def test_no_server_is_no_reason_to_give_up(self, tmp_path):
        with pytest.raises(UnreachableError):
            upgrade(f"postgresql://postgres@/postgres?host={tmp_path}")
