"""What anybody may read of an agency: nothing, until it says so; then named members and no others."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from attrs import evolve

from pms_web.app import create_app
from pmscore.kernel.errors import NotAuthenticatedError
from web.api.price_list import reprice
from web.conftest import Web, day, problem

pytestmark = pytest.mark.postgres


@pytest.fixture
def stranger(web: Web) -> Iterator[tuple[object, str]]:
    """Somebody who cannot log in, and the address of the agency, whose public site is switched on."""

    def knows_nobody(_: object) -> None:
        raise NotAuthenticatedError

    client = create_app(evolve(web.here, identify=knows_nobody)).test_client()
    yield client, f"/api/v1/public/{web.services.agency_id.hex[:20]}"
    switch(web, on=False)


def switch(web: Web, *, on: bool) -> None:
    answer = web.client.put("/api/v1/features", json={"features": [{"module": "public_site", "enabled": on}]})
    assert answer.status_code == 200, answer.text


def test_an_agency_shows_nothing_until_an_admin_says_so(web: Web, stranger):
    client, address = stranger
    silent = [client.get(f"{address}/{what}").status_code for what in ("properties", "availability", "rates")]
    assert set(silent) <= {404, 422}
    hidden = problem(client.get(f"{address}/properties"), 404, "no_such_address")
    unknown = problem(client.get("/api/v1/public/nobody/properties"), 404, "no_such_address")
    assert hidden["detail"] == unknown["detail"]
    switch(web, on=True)
    assert client.get(f"{address}/properties").status_code == 200
    switch(web, on=False)
    assert client.get(f"{address}/properties").status_code == 404


def test_strangers_see_names_and_types_and_nothing_of_the_house(web: Web, stranger):
    client, address = stranger
    switch(web, on=True)
    found = client.get(f"{address}/properties").get_json()
    assert [each["name"] for each in found["items"]] == ["Hotel", "Villa Sol"]
    hotel = found["items"][0]
    assert set(hotel) == {"id", "name", "address", "currency", "check_in_at", "check_out_at", "unit_types"}
    assert {name for each in hotel["unit_types"] for name in each} == {"id", "name", "largest_party"}


def test_strangers_see_whether_a_stay_can_be_had_and_not_how_many_rooms_there_are(web: Web, stranger):
    client, address = stranger
    switch(web, on=True)
    web.book(33, 2, "Single", adults=1)
    web.book(33, 2, "Single", adults=1)
    query = {
        "property_id": str(web.hotel.property.property_id),
        "arrival": day(33),
        "departure": day(35),
        "adults": 1,
    }
    found = client.get(f"{address}/availability", query_string=query).get_json()
    by_type = {each["unit_type_id"]: each for each in found["types"]}
    assert by_type[web.types["Double"]]["is_available"] is True
    assert by_type[web.types["Single"]]["is_available"] is False
    assert by_type[web.types["Single"]]["nearest"]
    assert set(by_type[web.types["Double"]]) == {"unit_type_id", "is_available", "nearest"}


def test_strangers_see_what_a_stay_costs(web: Web, stranger):
    client, address = stranger
    switch(web, on=True)
    reprice(web)
    query = {
        "property_id": str(web.hotel.property.property_id),
        "arrival": day(40),
        "departure": day(42),
        "adults": 2,
    }
    found = client.get(f"{address}/rates", query_string=query).get_json()
    asked = {"property_id": query["property_id"], "arrival": day(40), "departure": day(42), "adults": 2}
    inside = web.client.post("/api/v1/quotes", json=asked).get_json()["quotes"]
    assert [each["total"] for each in found["rates"]] == sorted(
        (each["total"] for each in inside), key=lambda each: float(each["amount"])
    )
    assert {name for each in found["rates"] for name in each} == {
        "unit_type_id",
        "plan",
        "nightly",
        "total",
        "city_tax",
    }


def test_properties_of_another_agency_are_not_found(web: Web, stranger):
    client, address = stranger
    switch(web, on=True)
    query = {"property_id": str(uuid4()), "arrival": day(1), "departure": day(2), "adults": 1}
    problem(client.get(f"{address}/availability", query_string=query), 404, "not_found")
    problem(client.get(f"{address}/rates", query_string=query), 404, "not_found")


@pytest.mark.parametrize("slug", ["..", "%00", "a" * 500, "<script>", "sehr schön"])
def test_odd_names_are_names_of_nobody(stranger, slug: str):
    client, _ = stranger
    assert client.get(f"/api/v1/public/{slug}/properties").status_code == 404
