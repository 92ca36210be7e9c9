"""What another stay or a cancellation would cost is shown over HTTP, and looking writes nothing.

Prices are those of ``price_list``: a double is 100.00, on Fridays and Saturdays 120.00; cleaning is 25.00 a stay, city
tax 2.00 an adult and night. From two days before the arrival, half of the nights is owed. Day 2 is a Wednesday.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import psycopg
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


def ask_stay(web: Web, booking_id: str, **body: object):
    return web.client.post(f"/api/v1/bookings/{booking_id}/preview-stay", json=body)


def ask_end(web: Web, booking_id: str, **body: object):
    return web.client.post(f"/api/v1/bookings/{booking_id}/preview-cancellation", json=body)


def read(web: Web, booking_id: str) -> dict[str, object]:
    return web.client.get(f"/api/v1/bookings/{booking_id}").get_json()


@pytest.fixture(scope="module")
def three_nights(priced: Web) -> str:
    return booked(priced, 64, 3)


@pytest.fixture(scope="module")
def plain(priced: Web) -> str:
    return priced.book(9, 1)


class TestStay:
    def test_agreed_nights_stay_and_new_ones_are_priced(self, priced: Web) -> None:
        key = booked(priced, 16, 2)  # Wednesday and Thursday, 100.00 each
        answer = ask_stay(priced, key, departure=day(19))
        assert answer.status_code == 200, answer.text
        assert answer.get_json() == {
            "booking_id": key,
            "version": 1,
            "arrival": day(16),
            "departure": day(19),
            "basis": "agreed",
            "total_before": money("200.00"),
            "total_after": money("320.00"),
            "difference": money("120.00"),
            "rooms": [
                {
                    "room_id": read(priced, key)["rooms"][0]["room_id"],
                    "nightly": [money("100.00"), money("100.00"), money("120.00")],
                    "added": [{"night": day(18), "amount": money("120.00")}],
                    "dropped": [],
                    "changed": [],
                    "difference": money("120.00"),
                }
            ],
        }

    def test_a_shorter_stay_costs_less(self, priced: Web) -> None:
        shown = ask_stay(priced, booked(priced, 23, 2), arrival=day(24)).get_json()
        assert shown["difference"] == money("-100.00")
        assert shown["rooms"][0]["dropped"] == [{"night": day(23), "amount": money("100.00")}]

    def test_a_booking_without_a_quote_cannot_be_priced(self, priced: Web) -> None:
        answer = ask_stay(priced, priced.book(30, 1), departure=day(33))
        assert wrong_fields(answer) == {"booking_id": "made_without_quote"}
        assert "give the amount of each night" in answer.get_json()["errors"][0]["message"]

    def test_what_has_ended_is_not_changed(self, priced: Web) -> None:
        key = booked(priced, 32, 1)
        priced.patch(key, {"status": "cancelled"})
        said = problem(ask_stay(priced, key, departure=day(34)), 409, "illegal_transition")
        assert said["detail"] == "This cannot be changed, because its status is cancelled."

    def test_a_stay_without_a_price_is_refused_with_its_nights(self, priced: Web) -> None:
        assert wrong_fields(
            ask_stay(priced, booked(priced, 33, 1), arrival=day(3_000), departure=day(3_001))
        ) == {"stay": "outside_of_tables"}

    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            ({"arrival": "x"}, {"arrival": "not_iso_date"}),
            ({"departure": day(9)}, {"departure": "not_after_arrival"}),
            ({"basis": "cheapest"}, {"basis": "unknown_value"}),
            ({"basis": 1}, {"basis": "not_text"}),
            ({"colour": "red", "departure": 3}, {"colour": "unknown_field", "departure": "not_text"}),
        ],
    )
    def test_a_bad_question_is_refused_by_field(
        self, priced: Web, plain: str, body: dict[str, object], expected: dict[str, str]
    ) -> None:
        assert wrong_fields(ask_stay(priced, plain, **body)) == expected


class TestCancellation:
    def test_it_is_free_at_first_and_the_deadlines_say_what_comes(self, priced: Web) -> None:
        key = booked(priced, 37, 2)
        answer = ask_end(priced, key, captured=money("60.00"))
        assert answer.status_code == 200, answer.text
        charge = answer.get_json()["charge"]
        zero = money("0.00")
        assert {name: charge[name] for name in ("fee", "captured", "refund", "receivable", "retained")} == {
            "fee": zero,
            "captured": money("60.00"),
            "refund": money("60.00"),
            "receivable": zero,
            "retained": zero,
        }
        assert charge["payer"] == "guest"
        # Two days before the arrival, at midnight in Lisbon's summer: from then on half of 200.00.
        assert [(each["until_at"], each["fee"]) for each in charge["deadlines"]] == [
            (f"{day(34)}T23:00:00+00:00", zero),
            (None, money("100.00")),
        ]

    def test_any_moment_can_be_asked_for(self, priced: Web) -> None:
        key = booked(priced, 44, 2)
        charge = ask_end(priced, key, captured=money("60.00"), at=f"{day(43)}T12:00:00Z").get_json()["charge"]
        assert (charge["fee"], charge["refund"], charge["receivable"]) == (
            money("100.00"),
            money("0.00"),
            money("40.00"),
        )
        assert [(each["rule"], each["after"]) for each in charge["steps"]] == [
            ("base", money("200.00")),
            ("percent", money("100.00")),
        ]

    def test_a_part_can_be_given_up(self, priced: Web) -> None:
        key = booked(priced, 51, 2, adults=None, parties=[{"adults": 2}, {"adults": 1}])
        first, second = (each["room_id"] for each in read(priced, key)["rooms"])
        at = f"{day(50)}T12:00:00Z"
        room = ask_end(priced, key, at=at, removed=[{"room_id": second}]).get_json()["charge"]
        assert room["fee"] == money("100.00")  # half of the second room's two nights
        last = ask_end(priced, key, at=at, removed=[{"room_id": first, "from": day(52)}]).get_json()["charge"]
        assert last["fee"] == money("50.00")  # half of one night
        both = ask_end(priced, key, at=at, removed=[{"room_id": first}, {"room_id": second}]).get_json()[
            "charge"
        ]
        assert both["fee"] == ask_end(priced, key, at=at).get_json()["charge"]["fee"] == money("200.00")

    def test_a_booking_without_terms_has_no_charge(self, priced: Web) -> None:
        key = priced.book(58, 1)
        assert ask_end(priced, key).get_json() == {"booking_id": key, "charge": None}

    def test_what_has_ended_is_not_cancelled(self, priced: Web) -> None:
        key = booked(priced, 61, 1)
        priced.patch(key, {"status": "cancelled"})
        said = problem(ask_end(priced, key), 409, "illegal_transition")
        assert said["detail"] == "This cannot be cancelled, because its status is cancelled."

    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            ({"captured": "60.00"}, {"captured": "not_money"}),
            ({"captured": money("-1.00")}, {"captured": "negative_amount"}),
            ({"captured": {"amount": "1", "currency": "JPY"}}, {"captured": "mixed_currencies"}),
            ({"at": "2027-03-01T12:00:00"}, {"at": "without_offset"}),
            ({"removed": []}, {"removed": "empty"}),
            ({"removed": [{}, {}]}, {"removed": "room_twice"}),
            ({"removed": [{"from": "x"}]}, {"removed[0].from": "not_iso_date"}),
            ({"removed": [{"night": day(64)}]}, {"removed[0].night": "unknown_field"}),
            ({"removed": [{"to": day(90)}]}, {"removed": "outside_the_stay"}),
            ({"removed": [{"from": day(65), "to": day(66)}]}, {"removed": "splits_the_stay"}),
            ({"colour": "red"}, {"colour": "unknown_field"}),
        ],
    )
    def test_a_bad_question_is_refused_by_field(
        self, three_nights: str, priced: Web, body: dict[str, object], expected: dict[str, str]
    ) -> None:
        answer = ask_end(priced, three_nights, **body)
        assert wrong_fields(answer) == expected
        assert len(answer.get_json()["errors"][0]["message"].split()) > 2

    def test_a_room_of_another_booking_is_not_found(self, priced: Web, three_nights: str) -> None:
        problem(ask_end(priced, three_nights, removed=[{"room_id": str(uuid4())}]), 404, "not_found")


def test_a_cancellation_answers_with_what_its_preview_said_and_says_it_again(
    fresh_postgres_database: PostgresDatabase,
) -> None:
    for web in web_on(fresh_postgres_database.app_url):
        reprice(web)
        late, early, plain = booked(web, 9, 2), booked(web, 30, 2), web.book(9, 1)
        assert read(web, late)["cancellation"] is None
        web.services.clock.advance(timedelta(days=8))
        for key, fee in (
            (late, "100.00"),
            (early, "0.00"),
        ):  # half of 200.00 from two days before the arrival on
            shown = ask_end(web, key).get_json()["charge"]
            first = web.patch(key, {"status": "cancelled"})
            found = first.get_json()["cancellation"]
            assert found["fee"] == found["receivable"] == money(fee)
            assert found["captured"] == found["refund"] == money("0.00")
            assert {name: shown[name] for name in found if name != "tax_code"} == {
                name: value for name, value in found.items() if name != "tax_code"
            }
            web.services.clock.advance(timedelta(hours=1))
            again = web.patch(key, {"status": "cancelled"})
            assert (again.status_code, again.data) == (200, first.data)
            assert web.client.get(f"/api/v1/bookings/{key}").data == first.data
        assert web.patch(plain, {"status": "cancelled"}).get_json()["cancellation"] is None
        assert web.patch(late, {"status": "confirmed"}).get_json()["cancellation"] is None
    assert verify(fresh_postgres_database.admin_url) == ()


def test_a_cancelled_booking_gives_back_the_use_of_its_code(
    fresh_postgres_database: PostgresDatabase,
) -> None:
    for web in web_on(fresh_postgres_database.app_url):
        reprice(web)
        quotes = [kept(web, 9 + each, 1, codes=["autumn"]) for each in range(3)]
        keys = [web.post(booking_of(each)).get_json()["id"] for each in quotes[:2]]
        problem(web.post(booking_of(quotes[2])), 422, "stay_refused")
        for _ in range(2):
            assert web.patch(keys[0], {"status": "cancelled"}).status_code == 200
        assert web.post(booking_of(quotes[2])).status_code == 201
        said = problem(web.patch(keys[0], {"status": "confirmed"}), 422, "stay_refused")
        assert [(each["code"], each["value"]) for each in said["violations"]] == [("code_used_up", "autumn")]


@pytest.mark.parametrize("ask", [ask_stay, ask_end])
def test_a_booking_that_is_not_here_is_not_found(priced: Web, ask) -> None:
    problem(ask(priced, str(uuid4())), 404, "not_found")
    assert wrong_fields(ask(priced, "x")) == {"booking_id": "not_an_id"}


def test_looking_writes_nothing(fresh_postgres_database: PostgresDatabase) -> None:
    for web in web_on(fresh_postgres_database.app_url):
        reprice(web)
        key = booked(web, 5, 2)
        web.services.clock.advance(timedelta(days=4))
        before = everything(fresh_postgres_database)
        assert ask_stay(web, key, departure=day(9), basis="current").status_code == 200
        assert ask_end(web, key, captured=money("5.00"), removed=[{"from": day(6)}]).status_code == 200
        assert ask_stay(web, key, departure=day(5)).status_code == 422
        assert ask_end(web, key, at="never").status_code == 422
        assert everything(fresh_postgres_database) == before
        # That the comparison would see a write: one change, and it differs.
        assert web.patch(key, {"notes": "Late."}).status_code == 200
        assert everything(fresh_postgres_database) != before


def everything(database: PostgresDatabase) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table."""
    with psycopg.connect(database.admin_url) as connection:
        tables = connection.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        ).fetchall()
        return {
            table: connection.execute(f"SELECT t::text FROM {table} t ORDER BY 1").fetchall()
            for (table,) in tables
        }
