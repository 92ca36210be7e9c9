"""Bad luck on the way to the database: each a clear error, and nothing written."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest

from adapters.postgres.subject import PostgresStore
from pms_adapters.postgres.engine import checked_out, forget_connections, open_engine
from pms_adapters.postgres.transaction import PostgresUnitOfWork
from pms_adapters.system import SystemClock, TimeOrderedIds
from pmscore.kernel.errors import (
    BusyError,
    InvalidInputError,
    NightsTakenError,
    PmsError,
    SchemaOutOfDateError,
    UnreachableError,
)
from pmscore.kernel.money import Money
from pmscore.testing.scenes import hotel, open_scene, pool, stay

pytestmark = [pytest.mark.postgres, pytest.mark.fault]


class CountedStore(PostgresStore):
    """The store with a pool and limits of the test's choosing."""

    def __init__(self, database, **limits):
        super().__init__(database.app_url, database.admin_url)
        self.engine.dispose()
        self.engine = open_engine(database.app_url, **limits)
        self.uow = PostgresUnitOfWork(self.engine, clock=SystemClock(), ids=TimeOrderedIds())


@pytest.fixture
def scene(postgres_database):
    store = CountedStore(postgres_database, size=2, wait_seconds=0.2, lock_timeout_ms=100)
    yield open_scene(store, TimeOrderedIds(), hotel(2), pool(3))
    store.close()


@contextmanager
def admin(database, sql, undo):
    with psycopg.connect(database.admin_url, autocommit=True) as connection:
        connection.execute(sql)
        try:
            yield
        finally:
            connection.execute(undo)


def refused(scene, kind, do):
    before = counts(scene)
    with pytest.raises(kind) as caught:
        do()
    assert counts(scene) == before
    assert scene.store.violated_invariants() == ()
    return caught.value


def counts(scene):
    tables = ("bookings", "booking_rooms", "unit_nights", "events", "idempotency_keys", "guests")
    with psycopg.connect(scene.store._admin_url) as connection:
        rows = [connection.execute(f"SELECT count(*) FROM {table}").fetchone() for table in tables]
        claimed = connection.execute("SELECT coalesce(sum(booked + held), 0) FROM type_nights").fetchone()
    return (*rows, claimed)


def test_a_lock_that_is_not_granted_in_time_says_busy(scene):
    scene.book(stay(0))
    with psycopg.connect(scene.store._admin_url) as other:
        other.execute("SELECT 1 FROM type_nights FOR UPDATE")
        error = refused(scene, BusyError, lambda: scene.book(stay(0)))
    assert error.code == "busy"
    scene.book(stay(0))


def test_an_exhausted_pool_says_so(scene):
    with checked_out(scene.store.engine), checked_out(scene.store.engine):
        error = refused(scene, UnreachableError, lambda: scene.book(stay(3)))
    assert error.params["reason"] == "no_free_connection"
    scene.book(stay(3))


def test_a_server_without_free_connections_says_so(scene, postgres_database):
    name = postgres_database.name
    with admin(
        postgres_database,
        f"ALTER DATABASE {name} CONNECTION LIMIT 0",
        f"ALTER DATABASE {name} CONNECTION LIMIT -1",
    ):
        scene.store.engine.dispose()
        with pytest.raises(UnreachableError) as caught:
            scene.book(stay(6))
    assert caught.value.params["reason"] == "too_many_connections"
    scene.book(stay(6))


FULL = """\
CREATE FUNCTION disk_is_full() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER disk_is_full BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION disk_is_full()"""


def test_a_full_disk_in_the_last_step_leaves_nothing(scene, postgres_database):
    with admin(postgres_database, FULL, "DROP FUNCTION disk_is_full CASCADE"):
        error = refused(scene, UnreachableError, lambda: scene.book(stay(9)))
        assert error.params["reason"] == "disk_full"
    scene.book(stay(9))


