"""Putting exchange rates in over HTTP, and quotes that are shown by them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from attrs import evolve
from werkzeug.test import TestResponse

from pms_web.app import create_app
from pms_web.wiring import whoever_serves
from web.api.price_list import ask, kept, question, reprice
from web.conftest import Web, day, problem, wrong_fields

pytestmark = pytest.mark.postgres

ADDRESS = "/api/v1/exchange-rates"


def rate(code: str, text: str, when: int = 0, **changes: object) -> dict[str, object]:
    """Return a rate of the euro in the body of a request; ``when`` counts from the business date."""
    body = {"base": "EUR", "currency": code, "day": day(when), "rate": text, "source": "test"}
    return {name: value for name, value in {**body, **changes}.items() if value is not None}


def put(web: Web, *rates: object) -> TestResponse:
    return web.client.put(ADDRESS, json={"rates": list(rates)})


def shown_in(web: Web, currency: str, nights: int = 3, **changes: object) -> dict[str, object]:
    answer = ask(web, question(web, 2, nights, display_currency=currency, **changes))
    assert answer.status_code == 200, answer.text
    (quote,) = answer.get_json()["quotes"]
    return quote


def amounts(value: object) -> list[str]:
    """Return the currencies of all amounts in a value, wherever they stand."""
    if isinstance(value, list):
        return [each for item in value for each in amounts(item)]
    if isinstance(value, dict):
        own = [value["currency"]] if set(value) == {"amount", "currency"} else []
        return own + [each for item in value.values() for each in amounts(item)]
    return []


@pytest.fixture(scope="module")
def priced(web: Web) -> Web:
    reprice(web)
    return web


class TestRates:
    def test_rates_are_put_in_and_read(self, fresh_web: Web) -> None:
        web = fresh_web
        assert web.client.get(ADDRESS).get_json() == {
            "day": day(0),
            "longest_age_days": 7,
            "rates": [],
        }
        answer = put(web, rate("USD", "1.0842000", -8), rate("JPY", "162.35", -3), rate("USD", "2", 1))
        assert answer.status_code == 200
        assert answer.get_json() == {"rates": 3, "changed": 3}
        found = web.client.get(ADDRESS).get_json()
        assert found["rates"] == [
            {**rate("JPY", "162.35", -3), "is_too_old": False},
            {**rate("USD", "1.0842", -8), "is_too_old": True},
        ]
        assert web.client.get(f"{ADDRESS}?day={day(2)}&currency=USD&base=EUR").get_json()["rates"] == [
            {**rate("USD", "2", 1), "is_too_old": False}
        ]
        assert web.client.get(f"{ADDRESS}?base=USD").get_json()["rates"] == []

    def test_the_same_again_changes_nothing_and_another_rate_replaces(self, web: Web) -> None:
        assert put(web, rate("CHF", "0.95")).get_json()["changed"] == 1
        assert put(web, rate("CHF", "0.950")).get_json()["changed"] == 0
        assert put(web, rate("CHF", "0.96"), rate("SEK", "11.2")).get_json()["changed"] == 2
        (found,) = web.client.get(f"{ADDRESS}?currency=CHF").get_json()["rates"]
        assert found["rate"] == "0.96"

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            ({"base": None}, {"rates[1].base": "required"}),
            ({"base": "euro"}, {"rates[1].base": "unknown_currency"}),
            ({"currency": "XXX"}, {"rates[1].currency": "unknown_currency"}),
            ({"currency": "EUR"}, {"rates[1].currency": "same_currency"}),
            ({"currency": 7}, {"rates[1].currency": "not_text"}),
            ({"day": "2027-02-30"}, {"rates[1].day": "no_such_day"}),
            ({"day": "1 March 2027"}, {"rates[1].day": "not_iso_date"}),
            ({"rate": 1}, {"rates[1].rate": "not_text"}),
            ({"rate": "1,08"}, {"rates[1].rate": "not_decimal"}),
            ({"rate": "-1.08"}, {"rates[1].rate": "not_decimal"}),
            ({"rate": "0"}, {"rates[1].rate": "not_positive"}),
            ({"rate": "1.00000000001"}, {"rates[1].rate": "too_many_digits"}),
            ({"source": None}, {"rates[1].source": "required"}),
            ({"source": " "}, {"rates[1].source": "empty"}),
            ({"source": "a\u0000b"}, {"rates[1].source": "control_character"}),
            ({"source": "\ud800"}, {"rates[1].source": "lone_surrogate"}),
            ({"colour": "red"}, {"rates[1].colour": "unknown_field"}),
            ({"day": "x", "rate": 1}, {"rates[1].day": "not_iso_date", "rates[1].rate": "not_text"}),
        ],
    )
    def test_a_rate_that_cannot_be_is_named_and_nothing_is_stored(
        self, web: Web, change: dict[str, object], expected: dict[str, str]
    ) -> None:
        good, bad = rate("NZD", "1.7"), rate("AUD", "1.6", **change)
        assert wrong_fields(put(web, good, bad)) == expected
        assert web.client.get(f"{ADDRESS}?currency=NZD").get_json()["rates"] == []

    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            ({}, {"rates": "required"}),
            ({"rates": []}, {"rates": "empty"}),
            ({"rates": {}}, {"rates": "not_a_list"}),
            ({"rates": [1]}, {"rates[0]": "not_an_object"}),
            ({"rates": [rate("NZD", "1.7")] * 2}, {"rates": "day_twice"}),
            ({"rates": [rate("NZD", "1.7")] * 1_001}, {"rates": "too_many"}),
            ({"rates": [rate("NZD", "1.7")], "day": day(0)}, {"day": "unknown_field"}),
        ],
    )
    def test_a_body_that_is_none_is_refused(self, web: Web, body: object, expected: dict[str, str]) -> None:
        assert wrong_fields(web.client.put(ADDRESS, json=body)) == expected

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("day=yesterday", {"day": "not_iso_date"}),
            ("base=euro", {"base": "unknown_currency"}),
            ("currency=usd", {"currency": "unknown_currency"}),
            ("shown=USD", {"shown": "unknown_field"}),
        ],
    )
    def test_a_question_that_is_none_is_refused(self, web: Web, query: str, expected: dict[str, str]) -> None:
        assert wrong_fields(web.client.get(f"{ADDRESS}?{query}")) == expected

    def test_whoever_reaches_some_properties_only_puts_no_rates_in(self, web: Web) -> None:
        """They are the whole agency's."""
        reach = frozenset({web.hotel.property.property_id})
        small = evolve(whoever_serves(web.services.agency_id), property_ids=reach)
        app = create_app(evolve(web.here, identify=lambda _: small))
        body = {"rates": [rate("NZD", "1.7")]}
        problem(app.test_client().put(ADDRESS, json=body), 403, "permission_denied")
        assert app.test_client().get(ADDRESS).status_code == 200


