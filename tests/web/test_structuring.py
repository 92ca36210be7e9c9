"""Reading JSON into wire classes: every mistake at once, under its path; and the version in a header."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import Annotated
from uuid import uuid4

import pytest
from attrs import frozen

from adapters.conftest import PostgresDatabase
from pms_adapters.crypto.box import new_key
from pms_web.described import every_route
from pms_web.field_errors import FieldsError
from pms_web.structuring import structured, structured_query, unstructured
from pms_web.wire import ByMember, Entries, Longest, Within, instead, rule
from pmscore.dates.nights import StayRange
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.money import Money
from pmscore.kernel.secrets import Secret
from web.conftest import Web, day, problem, web_on, wrong_fields


class Meal(StrEnum):
    NONE = "none"
    HALF = "half"


@frozen(kw_only=True)
class Guest:
    name: Annotated[str, Longest(5)]
    age: int | None = None


@instead("guests", "guest")
@frozen(kw_only=True)
class Stay:
    arrival: date
    departure: date
    unit: str | None
    meal: Meal = Meal.NONE
    guests: Annotated[tuple[Guest, ...], Entries(3, least=1)] = (Guest(name="Ada"),)
    rooms: Annotated[int, Within(1, 9)] = 1
    rate: Money | None = None
    from_: date | None = None

    @rule
    def stay(self) -> StayRange:
        return StayRange(self.arrival, self.departure)

    @rule
    def has_room(self) -> None:
        if len(self.guests) > self.rooms:
            raise InvalidInputError("guests", "too_many", most=self.rooms)


RIGHT = {"arrival": "2027-03-01", "departure": "2027-03-03", "unit": None}


def mistakes(**changes: object) -> dict[str, str]:
    with pytest.raises(FieldsError) as refused:
        structured({**RIGHT, **changes}, Stay)
    return {each.field: each.code for each in refused.value.errors}


def test_what_is_right_is_read_and_can_be_written_again():
    body = {**RIGHT, "meal": "half", "rate": {"amount": "1.50", "currency": "EUR"}, "from": "2027-03-02"}
    stay = structured(body, Stay)
    assert stay.stay().length == 2
    assert (stay.meal, stay.from_, stay.rate.minor) == (Meal.HALF, date(2027, 3, 2), 150)
    assert unstructured(stay) == body


def test_null_is_left_out_unless_the_member_has_to_be_there():
    assert structured({**RIGHT, "meal": None, "rate": None, "guests": None}, Stay) == structured(RIGHT, Stay)
    assert {each.field: each.code for each in _refused({})} == {
        "arrival": "required",
        "departure": "required",
        "unit": "required",
    }


def _refused(body: dict[str, object]):
    with pytest.raises(FieldsError) as refused:
        structured(body, Stay)
    return refused.value.errors


def test_rules_run_beside_other_mistakes_and_never_on_what_is_wrong_itself():
    assert mistakes(departure="2027-02-01", rooms=0) == {
        "departure": "not_after_arrival",
        "rooms": "out_of_range",
    }
    assert mistakes(arrival="x", guests=[{"name": "A"}, {"name": "B"}]) == {
        "arrival": "not_iso_date",
        "guests": "too_many",
    }


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"guests": [{"name": "Ada"}, {"name": "Lovelace", "x": 1}]},
         {"guests[1].name": "too_long", "guests[1].x": "unknown_field"}),
        ({"guests": [1, None]}, {"guests[0]": "not_an_object", "guests[1]": "not_an_object"}),
        ({"guests": []}, {"guests": "empty"}),
        ({"guests": [{}] * 4}, {"guests": "too_many"}),
        ({"guests": {"name": "Ada"}}, {"guests": "not_a_list"}),
        ({"guest": {}}, {"guest": "one_of_two"}),
        ({"rooms": True}, {"rooms": "not_a_number"}),
        ({"rooms": "1"}, {"rooms": "not_a_number"}),
        ({"rate": {"amount": "1.5", "currency": "EUR", "x": 1}}, {"rate.x": "unknown_field"}),
        ({"rate": "1.50 EUR"}, {"rate": "not_money"}),
        ({"meal": "full"}, {"meal": "unknown_value"}),
        ({"from_": "2027-03-02"}, {"from_": "unknown_field"}),
        ({"x": None}, {"x": "unknown_field"}),
        ({"\ud800" * 70: 1}, {("\\ud800" * 64): "unknown_field"}),
    ],
)  # fmt: skip
def test_every_mistake_has_its_path(changes: dict[str, object], expected: dict[str, str]):
    assert mistakes(**changes) == expected


def test_a_rule_that_breaks_is_a_fault_of_the_program():
    @frozen
    class Broken:
        name: str

        @rule
        def breaks(self) -> None:
            raise ValueError(self.name)

    with pytest.raises(ValueError, match="Ada"):
        structured({"name": "Ada"}, Broken)


def test_a_member_says_which_shape_a_body_has():
    shapes = Annotated[Guest | Stay, ByMember({"name": Guest}, otherwise=Stay)]
    assert isinstance(structured({"name": "Ada"}, shapes), Guest)
    assert isinstance(structured(RIGHT, shapes), Stay)


@frozen(kw_only=True)
class Query:
    ages: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    keep: bool = False
    limit: int | None = None


def test_a_query_is_text_that_becomes_what_its_members_are():
    given = [("ages", ["1,2", "3"]), ("names", ["a,b"]), ("keep", ["true"]), ("limit", ["7"])]
    assert structured_query(given, Query) == Query(ages=(1, 2, 3), names=("a", "b"), keep=True, limit=7)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([("limit", ["1", "2"])], ("limit", "repeated")),
        ([("limit", [""])], ("limit", "not_a_number")),
        ([("limit", ["1_000"])], ("limit", "not_a_number")),
        ([("keep", ["yes"])], ("keep", "not_a_switch")),
        ([("ages", ["1,x"])], ("ages[1]", "not_a_number")),
        ([("colour", ["red"])], ("colour", "unknown_field")),
    ],
)
def test_a_query_that_cannot_be_is_refused(given: list[tuple[str, list[str]]], expected: tuple[str, str]):
    with pytest.raises(FieldsError) as refused:
        structured_query(given, Query)
    assert [(each.field, each.code) for each in refused.value.errors] == [expected]


@pytest.mark.postgres
class TestIfMatch:
    def _change(self, web: Web, key: str, tag: str, **more: object):
        body = {"notes": "Late.", **more}
        return web.client.patch(f"/api/v1/bookings/{key}", json=body, headers={"If-Match": tag})

    def test_it_says_the_same_as_the_version_of_the_body(self, web: Web):
        key = web.book(250, 1)
        tag = web.client.get(f"/api/v1/bookings/{key}").headers["ETag"]
        assert self._change(web, key, tag).headers["ETag"] == '"2"'
        problem(self._change(web, key, tag), 409, "stale_version")
        assert self._change(web, key, '"2"', version=2).status_code == 200
        assert self._change(web, key, "*").status_code == 200

    @pytest.mark.parametrize(
        ("tag", "more", "code"),
        [("3", {}, "not_a_version"), ('W/"1"', {}, "not_a_version"), ('"1"', {"version": 2}, "one_of_two")],
    )
    def test_what_cannot_be_is_refused(self, web: Web, tag: str, more: dict[str, object], code: str):
        key = web.book(260, 1)
        assert wrong_fields(self._change(web, key, tag, **more)) == {"If-Match": code}
        web.patch(key, {"status": "cancelled"})

    @pytest.mark.parametrize("kind", ["hold", "block", "webhook"])
    def test_what_is_taken_away_is_what_was_seen(self, hooked_web: Web, kind: str):
        where, version = MADE[kind](hooked_web)
        client = hooked_web.client
        for tag in ("1", "x", 'W/"1"'):
            refused = client.delete(where, headers={"If-Match": tag})
            assert wrong_fields(refused) == {"If-Match": "not_a_version"}
        other = client.delete(where, headers={"If-Match": f'"{version + 1}"'})
        problem(other, 409, "stale_version")
        assert client.delete(where, headers={"If-Match": f'"{version}"'}).status_code in {200, 204}

    @pytest.mark.parametrize("kind", ["hold", "block", "webhook"])
    @pytest.mark.parametrize("headers", [{}, {"If-Match": "*"}, {"If-Match": ""}], ids=str)
    def test_whoever_has_seen_nothing_may_take_it_away(
        self, hooked_web: Web, kind: str, headers: dict[str, str]
    ):
        where, _ = MADE[kind](hooked_web)
        assert hooked_web.client.delete(where, headers=headers).status_code in {200, 204}

    def test_a_webhook_that_was_changed_since_stays(self, hooked_web: Web):
        where, version = MADE["webhook"](hooked_web)
        client = hooked_web.client
        assert client.patch(where, json={"status": "paused"}).status_code == 200
        problem(client.delete(where, headers={"If-Match": f'"{version}"'}), 409, "stale_version")
        tag = client.get(where).headers["ETag"]
        assert client.delete(where, headers={"If-Match": tag}).status_code == 204

    def test_whatever_is_taken_away_and_has_a_version_is_taken_away_by_it(self):
        """A key has none over HTTP: it is withdrawn once, and withdrawing it again changes nothing."""
        without = {each.name for each in every_route() if each.method == "DELETE" and not each.is_versioned}
        assert without == {"keys.revoke"}


def _made(web: Web, where: str, body: dict[str, object]) -> tuple[str, int]:
    answer = web.client.post(where, json=body, headers={"Idempotency-Key": str(uuid4())})
    assert answer.status_code == 201, answer.text
    return f"{where}/{answer.get_json()['id']}", answer.get_json()["version"]


def _hold(web: Web) -> tuple[str, int]:
    return _made(
        web,
        "/api/v1/holds",
        {
            "property_id": str(web.hotel.property.property_id),
            "unit_type_id": web.types["Double"],
            "arrival": day(270),
            "departure": day(271),
            "expires_at": f"{day(0)}T18:00:00Z",
        },
    )


def _block(web: Web) -> tuple[str, int]:
    return _made(
        web,
        "/api/v1/availability/blocks",
        {
            "property_id": str(web.hotel.property.property_id),
            "unit_id": web.units["101"],
            "from": day(280),
            "to": day(281),
        },
    )


def _webhook(web: Web) -> tuple[str, int]:
    return _made(web, "/api/v1/webhooks", {"url": "https://hooks.example.com/pms", "kinds": ["*"]})


MADE = {"hold": _hold, "block": _block, "webhook": _webhook}


@pytest.fixture(scope="module")
def hooked_web(postgres_database: PostgresDatabase) -> Iterator[Web]:
    """Yield the app with a key to seal the secrets of webhooks."""
    yield from web_on(postgres_database.app_url, encryption_key=Secret(new_key()))
