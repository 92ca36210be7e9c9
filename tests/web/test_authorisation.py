"""Every route, as every role, for an object of one's own, of another property, of another agency, and for none.

What is answered is what the route table says: 401 without credentials, 403 where the role may not, 404 for what is out of
reach, with the same body as for what does not exist, and otherwise a success or a refusal by name.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from attrs import evolve, frozen
from psycopg import sql
from werkzeug.test import TestResponse

from adapters.conftest import PostgresDatabase
from pms_adapters.postgres.tables import GLOBAL_TABLES, metadata
from pms_web.app import create_app
from pms_web.examples import PROPERTY, QUOTE, UNIT, UNIT_TYPE
from pmscore.access.model.permissions import Permission, Role, permits
from pmscore.access.model.principals import Means, Principal
from pmscore.kernel.ids import ActorId
from web.conftest import problem, wrong_fields
from web.two_agencies import ANY_ID, IN_A_PLACE, ROOMS, ROUTES, Agency, World, address, slots, two_agencies

pytestmark = pytest.mark.postgres

Prepared = Callable[[World, Agency], Mapping[str, object]]


def _with_price_version(world: World, agency: Agency) -> Mapping[str, object]:
    """Return the example with the version that the price list has."""
    shown = world.send("prices.show", agency.parts("near"), agency.keys[Role.ADMIN, True]).get_json()
    return {**(ROUTES["prices.put"].example or {}), "version": shown["version"]}


def _new_unit(world: World, agency: Agency) -> Mapping[str, object]:
    """Return a body with a name that no unit has, of a type that has room for one more."""
    sent = {"name": uuid4().hex, "rooms": 1}
    made = world.send("unit_types.create", agency.parts("near"), agency.keys[Role.ADMIN, True], sent)
    return {"unit_type_id": made.get_json()["id"], "name": uuid4().hex}


def _new_allotment(_world: World, _agency: Agency) -> Mapping[str, object]:
    """Return the example for a channel that has no allotment yet."""
    return {**(ROUTES["allotments.create"].example or {}), "channel": uuid4().hex}


@frozen(kw_only=True)
class Recipe:
    """What there is to know of a route besides what the table says.

    ``refused`` are the codes by which it may refuse what is one's own. ``never`` says that no key gets a success.
    ``is_whole`` routes are for those whose reach is the whole agency. ``is_filter`` says that ids only choose among
    what is in reach, so others choose nothing. ``fresh`` is the kind of object that a success uses up. ``body`` makes the body, where the example is not good twice. ``others`` are further bodies that name ids.
    ``secret`` is the part of an open address that lets in whoever knows it, so nobody guesses at that one.
    """

    refused: frozenset[str] = frozenset()
    never: bool = False
    is_whole: bool = False
    is_filter: bool = False
    fresh: str = ""
    body: Prepared | None = None
    others: tuple[Mapping[str, object], ...] = ()
    secret: str = ""


def recipe(*refused: str, **more: Any) -> Recipe:
    return Recipe(refused=frozenset(refused), **more)


STAY = {"arrival": "2027-06-01", "departure": "2027-06-02", "adults": 1}
WHOLE = recipe(is_whole=True)
NOT_NOW = recipe("illegal_transition", never=True)
NO_SESSION = recipe("illegal_transition", never=True)
RECIPES: Mapping[str, Recipe] = {
    "home.start_page": recipe(),
    "health.alive": recipe(),
    "health.ready": recipe(),
    "docs.openapi": recipe(),
    "docs.reference": recipe(),
    "set_password.set_password": recipe(),
    "set_password.script": recipe(),
    "current_commit.current_commit": recipe(),
    "env_sanity.env_sanity": recipe(),
    "auth.come_in": recipe("log_in_refused", never=True),
    "auth.go_out": NO_SESSION,
    "auth.switch": NO_SESSION,
    "auth.who": recipe(),
    "auth.change": NO_SESSION,
    "auth.ask": recipe(),
    "auth.use": recipe("link_refused", never=True),
    "users.listed": recipe(),
    "users.invite": recipe("invalid_input"),
    "users.show": recipe(),
    "users.change": recipe(),
    "keys.listed": recipe(),
    "keys.make": recipe(),
    "keys.revoke": recipe(),
    "properties.listed": recipe(),
    "properties.create": WHOLE,
    "properties.show": recipe(),
    "properties.change": recipe(),
    "properties.advance": recipe("invalid_input"),
    "unit_types.listed": recipe(),
    "unit_types.create": recipe(body=lambda _world, _agency: {"name": uuid4().hex, "rooms": 1}),
    "unit_types.show": recipe(),
    "unit_types.change": recipe(),
    "unit_types.put_capacity": recipe(
        body=lambda _world, _agency: {"from": "2027-10-01", "rooms": ROOMS + 6}
    ),
    "units.listed": recipe(),
    "units.create": recipe(body=_new_unit),
    "units.show": recipe(),
    "units.rename": recipe(),
    "prices.show": recipe(),
    "prices.put": recipe(body=_with_price_version),
    "exchange_rates.show": recipe(),
    "exchange_rates.put": WHOLE,
    "restrictions.listed": recipe(),
    "restrictions.put": recipe(),
    "availability.occupied": recipe(),
    "availability.search": recipe(),
    "availability.counts": recipe(),
    "blocks.create": recipe("inventory_overlap"),
    "blocks.listed": recipe(),
    "blocks.lift": recipe(fresh="block_id"),
    "holds.create": recipe("inventory_overlap", others=({**STAY, "property_id": PROPERTY, "unit_id": UNIT},)),
    "holds.listed": recipe(),
    "holds.release": recipe(fresh="hold_id"),
    "guests.create": recipe(),
    "guests.listed": recipe(),
    "guests.show": recipe(),
    "guests.change": recipe(),
    "quotes.ask": recipe(),
    "quotes.show": recipe(),
    "quotes.hold": recipe(fresh="quote_id"),
    "bookings.create": recipe(others=({"quote_id": QUOTE, "guest": {"name": "Ada"}},)),
    "bookings.show": recipe(),
    "bookings.change": recipe(others=({"unit_id": UNIT}, {"unit_type_id": UNIT_TYPE})),
    "bookings.listed": recipe(),
    "booking_actions.confirm": NOT_NOW,
    "booking_actions.decline": NOT_NOW,
    "booking_actions.expire": NOT_NOW,
    "booking_actions.cancel": recipe(fresh="booking_id"),
    "booking_actions.check_in": NOT_NOW,
    "booking_actions.undo_check_in": NOT_NOW,
    "booking_actions.check_out": NOT_NOW,
    "booking_actions.undo_check_out": NOT_NOW,
    "booking_actions.no_show": NOT_NOW,
    "booking_actions.reinstate": NOT_NOW,
    "booking_actions.refund": NOT_NOW,
    "booking_actions.assign": recipe("inventory_overlap", fresh="booking_id"),
    "booking_actions.move": recipe("inventory_overlap", "invalid_input", "illegal_transition", never=True),
    "booking_previews.show_stay": recipe("invalid_input", never=True),
    "booking_previews.show_cancellation": recipe(),
    "events.listed": recipe(is_filter=True),
    "features.listed": recipe(),
    "features.put": recipe(),
    "metrics.metrics": recipe(),
    "public.properties": recipe(),
    "public.availability": recipe(),
    "public.rates": recipe(),
    "webhooks.listed": WHOLE,
    "webhooks.add": WHOLE,
    "webhooks.show": WHOLE,
    "webhooks.change": WHOLE,
    "webhooks.remove": evolve(WHOLE, fresh="webhook_id"),
    "webhooks.rotate": WHOLE,
    "webhooks.test": evolve(WHOLE, fresh="webhook_id"),
    "webhooks.deliveries": WHOLE,
    "webhooks.delivery": WHOLE,
    "channel_connections.listed": recipe(),
    "channel_connections.create": recipe("already_connected"),
    "channel_connections.show": recipe(),
    "channel_connections.change": recipe(),
    "channel_connections.replace": recipe(),
    "channel_connections.remove": recipe(fresh="connection_id"),
    "channel_connections.test": recipe(),
    "channel_connections.give_address": recipe(),
    "channel_sync.trigger": recipe(),
    "channel_sync.logs": recipe(),
    "channel_sync.purge_preview": recipe(),
    "channel_sync.purge": recipe(),
    "channel_sync.batches": recipe(),
    "channel_sync.batch": recipe(),
    "channel_mappings.show": recipe(),
    "channel_mappings.put": recipe(),
    "channel_mappings.check": recipe(),
    "allotments.create": recipe(body=_new_allotment),
    "allotments.listed": recipe(),
    "allotments.show": recipe(),
    "allotments.replace": recipe(),
    "allotments.end": recipe(fresh="allotment_id"),
    "availability_sync.sync": recipe(),
    "availability_sync.sync_by_older_name": recipe(),
    "calendars.give": recipe("no_calendar", never=True),
    "calendars.end": recipe(),
    "calendars.show": recipe(secret="calendar_token"),
    "channel_mappings.rooms": recipe(),
    "channel_revisions.listed": recipe(),
    "channel_revisions.try_again": recipe("illegal_transition"),
    "channel_revisions.confirm": recipe(),
    "channel_issues.listed": recipe(),
    "channel_issues.close": recipe(),
    "channel_inbound.receive": recipe("not_found", never=True),
    "webhooks.send_again": evolve(WHOLE, refused=frozenset({"illegal_transition"}), never=True),
}
"""A route that is missing here fails the test: whoever adds one says what is to be tried on it."""

GUARDED = [name for name, route in ROUTES.items() if route.permission is not None and name in RECIPES]
OPEN = [name for name, route in ROUTES.items() if route.permission is None and name in RECIPES]


@frozen
class Asker:
    """Somebody with a key; without one they come as the role that nobody is given a key for."""

    role: Role
    reaches_all: bool

    def __str__(self) -> str:
        return f"{self.role.value}{'' if self.reaches_all else ' of one property'}"


ASKERS = (
    Asker(Role.ADMIN, True),
    Asker(Role.MANAGER, True),
    *(Asker(role, False) for role in Role if role not in {Role.ADMIN, Role.GUEST}),
    Asker(Role.GUEST, True),
)


@pytest.fixture(scope="module")
def world(postgres_database: PostgresDatabase) -> Iterator[World]:
    with two_agencies(postgres_database.app_url, database_pool_size=4) as made:
        yield made


@pytest.fixture(scope="module")
def out_of_reach(world: World, postgres_database: PostgresDatabase) -> Callable[[], Mapping[str, str]]:
    """Return what reads a hash of all rows of the other agency, and of our other property, by table."""

    def read() -> Mapping[str, str]:
        found: dict[str, str] = {}
        with psycopg.connect(postgres_database.admin_url) as connection:
            for table in metadata.sorted_tables:
                if table.name in GLOBAL_TABLES:
                    continue
                theirs = sql.SQL("SELECT t::text FROM {} t WHERE agency_id = {}").format(
                    sql.Identifier(table.name), sql.Literal(world.theirs.agency_id)
                )
                if "property_id" in table.columns:
                    theirs += sql.SQL(" OR property_id = {}").format(
                        sql.Literal(world.ours.far["property_id"])
                    )
                rows = sorted(row for (row,) in connection.execute(theirs))
                found[table.name] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
        return found

    before = read()
    return lambda: {name: hash_ for name, hash_ in read().items() if before[name] != hash_}


def ask(world: World, name: str, asker: Asker, parts: Mapping[str, str], example: Any = None) -> TestResponse:
    """Send a route's example as somebody."""
    if asker.role is not Role.GUEST:
        return world.send(name, parts, world.ours.keys[asker.role, asker.reaches_all], example)
    nobody = Principal(
        agency_id=world.ours.agency_id, actor_id=ActorId(uuid4()), role=Role.GUEST, means=Means.NONE
    )
    return world.send(name, parts, None, example, _as(world, nobody).test_client())


