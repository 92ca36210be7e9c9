"""The read model of search: the same answers as the database's, and the database where it is not sure."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest

from adapters.postgres.subject import PostgresStore
from pms_adapters.postgres import followed
from pms_adapters.postgres.availability import PostgresAvailability
from pms_adapters.postgres.board_reader import BOARD, SQL, BoardReader
from pms_adapters.postgres.boards import Boards, Limits, NotedUnitOfWork
from pms_adapters.postgres.engine import open_engine
from pms_adapters.postgres.followed import FollowedBoard
from pms_adapters.system import TimeOrderedIds
from pmscore.availability.model import StaySearch
from pmscore.availability.use_cases import calendar, occupied_ranges, search_stays
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.party import Party
from pmscore.inventory.model.stock import ClaimKind
from pmscore.inventory.use_cases.allotments import (
    EndAllotment,
    MakeAllotment,
    ReleaseAllotments,
    Sale,
    end_allotment,
    make_allotment,
    move_allotments,
    release_allotments,
)
from pmscore.kernel.errors import NotFoundError, UnreachableError
from pmscore.kernel.ids import ActorId, PropertyId
from pmscore.testing.draws import Draws
from pmscore.testing.runs import History, history_scene
from pmscore.testing.scenes import FIRST_DAY, hotel, nights, open_scene, pool, stay

pytestmark = pytest.mark.postgres

HISTORIES = {"dev": 8, "ci": 24, "nightly": 2000}
ASKED = DateRange.of(FIRST_DAY - timedelta(days=10), 45)
READER = ActorId(uuid4())


class Time:
    """A clock for ages that a test moves."""

    def __init__(self):
        self.now = 1_000.0

    def __call__(self):
        return self.now


@pytest.fixture(scope="module")
def store(postgres_database):
    store = PostgresStore(postgres_database.app_url, postgres_database.admin_url)
    yield store
    store.close()


@pytest.fixture(scope="module")
def board_engine(postgres_database):
    engine = open_engine(postgres_database.app_url, size=1)
    yield engine
    engine.dispose()


@contextmanager
def boards_of(engine, clock, **settings):
    boards = Boards(engine, clock=clock, **settings)
    try:
        yield boards
    finally:
        boards.close()
    assert boards._thread is None or not boards._thread.is_alive()


def caught_up(boards, scene):
    """Return the board after a turn of it, as the thread takes them."""
    board = boards.of(scene.agency_id)
    board.follow()
    return board


def reader_of(boards, scene, *, actor_id=READER, reach=None):
    sql = scene.store.availability(scene.agency_id)
    if reach is not None:
        sql._reach = reach
    return BoardReader(boards, scene.agency_id, actor_id, otherwise=sql, reach=reach)


def readings(reader, scene):
    """Return all that the reader says, zeros and empty places left out, as two readers may differ in them."""
    now = scene.clock.now()
    types = (*scene.type_ids, uuid4())
    windows = {each: nights(at, 3) for at, each in enumerate(scene.type_ids)}
    kinds = reader.claims_by_kind(types, ASKED, now)
    searches = [
        search_stays(
            StaySearch(stay=stay(first, length), party=Party(rooms), rooms=rooms),
            reader=reader,
            clock=scene.clock,
        )
        for first, length, rooms in ((0, 1, 1), (1, 3, 1), (4, 2, 2), (9, 5, 1))
    ]
    return {
        "houses": reader.houses(),
        "house": reader.houses([scene.property_id]),
        "rules": {key: each for key, each in reader.rules([scene.property_id]).items() if each.rules},
        "claimed": {key: each for key, each in reader.claimed(types, ASKED, now).items() if any(each)},
        "kinds": {
            key: {kind: counts for kind, counts in each.items() if any(counts)}
            for key, each in kinds.items()
            if each
        },
        "free": {key: each for key, each in reader.free_units(windows, now).items() if each},
        "searches": searches,
        "calendar": calendar(scene.property_id, ASKED, reader=reader, clock=scene.clock),
    }


def compare(boards, scene):
    """Raise where the board says anything else than the database."""
    reader = reader_of(boards, scene)
    by_board, by_sql = readings(reader, scene), readings(scene.store.availability(scene.agency_id), scene)
    assert reader.source == BOARD
    assert by_board == by_sql
    occupied = [
        occupied_ranges(scene.property_id, ASKED, reader=each, clock=scene.clock)
        for each in (reader, scene.store.availability(scene.agency_id))
    ]
    assert occupied[0] == occupied[1]


def test_a_board_follows_what_is_kept_for_channels(store, board_engine):
    scene = open_scene(store, TimeOrderedIds(), pool(4), hotel(2))
    with boards_of(board_engine, scene.clock) as boards:
        caught_up(boards, scene)
        make = MakeAllotment(
            **scene.asked(),
            property_id=scene.property_id,
            unit_type_id=scene.type_ids[0],
            channel="ota",
            nights=nights(1, 6),
            guaranteed=2,
            release_days=3,
        )
        kept = make_allotment(make, uow=store, clock=scene.clock, ids=scene.ids)
        assert max(kept.kept()) == 2
        caught_up(boards, scene)
        compare(boards, scene)
        counts = reader_of(boards, scene).claims_by_kind(scene.type_ids, nights(1, 6), scene.clock.now())
        assert counts[scene.type_ids[0]][ClaimKind.ALLOTTED] == kept.kept()
        with scene.begin() as work:
            move_allotments(work, scene.property_id, "ota", [Sale(scene.type_ids[0], nights(4, 2))])
            work.commit()
        caught_up(boards, scene)
        compare(boards, scene)
        scene.clock.advance(timedelta(days=2))
        release = ReleaseAllotments(**scene.asked(), property_id=scene.property_id)
        assert release_allotments(release, uow=store, clock=scene.clock) == 1
        caught_up(boards, scene)
        compare(boards, scene)
        end_allotment(EndAllotment(**scene.asked(), allotment_id=kept.allotment_id), uow=store)
        # One that is read anew says the same.
        boards.of(scene.agency_id).forget()
        caught_up(boards, scene)
        compare(boards, scene)
        counts = reader_of(boards, scene).claims_by_kind(scene.type_ids, nights(1, 6), scene.clock.now())
        assert ClaimKind.ALLOTTED not in counts[scene.type_ids[0]]


def replay(store, engine, seed, steps=25):
    scene = history_scene(store, TimeOrderedIds(), seed)
    history = History(scene, Draws(seed))
    with boards_of(engine, scene.clock) as boards:
        for _ in range(steps):
            history.step()
            caught_up(boards, scene)
            compare(boards, scene)
        # One that was read at the end says what one says that has followed all the way.
        boards.of(scene.agency_id).forget()
        caught_up(boards, scene)
        compare(boards, scene)
    return history.answers


def test_after_each_step_of_random_histories_the_board_answers_as_the_database(store, board_engine, profile):
    answers = Counter()
    for seed in range(HISTORIES[profile]):
        answers += replay(store, board_engine, seed)
    done = {each.partition(" ")[0] for each in answers if each.endswith(" done")}
    assert {"create", "amend", "assign", "hold", "block", "cancel", "advance"} <= done, answers


def test_an_event_that_is_left_out_is_caught(store, board_engine, monkeypatch):
    kept = FollowedBoard._changed

    def forgetful(self, events):
        return kept(self, [each for each in events if each.aggregate != "block"])

    monkeypatch.setattr(FollowedBoard, "_changed", forgetful)

    def replay_some():
        for seed in range(5):
            replay(store, board_engine, seed)

    with pytest.raises(AssertionError):
        replay_some()


@pytest.fixture
def scene(store):
    return open_scene(store, TimeOrderedIds(), hotel(2, turnover_nights=1), pool(2))


def room_counts(reader, scene, night=0):
    """Return the claims on the first type on a night."""
    found = reader.claimed([scene.type_ids[0]], nights(night), scene.clock.now())
    return found.get(scene.type_ids[0], (0,))[0]


def asked(boards, scene, **who):
    """Return where an answer comes from, and what it says."""
    reader = reader_of(boards, scene, **who)
    return room_counts(reader, scene), reader.source


def wait_for(condition):
    """Wait until the condition holds, for ten seconds at most."""
    ended = threading.Event()
    for _ in range(2_000):
        if condition():
            return
        ended.wait(0.005)
    raise AssertionError("it did not come")


def test_a_board_that_is_older_than_a_second_gives_way(store, board_engine, scene):
    clock = Time()
    with boards_of(board_engine, scene.clock, monotonic=clock, limits=Limits(turn_seconds=60)) as boards:
        caught_up(boards, scene)
        assert asked(boards, scene) == (0, BOARD)
        scene.book(stay(0))
        clock.now += 1.0
        assert asked(boards, scene) == (0, BOARD)
        boards._ended.set()  # nobody takes turns any more
        clock.now += 0.001
        assert asked(boards, scene) == (1, SQL)
        caught_up(boards, scene)
        assert asked(boards, scene) == (1, BOARD)


def test_whoever_has_written_is_answered_by_the_database_until_the_board_shows_it(store, board_engine, scene):
    clock = Time()
    with boards_of(board_engine, scene.clock, monotonic=clock, limits=Limits(turn_seconds=60)) as boards:
        caught_up(boards, scene)
        boards._ended.set()
        noted = NotedUnitOfWork(store.uow, boards)
        with noted.begin(scene.command()) as work:
            work.houses.get(scene.property_id)
        assert asked(boards, scene, actor_id=scene.actor_id)[1] == BOARD
        with noted.begin(scene.command()) as work:
            work.commit()
        assert asked(boards, scene, actor_id=scene.actor_id)[1] == SQL
        assert asked(boards, scene)[1] == BOARD
        clock.now += 0.1
        caught_up(boards, scene)
        assert asked(boards, scene, actor_id=scene.actor_id)[1] == BOARD
        with pytest.raises(ValueError, match="broken"), noted.begin(scene.command()):
            raise ValueError("broken")
        assert asked(boards, scene, actor_id=scene.actor_id)[1] == SQL


def test_a_transaction_that_is_held_open_loses_nothing_and_holds_nobody_back(store, board_engine, scene):
    other, guest = ActorId(uuid4()), scene.add_guest().guest_id
    with boards_of(board_engine, scene.clock) as boards:
        board = caught_up(boards, scene)

        def while_it_is_held():
            horizon = board.horizon
            scene.book(stay(5), guest=guest)
            caught_up(boards, scene)
            # What others have committed since is there, and the position stays below what is still open.
            assert room_counts(reader_of(boards, scene), scene, 5) == 1
            assert asked(boards, scene) == (0, BOARD)
            caught_up(boards, scene)
            assert board.horizon >= horizon
            assert len(board._ahead) > 0

        with store.before_visible(while_it_is_held):
            scene.book(stay(0))
        caught_up(boards, scene)
        assert asked(boards, scene, actor_id=other) == (1, BOARD)
        assert room_counts(reader_of(boards, scene), scene, 5) == 1
        compare(boards, scene)


def test_a_position_that_is_moved_past_an_open_transaction_loses_its_events(store, board_engine, scene):
    guest = scene.add_guest().guest_id
    with boards_of(board_engine, scene.clock) as boards:
        board = caught_up(boards, scene)

        def while_it_is_held():
            scene.book(stay(5), guest=guest)
            caught_up(boards, scene)
            board._horizon = max(each.transaction for each in board._ahead) + 1
            board._ahead = frozenset()

        with store.before_visible(while_it_is_held):
            scene.book(stay(0))
        caught_up(boards, scene)
        with pytest.raises(AssertionError):
            compare(boards, scene)


def test_more_events_than_can_be_remembered_beyond_an_open_transaction_give_way(
    store, board_engine, scene, monkeypatch
):
    monkeypatch.setattr(followed, "MOST_EVENTS", 3)
    guest = scene.add_guest().guest_id
    with boards_of(board_engine, scene.clock) as boards:
        caught_up(boards, scene)
        seen = []

        def while_it_is_held():
            for number in range(5):
                scene.book(stay(5 + 2 * number), guest=guest)
            boards.turn()
            seen.append(asked(boards, scene))
            boards.turn()
            seen.append(asked(boards, scene))

        with store.before_visible(while_it_is_held):
            scene.book(stay(0))
        assert seen == [(0, SQL), (0, SQL)]
        caught_up(boards, scene)
        assert asked(boards, scene) == (1, BOARD)
        compare(boards, scene)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_follower_that_was_killed_is_followed_by_another(store, board_engine, scene, monkeypatch):
    with boards_of(board_engine, scene.clock, limits=Limits(turn_seconds=0.01)) as boards:
        wait_for(lambda: asked(boards, scene) == (0, BOARD))
        first = boards._thread

        def die():
            raise SystemExit

        monkeypatch.setattr(boards, "turn", die)
        first.join(10)
        assert not first.is_alive()
        monkeypatch.undo()
        scene.book(stay(0))
        wait_for(lambda: asked(boards, scene) == (1, BOARD))
        assert boards._thread is not first


def test_a_turn_whose_connection_is_cut_gives_way_and_the_next_one_catches_up(
    store, postgres_database, board_engine, scene, monkeypatch
):
    kept = followed.read_standings_of
    with boards_of(board_engine, scene.clock) as boards:
        caught_up(boards, scene)
        scene.book(stay(0))

        def cut(session, since, sources):
            with psycopg.connect(postgres_database.admin_url, autocommit=True) as connection:
                pid = session._borrowed().connection.info.backend_pid
                connection.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
            return kept(session, since, sources)

        monkeypatch.setattr(followed, "read_standings_of", cut)
        reader_of(boards, scene).houses()
        boards.turn()
        assert asked(boards, scene) == (1, SQL)
        monkeypatch.setattr(followed, "read_standings_of", kept)
        boards.turn()
        assert asked(boards, scene) == (1, BOARD)
        compare(boards, scene)


def test_something_unforeseen_in_a_turn_has_all_of_it_read_again(store, board_engine, scene, monkeypatch):
    with boards_of(board_engine, scene.clock, limits=Limits(retry_seconds=0)) as boards:
        caught_up(boards, scene)
        reader_of(boards, scene).houses()
        scene.book(stay(0))

        def broken(session, since, sources):
            raise KeyError("nobody thought of this")

        with monkeypatch.context() as patched:
            patched.setattr(followed, "read_standings_of", broken)
            boards.turn()
        assert asked(boards, scene) == (1, SQL)
        boards.turn()
        assert asked(boards, scene) == (1, BOARD)


def test_without_a_database_the_answer_is_the_one_that_sql_gives(store, scene):
    gone = open_engine("postgresql://nobody@127.0.0.1:1/none", size=3)
    with boards_of(gone, scene.clock) as boards:
        sql = PostgresAvailability(gone, scene.agency_id)
        reader = BoardReader(boards, scene.agency_id, READER, otherwise=sql)
        with pytest.raises(UnreachableError):
            reader.houses()
        boards.turn()
        with pytest.raises(UnreachableError):
            BoardReader(boards, scene.agency_id, READER, otherwise=sql).houses()
        assert reader.source == SQL


def test_two_processes_see_what_either_writes(store, board_engine, postgres_database, scene):
    engine = open_engine(postgres_database.app_url, size=1)
    with boards_of(board_engine, scene.clock) as ours, boards_of(engine, scene.clock) as theirs:
        for number in range(3):
            wait_for(lambda: asked(ours, scene)[1] == BOARD and asked(theirs, scene)[1] == BOARD)
            scene.book(stay(2 * number))
            wait_for(lambda: room_counts(reader_of(ours, scene), scene, 2 * number) == 1)  # noqa: B023
            wait_for(lambda: room_counts(reader_of(theirs, scene), scene, 2 * number) == 1)  # noqa: B023
    engine.dispose()


def test_a_house_that_has_changed_is_noticed(store, board_engine, scene):
    with boards_of(board_engine, scene.clock) as boards:
        caught_up(boards, scene)
        scene.book(stay(0))
        scene.set_rooms(scene.type_ids[1], 5)
        caught_up(boards, scene)
        compare(boards, scene)
        other = open_scene(store, TimeOrderedIds(), hotel(1))
        caught_up(boards, other)
        compare(boards, other)
        compare(boards, scene)


def test_what_is_out_of_reach_is_not_found_on_the_board_either(store, board_engine, scene):
    elsewhere = frozenset({PropertyId(uuid4())})
    with boards_of(board_engine, scene.clock) as boards:
        caught_up(boards, scene)
        reader = reader_of(boards, scene, reach=elsewhere)
        assert reader.houses() == ()
        assert reader.rules([scene.property_id]) == {}
        assert reader.source == BOARD
        with pytest.raises(NotFoundError):
            reader.houses([scene.property_id])
        mine = reader_of(boards, scene, reach=frozenset({scene.property_id}))
        assert [each.property.property_id for each in mine.houses()] == [scene.property_id]
        assert mine.source == BOARD


def test_boards_that_nobody_asks_for_rest_and_are_thrown_away(store, board_engine, scene):
    clock, others = Time(), [open_scene(store, TimeOrderedIds(), hotel(1)) for _ in range(3)]
    limits = Limits(turn_seconds=60, most_boards=2)
    with boards_of(board_engine, scene.clock, monotonic=clock, limits=limits) as boards:
        for each in (scene, *others):
            clock.now += 0.01
            boards.of(each.agency_id).used_at = clock.now
            boards.turn()
        assert list(boards._boards) == [each.agency_id for each in others[1:]]
        clock.now += 20
        last = boards.of(others[-1].agency_id)
        as_of = last.as_of
        boards.turn()
        assert last.as_of == as_of
        clock.now += 300
        boards.turn()
        assert not boards._boards
    with boards_of(board_engine, scene.clock, limits=Limits(most_sources=0)) as boards:
        scene.book(stay(0))
        boards.of(scene.agency_id)
        boards.turn()
        assert asked(boards, scene) == (1, SQL)


def test_a_board_is_read_again_when_its_nights_have_moved_on(store, board_engine, scene):
    with boards_of(board_engine, scene.clock) as boards:
        board = caught_up(boards, scene)
        first = board._board.nights
        scene.book(stay(0))
        scene.clock.advance(timedelta(days=8))
        caught_up(boards, scene)
        assert board._board.nights.start == first.start + timedelta(days=8)
        compare(boards, scene)
