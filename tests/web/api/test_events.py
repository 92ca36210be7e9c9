"""The audit trail over HTTP."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from attrs import evolve
from flask.testing import FlaskClient

from pms_web.app import create_app
from pms_web.wiring import whoever_serves
from pmscore.access.model.permissions import Role
from pmscore.kernel import trail
from pmscore.kernel.ids import PropertyId
from web.conftest import Web, wrong_fields

pytestmark = pytest.mark.postgres

EVENTS = "/api/v1/events"


def found(web: Web, client: FlaskClient | None = None, **query: object) -> dict:
    answer = (client or web.client).get(EVENTS, query_string=query)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def kinds(web: Web, **query: object) -> list[str]:
    return [each["kind"] for each in found(web, **query)["items"]]


def test_the_life_of_a_booking_is_told_newest_first(web: Web):
    made = web.book(1, 2)
    cancelled = web.patch(made, {"status": "cancelled", "reason": "guest_request"})
    life = found(web, aggregate_id=made)
    assert [each["kind"] for each in life["items"]] == ["booking.cancelled", "booking.created"]
    assert [each["version"] for each in life["items"]] == [2, 1]
    assert (life["total"], life["has_more"], life["is_total_capped"]) == (2, False, False)
    newest = life["items"][0]
    assert newest["payload"]["reason"] == "guest_request"
    assert newest["request_id"] == cancelled.headers["X-Request-Id"]
    assert newest["actor_id"] == str(web.services.principal.actor_id)
    assert "Moreira" not in str(life)
    assert found(web, request_id=newest["request_id"])["items"] == [newest]


def test_kinds_are_named_whole_or_by_their_beginning(web: Web):
    web.book(5, 1)
    every = kinds(web, limit=100)
    assert {"booking.created", "guest.created", "house.created"} <= set(every)
    assert set(kinds(web, kind="booking.created")) == {"booking.created"}
    for beginning in ("booking.*", "booking."):
        assert kinds(web, kind=beginning) == [each for each in every if each.startswith("booking.")]
    assert set(kinds(web, kind="guest.created,house.*")) == {"guest.created", "house.created"}
    assert set(kinds(web, aggregate="property")) == {"house.created"}
    assert kinds(web, actor_id=str(uuid4())) == []


def test_a_search_goes_back_by_position_while_others_write(web: Web):
    for at in range(4):
        web.book(10 + at, 1)
    every = found(web, limit=100)["items"]
    first = found(web, limit=3)
    web.book(20, 1)
    read, page = [*first["items"]], first
    while page["has_more"]:
        page = found(web, limit=3, before=read[-1]["position"])
        read += page["items"]
    assert read == every
    shifted = found(web, limit=3, offset=3)["items"]
    assert shifted != every[3:6], "an offset counts from the newest, whatever has come since"


def test_instants_bound_a_search(web: Web):
    web.here.clock.advance(timedelta(hours=1))
    start = web.here.clock.now()
    made = web.book(30, 1)
    web.here.clock.advance(timedelta(hours=1))
    end = web.here.clock.now()
    web.patch(made, {"notes": "late"})
    within = {"aggregate_id": made, "from": start.isoformat(), "to": end.isoformat()}
    assert kinds(web, **within) == ["booking.created"]
    assert kinds(web, aggregate_id=made, **{"from": end.isoformat()}) == ["booking.updated"]


def test_a_total_is_counted_up_to_a_limit(web: Web, monkeypatch: pytest.MonkeyPatch):
    web.book(35, 1)
    assert found(web)["total"] > 2
    monkeypatch.setattr("pms_adapters.postgres.trail.MOST_COUNTED", 2)
    capped = found(web, limit=1, offset=2)
    assert (capped["total"], capped["is_total_capped"], capped["has_more"]) == (2, True, True)
    assert trail.MOST_COUNTED == 10_000


def test_what_cannot_be_asked_is_named(web: Web):
    query = {
        "kind": "booking",
        "before": "12",
        "from": "2027-01-02T00:00:00Z",
        "to": "2027-01-01T00:00:00Z",
        "offset": 10_001,
        "aggregate_id": "x",
        "sort": "at",
    }
    assert wrong_fields(web.client.get(EVENTS, query_string=query)) == {
        "kind": "not_an_event_kind",
        "before": "not_a_position",
        "to": "not_after_start",
        "offset": "out_of_range",
        "aggregate_id": "not_an_id",
        "sort": "unknown_field",
    }


def test_whoever_reaches_one_property_sees_what_happened_to_it_alone(web: Web):
    web.book(40, 1)
    villa = web.post(web.at_home(40, 2)).get_json()["id"]
    home = web.home.property.property_id

    def client(*reach: PropertyId) -> FlaskClient:
        who = evolve(whoever_serves(web.services.agency_id), role=Role.MANAGER, property_ids=frozenset(reach))
        return create_app(evolve(web.here, identify=lambda _: who)).test_client()

    seen = found(web, client(home), limit=100)["items"]
    assert {each["aggregate_id"] for each in seen} == {villa, str(home)}
    assert {each["kind"] for each in seen} == {"booking.created", "house.created"}
    assert found(web, client())["total"] == 0
