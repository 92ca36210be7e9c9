"""A stay is changed over HTTP at the prices of the house: what was agreed stays, and a price that has moved is refused.

Prices are those of ``price_list``: a double is 100.00, on Fridays and Saturdays 120.00. Day 2 is a Wednesday.
"""

from __future__ import annotations

import pytest

from adapters.conftest import PostgresDatabase
from pms_adapters.postgres.verify import verify
from web.api.price_list import booking_of, kept, reprice
from web.conftest import Web, day, problem, web_on, wrong_fields

pytestmark = pytest.mark.postgres


def money(text: str) -> dict[str, str]:
    return {"amount": text, "currency": "EUR"}


@pytest.fixture(scope="module")
def priced(web: Web) -> Web:
    reprice(web)
    return web


def booked(web: Web, arrival: int, nights: int, **changes: object) -> str:
    """Book a kept quote and return the id of the booking."""
    answer = web.post(booking_of(kept(web, arrival, nights, **changes)))
    assert answer.status_code == 201, answer.text
    return answer.get_json()["id"]


def nightly(body: dict[str, object]) -> list[list[str]]:
    return [[each["amount"] for each in room["nightly"]] for room in body["rooms"]]


def test_the_change_has_the_amounts_of_the_preview(priced: Web) -> None:
    key = booked(priced, 16, 2)
    shown = priced.client.post(f"/api/v1/bookings/{key}/preview-stay", json={"departure": day(19)}).get_json()
    body = {
        "departure": day(19),
        "reprice": "agreed",
        "expected_total": shown["total_after"],
        "version": shown["version"],
        "notes": "One night more.",
    }
    answer = priced.patch(key, body)
    assert answer.status_code == 200, answer.text
    changed = answer.get_json()
    assert (changed["arrival"], changed["departure"], changed["version"]) == (day(16), day(19), 2)
    assert nightly(changed) == [["100.00", "100.00", "120.00"]]
    assert changed["total"] == shown["total_after"]
    assert changed["notes"] == "One night more."
    assert priced.client.get(f"/api/v1/bookings/{key}").get_json() == changed


def test_every_room_of_the_booking_gets_the_stay(priced: Web) -> None:
    key = booked(priced, 23, 2, adults=None, parties=[{"adults": 2}, {"adults": 1}])
    changed = priced.patch(key, {"arrival": day(24), "departure": day(26), "reprice": "agreed"}).get_json()
    assert nightly(changed) == [["100.00", "120.00"]] * 2


def test_a_price_that_has_moved_is_refused_with_both_totals(
    fresh_postgres_database: PostgresDatabase,
) -> None:
    for web in web_on(fresh_postgres_database.app_url):
        reprice(web)
        key = booked(web, 9, 2)
        before = web.client.get(f"/api/v1/bookings/{key}").get_json()
        plans = web.client.get(f"/api/v1/properties/{before['property_id']}/prices").get_json()["plans"]
        plans[0]["prices"][web.types["Double"]]["default"] = dict.fromkeys(
            ("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "130.00"
        )
        reprice(web, plans=plans)
        body = {"departure": day(12), "reprice": "agreed", "expected_total": money("320.00")}
        said = problem(web.patch(key, body), 409, "price_changed")
        assert (said["old_total"], said["new_total"]) == (money("320.00"), money("330.00"))
        assert said["detail"].startswith("The price has moved since you looked")
        assert web.client.get(f"/api/v1/bookings/{key}").get_json() == before
        # The agreed nights stay as agreed; with all priced anew they do not.
        assert nightly(web.patch(key, {"departure": day(12), "reprice": "agreed"}).get_json()) == [
            ["100.00", "100.00", "130.00"]
        ]
        assert nightly(web.patch(key, {"reprice": "current"}).get_json()) == [["130.00", "130.00", "130.00"]]
    assert verify(fresh_postgres_database.admin_url) == ()


def test_taken_nights_are_refused_and_nothing_is_changed(priced: Web) -> None:
    key = booked(priced, 32, 1)
    for _ in range(3):
        priced.book(33, 1)
    said = problem(priced.patch(key, {"departure": day(34), "reprice": "agreed"}), 409, "inventory_overlap")
    assert [each["night"] for each in said["nights"]] == [day(33)]
    assert priced.client.get(f"/api/v1/bookings/{key}").get_json()["departure"] == day(33)


def test_another_version_is_refused(priced: Web) -> None:
    key = booked(priced, 37, 1)
    body = {"departure": day(39), "reprice": "agreed", "version": 7}
    problem(priced.patch(key, body), 409, "stale_version")


@pytest.fixture(scope="module")
def one_night(priced: Web) -> str:
    return booked(priced, 40, 1)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"reprice": "cheapest"}, {"reprice": "unknown_value"}),
        ({"reprice": True}, {"reprice": "not_text"}),
        ({"reprice": "agreed", "departure": day(40)}, {"departure": "not_after_arrival"}),
        ({"reprice": "agreed", "rate": money("1.00")}, {"rate": "one_of_two"}),
        ({"reprice": "agreed", "nightly": []}, {"nightly": "one_of_two"}),
        ({"reprice": "agreed", "rooms": [{}]}, {"rooms": "one_of_two"}),
        (
            {"reprice": "agreed", "adults": 1, "children": 1},
            {"adults": "one_of_two", "children": "one_of_two"},
        ),
        ({"reprice": "agreed", "expected_total": "1.00"}, {"expected_total": "not_money"}),
        (
            {"reprice": "agreed", "expected_total": {"amount": "100", "currency": "JPY"}},
            {"expected_total": "mixed_currencies"},
        ),
        ({"departure": day(42), "expected_total": money("1.00")}, {"expected_total": "only_with_reprice"}),
        ({"reprice": "agreed", "status": "cancelled"}, {"reprice": "unknown_field"}),
    ],
)
def test_a_bad_change_is_refused_by_field(
    priced: Web, one_night: str, body: dict[str, object], expected: dict[str, str]
) -> None:
    before = priced.client.get(f"/api/v1/bookings/{one_night}").get_json()
    assert wrong_fields(priced.patch(one_night, body)) == expected
    assert priced.client.get(f"/api/v1/bookings/{one_night}").get_json() == before


def test_a_booking_that_was_made_without_a_quote_says_what_to_do(priced: Web) -> None:
    answer = priced.patch(priced.book(44, 1), {"departure": day(46), "reprice": "current"})
    assert wrong_fields(answer) == {"booking_id": "made_without_quote"}
    assert "give the amount of each night" in answer.get_json()["errors"][0]["message"]