_apps: dict[tuple[int, Role], Any] = {}


def _as(world: World, principal: Principal) -> Any:
    key = (id(world), principal.role)
    if key not in _apps:
        _apps[key] = create_app(evolve(world.here, identify=lambda _: principal))
    return _apps[key]


def moved(parts: Mapping[str, str], names: tuple[str, ...], others: Mapping[str, str]) -> dict[str, str]:
    """Return ``parts`` with those of some names taken from ``others``; the agency's name in an address stays."""
    return {
        name: others[name] if name in names and name != "agency_slug" else id_ for name, id_ in parts.items()
    }


def absent(world: World) -> dict[str, str]:
    """Return ids that nothing has."""
    return {name: str(uuid4()) for name in world.ours.parts("near")}


def shown(answer: TestResponse) -> tuple[object, ...]:
    """Return all that an answer tells, with ids blotted out."""
    headers = {name for name, _ in answer.headers if name != "Content-Length"}
    body = json.loads(answer.data) if answer.data else {}
    body.pop("request_id", None)
    return answer.status_code, frozenset(headers), ANY_ID.sub("id", json.dumps(body, sort_keys=True))


def check_own(name: str, answer: TestResponse) -> bool:
    """Check an answer about what is one's own; return whether it was a success."""
    if answer.status_code in ROUTES[name].replies:
        return answer.status_code < 400
    assert answer.get_json()["error"] in RECIPES[name].refused, f"{answer.status_code}: {answer.text}"
    return False


