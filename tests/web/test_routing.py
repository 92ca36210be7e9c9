"""Who may call which address: everything under /api asks who it is, then whether they may."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from uuid import uuid4

import pytest
from attrs import evolve
from werkzeug.test import TestResponse

from pms_web.app import create_app
from pms_web.limits import Allowance, Limiter, NoLimits
from pms_web.route_table import ROUTES
from pms_web.routing import Route
from pms_web.services import Identify, Presented
from pms_web.wiring import whoever_serves
from pmscore.access.model.permissions import Role, permits
from pmscore.access.model.principals import Means, Principal
from pmscore.kernel.errors import NotAuthenticatedError
from web.conftest import Web, day, problem

pytestmark = pytest.mark.postgres

OPEN = ("/public/", "/auth/", "/openapi.json")
GUARDED = [route for route in ROUTES if route.permission is not None]


def _address(route: Route) -> str:
    return "".join(part if "<" not in part else f"/{uuid4()}" for part in _parts(route.path))


def _parts(path: str) -> list[str]:
    return [f"/{part}" for part in path.strip("/").split("/")]


class Doors:
    """Two apps for all who come, one of them without limits: making an app takes far longer than asking it."""

    def __init__(self, web: Web) -> None:
        self._asked: Identify = lambda _: None
        here = evolve(web.here, identify=self._identify)
        self._usual, self._unlimited = create_app(here), create_app(evolve(here, limiter=NoLimits()))

    def _identify(self, shown: Presented) -> Principal | None:
        return self._asked(shown)

    def call(self, route: Route, identify: Identify, *, is_limited: bool = True) -> TestResponse:
        self._asked = identify
        client = (self._usual if is_limited else self._unlimited).test_client()
        return client.open(_address(route), method=route.method, json={} if route.method != "GET" else None)


@pytest.fixture(scope="module")
def doors(web: Web) -> Doors:
    return Doors(web)


def test_no_two_routes_have_one_name_or_one_address():
    assert len({route.name for route in ROUTES}) == len(ROUTES)
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)


def test_every_address_of_the_api_asks_for_a_permission_and_has_a_summary():
    for route in ROUTES:
        assert route.summary
        if route.path.startswith("/api/v1/") and not any(part in route.path for part in OPEN):
            assert route.permission is not None, route.name


@pytest.mark.parametrize("route", GUARDED, ids=lambda route: route.name)
def test_nobody_gets_in_without_saying_who_they_are(doors: Doors, route: Route):
    answer = doors.call(route, lambda _: None)
    problem(answer, 401, "not_authenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("route", GUARDED, ids=lambda route: route.name)
def test_what_does_not_hold_is_refused_alike(doors: Doors, route: Route):
    def refuses(_: Presented) -> None:
        raise NotAuthenticatedError(why="forged")

    answer = doors.call(route, refuses, is_limited=False)
    problem(answer, 401, "not_authenticated")
    assert "forged" not in answer.text


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("route", GUARDED, ids=lambda route: route.name)
def test_each_role_is_let_in_or_kept_out_as_the_table_says(web: Web, doors: Doors, route: Route, role: Role):
    who = evolve(whoever_serves(web.services.agency_id), role=role, means=Means.SESSION)
    answer = doors.call(route, lambda _: who)
    is_refused = answer.status_code == 403 and answer.get_json()["error"] == "permission_denied"
    assert is_refused != permits(role, route.permission)


def test_what_was_shown_reaches_the_one_who_looks_at_it(web: Web):
    seen: list[Presented] = []

    def looks(shown: Presented):
        seen.append(shown)
        return whoever_serves(web.services.agency_id)

    headers: Mapping[str, str] = {
        "Authorization": "Bearer abc",
        "X-CSRF-Token": "t",
        "Origin": "http://localhost",
        "Sec-Fetch-Site": "same-origin",
    }
    client = create_app(evolve(web.here, identify=looks)).test_client()
    client.set_cookie("pms", "session")
    assert client.get("/api/v1/properties", headers=headers).status_code == 200
    (shown,) = seen
    assert (shown.method, shown.authorization, shown.cookie) == ("GET", "Bearer abc", "session")
    assert (shown.csrf_token, shown.origin, shown.fetch_site) == ("t", "http://localhost", "same-origin")
    assert "abc" not in repr(shown)
    assert "session" not in repr(shown)


def test_a_body_with_a_version_carries_it_as_its_etag(web: Web):
    booking = web.book(20, 1)
    answer = web.client.get(f"/api/v1/bookings/{booking}")
    assert answer.headers["ETag"] == f'"{answer.get_json()["version"]}"'


class Counting(Limiter):
    """Lets so many pass by name, for ever."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.counts: Counter[tuple[Allowance, str]] = Counter()

    def wait_seconds(self, allowance: Allowance, who: str) -> int:
        self.counts[allowance, who] += 1
        return 0 if self.counts[allowance, who] <= self._most else 7


