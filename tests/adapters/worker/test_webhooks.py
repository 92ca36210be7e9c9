"""Webhooks with a real worker: an event is told, carried from the queue, and tried again when it is due."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from uuid import uuid4

import psycopg
import pytest
from attrs import define, evolve

from adapters.conftest import PostgresDatabase
from adapters.http.receiver import Receiver, Reply, receiving
from adapters.worker.conftest import Noted
from pms_adapters.crypto.box import new_key
from pms_adapters.embedded.redis import EmbeddedRedis
from pms_adapters.settings import Settings
from pms_adapters.worker.processes import work_off
from pms_adapters.worker.registry import Registered, find_registered
from pms_adapters.worker.relay import RelayLimits
from pms_adapters.worker.runtime import Runtime, open_runtime
from pmscore.access.use_cases.agencies import OpenAgency, open_agency
from pmscore.kernel.events import Command
from pmscore.kernel.ids import ActorId, AgencyId, RequestId
from pmscore.kernel.secrets import Secret
from pmscore.webhooks.model.endpoints import Endpoint, EndpointChange, EndpointStatus
from pmscore.webhooks.policies.signing import verify_webhook
from pmscore.webhooks.use_cases.endpoints import (
    AddEndpoint,
    ChangeEndpoint,
    WithSecret,
    add_endpoint,
    change_endpoint,
)

pytestmark = pytest.mark.postgres

QUICK = RelayLimits(lease=0.4, patience=0.3, seal=0.0)


@define
class Sender:
    """One agency whose worker is moved by hand."""

    runtime: Runtime
    admin_url: str
    agency_id: AgencyId

    @property
    def asked(self) -> dict[str, object]:
        return {
            "request_id": RequestId(uuid4()),
            "agency_id": self.agency_id,
            "actor_id": ActorId(uuid4()),
        }

    def add(self, url: str, *kinds: str) -> WithSecret:
        parts = self.runtime.services
        command = AddEndpoint(**self.asked, url=url, kinds=kinds or ("note.*",))
        return add_endpoint(command, uow=parts.uow, clock=parts.clock, ids=parts.ids, means=parts.webhooks)

    def change(self, endpoint: Endpoint, **changes: object) -> None:
        parts = self.runtime.services
        command = ChangeEndpoint(
            **self.asked, endpoint_id=endpoint.endpoint_id, change=EndpointChange(**changes)
        )
        change_endpoint(command, uow=parts.uow, means=parts.webhooks)

    def note(self) -> None:
        with self.runtime.services.uow.begin(Command(**self.asked)) as work:
            work.record(Noted(aggregate_id=uuid4(), version=1))
            work.commit()

    def run(self) -> None:
        """Do everything that is due by now."""
        while self.runtime.relay.round() or len(self.runtime.queue):
            work_off(self.runtime)

    def admin(self, sql: str, *values: object) -> list[tuple]:
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            cursor = connection.execute(sql, values)
            return cursor.fetchall() if cursor.description else []

    def make_due(self) -> None:
        """Let the time until the next attempt be over."""
        self.admin(
            "UPDATE webhook_deliveries SET next_at = now() - interval '1 s' WHERE agency_id = %s AND status = 'pending'",
            self.agency_id,
        )
        self.admin(
            "UPDATE work_due SET due_at = now() - interval '1 s' WHERE agency_id = %s AND kind = 'webhooks'",
            self.agency_id,
        )


@pytest.fixture(scope="module")
def settings(postgres_database: PostgresDatabase, redis_server: EmbeddedRedis) -> Settings:
    return Settings(
        database_url=postgres_database.app_url,
        redis_url=redis_server.url(),
        encryption_key=Secret(new_key()),
        outbound_networks=(ip_network("127.0.0.0/8"),),
    )


@pytest.fixture
def sender(settings: Settings, postgres_database: PostgresDatabase) -> Iterator[Sender]:
    with opened(settings, postgres_database) as made:
        yield made


@contextmanager
def opened(settings: Settings, database: PostgresDatabase) -> Iterator[Sender]:
    known = find_registered()
    chosen = Registered(
        {"webhooks.announce": known.reactions["webhooks.announce"]},
        {"webhooks.carry": known.jobs["webhooks.carry"]},
        {"webhooks": known.due_work["webhooks"]},
    )
    with open_runtime(settings, registered=chosen, limits=QUICK) as runtime:
        runtime.redis.flushall()
        made = Sender(runtime, database.admin_url, AgencyId(uuid4()))
        open_agency(
            OpenAgency(**made.asked, name="Sender", slug=made.agency_id.hex[:20]), uow=runtime.services.uow
        )
        yield made
    with psycopg.connect(database.admin_url) as connection:
        connection.execute("DELETE FROM work_due")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def test_what_happens_reaches_whoever_wants_to_know(sender: Sender, receiver: Receiver):
    added = sender.add(receiver.url("/in"))
    for _ in range(5):
        sender.note()
    sender.run()
    assert len(receiver.received) == 5
    assert len({each.headers["webhook-id"] for each in receiver.received}) == 5
    (first, *_) = receiver.received
    now = sender.runtime.services.clock.now()
    assert verify_webhook(first.headers, first.body, [added.secret], now)
    assert json.loads(first.body)["type"] == "note.noted"


def test_an_endpoint_that_is_down_gets_its_message_when_it_is_back(sender: Sender, receiver: Receiver):
    receiver.replies = [Reply(500), Reply(500), Reply(200)]
    sender.add(receiver.url())
    sender.note()
    sender.run()
    assert len(receiver.received) == 1
    for expected in (2, 3):
        sender.make_due()
        sender.run()
        assert len(receiver.received) == expected
    sender.make_due()
    sender.run()
    assert len(receiver.received) == 3
    assert len({each.headers["webhook-id"] for each in receiver.received}) == 1


def test_an_emptied_redis_costs_no_message(sender: Sender, receiver: Receiver):
    sender.add(receiver.url())
    sender.note()
    # The relay has handed everything over, and then the queue is gone.
    while sender.runtime.relay.round():
        pass
    sender.runtime.redis.flushall()
    sender.admin("UPDATE inbox SET due_at = now() - interval '1 s' WHERE agency_id = %s", sender.agency_id)
    sender.admin("UPDATE work_due SET due_at = now() - interval '1 s' WHERE agency_id = %s", sender.agency_id)
    sender.run()
    sender.make_due()
    sender.run()
    assert len(receiver.received) == 1


def test_an_agency_without_the_module_sends_nothing_until_it_has_it_again(sender: Sender, receiver: Receiver):
    sender.add(receiver.url())
    sender.admin(
        "INSERT INTO agency_features (agency_id, module, is_enabled, changed_at, version)"
        " VALUES (%s, 'webhooks', false, now(), 1)",
        sender.agency_id,
    )
    sender.note()
    sender.run()
    assert receiver.received == []
    sender.admin("UPDATE agency_features SET is_enabled = true WHERE agency_id = %s", sender.agency_id)
    sender.note()
    sender.run()
    assert len(receiver.received) == 1


def inbox(sender: Sender) -> list[tuple]:
    return sender.admin("SELECT state FROM inbox WHERE agency_id = %s", sender.agency_id)


def test_what_nobody_wants_costs_no_row_and_no_job(sender: Sender, receiver: Receiver):
    for _ in range(3):
        sender.note()
    sender.run()
    assert inbox(sender) == []
    other = sender.add(receiver.url(), "booking.*")
    disabled = sender.add(receiver.url())
    sender.change(disabled.endpoint, status=EndpointStatus.DISABLED)
    sender.note()
    sender.run()
    assert inbox(sender) == []
    # One that is paused is told later, so it wants to know now.
    sender.change(other.endpoint, kinds=("note.*",), status=EndpointStatus.PAUSED)
    sender.note()
    sender.run()
    assert inbox(sender) == [("done",)]
    assert receiver.received == []
    sender.change(other.endpoint, status=EndpointStatus.ACTIVE)
    sender.run()
    assert len(receiver.received) == 1


def test_an_endpoint_is_told_all_that_is_committed_after_it(sender: Sender, receiver: Receiver):
    # Each in its own way too late for an answer that is remembered, or given before the events are read.
    sender.note()
    sender.run()
    with sender.runtime.services.uow.begin(Command(**sender.asked)) as before:
        before.record(Noted(aggregate_id=uuid4(), version=1))
        before.webhooks.all()
        sender.add(receiver.url())
        sender.runtime.relay.round()
        before.commit()
    sender.run()
    assert len(receiver.received) == 1
    sender.note()
    sender.run()
    assert len(receiver.received) == 2


def test_an_endpoint_that_comes_while_the_relay_reads_is_told_what_comes_after_it(
    sender: Sender, receiver: Receiver
):
    relay, added = sender.runtime.relay, []
    asks = relay.askers["webhooks.announce"]

    def late(agency_id: AgencyId) -> tuple[str, ...]:
        # The relay has read its events; now an endpoint is added and something happens, and only then it asks.
        if not added:
            added.append(sender.add(receiver.url()))
            sender.note()
        return asks(agency_id)

    relay.askers = {"webhooks.announce": late}
    sender.note()
    sender.run()
    assert added
    assert len(receiver.received) == 2


def test_asking_before_the_events_are_read_would_lose_one(sender: Sender, receiver: Receiver):
    relay, answers = sender.runtime.relay, []
    asks = relay.askers["webhooks.announce"]

    def early(agency_id: AgencyId) -> tuple[str, ...]:
        # A relay that remembers what it was told before.
        answers.append(answers[0] if answers else asks(agency_id))
        return answers[-1]

    relay.askers = {"webhooks.announce": early}
    sender.note()
    sender.run()
    sender.add(receiver.url())
    sender.note()
    sender.run()
    assert receiver.received == []


def test_a_deployment_without_the_module_sends_nothing(
    settings: Settings, postgres_database: PostgresDatabase, receiver: Receiver
):
    off = evolve(settings, module_switches=(("webhooks", False),))
    with opened(off, postgres_database) as sender:
        sender.add(receiver.url())
        sender.note()
        sender.run()
        assert receiver.received == []
        assert sender.admin("SELECT 1 FROM webhook_deliveries WHERE agency_id = %s", sender.agency_id) == []
