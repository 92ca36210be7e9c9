"""Webhooks over HTTP: made, changed, rotated, tested and removed, and what the log says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from ipaddress import ip_network
from uuid import uuid4

import pytest
from attrs import evolve
from flask.testing import FlaskClient

from adapters.conftest import PostgresDatabase
from adapters.http.receiver import Receiver, Reply, receiving
from pms_adapters.crypto.box import new_key
from pms_web.app import create_app
from pms_web.wiring import whoever_serves
from pmscore.access.model.permissions import Role
from pmscore.kernel.ids import RequestId
from pmscore.kernel.secrets import Secret
from pmscore.webhooks.policies.signing import verify_webhook
from pmscore.webhooks.use_cases.delivering import DeliverDue, deliver_due
from web.conftest import Web, problem, web_on, wrong_fields

HOOKS = "/api/v1/webhooks"


@pytest.fixture(scope="module")
def web(postgres_database: PostgresDatabase) -> Iterator[Web]:
    yield from web_on(
        postgres_database.app_url,
        encryption_key=Secret(new_key()),
        outbound_networks=(ip_network("127.0.0.0/8"),),
    )


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def make(web: Web, url: str, **more: object) -> dict[str, object]:
    answer = web.client.post(HOOKS, json={"url": url, "kinds": ["*"], **more})
    assert answer.status_code == 201, answer.text
    return answer.get_json()


def deliver(web: Web) -> None:
    services = web.services

    def step() -> int:
        command = DeliverDue(**{**services.asking, "request_id": RequestId(uuid4())})
        return deliver_due(
            command, uow=services.uow, clock=services.clock, ids=services.ids, means=services.webhooks
        )

    while step():
        pass


def test_the_secret_is_shown_once(web: Web, receiver: Receiver):
    made = make(web, receiver.url(), description="Till", payload="full")
    assert str(made["secret"]).startswith("whsec_")
    assert {name: made[name] for name in ("description", "payload", "status", "kinds", "version")} == {
        "description": "Till", "payload": "full", "status": "active", "kinds": ["*"], "version": 1,
    }  # fmt: skip
    shown = web.client.get(f"{HOOKS}/{made['id']}")
    assert shown.headers["ETag"] == '"1"'
    assert "secret" not in shown.get_json()
    assert "whsec_" not in shown.text + web.client.get(HOOKS).text
    (listed,) = [each for each in web.client.get(HOOKS).get_json()["items"] if each["id"] == made["id"]]
    assert listed == shown.get_json()


def test_a_test_message_arrives_signed_and_stands_in_the_log(web: Web, receiver: Receiver):
    receiver.replies = [Reply(500, {}, b"not today"), Reply(200, {}, b"fine")]
    made = make(web, receiver.url("/in"))
    one = f"{HOOKS}/{made['id']}"
    sent = web.client.post(f"{one}/test")
    assert (sent.status_code, sent.get_json()["status"]) == (202, "pending")
    deliver(web)
    (got,) = receiver.received
    assert verify_webhook(got.headers, got.body, [str(made["secret"])], web.services.clock.now())
    log = web.client.get(f"{one}/deliveries").get_json()
    assert (log["total"], log["items"][0]["attempts"], log["items"][0]["kind"]) == (1, 1, "webhook.test")
    shown = web.client.get(f"{one}/deliveries/{sent.get_json()['id']}").get_json()
    assert json.loads(shown["body"])["type"] == "webhook.test"
    assert [(each["status"], each["answer"]) for each in shown["log"]] == [(500, "not today")]
    assert web.client.get(f"{one}/deliveries?status=dead").get_json()["total"] == 0
    again = web.client.post(f"{one}/deliveries/{sent.get_json()['id']}/redeliver")
    problem(again, 409, "illegal_transition")


def test_a_delivered_message_is_sent_again_by_hand(web: Web, receiver: Receiver):
    made = make(web, receiver.url())
    one = f"{HOOKS}/{made['id']}"
    sent = web.client.post(f"{one}/test").get_json()
    deliver(web)
    again = web.client.post(f"{one}/deliveries/{sent['id']}/redeliver")
    assert (again.status_code, again.get_json()["message_id"]) == (202, sent["message_id"])
    deliver(web)
    assert len({each.headers["webhook-id"] for each in receiver.received}) == 1
    assert len(receiver.received) == 2


def test_a_rotated_secret_signs_beside_the_old_one(web: Web, receiver: Receiver):
    made = make(web, receiver.url())
    one = f"{HOOKS}/{made['id']}"
    answer = web.client.post(f"{one}/secret", json={"keep_hours": 1})
    rotated = answer.get_json()
    assert answer.status_code == 201
    assert rotated["secret"] != made["secret"]
    assert [each["retires_at"] is None for each in rotated["secrets"]] == [True, False]
    assert "keep_hours" in wrong_fields(web.client.post(f"{one}/secret", json={"keep_hours": 169}))


def test_a_webhook_is_changed_from_the_version_that_was_read(web: Web, receiver: Receiver):
    one = f"{HOOKS}/{make(web, receiver.url())['id']}"
    paused = web.client.patch(one, json={"status": "paused"}, headers={"If-Match": '"1"'})
    assert (paused.status_code, paused.get_json()["status"], paused.headers["ETag"]) == (200, "paused", '"2"')
    problem(
        web.client.patch(one, json={"payload": "full"}, headers={"If-Match": '"1"'}), 409, "stale_version"
    )
    problem(web.client.post(f"{one}/test"), 409, "illegal_transition")
    back = web.client.patch(one, json={"status": "active", "kinds": ["quote.*", "booking.created"]})
    assert back.get_json()["kinds"] == ["booking.created", "quote.*"]


def test_a_removed_webhook_is_gone(web: Web, receiver: Receiver):
    one = f"{HOOKS}/{make(web, receiver.url())['id']}"
    gone = web.client.delete(one)
    assert (gone.status_code, gone.data) == (204, b"")
    for answer in (web.client.get(one), web.client.delete(one), web.client.get(f"{one}/deliveries")):
        problem(answer, 404, "not_found")


def test_a_delivery_is_found_under_its_own_webhook_only(web: Web, receiver: Receiver):
    mine, other = make(web, receiver.url()), make(web, receiver.url())
    sent = web.client.post(f"{HOOKS}/{mine['id']}/test").get_json()
    problem(web.client.get(f"{HOOKS}/{other['id']}/deliveries/{sent['id']}"), 404, "not_found")
    problem(web.client.post(f"{HOOKS}/{other['id']}/deliveries/{sent['id']}/redeliver"), 404, "not_found")


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"url": "http://example.com/"}, {"url": "not_https"}),
        ({"url": "https://10.0.0.1/"}, {"url": "closed_address"}),
        ({"url": "https://[::ffff:10.0.0.1]/"}, {"url": "closed_address"}),
        ({"url": "https://user:pass@example.com/"}, {"url": "holds_a_user"}),
        ({"url": "https://example.com:8443/"}, {"url": "closed_port"}),
        ({"url": "https://example.com/" + "a" * 2000}, {"url": "too_long"}),
        ({"kinds": ["Booking Created"]}, {"kinds": "not_an_event_kind"}),
        ({"kinds": []}, {"kinds": "empty"}),
        ({"payload": "huge"}, {"payload": "unknown_value"}),
        ({"secret": "whsec_mine"}, {"secret": "unknown_field"}),
        ({"url": None}, {"url": "required"}),
        ({"description": "a\x00b"}, {"description": "control_character"}),
    ],
)
def test_what_cannot_be_a_webhook_is_refused_by_field(
    web: Web, changes: dict[str, object], wrong: dict[str, str]
):
    body = {"url": "https://example.com/hook", "kinds": ["*"], **changes}
    assert wrong_fields(web.client.post(HOOKS, json=body)) == wrong


def test_without_a_key_nothing_is_made_and_the_answer_says_what_to_do(postgres_database: PostgresDatabase):
    for bare in web_on(postgres_database.app_url):
        answer = bare.client.post(HOOKS, json={"url": "https://example.com/", "kinds": ["*"]})
        assert problem(answer, 503, "misconfigured")["detail"]
        assert bare.client.get(HOOKS).get_json()["total"] == 0


# --- which agency has which modules ----------------------------------------------------------------------


def features(client: FlaskClient) -> dict[str, bool]:
    answer = client.get("/api/v1/features")
    assert answer.status_code == 200
    return {each["module"]: each["enabled"] for each in answer.get_json()["features"]}


def test_a_module_that_is_taken_away_is_not_there_for_this_agency(web: Web):
    assert features(web.client)["webhooks"] is True
    off = {"features": [{"module": "webhooks", "enabled": False}]}
    try:
        assert web.client.put("/api/v1/features", json=off).status_code == 200
        assert features(web.client)["webhooks"] is False
        problem(web.client.get(HOOKS), 404, "no_such_address")
        assert web.client.get("/api/v1/properties").status_code == 200
    finally:
        on = {"features": [{"module": "webhooks", "enabled": True}]}
        assert web.client.put("/api/v1/features", json=on).status_code == 200
    assert web.client.get(HOOKS).status_code == 200


def test_only_modules_that_run_are_given(web: Web):
    unknown = {"features": [{"module": "minibar", "enabled": True}]}
    problem(web.client.put("/api/v1/features", json=unknown), 404, "not_found")
    core = {"features": [{"module": "metrics", "enabled": True}]}
    problem(web.client.put("/api/v1/features", json=core), 404, "not_found")
    twice = {"features": [{"module": "webhooks", "enabled": True}, {"module": "webhooks", "enabled": False}]}
    assert wrong_fields(web.client.put("/api/v1/features", json=twice)) == {"features": "repeated"}


def test_whoever_sees_some_properties_reads_no_webhook_and_no_log(web: Web, receiver: Receiver):
    """Messages tell of all houses, so reading them is for those who may see all houses, too."""
    made = make(web, receiver.url())
    one = f"{HOOKS}/{made['id']}"
    sent = web.client.post(f"{one}/test").get_json()
    reach = frozenset({web.home.property.property_id})
    who = evolve(whoever_serves(web.services.agency_id), role=Role.MANAGER, property_ids=reach)
    client = create_app(evolve(web.here, identify=lambda _: who)).test_client()
    log = f"{one}/deliveries"
    for address in (HOOKS, one, log, f"{log}/{sent['id']}", f"{HOOKS}/{uuid4()}"):
        assert web.client.get(address).status_code in {200, 404}
        problem(client.get(address), 403, "permission_denied")
