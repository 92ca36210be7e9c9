"""Reading JSON into wire classes: every mistake at once, under its path; and the version in a header."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated

import pytest
from attrs import frozen

from pms_web.field_errors import FieldsError
from pms_web.structuring import structured, structured_query, unstructured
from pms_web.wire import ByMember, Entries, Longest, Within, instead, rule
from pmscore.dates.nights import StayRange
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.money import Money
from web.conftest import Web, problem, wrong_fields


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
