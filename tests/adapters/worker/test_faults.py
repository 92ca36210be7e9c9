"""The relay killed, Redis emptied, killed and full, transactions held open: nothing is lost, nothing is done twice.

Each has a positive control: the same fault with the guard taken away must show.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from random import Random
from uuid import uuid4

import pytest

from adapters.worker.conftest import EFFECT, Noted, reactions
from pms_adapters.postgres.session import Session
from pms_adapters.worker.relay import REACT

pytestmark = [pytest.mark.postgres, pytest.mark.fault]

PATIENCE = 60.0
RELAY = """\
import os, sys
from pms_adapters.settings import Settings
from pms_adapters.worker.processes import carry_on
from pms_adapters.worker.registry import Reaction, Registered
from pms_adapters.worker.relay import RelayLimits
from pms_adapters.worker.runtime import open_runtime
import threading
names = ("first",)
known = Registered({name: Reaction(name=name, kinds=("note.*",), react=print) for name in names})
settings = Settings(database_url=sys.argv[1], redis_url=sys.argv[2])
limits = RelayLimits(lease=0.3, patience=1.0, seal=0.2, batch=50, events_a_job=20)
with open_runtime(settings, registered=known, limits=limits) as runtime:
    print("up", flush=True)
    carry_on(runtime, threading.Event())
