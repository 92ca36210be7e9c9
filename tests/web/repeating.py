"""Commands that are sent more than once under one key, and what they have come to.

Owns a command for every route that asks for a key, the sending, and the verdict: one effect a key, one reply, and nothing
kept of a refusal. Bookings are brought to where their step begins before anything is repeated.
"""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Barrier
from typing import Any
from uuid import uuid4

import psycopg
from attrs import Factory, define, evolve, frozen
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from pms_web.routing import Idempotency
from pmscore.access.model.permissions import Role
from web.two_agencies import ROUTES, World, address, day, new_house, stay_of

ASKED = [name for name, route in ROUTES.items() if route.idempotency is Idempotency.REQUIRED]
KEYED = [name for name, route in ROUTES.items() if route.idempotency is not Idempotency.NONE]
SHOWN_ONCE = frozenset({"key", "secret"})
"""Members that are null in every answer but the first."""
MOST_HOOKS = 40
"""An agency may have fifty webhooks; there is room for those that other tests add."""
UNITS = 700
AGAIN = frozenset({"busy", "request_in_progress", "service_unavailable"})
"""Answers that ask for a repetition."""


@frozen(kw_only=True)
class Keyed:
    """A request under a key; ``effects`` counts what it has brought about, whichever of its two bodies has won."""

    name: str
    parts: Mapping[str, str]
    body: Mapping[str, object]
    other: Mapping[str, object]
    key: str
    effects: str
    values: tuple[object, ...]
    times: int = 1
    is_parallel: bool = False
    others_at: frozenset[int] = frozenset()


@define
class Outcome:
    """All answers to one command, those of the other body apart, and the last one to each."""

    command: Keyed
    answers: list[tuple[bool, TestResponse]] = Factory(list)

    def bodies(self, *, other: bool) -> set[bytes]:
        """Return the different answers to those that succeeded, without what is shown once."""
        done = (each.data for is_other, each in self.answers if is_other is other and each.status_code < 300)
        if self.command.name not in WITH_SECRET:
            return set(done)
        told = (
            {name: value for name, value in json.loads(each).items() if name not in SHOWN_ONCE}
            for each in done
        )
        return {json.dumps(each).encode() for each in told}

    def secrets(self) -> list[str]:
        """Return every secret that was told."""
        if self.command.name not in WITH_SECRET:
            return []
        done = [each.get_json() for _, each in self.answers if each.status_code < 300]
        return [each[name] for each in done for name in SHOWN_ONCE & each.keys() if each[name] is not None]


@define
class Desk:
    """Somebody who sends commands, in a house with many rooms."""

    world: World
    house: dict[str, str]
    units: list[str]
    spare: dict[str, str]
    numbers: Any = Factory(count)

    @classmethod
    def open(cls, world: World) -> Desk:
        made = new_house(world, world.ours, "Large house", rooms=4 * UNITS, units=UNITS)
        spare = new_house(world, world.ours, "House with room for more", rooms=3_000, units=0)
        ids = {
            "property_id": str(made.property.property_id),
            "unit_type_id": str(next(iter(made.types))),
        }
        more = {
            "property_id": str(spare.property.property_id),
            "unit_type_id": str(next(iter(spare.types))),
        }
        desk = cls(world, ids, sorted(map(str, made.units)), more)
        desk.price(ids)
        return desk

    def price(self, house: Mapping[str, str]) -> None:
        """Give a house a price list: every night costs the same."""
        prices = {house["unit_type_id"]: {"default": "100.00"}}
        plans = [{"code": "flex", "name": "Flexible", "prices": prices}]
        client = FlaskClient(self.world.app, self.world.app.response_class)
        headers = {"Authorization": f"Bearer {self.world.ours.keys[Role.ADMIN, True]}"}
        target = address(ROUTES["prices.put"], {"property_id": house["property_id"]})
        body = {"format": 1, "currency": "EUR", "plans": plans}
        answer = client.put(target, json=body, headers=headers)
        assert answer.status_code == 201, answer.text

    def send(self, name: str, parts: Mapping[str, str], body: object, key: str) -> TestResponse:
        client = FlaskClient(self.world.app, self.world.app.response_class)
        headers = {"Authorization": f"Bearer {self.world.ours.keys[Role.ADMIN, True]}"}
        if key:
            headers["Idempotency-Key"] = key
        return client.post(address(ROUTES[name], parts), json=body, headers=headers)

    def done(self, name: str, parts: Mapping[str, str], body: object) -> dict[str, Any]:
        """Do something that succeeds."""
        answer = self.send(name, parts, body, uuid4().hex)
        assert answer.status_code < 300, f"{name}: {answer.text}"
        return answer.get_json()

    def booked(self, arrival: int, nights: int, **more: object) -> str:
        body = {**stay_of(self.house, arrival, nights, ""), **more}
        return str(self.done("bookings.create", {}, body)["id"])

    def unit(self) -> str:
        return self.units[next(self.numbers) % UNITS]