def check_nothing_told(world: World, asker: Asker, answer: TestResponse) -> None:
    """Check that no id and no text of what is out of reach stands in an answer."""
    hidden = [world.theirs.mark, *world.theirs.parts("near").values(), *world.theirs.far.values()]
    if not asker.reaches_all:
        hidden += world.ours.far.values()
    # Whoever makes a key names properties as they like; what they have named is shown to them.
    text = re.sub(r'"property_ids":\[[^]]*\]', "", answer.text)
    assert [each for each in hidden if each in text] == []


def test_every_route_says_what_is_to_be_tried_on_it():
    assert sorted(set(ROUTES) - set(RECIPES)) == [], "routes without a recipe: add them to RECIPES"
    assert sorted(set(RECIPES) - set(ROUTES)) == [], "recipes of routes that there are no more"


def test_every_id_of_an_address_is_of_something_that_the_two_agencies_have(world: World):
    needed = {each for name in ROUTES for each in slots(name)}
    assert needed - set(world.ours.parts("near")) == set(), "make such an object in two_agencies.MAKING"


@pytest.mark.parametrize("name", GUARDED)
def test_nobody_gets_in_without_a_key_that_holds(world: World, name: str):
    ours = world.ours.parts("near")
    wrong = f"{world.ours.keys[Role.ADMIN, True][:-4]}AAAA"
    unknown = [world.send(name, parts, None) for parts in (ours, world.theirs.parts("near"), absent(world))]
    answers = [*unknown, world.send(name, ours, wrong), world.send(name, ours, "pms_x")]
    for answer in answers:
        problem(answer, 401, "not_authenticated")
    assert len({shown(answer) for answer in answers}) == 1


