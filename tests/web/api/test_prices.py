"""Reading and replacing price lists over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from web.api.price_list import get_prices, price_list, put_prices, reprice
from web.conftest import Web, day, problem, wrong_fields

pytestmark = pytest.mark.postgres

Change = Callable[[dict[str, Any], Web], object]


def test_a_house_has_no_prices_until_it_is_given_some(fresh_web: Web) -> None:
    web = fresh_web
    assert "price list" in problem(get_prices(web), 404, "not_found")["detail"]
    answer = put_prices(web, price_list(web))
    assert answer.status_code == 201
    stored = answer.get_json()
    assert stored["version"] == 1
    assert get_prices(web).get_json() == stored
    assert stored == price_list(web) | {"version": 1}


def test_a_list_is_replaced_by_whoever_knows_its_version(web: Web) -> None:
    first = reprice(web)
    changed = first | {"fees": []}
    answer = put_prices(web, changed)
    assert answer.status_code == 200
    second = answer.get_json()
    assert second["version"] == first["version"] + 1
    assert "fees" not in second
    assert get_prices(web, first["version"]).get_json() == first
    stale = problem(put_prices(web, changed), 409, "stale_version")
    assert stale["conflict_type"] == "stale_version"
    problem(put_prices(web, price_list(web)), 409, "stale_version")
    assert get_prices(web).get_json() == second


def test_there_are_no_other_versions_and_no_prices_of_others(web: Web) -> None:
    version = reprice(web)["version"]
    problem(get_prices(web, version + 1), 404, "not_found")
    problem(get_prices(web, 0), 404, "not_found")
    stranger = str(uuid4())
    problem(web.client.get(f"/api/v1/properties/{stranger}/prices"), 404, "not_found")
    problem(put_prices(web, price_list(web), stranger), 404, "not_found")
    assert wrong_fields(web.client.get("/api/v1/properties/x/prices")) == {"property_id": "not_an_id"}
    path = f"/api/v1/properties/{web.hotel.property.property_id}/prices"
    assert wrong_fields(web.client.get(f"{path}?version=last")) == {"version": "not_a_number"}
    assert wrong_fields(web.client.get(f"{path}?size=1")) == {"size": "unknown_field"}


def _plan(document: dict[str, Any], number: int) -> dict[str, Any]:
    return document["plans"][number]


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        (lambda d, _: d.pop("format"), "format", "missing"),
        (lambda d, _: d.update(format=99), "format", "unknown_format"),
        (lambda d, _: d.update(colour="red"), "document", "unknown_name"),
        (lambda d, _: d.update(version="1"), "version", "not_a_number"),
        (lambda d, _: d.update(plans={}), "plans", "not_a_list"),
        (lambda d, _: d.update(currency="EURO"), "currency", "unknown_currency"),
        (lambda d, _: d.update(currency="USD"), "currency", "mixed_currencies"),
        (lambda d, _: d["seasons"][0].update(nights=[{"from": day(10), "to": day(5)}]),
         "seasons.0.nights.0.to", "not_after_start"),
        (lambda d, _: d["seasons"].append({"name": "fair", "nights": []}), "seasons.1", "twice"),
        (lambda d, _: d["seasons"].append({"name": "day", "nights": [{"from": day(102), "to": day(104)}]}),
         "seasons.0", "overlaps_with_equal_priority"),
        (lambda d, _: _plan(d, 0)["prices"].update({"x": {}}), "plans.0.prices.x", "not_an_id"),
        (lambda d, _: _plan(d, 1)["derivation"].update(parent="saver"), "plans.1.derivation.parent",
         "derived_from_itself"),
        (lambda d, _: _plan(d, 1)["derivation"].update(parent="gone"), "plans.1.derivation.parent",
         "unknown_plan"),
        (lambda d, w: _plan(d, 0)["prices"][w.types["Single"]].update(default={"monday": "70.00"}),
         "plans.0.prices.{Single}.default", "unknown_name"),
        (lambda d, w: _plan(d, 0)["prices"][w.types["Single"]].update(default=70),
         "plans.0.prices.{Single}.default", "not_text"),
        (lambda d, _: _plan(d, 0)["occupancy"].update(children=[
            {"ages": {"from": 0, "to": 5}, "price": {"amount": "0.00"}},
            {"ages": {"from": 4, "to": 9}, "price": {"amount": "5.00"}}]),
         "plans.0.occupancy.children", "overlapping_bands"),
        (lambda d, _: _plan(d, 0)["occupancy"].update(children=[
            {"ages": {"from": 0, "to": 130}, "price": {"amount": "0.00"}}]),
         "plans.0.occupancy.children.0.ages.to", "out_of_range"),
        (lambda d, _: _plan(d, 1)["derivation"]["operations"][0].update(percent="-101"),
         "plans.1.derivation.operations.0.percent", "takes_more_than_all"),
        (lambda d, _: d["taxes"][0].update(on=[]), "taxes.0.on", "no_basis"),
        (lambda d, _: d["taxes"][1]["rate"].update(percent="101"), "taxes.1.rate", "not_a_share"),
        (lambda d, _: d["fees"][0]["price"].update(amount="-1.00"), "fees.0.price", "negative"),
        (lambda d, _: _plan(d, 0).update(terms="gone"), "plans.0.terms", "unknown_terms"),
        (lambda d, _: d["rules"][0].update(kind="magic"), "rules.0.kind", "unknown_kind"),
    ],
)  # fmt: skip
def test_a_list_that_does_not_fit_is_refused_by_place_and_nothing_is_written(
    web: Web, change: Change, field: str, code: str
) -> None:
    before = reprice(web)
    document = price_list(web) | {"version": before["version"]}
    change(document, web)
    found = wrong_fields(put_prices(web, document))
    assert found == {field.replace("{Single}", web.types["Single"]): code}
    assert get_prices(web).get_json() == before


def test_a_type_of_another_house_is_not_found(web: Web) -> None:
    before = reprice(web)
    document = price_list(web) | {"version": before["version"]}
    villa = str(next(iter(web.home.types)))
    document["plans"][0]["prices"][villa] = {"default": "1.00"}
    problem(put_prices(web, document), 404, "not_found")
    assert get_prices(web).get_json() == before


def test_every_mistake_has_a_sentence_with_a_way_out(web: Web) -> None:
    document = price_list(web, currency="USD")
    answer = problem(put_prices(web, document), 422, "invalid_input")
    assert answer["errors"][0]["message"] == "mixes currencies; use the property's one currency"