Making = Callable[[Desk, str, int], tuple[Mapping[str, str], Mapping[str, object], Mapping[str, object]]]


def _named(desk: Desk, key: str, number: int) -> dict[str, object]:
    example = dict(ROUTES["properties.create"].example or {})
    return {**example, "name": key}


def _stay(desk: Desk, key: str, number: int) -> dict[str, object]:
    return {**stay_of(desk.house, 40 + number % 300, 2, ""), "notes": key}


def _hold(desk: Desk, key: str, number: int) -> dict[str, object]:
    return {
        **desk.spare,
        "arrival": day(5),
        "departure": day(7),
        "expires_at": f"2027-03-20T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}Z",
    }


def _block(desk: Desk, key: str, number: int) -> dict[str, object]:
    return {
        "property_id": desk.house["property_id"],
        "unit_id": desk.units[0],
        "from": day(1_000 + 2 * number),
        "to": day(1_001 + 2 * number),
        "reason": key,
    }


def _allotment(desk: Desk, key: str, number: int) -> dict[str, object]:
    return {**desk.spare, "channel": key, "from": day(5), "to": day(7), "guaranteed": 1}


def _new_type(desk: Desk, key: str, number: int) -> dict[str, object]:
    return {"name": key, "rooms": 1}


def _new_unit(desk: Desk, key: str, number: int) -> dict[str, object]:
    return {"unit_type_id": desk.spare["unit_type_id"], "name": key}


def _guest(desk: Desk, key: str, number: int) -> dict[str, object]:
    return {"name": key, "email": "ada@example.com"}


def _program(desk: Desk, key: str, number: int) -> dict[str, object]:
    return {"name": key, "role": "staff", "property_ids": [desk.house["property_id"]]}


def _person(desk: Desk, key: str, number: int) -> dict[str, object]:
    return {"name": key, "email": f"{key}@example.com", "role": "staff"}


def _hook(desk: Desk, key: str, number: int) -> dict[str, object]:
    return {"url": "https://hooks.example.com/pms", "kinds": ["never.*"], "description": key}


def _after(desk: Desk, *steps: str) -> str:
    booking_id = desk.booked(0, 2, unit_id=desk.unit())
    for step in steps:
        desk.done(f"booking_actions.{step}", {"booking_id": booking_id}, {})
    return booking_id


