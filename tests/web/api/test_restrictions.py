"""Stay rules over HTTP: put in force, listed, heeded by the search."""

from __future__ import annotations

from uuid import uuid4

import pytest

from web.conftest import Web, day, problem, wrong_fields

pytestmark = pytest.mark.postgres


def address(web: Web) -> str:
    return f"/api/v1/properties/{web.hotel.property.property_id}/restrictions"


def put(web: Web, first: int, nights: int, *rules: dict[str, object], **more: object):
    body = {"from": day(first), "to": day(first + nights), "rules": list(rules), **more}
    return web.client.put(address(web), json=body)


def refusal_codes(web: Web, arrival: int, nights: int) -> set[str]:
    query = {
        "arrival": day(arrival),
        "departure": day(arrival + nights),
        "adults": 1,
        "property_id": str(web.hotel.property.property_id),
    }
    found = web.client.get("/api/v1/availability/search", query_string=query).get_json()
    return {each["code"] for refusal in found["refusals"] for each in refusal["violations"]}


def test_a_rule_is_heeded_from_the_next_search_on_until_it_is_cleared(web: Web):
    made = put(web, 100, 10, {"kind": "min_stay_arrival", "value": 3})
    assert made.status_code == 200
    (rule,) = made.get_json()["items"]
    assert rule == {
        "kind": "min_stay_arrival",
        "from": day(100),
        "to": day(110),
        "weekdays": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
        "value": 3,
        "unit_type_id": None,
        "plan": None,
        "channel": None,
    }
    assert refusal_codes(web, 101, 2) == {"min_stay_arrival"}
    assert refusal_codes(web, 101, 3) == set()
    assert put(web, 100, 10, clear=[{"kind": "min_stay_arrival"}]).get_json()["items"] == []
    assert refusal_codes(web, 101, 2) == set()


def test_rules_are_listed_by_nights_with_their_weekdays_and_types(web: Web):
    double = web.types["Double"]
    put(
        web, 120, 7,
        {"kind": "closed_to_arrival", "weekdays": ["sun", "sat"], "unit_type_id": double},
        {"kind": "allowed_lengths", "value": [2, 7]},
    )  # fmt: skip
    listed = web.client.get(address(web), query_string={"from": day(120), "to": day(121)}).get_json()
    by_kind = {each["kind"]: each for each in listed["items"]}
    assert by_kind["closed_to_arrival"]["weekdays"] == ["sat", "sun"]
    assert by_kind["closed_to_arrival"]["unit_type_id"] == double
    assert by_kind["allowed_lengths"]["value"] == [2, 7]
    assert (
        web.client.get(address(web), query_string={"from": day(300), "to": day(301)}).get_json()["total"] == 0
    )


def test_what_cannot_be_is_refused_and_changes_nothing(web: Web):
    before = web.client.get(address(web)).get_json()
    assert wrong_fields(put(web, 5, 0, {"kind": "closed_night"})) == {"to": "not_after_start"}
    assert wrong_fields(put(web, 5, 1)) == {"rules": "empty"}
    for rule in (
        {"kind": "closed_on_mondays"},
        {"kind": "min_stay_arrival", "value": 0},
        {"kind": "min_stay_arrival", "value": "three"},
        {"kind": "min_stay_arrival", "value": {"nights": 3}},
        {"kind": "closed_night", "weekdays": ["someday"]},
        {"kind": "closed_night", "colour": "red"},
    ):
        problem(put(web, 5, 1, rule), 422, "invalid_input")
    problem(put(web, 5, 1, {"kind": "closed_night", "unit_type_id": str(uuid4())}), 404, "not_found")
    assert web.client.get(address(web)).get_json() == before
    problem(web.client.get(f"/api/v1/properties/{uuid4()}/restrictions"), 404, "not_found")
