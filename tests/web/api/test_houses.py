"""Properties, unit types and units over HTTP."""

from __future__ import annotations

from itertools import count

import pytest
from attrs import evolve

from pms_web.app import create_app
from pms_web.wiring import whoever_serves
from pmscore.access.model.permissions import Role
from web.conftest import Web, day, problem, wrong_fields

pytestmark = pytest.mark.postgres

PROPERTIES = "/api/v1/properties"
_NUMBERS = count(1)
NEW = {
    "name": "Pensão do Cais",
    "zone": "Europe/Lisbon",
    "currency": "EUR",
    "business_date": day(0),
    "check_in_at": "16:30",
    "unit_types": [
        {"name": "Double", "rooms": 2, "unit_names": ["2", "1"]},
        {"name": "Attic", "rooms": 1, "from": day(5), "largest_party": 4, "turnover_nights": 1},
    ],
}


def post(web: Web, path: str, body: object, key: str | None = None):
    headers = {"Idempotency-Key": key or f"houses-{next(_NUMBERS)}"}
    return web.client.post(path, json=body, headers=headers)


@pytest.fixture(scope="module")
def made(web: Web) -> dict:
    answer = post(web, PROPERTIES, NEW, "the-house")
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == f"{PROPERTIES}/{answer.get_json()['id']}"
    return answer.get_json()


def at(made: dict, rest: str = "") -> str:
    return f"{PROPERTIES}/{made['id']}{rest}"


def test_a_property_is_made_with_its_types_and_units(web: Web, made: dict):
    attic, double = made["unit_types"]
    assert (made["check_in_at"], made["check_out_at"], made["version"]) == ("16:30", "11:00", 1)
    assert [each["name"] for each in double["units"]] == ["1", "2"]
    assert (attic["rooms"], attic["capacities"]) == (0, [{"from": day(5), "rooms": 1}])
    assert double["capacities"] == [{"from": day(0), "rooms": 2}]
    again = post(web, PROPERTIES, NEW, "the-house")
    assert (again.status_code, again.get_json()) == (201, made)
    body = web.booking(1, 2, property_id=made["id"], unit_type_id=double["id"])
    assert web.post(body).status_code == 201


def test_a_key_is_needed_and_stands_for_one_property(web: Web):
    assert wrong_fields(web.client.post(PROPERTIES, json=NEW)) == {"Idempotency-Key": "required"}
    assert post(web, PROPERTIES, {**NEW, "name": "One"}, "twice").status_code == 201
    problem(post(web, PROPERTIES, {**NEW, "name": "Two"}, "twice"), 422, "idempotency_key_reused")


def test_every_mistake_in_a_new_property_is_named(web: Web):
    wrong = {
        **NEW,
        "zone": "Europe/Atlantis",
        "check_in_at": "24:00",
        "check_out_at": "9:00",
        "unit_types": [
            {"name": "A", "rooms": 1, "unit_names": ["1", "2"]},
            {"name": "B", "rooms": 2, "unit_names": ["1", "1"]},
            {"name": "C", "rooms": -1},
        ],
    }
    assert wrong_fields(post(web, PROPERTIES, wrong)) == {
        "zone": "unknown_zone",
        "check_in_at": "not_a_time",
        "check_out_at": "not_a_time",
        "unit_types[0].unit_names": "more_units_than_rooms",
        "unit_types[1].unit_names": "name_twice",
        "unit_types[2].rooms": "out_of_range",
    }
    assert wrong_fields(post(web, PROPERTIES, {**NEW, "unit_types": []})) == {"unit_types": "empty"}


def test_a_property_is_changed_at_the_version_that_was_seen(web: Web, made: dict):
    seen = web.client.get(at(made))
    tag = seen.headers["ETag"]
    assert tag == f'"{seen.get_json()["version"]}"'
    change = {"name": "Cais", "check_out_at": "10:00"}
    answer = web.client.patch(at(made), json=change, headers={"If-Match": tag})
    assert answer.get_json() == {**seen.get_json(), **change, "version": seen.get_json()["version"] + 1}
    stale = web.client.patch(at(made), json={"name": "Other"}, headers={"If-Match": tag})
    assert problem(stale, 409, "stale_version")["conflict_type"] == "stale_version"
    assert web.client.get(at(made)).get_json() == answer.get_json()


def test_zone_and_currency_never_change_and_the_business_date_has_an_action(web: Web, made: dict):
    change = {"zone": "Europe/Berlin", "currency": "USD", "business_date": day(1)}
    answer = web.client.patch(at(made), json=change)
    assert wrong_fields(answer) == {
        "zone": "never_changes",
        "currency": "never_changes",
        "business_date": "moved_by_action",
    }
    assert "agreed" in answer.text
    assert "advance-business-date" in answer.text


def test_the_business_date_moves_forward_only(web: Web):
    made = post(web, PROPERTIES, {**NEW, "name": "Forward"}).get_json()
    moved = web.client.post(at(made, "/advance-business-date"), json={"to": day(3)})
    assert moved.get_json() == {**made, "business_date": day(3), "version": 2}
    for to in (day(3), day(2)):
        answer = web.client.post(at(made, "/advance-business-date"), json={"to": to})
        assert wrong_fields(answer) == {"to": "not_after_business_date"}
    stale = web.client.post(at(made, "/advance-business-date"), json={"to": day(9), "version": 1})
    problem(stale, 409, "stale_version")