def test_a_column_that_is_gone_is_named_with_its_migration(scene, postgres_database):
    scene.store.engine.dispose()
    with admin(
        postgres_database,
        "ALTER TABLE bookings RENAME COLUMN segment TO gone",
        "ALTER TABLE bookings RENAME COLUMN gone TO segment",
    ):
        with pytest.raises(SchemaOutOfDateError) as caught:
            scene.book(stay(12))
        assert caught.value.params["table"] == "bookings"
        assert caught.value.params["column"] == "segment"
        assert str(caught.value.params["migration"]).startswith("0001")
    scene.store.engine.dispose()
    scene.book(stay(12))


def test_a_server_that_is_not_there_is_unreachable():
    engine = open_engine("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(UnreachableError) as caught, checked_out(engine):
        pass
    assert caught.value.params["reason"] == "no_connection"


def test_a_killed_backend_is_an_unknown_outcome_and_the_next_call_works(scene, postgres_database):
    scene.book(stay(15))
    with psycopg.connect(postgres_database.admin_url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND usename = 'pms_app'"
        )
    with pytest.raises(UnreachableError):
        scene.book(stay(15))
    scene.book(stay(18))


def test_connections_that_are_forgotten_are_replaced_and_never_more_than_the_pool_has(postgres_database):
    """One is lent while they are forgotten: it goes on, and is closed when it comes back."""
    engine = open_engine(postgres_database.app_url, size=2, wait_seconds=0.2)

    def process(loan):
        return loan.connection.execute("SELECT pg_backend_pid()").fetchone()[0]

    with checked_out(engine) as lent:
        with checked_out(engine) as other:
            before = {process(lent), process(other)}
        forget_connections(engine)
        with checked_out(engine) as other:
            assert process(other) not in before
            assert process(lent) in before
            with pytest.raises(UnreachableError, match="no_free_connection"), checked_out(engine):
                pass
    with checked_out(engine) as one, checked_out(engine) as two:
        assert not {process(one), process(two)} & before
    with psycopg.connect(postgres_database.admin_url) as connection:
        asked = "SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(%s)"
        assert connection.execute(asked, [list(before)]).fetchone() == (0,)
    engine.dispose()


def test_deadlocks_of_others_do_not_surface(scene):
    """Two rooms of one booking, asked for in opposite orders by many threads: sorted, so nobody waits in a circle."""
    first, second = scene.type_ids
    surprises: list[Exception] = []

    def work(order):
        for day in range(20, 30):
            rooms = [scene.request(stay(day, 2), unit_type_id=type_id) for type_id in order]
            try:
                scene.book(*rooms)
            except (NightsTakenError, BusyError, UnreachableError):
                continue
            except PmsError as error:
                surprises.append(error)

    threads = [
        threading.Thread(target=work, args=(order,)) for order in [(first, second), (second, first)] * 2
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert surprises == []
    assert scene.store.violated_invariants() == ()


def test_a_negative_amount_is_refused_before_the_database(scene):
    refused(
        scene,
        InvalidInputError,
        lambda: scene.book(scene.request(stay(40), rate=Money.parse("-1.00", "EUR"))),
    )


def test_ids_do_not_go_back_when_the_clock_does(monkeypatch):
    times = iter([5_000_000_000, 4_000_000_000, 3_000_000_000])
    monkeypatch.setattr("pms_adapters.system.time.time_ns", lambda: next(times))
    ids = TimeOrderedIds()
    drawn = [ids.new() for _ in range(3)]
    assert [each.int >> 80 for each in drawn] == [5_000, 5_000, 5_000]
    assert len(set(drawn)) == 3
    assert {each.version for each in drawn} == {7}


def test_a_clock_that_is_set_back_keeps_the_history_in_order(scene):
    scene.book(stay(44))
    scene.clock.advance(timedelta(hours=-1))
    scene.book(stay(46))
    events = [each for each in scene.store.events_after((0, 0)) if each.agency_id == scene.agency_id]
    assert [each.position for each in events] == sorted(each.position for each in events)
    assert [each.kind for each in events][-2:] == ["booking.created", "booking.created"]
    assert scene.store.violated_invariants() == ()
