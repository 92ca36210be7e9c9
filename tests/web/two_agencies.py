"""Two agencies with equal names, two properties in each, an object of every kind in every property.

What is of one agency says so: a mark stands in each text that is no name, and every id is known. ``ROUTES`` are all that the
program has; ``parts`` are the ids of what a request names, by the names of parts of addresses, and ``filled`` puts them
where a route and its example have the ids of examples. Requests are real ones: keys are made by the use case, and the app
finds out by itself who asks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from uuid import uuid4

from attrs import Factory, define, evolve, field, frozen
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pms_adapters.crypto.box import new_key
from pms_adapters.settings import AccessSettings, Settings
from pms_web.app import create_app
from pms_web.auth.letters import Letters
from pms_web.auth.passwords import Argon2Passwords
from pms_web.described import every_route
from pms_web.examples import EXAMPLE_IDS
from pms_web.limits import NoLimits
from pms_web.routing import Idempotency, Route
from pms_web.services import Surroundings
from pms_web.wiring import connected
from pmscore.access.model.permissions import Role
from pmscore.access.use_cases.agencies import OpenAgency, open_agency
from pmscore.access.use_cases.keys import CreateKey, create_key
from pmscore.channels.model.revisions import (
    IssueKind,
    Revision,
    RevisionStatus,
    SoldRoom,
    SoldTo,
    StoredState,
)
from pmscore.channels.use_cases.issues import raise_issue, received
from pmscore.dates.nights import StayRange
from pmscore.dates.zones import Zone
from pmscore.inventory.model.house import House
from pmscore.inventory.use_cases.houses import CreateHouse, NewUnitType, create_house
from pmscore.kernel.events import Command
from pmscore.kernel.ids import ActorId, AgencyId, ConnectionId, PropertyId, RequestId
from pmscore.kernel.money import Currency
from pmscore.kernel.paging import Page
from pmscore.kernel.secrets import Secret
from pmscore.testing.clocks import MovableClock

TODAY = date(2027, 3, 1)
ROOMS = 40
IN_A_PLACE = frozenset(
    {
        *("property_id", "unit_type_id", "unit_id", "booking_id", "quote_id", "block_id", "hold_id"),
        *("guest_id", "connection_id", "batch_id", "issue_id", "revision", "allotment_id"),
    }
)
"""Ids of what belongs to a property, as far as a reach is concerned; all others belong to the agency."""
ANY_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
ROUTES: Mapping[str, Route] = {route.name: route for route in every_route()}


class Postbox:
    """Takes letters and carries them nowhere; ``addresses`` are those that they were for."""

    def __init__(self) -> None:
        self.addresses: list[str] = []

    def carry(self, to: str, subject: str, text: str) -> None:
        """Take a letter."""
        self.addresses.append(to)


@define
class Agency:
    """One of the two; ``near`` and ``far`` are the ids of its two properties and of what is in them.

    ``own`` are the ids of what belongs to all of it, ``keys`` the texts of keys by role and whether they reach all.
    """

    mark: str
    slug: str
    agency_id: AgencyId
    near: dict[str, str] = Factory(dict)
    far: dict[str, str] = Factory(dict)
    own: dict[str, str] = Factory(dict)
    keys: dict[tuple[Role, bool], str] = field(factory=dict, repr=False)
    connected: dict[str, int] = Factory(dict)

    def parts(self, place: str) -> dict[str, str]:
        """Return the ids that a request may name, of one place."""
        return {"agency_slug": self.slug, **self.own, **(self.far if place == "far" else self.near)}


@frozen
class World:
    """The app, and who is in it."""

    app: Flask
    here: Surroundings
    clock: MovableClock
    ours: Agency
    theirs: Agency

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    def send(
        self,
        name: str,
        parts: Mapping[str, str],
        key: str | None,
        example: Any = None,
        client: FlaskClient | None = None,
    ) -> TestResponse:
        """Send a route's example, or another one, with ids put in."""
        route = ROUTES[name]
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        if route.idempotency is not Idempotency.NONE:
            headers["Idempotency-Key"] = uuid4().hex
        given = filled(dict(route.example or {}) if example is None else example, parts)
        taken = {"json": given} if route.body is not None else {"query_string": given}
        return (client or self.client).open(
            address(route, parts), method=route.method, headers=headers, **taken
        )

    def made(self, kind: str, agency: Agency, place: str) -> str:
        """Make an object of a kind and return its id."""
        name, example = MAKING[kind]
        answer = self.send(name, agency.parts(place), agency.keys[Role.ADMIN, True], example(agency, place))
        assert 200 <= answer.status_code < 300, f"{name}: {answer.text}"
        body = answer.get_json()
        return str(body["quotes"][0]["id"] if kind == "quote_id" else body["id"])


