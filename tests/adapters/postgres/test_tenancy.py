from __future__ import annotations

import uuid
from collections.abc import Iterator

import psycopg
import pytest
from attrs import frozen
from psycopg import errors as pg
from psycopg import sql

from pms_adapters.postgres import tenancy
from pms_adapters.postgres.tables import GLOBAL_TABLES, metadata
from pms_adapters.postgres.tenancy import Finding, lint_catalogue, unsafe_role

pytestmark = pytest.mark.postgres

TABLES = [table.name for table in metadata.sorted_tables if table.name not in GLOBAL_TABLES - {"agencies"}]
APPEND_ONLY = {"audit_seals", "events", "price_books", "webhook_attempts"}
VALUES = {
    "departure": "2030-01-02",
    "end_date": "2030-01-02",
    "kind": "booked",
    "nightly": "{1}",
    "sold": "{0}",
    "night_amounts": "{1}",
    "parties": "[{}]",
    "capacity": "9",
    "state": "waiting",
    "role": "admin",
}
OF_TABLE = {
    ("webhook_endpoints", "status"): "active",
    ("webhook_deliveries", "status"): "delivered",
    ("channel_connections", "status"): "active",
    ("channel_mappings", "kind"): "room",
    ("channel_lanes", "lane"): "pricing",
    ("channel_cells", "cells"): "{" + ",".join(31 * ["1"]) + "}",
    ("channel_revisions", "state"): "received",
    ("channel_sync_logs", "operation_type"): "bookings_sync",
    ("channel_sync_logs", "direction"): "inbound",
    ("channel_sync_logs", "status"): "success",
}
BY_TYPE = {
    "date": "2030-01-01",
    "time without time zone": "12:00",
    "timestamp with time zone": "2030-01-01T00:00Z",
    "jsonb": "{}",
    "text[]": "{}",
    "uuid[]": "{}",
    "integer[]": "{}",
    "integer": "1",
    "smallint": "1",
    "bigint": "1",
    "numeric(19,10)": "1",
    "boolean": "false",
    "bytea": "",
}


@frozen
class Agencies:
    """A database in which two agencies have one row in every table."""

    app_url: str
    ours: uuid.UUID
    theirs: uuid.UUID

    def as_app(self, agency: uuid.UUID | None) -> psycopg.Connection:
        connection = psycopg.connect(self.app_url)
        if agency is not None:
            connection.execute("SELECT set_config('app.agency_id', %s, true)", [str(agency)])
        return connection


@pytest.fixture(scope="module")
def agencies(postgres_database) -> Iterator[Agencies]:
    both = Agencies(postgres_database.app_url, uuid.uuid4(), uuid.uuid4())
    with psycopg.connect(postgres_database.admin_url) as connection:
        # Rows without the rows that they refer to are enough here.
        connection.execute("SET session_replication_role = replica")
        for table in TABLES:
            for agency in (both.ours, both.theirs):
                connection.execute(*row_of(connection, table, agency))
    return both


def row_of(connection: psycopg.Connection, table: str, agency: uuid.UUID) -> tuple[sql.Composed, list[str]]:
    """Return an insert of a row that passes the checks of ``table``."""
    columns = connection.execute(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute a WHERE attrelid = %s::regclass"
        " AND attnum > 0 AND attnotnull AND attidentity = ''",
        [table],
    ).fetchall()
    values = {
        name: OF_TABLE.get((table, name)) or VALUES.get(name) or BY_TYPE.get(kind) or str(uuid.uuid4())
        for name, kind in columns
    }
    values["agency_id"] = str(agency)
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, values)),
        sql.SQL(", ").join([sql.Placeholder()] * len(values)),
    )
    return statement, list(values.values())


def count(connection: psycopg.Connection, table: str) -> int:
    (number,) = connection.execute(
        sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
    ).fetchone()
    return number


