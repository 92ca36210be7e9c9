from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from pmscore.kernel.errors import TransitionError
from pmscore.kernel.ids import EventId
from pmscore.webhooks.model.deliveries import Delivery, DeliveryId, DeliveryStatus, Outcome
from pmscore.webhooks.model.endpoints import Endpoint, EndpointId
from pmscore.webhooks.policies.messages import LARGEST_MESSAGE, Happening, message
from pmscore.webhooks.policies.messages import test_message as empty_message
from pmscore.webhooks.policies.retrying import MOST_ATTEMPTS, PAUSES, judged

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
ENDPOINT = Endpoint(
    endpoint_id=EndpointId(uuid4()), url="https://hooks.test/", kinds=("*",), created_at=NOW, secrets=()
)
FAILED = Outcome(status=500)


def delivery(number: int = 0) -> Delivery:
    return Delivery(
        delivery_id=DeliveryId(UUID(int=number * 1000)),
        endpoint_id=ENDPOINT.endpoint_id,
        event_id=EventId(uuid4()),
        kind="booking.created",
        body="{}",
        created_at=NOW,
        next_at=NOW,
    )


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_status_of_the_two_hundreds_is_a_delivery(status: int):
    verdict = judged(delivery(), ENDPOINT, Outcome(status=status), NOW)
    assert verdict.delivery.status is DeliveryStatus.DELIVERED
    assert (verdict.delivery.next_at, verdict.delivery.ended_at, verdict.disables) == (None, NOW, None)


@pytest.mark.parametrize(
    "outcome",
    [Outcome(status=each) for each in (100, 301, 302, 400, 404, 422, 500, 503)] + [Outcome(error="timeout")],
)
def test_everything_else_is_tried_again_after_five_seconds(outcome: Outcome):
    verdict = judged(delivery(), ENDPOINT, outcome, NOW)
    assert verdict.delivery.status is DeliveryStatus.PENDING
    assert timedelta(seconds=5) <= verdict.delivery.next_at - NOW <= timedelta(seconds=5.5)


def test_ten_attempts_spread_over_three_days_then_the_endpoint_is_disabled():
    state, now, pauses = delivery(), NOW, []
    for _ in range(MOST_ATTEMPTS - 1):
        verdict = judged(state, ENDPOINT, FAILED, now)
        state = verdict.delivery
        pauses.append(state.next_at - now)
        now = state.next_at
        assert verdict.disables is None
    assert all(least <= pause <= least * 1.1 for least, pause in zip(PAUSES, pauses, strict=True))
    assert timedelta(hours=75) <= now - NOW <= timedelta(hours=84)
    last = judged(state, ENDPOINT, FAILED, now)
    assert (last.delivery.status, last.delivery.attempts, last.disables) == (
        DeliveryStatus.DEAD,
        10,
        "gave_up",
    )


def test_an_endpoint_that_took_other_messages_meanwhile_loses_only_this_one():
    state = evolve(delivery(), attempts=9)
    working = evolve(ENDPOINT, delivered_at=NOW + timedelta(hours=1))
    assert judged(state, working, FAILED, NOW + timedelta(days=4)).disables is None
    before = evolve(ENDPOINT, delivered_at=NOW - timedelta(hours=1))
    assert judged(state, before, FAILED, NOW + timedelta(days=4)).disables == "gave_up"


def test_an_endpoint_that_is_gone_is_disabled_at_once():
    verdict = judged(delivery(), ENDPOINT, Outcome(status=410), NOW)
    assert (verdict.delivery.status, verdict.disables) == (DeliveryStatus.DEAD, "gone")


@pytest.mark.parametrize("status", [429, 502, 504])
def test_a_server_under_load_is_given_a_minute(status: int):
    verdict = judged(delivery(), ENDPOINT, Outcome(status=status), NOW)
    assert verdict.delivery.next_at - NOW >= timedelta(minutes=1)