def address(route: Route, parts: Mapping[str, str]) -> str:
    """Return the address of a route with its parts put in."""
    return re.sub(r"<([a-z_]+)>", lambda found: parts[found[1]], route.path)


def filled(example: Any, parts: Mapping[str, str]) -> Any:
    """Return an example with its ids replaced by those of ``parts``."""
    text = json.dumps(example)
    for name, shown in EXAMPLE_IDS.items():
        if name in parts:
            text = text.replace(shown, parts[name])
    return json.loads(text)


@cache
def slots(name: str, example: str = "null") -> tuple[str, ...]:
    """Return the names of the ids that a route takes in its address, and in its example or another one."""
    route = ROUTES[name]
    shown = example if example != "null" else json.dumps(dict(route.example or {}))
    in_address = re.findall(r"<([a-z_]+)>", route.path)
    return tuple(dict.fromkeys([*in_address, *(each for each, id_ in EXAMPLE_IDS.items() if id_ in shown)]))


def day(offset: int) -> str:
    """Return a date so many days after the business date."""
    return (TODAY + timedelta(days=offset)).isoformat()


def stay_of(parts: Mapping[str, str], arrival: int, nights: int, mark: str) -> dict[str, object]:
    """Return the body of a booking."""
    return {
        "property_id": parts["property_id"],
        "unit_type_id": parts["unit_type_id"],
        "arrival": day(arrival),
        "departure": day(arrival + nights),
        "adults": 1,
        "rate": {"amount": "120.00", "currency": "EUR"},
        "guest": {"name": f"Ada {mark}", "email": "ada@example.com", "phone": f"+1 {mark}", "country": "PT"},
        "notes": f"note {mark}",
        "requests": f"request {mark}",
    }


def _connection(agency: Agency, place: str) -> dict[str, object]:
    """Return the body of a connection: Channex for the first of a place, then to the others in turn."""
    made = agency.connected[place] = agency.connected.get(place, 0) + 1
    others = ("booking_com", "expedia", "google")
    return {
        "property_id": agency.parts(place)["property_id"],
        "platform_type": "channex" if made == 1 else others[made % len(others)],
        "platform_listing_id": f"listing {agency.mark}",
    }


def _booking(agency: Agency, place: str) -> dict[str, object]:
    return stay_of(agency.parts(place), 10, 2, agency.mark)


MAKING: Mapping[str, tuple[str, Callable[[Agency, str], Any]]] = {
    "quote_id": ("quotes.ask", lambda _agency, _place: None),
    "booking_id": ("bookings.create", _booking),
    "block_id": (
        "blocks.create",
        lambda agency, place: {
            **{name: agency.parts(place)[name] for name in ("property_id", "unit_id")},
            "from": day(300 + (first := int(uuid4()) % 20_000)),
            "to": day(301 + first),
            "reason": f"reason {agency.mark}",
        },
    ),
    "hold_id": ("holds.create", lambda _agency, _place: None),
    "connection_id": ("channel_connections.create", _connection),
    "allotment_id": (
        "allotments.create",
        lambda agency, _: {
            **(ROUTES["allotments.create"].example or {}),
            "channel": f"{agency.mark}-{uuid4().hex}",
        },
    ),
    "user_id": (
        "users.invite",
        lambda agency, _: {
            "email": f"{uuid4().hex}@example.com",
            "name": f"Jo {agency.mark}",
            "role": "staff",
        },
    ),
    "key_id": ("keys.make", lambda agency, _: {"name": f"Till {agency.mark}", "role": "staff"}),
    "webhook_id": (
        "webhooks.add",
        lambda agency, _: {
            "url": "https://hooks.example.com/pms",
            "kinds": ["*"],
            "description": f"hook {agency.mark}",
        },
    ),
    "delivery_id": ("webhooks.test", lambda _agency, _place: None),
}
"""How an object of a kind is made: the route, and what it is sent; None sends the route's example."""