class TestRows:
    @pytest.mark.parametrize("table", TABLES)
    def test_without_an_agency_nothing_is_seen(self, agencies, table):
        with agencies.as_app(None) as connection:
            assert count(connection, table) == 0
            # After a transaction with a setting, the setting is an empty text and no longer NULL.
            connection.execute("SELECT set_config('app.agency_id', %s, true)", [str(agencies.ours)])
            connection.commit()
            assert count(connection, table) == 0

    @pytest.mark.parametrize("table", TABLES)
    def test_an_agency_sees_its_own_rows_only(self, agencies, table):
        with agencies.as_app(agencies.ours) as connection:
            seen = connection.execute(sql.SQL("SELECT agency_id FROM {}").format(sql.Identifier(table)))
            assert seen.fetchall() == [(agencies.ours,)]

    @pytest.mark.parametrize("table", TABLES)
    def test_a_row_for_another_agency_is_refused(self, agencies, table):
        with agencies.as_app(agencies.ours) as connection:
            statement = row_of(connection, table, uuid.uuid4())
            with pytest.raises(pg.InsufficientPrivilege, match="row-level security"):
                connection.execute(*statement)

    @pytest.mark.parametrize("table", sorted(set(TABLES) - APPEND_ONLY))
    def test_a_change_of_all_rows_stops_at_our_own(self, agencies, table):
        with agencies.as_app(agencies.ours) as connection:
            changed = connection.execute(
                sql.SQL("UPDATE {} SET agency_id = agency_id").format(sql.Identifier(table))
            )
            assert changed.rowcount == 1

    @pytest.mark.parametrize("table", TABLES)
    def test_nobody_can_empty_a_table(self, agencies, table):
        with agencies.as_app(agencies.ours) as connection, pytest.raises(pg.InsufficientPrivilege):
            connection.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.Identifier(table)))

    @pytest.mark.parametrize("statement", ["UPDATE events SET kind = 'x'", "DELETE FROM events"])
    def test_history_is_only_added_to(self, agencies, statement):
        with agencies.as_app(agencies.ours) as connection, pytest.raises(pg.InsufficientPrivilege):
            connection.execute(statement)

    def test_a_row_refers_to_its_own_agency_and_to_no_other(self, agencies):
        """The check of a foreign key is made as the owner, whom the policies hold back as well."""
        insert = "INSERT INTO units (agency_id, unit_id, unit_type_id, name) VALUES (%s, %s, %s, 'planted')"
        with agencies.as_app(agencies.theirs) as connection:
            [(type_of_theirs,)] = connection.execute("SELECT unit_type_id FROM unit_types").fetchall()
        with agencies.as_app(agencies.ours) as connection:
            [(type_of_ours,)] = connection.execute("SELECT unit_type_id FROM unit_types").fetchall()
            added = connection.execute(insert, [agencies.ours, uuid.uuid4(), type_of_ours])
            assert added.rowcount == 1
            with pytest.raises(pg.ForeignKeyViolation):
                connection.execute(insert, [agencies.ours, uuid.uuid4(), type_of_theirs])
            connection.rollback()

    def test_the_owner_of_the_tables_sees_nothing_either(self, agencies, postgres_database):
        with psycopg.connect(postgres_database.admin_url) as connection:
            assert count(connection, "guests") == 2
            connection.execute("SET ROLE pms_owner")
            assert count(connection, "guests") == 0

    def test_a_backup_reads_all_rows_and_changes_none(self, agencies, postgres_database):
        with psycopg.connect(postgres_database.admin_url) as connection:
            connection.execute("SET ROLE pms_backup")
            connection.execute("SET row_security = off")
            assert {count(connection, table) for table in TABLES} == {2}
            with pytest.raises(pg.InsufficientPrivilege):
                connection.execute("DELETE FROM guests")

    def test_the_relay_reads_nothing_yet(self, agencies, postgres_database):
        with psycopg.connect(postgres_database.admin_url) as connection:
            connection.execute("SET ROLE pms_relay")
            with pytest.raises(pg.InsufficientPrivilege):
                count(connection, "events")


class TestRoles:
    @pytest.mark.parametrize(
        ("role", "reason"),
        [
            (None, "superuser"),
            ("pms_backup", "bypassrls"),
            ("pms_owner", "owner"),
            ("pms_app", None),
            ("pms_relay", None),
        ],
    )
    def test_only_a_role_below_the_policies_may_serve(self, postgres_database, role, reason):
        with psycopg.connect(postgres_database.admin_url) as connection:
            if role is not None:
                connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
            assert unsafe_role(connection) == reason

    def test_a_role_that_can_become_the_owner_may_not_serve(self, postgres_database):
        with psycopg.connect(postgres_database.admin_url) as connection:
            connection.execute("CREATE ROLE pms_test_member; GRANT pms_owner TO pms_test_member")
            connection.execute("SET ROLE pms_test_member")
            assert unsafe_role(connection) == "owner"
            connection.rollback()

    def test_the_application_does_not_wait_for_ever(self, postgres_database):
        with psycopg.connect(postgres_database.app_url) as connection:
            names = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout", "jit")
            values = [connection.execute(f"SHOW {name}").fetchone()[0] for name in names]
            assert values == ["2s", "15s", "30s", "off"]