CREATING: Mapping[str, tuple[Callable[[Desk, str, int], dict[str, object]], str, str]] = {
    "properties.create": (_named, "name", "SELECT count(*) FROM properties WHERE name LIKE %s"),
    "unit_types.create": (_new_type, "name", "SELECT count(*) FROM unit_types WHERE name LIKE %s"),
    "units.create": (_new_unit, "name", "SELECT count(*) FROM units WHERE name LIKE %s"),
    "blocks.create": (_block, "reason", "SELECT count(*) FROM blocks WHERE note LIKE %s"),
    "allotments.create": (_allotment, "channel", "SELECT count(*) FROM allotments WHERE channel LIKE %s"),
    "bookings.create": (_stay, "notes", "SELECT count(*) FROM bookings WHERE notes LIKE %s"),
    "guests.create": (_guest, "name", "SELECT count(*) FROM guests WHERE name LIKE %s"),
    "keys.make": (_program, "name", "SELECT count(*) FROM api_keys WHERE name LIKE %s"),
    "users.invite": (_person, "name", "SELECT count(*) FROM users WHERE name LIKE %s"),
    "webhooks.add": (
        _hook,
        "description",
        "SELECT count(*) FROM webhook_endpoints WHERE description LIKE %s",
    ),
}
"""What is made, the member that says under which key, and how to count it."""
WITH_SECRET = frozenset({"keys.make", "webhooks.add"})
HELD = "SELECT count(*) FROM holds WHERE expires_at = %s"
STEPS = "SELECT version - %s FROM bookings WHERE booking_id = %s"
OPTION = {"option_until": "2027-03-25T12:00:00Z"}
OVER = {"option_until": "2027-03-01T13:00:00Z"}
BEFORE: Mapping[str, Callable[[Desk], str]] = {
    "booking_actions.confirm": lambda desk: desk.booked(30, 1, **OPTION),
    "booking_actions.decline": lambda desk: desk.booked(30, 1, **OPTION),
    "booking_actions.expire": lambda desk: desk.booked(30, 1, **OVER),
    "booking_actions.cancel": lambda desk: desk.booked(30, 1),
    "booking_actions.check_in": _after,
    "booking_actions.undo_check_in": lambda desk: _after(desk, "check_in"),
    "booking_actions.check_out": lambda desk: _after(desk, "check_in"),
    "booking_actions.undo_check_out": lambda desk: _after(desk, "check_in", "check_out"),
    "booking_actions.no_show": lambda desk: desk.booked(0, 1),
    "booking_actions.reinstate": lambda desk: _after(desk, "cancel"),
    "booking_actions.refund": lambda desk: _after(desk, "cancel"),
    "booking_actions.assign": lambda desk: desk.booked(20, 1),
    "booking_actions.move": lambda desk: desk.booked(25, 2, unit_id=desk.unit()),
}
"""A booking at which a step begins."""


def command_for(desk: Desk, name: str, number: int, cuts: int) -> Keyed:
    """Return a command of a route, under a key that says how many of its answers are to be lost."""
    key = f"cut{cuts}-{uuid4().hex}" if cuts else uuid4().hex
    if name == "holds.create":
        body = _hold(desk, key, number)
        other = {**body, "departure": day(8)}
        values: tuple[object, ...] = (body["expires_at"],)
        return Keyed(name=name, parts={}, body=body, other=other, key=key, effects=HELD, values=values)
    if name in CREATING:
        make, member, effects = CREATING[name]
        body = make(desk, key, number)
        other = {**body, member: f"{key}-another"}
        return Keyed(
            name=name, parts=desk.spare, body=body, other=other, key=key, effects=effects, values=(f"{key}%",)
        )
    if name == "quotes.hold":
        return _holding(desk, key)
    booking_id = BEFORE[name](desk)
    body, other = {"reason": "guest_request"}, {"reason": "another"}
    if name == "booking_actions.assign":
        body, other = {"unit_id": desk.unit()}, {"unit_id": desk.unit()}
    if name == "booking_actions.move":
        body, other = ({"unit_id": desk.unit(), "from_night": day(26)} for _ in range(2))
    return Keyed(
        name=name,
        parts={"booking_id": booking_id},
        body=body,
        other=other,
        key=key,
        effects=STEPS,
        values=(_version(desk, booking_id), booking_id),
    )


def _holding(desk: Desk, key: str) -> Keyed:
    asked = {"property_id": desk.house["property_id"], "arrival": day(8), "departure": day(9), "adults": 1}
    quotes = desk.done("quotes.ask", {}, {**asked, "keep": True})["quotes"]
    return Keyed(
        name="quotes.hold",
        parts={"quote_id": quotes[0]["id"]},
        body={"until": "2027-03-10T12:00:00Z"},
        other={"until": "2027-03-11T12:00:00Z"},
        key=key,
        effects="SELECT version - %s FROM quotes WHERE quote_id = %s",
        values=(1, quotes[0]["id"]),
    )


def _version(desk: Desk, booking_id: str) -> int:
    client = FlaskClient(desk.world.app, desk.world.app.response_class)
    headers = {"Authorization": f"Bearer {desk.world.ours.keys[Role.ADMIN, True]}"}
    return int(client.get(f"/api/v1/bookings/{booking_id}", headers=headers).get_json()["version"])


