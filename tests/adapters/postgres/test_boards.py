"""The read model of search: the same answers as the database's, and the database where it is not sure."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

import pytest

from adapters.postgres.subject import PostgresStore
from pms_adapters.postgres.board_reader import BOARD, BoardReader
from pms_adapters.postgres.boards import Boards
from pms_adapters.postgres.engine import open_engine
from pms_adapters.postgres.followed import FollowedBoard
from pms_adapters.system import TimeOrderedIds
from pmscore.availability.model import StaySearch
from pmscore.availability.use_cases import calendar, occupied_ranges, search_stays
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.party import Party
from pmscore.kernel.ids import ActorId
from pmscore.testing.draws import Draws
from pmscore.testing.runs import History, history_scene
from pmscore.testing.scenes import FIRST_DAY, nights, stay

pytestmark = pytest.mark.postgres

HISTORIES = {"dev": 15, "ci": 30, "nightly": 2000}
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
    assert not [each for each in threading.enumerate() if each.name == "pms-boards"]


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
    assert {"create", "amend", "assign", "hold", "release", "block", "lift", "cancel", "advance"} <= done, (
        answers
    )


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
