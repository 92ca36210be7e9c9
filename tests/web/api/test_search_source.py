"""Searches over HTTP: from memory as soon as it can be, never behind what the caller has just done."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Response

from web.conftest import Web, day, web_on

pytestmark = pytest.mark.postgres


def ask(web: Web, arrival: int = 3, nights: int = 2):
    answer = web.client.get(
        "/api/v1/availability/search",
        query_string={"arrival": day(arrival), "departure": day(arrival + nights), "adults": 1},
    )
    assert answer.status_code == 200, answer.text
    return answer.headers["X-Search-Source"], answer.get_json()


def followers():
    return {each for each in threading.enumerate() if each.name == "pms-boards"}


def until(web: Web, source: str):
    """Search until the answer comes from there, as it soon must."""
    until_at = time.monotonic() + 10
    while time.monotonic() < until_at:
        found = ask(web)
        if found[0] == source:
            return found[1]
    raise AssertionError(f"no answer from {source}")


def test_the_first_search_is_answered_by_the_database_and_soon_from_memory(fresh_web: Web) -> None:
    web = fresh_web
    assert ask(web)[0] == "sql"
    by_board = until(web, "board")
    assert by_board["offers"]
    counts = web.client.get(
        "/api/v1/availability/calendar",
        query_string={"property_id": str(web.hotel.property.property_id), "from": day(0), "to": day(5)},
    )
    assert counts.headers["X-Search-Source"] in {"board", "sql"}


def test_whoever_has_booked_sees_it_in_the_next_search(web: Web) -> None:
    until(web, "board")
    for _ in range(5):
        free = {each["unit_type_id"]: each["free_rooms"] for each in ask(web, 10)[1]["offers"]}
        kind = web.types["Double"]
        if not free.get(kind):
            break
        web.book(10, 2)
        after = {each["unit_type_id"]: each["free_rooms"] for each in ask(web, 10)[1]["offers"]}
        assert after.get(kind, 0) == free[kind] - 1
    assert kind in {each["unit_type_id"] for each in until(web, "board")["offers"]}
    assert kind in {each["unit_type_id"] for each in ask(web, 10)[1]["refusals"]}


def test_nights_that_are_not_in_memory_are_asked_of_the_database(web: Web) -> None:
    until(web, "board")
    assert ask(web, 2_000)[0] == "sql"
    assert ask(web)[0] in {"board", "sql"}


def test_figures_say_how_old_and_how_many(web: Web) -> None:
    until(web, "board")
    assert web.here.gauges["search_answers_from_board"]() > 0
    assert web.here.gauges["search_answers_from_sql"]() > 0
    assert 0 <= web.here.gauges["search_board_age_seconds"]() < 60


def test_switched_off_the_database_answers_and_nothing_runs(fresh_postgres_database) -> None:
    before = followers()
    for web in web_on(fresh_postgres_database.app_url, is_search_from_memory=False):
        for _ in range(20):
            assert ask(web)[0] == "sql"
        assert followers() == before


def test_the_thread_ends_with_the_app(fresh_postgres_database) -> None:
    before = followers()
    for web in web_on(fresh_postgres_database.app_url):
        until(web, "board")
        assert len(followers() - before) == 1
    assert followers() <= before


def test_a_header_that_nobody_described_and_a_value_off_its_description_are_found(web: Web) -> None:
    """The positive control of the comparison that every web test makes."""
    client = web.app.test_client()
    query = {"arrival": day(3), "departure": day(4), "adults": 1}
    for name, value in (("X-Search-Source", "guessed"), ("X-Nobody-Said", "so")):
        with planted(web, name, value), pytest.raises(AssertionError, match=name):
            client.get("/api/v1/availability/search", query_string=query)
    assert client.get("/api/v1/availability/search", query_string=query).status_code == 200


@contextmanager
def planted(web: Web, name: str, value: str) -> Iterator[None]:
    """Have every answer carry a header."""

    def plant(response: Response) -> Response:
        response.headers[name] = value
        return response

    planters = web.app.after_request_funcs.setdefault(None, [])
    planters.append(plant)
    yield
    planters.remove(plant)
