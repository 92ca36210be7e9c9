"""An agency that has one of everything, and each route tried with its own example.

``tried_house`` makes it: the ids of the examples are replaced by those of what was made, so that a route which names a
booking, a webhook or a key finds one. The examples are sent as they stand in the description of the app.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from ipaddress import ip_network
from typing import Any
from uuid import uuid4

from attrs import Factory, define, evolve, frozen
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from adapters.http.receiver import receiving
from pms_adapters.crypto.box import new_key
from pms_adapters.settings import AccessSettings, Settings
from pms_web.app import create_app
from pms_web.auth.letters import Letters
from pms_web.auth.passwords import Argon2Passwords
from pms_web.described import every_route
from pms_web.examples import EXAMPLE_IDS
from pms_web.limits import NoLimits
from pms_web.openapi import described_path, path_parts
from pms_web.routing import Idempotency, Route
from pms_web.services import Surroundings
from pms_web.wiring import connected, whoever_serves
from pmscore.access.model.permissions import Role
from pmscore.access.model.principals import Principal
from pmscore.access.use_cases.agencies import OpenAgency, open_agency
from pmscore.access.use_cases.members import AddUser, add_user
from pmscore.dates.zones import Zone
from pmscore.inventory.use_cases.houses import CreateHouse, NewUnitType, create_house
from pmscore.kernel.currency import Currency
from pmscore.kernel.ids import ActorId, AgencyId, RequestId
from pmscore.kernel.secrets import Secret
from pmscore.testing.clocks import MovableClock
from pmscore.webhooks.use_cases.delivering import DeliverDue, deliver_due
from web.two_agencies import opened_issue, put_aside

EMAIL = "admin@example.com"
PASSWORD = "four blue herons at noon"
SLUG = "tried"


@define
class Letterbox:
    """Keeps what was posted."""

    texts: list[str] = Factory(list)

    def carry(self, to: str, subject: str, text: str) -> None:
        self.texts.append(text)


@define
class Someone:
    """Whoever asks next; None shows what the request itself shows."""

    principal: Principal | None


@frozen(kw_only=True)
class TriedHouse:
    """The app, who asks it, the ids of what is in it by the names of parts of addresses, and how that was made."""

    app: Flask
    here: Surroundings
    someone: Someone
    admin: Principal
    letters: Letterbox
    ids: dict[str, str]
    units: list[str]
    answers: dict[str, TestResponse] = Factory(dict)

    def client(self) -> FlaskClient:
        return self.app.test_client()

    def acting(self, role: Role) -> None:
        """Let requests from now on be those of somebody in a role."""
        self.someone.principal = evolve(self.admin, role=role)

    def filled(self, value: Any) -> Any:
        """Return a value with the ids of examples replaced by real ones."""
        text = json.dumps(value)
        for name, example in EXAMPLE_IDS.items():
            text = text.replace(example, self.ids.get(name, example))
        return json.loads(text)

    def send(
        self, route: Route, example: Any = None, client: FlaskClient | None = None, **headers: str
    ) -> TestResponse:
        """Send the example of a route, or another one."""
        example = self.filled(dict(route.example or {}) if example is None else example)
        path = described_path(route.path)
        for name in path_parts(route.path):
            path = path.replace(f"{{{name}}}", self.ids[name])
        if route.idempotency is not Idempotency.NONE:
            headers["Idempotency-Key"] = str(uuid4())
        taken = {"json": example} if route.body is not None else {"query_string": example}
        return (client or self.client()).open(path, method=route.method, headers=headers, **taken)


ROUTES: Mapping[str, Route] = {route.name: route for route in every_route()}


@contextmanager
def tried_house(url: str) -> Iterator[TriedHouse]:
    """Yield a house with one of everything."""
    settings = Settings(
        database_url=url,
        is_redis_health_checked=False,
        is_worker_health_checked=False,
        encryption_key=Secret(new_key()),
        outbound_networks=(ip_network("127.0.0.0/8"),),
        module_switches=(("channel_manager", True),),
        is_channel_mock_mode=True,
        access=AccessSettings(jwt_shared=Secret("j" * 40), public_url="https://pms.example"),
    )
    letters, agency_id = Letterbox(), AgencyId(uuid4())
    clock = MovableClock(datetime(2027, 3, 1, 12, tzinfo=UTC))
    with connected(settings, None, clock=clock) as made:
        access = evolve(
            made.access,
            passwords=Argon2Passwords(passes=1, memory_kib=64),
            mail=Letters(post=letters, public_url="https://pms.example"),
        )
        asked = {"request_id": RequestId(uuid4()), "agency_id": agency_id, "actor_id": ActorId(uuid4())}
        open_agency(OpenAgency(**asked, name="Tried", slug=SLUG), uow=access.uow)
        member = add_user(
            AddUser(**asked, email=EMAIL, name="Ada", password=PASSWORD, role=Role.ADMIN, reach=None),
            uow=access.uow,
            passwords=access.passwords,
            ids=made.ids,
        )
        admin = evolve(whoever_serves(agency_id), actor_id=ActorId(member.user.user_id))
        someone = Someone(admin)
        shown = made.identify
        here = evolve(
            made,
            access=access,
            limiter=NoLimits(),
            identify=lambda presented: someone.principal or shown(presented),
        )
        double = NewUnitType(
            name="Double",
            rooms=20,
            valid_from=date(2026, 1, 1),
            unit_names=tuple(f"{number}" for number in range(701, 719)),
        )
        hotel = create_house(
            CreateHouse(
                **asked,
                name="Hotel",
                zone=Zone("Europe/Lisbon"),
                currency=Currency.of("EUR"),
                business_date=date(2027, 3, 1),
                types=(double,),
            ),
            uow=here.uow,
            ids=here.ids,
        )
        ids = {
            "agency_slug": SLUG,
            "agency_id": str(agency_id),
            "property_id": str(hotel.property.property_id),
            "unit_type_id": str(next(iter(hotel.types))),
            "unit_id": str(next(iter(hotel.units))),
        }
        units = [str(each) for each in hotel.units][1:]
        house = TriedHouse(
            app=create_app(here),
            here=here,
            someone=someone,
            admin=admin,
            letters=letters,
            ids=ids,
            units=units,
        )
        with receiving() as receiver:
            house.ids.update(_made(house, receiver.url()))
        # The first one is blocked now.
        house.ids["unit_id"] = units.pop()
        yield house


def _made(house: TriedHouse, hook: str) -> dict[str, str]:
    """Make one of everything with the examples; return the ids."""
    steps: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
        ("prices.put", "", str),
        ("guests.create", "guest_id", lambda body: body["id"]),
        ("blocks.create", "block_id", lambda body: body["id"]),
        ("allotments.create", "allotment_id", lambda body: body["id"]),
        ("holds.create", "hold_id", lambda body: body["id"]),
        ("users.invite", "user_id", lambda body: body["id"]),
        ("keys.make", "key_id", lambda body: body["id"]),
        ("quotes.ask", "quote_id", lambda body: body["quotes"][0]["id"]),
    )
    for name, part, id_of in steps:
        answer = house.send(ROUTES[name])
        assert answer.status_code < 300, f"{name}: {answer.text}"
        house.answers[name] = answer
        if part:
            house.ids[part] = id_of(answer.get_json())
    _hook(house, hook)
    _channel(house)
    quoted = {"quote_id": house.ids["quote_id"], "guest": {"name": "Ada Moreira"}}
    booked = house.send(ROUTES["bookings.create"], quoted)
    assert booked.status_code == 201, booked.text
    again = house.send(ROUTES["quotes.ask"]).get_json()["quotes"][0]["id"]
    return {"booking_id": booked.get_json()["id"], "quote_id": again}


STEPS: Mapping[str, tuple[str, ...]] = {
    "undo_check_in": ("check_in",),
    "check_out": ("check_in",),
    "undo_check_out": ("check_in", "check_out"),
    "reinstate": ("cancel",),
    "refund": ("cancel",),
}
"""What has to be done to a booking before an act that is no first one."""


@contextmanager
def ready_for(house: TriedHouse, act: str) -> Iterator[None]:
    """Name a booking that is ready for an act in the addresses."""
    usual = house.ids["booking_id"]
    days = {"assign": ("2027-08-01", "2027-08-04"), "move": ("2027-06-01", "2027-06-04")}
    arrival, departure = days.get(act, ("2027-03-01", "2027-03-03"))
    body = {**ROUTES["bookings.create"].example, "arrival": arrival, "departure": departure}
    if act in {"confirm", "decline", "expire"}:
        body["option_until"] = (house.here.clock.now() + timedelta(seconds=1)).isoformat()
    if act not in days:
        body["unit_id"] = house.units.pop()
    made = house.send(ROUTES["bookings.create"], body)
    assert made.status_code == 201, f"{act}: {made.text}"
    house.ids["booking_id"] = made.get_json()["id"]
    for step in STEPS.get(act, ()):
        done = house.send(ROUTES[f"booking_actions.{step}"])
        assert done.status_code == 200, done.text
    if act == "expire":
        house.here.clock.advance(timedelta(seconds=2))
    yield
    house.ids["booking_id"] = usual


def _hook(house: TriedHouse, url: str) -> None:
    """Make a webhook that has been told something, at an address where somebody listens."""
    made = house.send(ROUTES["webhooks.add"], {"url": url, "kinds": ["booking.*"]})
    house.ids["webhook_id"] = made.get_json()["id"]
    tested = house.answers["webhooks.test"] = house.send(ROUTES["webhooks.test"])
    house.ids["delivery_id"] = tested.get_json()["id"]
    services = house.here.of(house.admin, RequestId(uuid4()))
    means = {"clock": services.clock, "ids": services.ids, "means": services.webhooks}
    while deliver_due(DeliverDue(**services.asking), uow=services.uow, **means):
        pass


def _channel(house: TriedHouse) -> None:
    """Connect the house to a platform, with a batch, an issue and an address of ours."""
    wanted = {
        "property_id": house.ids["property_id"],
        "platform_type": "channex",
        "platform_listing_id": "h1",
    }
    made = house.send(ROUTES["channel_connections.create"], wanted)
    house.ids["connection_id"] = made.get_json()["id"]
    synced = house.answers["channel_sync.trigger"] = house.send(ROUTES["channel_sync.trigger"])
    house.ids["batch_id"] = synced.get_json()["batch_id"]
    given = house.answers["channel_connections.give_address"] = house.send(
        ROUTES["channel_connections.give_address"]
    )
    house.ids["token"] = given.get_json()["webhook_token"]
    told = house.client().post(
        f"/channel-webhooks/{house.ids['token']}", json={"event": "booking_new", "property_id": "h1"}
    )
    house.answers["channel_inbound.receive"] = told
    _calendar(house)
    agency_id = house.admin.agency_id
    house.ids["issue_id"] = opened_issue(house.here, agency_id, house.ids["connection_id"])
    house.ids["revision"] = put_aside(house.here, agency_id, house.ids["connection_id"], SLUG)


def _calendar(house: TriedHouse) -> None:
    """Open the calendar of a room, which has a connection of its own."""
    usual = house.ids["connection_id"]
    wanted = {
        "property_id": house.ids["property_id"],
        "platform_type": "fewo_direkt",
        "gateway": "ical",
    }
    made = house.send(ROUTES["channel_connections.create"], wanted)
    house.ids["connection_id"] = made.get_json()["id"]
    assert house.send(ROUTES["channel_mappings.put"]).status_code == 200
    given = house.answers["calendars.give"] = house.send(ROUTES["calendars.give"])
    house.ids["calendar_token"] = given.get_json()["calendar_token"]
    house.ids["room_code"] = given.get_json()["calendars"][0]["room_code"]
    house.ids["connection_id"] = usual


def token_in(letters: Letterbox) -> str:
    """Return what stands behind the # of the last letter's link."""
    found = re.search(r"#(\S+)", letters.texts[-1])
    assert found is not None
    return found[1]
