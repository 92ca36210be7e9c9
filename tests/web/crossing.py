"""Requests of two agencies that cross each other, over few connections that break, and what became of them.

Owns the load and the verdict. Each agency writes its mark into every text that it sends, names objects of the other one
among its own, and sends what cannot be read; in between connections are ended, statements are cancelled and tables are
locked. The judge knows three things: what each was answered, what each has sent, and what stands in the database.
"""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from itertools import count
from threading import Lock, Thread
from typing import Any

import psycopg
from attrs import Factory, define, field, frozen
from flask.testing import FlaskClient
from psycopg import sql
from werkzeug.test import TestResponse

from pms_adapters.postgres.tables import GLOBAL_TABLES, metadata
from pms_web.routing import Idempotency
from pmscore.access.model.permissions import Permission, Role, permits
from web.two_agencies import ANY_ID, MAKING, ROUTES, Agency, World, address, day, filled, slots, stay_of

NOBODY = "00000000-0000-0000-0000-000000000000"
TRIED = [name for name, route in ROUTES.items() if route.path.startswith("/api/v1/") and route.tag != "auth"]
"""Whatever is of an agency; ``auth`` has no object of one."""
COMMON = (
    *("bookings.create", "bookings.show", "bookings.change", "blocks.listed", "quotes.ask"),
    *("guests.show", "guests.listed", "guests.change"),
)
"""What is asked for more often than the rest."""
KIND_OF = {MAKING[kind][0]: kind for kind in MAKING} | {"guests.create": "guest_id"}
TABLE_OF = {
    "booking_id": ("bookings", "booking_id"),
    "block_id": ("blocks", "block_id"),
    "allotment_id": ("allotments", "allotment_id"),
    "hold_id": ("holds", "hold_id"),
    "guest_id": ("guests", "guest_id"),
    "quote_id": ("quotes", "quote_id"),
    "user_id": ("memberships", "user_id"),
    "key_id": ("api_keys", "key_id"),
    "webhook_id": ("webhook_endpoints", "endpoint_id"),
}
REMOVED_BY = {
    "blocks.lift": "block_id",
    "allotments.end": "allotment_id",
    "webhooks.remove": "webhook_id",
}


@frozen
class Answered:
    """One request and its answer; ``named`` are the ids that the request itself had."""

    agency: Agency
    name: str
    named: frozenset[str]
    is_guess: bool
    status: int
    text: str


@define
class Notes:
    """What was asked, answered and made; ids by agency's mark, place and kind."""

    answers: list[Answered] = Factory(list)
    pools: dict[tuple[str, str, str], list[str]] = field(factory=lambda: defaultdict(list))
    made: dict[tuple[str, str], set[str]] = field(factory=lambda: defaultdict(set))
    removed: dict[tuple[str, str], set[str]] = field(factory=lambda: defaultdict(set))
    unknown: Counter[tuple[str, str]] = Factory(Counter)
    prices: dict[tuple[str, str], int] = field(factory=lambda: defaultdict(lambda: 1))
    touched: dict[str, set[str]] = field(factory=lambda: defaultdict(set))
    disturbed: Counter[str] = Factory(Counter)
    connections: int = 0
    failures: list[BaseException] = Factory(list)


@frozen(kw_only=True)
class Verdict:
    """What was seen and written across the border; all four are empty where the walls hold."""

    foreign_texts: tuple[str, ...]
    foreign_ids: tuple[str, ...]
    foreign_rows: tuple[str, ...]
    wrong_rows: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        return not (self.foreign_texts or self.foreign_ids or self.foreign_rows or self.wrong_rows)