@contextmanager
def two_agencies(url: str, **settings: object) -> Iterator[World]:
    """Yield the app on a migrated database, with two agencies in it, which have switched on their public sites."""
    chosen = Settings(
        database_url=url,
        is_redis_health_checked=False,
        is_worker_health_checked=False,
        encryption_key=Secret(new_key()),
        module_switches=(("channel_manager", True),),
        is_channel_mock_mode=True,
        access=AccessSettings(jwt_shared=Secret("j" * 40), public_url="https://pms.example"),
        **settings,
    )
    clock = MovableClock(datetime(2027, 3, 1, 12, tzinfo=UTC))
    with connected(chosen, None, clock=clock) as made:
        access = evolve(
            made.access,
            passwords=Argon2Passwords(passes=1, memory_kib=64),
            mail=Letters(post=Postbox(), public_url="https://pms.example"),
        )
        here = evolve(made, access=access, limiter=NoLimits())
        both = [
            Agency(mark=mark, slug=slug, agency_id=AgencyId(uuid4()))
            for mark, slug in (("qzalderqz", "alder"), ("qzbirchqz", "birch"))
        ]
        world = World(create_app(here), here, clock, *both)
        for agency in both:
            _open(world, agency)
        yield world


def key_for(world: World, agency: Agency, role: Role, reach: Sequence[str] | None) -> str:
    """Make a key and return its text."""
    command = CreateKey(
        **_asking(agency),
        name=f"{role.value} {agency.mark}",
        role=role,
        reach=None if reach is None else frozenset(PropertyId(_uuid(each)) for each in reach),
    )
    made = create_key(
        command,
        uow=world.here.access.uow,
        secrets=world.here.access.secrets,
        clock=world.clock,
        ids=world.here.ids,
    )
    return made.text


def new_house(world: World, agency: Agency, name: str, *, rooms: int, units: int) -> House:
    """Make a property of one type with more rooms than units, which are numbered from 101 on."""
    doubles = NewUnitType(
        name="Double",
        rooms=rooms,
        valid_from=TODAY - timedelta(days=100),
        unit_names=tuple(map(str, range(101, 101 + units))),
    )
    command = CreateHouse(
        **_asking(agency),
        name=name,
        zone=Zone("Europe/Lisbon"),
        currency=Currency.of("EUR"),
        business_date=TODAY,
        types=(doubles,),
    )
    return create_house(command, uow=world.here.uow, ids=world.here.ids)


def _channel(world: World, agency: Agency, place: str) -> dict[str, str]:
    """Return ids of a batch and an issue of the connection of a place."""
    parts, admin = agency.parts(place), agency.keys[Role.ADMIN, True]
    synced = world.send("channel_sync.trigger", parts, admin)
    assert synced.status_code == 200, synced.text
    return {
        "batch_id": synced.get_json()["batch_id"],
        "issue_id": opened_issue(world.here, agency.agency_id, parts["connection_id"]),
        "revision": put_aside(world.here, agency.agency_id, parts["connection_id"], agency.mark),
    }


def _calendar(world: World, agency: Agency) -> tuple[str, str]:
    """Open the calendar of a room that only this agency has, of a connection that no test touches."""
    admin, room = agency.keys[Role.ADMIN, True], f"room-{agency.mark}"
    wanted = {
        "property_id": agency.near["property_id"],
        "platform_type": "fewo_direkt",
        "gateway": "ical",
    }
    made = world.send("channel_connections.create", {}, admin, wanted)
    parts = {"connection_id": made.get_json()["id"]}
    mapped = {"rooms": [{"unit_type_id": agency.near["unit_type_id"], "room_code": room}]}
    assert world.send("channel_mappings.put", parts, admin, mapped).status_code == 200
    given = world.send("calendars.give", parts, admin)
    assert given.status_code == 201, given.text
    return given.get_json()["calendar_token"], room


