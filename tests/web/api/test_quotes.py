"""Asking for quotes, keeping, holding and booking them over HTTP."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest
from werkzeug.test import TestResponse

from adapters.conftest import PostgresDatabase
from pms_adapters.postgres.verify import verify
from web.api.price_list import ask, booking_of, kept, question, reprice
from web.conftest import Web, day, problem, web_on, wrong_fields

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def priced(web: Web) -> Web:
    reprice(web)
    return web


def money(text: str) -> dict[str, str]:
    return {"amount": text, "currency": "EUR"}


def stored(database: PostgresDatabase, table: str = "quotes") -> int:
    with psycopg.connect(database.admin_url) as connection:
        (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return count


class TestAsking:
    def test_a_quote_shows_nights_lines_taxes_totals_and_terms(self, priced: Web) -> None:
        answer = ask(priced, question(priced, 2, 3))  # Wednesday to Saturday
        assert answer.status_code == 200
        (quote,) = answer.get_json()["quotes"]
        assert quote["id"] is None
        assert quote["rooms"] == [
            {
                "adults": 2,
                "ages": [],
                "pets": 0,
                "nightly": [money("100.00"), money("100.00"), money("120.00")],
            }
        ]
        assert quote["total"] == money("357.00")
        assert quote["totals"] == {
            "room": money("320.00"),
            "fees": money("25.00"),
            "net": money("325.47"),
            "tax": money("19.53"),
            "city_tax": money("12.00"),
        }
        assert [(each["code"], each["amount"]["amount"]) for each in quote["lines"]] == [
            ("room", "100.00"),
            ("room", "100.00"),
            ("room", "120.00"),
            ("cleaning", "25.00"),
        ]
        assert {each["code"]: each["amount"]["amount"] for each in quote["taxes"]} == {
            "vat": "19.53",
            "city": "12.00",
        }
        assert [(each["due"], each["amount"]["amount"]) for each in quote["deposit"]] == [
            ("booking", "107.10"),
            ("arrival", "249.90"),
        ]
        assert quote["terms"]["no_show"] == {"percent": "100"}
        assert quote["expires_at"] == "2027-03-02T12:00:00+00:00"

    def test_all_types_and_plans_are_meant_where_none_is_named(self, priced: Web) -> None:
        body = question(priced, 2, 1, adults=1, unit_type_ids=None, plans=None)
        found = ask(priced, body).get_json()
        names = {value: name for name, value in priced.types.items()}
        assert [
            (names[each["unit_type_id"]], each["plan"], each["total"]["amount"]) for each in found["quotes"]
        ] == [
            ("Single", "saver", "90.00"),
            ("Single", "flex", "97.00"),
            ("Double", "saver", "117.00"),
            ("Double", "flex", "127.00"),
        ]

    def test_the_same_question_has_the_same_fingerprint(self, priced: Web) -> None:
        first, second = (ask(priced, question(priced, 2, 3)).get_json()["quotes"][0] for _ in range(2))
        assert first == second
        other = ask(priced, question(priced, 2, 4)).get_json()["quotes"][0]
        assert other["fingerprint"] != first["fingerprint"]

    def test_several_rooms_are_quoted_together(self, priced: Web) -> None:
        parties = [{"adults": 2}, {"adults": 1, "ages": [7]}]
        (quote,) = ask(priced, question(priced, 2, 1, adults=None, parties=parties)).get_json()["quotes"]
        assert [len(each["nightly"]) for each in quote["rooms"]] == [1, 1]
        assert quote["totals"]["city_tax"] == money("6.00")

    def test_a_refusal_names_every_reason_and_the_nearest_stays(self, priced: Web) -> None:
        for _ in range(3):
            priced.book(60, 1)
        found = ask(priced, question(priced, 60, 1)).get_json()
        assert found["quotes"] == []
        (refusal,) = found["refusals"]
        assert [(each["code"], each["night"]) for each in refusal["violations"]] == [("type_full", day(60))]
        assert refusal["nearest"][0] == {"arrival": day(59), "departure": day(60)}

    def test_more_guests_than_the_type_takes_are_refused_with_the_number(self, priced: Web) -> None:
        (refusal,) = ask(priced, question(priced, 2, 1, adults=3)).get_json()["refusals"]
        assert [(each["code"], each["value"]) for each in refusal["violations"]] == [("party_too_large", 2)]

    def test_a_code_that_is_not_for_the_stay_is_refused(self, priced: Web) -> None:
        (quote,) = ask(priced, question(priced, 2, 1, codes=["spring"])).get_json()["quotes"]
        assert quote["totals"]["room"] == money("80.00")

    def test_a_house_without_prices_says_so(self, priced: Web) -> None:
        body = question(priced, 2, 1, property_id=str(priced.home.property.property_id), unit_type_ids=None)
        assert "price list" in problem(ask(priced, body), 404, "not_found")["detail"]

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"property_id": None}, {"property_id": "required"}),
            ({"property_id": "x"}, {"property_id": "not_an_id"}),
            ({"arrival": None}, {"arrival": "required"}),
            ({"departure": day(2)}, {"departure": "not_after_arrival"}),
            ({"arrival": day(3000), "departure": day(3001)}, {"stay": "outside_of_tables"}),
            ({"adults": None}, {"adults": "required"}),
            ({"adults": 0}, {"adults": "no_adult"}),
            ({"adults": 101}, {"adults": "out_of_range"}),
            ({"ages": [121]}, {"ages": "out_of_range"}),
            ({"ages": [-1]}, {"ages": "out_of_range"}),
            ({"ages": ["7"]}, {"ages[0]": "not_a_number"}),
            ({"ages": [True]}, {"ages[0]": "not_a_number"}),
            ({"ages": 7}, {"ages": "not_a_list"}),
            ({"ages": [7] * 200}, {"ages": "too_many"}),
            ({"pets": 99}, {"pets": "out_of_range"}),
            ({"parties": [{"adults": 1}]}, {"adults": "one_of_two"}),
            ({"adults": None, "parties": []}, {"parties": "empty"}),
            (
                {"adults": None, "parties": [{"adults": 1, "ages": [200]}]},
                {"parties[0].ages": "out_of_range"},
            ),
            ({"adults": None, "parties": [{"adults": 1, "age": 3}]}, {"parties[0].age": "unknown_field"}),
            ({"adults": None, "parties": [{"adults": 1}] * 60}, {"parties": "too_many"}),
            ({"unit_type_ids": ["x"]}, {"unit_type_ids[0]": "not_an_id"}),
            ({"plans": ["gone"]}, {"plans": "unknown_plan"}),
            ({"plans": ["Not A Code"]}, {"plans": "not_a_code"}),
            ({"plans": "flex"}, {"plans": "not_a_list"}),
            ({"codes": ["gone"]}, {"codes": "unknown_code"}),
            ({"codes": [5]}, {"codes[0]": "not_text"}),
            ({"extras": ["gone"]}, {"extras": "unknown_fee"}),
            ({"channel": "Not A Code"}, {"channel": "not_a_code"}),
            ({"keep": "yes"}, {"keep": "not_a_switch"}),
            ({"colour": "red"}, {"colour": "unknown_field"}),
        ],
    )
    def test_a_bad_question_is_refused_by_field_and_nothing_is_written(
        self,
        priced: Web,
        postgres_database: PostgresDatabase,
        changes: dict[str, object],
        expected: dict[str, str],
    ) -> None:
        before = stored(postgres_database)
        found = wrong_fields(ask(priced, question(priced, 2, 1, **{"keep": True, **changes})))
        assert found == expected
        assert stored(postgres_database) == before

    def test_what_is_not_here_is_not_found(self, priced: Web) -> None:
        problem(ask(priced, question(priced, 2, 1, property_id=str(uuid4()))), 404, "not_found")
        problem(ask(priced, question(priced, 2, 1, unit_type_ids=[str(uuid4())])), 404, "not_found")


class TestKeeping:
    def test_a_kept_quote_can_be_read_again(self, priced: Web) -> None:
        quote = kept(priced, 5, 2, codes=["spring"])
        read = priced.client.get(f"/api/v1/quotes/{quote['id']}")
        assert read.status_code == 200
        body = read.get_json()
        assert {name: body[name] for name in quote} == quote
        assert (body["status"], body["hold_ids"], body["booking_id"]) == ("kept", [], None)

    def test_nothing_is_stored_unless_it_is_asked_for(
        self, priced: Web, postgres_database: PostgresDatabase
    ) -> None:
        before = stored(postgres_database)
        ask(priced, question(priced, 5, 2))
        answer = ask(priced, question(priced, 5, 2, adults=3, keep=True))
        assert (answer.status_code, answer.get_json()["quotes"]) == (200, [])
        assert stored(postgres_database) == before

    def test_another_quote_is_not_found(self, priced: Web) -> None:
        detail = problem(priced.client.get(f"/api/v1/quotes/{uuid4()}"), 404, "not_found")["detail"]
        assert "quote" in detail
        assert wrong_fields(priced.client.get("/api/v1/quotes/x")) == {"quote_id": "not_an_id"}


def hold(web: Web, quote_id: str, body: object, key: str | None = None) -> TestResponse:
    headers = {"Idempotency-Key": key or f"hold-{uuid4()}"}
    return web.client.post(f"/api/v1/quotes/{quote_id}/hold", json=body, headers=headers)


class TestHolding:
    def test_a_key_holds_once_and_is_answered_as_it_was_held(self, priced: Web) -> None:
        quote = kept(priced, 80, 1)
        body = {"until": "2027-03-05T18:00:00Z", "with_stock": True}
        held = hold(priced, quote["id"], body, "once-held")
        assert held.status_code == 200
        assert priced.post(booking_of(quote)).status_code == 201
        again = hold(priced, quote["id"], body, "once-held")
        assert (again.status_code, again.get_json()) == (200, held.get_json())
        other = hold(priced, quote["id"], {"until": "2027-03-06T18:00:00Z"}, "once-held")
        problem(other, 422, "idempotency_key_reused")
        bare = priced.client.post(f"/api/v1/quotes/{quote['id']}/hold", json=body)
        assert wrong_fields(bare) == {"Idempotency-Key": "required"}

    def test_a_price_is_promised_for_longer(self, priced: Web) -> None:
        quote = kept(priced, 5, 2)
        until = "2027-03-05T18:00:00+01:00"
        held = hold(priced, quote["id"], {"until": until})
        assert held.status_code == 200
        body = held.get_json()
        assert (body["status"], body["hold_ids"]) == ("held", [])
        assert body["expires_at"] == "2027-03-05T17:00:00+00:00"
        assert priced.client.get(f"/api/v1/quotes/{quote['id']}").get_json() == body

    def test_rooms_are_kept_where_that_is_asked_for(self, priced: Web) -> None:
        parties = [{"adults": 2}] * 3
        quote = kept(priced, 70, 2, adults=None, parties=parties)
        body = {"until": "2027-03-05T18:00:00Z", "with_stock": True}
        held = hold(priced, quote["id"], body).get_json()
        assert len(held["hold_ids"]) == 3
        assert priced.post(priced.booking(70, 1)).status_code == 409
        again = hold(priced, quote["id"], body)
        assert again.status_code == 200
        assert priced.post(booking_of(quote)).status_code == 201

    def test_rooms_that_are_taken_are_a_conflict_and_nothing_changes(self, priced: Web) -> None:
        quote = kept(priced, 75, 1, adults=None, parties=[{"adults": 2}] * 2)
        for _ in range(2):
            priced.book(75, 1)
        body = {"until": "2027-03-05T18:00:00Z", "with_stock": True}
        answer = hold(priced, quote["id"], body)
        assert problem(answer, 409, "inventory_overlap")["nights"][0]["night"] == day(75)
        assert priced.client.get(f"/api/v1/quotes/{quote['id']}").get_json()["status"] == "kept"

    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            ({}, {"until": "required"}),
            ({"until": "tomorrow"}, {"until": "not_an_instant"}),
            ({"until": "2027-03-05T18:00:00"}, {"until": "without_offset"}),
            ({"until": "2027-02-01T00:00:00Z"}, {"until": "out_of_range"}),
            ({"until": "2027-06-01T00:00:00Z"}, {"until": "out_of_range"}),
            ({"until": "2027-03-05T18:00:00Z", "with_stock": 1}, {"with_stock": "not_a_switch"}),
            ({"until": "2027-03-05T18:00:00Z", "rooms": 1}, {"rooms": "unknown_field"}),
        ],
    )
    def test_a_bad_request_is_refused_by_field(
        self, priced: Web, body: dict[str, object], expected: dict[str, str]
    ) -> None:
        quote = kept(priced, 5, 1)
        assert wrong_fields(hold(priced, quote["id"], body)) == expected
        assert priced.client.get(f"/api/v1/quotes/{quote['id']}").get_json()["status"] == "kept"

    def test_a_quote_that_is_not_here_is_not_held(self, priced: Web) -> None:
        body = {"until": "2027-03-05T18:00:00Z"}
        problem(hold(priced, str(uuid4()), body), 404, "not_found")


class TestBooking:
    def test_what_was_quoted_is_booked(self, priced: Web) -> None:
        parties = [{"adults": 2}, {"adults": 1}]
        quote = kept(priced, 10, 3, adults=None, parties=parties, channel="ota")
        answer = priced.post(booking_of(quote, requests="Late.", source={"reference": "B-1"}))
        assert answer.status_code == 201
        read = priced.client.get(answer.headers["Location"]).get_json()
        assert read["quote_id"] == quote["id"]
        assert read["total"] == quote["totals"]["room"]
        assert [each["nightly"] for each in read["rooms"]] == [each["nightly"] for each in quote["rooms"]]
        assert read["source"] == {"channel": "ota", "reference": "B-1", "segment": ""}
        assert read["requests"] == "Late."
        after = priced.client.get(f"/api/v1/quotes/{quote['id']}").get_json()
        assert (after["status"], after["booking_id"]) == ("booked", read["id"])

    def test_the_same_key_and_body_again_get_the_same_answer(self, priced: Web) -> None:
        body, key = booking_of(kept(priced, 20, 1)), f"again-{uuid4()}"
        first, second = priced.post(body, key), priced.post(body, key)
        assert (second.status_code, second.data) == (201, first.data)

    def test_a_quote_is_booked_once(self, priced: Web) -> None:
        quote = kept(priced, 21, 1)
        assert priced.post(booking_of(quote)).status_code == 201
        answer = problem(priced.post(booking_of(quote)), 409, "illegal_transition")
        assert answer["detail"].startswith("This quote has been booked already")
        assert answer["detail"].endswith("ask for a new quote.")
        held = hold(priced, quote["id"], {"until": f"{day(2)}T12:00:00Z"})
        assert problem(held, 409, "illegal_transition")["detail"] == answer["detail"]

    @pytest.mark.race
    def test_of_many_who_book_the_same_quote_one_gets_it(self, priced: Web) -> None:
        quote = kept(priced, 22, 1)
        with ThreadPoolExecutor(6) as pool:
            codes = sorted(
                each.status_code for each in pool.map(lambda _: priced.post(booking_of(quote)), range(6))
            )
        assert codes == [201] + [409] * 5

    def test_a_promotion_that_is_used_up_is_refused_with_its_reason(self, priced: Web) -> None:
        quotes = [kept(priced, 25, 1, codes=["autumn"]) for _ in range(3)]
        assert [priced.post(booking_of(each)).status_code for each in quotes[:2]] == [201, 201]
        answer = problem(priced.post(booking_of(quotes[2])), 422, "stay_refused")
        assert [(each["code"], each["value"]) for each in answer["violations"]] == [
            ("code_used_up", "autumn")
        ]
        assert answer["violations"][0]["message"].startswith("The promotion code autumn has been used")
        (refusal,) = ask(priced, question(priced, 26, 1, codes=["autumn"])).get_json()["refusals"]
        assert [each["code"] for each in refusal["violations"]] == ["code_used_up"]

    def test_a_quote_that_is_not_here_or_a_guest_is_not_found(self, priced: Web) -> None:
        problem(priced.post(booking_of({"id": str(uuid4())})), 404, "not_found")
        quote = kept(priced, 5, 1)
        body = {"quote_id": quote["id"], "guest_id": str(uuid4())}
        problem(priced.post(body), 404, "not_found")
        assert priced.client.get(f"/api/v1/quotes/{quote['id']}").get_json()["status"] == "kept"

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"quote_id": "x"}, {"quote_id": "not_an_id"}),
            ({"guest": None}, {"guest": "required"}),
            ({"guest": {"name": ""}}, {"guest.name": "empty"}),
            ({"rooms": []}, {"rooms": "one_of_two"}),
            ({"arrival": day(3)}, {"arrival": "one_of_two"}),
            ({"rate": {}}, {"rate": "one_of_two"}),
            ({"source": {"channel": "ota"}}, {"source.channel": "one_of_two"}),
            ({"source": 1}, {"source": "not_an_object"}),
            ({"notes": "x" * 4001}, {"notes": "too_long"}),
            ({"option_until": "2020-01-01T00:00:00Z"}, {"option_until": "in_the_past"}),
            ({"colour": "red"}, {"colour": "unknown_field"}),
        ],
    )
    def test_a_bad_request_is_refused_by_field_and_nothing_is_written(
        self,
        priced: Web,
        postgres_database: PostgresDatabase,
        changes: dict[str, object],
        expected: dict[str, str],
    ) -> None:
        quote = kept(priced, 5, 1)
        before = stored(postgres_database, "bookings")
        assert wrong_fields(priced.post(booking_of(quote) | changes)) == expected
        assert stored(postgres_database, "bookings") == before
        assert priced.client.get(f"/api/v1/quotes/{quote['id']}").get_json()["status"] == "kept"


def test_a_quote_that_has_expired_is_booked_only_where_it_would_be_made_alike(
    fresh_postgres_database: PostgresDatabase,
) -> None:
    for web in web_on(fresh_postgres_database.app_url):
        reprice(web)
        same, other = kept(web, 40, 2), kept(web, 41, 2)
        web.services.clock.advance(timedelta(days=2))
        assert web.post(booking_of(same)).status_code == 201
        reprice(web, fees=[])
        answer = problem(web.post(booking_of(other)), 409, "price_changed")
        assert answer["conflict_type"] == "price_changed"
        assert (answer["old_total"], answer["new_total"]) == (other["total"], money("208.00"))
        assert web.client.get(f"/api/v1/quotes/{other['id']}").get_json()["status"] == "kept"
    assert verify(fresh_postgres_database.admin_url) == ()
    with psycopg.connect(fresh_postgres_database.admin_url) as connection:
        connection.execute("UPDATE bookings SET quote_id = NULL")
    found = {each.code for each in verify(fresh_postgres_database.admin_url)}
    assert found == {"quotes_and_bookings_name_each_other"}
