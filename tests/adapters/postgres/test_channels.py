"""What only PostgreSQL can get wrong about channels; the laws that both stores keep stand in ``test_laws``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from os import urandom

import psycopg
import pytest
from attrs import evolve, frozen

from adapters.postgres.subject import PostgresStore
from pms_adapters.crypto.box import AesGcmBox
from pms_adapters.postgres.sealed import rotate_keys
from pms_adapters.postgres.transaction import PostgresWork
from pms_adapters.system import TimeOrderedIds
from pmscore.channels.model.ari import AriRows, RowKey
from pmscore.channels.model.connections import CREDENTIALS_COLUMN, TOKEN_COLUMN
from pmscore.channels.model.manifest import CallGroup, CallKind, Lane, Window
from pmscore.channels.model.revisions import Malformed, StoredRevision, StoredState
from pmscore.channels.policies.forgetting import without_personal
from pmscore.kernel.events import Command
from pmscore.kernel.ids import BookingId, CallId, MappingId
from pmscore.kernel.secrets import Secret
from pmscore.pricing.views.matrix_rows import MatrixField
from pmscore.testing.channel_scenes import open_channel_scene
from pmscore.testing.scenes import nights, open_scene, stay

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def store(postgres_database):
    opened = PostgresStore(postgres_database.app_url, postgres_database.admin_url, lock_timeout_ms=300)
    yield opened
    opened.close()


@pytest.fixture
def at(store):
    return open_channel_scene(open_scene(store, TimeOrderedIds()))


@pytest.fixture
def asked_for(postgres_database, at):
    """Return when work was said to be due since the last look, by the clock of the scene or at once."""

    def look():
        with psycopg.connect(postgres_database.admin_url, autocommit=True) as connection:
            rows = connection.execute(
                "DELETE FROM work_due WHERE agency_id = %s AND kind = 'channels' RETURNING due_at",
                (at.scene.agency_id,),
            ).fetchall()
        # The clock of scenes is years ahead of the server's, so what is due at once is told apart.
        return sorted(
            {each[0] - at.now if each[0].year == at.now.year else "at once" for each in rows}, key=str
        )

    look()
    return look


def test_whatever_makes_a_lane_due_wakes_the_worker(at, asked_for):
    row = at.dirt()
    assert asked_for() == ["at once"]
    at.log([at.operation()])
    assert asked_for() == ["at once"]
    at.wake(Lane.PRICING, at.now + timedelta(minutes=5))
    assert asked_for() == [timedelta(minutes=5)]
    assert at.due() == (Lane.AVAILABILITY,)
    assert asked_for() == [timedelta(seconds=30)]
    lease = at.claimed()
    assert asked_for() == [timedelta(seconds=30)]
    at.put(AriRows(nights(0, 1), {}), lease)
    assert asked_for() == [timedelta(seconds=30)]
    at.finish(lease)
    assert asked_for() == ["at once"], "there is dirt left"
    at.clean(row)
    lease = at.claimed()
    asked_for()
    at.finish(lease)
    assert asked_for() == [], "there is nothing to do"
    lease = at.claimed()
    asked_for()
    at.finish(lease, evolve(at.state(), next_at=at.now + timedelta(hours=1)))
    assert asked_for() == [timedelta(hours=1)]
    lease = at.claimed()
    at.dirt()
    asked_for()
    at.finish(lease, evolve(at.state(), next_at=None, closed_until=at.now + timedelta(minutes=2)))
    assert asked_for() == [timedelta(minutes=2)], "not before the lane is open again"


@frozen
class Accompanying:
    """A store in whose transactions a revision is stored before anything else happens."""

    store: PostgresStore
    revision: StoredRevision

    @contextmanager
    def begin(self, command: Command) -> Iterator[PostgresWork]:
        with self.store.begin(command) as work:
            assert work.revisions.add(self.revision)
            yield work


def test_what_a_transaction_has_written_early_is_there_when_it_books(store, at):
    """A booking alone is written by one statement in a transaction of its own; with a revision it must not be."""
    stored = at.revision()
    booking = evolve(at.scene, store=Accompanying(store, stored)).book(stay(3, 2))
    assert at.scene.booking(booking.booking_id).version == booking.version == 1
    assert at.store(stored) == (False,)


def test_text_that_cannot_be_kept_is_kept_with_a_sign_for_it(at):
    """What comes from a platform may be anything; it must not come again and again because of that."""
    stored = at.revision()
    assert stored.revision is not None
    odd = evolve(
        stored,
        revision=evolve(stored.revision, requests="a\0b\ud800c", receipt={"k\0": ["\0", {"x": "\udfff"}]}),
    )
    raw = evolve(
        at.revision("M"),
        revision=None,
        malformed=Malformed(digest="d", reason="no\0", raw="<a\0>\ud800"),
        state=StoredState.QUARANTINED,
    )
    assert at.store(odd, raw) == (True, True)
    with at.scene.begin() as work:
        kept = work.revisions.get(at.connection_id, odd.revision_id).revision
        message = work.revisions.get(at.connection_id, raw.revision_id).malformed
    assert kept is not None
    assert (kept.requests, kept.receipt) == ("a\ufffdb?c", {"k\ufffd": ["\ufffd", {"x": "?"}]})
    assert message == Malformed(digest="d", reason="no\ufffd", raw="<a\ufffd>?")


def test_what_is_personal_is_not_in_the_database_any_more(at, postgres_database):
    stored = evolve(at.revision(state=StoredState.APPLIED), booking_id=BookingId(at.scene.ids.new()))
    at.store(stored)
    said = "SELECT count(*) FROM channel_revisions r WHERE r.agency_id = %s AND r::text LIKE '%%Hara%%'"
    with psycopg.connect(postgres_database.admin_url, autocommit=True) as connection:
        assert connection.execute(said, (at.scene.agency_id,)).fetchone() == (1,)
        at.scene.clock.advance(timedelta(days=99))
        with at.scene.begin() as work:
            assert work.revisions.purge(at.now, most=5) == 1
            work.commit()
        assert connection.execute(said, (at.scene.agency_id,)).fetchone() == (0,)
    with at.scene.begin() as work:
        assert work.revisions.get(at.connection_id, stored.revision_id) == without_personal(stored)


def test_calls_that_no_window_counts_are_not_kept_for_ever(at, postgres_database):
    group = CallGroup(
        name="g",
        kinds=frozenset({CallKind.PULL}),
        windows=(Window(calls=3, seconds=60),),
        in_flight=3,
        longest_seconds=5,
    )
    for _ in range(12):
        with at.scene.begin() as work:
            assert work.calls.reserve((("k", group),), CallId(at.scene.ids.new()), now=at.now) == 0
            work.commit()
        at.scene.clock.advance(timedelta(minutes=5))
    with psycopg.connect(postgres_database.admin_url) as connection:
        (count,) = connection.execute(
            "SELECT count(*) FROM channel_calls WHERE agency_id = %s", (at.scene.agency_id,)
        ).fetchone()
    assert count <= 4


def test_credentials_and_tokens_are_sealed_anew_and_what_has_none_is_left_alone(store, at, postgres_database):
    old, new = urandom(32), urandom(32)
    first, agency_id = AesGcmBox([old]), at.scene.agency_id
    bare = open_channel_scene(open_scene(store, TimeOrderedIds()))
    at.change(
        sealed=first.seal(agency_id, CREDENTIALS_COLUMN, Secret('{"key": "x"}')),
        sealed_token=first.seal(agency_id, TOKEN_COLUMN, Secret("t")),
    )
    both = AesGcmBox([new, old])
    done = rotate_keys(postgres_database.app_url, both, agency_id=agency_id)
    assert (done.resealed, done.current, done.unreadable) == (2, 0, {})
    with at.scene.begin() as work:
        kept = work.connections.read(at.connection_id)
    assert (kept.sealed, kept.sealed_token) != (None, None)
    assert AesGcmBox([new]).open(agency_id, CREDENTIALS_COLUMN, kept.sealed).reveal() == '{"key": "x"}'
    assert AesGcmBox([new]).open(agency_id, TOKEN_COLUMN, kept.sealed_token).reveal() == "t"
    assert rotate_keys(postgres_database.app_url, both, agency_id=bare.scene.agency_id).resealed == 0


def test_a_whole_horizon_of_cells_is_put_and_read_in_one_statement_each(at):
    keys = [
        RowKey(MappingId(at.scene.ids.new()), field)
        for _ in range(20)
        for field in (MatrixField.RATE, MatrixField.SELLABLE)
    ]
    span = nights(17, 500)
    rows = AriRows(span, {key: tuple(range(number, number + 500)) for number, key in enumerate(keys)})
    at.put(rows)
    with at.scene.begin() as work:
        sent: list[int] = []
        session = work._session
        run = session.run

        def counted(statements):
            sent.append(len(statements))
            return run(statements)

        session.run = counted
        assert work.cells.read(at.connection_id, keys, span) == rows
        assert sent == [1]