@pytest.mark.parametrize("name", GUARDED)
def test_each_role_gets_what_the_table_says(world: World, name: str):
    """For one's own, for another property's, for another agency's, and for what is not there."""
    route, known = ROUTES[name], RECIPES[name]
    names = slots(name)
    is_in_place = bool(IN_A_PLACE & set(names))
    successes = 0
    for asker in ASKERS:
        ours = world.ours.parts("near")
        targets: dict[str, Mapping[str, str]] = {"own": ours}
        if is_in_place and not asker.reaches_all:
            targets["other property"] = moved(ours, names, world.ours.parts("far"))
        if names:
            targets["other agency"] = moved(ours, names, world.theirs.parts("near"))
            targets["absent"] = moved(ours, names, absent(world))
        body = None if known.body is None else known.body(world, world.ours)
        is_let_in = permits(asker.role, route.permission) and (asker.reaches_all or not known.is_whole)
        if known.fresh and is_let_in:
            fresh = world.made(known.fresh, world.ours, "near")
            targets["own"] = {**ours, known.fresh: fresh}
        answers = {
            target: ask(world, name, asker, parts, body) for target, parts in reversed(targets.items())
        }
        for target, answer in answers.items():
            said = f"{asker} on {target}: {answer.status_code} {answer.text[:300]}"
            check_nothing_told(world, asker, without_ids_of(answer, targets[target]))
            if not is_let_in:
                assert (answer.status_code, answer.get_json()["error"]) == (403, "permission_denied"), said
            elif target == "own":
                assert answer.status_code != 404, said
                successes += check_own(name, answer)
            else:
                if known.is_filter:
                    assert answer.get_json()["items"] == [], said
                else:
                    assert (answer.status_code, answer.get_json()["error"]) == (404, "not_found"), said
                assert shown(answer) == shown(answers["absent"]), said
        if route.method == "GET" and route.query is not None:
            check_nothing_told(world, asker, without_ids_of(ask(world, name, asker, ours, {}), ours))
    assert known.never or successes, "nobody succeeded"