def opened_issue(here: Surroundings, agency_id: AgencyId, connection_id: str) -> str:
    """Open an issue about a connection and return its id."""
    command = Command(request_id=RequestId(uuid4()), agency_id=agency_id, actor_id=ActorId(uuid4()))
    with here.uow.begin(command) as work:
        connection = work.connections.get(ConnectionId(_uuid(connection_id)))
        raise_issue(work, connection, IssueKind.DRIFT, ids=here.ids, now=here.clock.now())
        work.commit()
    with here.uow.begin(command) as work:
        issue = work.issues.find(connection.property_id, Page()).items[0]
    return str(issue.issue_id)


def put_aside(here: Surroundings, agency_id: AgencyId, connection_id: str, mark: str) -> str:
    """Keep a sale of a room that nobody knows and return its id."""
    command = Command(request_id=RequestId(uuid4()), agency_id=agency_id, actor_id=ActorId(uuid4()))
    key = ConnectionId(_uuid(connection_id))
    stay = StayRange(TODAY + timedelta(days=20), TODAY + timedelta(days=22))
    revision = Revision(
        revision_id=uuid4().hex,
        booking_key=uuid4().hex,
        status=RevisionStatus.NEW,
        revised_at=here.clock.now(),
        rooms=(SoldRoom(room_code="nobody knows", stay=stay, adults=1, nightly=()),),
        currency="EUR",
        guest=SoldTo(f"Ada {mark}", "ada@example.com"),
        requests=f"request {mark}",
    )
    stored = received(key, revision, here.clock.now())
    with here.uow.begin(command) as work:
        work.revisions.add(evolve(stored, state=StoredState.QUARANTINED, reason="unmapped_room"))
        work.commit()
    return revision.revision_id


def _asking(agency: Agency) -> dict[str, Any]:
    return {
        "request_id": RequestId(uuid4()),
        "agency_id": agency.agency_id,
        "actor_id": ActorId(uuid4()),
    }


def _uuid(text: str) -> Any:
    return type(uuid4())(text)


def _open(world: World, agency: Agency) -> None:
    """Fill an agency; everything that has a name is named as in the other one."""
    open_agency(OpenAgency(**_asking(agency), name="Houses", slug=agency.slug), uow=world.here.uow)
    for parts, name in ((agency.near, "Hotel"), (agency.far, "Villa Sol")):
        house = new_house(world, agency, name, rooms=ROOMS + 5, units=ROOMS)
        parts["property_id"] = str(house.property.property_id)
        parts["unit_type_id"] = str(next(iter(house.types)))
        parts["unit_id"] = next(str(key) for key, each in house.units.items() if each.name == "101")
    for role in Role:
        if role is Role.GUEST:
            continue
        if role is not Role.OWNER:
            agency.keys[role, True] = key_for(world, agency, role, None)
        if role is not Role.ADMIN:
            agency.keys[role, False] = key_for(world, agency, role, [agency.near["property_id"]])
    admin = agency.keys[Role.ADMIN, True]
    opened = {"features": [{"module": "public_site", "enabled": True}]}
    assert world.send("features.put", {}, admin, opened).status_code == 200
    for place, parts in (("near", agency.near), ("far", agency.far)):
        priced = world.send("prices.put", agency.parts(place), admin)
        assert priced.status_code == 201, priced.text
        for kind in MAKING:
            if kind in IN_A_PLACE:
                parts[kind] = world.made(kind, agency, place)
        booked = world.send("bookings.show", agency.parts(place), admin).get_json()
        parts["guest_id"] = booked["guest"]["id"]
        parts.update(_channel(world, agency, place))
    given = world.send("channel_connections.give_address", agency.parts("near"), admin)
    agency.own["token"] = given.get_json()["webhook_token"]
    agency.own["calendar_token"], agency.own["room_code"] = _calendar(world, agency)
    for kind in MAKING:
        if kind not in IN_A_PLACE:
            agency.own[kind] = world.made(kind, agency, "near")
