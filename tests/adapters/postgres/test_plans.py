"""The plan that a statement gets on an empty table stays with its connection, so it must be the right one at once."""

from __future__ import annotations

from uuid import UUID

import psycopg
import pytest

pytestmark = pytest.mark.postgres

NOBODY = UUID(int=0)


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("bookings", ("booking_id",)),
        ("booking_rooms", ("booking_id",)),
        ("units", ("unit_id",)),
        ("unit_types", ("unit_type_id",)),
        ("holds", ("hold_id",)),
        ("quotes", ("quote_id",)),
    ],
)
def test_a_key_is_looked_up_by_its_own_index_while_the_table_is_empty(fresh_postgres_database, table, key):
    condition = " AND ".join(f"{column} = %s" for column in ("agency_id", *key))
    with psycopg.connect(fresh_postgres_database.app_url) as connection:
        connection.execute("SET plan_cache_mode = force_generic_plan")
        rows = connection.execute(
            f"EXPLAIN SELECT 1 FROM {table} WHERE {condition}", [NOBODY] * (1 + len(key))
        ).fetchall()
    plan = "\n".join(row[0] for row in rows)
    assert f"{table}_pkey" in plan, plan