def without_ids_of(answer: TestResponse, parts: Mapping[str, str]) -> TestResponse:
    """Return the answer without the ids that the request itself has named."""
    text = answer.text
    for each in parts.values():
        text = text.replace(each, "")
    return TestResponse([text.encode()], "200", answer.headers, answer.request)


@pytest.mark.parametrize("name", [name for name in GUARDED if slots(name) or RECIPES[name].others])
def test_one_id_among_good_ones_tells_no_more_than_one_that_is_not_there(world: World, name: str):
    """Each id by itself, in the address or in the body: theirs, our other property's, nobody's: one answer."""
    route, known = ROUTES[name], RECIPES[name]
    is_limited = permits(Role.MANAGER, route.permission) and not known.is_whole
    asker = Asker(Role.MANAGER, False) if is_limited else Asker(Role.ADMIN, True)
    bodies: list[Any] = [None if known.body is None else known.body(world, world.ours), *known.others]
    for body in bodies:
        for slot in slots(name, json.dumps(body)):
            ours = world.ours.parts("near")
            hidden = [world.theirs.parts("near"), world.theirs.parts("far"), absent(world)]
            if is_limited and slot in IN_A_PLACE:
                hidden.append(world.ours.parts("far"))
            answers = [ask(world, name, asker, moved(ours, (slot,), others), body) for others in hidden]
            for answer in answers:
                assert known.is_filter or 400 <= answer.status_code < 500, (
                    f"{slot}: {answer.status_code} {answer.text[:300]}"
                )
            assert len({shown(answer) for answer in answers}) == 1, [answer.text for answer in answers]


@pytest.mark.parametrize("name", OPEN)
def test_what_is_open_is_open_for_anybody_and_shows_one_agency(world: World, name: str):
    ours = world.ours.parts("near")
    names = tuple(each for each in slots(name) if each != RECIPES[name].secret)
    stranger = Asker(Role.GUEST, True)
    for parts in (ours, moved(ours, names, world.ours.parts("far"))):
        answer = world.send(name, parts, None)
        assert check_own(name, answer) or RECIPES[name].never or name == "health.ready"
        check_nothing_told(world, stranger, without_ids_of(answer, parts))
    if set(names) - {"agency_slug"}:
        hidden = [moved(ours, names, each) for each in (world.theirs.parts("near"), absent(world))]
        answers = [world.send(name, parts, None) for parts in hidden]
        for answer in answers:
            problem(answer, 404, "not_found")
        assert shown(answers[0]) == shown(answers[1])
    if "agency_slug" in names:
        problem(world.send(name, {**ours, "agency_slug": "nobody"}, None), 404, "no_such_address")


