"""Which index a statement is answered from: on an empty table, whose plans stay, and among many rows for few of them.

A plan that was made on an empty table stays with its connection, so it must be the right one at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest

from pms_adapters.postgres.engine import open_engine
from pms_adapters.postgres.listing import booking_conditions, conditions
from pms_adapters.postgres.session import Session, Statement
from pms_adapters.postgres.trail import PostgresEventReader, event_statements
from pmscore.booking.model.booking import reference_of
from pmscore.booking.model.listing import BookingFilter
from pmscore.kernel.ids import AgencyId, BookingId
from pmscore.kernel.paging import Page
from pmscore.kernel.trail import EventFilter

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
        ("events", ("txid", "seq")),
    ],
)
def test_a_key_is_looked_up_by_its_own_index_while_the_table_is_empty(fresh_postgres_database, table, key):
    columns = ("agency_id", *key)
    condition = " AND ".join(f"{column} = %s" for column in columns)
    values = [NOBODY if column.endswith("_id") else 0 for column in columns]
    with psycopg.connect(fresh_postgres_database.app_url) as connection:
        connection.execute("SET plan_cache_mode = force_generic_plan")
        rows = connection.execute(f"EXPLAIN SELECT 1 FROM {table} WHERE {condition}", values).fetchall()
    plan = "\n".join(row[0] for row in rows)
    assert f"{table}_pkey" in plan, plan


RARE = 5
MANY = 12_000
SOMEBODY = AgencyId(UUID(int=7))
FILL_EVENTS = """\
INSERT INTO events (agency_id, txid, event_id, kind, aggregate, aggregate_id, version, at, actor_id, request_id, payload)
SELECT %(agency)s, n, gen_random_uuid(),
       CASE WHEN n %% (%(many)s / %(rare)s) = 7 THEN 'user.loggedIn'
            WHEN n %% 3 = 0 THEN 'guest.created' ELSE 'booking.created' END,
       'booking', gen_random_uuid(), 1, now(), gen_random_uuid(), gen_random_uuid(), '{}'
  FROM generate_series(1, %(many)s) n"""
FILL_BOOKINGS = """\
INSERT INTO bookings (agency_id, booking_id, property_id, guest_id, status, currency, channel, created_at, version)
SELECT %(agency)s, gen_random_uuid(), %(agency)s, %(agency)s, 'confirmed', 'EUR', 'direct', now(), 1
  FROM generate_series(1, %(many)s / 3) n"""


@pytest.fixture(scope="module")
def full(postgres_database) -> Iterator[str]:
    """Yield the address of a database with an agency that has a long past."""
    with psycopg.connect(postgres_database.admin_url, autocommit=True) as connection:
        values = {"agency": SOMEBODY, "many": MANY, "rare": RARE}
        connection.execute("INSERT INTO agencies VALUES (%(agency)s, 'Long past', 'long-past')", values)
        connection.execute("SET session_replication_role = replica")  # neither house nor guest is needed
        connection.execute(FILL_EVENTS, values)
        connection.execute(FILL_BOOKINGS, values)
        connection.execute("ANALYZE events")
        connection.execute("ANALYZE bookings")
    yield postgres_database.app_url
    with psycopg.connect(postgres_database.admin_url) as connection:
        connection.execute("SET session_replication_role = replica")
        for table in ("bookings", "events", "agencies"):
            connection.execute(f"DELETE FROM {table} WHERE agency_id = %s", [SOMEBODY])


def plan_of(url: str, statement: Statement) -> str:
    """Return how the application's role is answered, behind the wall of its agency."""
    sql, values = statement
    with psycopg.connect(url) as connection:
        connection.execute("SELECT set_config('app.agency_id', %s, false)", [str(SOMEBODY)])
        return "\n".join(row[0] for row in connection.execute("EXPLAIN " + sql, values))


@pytest.mark.parametrize(
    "kinds",
    [{"user.loggedIn"}, {"user."}, {"user.", "key.revoked"}, {"key.revoked", "user.loggedIn"}],
    ids=lambda kinds: " ".join(sorted(kinds)),
)
def test_events_of_rare_kinds_are_found_by_their_kind(full, kinds):
    """Both the page and the count, and never by reading the log of the agency."""
    wanted = EventFilter(kinds=frozenset(kinds))
    for statement in event_statements(SOMEBODY, None, wanted, Page()):
        plan = plan_of(full, statement)
        assert "events_kind_idx" in plan, plan
        assert "Seq Scan" not in plan, plan
        assert "events_pkey" not in plan, plan
    engine = open_engine(full, size=1)
    try:
        for _ in range(8):  # as often as it takes until a server would make one plan for all values
            with Session(engine, SOMEBODY) as session:
                found = PostgresEventReader(session).find(wanted, Page())
            assert (found.total, {each.kind for each in found.items}) == (RARE, {"user.loggedIn"})
    finally:
        engine.dispose()


@pytest.mark.parametrize("kinds", [frozenset(), frozenset({"booking.created"}), frozenset({"booking."})])
def test_events_of_which_there_are_many_are_read_backwards_along_the_log(full, kinds):
    """Positive control: the statistics are there, and an index that is of no use is not taken."""
    page, _ = event_statements(SOMEBODY, None, EventFilter(kinds=kinds), Page())
    plan = plan_of(full, page)
    assert "Index Scan Backward using events_pkey" in plan, plan
    assert "events_kind_idx" not in plan, plan


def test_a_booking_is_found_by_its_reference(full):
    with psycopg.connect(full) as connection:
        connection.execute("SELECT set_config('app.agency_id', %s, false)", [str(SOMEBODY)])
        (booking_id,) = connection.execute("SELECT booking_id FROM bookings OFFSET 17 LIMIT 1").fetchone()
        wanted = BookingFilter(reference=reference_of(BookingId(booking_id)))
        own: Statement = ("b.agency_id = %s", (SOMEBODY,))
        where, values = conditions([own, *booking_conditions(wanted, None)])
        asked = (f"SELECT b.booking_id FROM bookings b WHERE {where} ORDER BY b.created_at DESC", values)
        assert connection.execute(*asked).fetchall() == [(booking_id,)]
    plan = plan_of(full, asked)
    assert "bookings_reference_idx" in plan, plan
    assert "Index Cond" in plan, plan
    assert "reference_bits = " in plan, plan


def test_every_id_has_the_bits_of_its_reference(full):
    """The database draws them from the id as the program does."""
    with psycopg.connect(full) as connection:
        connection.execute("SELECT set_config('app.agency_id', %s, false)", [str(SOMEBODY)])
        rows = connection.execute("SELECT booking_id, reference_bits FROM bookings LIMIT 500").fetchall()
    assert {bits for _, bits in rows} == {key.int & ((1 << 50) - 1) for key, _ in rows}
    assert all(bits == key.int & ((1 << 50) - 1) for key, bits in rows)
