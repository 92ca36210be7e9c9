"""Blocks and holds over HTTP: claimed once, listed, given back."""

from __future__ import annotations

from uuid import uuid4

import pytest

from web.conftest import Web, day, problem, wrong_fields

pytestmark = pytest.mark.postgres


def block(web: Web, first: int, nights: int, unit: str = "101", key: str | None = None, **more: object):
    body = {
        "property_id": str(web.hotel.property.property_id),
        "unit_id": web.units[unit],
        "from": day(first),
        "to": day(first + nights),
        **more,
    }
    headers = {"Idempotency-Key": key or str(uuid4())}
    return web.client.post("/api/v1/availability/blocks", json=body, headers=headers)


def hold(web: Web, first: int, nights: int, key: str | None = None, **more: object):
    body = {
        "property_id": str(web.hotel.property.property_id),
        "unit_type_id": web.types["Double"],
        "arrival": day(first),
        "departure": day(first + nights),
        "expires_at": f"{day(0)}T18:00:00Z",
        **more,
    }
    headers = {"Idempotency-Key": key or str(uuid4())}
    return web.client.post("/api/v1/holds", json=body, headers=headers)


def test_a_block_keeps_the_unit_until_it_is_lifted(web: Web):
    made = block(web, 60, 3, kind="maintenance", reason="smoke-test")
    assert made.status_code == 201
    body = made.get_json()
    assert (body["from"], body["to"], body["kind"], body["reason"]) == (
        day(60),
        day(63),
        "maintenance",
        "smoke-test",
    )
    rooms = [{"arrival": day(62), "departure": day(64), "adults": 1, "unit_id": web.units["101"]}]
    rooms[0]["rate"] = {"amount": "100.00", "currency": "EUR"}
    wish = {
        "property_id": str(web.hotel.property.property_id),
        "rooms": rooms,
        "guest": {"name": "Ada Moreira"},
    }
    refused = problem(web.post(wish), 409, "inventory_overlap")
    assert refused["conflict_type"] == "inventory_overlap"
    assert web.client.delete(f"/api/v1/availability/blocks/{body['id']}").status_code == 204
    assert web.post(wish).status_code == 201
    problem(web.client.delete(f"/api/v1/availability/blocks/{body['id']}"), 404, "not_found")


def test_blocks_are_listed_by_property_nights_and_reason(web: Web):
    reason = f"paint {uuid4()}"
    first = block(web, 70, 2, reason=reason).get_json()["id"]
    second = block(web, 75, 2, reason=reason).get_json()["id"]
    listed = web.client.get("/api/v1/availability/blocks", query_string={"reason": reason}).get_json()
    assert [each["id"] for each in listed["items"]] == [first, second]
    assert (listed["total"], listed["has_more"]) == (2, False)
    asked = {"reason": reason, "from": day(72), "to": day(80)}
    assert [
        each["id"]
        for each in web.client.get("/api/v1/availability/blocks", query_string=asked).get_json()["items"]
    ] == [second]
    for open_end, found in (({"from": day(72)}, [second]), ({"to": day(72)}, [first])):
        answer = web.client.get("/api/v1/availability/blocks", query_string={"reason": reason, **open_end})
        assert [each["id"] for each in answer.get_json()["items"]] == found
    unknown = web.client.get("/api/v1/availability/blocks", query_string={"property_id": str(uuid4())})
    problem(unknown, 404, "not_found")


def test_a_claim_needs_a_key_and_is_made_once_under_it(web: Web):
    for make in (block, hold):
        key = str(uuid4())
        first = make(web, 85, 1, key=key)
        assert first.status_code == 201, first.text
        assert make(web, 85, 1, key=key).get_json() == first.get_json()
        problem(make(web, 86, 1, key=key), 422, "idempotency_key_reused")
    body = {"property_id": str(web.hotel.property.property_id)}
    assert wrong_fields(web.client.post("/api/v1/holds", json=body))["Idempotency-Key"] == "required"


def test_a_hold_is_listed_until_it_is_given_up(web: Web):
    placed = hold(web, 90, 2)
    assert placed.status_code == 201
    body = placed.get_json()
    assert body["status"] == "active"
    query = {"property_id": str(web.hotel.property.property_id)}
    listed = web.client.get("/api/v1/holds", query_string=query).get_json()["items"]
    assert body in listed
    released = web.client.delete(f"/api/v1/holds/{body['id']}")
    assert released.get_json()["status"] == "released"
    problem(web.client.delete(f"/api/v1/holds/{body['id']}"), 409, "illegal_transition")
    listed = web.client.get("/api/v1/holds", query_string=query).get_json()["items"]
    assert body["id"] not in {each["id"] for each in listed}


def test_what_cannot_be_is_said_field_by_field(web: Web):
    assert wrong_fields(block(web, 5, 0)) == {"to": "not_after_start"}
    assert wrong_fields(block(web, 5, 1, kind="party")) == {"kind": "unknown_value"}
    assert wrong_fields(block(web, 5, 1, agency_id=str(uuid4()))) == {"agency_id": "unknown_field"}
    assert wrong_fields(hold(web, 5, 1, expires_at="2027-03-01T09:00:00Z")) == {"expires_at": "out_of_range"}
    assert wrong_fields(hold(web, 5, 1, expires_at="tomorrow")) == {"expires_at": "not_an_instant"}
