"""Hand-made values at and beyond the edges, put into every member of every body.

The client compares each answer with the description of the app, so a status or a body that nobody described fails too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from adapters.conftest import PostgresDatabase
from pms_web.routing import Route
from web.tried_routes import ROUTES, TriedHouse, tried_house

pytestmark = pytest.mark.postgres

DATES = (
    "0001-01-01",
    "9999-12-31",
    "2027-02-29",
    "2028-02-30",
    "2027-13-01",
    "2027-3-1",
    "\u0662\u0660\u0662\u0667-\u0660\u0663-\u0660\u0661",
)
INSTANTS = (
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-12:00",
    "2027-03-28T01:30:00",
    "2027-03-28T24:00:00Z",
)
TEXTS = (
    "\x00", "a\x00b", "\ud800", "\udfff\ud800", "\u202egnirts", "😀" * 40, "e\u0301" * 300, "x" * 10_001, " ", "\u200b",
    "NaN", "-0", "1e309", "\uff11\uff12", "0x10", "../../etc/passwd", "'; DROP TABLE bookings; --", "{{7*7}}", "<script>",
)  # fmt: skip
NUMBERS = (-1, 0, 2**31, 2**63, 10**30, -(10**30), True, False)
OTHERS = (
    None,
    [],
    {},
    [[]],
    [None],
    {"": ""},
    {"amount": "1.00"},
    ["x"] * 500,
    [{"a": [{"b": [{"c": [{}]}]}]}],
)
VALUES = (*DATES, *INSTANTS, *TEXTS, *NUMBERS, *OTHERS)

NOT_YOURS = (
    "id",
    "agency_id",
    "actor_id",
    "role_id",
    "is_admin",
    "created_at",
    "is_oversold",
    "__proto__",
    "constructor",
)
"""Members that somebody might try to set along the way."""

WITH_BODY = [
    route for route in ROUTES.values() if route.body is not None and not route.name.startswith("auth.")
]


@pytest.fixture(scope="module")
def house(postgres_database: PostgresDatabase) -> Iterator[TriedHouse]:
    with tried_house(postgres_database.app_url) as made:
        yield made


def _places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield where in an example there is a value."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield (*path, name)
            yield from _places(each, (*path, name))
    elif isinstance(value, list):
        for at, each in enumerate(value):
            yield (*path, at)
            yield from _places(each, (*path, at))


def _with(body: Any, path: tuple[str | int, ...], value: Any) -> Any:
    changed = json.loads(json.dumps(body))
    inner = changed
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = value
    return changed


def _bodies(route: Route) -> list[dict[str, Any]]:
    """Return the example of a route with each value in each place; a part of them where there are many."""
    example = json.loads(json.dumps(dict(route.example or {})))
    found = [_with(example, place, value) for place in _places(example) for value in VALUES]
    return found[:: 1 + len(found) // 60]


def test_there_are_more_than_five_hundred():
    assert sum(len(_bodies(route)) for route in WITH_BODY) > 500


@pytest.mark.parametrize("route", WITH_BODY, ids=lambda route: route.name)
def test_no_body_gets_an_answer_that_is_not_described(house: TriedHouse, route: Route):
    for body in _bodies(route):
        answer = house.send(route, body)
        assert answer.status_code < 500, (body, answer.text)


@pytest.mark.parametrize("route", [each for each in WITH_BODY if each.example], ids=lambda route: route.name)
def test_members_that_are_not_offered_cannot_be_set(house: TriedHouse, route: Route):
    known = dict(route.example or {})
    for name in NOT_YOURS:
        if name in known:
            continue
        answer = house.send(route, {**known, name: "00000000-0000-4000-8000-000000000000"})
        assert answer.status_code == 422, (name, answer.text)
        assert name in json.dumps(answer.get_json()["errors"]), answer.text


@pytest.mark.parametrize("route", WITH_BODY, ids=lambda route: route.name)
def test_deep_and_double_bodies_are_refused_before_they_are_read(house: TriedHouse, route: Route):
    path = house.filled(route.path)
    for name in [*house.ids]:
        path = path.replace(f"<{name}>", house.ids[name])
    for sent, code in (
        (b'{"a":' * 13 + b"1" + b"}" * 13, "too_deep"),
        (b'{"a":1,"a":2}', "member_twice"),
        (b'{"a":1.5}', "fraction"),
        (b'{"a":' + b"9" * 41 + b"}", "number_too_long"),
        (b"\xff", "not_utf8"),
        (b"[]", "not_an_object"),
    ):
        headers = {"Content-Type": "application/json", "Idempotency-Key": "hostile"}
        answer = house.client().open(path, method=route.method, data=sent, headers=headers)
        assert answer.status_code == 422, answer.text
        assert [each["code"] for each in answer.get_json()["errors"]] == [code]
