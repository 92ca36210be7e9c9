"""``/metrics``: who may read it, and that its figures are those of the requests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from attrs import evolve
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from adapters.conftest import PostgresDatabase
from pms_web.app import create_app
from pmscore.access.model.permissions import Role
from pmscore.kernel.errors import UnreachableError
from pmscore.kernel.secrets import Secret
from web.conftest import Web, problem, web_on


@pytest.fixture(scope="module")
def web(postgres_database: PostgresDatabase) -> Iterator[Web]:
    yield from web_on(postgres_database.app_url)


def figures(client: FlaskClient) -> dict[tuple[str, ...], float]:
    answer = client.get("/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.content_type.startswith("text/plain; version=0.0.4")
    return {
        (each.name, *sorted(each.labels.values())): each.value
        for family in text_string_to_metric_families(answer.text)
        for each in family.samples
    }


def test_requests_are_counted_by_route_and_status(web: Web):
    client = create_app(web.here).test_client()
    for path in ("/api/v1/properties", "/api/v1/properties", "/nowhere/1", "/nowhere/2"):
        client.get(path)
    found = figures(client)
    assert found["pms_http_requests_total", "200", "GET", "properties.listed"] == 2
    assert found["pms_http_requests_total", "404", "GET", "none"] == 2
    assert found["pms_http_request_seconds_count", "GET", "properties.listed"] == 2
    assert found["pms_http_request_seconds_bucket", "+Inf", "GET", "none"] == 2


def test_strange_methods_and_addresses_make_no_series_of_their_own(web: Web):
    client = create_app(web.here).test_client()
    before = len(figures(client))
    for number in range(50):
        client.open(f"/x{number}", method=f"X{number}")
    assert len(figures(client)) - before <= 50


def test_pool_and_lag_of_the_worker_are_shown(web: Web):
    client = create_app(web.here).test_client()
    client.get("/api/v1/properties")
    found = figures(client)
    assert found["pms_database_connections_in_use",] >= 0
    assert found["pms_relay_lag_seconds",] >= 0


def test_a_database_that_is_away_takes_only_its_own_figures_along(web: Web):
    def away() -> float:
        raise UnreachableError(reason="no_connection")

    here = evolve(web.here, gauges={"relay_lag_seconds": away})
    found = figures(create_app(here).test_client())
    assert ("pms_relay_lag_seconds",) not in found


def test_without_a_token_only_this_machine_reads_them_and_past_no_proxy(web: Web):
    here = evolve(web.here, identify=lambda _: None)
    client = create_app(here).test_client()
    assert client.get("/metrics").status_code == 200
    for headers in ({"X-Forwarded-For": "192.0.2.1"}, {"Forwarded": "for=192.0.2.1"}, {"Via": "1.1 proxy"}):
        problem(client.get("/metrics", headers=headers), 401, "not_authenticated")
    elsewhere = {"REMOTE_ADDR": "192.0.2.1"}
    problem(client.get("/metrics", environ_base=elsewhere), 401, "not_authenticated")


def test_with_a_token_it_is_asked_for_even_here(web: Web):
    here = evolve(web.here, identify=lambda _: None, metrics_token=Secret("s3cret"))
    client = create_app(here).test_client()
    problem(client.get("/metrics"), 401, "not_authenticated")
    for wrong in ("Bearer s3cre", "Bearer s3cret ", "s3cret", "Bearer ***", "Bearer \u00e9"):
        problem(client.get("/metrics", headers={"Authorization": wrong}), 401, "not_authenticated")
    assert client.get("/metrics", headers={"Authorization": "Bearer s3cret"}).status_code == 200


def test_an_admin_reads_them_and_nobody_else(web: Web):
    for role in Role:
        principal = evolve(web.services.principal, role=role)
        here = evolve(web.here, identify=lambda _, who=principal: who, metrics_token=Secret("s3cret"))
        answer = create_app(here).test_client().get("/metrics")
        assert answer.status_code == (200 if role is Role.ADMIN else 403), role