"""


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.02)


def assert_once_and_in_order(shop, aggregates, count, names=("first", "second")):
    for reaction in names:
        found = shop.effects(reaction)
        assert len(found) == count
        assert len(set(found)) == count
        for aggregate_id in aggregates:
            versions = [version for each, version in found if each == aggregate_id]
            assert versions == sorted(versions)


def finish(shop):
    """Let relay, sweeper and queue go on until nothing waits."""

    def is_done() -> bool:
        shop.relay()
        shop.work_off()
        return shop.waiting() == 0 and shop.is_carried_on()

    wait_until(is_done)


def test_a_relay_that_is_killed_again_and_again_loses_nothing(open_shop):
    shop = open_shop(reactions("first"))
    total, random = 2_000, Random(4)
    aggregates = [uuid4() for _ in range(40)]
    writer = threading.Thread(target=shop.append_many, args=(total, aggregates))
    kills = 0
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    writer.start()
    try:
        while writer.is_alive() or kills < 3:
            relay = subprocess.Popen(
                [sys.executable, "-c", RELAY, shop.settings.database_url, shop.settings.redis_url],
                env=environment,
                stdout=subprocess.PIPE,
            )
            with relay:
                assert relay.stdout.readline() == b"up\n"
                time.sleep(random.uniform(0.02, 0.6))
                shop.work_off()
                relay.send_signal(signal.SIGKILL)
            kills += 1
    finally:
        writer.join()
    finish(shop)
    assert kills >= 3
    assert_once_and_in_order(shop, aggregates, total, names=("first",))


class TestRedis:
    def test_emptied_in_the_middle(self, shop):
        aggregates = shop.append(50, aggregates=[uuid4() for _ in range(5)])
        shop.relay()
        shop.runtime.redis.flushall()
        shop.append(50, aggregates=aggregates)
        finish(shop)
        assert_once_and_in_order(shop, aggregates, 100)

    def test_killed_and_started_again(self, shop, redis_server):
        aggregates = shop.append(20)
        shop.relay()
        redis_server.kill()
        shop.append(20, aggregates=aggregates)
        shop.relay()
        assert shop.effects() == []
        redis_server.start()
        finish(shop)
        assert_once_and_in_order(shop, aggregates, 40)

    def test_full(self, shop):
        used = shop.runtime.redis.info("memory")["used_memory"]
        shop.runtime.redis.config_set("maxmemory", used // 2)
        try:
            aggregates = shop.append(30)
            shop.relay()
            assert len(shop.runtime.queue) == 0
        finally:
            shop.runtime.redis.config_set("maxmemory", 0)
        finish(shop)
        assert_once_and_in_order(shop, aggregates, 30)

    def test_without_the_sweeper_an_emptied_redis_would_lose_events(self, shop):
        """The positive control: what was handed over and lost comes back through the inbox only."""
        shop.append(10)
        shop.relay()
        shop.runtime.redis.flushall()
        shop.runtime.relay.due_handlers = {}
        time.sleep(shop.runtime.relay.limits.patience)
        shop.relay()
        shop.work_off()
        assert shop.effects() == []
        assert shop.waiting() == 20


class TestOrder:
    @pytest.fixture
    def late(self, shop):
        """Return an aggregate whose event has its numbers already, and is committed after a later one."""
        with shop.runtime.services.uow.begin(shop.command()) as work:
            work.record(Noted(aggregate_id=uuid4(), version=1))
            session = work._session
            commit = session.commit

            def held(statements=()):
                session.run(statements)
                shop.append(1)
                shop.relay()
                shop.work_off()
                return commit()

            session.commit = held
            work.commit()

    def test_a_transaction_held_open_past_another_loses_nothing(self, shop, late):
        finish(shop)
        assert len(shop.effects("first")) == 2

    def test_a_reader_by_plain_sequence_would_lose_it(self, shop, late):
        """The positive control: whoever reads "greater than the last" in the middle never sees the earlier one."""
        rows = shop.admin("SELECT seq FROM events WHERE agency_id = %s ORDER BY txid, seq", shop.agency_id)
        first, second = (seq for (seq,) in rows)
        seen_in_the_middle = max(first, second)
        missed = shop.admin(
            "SELECT 1 FROM events WHERE agency_id = %s AND seq > %s", shop.agency_id, seen_in_the_middle
        )
        assert first < second
        assert missed == []


class TestTwice:
    def test_two_relays_at_once_hand_over_and_each_effect_is_had_once(self, open_shop):
        shop = open_shop(reactions("first", "second"))
        other = open_shop(reactions("first", "second"))
        other.runtime.relay.holder = "another"
        other.agency_id = shop.agency_id
        aggregates = shop.append(200, aggregates=[uuid4() for _ in range(10)])
        both = [threading.Thread(target=each.relay) for each in (shop, other)]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        finish(shop)
        assert_once_and_in_order(shop, aggregates, 200)

    def test_a_job_that_comes_twice_has_one_effect(self, shop):
        shop.append(5)
        shop.relay()
        again(shop)
        shop.work_off()
        assert set(Counter(shop.effects("first")).values()) == {1}

    def test_two_workers_on_one_aggregate_have_each_effect_once(self, shop):
        aggregates = shop.append(40)
        shop.relay()
        events = event_ids(shop)
        reactor = shop.runtime.reactor
        threads = [threading.Thread(target=reactor.take_in, args=(shop.agency_id, events)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert_once_and_in_order(shop, aggregates, 40)

    def test_without_the_inbox_the_effect_would_double(self, open_shop):
        """The positive control: the same effect outside of the transaction of the inbox row."""

        def careless(event, services):
            row = (services.agency_id, services.reaction, event.event_id, event.aggregate_id, event.version)
            with Session(services.worker.engine, services.agency_id) as session:
                session.commit([(EFFECT, row)])
            barrier.wait(10)

        barrier = threading.Barrier(2)
        shop = open_shop(reactions("first", react=careless))
        shop.append(1)
        shop.relay()
        events = event_ids(shop)
        threads = [
            threading.Thread(target=shop.runtime.reactor.take_in, args=(shop.agency_id, events))
            for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(shop.effects("first")) == 2


def event_ids(shop):
    rows = shop.admin("SELECT event_id FROM events WHERE agency_id = %s ORDER BY txid, seq", shop.agency_id)
    return [event_id for (event_id,) in rows]


def again(shop):
    shop.runtime.queue.enqueue(REACT, shop.agency_id, *event_ids(shop))