def crossed(world: World, admin_url: str, *, requests: int, threads: int, seed: int, calm: bool) -> Notes:
    """Send the requests and return what became of them; ``calm`` breaks nothing."""
    notes, numbers, lock = Notes(), count(), Lock()
    for agency in (world.ours, world.theirs):
        for place in ("near", "far"):
            for kind, id_ in agency.parts(place).items():
                notes.pools[agency.mark, place, kind].append(id_)
        for kind, there in _standing(admin_url, agency).items():
            notes.made[agency.mark, kind] |= there

    def work(own: int) -> None:
        chance = random.Random(seed * 1_000 + own)
        client = FlaskClient(world.app, world.app.response_class)
        try:
            while (number := next(numbers)) < requests:
                if not calm and number % 60 == 59:
                    _disturb(notes, admin_url, number // 60, lock)
                _send_one(world, notes, client, chance, number)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test is to fail by it
            notes.failures.append(error)

    started = [Thread(target=work, args=(own,)) for own in range(threads)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    if notes.failures:
        raise notes.failures[0]
    return notes


def _disturb(notes: Notes, admin_url: str, number: int, lock: Lock) -> None:
    """End connections, cancel statements, or lock a table for longer than a statement may take."""
    ours = "FROM pg_stat_activity WHERE datname = current_database() AND usename = 'pms_app'"
    with lock, psycopg.connect(admin_url, autocommit=True) as connection:
        notes.connections = max(notes.connections, _lasting(connection, f"SELECT count(*) {ours}"))
        act = ("dropped", "cancelled", "dropped", "locked")[number % 4]
        if act == "dropped":
            connection.execute(f"SELECT pg_terminate_backend(pid) {ours}")
        elif act == "cancelled":
            connection.execute(f"SELECT pg_cancel_backend(pid) {ours}")
        else:
            table = ("bookings", "guests", "properties")[number // 4 % 3]
            with connection.transaction():
                connection.execute(f"LOCK TABLE {table}")
                connection.execute("SELECT pg_sleep(0.8)")
        notes.disturbed[act] += 1


def _lasting(connection: psycopg.Connection, asked: str) -> int:
    """Return how many connections there are for longer than the server needs to see that one was closed."""
    counts = []
    for _ in range(20):
        ((found,),) = connection.execute(asked)
        counts.append(found)
        connection.execute("SELECT pg_sleep(0.005)")
    return min(counts)


def _send_one(world: World, notes: Notes, client: FlaskClient, chance: random.Random, number: int) -> None:
    agency, other = (world.ours, world.theirs)[:: 1 if number % 2 else -1]
    name = chance.choice(COMMON if chance.random() < 0.3 else TRIED)
    route = ROUTES[name]
    place = chance.choice(("near", "far"))
    parts = _drawn(notes, chance, agency, place)
    named = [each for each in slots(name) if each != "agency_slug"]
    is_guess = bool(named) and chance.random() < 0.25
    if is_guess:
        guessed = _drawn(notes, chance, other, place)
        swapped = named if chance.random() < 0.5 else [chance.choice(named)]
        parts |= {each: guessed[each] for each in swapped}
    role = Role.ADMIN if chance.random() < 0.8 else Role.MANAGER
    if name == "webhooks.remove" and not is_guess:
        # The first one stays: it has a delivery.
        parts["webhook_id"] = chance.choice(notes.pools[agency.mark, place, "webhook_id"][1:] or [NOBODY])
    key = agency.keys[role, True] if permits(role, route.permission or Permission.READ_PUBLIC) else None
    body = _body(name, agency, parts, chance, number, is_guess=is_guess)
    if name == "prices.put":
        plan = {**body["plans"][0], "name": f"Flexible {agency.mark}"}
        body = {**body, "plans": [plan], "version": notes.prices[agency.mark, place]}
    headers = {} if route.permission is None or key is None else {"Authorization": f"Bearer {key}"}
    if route.idempotency is not Idempotency.NONE:
        # The two agencies use the same keys.
        headers["Idempotency-Key"] = f"key-{number // 2}"
    is_broken = not is_guess and chance.random() < 0.1
    taken: dict[str, Any] = {"query_string": body}
    if route.body is not None:
        text = json.dumps(body)
        if is_broken:
            text = chance.choice(
                (text[:-1], text.replace("2027", "9999"), text.replace('"', '"\x00', 1), "[]")
            )
        taken = {"data": text, "content_type": "application/json"}
    if route.tag == "booking_actions" and not is_guess:
        notes.touched[agency.mark].add(parts["booking_id"])
    removes = REMOVED_BY.get(name)
    if removes is not None and not is_guess:
        notes.removed[agency.mark, removes].add(parts[removes])
    answer = client.open(address(route, parts), method=route.method, headers=headers, **taken)
    _note(notes, agency, name, place, parts, answer, is_guess=is_guess)


def _note(
    notes: Notes,
    agency: Agency,
    name: str,
    place: str,
    parts: Mapping[str, str],
    answer: TestResponse,
    *,
    is_guess: bool,
) -> None:
    status, kind = answer.status_code, KIND_OF.get(name)
    named = frozenset((*parts.values(), NOBODY))
    notes.answers.append(Answered(agency, name, named, is_guess, status, answer.text))
    if name.startswith("prices.") and status in {200, 201} and not is_guess:
        notes.prices[agency.mark, place] = answer.get_json()["version"]
    if name == "quotes.hold":
        # The rooms of a quote are held with it.
        if status == 200:
            notes.made[agency.mark, "hold_id"].update(answer.get_json()["hold_ids"])
        kind = None if status == 200 else "hold_id"
    if kind is None:
        return
    if status >= 500:
        notes.unknown[agency.mark, kind] += 1
    if status in {200, 201, 202}:
        body = answer.get_json()
        made = [each["id"] for each in body["quotes"]] if kind == "quote_id" else [body["id"]]
        if kind != "quote_id" or status == 201:
            notes.made[agency.mark, kind].update(made)
            notes.pools[agency.mark, place, kind].extend(made)


def _drawn(notes: Notes, chance: random.Random, agency: Agency, place: str) -> dict[str, str]:
    parts = agency.parts(place)
    # A delivery belongs to the webhook it was made for, so these two stay together.
    kept = {"agency_slug", "webhook_id", "delivery_id", "unit_type_id", "unit_id", "property_id"}
    return {
        kind: id_ if kind in kept else chance.choice(notes.pools[agency.mark, place, kind])
        for kind, id_ in parts.items()
    }


def _body(
    name: str, agency: Agency, parts: Mapping[str, str], chance: random.Random, number: int, *, is_guess: bool
) -> Any:
    """Return what is sent: the agency's mark in every text that may have one."""
    mark = f"{agency.mark} {number}"
    arrival = chance.randrange(500)
    made: Mapping[str, Callable[[], object]] = {
        "bookings.create": lambda: stay_of(parts, arrival, 1 + arrival % 3, mark),
        "bookings.change": lambda: {"status": "cancelled"} if is_guess else {"notes": f"note {mark}"},
        "blocks.create": lambda: {
            **{each: parts[each] for each in ("property_id", "unit_id")},
            "from": day(600 + number),
            "to": day(601 + number),
            "reason": f"reason {mark}",
        },
        "allotments.create": lambda: filled(
            {**MAKING["allotment_id"][1](agency, ""), "guaranteed": 0, "cap": 1}, parts
        ),
        "guests.create": lambda: {"name": f"Ada {mark}", "email": "ada@example.com"},
        "guests.change": lambda: {"name": f"Ada {mark}"},
        "units.create": lambda: {"unit_type_id": parts["unit_type_id"], "name": f"unit {number}"},
        "users.invite": lambda: MAKING["user_id"][1](agency, ""),
        "keys.make": lambda: {"name": f"Till {mark}", "role": "staff"},
        "webhooks.add": lambda: MAKING["webhook_id"][1](agency, ""),
        "webhooks.change": lambda: {"description": f"hook {mark}"},
        "exchange_rates.put": lambda: {
            "rates": [
                {"base": "EUR", "currency": "USD", "day": day(arrival), "rate": "1.1", "source": agency.mark}
            ]
        },
    }
    if name in made:
        return made[name]()
    return filled(dict(ROUTES[name].example or {}), parts)


def judged(world: World, notes: Notes, admin_url: str) -> Verdict:
    """Return what has crossed the border."""
    rows = {agency.mark: _rows(admin_url, agency) for agency in (world.ours, world.theirs)}
    ids = {mark: frozenset(ANY_ID.findall(text)) for mark, text in rows.items()}
    other = {world.ours.mark: world.theirs.mark, world.theirs.mark: world.ours.mark}
    texts, seen = [], []
    for each in notes.answers:
        foreign = other[each.agency.mark]
        said = f"{each.agency.mark} {each.name} {each.status}: {each.text[:300]}"
        if foreign in each.text:
            texts.append(said)
        if (set(ANY_ID.findall(each.text)) - each.named) & ids[foreign]:
            seen.append(said)
    written = [f"{mark} has {other[mark]}" for mark, text in rows.items() if other[mark] in text]
    shared = (ids[world.ours.mark] & ids[world.theirs.mark]) - {NOBODY}
    written += [f"both have {each}" for each in shared]
    return Verdict(
        foreign_texts=tuple(texts),
        foreign_ids=tuple(seen),
        foreign_rows=tuple(written),
        wrong_rows=tuple(_wrong(world, notes, admin_url)),
    )


def _rows(admin_url: str, agency: Agency) -> str:
    """Return every row of an agency as text."""
    found: list[str] = []
    with psycopg.connect(admin_url) as connection:
        for table in metadata.sorted_tables:
            if table.name not in GLOBAL_TABLES:
                asked = sql.SQL("SELECT t::text FROM {} t WHERE agency_id = %s").format(
                    sql.Identifier(table.name)
                )
                found += [row for (row,) in connection.execute(asked, [agency.agency_id])]
    return "\n".join(found)


def _standing(admin_url: str, agency: Agency) -> dict[str, set[str]]:
    """Return the ids of an agency that stand in the database, by kind."""
    found: dict[str, set[str]] = {}
    with psycopg.connect(admin_url) as connection:
        for kind, (table, column) in TABLE_OF.items():
            asked = sql.SQL("SELECT {}::text FROM {} WHERE agency_id = %s").format(
                sql.Identifier(column), sql.Identifier(table)
            )
            found[kind] = {id_ for (id_,) in connection.execute(asked, [agency.agency_id])}
    return found


def _wrong(world: World, notes: Notes, admin_url: str) -> list[str]:
    """Compare what stands there with what each agency was told of its own writes."""
    wrong: list[str] = []
    for agency in (world.ours, world.theirs):
        for kind, there in _standing(admin_url, agency).items():
            made, removed = notes.made[agency.mark, kind], notes.removed[agency.mark, kind]
            wrong += [f"{agency.mark}: {kind} {each} is gone" for each in made - removed - there]
            # Every booking makes a guest; whose it is, its mark says.
            most = notes.unknown[agency.mark, kind] * (20 if kind == "quote_id" else 1)
            if kind != "guest_id" and len(there - made) > most:
                wrong.append(f"{agency.mark}: {len(there - made)} more of {kind}, {most} unknown")
        with psycopg.connect(admin_url) as connection:
            asked = "SELECT booking_id::text FROM bookings WHERE agency_id = %s AND status <> 'confirmed'"
            ended = {id_ for (id_,) in connection.execute(asked, [agency.agency_id])}
        wrong += [f"{agency.mark}: {each} was ended" for each in ended - notes.touched[agency.mark]]
    return wrong
