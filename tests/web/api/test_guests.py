"""Guests over HTTP."""

from __future__ import annotations

from uuid import uuid4

import pytest

from web.conftest import Web, problem, wrong_fields

pytestmark = pytest.mark.postgres
ADA = {"name": "Ada Moreira", "email": "ada@example.com", "phone": "+351 912 000 000", "country": "PT"}


def made(web: Web, **changed: str) -> dict[str, object]:
    answer = web.client.post("/api/v1/guests", json={**ADA, **changed})
    assert answer.status_code == 201, answer.text
    return answer.get_json()


def test_a_profile_is_made_read_and_changed(web: Web):
    guest = made(web)
    address = f"/api/v1/guests/{guest['id']}"
    assert web.client.get(address).get_json() == guest
    assert guest["figures"]["total_bookings"] == 0
    changed = web.client.patch(address, json={"phone": "1"})
    assert changed.get_json()["phone"] == "1"
    assert changed.get_json()["version"] == 2
    assert changed.headers["ETag"] == '"2"'
    assert changed.get_json()["name"] == ADA["name"]


def test_who_changes_what_they_have_not_seen_is_refused(web: Web):
    address = f"/api/v1/guests/{made(web)['id']}"
    assert web.client.patch(address, json={"phone": "1"}, headers={"If-Match": '"1"'}).status_code == 200
    late = web.client.patch(address, json={"phone": "2"}, headers={"If-Match": '"1"'})
    problem(late, 409, "stale_version")
    assert web.client.get(address).get_json()["phone"] == "1"


def test_guests_are_found_by_a_part_of_their_name(web: Web):
    name = f"Zoë {uuid4()}"
    made(web)
    guest = made(web, name=name)
    found = web.client.get("/api/v1/guests", query_string={"text": name[4:].upper()}).get_json()
    assert [each["id"] for each in found["items"]] == [guest["id"]]
    assert web.client.get("/api/v1/guests", query_string={"text": str(uuid4())}).get_json()["total"] == 0
    assert web.client.get("/api/v1/guests", query_string={"limit": 1}).get_json()["has_more"]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"name": ""}, "empty"),
        ({"email": "not an address"}, "not_an_address"),
        ({"country": "Portugal"}, "not_a_country_code"),
        ({"phone": "1" * 41}, "too_long"),
        ({"agency_id": str(uuid4())}, "unknown_field"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(web: Web, wrong: dict[str, str], code: str):
    before = web.client.get("/api/v1/guests").get_json()["total"]
    (field,) = wrong
    assert wrong_fields(web.client.post("/api/v1/guests", json={**ADA, **wrong})) == {field: code}
    assert web.client.get("/api/v1/guests").get_json()["total"] == before


def test_an_unknown_guest_is_not_found(web: Web):
    problem(web.client.get(f"/api/v1/guests/{uuid4()}"), 404, "not_found")
    problem(web.client.patch(f"/api/v1/guests/{uuid4()}", json={"phone": "1"}), 404, "not_found")
