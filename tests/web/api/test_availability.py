"""What is occupied, what can be sold, how many are left, over HTTP."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from pmscore.dates.ranges import DateRange
from pmscore.inventory.use_cases.blocks import BlockUnit, block_unit
from pmscore.kernel.ids import ActorId, RequestId, UnitId
from web.conftest import TODAY, Web, day, problem, wrong_fields

pytestmark = pytest.mark.postgres
SEARCH = "/api/v1/availability/search"


def _hotel(web: Web) -> str:
    return str(web.hotel.property.property_id)


def _block(web: Web, unit: str, first: int, nights: int) -> str:
    unit_id = next(each for each in web.hotel.units if str(each) == web.units[unit])
    block = block_unit(
        BlockUnit(
            request_id=RequestId(uuid4()),
            agency_id=web.services.agency_id,
            actor_id=ActorId(uuid4()),
            property_id=web.hotel.property.property_id,
            unit_id=UnitId(unit_id),
            nights=DateRange.of(TODAY + timedelta(days=first), nights),
        ),
        uow=web.services.uow,
        clock=web.services.clock,
        ids=web.services.ids,
    )
    return str(block.block_id)


def test_occupied_ranges_name_what_stands_behind_them(web: Web) -> None:
    booking = web.book(10, 2, unit_id=web.units["101"])
    block = _block(web, "102", 11, 3)
    answer = web.client.get(
        "/api/v1/availability", query_string={"property_id": _hotel(web), "from": day(9), "to": day(20)}
    )
    body = answer.get_json()
    assert (answer.status_code, body["from"], body["to"]) == (200, day(9), day(20))
    found = {
        (each["kind"], each["state"], each["from"], each["to"], each["unit_id"]) for each in body["ranges"]
    }
    assert found == {
        ("booking", "booked", day(10), day(12), web.units["101"]),
        ("block", "blocked", day(11), day(14), web.units["102"]),
    }
    assert {each["booking_id"] or each["block_id"] for each in body["ranges"]} == {booking, block}


def test_a_search_offers_what_is_free_and_explains_what_is_not(web: Web) -> None:
    for unit in ("101", "102", "103"):
        web.book(30, 2, unit_id=web.units[unit])
    body = web.client.get(
        SEARCH,
        query_string={"arrival": day(30), "departure": day(32), "adults": 1, "property_id": _hotel(web)},
    ).get_json()
    assert [each["unit_type_id"] for each in body["offers"]] == [web.types["Single"]]
    (refusal,) = body["refusals"]
    assert [each["code"] for each in refusal["violations"]] == ["type_full", "type_full"]
    assert refusal["nearest"][0] == {"arrival": day(28), "departure": day(30)}
    assert day(30) in refusal["violations"][0]["message"]


def test_a_search_sees_all_properties_unless_some_are_named(web: Web) -> None:
    asked = {"arrival": day(50), "departure": day(51), "adults": 1}
    everywhere = web.client.get(SEARCH, query_string=asked).get_json()
    assert len(everywhere["offers"]) == 3
    one = web.client.get(SEARCH, query_string=asked | {"unit_type_id": web.types["Single"]}).get_json()
    assert [each["free_rooms"] for each in one["offers"]] == [2]


def test_the_calendar_counts_by_type_and_night(web: Web) -> None:
    web.book(60, 2, "Single")
    body = web.client.get(
        "/api/v1/availability/calendar",
        query_string={
            "property_id": _hotel(web), "from": day(60), "to": day(63), "unit_type_id": web.types["Single"],
        },
    ).get_json()  # fmt: skip
    (kind,) = body["types"]
    assert [(each["night"], each["booked"], each["free"], each["capacity"]) for each in kind["nights"]] == [
        (day(60), 1, 1, 2),
        (day(61), 1, 1, 2),
        (day(62), 0, 2, 2),
    ]


@pytest.mark.parametrize("path", ["/api/v1/availability", "/api/v1/availability/calendar"])
def test_an_unknown_property_is_not_found_rather_than_free(web: Web, path: str) -> None:
    asked = {"property_id": str(uuid4()), "from": day(1), "to": day(2)}
    problem(web.client.get(path, query_string=asked), 404, "not_found")


@pytest.mark.parametrize(
    ("path", "query", "expected"),
    [
        ("/api/v1/availability", {}, {"property_id": "required", "from": "required", "to": "required"}),
        ("/api/v1/availability", {"from": day(2), "to": day(2)}, {"to": "not_after_start"}),
        ("/api/v1/availability", {"from": day(0), "to": day(1097)}, {"to": "too_long"}),
        ("/api/v1/availability", {"from": "0001-01-01", "to": "9999-12-31"},
         {"from": "out_of_calendar", "to": "out_of_calendar"}),
        ("/api/v1/availability", {"from": day(0), "to": day(1), "x": "1"}, {"x": "unknown_field"}),
        (SEARCH, {"arrival": day(1), "departure": day(1), "adults": 1}, {"departure": "not_after_arrival"}),
        (SEARCH, {"arrival": day(1), "departure": day(5001), "adults": 1}, {"departure": "too_long"}),
        (SEARCH, {"arrival": day(1), "departure": day(2), "adults": 0}, {"adults": "no_adult"}),
        (SEARCH, {"arrival": day(1), "departure": day(2), "adults": "1.5"}, {"adults": "not_a_number"}),
        (SEARCH, {"arrival": day(1), "departure": day(2), "adults": "-1"}, {"adults": "no_adult"}),
        (SEARCH, {"arrival": day(1), "departure": day(2), "adults": "9" * 18}, {"adults": "out_of_range"}),
        (SEARCH, {"arrival": day(1), "departure": day(2), "adults": 1, "rooms": 2},
         {"rooms": "more_rooms_than_adults"}),
        (SEARCH, {"arrival": day(1), "departure": day(2), "adults": 1, "unit_type_id": "1,2"},
         {"unit_type_id[0]": "not_an_id", "unit_type_id[1]": "not_an_id"}),
        ("/api/v1/properties", {"limit": 101}, {"limit": "out_of_range"}),
        ("/api/v1/properties", {"offset": -1}, {"offset": "negative"}),
    ],
)  # fmt: skip
def test_a_query_that_cannot_be_is_refused(
    web: Web, path: str, query: dict[str, object], expected: dict[str, str]
) -> None:
    if path == "/api/v1/availability" and query:
        query = query | {"property_id": _hotel(web)}
    assert wrong_fields(web.client.get(path, query_string=query)) == expected


def test_a_member_given_twice_is_refused(web: Web) -> None:
    answer = web.client.get(f"{SEARCH}?arrival={day(1)}&arrival={day(2)}&departure={day(3)}&adults=1")
    assert wrong_fields(answer) == {"arrival": "repeated"}


def test_properties_are_listed_in_pages(web: Web) -> None:
    first = web.client.get("/api/v1/properties?limit=1").get_json()
    assert [each["name"] for each in first["items"]] == ["Hotel"]
    assert (first["total"], first["limit"], first["offset"], first["has_more"]) == (2, 1, 0, True)
    second = web.client.get("/api/v1/properties?limit=1&offset=1").get_json()
    assert [each["name"] for each in second["items"]] == ["Villa Sol"]
    assert second["has_more"] is False
    assert [each["name"] for each in first["items"][0]["unit_types"]] == ["Double", "Single"]