def test_who_asks_too_often_is_told_when_to_come_back(web: Web):
    limiter = Counting(2)
    client = create_app(evolve(web.here, limiter=limiter)).test_client()
    assert [client.get("/api/v1/properties").status_code for _ in range(3)] == [200, 200, 429]
    refused = client.get("/api/v1/properties")
    assert problem(refused, 429, "too_many_requests")["retry_after"] == 7
    assert refused.headers["Retry-After"] == "7"
    assert "7 seconds" in refused.get_json()["detail"]
    ((allowance, who),) = limiter.counts
    assert allowance is Allowance.NORMAL
    assert who.startswith(str(web.services.agency_id)), "no two agencies share a count"


def test_guessing_keys_is_counted_by_address_and_a_good_one_passes_beside(web: Web):
    def knows(shown: Presented):
        if shown.authorization == "Bearer good":
            return whoever_serves(web.services.agency_id)
        raise NotAuthenticatedError

    limiter = Counting(3)
    client = create_app(evolve(web.here, identify=knows, limiter=limiter)).test_client()
    answers = [
        client.get("/api/v1/properties", headers={"Authorization": f"Bearer {number}"}).status_code
        for number in range(6)
    ]
    assert answers == [401, 401, 401, 429, 429, 429]
    good = client.get("/api/v1/properties", headers={"Authorization": "Bearer good"})
    assert good.status_code == 200


def test_health_is_never_counted(web: Web):
    client = create_app(evolve(web.here, limiter=Counting(0))).test_client()
    assert client.get("/health").status_code == 200
    assert client.get("/").status_code == 429


def test_somebody_whose_reach_is_one_property_finds_no_other(web: Web):
    """Every read and write that names the other property, or something in it, answers as if it did not exist."""
    hotel, home = web.hotel.property.property_id, web.home.property.property_id
    booked = web.book(40, 2)
    who = evolve(whoever_serves(web.services.agency_id), role=Role.MANAGER, property_ids=frozenset({home}))
    client = create_app(evolve(web.here, identify=lambda _: who)).test_client()
    listed = client.get("/api/v1/properties").get_json()["items"]
    assert [each["id"] for each in listed] == [str(home)]
    asked = f"property_id={hotel}&from={day(0)}&to={day(3)}"
    dates = {"arrival": day(40), "departure": day(42)}
    stay = {**dates, "adults": 1}
    for answer in (
        client.get(f"/api/v1/availability?{asked}"),
        client.get(f"/api/v1/availability/calendar?{asked}"),
        client.get("/api/v1/availability/search", query_string={**stay, "property_id": str(hotel)}),
        client.get(f"/api/v1/properties/{hotel}/prices"),
        client.post("/api/v1/quotes", json={"property_id": str(hotel), **stay}),
        client.get(f"/api/v1/bookings/{booked}"),
        client.patch(f"/api/v1/bookings/{booked}", json={"status": "cancelled"}),
        client.post(f"/api/v1/bookings/{booked}/preview-stay", json=dates),
        client.post("/api/v1/bookings", json=web.booking(50, 1), headers={"Idempotency-Key": "reach"}),
    ):
        problem(answer, 404, "not_found")
    offers = client.get("/api/v1/availability/search", query_string=stay).get_json()
    seen = {each["property_id"] for each in (*offers["offers"], *offers["refusals"])}
    assert seen == {str(home)}
    assert web.client.get(f"/api/v1/bookings/{booked}").get_json()["status"] == "confirmed"
