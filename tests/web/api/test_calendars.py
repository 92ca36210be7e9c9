"""Calendars of rooms that platforms fetch: what they say, who may fetch them, and when there is nothing new."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from attrs import evolve
from werkzeug.test import TestResponse

from adapters.conftest import PostgresDatabase
from pms_adapters.channels.ical.reader import read_calendar
from pms_adapters.redis.limits import SharedLimits
from pms_web.app import create_app
from pms_web.limits import Allowance
from pmscore.access.model.permissions import Role
from pmscore.channels.model.calls import Feed, FeedStay, Pulled
from pmscore.channels.model.revisions import SaleKind
from pmscore.dates.ranges import DateRange
from pmscore.dates.zones import Zone
from web.channel_web import DONE, HERE, connect, map_rooms, opened, quoted, run_bookings, types_of
from web.conftest import TODAY, Web, day, problem

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def web(postgres_database: PostgresDatabase) -> Iterator[Web]:
    yield from opened(postgres_database, mock=True)


def opened_calendar(web: Web, code: str = "studio") -> tuple[dict, str]:
    """Return a connection of a house with two rooms of a type, and the address of the type's calendar."""
    made = connect(web, "airbnb", gateway="ical")
    map_rooms(web, made, code)
    given = web.client.post(f"{HERE}/{made['id']}/calendars")
    assert given.status_code == 201, given.text
    (calendar,) = given.get_json()["calendars"]
    assert calendar["room_code"] == code
    return made, calendar["path"]


def sold(web: Web, made: dict, arrival: int, nights: int) -> None:
    """Sell a room of the first type at the house itself."""
    body = {"property_id": made["property_id"], "unit_type_id": types_of(web, made["property_id"])[0]}
    answer = web.post(web.booking(arrival, nights, **body))
    assert answer.status_code == 201, answer.text


def said(answer: TestResponse) -> set[tuple[date, date]]:
    """Return the nights that a calendar says."""
    assert answer.status_code == 200, answer.text
    assert answer.content_type == "text/calendar; charset=utf-8"
    stays = read_calendar(answer.data, Zone("Europe/Lisbon"))
    return {(each.nights.start, each.nights.end) for each in stays}


def on(first: int, end: int) -> tuple[date, date]:
    return TODAY + timedelta(days=first), TODAY + timedelta(days=end)


def test_a_calendar_says_what_must_not_be_sold_and_nothing_about_anybody(web: Web):
    made, path = opened_calendar(web)
    assert said(web.client.get(path)) == set()
    sold(web, made, 5, 3)
    assert said(web.client.get(path)) == set(), "one of the two rooms is left"
    sold(web, made, 6, 4)
    found = web.client.get(path)
    assert said(found) == {on(6, 8)}
    assert b"Ada" not in found.data
    assert found.headers["Cache-Control"] == "private, no-cache"
    closed = {"from": day(20), "to": day(22), "rules": [{"kind": "closed_night"}]}
    rules = web.client.put(f"/api/v1/properties/{made['property_id']}/restrictions", json=closed)
    assert rules.status_code == 200, rules.text
    assert said(web.client.get(path)) == {on(6, 8), on(20, 22)}


def test_a_platform_is_not_told_what_it_has_sold_itself(web: Web):
    made, path = opened_calendar(web)
    nights = DateRange.of(TODAY + timedelta(days=30), 2)
    stay = FeedStay(uid="theirs", nights=nights, kind=SaleKind.BOOKING)
    feed = Feed(room_code="studio", stays=(stay,), read_at=web.here.clock.now())
    run_bookings(web, made, Pulled(outcome=DONE, feed=feed))
    sold(web, made, 30, 2)
    assert said(web.client.get(path)) == set()
    # The same two sales are seen by everybody else: no third one fits.
    full = web.post(
        web.booking(
            30,
            2,
            property_id=made["property_id"],
            unit_type_id=types_of(web, made["property_id"])[0],
        )
    )
    problem(full, 409, "inventory_overlap")


def test_as_long_as_nothing_is_new_the_answer_says_just_that(web: Web):
    made, path = opened_calendar(web)
    first = web.client.get(path)
    tag = first.headers["ETag"]
    assert tag.startswith('W/"')
    web.here.clock.advance(timedelta(minutes=3))
    for match in (tag, f'"other", {tag}', tag.removeprefix("W/"), "*"):
        again = web.client.get(path, headers={"If-None-Match": match})
        assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
    for _ in range(2):
        sold(web, made, 40, 1)
    newer = web.client.get(path, headers={"If-None-Match": tag})
    assert said(newer) == {on(40, 41)}
    assert newer.headers["ETag"] != tag
    head = web.client.head(path)
    assert (head.status_code, head.data, head.headers["ETag"]) == (200, b"", newer.headers["ETag"])


