"""Webhooks on a real database, to a real server: who gets what, once, and what is left when things go wrong."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_network
from uuid import UUID, uuid4

import psycopg
import pytest
from attrs import evolve, frozen

from adapters.conftest import PostgresDatabase
from adapters.http.receiver import Receiver, Reply, receiving
from pms_adapters.bootstrap import Services, connect, webhook_means
from pms_adapters.crypto.box import new_key
from pms_adapters.postgres.session import Session
from pms_adapters.settings import Settings
from pmscore.access.use_cases.agencies import OpenAgency, open_agency
from pmscore.kernel.errors import (
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
    StaleVersionError,
    TransitionError,
)
from pmscore.kernel.events import Command
from pmscore.kernel.ids import ActorId, AgencyId, EventId, PropertyId, RequestId
from pmscore.kernel.secrets import Secret
from pmscore.modules.model import Feature, Manifest
from pmscore.modules.use_cases import SwitchFeatures, list_features, switch_features
from pmscore.testing.clocks import MovableClock
from pmscore.webhooks.model.deliveries import Delivery, DeliveryStatus
from pmscore.webhooks.model.endpoints import Endpoint, EndpointChange, EndpointStatus
from pmscore.webhooks.policies.messages import Happening
from pmscore.webhooks.policies.signing import verify_webhook
from pmscore.webhooks.ports import WebhookMeans
from pmscore.webhooks.use_cases.delivering import (
    Announce,
    DeliverDue,
    PurgeDeliveries,
    announce,
    deliver_due,
    purge_deliveries,
)
from pmscore.webhooks.use_cases.endpoints import (
    AddEndpoint,
    ChangeEndpoint,
    Redeliver,
    RemoveEndpoint,
    RotateSecret,
    SendTest,
    WithSecret,
    add_endpoint,
    change_endpoint,
    redeliver,
    remove_endpoint,
    rotate_secret,
    send_test,
)

pytestmark = pytest.mark.postgres

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
KEY = new_key()


@frozen
class Place:
    """One agency on the database, with a clock that is moved by hand."""

    services: Services
    means: WebhookMeans
    clock: MovableClock
    agency_id: AgencyId

    @property
    def asked(self) -> dict[str, object]:
        return {
            "request_id": RequestId(uuid4()),
            "agency_id": self.agency_id,
            "actor_id": ActorId(UUID(int=1)),
        }

    @property
    def parts(self) -> dict[str, object]:
        return {"uow": self.services.uow, "clock": self.clock, "ids": self.services.ids}

    def add(self, url: str, *kinds: str, **more: object) -> WithSecret:
        command = AddEndpoint(**self.asked, url=url, kinds=kinds or ("*",), **more)
        return add_endpoint(command, **self.parts, means=self.means)

    def tell(self, kind: str = "booking.created", event_id: UUID | None = None) -> int:
        event = Happening(
            event_id=EventId(event_id or uuid4()),
            kind=kind,
            aggregate="booking",
            aggregate_id=uuid4(),
            version=1,
            at=self.clock.now(),
            payload={"property_id": str(uuid4())},
        )
        return announce(Announce(**self.asked, event=event), **self.parts)

    def deliver(self, most: int = 10, means: WebhookMeans | None = None) -> int:
        return deliver_due(DeliverDue(**self.asked, most=most), **self.parts, means=means or self.means)

    def change(self, endpoint: Endpoint, **changes: object) -> Endpoint:
        command = ChangeEndpoint(
            **self.asked, endpoint_id=endpoint.endpoint_id, change=EndpointChange(**changes)
        )
        return change_endpoint(command, uow=self.services.uow, means=self.means)

    def log(self, endpoint: Endpoint) -> tuple[Delivery, ...]:
        with self.services.uow.begin(Command(**self.asked)) as work:
            return work.deliveries.page(endpoint.endpoint_id, status=None, limit=100, offset=0).items

    def read(self, endpoint: Endpoint) -> Endpoint:
        with self.services.uow.begin(Command(**self.asked)) as work:
            return work.webhooks.get(endpoint.endpoint_id)


@pytest.fixture(scope="module")
def services(postgres_database: PostgresDatabase) -> Iterator[tuple[Services, WebhookMeans, MovableClock]]:
    settings = Settings(
        database_url=postgres_database.app_url,
        encryption_key=Secret(KEY),
        outbound_networks=(ip_network("127.0.0.0/8"),),
    )
    clock = MovableClock(NOON)
    with connect(settings, clock=clock) as made:
        yield made, made.webhooks, clock


@pytest.fixture
def place(services: tuple[Services, WebhookMeans, MovableClock]) -> Place:
    made = Place(*services, AgencyId(uuid4()))
    open_agency(OpenAgency(**made.asked, name="Hooks", slug=made.agency_id.hex[:20]), uow=made.services.uow)
    return made


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def test_a_message_arrives_signed_once_and_stands_in_the_log(place: Place, receiver: Receiver):
    added = place.add(receiver.url("/hook"), "booking.*")
    assert place.tell("booking.created") == 1
    assert place.tell("quote.made") == 0
    assert place.deliver() == 1
    assert place.deliver() == 0
    (sent,) = receiver.received
    (delivery,) = place.log(added.endpoint)
    assert (sent.method, sent.path, sent.headers["content-type"]) == ("POST", "/hook", "application/json")
    now = place.clock.now()
    assert verify_webhook(sent.headers, sent.body, [added.secret], now) == delivery.message_id
    assert json.loads(sent.body)["type"] == "booking.created"
    assert delivery.status is DeliveryStatus.DELIVERED
    with place.services.uow.begin(Command(**place.asked)) as work:
        (attempt,) = work.deliveries.attempts(delivery.delivery_id)
    assert (attempt.number, attempt.outcome.status, attempt.outcome.answer) == (1, 200, "ok")
    assert place.read(added.endpoint).delivered_at == now


def test_an_event_that_is_told_twice_is_one_message(place: Place, receiver: Receiver):
    place.add(receiver.url())
    event = uuid4()
    assert [place.tell(event_id=event), place.tell(event_id=event)] == [1, 1]
    assert place.deliver() == 1


def test_a_message_that_fails_comes_again_with_the_same_id_and_another_time(place: Place, receiver: Receiver):
    receiver.replies = [Reply(500, {}, b"no\x00 way"), Reply(204, {}, b"")]
    added = place.add(receiver.url())
    place.tell()
    assert place.deliver() == 1
    assert place.deliver() == 0
    place.clock.advance(timedelta(seconds=6))
    assert place.deliver() == 1
    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    (delivery,) = place.log(added.endpoint)
    with place.services.uow.begin(Command(**place.asked)) as work:
        attempts = work.deliveries.attempts(delivery.delivery_id)
    assert [each.outcome.status for each in attempts] == [500, 204]
    assert attempts[0].outcome.answer == "no\ufffd way"


def test_after_ten_attempts_the_endpoint_is_disabled_and_everybody_knows(place: Place, receiver: Receiver):
    receiver.replies = [Reply(503)]
    added = place.add(receiver.url())
    place.tell()
    while (delivery := place.log(added.endpoint)[0]).next_at is not None:
        place.clock.move_to(max(place.clock.now(), delivery.next_at))
        assert place.deliver() == 1
    assert (delivery.status, delivery.attempts, len(receiver.received)) == (DeliveryStatus.DEAD, 10, 10)
    after = place.read(added.endpoint)
    assert (after.status, after.reason) == (EndpointStatus.DISABLED, "gave_up")
    assert _kinds_of(place, added.endpoint) == ["webhook.added", "webhook.disabled"]
    assert place.tell() == 0
    with pytest.raises(TransitionError):
        redeliver(
            Redeliver(**place.asked, delivery_id=delivery.delivery_id),
            uow=place.services.uow,
            clock=place.clock,
        )
    place.change(added.endpoint, status=EndpointStatus.ACTIVE)
    receiver.replies = [Reply(200)]
    again = redeliver(
        Redeliver(**place.asked, delivery_id=delivery.delivery_id), uow=place.services.uow, clock=place.clock
    )
    assert place.deliver() == 1
    assert receiver.received[-1].headers["webhook-id"] == again.message_id == delivery.message_id


def test_an_endpoint_that_says_gone_is_disabled_at_once(place: Place, receiver: Receiver):
    receiver.replies = [Reply(410)]
    added = place.add(receiver.url())
    place.tell()
    place.deliver()
    assert place.read(added.endpoint).reason == "gone"


def test_a_paused_endpoint_gets_its_messages_later(place: Place, receiver: Receiver):
    added = place.add(receiver.url())
    place.change(added.endpoint, status=EndpointStatus.PAUSED)
    assert place.tell() == 1
    assert place.deliver() == 0
    place.change(added.endpoint, status=EndpointStatus.ACTIVE)
    assert place.deliver() == 1


def test_during_a_rotation_a_receiver_may_know_either_secret(place: Place, receiver: Receiver):
    old = place.add(receiver.url())
    command = RotateSecret(**place.asked, endpoint_id=old.endpoint.endpoint_id, keeps=timedelta(hours=1))
    new = rotate_secret(command, **place.parts, means=place.means)
    place.tell()
    place.deliver()
    sent, now = receiver.received[0], place.clock.now()
    for known in (old.secret, new.secret):
        assert verify_webhook(sent.headers, sent.body, [known], now)
    place.clock.advance(timedelta(hours=1))
    place.tell()
    place.deliver()
    sent, now = receiver.received[1], place.clock.now()
    assert verify_webhook(sent.headers, sent.body, [new.secret], now)
    with pytest.raises(Exception, match="no_match"):
        verify_webhook(sent.headers, sent.body, [old.secret], now)


def test_secrets_stand_in_the_database_sealed(
    place: Place, receiver: Receiver, postgres_database: PostgresDatabase
):
    added = place.add(receiver.url())
    with psycopg.connect(postgres_database.admin_url) as connection:
        rows = connection.execute(
            "SELECT sealed FROM webhook_secrets WHERE agency_id = %s", (place.agency_id,)
        ).fetchall()
        texts = connection.execute(
            "SELECT payload::text FROM events WHERE agency_id = %s", (place.agency_id,)
        ).fetchall()
    assert len(rows) == 1
    assert rows[0][0].startswith("pms1.")
    assert added.secret.reveal() not in str(rows) + str(texts)


def test_many_workers_carry_each_message_once(place: Place, receiver: Receiver):
    added = [place.add(receiver.url(f"/{number}")) for number in range(4)]
    for _ in range(5):
        place.tell()
    barrier = threading.Barrier(4)

    def work(_: int) -> int:
        barrier.wait(10)
        tried = 0
        while step := place.deliver(most=3):
            tried += step
        return tried

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(work, range(4))) >= 1
    while place.deliver(most=10):
        pass
    assert len(receiver.received) == 20
    assert len({(each.path, each.headers["webhook-id"]) for each in receiver.received}) == 20
    assert all(len(place.log(each.endpoint)) == 5 for each in added)


def test_an_endpoint_that_hangs_does_not_hold_up_the_others(place: Place, receiver: Receiver):
    slow, quick = place.add(receiver.url("/slow")), place.add(receiver.url("/quick"))
    for _ in range(8):
        place.tell()
    with place.services.uow.begin(Command(**place.asked)) as work:
        now = place.clock.now()
        claimed = work.deliveries.claim(now=now, until=now + timedelta(minutes=1), lease=uuid4(), most=6)
    assert {each.endpoint_id for each in claimed} == {slow.endpoint.endpoint_id, quick.endpoint.endpoint_id}
    assert len(claimed) == 6


def test_whoever_dies_with_a_message_in_hand_loses_it_to_the_next(place: Place, receiver: Receiver):
    added = place.add(receiver.url())
    place.tell()

    class DiesError(Exception):
        pass

    class DyingPost:
        def check(self, url: str) -> None: ...

        def post(self, url: str, headers: object, body: bytes) -> object:
            raise DiesError

    with pytest.raises(DiesError):
        place.deliver(means=evolve(place.means, post=DyingPost()))
    assert place.deliver() == 0
    place.clock.advance(timedelta(minutes=6))
    assert place.deliver() == 1
    assert place.log(added.endpoint)[0].attempts == 1


def test_what_a_slow_worker_says_after_its_lease_counts_no_more(place: Place, receiver: Receiver):
    added = place.add(receiver.url())
    place.tell()
    inside: list[int] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if not inside:
            inside.append(1)
            # While the first worker waits for this answer, its lease runs out and another takes over.
            place.clock.advance(timedelta(minutes=6))
            inside.append(place.deliver())
        handler.send_response(200)
        handler.send_header("content-length", "0")
        handler.end_headers()

    receiver.answer = answer
    place.deliver()
    assert inside == [1, 1]
    (delivery,) = place.log(added.endpoint)
    assert (delivery.status, delivery.attempts) == (DeliveryStatus.DELIVERED, 1)
    assert len(receiver.received) == 2
    assert receiver.received[0].headers["webhook-id"] == receiver.received[1].headers["webhook-id"]


def test_a_key_that_is_gone_is_named_and_the_message_waits(place: Place, receiver: Receiver):
    added = place.add(receiver.url())
    place.tell()
    settings = Settings(encryption_key=Secret(new_key()), outbound_networks=(ip_network("127.0.0.0/8"),))
    with webhook_means(settings, place.clock) as other:
        place.deliver(means=other)
    assert receiver.received == []
    (delivery,) = place.log(added.endpoint)
    with place.services.uow.begin(Command(**place.asked)) as work:
        (attempt,) = work.deliveries.attempts(delivery.delivery_id)
    assert attempt.outcome.error == "encryption_key_missing"
    place.clock.advance(timedelta(seconds=6))
    assert place.deliver() == 1
    assert len(receiver.received) == 1


def test_a_name_that_leads_inside_is_not_called_even_later(place: Place, receiver: Receiver):
    added = place.add(receiver.url())
    place.tell()
    with webhook_means(Settings(encryption_key=Secret(KEY)), place.clock) as outside:
        place.deliver(means=outside)
        assert receiver.received == []
        assert place.log(added.endpoint)[0].status is DeliveryStatus.PENDING
        with pytest.raises(InvalidInputError):
            evolve(place, means=outside).add(receiver.url())


def test_another_agency_sees_and_gets_nothing(place: Place, receiver: Receiver):
    added = place.add(receiver.url())
    other = Place(place.services, place.means, place.clock, AgencyId(uuid4()))
    open_agency(
        OpenAgency(**other.asked, name="Other", slug=other.agency_id.hex[:20]), uow=other.services.uow
    )
    assert other.tell() == 0
    place.tell()
    assert other.deliver() == 0
    with pytest.raises(NotFoundError):
        other.read(added.endpoint)
    with pytest.raises(NotFoundError):
        other.log(added.endpoint)
    with pytest.raises(NotFoundError):
        remove_endpoint(
            RemoveEndpoint(**other.asked, endpoint_id=added.endpoint.endpoint_id), uow=other.services.uow
        )
    assert place.deliver() == 1


def test_whoever_sees_some_properties_only_does_not_look_after_endpoints(place: Place, receiver: Receiver):
    asked = {**place.asked, "property_ids": frozenset({PropertyId(uuid4())})}
    with pytest.raises(PermissionDeniedError):
        add_endpoint(AddEndpoint(**asked, url=receiver.url(), kinds=("*",)), **place.parts, means=place.means)


def test_a_removed_endpoint_takes_its_log_along(place: Place, receiver: Receiver):
    added = place.add(receiver.url())
    place.tell()
    place.deliver()
    remove_endpoint(
        RemoveEndpoint(**place.asked, endpoint_id=added.endpoint.endpoint_id), uow=place.services.uow
    )
    with pytest.raises(NotFoundError):
        place.log(added.endpoint)
    assert _kinds_of(place, added.endpoint) == ["webhook.added", "webhook.removed"]


def test_a_change_from_an_old_version_is_refused(place: Place, receiver: Receiver):
    added = place.add(receiver.url())
    place.change(added.endpoint, description="first")
    command = ChangeEndpoint(
        **place.asked,
        endpoint_id=added.endpoint.endpoint_id,
        change=EndpointChange(description="second"),
        version=1,
    )
    with pytest.raises(StaleVersionError):
        change_endpoint(command, uow=place.services.uow, means=place.means)


def test_a_test_message_goes_to_active_endpoints_only(place: Place, receiver: Receiver):
    added = place.add(receiver.url(), "never.happens")
    sent = send_test(SendTest(**place.asked, endpoint_id=added.endpoint.endpoint_id), **place.parts)
    assert place.deliver() == 1
    assert json.loads(receiver.received[0].body)["type"] == "webhook.test"
    assert receiver.received[0].headers["webhook-id"] == sent.message_id
    place.change(added.endpoint, status=EndpointStatus.PAUSED)
    with pytest.raises(TransitionError):
        send_test(SendTest(**place.asked, endpoint_id=added.endpoint.endpoint_id), **place.parts)


def test_whatever_makes_a_message_due_wakes_the_worker(
    place: Place, receiver: Receiver, postgres_database: PostgresDatabase
):
    receiver.replies = [Reply(500)]
    place.add(receiver.url())
    place.tell()
    place.deliver()
    with psycopg.connect(postgres_database.admin_url) as connection:
        rows = connection.execute(
            "SELECT due_at FROM work_due WHERE agency_id = %s AND kind = 'webhooks' ORDER BY due_at",
            (place.agency_id,),
        ).fetchall()
    now = place.clock.now()
    due = sorted(each[0] - now for each in rows)
    assert len(due) == 3  # made due, tried again, and the lease of whoever might have died
    assert due[0] == timedelta()
    assert timedelta(seconds=5) <= due[1] <= timedelta(seconds=6)
    assert due[2] == timedelta(minutes=5)


def test_old_deliveries_are_forgotten_and_those_on_their_way_are_not(place: Place, receiver: Receiver):
    receiver.replies = [Reply(200), Reply(500)]
    added = place.add(receiver.url())
    place.tell()
    place.deliver()
    place.tell()
    place.deliver()
    place.clock.advance(timedelta(days=31))
    assert purge_deliveries(PurgeDeliveries(**place.asked), uow=place.services.uow, clock=place.clock) == 1
    (kept,) = place.log(added.endpoint)
    assert kept.status is DeliveryStatus.PENDING


# --- which agency has which modules ----------------------------------------------------------------------

MANIFESTS = (Manifest(name="webhooks", version="1"), Manifest(name="extra", version="1", is_given=False))


def test_an_agency_is_given_a_module_and_it_is_told_once(place: Place):
    def switch(**wanted: bool) -> dict[str, bool]:
        found = switch_features(
            SwitchFeatures(**place.asked, wanted=wanted), MANIFESTS, uow=place.services.uow, clock=place.clock
        )
        return {each.module: each.is_enabled for each in found}

    assert switch() == {"extra": False, "webhooks": True}
    assert switch(extra=True, webhooks=False) == {"extra": True, "webhooks": False}
    assert switch(extra=True) == {"extra": True, "webhooks": False}
    found = list_features(Command(**place.asked), MANIFESTS, uow=place.services.uow)
    assert {each.module: each.version for each in found} == {"extra": 1, "webhooks": 1}
    with pytest.raises(NotFoundError):
        switch(webhooks=True, unknown=True)
    assert switch() == {"extra": True, "webhooks": False}


def test_two_who_decide_at_once_do_not_both_win(place: Place):
    with place.services.uow.begin(Command(**place.asked)) as first:
        first.features.save(Feature(module="extra", is_enabled=True, version=1, changed_at=place.clock.now()))
        with place.services.uow.begin(Command(**place.asked)) as second:
            second.features.save(
                Feature(module="extra", is_enabled=False, version=1, changed_at=place.clock.now())
            )
            second.commit()
        with pytest.raises(StaleVersionError):
            first.commit()


def _kinds_of(place: Place, endpoint: Endpoint) -> list[str]:
    sql = "SELECT kind FROM events WHERE agency_id = %s AND aggregate_id = %s ORDER BY version, kind"
    with Session(place.services.engine, place.agency_id) as session:
        rows = session.read([(sql, (place.agency_id, endpoint.endpoint_id))])[0]
    return [str(kind) for (kind,) in rows]