@pytest.mark.parametrize("asker", [each for each in ASKERS if each.role is not Role.GUEST], ids=str)
def test_figures_are_for_operators(world: World, asker: Asker):
    answer = world.send("metrics.metrics", {}, world.ours.keys[asker.role, asker.reaches_all])
    assert answer.status_code == (200 if permits(asker.role, Permission.OPERATE) else 403)


def test_a_key_opens_one_agency_and_ends_when_it_is_withdrawn(world: World):
    admin = world.ours.keys[Role.ADMIN, True]
    made = world.send("keys.make", {}, admin).get_json()
    assert world.send("properties.listed", {}, made["key"]).status_code == 200
    foreign = world.client.delete(
        address(ROUTES["keys.revoke"], {"key_id": made["id"]}),
        headers={"Authorization": f"Bearer {world.theirs.keys[Role.ADMIN, True]}"},
    )
    problem(foreign, 404, "not_found")
    assert world.send("properties.listed", {}, made["key"]).status_code == 200
    assert world.send("keys.revoke", {"key_id": made["id"]}, admin).status_code == 200
    problem(world.send("properties.listed", {}, made["key"]), 401, "not_authenticated")


def test_a_reach_does_not_name_a_property_of_another_agency(world: World):
    """Neither for a key nor for people; the answer does not tell whether it is somebody else's or nobody's."""
    admin = world.ours.keys[Role.ADMIN, True]
    person = next(iter(world.send("users.listed", {}, admin).get_json()["items"]), None)
    said = set()
    for strange in (world.theirs.near["property_id"], str(uuid4())):
        reach = {"role": "manager", "property_ids": [world.ours.near["property_id"], strange]}
        asked = [
            world.send("keys.make", {}, admin, {"name": "X", **reach}),
            world.send(
                "users.invite", {}, admin, {"name": "X", "email": f"{uuid4().hex}@x.example", **reach}
            ),
        ]
        if person is not None:
            asked.append(world.send("users.change", {"user_id": person["id"]}, admin, reach))
        for answer in asked:
            assert wrong_fields(answer) == {"property_ids": "unknown_property"}
            said.add(answer.get_json()["errors"][0]["message"].replace(strange, "…"))
    assert len(said) == 1


def test_a_key_whose_reach_names_a_property_of_another_agency_all_the_same_opens_nothing(
    world: World, postgres_database: PostgresDatabase
):
    """The wall does not stand on the check of what is asked for."""
    asked = {"name": "X", "role": "manager", "property_ids": [world.ours.near["property_id"]]}
    made = world.send("keys.make", {}, world.ours.keys[Role.ADMIN, True], asked).get_json()
    with psycopg.connect(postgres_database.admin_url) as connection:
        connection.execute(
            "UPDATE api_keys SET property_ids = %s::uuid[] WHERE key_id = %s",
            [[world.theirs.near["property_id"]], made["id"]],
        )
    key = made["key"]
    assert world.send("properties.listed", {}, key).get_json()["items"] == []
    for name in GUARDED:
        if not permits(Role.MANAGER, ROUTES[name].permission) or not IN_A_PLACE & set(slots(name)):
            continue
        for parts in (world.theirs.parts("near"), world.ours.parts("near")):
            answer = world.send(name, parts, key)
            if RECIPES[name].is_filter:
                assert answer.get_json()["items"] == []
            else:
                problem(answer, 404, "not_found")


def test_nothing_that_is_out_of_reach_was_changed(world: World, out_of_reach):
    """Whatever changes something, as everybody, on what is theirs and on our other property."""
    for name in GUARDED:
        if ROUTES[name].method == "GET" or not slots(name):
            continue
        for asker in ASKERS:
            ours = world.ours.parts("near")
            ask(world, name, asker, moved(ours, slots(name), world.theirs.parts("near")))
            if not asker.reaches_all:
                ask(world, name, asker, moved(ours, slots(name), world.ours.parts("far")))
    assert out_of_reach() == {}
    # The positive control: what an admin of theirs does is seen, and what is done in our other property.
    world.made("block_id", world.theirs, "far")
    assert {"unit_nights", "blocks", "events"} <= set(out_of_reach())