def test_types_are_added_changed_and_given_capacity(web: Web):
    made = post(web, PROPERTIES, {**NEW, "name": "Types"}).get_json()
    types = at(made, "/unit-types")
    suite = {"name": "Suite", "rooms": 1, "unit_names": ["201"]}
    added = post(web, types, suite, "suite")
    assert added.status_code == 201, added.text
    body = added.get_json()
    assert (body["property_id"], body["version"], body["rooms"]) == (made["id"], 2, 1)
    assert web.client.post(at(made, "/advance-business-date"), json={"to": day(4)}).status_code == 200
    assert post(web, types, suite, "suite").get_json() == body
    own = added.headers["Location"]
    assert own == f"{types}/{body['id']}"
    change = {"name": "Big suite", "overbooking": 1, "turnover_nights": 2}
    changed = web.client.patch(own, json=change)
    assert changed.get_json() == {**body, **change, "version": 4}
    put = web.client.put(f"{own}/capacity", json={"from": day(30), "rooms": 3}, headers={"If-Match": '"4"'})
    assert put.get_json()["capacities"] == [{"from": day(0), "rooms": 1}, {"from": day(30), "rooms": 3}]
    assert web.client.get(own).get_json() == put.get_json()
    listed = web.client.get(types, query_string={"limit": 2}).get_json()
    assert [each["name"] for each in listed["items"]] == ["Attic", "Big suite"]
    assert (listed["total"], listed["has_more"]) == (3, True)
    assert wrong_fields(web.client.patch(own, json={"rooms": 3})) == {"rooms": "set_by_capacity"}


def test_capacity_and_overbooking_below_what_is_sold_are_refused(web: Web):
    made = post(web, PROPERTIES, {**NEW, "name": "Sold"}).get_json()
    double = made["unit_types"][1]
    own = at(made, f"/unit-types/{double['id']}")
    assert web.client.patch(own, json={"overbooking": 1}).status_code == 200
    for _ in range(3):
        booked = web.post(web.booking(10, 1, property_id=made["id"], unit_type_id=double["id"]))
        assert booked.status_code == 201, booked.text
    problem(web.client.patch(own, json={"overbooking": 0}), 409, "inventory_overlap")
    fewer = web.client.put(f"{own}/capacity", json={"from": day(9), "rooms": 1})
    assert [each["night"] for each in problem(fewer, 409, "inventory_overlap")["nights"]] in ([day(10)], [])
    assert web.client.get(own).get_json()["overbooking"] == 1


def test_units_are_added_where_there_are_rooms_and_renamed(web: Web):
    made = post(web, PROPERTIES, {**NEW, "name": "Units"}).get_json()
    double = made["unit_types"][1]["id"]
    units = at(made, "/units")
    third = {"unit_type_id": double, "name": "3"}
    assert wrong_fields(post(web, units, third)) == {"name": "more_units_than_rooms"}
    capacity = {"from": day(0), "rooms": 4}
    assert web.client.put(at(made, f"/unit-types/{double}/capacity"), json=capacity).status_code == 200
    added = post(web, units, third, "third")
    assert added.status_code == 201, added.text
    assert post(web, units, third, "third").get_json() == added.get_json()
    assert wrong_fields(post(web, units, third)) == {"name": "taken"}
    own = added.headers["Location"]
    renamed = web.client.patch(own, json={"name": "3 (garden)", "version": added.get_json()["version"]})
    assert renamed.get_json() == {
        **added.get_json(),
        "name": "3 (garden)",
        "version": added.get_json()["version"] + 1,
    }
    assert web.client.get(own).get_json() == renamed.get_json()
    listed = web.client.get(units, query_string={"unit_type_id": double}).get_json()
    assert [each["name"] for each in listed["items"]] == ["1", "2", "3 (garden)"]
    attic = made["unit_types"][0]["id"]
    assert web.client.get(units, query_string={"unit_type_id": attic}).get_json()["total"] == 0


def test_nothing_with_a_history_is_removed(web: Web, made: dict):
    types = at(made, f"/unit-types/{made['unit_types'][0]['id']}")
    units = at(made, f"/units/{made['unit_types'][1]['units'][0]['id']}")
    for address in (at(made), types, units):
        problem(web.client.delete(address), 405, "method_not_allowed")


def test_whoever_reaches_one_property_finds_and_makes_no_other(web: Web, made: dict):
    home = web.home.property.property_id
    who = evolve(whoever_serves(web.services.agency_id), role=Role.MANAGER, property_ids=frozenset({home}))
    client = create_app(evolve(web.here, identify=lambda _: who)).test_client()
    type_id, unit_id = made["unit_types"][1]["id"], made["unit_types"][1]["units"][0]["id"]
    key = {"Idempotency-Key": "reach-houses"}
    for answer in (
        client.get(at(made)),
        client.patch(at(made), json={"name": "Mine"}),
        client.post(at(made, "/advance-business-date"), json={"to": day(300)}),
        client.get(at(made, "/unit-types")),
        client.get(at(made, f"/unit-types/{type_id}")),
        client.patch(at(made, f"/unit-types/{type_id}"), json={"name": "Mine"}),
        client.put(at(made, f"/unit-types/{type_id}/capacity"), json={"from": day(0), "rooms": 9}),
        client.post(at(made, "/unit-types"), json={"name": "Mine", "rooms": 1}, headers=key),
        client.get(at(made, "/units")),
        client.get(at(made, f"/units/{unit_id}")),
        client.patch(at(made, f"/units/{unit_id}"), json={"name": "Mine"}),
        client.post(at(made, "/units"), json={"unit_type_id": type_id, "name": "Mine"}, headers=key),
    ):
        problem(answer, 404, "not_found")
    problem(client.post(PROPERTIES, json=NEW, headers=key), 403, "permission_denied")
    assert client.get(f"{PROPERTIES}/{home}").status_code == 200
    assert client.patch(f"{PROPERTIES}/{home}", json={"name": "Villa Sol"}).status_code == 200
