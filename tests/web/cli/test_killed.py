"""`pms serve` is killed between the commit of a booking and its answer: whoever asks again gets that booking.

The processes are stopped first, so that the moment is no accident: they are killed only while the database holds a
booking of which no caller has heard. The control asks again under another key, and books twice.
"""

from __future__ import annotations

import http.client
import itertools
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from attrs import Factory, define

from adapters.conftest import PostgresDatabase
from pmscore.access.model.permissions import Role
from web.cli.test_listening import _children
from web.cli.test_serving import serving
from web.repeating import AGAIN
from web.two_agencies import new_house, stay_of, two_agencies

pytestmark = [pytest.mark.postgres, pytest.mark.fault]
NIGHTS, ROOMS, CALLERS, PATIENCE = 300, 3_000, 6, 30.0
# Who waits for a lock of a process that is stopped has come as far as it will.
BUSY = """\
SELECT count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND state = 'active' AND pid <> pg_backend_pid()
   AND wait_event_type IS DISTINCT FROM 'Lock'"""


@define
class Heard:
    """What the callers were told, by command, and how many of them wait for an answer."""

    ids: dict[int, set[str]] = Factory(dict)
    lock: Lock = Factory(Lock)

    def hear(self, number: int, booking_id: str) -> None:
        with self.lock:
            self.ids.setdefault(number, set()).add(booking_id)

    def count(self) -> int:
        with self.lock:
            return sum(map(len, self.ids.values()))


@define
class Office:
    """A house with many rooms behind a real server, and the database behind both."""

    address: str
    pid: int
    parts: dict[str, str]
    key: str
    database: psycopg.Connection[tuple[int]]

    def booked(self) -> int:
        row = self.database.execute("SELECT count(*) FROM bookings").fetchone()
        assert row is not None
        return row[0]

    def is_busy(self) -> bool:
        row = self.database.execute(BUSY).fetchone()
        assert row is not None
        return row[0] > 0

    def send(self, number: int, key: str) -> str | None:
        """Return the id of the booking, or None where there was no answer, or one that asks for a repetition."""
        body = {**stay_of(self.parts, 1 + number % NIGHTS, 2, ""), "notes": f"command {number}"}
        headers = {
            "Authorization": f"Bearer {self.key}",
            "Idempotency-Key": key,
            "Content-Type": "application/json",
        }
        there = http.client.HTTPConnection(urlsplit(self.address).netloc, timeout=PATIENCE)
        try:
            there.request("POST", "/api/v1/bookings", json.dumps(body), headers)
            answer = there.getresponse()
            told = json.loads(answer.read())
        except (OSError, http.client.HTTPException):
            return None
        finally:
            there.close()
        if told.get("code") in AGAIN:
            return None
        assert answer.status == 201, told
        return str(told["id"])


@contextmanager
def open_office(database: PostgresDatabase) -> Iterator[Office]:
    with two_agencies(database.app_url) as world:
        house = new_house(world, world.ours, "Large house", rooms=ROOMS, units=0)
        key = world.ours.keys[Role.ADMIN, True]
    parts = {"property_id": str(house.property.property_id), "unit_type_id": str(next(iter(house.types)))}
    more = {"DATABASE_URL": database.app_url, "REQUESTS_PER_MINUTE": "1000000"}
    with (
        serving("--workers", "2", **more) as (process, address),
        psycopg.connect(database.admin_url, autocommit=True) as connection,
    ):
        yield Office(address, process.pid, parts, key, connection)


def call_until(enough: Event, office: Office, heard: Heard, again: Callable[[str], str]) -> list[Thread]:
    """Start callers that send one command after the other, each until it is answered.

    ``again`` gives the key of a repetition.
    """
    numbers = itertools.count()
    lock = Lock()

    def call() -> None:
        while not enough.is_set():
            with lock:
                number = next(numbers)
            key = uuid4().hex
            while (booking_id := office.send(number, key)) is None:
                key = again(key)
            heard.hear(number, booking_id)

    callers = [Thread(target=call) for _ in range(CALLERS)]
    for each in callers:
        each.start()
    return callers


def kill_between(office: Office, heard: Heard, kills: int, known: int) -> int:
    """Kill the processes so many times while bookings are there of which nobody has heard; return how many those were.

    ``known`` bookings were there before.
    """
    unheard = killed = 0
    while killed < kills:
        _until(lambda before=known: office.booked() > before + heard.count())
        stopped = _signalled(office.pid, signal.SIGSTOP)
        lost = _settled(office, heard) - known
        if lost > 0:
            for pid in stopped:
                os.kill(pid, signal.SIGKILL)
            killed += 1
            unheard += lost
            known += lost
            _until(lambda old=stopped: not set(old) & set(_children(office.pid)))
        else:
            _signalled(office.pid, signal.SIGCONT)
    return unheard


def _settled(office: Office, heard: Heard) -> int:
    """Return how many bookings there are more than answers, once statements have ended and answers were read."""
    _until(lambda: not office.is_busy())
    seen = -1
    while seen != (seen := heard.count()):
        time.sleep(0.02)  # what has been sent is read by then; two equal looks are the condition
    return office.booked() - seen


def _signalled(pid: int, number: signal.Signals) -> list[int]:
    reached = []
    for each in _children(pid):
        with suppress(ProcessLookupError):  # ended by itself meanwhile
            os.kill(each, number)
            reached.append(each)
    return reached


def _until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def run(office: Office, kills: int, again: Callable[[str], str]) -> tuple[Heard, int]:
    heard, enough, known = Heard(), Event(), office.booked()
    callers = call_until(enough, office, heard, again)
    try:
        return heard, kill_between(office, heard, kills, known)
    finally:
        _signalled(office.pid, signal.SIGCONT)
        enough.set()
        for each in callers:
            each.join(PATIENCE)


def test_whoever_asks_again_under_the_same_key_has_booked_once(
    fresh_postgres_database: PostgresDatabase,
) -> None:
    with open_office(fresh_postgres_database) as office:
        before = office.booked()
        heard, unheard = run(office, kills=2, again=lambda key: key)
        made = office.booked() - before
    assert unheard >= 2
    assert sorted(heard.ids) == list(range(len(heard.ids)))
    assert {len(each) for each in heard.ids.values()} == {1}
    assert made == len({each for ids in heard.ids.values() for each in ids}) == len(heard.ids)


def test_whoever_asks_again_under_another_key_books_twice(fresh_postgres_database: PostgresDatabase) -> None:
    with open_office(fresh_postgres_database) as office:
        before = office.booked()
        heard, unheard = run(office, kills=1, again=lambda _: uuid4().hex)
        assert office.booked() - before == len(heard.ids) + unheard
    assert unheard >= 1