class TestShownQuotes:
    def test_a_quote_is_shown_beside_its_own_amounts(self, priced: Web) -> None:
        put(priced, rate("USD", "1.0842", -2, source="Bank of Examples"))
        quote = shown_in(priced, "USD")
        display = quote["display"]
        assert {name: display[name] for name in ("currency", "rate", "day", "source")} == {
            "currency": "USD",
            "rate": "1.0842",
            "day": day(-2),
            "source": "Bank of Examples",
        }
        assert display["total"] == {"amount": "387.06", "currency": "USD"}  # 357.00 EUR are 387.0594
        totals = {name: Decimal(each["amount"]) for name, each in display["totals"].items()}
        assert totals["net"] + totals["tax"] + totals["city_tax"] == Decimal("387.06")
        assert totals["room"] == Decimal("346.94")  # 320.00 EUR are 346.944
        assert totals["fees"] == Decimal("27.11")  # 25.00 EUR are 27.105
        ((*nightly,),) = display["nightly"]
        assert sum(Decimal(each["amount"]) for each in nightly) == totals["room"]
        assert len(nightly) == 3

    def test_the_two_currencies_never_meet(self, priced: Web) -> None:
        put(priced, rate("USD", "1.0842", -2))
        quote = shown_in(priced, "USD")
        assert set(amounts(quote["display"])) == {"USD"}
        assert set(amounts({name: value for name, value in quote.items() if name != "display"})) == {"EUR"}

    def test_nothing_else_changes_by_being_shown(self, priced: Web) -> None:
        put(priced, rate("USD", "1.0842", -2))
        (plain,) = ask(priced, question(priced, 2, 3)).get_json()["quotes"]
        assert "display" not in plain
        assert "display_note" not in plain
        for currency in ("USD", "HUF", "EUR"):
            shown = shown_in(priced, currency)
            assert {name: value for name, value in shown.items() if not name.startswith("display")} == plain

    def test_a_currency_without_digits_is_shown_without(self, priced: Web) -> None:
        put(priced, rate("JPY", "162.35", -1))
        assert shown_in(priced, "JPY")["display"]["total"] == {"amount": "57959", "currency": "JPY"}

    def test_without_a_rate_the_quote_is_as_good_and_says_why(self, priced: Web) -> None:
        put(priced, rate("PLN", "4.3", -8), rate("CZK", "25", 1))
        for currency, code, said in (
            ("HUF", "no_rate", f"No exchange rate from EUR to HUF is known for {day(0)}."),
            ("CZK", "no_rate", "CZK"),
            ("PLN", "rate_too_old", f"is of {day(-8)}; a rate holds for 7 days."),
            ("EUR", "own_currency", "The amounts are in EUR already."),
        ):
            quote = shown_in(priced, currency)
            assert quote["display"] is None
            assert quote["display_note"]["code"] == code
            assert said in quote["display_note"]["message"]
            assert quote["total"] == {"amount": "357.00", "currency": "EUR"}

    def test_every_quote_is_shown_by_itself(self, priced: Web) -> None:
        put(priced, rate("USD", "1.0842", -2))
        body = question(priced, 2, 1, adults=1, unit_type_ids=None, plans=None, display_currency="USD")
        quotes = ask(priced, body).get_json()["quotes"]
        assert len(quotes) == 4
        for each in quotes:
            exact = Decimal(each["total"]["amount"]) * Decimal("1.0842")
            assert abs(Decimal(each["display"]["total"]["amount"]) - exact) <= Decimal("0.005")

    def test_what_is_kept_is_in_the_currency_of_the_property(self, priced: Web) -> None:
        put(priced, rate("USD", "1.0842", -2))
        quote = kept(priced, 20, 2, display_currency="USD")
        assert quote["display"]["currency"] == "USD"
        again = priced.client.get(f"/api/v1/quotes/{quote['id']}").get_json()
        assert set(amounts(again)) == {"EUR"}
        assert again["total"] == quote["total"]

    @pytest.mark.parametrize(
        ("currency", "code"),
        [("XXX", "unknown_currency"), ("usd", "unknown_currency"), ("", "unknown_currency"), (7, "not_text")],
    )
    def test_an_unknown_currency_is_a_mistake(self, priced: Web, currency: object, code: str) -> None:
        answer = ask(priced, question(priced, 2, 3, display_currency=currency))
        assert wrong_fields(answer) == {"display_currency": code}
