"""The app in this process, on a database of its own, with a house small enough to know by heart.

Fixtures: ``web`` (module) is a ``Web``: the Flask app, its services, and a hotel of three doubles (101 to 103), two
singles without numbers and a holiday home. The clock stands at noon of 1 March 2027, the hotel's business date.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import count
from uuid import uuid4

import pytest
from attrs import field, frozen
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from adapters.conftest import (  # noqa: F401 - fixtures are found by name
    PostgresDatabase,
    empty_postgres_database,
    fresh_postgres_database,
    postgres_database,
    postgres_server,
    postgres_template,
)
from pms_adapters.settings import Settings
from pms_web.app import create_app
from pms_web.services import Surroundings, WebServices
from pms_web.wiring import connected, whoever_serves
from pmscore.access.use_cases.agencies import OpenAgency, open_agency
from pmscore.dates.zones import Zone
from pmscore.inventory.model.house import House
from pmscore.inventory.use_cases.houses import CreateHouse, NewUnitType, create_house
from pmscore.kernel.ids import ActorId, AgencyId, RequestId
from pmscore.kernel.money import Currency
from pmscore.testing.clocks import MovableClock
from web.contract import CheckedClient

# Every answer of every test is compared with the description of the app.
Flask.test_client_class = CheckedClient

QUOTED = frozenset({"Connection not found", "Property not found or does not belong to your agency"})
"""Texts that programs of others read word for word."""
TODAY = date(2027, 3, 1)
_NUMBERS = count(1)


def day(offset: int) -> str:
    """Return a date so many days after the business date."""
    return (TODAY + timedelta(days=offset)).isoformat()


@frozen
class Web:
    """The app and what is in it."""

    app: Flask
    here: Surroundings
    services: WebServices
    hotel: House
    home: House
    types: Mapping[str, str] = field()
    units: Mapping[str, str] = field()

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    def booking(
        self, arrival: int, nights: int, kind: str = "Double", **changes: object
    ) -> dict[str, object]:
        """Return the body of a booking of one room of the hotel."""
        body: dict[str, object] = {
            "property_id": str(self.hotel.property.property_id),
            "unit_type_id": self.types[kind],
            "arrival": day(arrival),
            "departure": day(arrival + nights),
            "adults": 1,
            "rate": {"amount": "120.00", "currency": "EUR"},
            "guest": {"name": "Ada Moreira", "email": "ada@example.com", "country": "PT"},
        }
        body.update(changes)
        return {name: value for name, value in body.items() if value is not None}

    def at_home(self, arrival: int, nights: int, **changes: object) -> dict[str, object]:
        """Return the body of a booking of the holiday home."""
        home = str(self.home.property.property_id)
        return self.booking(arrival, nights, property_id=home, unit_type_id=None, **changes)

    def post(self, body: object, key: str | None = None) -> TestResponse:
        headers = {"Idempotency-Key": key or f"test-{next(_NUMBERS)}"}
        return self.client.post("/api/v1/bookings", json=body, headers=headers)

    def patch(self, booking_id: str, body: object) -> TestResponse:
        return self.client.patch(f"/api/v1/bookings/{booking_id}", json=body)

    def book(self, arrival: int, nights: int, kind: str = "Double", **changes: object) -> str:
        """Make a booking and return its id."""
        answer = self.post(self.booking(arrival, nights, kind, **changes))
        assert answer.status_code == 201, answer.text
        return answer.get_json()["id"]


@pytest.fixture(scope="module")
def web(postgres_database: PostgresDatabase) -> Iterator[Web]:  # noqa: F811
    yield from web_on(postgres_database.app_url)


@pytest.fixture
def fresh_web(fresh_postgres_database: PostgresDatabase) -> Iterator[Web]:  # noqa: F811
    yield from web_on(fresh_postgres_database.app_url)


def web_on(url: str, **settings: object) -> Iterator[Web]:
    """Yield the app on a migrated database, with its agency and houses made."""
    agency_id = AgencyId(uuid4())
    usual = {"is_redis_health_checked": False, "is_worker_health_checked": False}
    chosen = Settings(database_url=url, **{**usual, **settings})
    clock = MovableClock(datetime(2027, 3, 1, 12, tzinfo=UTC))
    with connected(chosen, agency_id, commit="0123abc", clock=clock) as here:
        services = here.of(whoever_serves(agency_id), RequestId(uuid4()))
        hotel, home = _make_houses(services)
        app = create_app(here)
        types = {each.name: str(each.unit_type_id) for each in hotel.types.values()}
        units = {each.name: str(each.unit_id) for each in hotel.units.values()}
        yield Web(app, here, services, hotel, home, types, units)


def problem(answer: TestResponse, status: int, code: str) -> Mapping[str, object]:
    """Check the shape that every error has and return its members."""
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"
    body = json.loads(answer.data)
    assert {"type", "title", "status", "detail", "error", "message", "request_id"} <= set(body)
    assert body["status"] == status
    assert body["error"] == code
    assert body["message"] == body["detail"]
    assert body["detail"].endswith(".") or body["detail"] in QUOTED
    assert body["request_id"] == answer.headers["X-Request-Id"]
    return body


def wrong_fields(answer: TestResponse) -> dict[str, str]:
    """Return the codes of a refused body by field."""
    return {each["field"]: each["code"] for each in problem(answer, 422, "invalid_input")["errors"]}


def _make_houses(services: WebServices) -> tuple[House, House]:
    asked = {
        "request_id": RequestId(uuid4()),
        "agency_id": services.agency_id,
        "actor_id": ActorId(uuid4()),
    }
    slug = services.agency_id.hex[:20]
    open_agency(OpenAgency(**asked, name="Web tests", slug=slug), uow=services.uow)
    start = TODAY - timedelta(days=400)
    doubles = NewUnitType(name="Double", rooms=3, valid_from=start, unit_names=("101", "102", "103"))
    singles = NewUnitType(name="Single", rooms=2, valid_from=start, largest_party=1)
    villa = NewUnitType(
        name="Villa", rooms=1, valid_from=start, largest_party=6, turnover_nights=1, unit_names=("Villa",)
    )
    made = [
        create_house(
            CreateHouse(
                **asked,
                name=name,
                zone=Zone("Europe/Lisbon"),
                currency=Currency.of("EUR"),
                business_date=TODAY,
                types=types,
            ),
            uow=services.uow,
            ids=services.ids,
        )
        for name, types in (("Hotel", (doubles, singles)), ("Villa Sol", (villa,)))
    ]
    return made[0], made[1]