def nothing_there(web: Web, path: str) -> None:
    """Check that an address leads nowhere, and says no more than any other that does."""
    body = problem(web.client.get(path), 404, "not_found")
    assert body["detail"] == "There is no such calendar here. Check the id; it may belong to another agency."


def test_new_addresses_end_the_old_ones_and_can_be_ended_themselves(web: Web):
    made, old = opened_calendar(web)
    one = f"{HERE}/{made['id']}"
    assert web.client.get(one).get_json()["has_calendars"] is True
    (newer,) = web.client.post(f"{one}/calendars").get_json()["calendars"]
    nothing_there(web, old)
    assert said(web.client.get(newer["path"])) == set()
    stale = web.client.delete(f"{one}/calendars", headers={"If-Match": '"1"'})
    problem(stale, 409, "stale_version")
    assert said(web.client.get(newer["path"])) == set()
    for _ in range(2):
        assert web.client.delete(f"{one}/calendars").status_code == 204
    nothing_there(web, newer["path"])
    assert web.client.get(one).get_json()["has_calendars"] is False


def test_an_address_that_is_none_leads_nowhere(web: Web):
    _, path = opened_calendar(web)
    _, _, token, name = path.split("/")
    agency, _, secret = token.partition(".")
    for wrong in (
        f"/calendars/{token}/other.ics",
        f"/calendars/{token}/~c3R1ZGlv.ics",
        f"/calendars/{token[:-4]}AAAA/{name}",
        f"/calendars/{'A' * 22}.{secret}/{name}",
        f"/calendars/{agency}/{name}",
        f"/calendars/{agency}./{name}",
        f"/calendars/{secret}/{name}",
        f"/calendars/x/{name}",
    ):
        nothing_there(web, wrong)
    assert said(web.client.get(path)) == set()


def test_only_a_connection_that_syncs_gives_out_calendars(web: Web):
    made, path = opened_calendar(web)
    one = f"{HERE}/{made['id']}"
    web.client.patch(one, json={"status": "paused"})
    nothing_there(web, path)
    web.client.patch(one, json={"status": "active"})
    assert said(web.client.get(path)) == set()
    assert web.client.delete(one).status_code == 204
    nothing_there(web, path)


def test_an_agency_without_the_module_gives_out_none(web: Web):
    _, path = opened_calendar(web)
    for is_on in (False, True):
        switched = {"features": [{"module": "channel_manager", "enabled": is_on}]}
        assert web.client.put("/api/v1/features", json=switched).status_code == 200
        if is_on:
            assert said(web.client.get(path)) == set()
        else:
            nothing_there(web, path)


@pytest.mark.parametrize("code", ["room/1", "42", "Zimmer Süd", "~x", "a.b"])
def test_a_room_may_be_called_anything(web: Web, code: str):
    _, path = opened_calendar(web, code)
    assert said(web.client.get(path)) == set()


def test_a_gateway_that_tells_its_platform_everything_gives_out_no_calendar(web: Web):
    made = connect(web)
    told = quoted(web.client.post(f"{HERE}/{made['id']}/calendars"), 409, "no_calendar")
    assert "gives out no calendars" in told


def test_staff_may_not_open_calendars(web: Web):
    made = connect(web, "airbnb", gateway="ical")
    here = evolve(web.here, identify=lambda _: evolve(web.services.principal, role=Role.STAFF))
    client = create_app(here).test_client()
    for method in ("POST", "DELETE"):
        answer = client.open(f"{HERE}/{made['id']}/calendars", method=method)
        problem(answer, 403, "permission_denied")


def test_fetching_calendars_has_a_measure_of_its_own(web: Web):
    _, path = opened_calendar(web)
    measures = {Allowance.NORMAL: 100, Allowance.PUBLIC: 1, Allowance.LOG_IN: 1, Allowance.CALENDAR: 3}
    client = create_app(evolve(web.here, limiter=SharedLimits(None, measures))).test_client()
    assert [client.get(path).status_code for _ in range(3)] == [200, 200, 200]
    refused = client.get(path)
    problem(refused, 429, "too_many_requests")
    assert int(refused.headers["Retry-After"]) > 0
    assert client.get("/api/v1/openapi.json").status_code == 200
    assert client.get(HERE).status_code == 200
