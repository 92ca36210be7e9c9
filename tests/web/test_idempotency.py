"""Whatever is sent under a key has one effect, however often it is sent, by however many at once, whatever is lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest

from adapters.conftest import PostgresDatabase
from pms_adapters.postgres.transaction import PostgresWork
from pmscore.access.model.permissions import Role
from web.conftest import problem
from web.cutting import Wire, wired
from web.repeating import (
    ASKED,
    BEFORE,
    CREATING,
    KEYED,
    WITH_SECRET,
    Desk,
    command_for,
    commands,
    repeated,
    statuses,
    wrong,
)
from web.two_agencies import ROUTES, day, stay_of, two_agencies

pytestmark = [pytest.mark.postgres, pytest.mark.fault]


@contextmanager
def opened(database: PostgresDatabase) -> Iterator[tuple[Desk, Wire]]:
    with (
        wired(database.app_url) as wire,
        two_agencies(wire.url, database_pool_size=8, lock_timeout_ms=300) as world,
    ):
        yield Desk.open(world), wire


@pytest.fixture(scope="module")
def shared(postgres_database: PostgresDatabase) -> Iterator[tuple[Desk, Wire]]:
    with opened(postgres_database) as made:
        yield made


@pytest.fixture
def desk(shared) -> Desk:
    return shared[0]


def test_every_route_that_heeds_a_key_is_tried():
    assert set(KEYED) == {*CREATING, *BEFORE, "holds.create", "quotes.hold"}, (
        "say in repeating how a command is made for it"
    )


@pytest.mark.parametrize(
    "number", [120, pytest.param(2_000, marks=pytest.mark.nightly)], ids=lambda number: f"{number}"
)
def test_one_key_has_one_effect_and_one_reply(fresh_postgres_database: PostgresDatabase, number: int):
    """Sent one to six times, a third in parallel, a tenth with another body, and answers are lost after the commit."""
    with opened(fresh_postgres_database) as (desk, wire):
        wanted = commands(desk, number, seed=1, cuts=True)
        desk.world.clock.advance(timedelta(hours=2))
        outcomes = repeated(desk, wanted)
        assert wrong(outcomes, fresh_postgres_database.admin_url) == {}
    seen = statuses(outcomes)
    assert {each.command.name for each in outcomes} == set(KEYED)
    assert wire.commits > number / 4, "answers to commits were lost"
    assert seen[503, "service_unavailable"] > 0, "and some callers were told that nobody knows"
    assert seen[422, "idempotency_key_reused"] >= number / 10


def test_without_the_row_of_the_key_things_are_done_twice(fresh_postgres_database, monkeypatch):
    """Positive control: an app that forgets keys."""

    def commit_once(work: PostgresWork, reply):
        work.commit()
        return reply

    with opened(fresh_postgres_database) as (desk, _):
        wanted = commands(desk, 2 * len(KEYED), seed=1, cuts=False)
        desk.world.clock.advance(timedelta(hours=2))
        monkeypatch.setattr(PostgresWork, "commit_once", commit_once)
        monkeypatch.setattr(PostgresWork, "find_reply", lambda _: None)
        found = wrong(repeated(desk, wanted), fresh_postgres_database.admin_url)
    assert {"2 effects", "keys", "replies"} <= set(found)


UNKEYED = {
    "guests.create": ({"name": "{}"}, "SELECT count(*) FROM guests WHERE name = %s"),
    "keys.make": ({"name": "{}", "role": "staff"}, "SELECT count(*) FROM api_keys WHERE name = %s"),
    "webhooks.add": (
        {"url": "https://hooks.example.com/{}", "kinds": ["*"]},
        "SELECT count(*) FROM webhook_endpoints WHERE url LIKE '%%' || %s",
    ),
    "users.invite": (
        {"email": "{}@example.com", "name": "Jo", "role": "staff"},
        "SELECT count(*) FROM users WHERE email LIKE %s || '%%'",
    ),
}


@pytest.mark.parametrize("name", UNKEYED)
def test_what_has_no_key_is_not_tried_again_where_nobody_knows_what_became_of_it(
    shared, postgres_database, name
):
    """The answer to the commit is lost; to try again would be to do it twice."""
    (desk, wire), mark = shared, f"cut1-{uuid4().hex}"
    body, effects = UNKEYED[name]
    sent = {member: value.format(mark) if isinstance(value, str) else value for member, value in body.items()}
    answer = desk.send(name, {}, sent, "")
    assert wire.cuts[mark.encode()] == 1
    unknown = problem(answer, 503, "service_unavailable")
    assert unknown["retry_count"] == 0
    with psycopg.connect(postgres_database.admin_url) as connection:
        assert connection.execute(effects, [mark]).fetchone() == (1,)


@pytest.mark.parametrize("name", sorted(WITH_SECRET))
def test_a_secret_is_told_once_and_stands_nowhere_beside_its_key(desk, postgres_database, name):
    """A repetition says what was made, and that its secret was told before: null."""
    command = command_for(desk, name, 1, 0)
    first, again = (desk.send(name, {}, command.body, command.key) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    (member,) = {"key", "secret"} & first.get_json().keys()
    secret = first.get_json()[member]
    assert again.get_json() == {**first.get_json(), member: None}
    assert first.headers.get("Location") == again.headers.get("Location")
    assert keys_kept(postgres_database, command.key) == 1
    with psycopg.connect(postgres_database.admin_url) as connection:
        kept = connection.execute(
            "SELECT k::text FROM idempotency_keys k WHERE key = %s", [command.key]
        ).fetchone()
    assert secret not in kept[0]
    assert secret.rpartition("_")[2] not in kept[0]


def test_somebody_who_is_invited_twice_under_one_key_gets_one_letter(desk):
    posted = desk.world.here.access.mail.post
    command = command_for(desk, "users.invite", 1, 0)
    answers = [desk.send(command.name, {}, command.body, command.key) for _ in range(3)]
    desk.world.here.access.background.wait()
    assert [each.status_code for each in answers] == [201] * 3
    assert len({each.data for each in answers}) == 1
    assert posted.addresses.count(command.body["email"]) == 1


@pytest.mark.parametrize("name", UNKEYED)
def test_without_a_key_everything_is_done_as_often_as_it_is_asked_for(desk, name):
    """The key is optional here: a second guest of the same name is another guest, an invitation is taken."""
    body, _ = UNKEYED[name]
    mark = uuid4().hex
    sent = {member: value.format(mark) if isinstance(value, str) else value for member, value in body.items()}
    first, second = (desk.send(name, {}, sent, "") for _ in range(2))
    assert first.status_code == 201
    if name == "users.invite":
        problem(second, 422, "invalid_input")
    else:
        assert second.get_json()["id"] != first.get_json()["id"]


def keys_kept(database: PostgresDatabase, key: str) -> int:
    with psycopg.connect(database.admin_url) as connection:
        ((found,),) = connection.execute("SELECT count(*) FROM idempotency_keys WHERE key = %s", [key])
        return found


def test_a_twin_of_what_is_still_going_on_is_told_so_and_gets_the_reply_later(desk, postgres_database):
    command = command_for(desk, "blocks.create", 1, 0)
    with psycopg.connect(postgres_database.admin_url) as connection:
        # The first one has written its key and does not come to an end.
        sent = desk.send("blocks.create", {}, command_for(desk, "blocks.create", 2, 0).body, uuid4().hex)
        assert sent.status_code == 201
        connection.execute(
            "INSERT INTO idempotency_keys (agency_id, actor_id, route, key, fingerprint, reply, created_at)"
            " SELECT agency_id, actor_id, route, %s, '', reply, created_at FROM idempotency_keys"
            " WHERE route LIKE %s AND agency_id = %s LIMIT 1",
            [command.key, "%/blocks", desk.world.ours.agency_id],
        )
        twin = desk.send(command.name, {}, command.body, command.key)
        problem(twin, 409, "request_in_progress")
        connection.rollback()
    done = desk.send(command.name, {}, command.body, command.key)
    assert done.status_code == 201
    assert keys_kept(postgres_database, command.key) == 1


@pytest.mark.parametrize(
    ("number", "change", "status", "code"),
    [
        (51, {}, 409, "inventory_overlap"),
        (52, {"to": day(900)}, 422, "invalid_input"),
        (53, {"x": 1}, 422, "invalid_input"),
    ],
)
def test_a_refusal_is_not_kept_and_the_key_is_good_for_what_can_be_done(
    desk, postgres_database, number, change, status, code
):
    taken = command_for(desk, "blocks.create", number, 0)
    lifted = desk.send(taken.name, {}, taken.body, uuid4().hex).get_json()["id"]
    for _ in range(2):
        problem(desk.send(taken.name, {}, {**taken.body, **change}, taken.key), status, code)
    assert keys_kept(postgres_database, taken.key) == 0
    headers = {"Authorization": f"Bearer {desk.world.ours.keys[Role.ADMIN, True]}"}
    assert (
        desk.world.client.delete(f"/api/v1/availability/blocks/{lifted}", headers=headers).status_code == 204
    )
    assert desk.send(taken.name, {}, taken.body, taken.key).status_code == 201
    assert keys_kept(postgres_database, taken.key) == 1


@pytest.mark.parametrize("name", ASKED)
def test_a_key_is_asked_for(desk, name):
    route = ROUTES[name]
    answer = desk.world.client.open(
        route.path.replace("<", "").replace(">", ""),
        method="POST",
        json=dict(route.example or {}),
        headers={"Authorization": f"Bearer {desk.world.ours.keys[Role.ADMIN, True]}"},
    )
    fields = {each["field"]: each["code"] for each in problem(answer, 422, "invalid_input")["errors"]}
    assert fields == {"Idempotency-Key": "required"}


def test_a_key_belongs_to_one_agency_one_actor_and_one_route(desk, postgres_database):
    world, key = desk.world, uuid4().hex
    ours, theirs = world.ours.keys[Role.ADMIN, True], world.theirs.keys[Role.ADMIN, True]
    near, foreign = world.ours.near, world.theirs.near
    asked = [
        (ours, "/api/v1/bookings", stay_of(near, 400, 1, "a")),
        (world.ours.keys[Role.MANAGER, True], "/api/v1/bookings", stay_of(near, 400, 1, "b")),
        (theirs, "/api/v1/bookings", stay_of(foreign, 400, 1, "c")),
        (ours, "/api/v1/holds", {**_hold_of(near)}),
    ]
    made = set()
    for _ in range(2):
        for shown, where, body in asked:
            headers = {"Authorization": f"Bearer {shown}", "Idempotency-Key": key}
            answer = world.client.post(where, json=body, headers=headers)
            assert answer.status_code == 201, answer.text
            made.add(answer.get_json()["id"])
    assert len(made) == len(asked)
    assert keys_kept(postgres_database, key) == len(asked)


def _hold_of(parts):
    return {
        **{name: parts[name] for name in ("property_id", "unit_type_id")},
        "arrival": day(400),
        "departure": day(401),
        "expires_at": "2027-03-20T12:00:00Z",
    }