def test_a_longer_retry_after_wins_up_to_a_day():
    for asked, least in ((3600, timedelta(hours=1)), (10**8, timedelta(days=1)), (1, timedelta(seconds=5))):
        verdict = judged(delivery(), ENDPOINT, Outcome(status=503, retry_after=asked), NOW)
        assert least <= verdict.delivery.next_at - NOW <= least * 1.1


def test_messages_that_failed_together_do_not_come_back_together():
    spread = {
        judged(evolve(delivery(), delivery_id=DeliveryId(uuid4())), ENDPOINT, FAILED, NOW).delivery.next_at
        for _ in range(50)
    }
    assert len(spread) > 30


def test_a_redelivery_begins_a_new_round_with_the_same_message():
    dead = evolve(delivery(), attempts=10, status=DeliveryStatus.DEAD, next_at=None, ended_at=NOW)
    again = dead.again(NOW + timedelta(days=5))
    assert (again.message_id, again.body, again.status) == (
        dead.message_id,
        dead.body,
        DeliveryStatus.PENDING,
    )
    verdict = judged(again, ENDPOINT, FAILED, NOW + timedelta(days=5))
    assert verdict.delivery.next_at is not None
    assert verdict.delivery.attempts == 11
    with pytest.raises(TransitionError):
        again.again(NOW)


@given(st.lists(st.sampled_from([200, 404, 410, 429, 500, None]), min_size=1, max_size=15))
def test_a_delivery_ends_once_and_within_ten_attempts(statuses: list[int | None]):
    state, now = delivery(), NOW
    for status in statuses:
        state = judged(state, ENDPOINT, Outcome(status=status), now).delivery
        assert (state.next_at is None) == (state.status is not DeliveryStatus.PENDING)
        if state.next_at is None:
            break
        assert state.next_at > now
        now = state.next_at
    assert state.attempts <= MOST_ATTEMPTS


# --- messages ------------------------------------------------------------------------------------------

EVENT = Happening(
    event_id=EventId(UUID(int=1)),
    kind="booking.changed",
    aggregate="booking",
    aggregate_id=UUID(int=2),
    version=3,
    at=NOW,
    payload={"property_id": "p", "fields": ["arrival"], "room_ids": ["r"]},
)


def test_a_message_says_which_thing_changed_and_nothing_more():
    assert json.loads(message(EVENT, is_full=False)) == {
        "type": "booking.changed",
        "timestamp": "2027-03-01T12:00:00Z",
        "data": {
            "property_id": "p",
            "room_ids": ["r"],
            "event_id": str(UUID(int=1)),
            "aggregate": "booking",
            "id": str(UUID(int=2)),
            "version": 3,
        },
    }


def test_a_full_message_has_what_the_event_says():
    assert json.loads(message(EVENT, is_full=True))["data"]["payload"] == EVENT.payload


@given(
    st.dictionaries(st.text(max_size=8).map(lambda each: each + "_id"), st.text(), max_size=300),
    st.booleans(),
)
def test_a_message_is_never_larger_than_it_may_be(payload: dict[str, str], is_full: bool):
    written = message(evolve(EVENT, payload=payload), is_full=is_full)
    assert len(written.encode()) <= LARGEST_MESSAGE
    assert json.loads(written)["data"]["id"] == str(UUID(int=2))


def test_what_does_not_fit_is_left_out_and_said_so():
    for is_full in (True, False):
        content = json.loads(message(evolve(EVENT, payload={"x_id": "x" * 30_000}), is_full=is_full))["data"]
        assert content["is_cut"] is True
        assert "x_id" not in content


def test_no_member_of_an_event_takes_the_place_of_its_own_id():
    forged = evolve(EVENT, payload={"event_id": "forged", "id": "forged"})
    assert json.loads(message(forged, is_full=False))["data"]["event_id"] == str(UUID(int=1))


def test_a_test_message_has_its_own_kind():
    assert json.loads(empty_message(UUID(int=5), NOW))["type"] == "webhook.test"