def commands(desk: Desk, number: int, *, seed: int, cuts: bool) -> list[Keyed]:
    """Return so many commands over all routes: one to six times, a third in parallel, a tenth with another body."""
    chance = random.Random(seed)
    made: list[Keyed] = []
    for each in range(number):
        lost = chance.choice((0, 0, 0, 1, 2)) if cuts else 0
        name = KEYED[each % len(KEYED)]
        if name == "webhooks.add" and each // len(KEYED) >= MOST_HOOKS:
            name = "guests.create"
        command = command_for(desk, name, each, lost)
        times = chance.randint(1, 6)
        is_other = each % 10 == 0
        times = max(times, 2) if is_other else times
        others = frozenset([chance.randrange(times)]) if is_other else frozenset()
        made.append(evolve(command, times=times, is_parallel=each % 3 == 0, others_at=others))
    return made


def repeated(desk: Desk, wanted: Sequence[Keyed]) -> list[Outcome]:
    """Send all commands, as often as they want, and then until each is known to be done."""
    with ThreadPoolExecutor(6) as threads:
        return [_repeated(desk, command, threads) for command in wanted]


def _repeated(desk: Desk, command: Keyed, threads: ThreadPoolExecutor) -> Outcome:
    outcome, barrier = Outcome(command), Barrier(command.times)
    sends = [each in command.others_at for each in range(command.times)]

    def send(is_other: bool) -> None:
        if command.is_parallel:
            barrier.wait()
        outcome.answers.append((is_other, _sent(desk, command, is_other=is_other)))

    if command.is_parallel:
        for done in [threads.submit(send, each) for each in sends]:
            done.result()
    else:
        for each in sends:
            send(each)
    _settle(desk, outcome)
    return outcome


def _sent(desk: Desk, command: Keyed, *, is_other: bool) -> TestResponse:
    body = command.other if is_other else command.body
    return desk.send(command.name, command.parts, body, command.key)


def _settle(desk: Desk, outcome: Outcome) -> None:
    """Repeat until the answer is not "again": as a caller does who does not know."""
    for is_other in (False, True) if outcome.command.others_at else (False,):
        for _ in range(10):
            answer = _sent(desk, outcome.command, is_other=is_other)
            outcome.answers.append((is_other, answer))
            if answer.status_code < 500 and answer.get_json().get("error") not in AGAIN:
                break


def wrong(outcomes: Sequence[Outcome], admin_url: str) -> dict[str, list[str]]:
    """Return what is not as it has to be, by what is wrong with it."""
    found: dict[str, list[str]] = defaultdict(list)
    with psycopg.connect(admin_url) as connection:
        for outcome in outcomes:
            command = outcome.command
            said = f"{command.name} {command.key}: " + ", ".join(
                f"{each.status_code}{'*' if is_other else ''} {(each.get_json() or {}).get('error', '')}".strip()
                for is_other, each in outcome.answers
            )
            ((effects,),) = connection.execute(command.effects, command.values)
            if effects != 1:
                found[f"{effects} effects"].append(said)
            asked = "SELECT count(*) FROM idempotency_keys WHERE key = %s"
            if connection.execute(asked, [command.key]).fetchone() != (1,):
                found["keys"].append(said)
            replies = [outcome.bodies(other=is_other) for is_other in (False, True)]
            if sorted(map(len, replies)) != [0, 1]:
                found["replies"].append(said)
            secrets = outcome.secrets()
            if len(secrets) > 1 or (secrets and command.name not in WITH_SECRET):
                found["secrets"].append(said)
            if command.name in WITH_SECRET and not command.key.startswith("cut") and not secrets:
                found["secrets"].append(said)
            codes = {each.get_json()["error"] for _, each in outcome.answers if each.status_code >= 300}
            if codes - AGAIN - ({"idempotency_key_reused"} if command.others_at else set()):
                found["codes"].append(said)
            if command.others_at and "idempotency_key_reused" not in codes:
                found["reuse"].append(said)
    return dict(found)


def statuses(outcomes: Sequence[Outcome]) -> Counter[tuple[int, str]]:
    """Return how often each status and code was answered."""
    return Counter(
        (each.status_code, (each.get_json() or {}).get("error", ""))
        for it in outcomes
        for _, each in it.answers
    )
