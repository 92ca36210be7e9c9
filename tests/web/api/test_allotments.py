"""Rooms that are kept for a channel, over HTTP: made once, changed in one step, given back, and told to others as events."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from uuid import uuid4

import pytest
from attrs import evolve
from werkzeug.test import TestResponse

from adapters.conftest import PostgresDatabase
from pms_web.app import create_app
from pmscore.access.model.permissions import Role
from web.channel_web import opened
from web.conftest import Web, day, problem, wrong_fields

pytestmark = pytest.mark.postgres

HERE = "/api/v1/allotments"
_CHANNELS = count(1)


@pytest.fixture(scope="module")
def web(postgres_database: PostgresDatabase) -> Iterator[Web]:
    yield from opened(postgres_database, mock=True)


def terms(web: Web, first: int, nights: int, **changes: object) -> dict[str, object]:
    """Return the body of an allotment of one of the three doubles, for a channel of its own; what is None is left out."""
    body: dict[str, object] = {
        "property_id": str(web.hotel.property.property_id),
        "unit_type_id": web.types["Double"],
        "channel": f"channel-{next(_CHANNELS)}",
        "from": day(first),
        "to": day(first + nights),
        "guaranteed": 1,
    }
    return {name: value for name, value in {**body, **changes}.items() if value is not None}


def post(web: Web, body: dict[str, object], key: str | None = None) -> TestResponse:
    return web.client.post(HERE, json=body, headers={"Idempotency-Key": key or uuid4().hex})


def made(web: Web, first: int, nights: int, **changes: object) -> dict:
    answer = post(web, terms(web, first, nights, **changes))
    assert answer.status_code == 201, answer.text
    return answer.get_json()


def put(web: Web, allotment: dict, version: int | None = None, **changes: object) -> TestResponse:
    kept = {
        name: allotment[name] for name in ("from", "to", "guaranteed", "cap", "release_days", "release_on")
    }
    headers = {} if version is None else {"If-Match": f'"{version}"'}
    return web.client.put(f"{HERE}/{allotment['id']}", json={**kept, **changes}, headers=headers)


def test_what_is_kept_is_sold_to_nobody_else_until_it_is_given_back(web: Web):
    kept = made(web, 10, 2, guaranteed=3)
    assert (kept["sold"], kept["kept"], kept["version"]) == ([0, 0], [3, 3], 1)
    assert (kept["cap"], kept["release_days"], kept["release_on"]) == (None, None, None)
    problem(web.post(web.booking(11, 1)), 409, "inventory_overlap")
    changed = put(web, kept, version=1, guaranteed=2)
    assert (changed.status_code, changed.get_json()["kept"]) == (200, [2, 2])
    assert changed.headers["ETag"] == '"2"'
    web.book(11, 1)
    problem(web.post(web.booking(11, 1)), 409, "inventory_overlap")
    problem(put(web, kept, guaranteed=3), 409, "inventory_overlap")
    shown = web.client.get(f"{HERE}/{kept['id']}")
    assert (shown.get_json(), shown.headers["ETag"]) == (changed.get_json(), '"2"')
    gone = web.client.delete(f"{HERE}/{kept['id']}", headers={"If-Match": '"2"'})
    assert gone.status_code == 204
    web.book(11, 1)
    for method in ("GET", "DELETE"):
        problem(web.client.open(f"{HERE}/{kept['id']}", method=method), 404, "not_found")


def test_made_twice_under_one_key_it_is_made_once(web: Web):
    body, key = terms(web, 20, 2), uuid4().hex
    first = post(web, body, key)
    again = post(web, body, key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.data == again.data
    assert first.headers["Location"] == f"{HERE}/{first.get_json()['id']}"
    problem(post(web, {**body, "guaranteed": 2}, key), 422, "idempotency_key_reused")
    assert wrong_fields(web.client.post(HERE, json=body)) == {"Idempotency-Key": "required"}
    query = {"property_id": body["property_id"], "channel": body["channel"]}
    assert web.client.get(HERE, query_string=query).get_json()["total"] == 1


def test_a_version_that_is_over_changes_and_ends_nothing(web: Web):
    kept = made(web, 30, 2)
    assert put(web, kept, version=1, cap=2).status_code == 200
    problem(put(web, kept, version=1, cap=3), 409, "stale_version")
    stale = web.client.delete(f"{HERE}/{kept['id']}", headers={"If-Match": '"1"'})
    problem(stale, 409, "stale_version")
    assert web.client.get(f"{HERE}/{kept['id']}").get_json()["cap"] == 2
    both = web.client.put(f"{HERE}/{kept['id']}", json={**_nights(kept), "version": 2, "cap": 4})
    assert both.get_json()["version"] == 3


def _nights(kept: dict) -> dict:
    return {"from": kept["from"], "to": kept["to"]}


def test_nights_that_the_terms_release_are_not_kept(web: Web):
    soon = made(web, 1, 4, release_days=3)
    assert soon["kept"] == [0, 0, 1, 1]
    assert soon["released_until"] == day(3)
    over = made(web, 40, 2, release_on=day(0), cap=2)
    assert (over["kept"], over["released_until"]) == ([0, 0], day(42))


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"guaranteed": -1}, {"guaranteed": "out_of_range"}),
        ({"guaranteed": 1001}, {"guaranteed": "out_of_range"}),
        ({"guaranteed": 2, "cap": 1}, {"cap": "below_guaranteed"}),
        ({"cap": -1}, {"cap": "out_of_range"}),
        ({"guaranteed": 0}, {"guaranteed": "neither_kept_nor_capped"}),
        ({"release_days": -1}, {"release_days": "out_of_range"}),
        ({"release_days": 1097}, {"release_days": "out_of_range"}),
        ({"to": day(50)}, {"to": "not_after_start"}),
        ({"to": day(50 + 1097)}, {"to": "too_long"}),
        ({"channel": "Booking.com"}, {"channel": "not_a_code"}),
        ({"from": None, "to": None}, {"from": "required", "to": "required"}),
        ({"rooms": 3}, {"rooms": "unknown_field"}),
    ],
    ids=str,
)
def test_terms_that_cannot_be_are_refused_by_field(web: Web, changes, fields):
    body = terms(web, 50, 2, **changes)
    assert wrong_fields(post(web, body)) == fields


@pytest.mark.parametrize("changes", [{"guaranteed": 1000, "cap": 1000}, {"release_days": 1096}, {"guaranteed": None, "cap": 0}])  # fmt: skip
def test_terms_at_the_edge_can_be(web: Web, changes):
    """But for what the house has not: no type has a thousand rooms."""
    answer = post(web, terms(web, 60, 1, **changes))
    assert answer.status_code == (409 if changes.get("guaranteed") else 201), answer.text


def test_two_allotments_of_a_channel_do_not_share_a_night(web: Web):
    kept = made(web, 70, 4)
    over = terms(web, 73, 2, channel=kept["channel"])
    body = problem(post(web, over), 422, "invalid_input")
    assert kept["id"] in body["errors"][0]["message"]
    beside = made(web, 74, 2, channel=kept["channel"])
    assert wrong_fields(put(web, beside, **{"from": day(73)})) == {"nights": "allotment_overlaps"}


def test_allotments_are_listed_by_property_and_channel_page_by_page(web: Web):
    house = str(web.home.property.property_id)
    villa = web.types.get("Villa") or next(str(each) for each in web.home.types)
    wanted = {"property_id": house, "unit_type_id": villa, "guaranteed": 0, "cap": 1}
    for first in (20, 10, 30):
        made(web, first, 2, channel="alpha" if first < 30 else "beta", **wanted)

    def listed(**query: object) -> dict:
        answer = web.client.get(HERE, query_string={"property_id": house, **query})
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    everything = listed()
    assert [each["from"] for each in everything["items"]] == [day(10), day(20), day(30)]
    assert (everything["total"], everything["has_more"]) == (3, False)
    page = listed(limit=1, offset=1)
    assert [each["from"] for each in page["items"]] == [day(20)]
    assert (page["total"], page["has_more"]) == (3, True)
    assert listed(offset=3)["items"] == []
    assert [each["channel"] for each in listed(channel="beta")["items"]] == ["beta"]
    assert listed(channel="none")["total"] == 0
    assert wrong_fields(web.client.get(HERE)) == {"property_id": "required"}
    assert wrong_fields(web.client.get(HERE, query_string={"property_id": house, "limit": 101})) == {
        "limit": "out_of_range"
    }


def test_what_is_not_there_is_not_found(web: Web):
    kept = made(web, 90, 2)
    nobody = f"{HERE}/{uuid4()}"
    problem(web.client.get(nobody), 404, "not_found")
    problem(web.client.put(nobody, json=_nights(kept) | {"cap": 1}), 404, "not_found")
    problem(web.client.delete(nobody), 404, "not_found")
    problem(post(web, terms(web, 90, 2, unit_type_id=str(uuid4()))), 404, "not_found")
    problem(post(web, terms(web, 90, 2, property_id=str(uuid4()))), 404, "not_found")
    problem(web.client.get(HERE, query_string={"property_id": str(uuid4())}), 404, "not_found")
    assert web.client.get(f"{HERE}/{kept['id']}").get_json() == kept


def test_whoever_may_block_rooms_may_keep_them(web: Web):
    kept = made(web, 100, 2, guaranteed=0, cap=1)
    for role, status in ((Role.STAFF, 201), (Role.OWNER, 201), (Role.ACCOUNTANT, 403)):
        here = evolve(web.here, identify=lambda _, role=role: evolve(web.services.principal, role=role))
        client = create_app(here).test_client()
        body = terms(web, 100, 2, guaranteed=None, cap=1)
        answer = client.post(HERE, json=body, headers={"Idempotency-Key": uuid4().hex})
        assert answer.status_code == status, answer.text
        assert client.get(f"{HERE}/{kept['id']}").status_code == 200


def test_each_step_is_an_event_without_anything_but_ids_and_dates(web: Web):
    kept = made(web, 110, 3, guaranteed=2)
    put(web, kept, guaranteed=1)
    web.client.delete(f"{HERE}/{kept['id']}")
    query = {"kind": "allotment.*", "aggregate_id": kept["id"]}
    listed = web.client.get("/api/v1/events", query_string=query)
    assert listed.status_code == 200, listed.text
    told = sorted(listed.get_json()["items"], key=lambda each: each["version"])
    kinds = ["allotment.created", "allotment.updated", "allotment.removed"]
    assert [each["kind"] for each in told] == kinds
    assert [each["version"] for each in told] == [1, 2, 3]
    assert set(told[0]["payload"]) == {"property_id", "unit_type_id", "channel", "first_night", "end"}


def test_without_the_module_there_are_none(web: Web):
    for is_on in (False, True):
        switched = {"features": [{"module": "channel_manager", "enabled": is_on}]}
        assert web.client.put("/api/v1/features", json=switched).status_code == 200
        query = {"property_id": str(web.hotel.property.property_id)}
        assert web.client.get(HERE, query_string=query).status_code == (200 if is_on else 404)
