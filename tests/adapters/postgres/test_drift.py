from __future__ import annotations

import psycopg
import pytest
from psycopg import errors as pg

from pms_adapters.postgres.drift import Drift, SchemaCheck, _missing_column, schema_out_of_date
from pms_adapters.postgres.migrations.history import brought_by
from pmscore.kernel.errors import SchemaOutOfDateError

pytestmark = pytest.mark.postgres

FOUNDATION = "0001_foundation"


def drift_after(database, change: str) -> tuple[Drift, ...]:
    with psycopg.connect(database.admin_url) as connection:
        connection.execute(change)
        found = SchemaCheck(connection).find_drift()
        connection.rollback()
    return found


class TestSchemaCheck:
    def test_a_migrated_database_has_no_drift(self, postgres_database):
        with psycopg.connect(postgres_database.app_url) as connection:
            check = SchemaCheck(connection)
            assert check.find_drift() == ()
            check.require_current()

    def test_an_empty_database_lacks_every_table(self, empty_postgres_database):
        with psycopg.connect(empty_postgres_database.admin_url) as connection:
            found = SchemaCheck(connection).find_drift()
        tables = {table for table, column in brought_by() if column is None}
        assert {drift.table for drift in found} == tables
        assert {drift.column for drift in found} == {None}

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            ("DROP TABLE stay_rules", Drift("stay_rules", None, FOUNDATION)),
            ("ALTER TABLE holds DROP COLUMN status", Drift("holds", "status", FOUNDATION)),
            ("ALTER TABLE guests RENAME TO visitors", Drift("guests", None, FOUNDATION)),
            ("ALTER TABLE guests SET SCHEMA information_schema", Drift("guests", None, FOUNDATION)),
        ],
    )
    def test_what_is_missing_is_named_with_its_migration(self, postgres_database, change, expected):
        assert drift_after(postgres_database, change) == (expected,)

    def test_all_constraints_are_there(self, postgres_database):
        with psycopg.connect(postgres_database.app_url) as connection:
            assert SchemaCheck(connection).find_missing_constraints() == ()

    @pytest.mark.parametrize(
        ("table", "constraint", "again"),
        [
            ("unit_nights", "unit_nights_pkey", None),
            ("type_nights", "type_nights_within_capacity", "CHECK (booked <= capacity) NOT VALID"),
            ("units", "units_unit_types_fkey", None),
        ],
    )
    def test_a_constraint_that_does_not_hold_is_named(self, postgres_database, table, constraint, again):
        with psycopg.connect(postgres_database.admin_url) as connection:
            connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}")
            if again is not None:
                connection.execute(f"ALTER TABLE {table} ADD CONSTRAINT {constraint} {again}")
            assert SchemaCheck(connection).find_missing_constraints() == (f"{table}.{constraint}",)
            connection.rollback()

    def test_more_than_we_know_is_no_drift(self, postgres_database):
        assert drift_after(postgres_database, "ALTER TABLE guests ADD COLUMN shoe_size int") == ()

    def test_the_first_that_is_missing_is_raised(self, postgres_database):
        with psycopg.connect(postgres_database.admin_url) as connection:
            connection.execute("ALTER TABLE guests DROP COLUMN phone")
            with pytest.raises(SchemaOutOfDateError) as caught:
                SchemaCheck(connection).require_current()
            connection.rollback()
        assert caught.value.params == {
            "retry_count": 0,
            "table": "guests",
            "column": "phone",
            "migration": FOUNDATION,
        }


class TestFailedStatement:
    @pytest.mark.parametrize(
        ("statement", "table", "column", "migration"),
        [
            ("SELECT * FROM guests", "guests", None, FOUNDATION),
            ("SELECT * FROM public.guests", "guests", None, FOUNDATION),
            ("TABLE nobody_knows", "nobody_knows", None, None),
            ("INSERT INTO holds (status) VALUES ('x')", "holds", "status", FOUNDATION),
            ("UPDATE holds SET status = 'x'", "holds", "status", FOUNDATION),
            ("SELECT holds.status FROM holds", "holds", "status", FOUNDATION),
            ("SELECT b.nightly FROM booking_rooms b", "booking_rooms", "nightly", FOUNDATION),
            ("SELECT nightly FROM booking_rooms", "booking_rooms", "nightly", FOUNDATION),
            # Several tables have one: those of the latest migration are the likeliest to be missing it.
            (
                "SELECT h.status FROM holds h",
                "channel_connections,channel_revisions,channel_sync_logs",
                "status",
                "0011_channels",
            ),
            ("SELECT u.shoe_size FROM units u", "u", "shoe_size", None),
            ("SELECT shoe_size FROM units", "unknown", "shoe_size", None),
        ],
    )
    def test_a_statement_names_what_it_missed(self, postgres_database, statement, table, column, migration):
        with psycopg.connect(postgres_database.admin_url) as connection:
            connection.execute("ALTER TABLE guests RENAME TO visitors")
            connection.execute("ALTER TABLE holds DROP COLUMN status")
            connection.execute("ALTER TABLE booking_rooms DROP COLUMN nightly")
            with pytest.raises((pg.UndefinedTable, pg.UndefinedColumn)) as caught:
                connection.execute(statement)
            connection.rollback()
        found = schema_out_of_date(caught.value)
        assert found.params == {"retry_count": 0, "table": table, "column": column, "migration": migration}

    @pytest.mark.parametrize(
        "message",
        [
            "Spalte »status« von Relation »holds« existiert nicht",
            "la colonne « status » de la relation « holds » n'existe pas",
            "no existe la columna «status» en la relación «holds»",
            'リレーション"holds"の列"status"は存在しません',
            "column holds.status does not exist",
            "Spalte holds.status existiert nicht",
        ],
    )
    def test_the_language_of_the_server_does_not_matter(self, message):
        found = _missing_column(message)
        assert {found.table, found.column} == {"holds", "status"}