TABLE = "CREATE TABLE planted (agency_id uuid NOT NULL, id int, PRIMARY KEY (agency_id, id));"
ENABLED = TABLE + "ALTER TABLE planted ENABLE ROW LEVEL SECURITY;"
OWN_ROWS = "agency_id = nullif(current_setting('app.agency_id', true), '')::uuid"
# What a careless change could do, and what the lint must say to it.
BREACHES = {
    "table_without_agency": "CREATE TABLE planted (agency_id uuid, id int)",
    "table_not_enabled": TABLE,
    "table_not_forced": ENABLED,
    "policy_missing": ENABLED + f"CREATE POLICY p ON planted FOR SELECT USING ({OWN_ROWS})",
    "policy_wrong": ENABLED + "CREATE POLICY p ON planted USING (true) WITH CHECK (true)",
    "key_without_agency": "CREATE UNIQUE INDEX planted ON guests (email)",
    "table_without_key": "ALTER TABLE idempotency_keys DROP CONSTRAINT idempotency_keys_pkey",
    "foreign_key_without_agency": "ALTER TABLE units ADD UNIQUE (unit_id);"
    "ALTER TABLE holds ADD CONSTRAINT planted FOREIGN KEY (unit_id) REFERENCES units (unit_id)",
    "view_without_invoker": "CREATE VIEW planted AS SELECT * FROM guests",
    "materialised_view": "CREATE MATERIALIZED VIEW planted AS SELECT * FROM guests",
    "definer_function": "CREATE FUNCTION planted() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
    "owner_above_policies": "ALTER TABLE guests OWNER TO CURRENT_USER",
    "owner_can_log_in": "ALTER ROLE pms_owner LOGIN",
    "role_missing": "ALTER ROLE pms_relay RENAME TO pms_test_relay",
    "role_above_policies": "ALTER ROLE pms_app BYPASSRLS",
    "role_owns_table": "ALTER TABLE guests OWNER TO pms_app",
    "role_can_become_owner": "GRANT pms_owner TO pms_app",
    "grant_too_wide": "GRANT TRUNCATE ON guests TO pms_app",
    "history_can_be_changed": "GRANT DELETE ON events TO pms_app",
    "grant_on_partition": "CREATE TABLE planted (agency_id uuid, n int) PARTITION BY LIST (n);"
    "CREATE TABLE planted_1 PARTITION OF planted FOR VALUES IN (1);"
    "GRANT SELECT ON planted_1 TO pms_app",
}


class TestLint:
    def test_the_migrated_database_breaks_no_rule(self, postgres_database):
        with psycopg.connect(postgres_database.app_url) as connection:
            assert lint_catalogue(connection) == ()

    @pytest.mark.parametrize("code", BREACHES)
    def test_a_planted_breach_is_found(self, postgres_database, code):
        with psycopg.connect(postgres_database.admin_url) as connection:
            connection.execute(BREACHES[code])
            found = lint_catalogue(connection)
            connection.rollback()
            assert code in {finding.code for finding in found}

    def test_every_rule_has_a_breach_that_it_finds(self):
        assert set(BREACHES) == set(tenancy._RULES)

    @pytest.mark.parametrize(
        ("breach", "finding"),
        [
            ("CREATE POLICY p ON guests USING (true)", Finding("policy_wrong", "guests.p")),
            (
                f"DROP POLICY guests_own_rows ON guests; CREATE POLICY p ON guests USING ({OWN_ROWS})",
                Finding("policy_wrong", "guests.p"),
            ),
            ("GRANT SELECT ON guests TO PUBLIC", Finding("grant_too_wide", "guests: SELECT to PUBLIC")),
            (
                "GRANT INSERT ON guests TO pms_backup",
                Finding("grant_too_wide", "guests: INSERT to pms_backup"),
            ),
            ("ALTER TABLE agencies NO FORCE ROW LEVEL SECURITY", Finding("table_not_forced", "agencies")),
            ("CREATE SCHEMA other; CREATE TABLE other.t (n int)", Finding("table_not_enabled", "t")),
        ],
    )
    def test_a_finding_names_the_culprit(self, postgres_database, breach, finding):
        with psycopg.connect(postgres_database.admin_url) as connection:
            connection.execute(breach)
            found = lint_catalogue(connection)
            connection.rollback()
            assert finding in found

    def test_a_view_with_the_rights_of_its_caller_is_fine(self, postgres_database):
        with psycopg.connect(postgres_database.admin_url) as connection:
            connection.execute("CREATE VIEW planted WITH (security_invoker = true) AS SELECT * FROM guests")
            assert lint_catalogue(connection) == ()
            connection.rollback()
