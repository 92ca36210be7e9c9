"""What is true of every request: its id, its headers, and what happens when a view breaks."""

from __future__ import annotations

import logging
from uuid import UUID

import pytest
from attrs import evolve

from pms_web.app import create_app
from pmscore.kernel.errors import NotAuthenticatedError
from web.conftest import Web, problem

pytestmark = pytest.mark.postgres


@pytest.mark.parametrize("given", ["4d8b405f-89d2-4fe8-a6f1-7fed05688998", "deploy-42:7", "x" * 128])
def test_a_request_id_is_taken_over(web: Web, given: str) -> None:
    answer = web.client.get("/nothing", headers={"X-Request-Id": given})
    assert answer.headers["X-Request-Id"] == given
    assert problem(answer, 404, "no_such_address")["request_id"] == given


@pytest.mark.parametrize("given", ["", "two words", "x" * 129, "é"])
def test_a_request_id_that_is_none_is_replaced(web: Web, given: str) -> None:
    answer = web.client.get("/health", headers={"X-Request-Id": given})
    assert UUID(answer.headers["X-Request-Id"])


def test_nothing_is_cached_or_sniffed(web: Web) -> None:
    headers = web.client.get("/api/v1/properties").headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_view_that_breaks_answers_500_and_leaves_the_trace_to_the_log(
    web: Web, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(_: object) -> object:
        raise RuntimeError("the cellar is flooded")

    here = evolve(web.here, retry=breaks)
    with caplog.at_level(logging.ERROR):
        answer = create_app(here).test_client().get("/api/v1/properties")
    body = problem(answer, 500, "internal_server_error")
    assert "flooded" not in answer.text
    assert any(str(body["request_id"]) in record.getMessage() for record in caplog.records)
    assert "the cellar is flooded" in caplog.text


def test_the_start_page_says_what_this_is_and_whom_it_serves(web: Web) -> None:
    answer = web.client.get("/")
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/html")
    for words in (
        "pms token",
        "log-in",
        "/docs",
        "/api/v1/properties",
        "curl",
        "Villa Sol",
    ):
        assert words in answer.text
    assert str(web.hotel.property.property_id) in answer.text


def test_the_start_page_shows_no_house_to_somebody_who_does_not_say_who_they_are(web: Web) -> None:
    def refuses(_: object) -> None:
        raise NotAuthenticatedError

    for identify in (lambda _: None, refuses):
        page = create_app(evolve(web.here, identify=identify)).test_client().get("/")
        assert page.status_code == 200
        assert "Villa Sol" not in page.text
        assert str(web.hotel.property.property_id) not in page.text
        assert "say who they are" in page.text


def test_an_empty_agency_is_told_how_to_get_a_house(web: Web) -> None:
    class Empty:
        def houses(self) -> tuple[()]:
            return ()

    here = evolve(web.here, availability=lambda _: Empty())
    assert "pms demo" in create_app(here).test_client().get("/").text


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000", "[::1]:8000", "desk", "pms.localhost:1"])
def test_names_of_this_machine_are_answered(web: Web, host: str) -> None:
    assert web.client.get("/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example"])
def test_a_page_of_a_stranger_cannot_bring_its_own_name(web: Web, host: str) -> None:
    problem(web.client.get("/api/v1/properties", headers={"Host": host}), 421, "misdirected_request")
