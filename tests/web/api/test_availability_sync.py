"""Asking for a sync by property and platform, under both of its addresses, and what each mistake is answered."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from attrs import evolve

from adapters.conftest import PostgresDatabase
from pms_web.app import create_app
from pmscore.access.model.permissions import Role
from pmscore.channels.model.manifest import Platform
from web.channel_web import HERE, connect, opened, quoted
from web.conftest import Web, problem, wrong_fields

pytestmark = pytest.mark.postgres

SYNC = "/api/v1/availability/sync"
OLDER = "/api/availability/sync"


@pytest.fixture(scope="module")
def web(postgres_database: PostgresDatabase) -> Iterator[Web]:
    yield from opened(postgres_database, mock=True)


@pytest.fixture(scope="module")
def made(web: Web) -> dict:
    return connect(web)


def order(made: dict, **changes: object) -> dict[str, object]:
    """Return the body of a sync; what is None is left out."""
    usual = {"sync_type": "availability", "platform": "channex", "property_id": made["property_id"]}
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def log(web: Web, made: dict) -> list[dict]:
    return web.client.get(f"{HERE}/{made['id']}/sync-logs").get_json()["items"]


@pytest.mark.parametrize("address", [SYNC, f"{SYNC}/", OLDER, f"{OLDER}/"])
@pytest.mark.parametrize(
    ("sync_type", "operation"), [("availability", "availability_update"), ("pricing", "pricing_update")]
)
def test_a_sync_is_one_line_in_the_log(web: Web, address, sync_type, operation):
    made = connect(web)
    answer = web.client.post(address, json=order(made, sync_type=sync_type))
    assert answer.status_code == 200, answer.text
    told = answer.get_json()
    (line,) = log(web, made)
    assert told == {
        "status": "triggered",
        "message": "Availability sync task triggered successfully",
        "task_id": line["task_id"],
        "sync_log_id": line["id"],
        "platform": "channex",
        "retry_count": 0,
    }
    assert (line["operation_type"], line["direction"], line["batch_id"]) == (operation, "outbound", None)
    assert line["details"] == {
        "manual_trigger": True,
        "sync_type": sync_type,
        "platform": "channex",
        "property_id": made["property_id"],
        "start_date": "2027-03-01",
        "end_date": "2027-05-30",
    }
    assert web.client.get(f"{HERE}/{made['id']}").get_json()["last_attempt_at"] is not None


def test_dates_and_who_asks_are_as_they_are_sent(web: Web):
    made = connect(web)
    more = {
        "connection_id": made["id"],
        "manual_trigger": False,
        "start_date": "2027-04-01",
        "end_date": "2027-04-02",
    }
    assert web.client.post(SYNC, json=order(made, **more)).status_code == 200
    (line,) = log(web, made)
    details = line["details"]
    assert (details["manual_trigger"], details["start_date"], details["end_date"]) == (
        False,
        "2027-04-01",
        "2027-04-02",
    )


PLATFORMS = ", ".join(f"'{each.value}'" for each in Platform)


@pytest.mark.parametrize("address", [SYNC, OLDER])
@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"sync_type": "bookings"}, "Invalid sync_type. Must be one of: ['availability', 'pricing']"),
        ({"sync_type": "full"}, "Invalid sync_type. Must be one of: ['availability', 'pricing']"),
        ({"sync_type": ""}, "Invalid sync_type. Must be one of: ['availability', 'pricing']"),
        ({"platform": "myspace"}, f"Invalid platform. Must be one of: [{PLATFORMS}]"),
        ({"platform": "Airbnb"}, f"Invalid platform. Must be one of: [{PLATFORMS}]"),
    ],
    ids=["bookings", "full", "empty", "no platform", "capitals"],
)
def test_what_is_none_of_the_documented_values_is_400_by_name(web: Web, made, address, changes, text):
    before = log(web, made)
    assert quoted(web.client.post(address, json=order(made, **changes)), 400, "unknown_choice") == text
    assert log(web, made) == before


def test_the_platforms_that_older_programs_know_come_first():
    assert PLATFORMS.startswith("'airbnb', 'booking_com', 'expedia', 'fewo_direkt', 'google'")


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"property_id": "house-1"}, {"property_id": "not_an_id"}),
        ({"property_id": None}, {"property_id": "required"}),
        ({"sync_type": None, "platform": None}, {"sync_type": "required", "platform": "required"}),
        ({"connection_id": ""}, {"connection_id": "not_an_id"}),
        ({"start_date": "01.04.2027"}, {"start_date": "not_iso_date"}),
        ({"start_date": "2027-04-01", "end_date": "2027-04-01"}, {"end_date": "not_after_start"}),
        ({"end_date": "2027-03-01"}, {"end_date": "not_after_start"}),
        ({"start_date": "2027-05-30"}, {"end_date": "not_after_start"}),
        ({"manual_trigger": "yes"}, {"manual_trigger": "not_a_switch"}),
        ({"sync_types": "x"}, {"sync_types": "unknown_field"}),
    ],
    ids=str,
)
def test_what_is_malformed_is_422_by_field_and_leaves_no_line(web: Web, made, changes, fields):
    before = log(web, made)
    found = wrong_fields(web.client.post(SYNC, json=order(made, **changes)))
    assert found == fields
    assert log(web, made) == before


def test_what_is_not_there_is_404_with_the_texts_that_programs_know(web: Web, made):
    unknown = web.client.post(SYNC, json=order(made, property_id=str(uuid4())))
    assert quoted(unknown, 404, "not_found") == "Property not found or does not belong to your agency"
    stranger = connect(web, "airbnb")
    for changes in (
        {"platform": "airbnb"},
        {"connection_id": str(uuid4())},
        {"connection_id": stranger["id"]},
    ):
        answer = web.client.post(SYNC, json=order(made, **changes))
        assert quoted(answer, 404, "not_found") == "Connection not found"
    assert log(web, stranger) == []


def test_a_gateway_that_tells_nothing_cannot_be_asked_to(web: Web):
    feed = connect(web, "airbnb", gateway="ical")
    answer = web.client.post(SYNC, json=order(feed, platform="airbnb"))
    quoted(answer, 400, "sync_type_not_supported")
    assert log(web, feed) == []


def test_a_paused_connection_is_not_synchronised(web: Web):
    paused = connect(web)
    web.client.patch(f"{HERE}/{paused['id']}", json={"status": "paused"})
    problem(web.client.post(SYNC, json=order(paused)), 409, "illegal_transition")
    assert log(web, paused) == []


@pytest.mark.parametrize("role", [each for each in Role if each is not Role.GUEST])
@pytest.mark.parametrize("address", [SYNC, OLDER])
def test_admins_and_managers_may_ask(web: Web, made, role: Role, address: str):
    here = evolve(web.here, identify=lambda _: evolve(web.services.principal, role=role))
    answer = create_app(here).test_client().post(address, json=order(made))
    assert answer.status_code == (200 if role in {Role.ADMIN, Role.MANAGER} else 403), answer.text


@pytest.mark.parametrize(
    ("member", "code"),
    [("property_id", "not_null"), ("status", "not_null"), ("credentials", "not_null")],
)
def test_null_takes_nothing_off_a_connection(web: Web, made, member, code):
    one = f"{HERE}/{made['id']}"
    before = web.client.get(one).get_json()
    for method in ("PATCH", "PUT"):
        answer = web.client.open(one, method=method, json={member: None, "platform_listing_id": "new"})
        assert wrong_fields(answer) == {member: code}
    assert web.client.get(one).get_json() == before
    both = web.client.patch(one, json={"property_id": None, "status": "odd", "credentials": None})
    assert wrong_fields(both) == {
        "property_id": "not_null",
        "credentials": "not_null",
        "status": "unknown_value",
    }


def test_null_empties_what_may_be_empty(web: Web):
    made = connect(web, platform_listing_id="h1", platform_metadata={"environment": "staging"})
    one = f"{HERE}/{made['id']}"
    assert web.client.patch(one, json={"platform_listing_id": None}).get_json()["platform_listing_id"] == ""
    after = web.client.patch(one, json={"platform_metadata": None, "version": None}).get_json()
    assert after["platform_metadata"] == {}
