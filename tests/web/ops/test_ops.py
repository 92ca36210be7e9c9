"""``/ops/current-commit`` for everybody, ``/ops/env-sanity`` for admins; never a value."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from attrs import evolve

from adapters.conftest import PostgresDatabase
from pms_adapters.sanity import CODES
from pms_adapters.settings import Settings
from pms_web.app import create_app
from pms_web.ops.env_sanity import SANITY_TEXTS
from pms_web.services import NOBODY
from pms_web.wiring import connected
from pmscore.access.model.permissions import Role
from pmscore.access.model.principals import Means, Principal
from pmscore.kernel.ids import AgencyId
from web.conftest import Web, problem

pytestmark = pytest.mark.postgres
PLANTED = ("lvrelace" * 5, "k3vZ-lvrelace-77", "house.example")


def test_the_commit_is_told_to_everybody(web: Web) -> None:
    answer = create_app(evolve(web.here, identify=lambda _: None)).test_client().get("/ops/current-commit")
    body = answer.get_json()
    assert answer.status_code == 200
    assert list(body) == ["service", "commit", "version", "started_at", "environment"]
    assert (body["service"], body["commit"], body["environment"]) == ("pms", "0123abc", "development")
    assert body["started_at"] == "2027-03-01T12:00:00.000Z"


def _sane(database: PostgresDatabase, **changes: str) -> Iterator[object]:
    environ = {
        "DATABASE_URL": database.app_url,
        "ENVIRONMENT": "production",
        "JWT_SECRET": PLANTED[0],
        "METRICS_TOKEN": PLANTED[1],
        "PUBLIC_URL": f"http://{PLANTED[2]}",
        **changes,
    }
    with connected(Settings.from_mapping(environ), AgencyId(uuid4()), processes=9) as here:
        yield create_app(here).test_client().get("/ops/env-sanity")


def test_every_setting_is_listed_with_what_needs_a_look(postgres_database: PostgresDatabase) -> None:
    for answer in _sane(postgres_database):
        body = answer.get_json()
        assert answer.status_code == 200
        assert (body["environment"], body["is_ok"]) == ("production", False)
        by_name = {each["name"]: each for each in body["settings"]}
        assert by_name["DATABASE_URL"] == {"name": "DATABASE_URL", "is_set": True, "is_ok": True}
        assert by_name["JWT_SECRET"] == {"name": "JWT_SECRET", "is_set": True, "is_ok": False}
        assert by_name["ENCRYPTION_KEY"] == {"name": "ENCRYPTION_KEY", "is_set": False, "is_ok": False}
        assert by_name["STATEMENT_TIMEOUT_MS"] == {
            "name": "STATEMENT_TIMEOUT_MS",
            "is_set": False,
            "is_ok": True,
        }
        warned = {(each["setting"], each["code"]) for each in body["warnings"]}
        assert {("JWT_SECRET", "weak_secret"), ("PUBLIC_URL", "plain_http")} <= warned
        assert all(each["message"].endswith(".") and "{" not in each["message"] for each in body["warnings"])


def test_no_value_is_told(postgres_database: PostgresDatabase) -> None:
    password = postgres_database.app_url.split(":")[2].split("@")[0]
    for answer in _sane(postgres_database):
        assert not [each for each in (*PLANTED, password, postgres_database.name) if each in answer.text]


def test_it_answers_while_the_database_does_not(postgres_database: PostgresDatabase) -> None:
    for answer in _sane(postgres_database, DATABASE_URL="postgresql://nobody@127.0.0.1:1/none"):
        assert answer.status_code == 200
        assert "database_silent" in {each["code"] for each in answer.get_json()["warnings"]}


@pytest.mark.parametrize("role", [each for each in Role if each is not Role.ADMIN])
def test_whoever_is_no_admin_is_refused(web: Web, role: Role) -> None:
    somebody = Principal(agency_id=web.services.agency_id, actor_id=NOBODY, role=role, means=Means.NONE)
    app = create_app(evolve(web.here, identify=lambda _: somebody))
    problem(app.test_client().get("/ops/env-sanity"), 403, "permission_denied")


def test_nobody_is_refused(web: Web) -> None:
    app = create_app(evolve(web.here, identify=lambda _: None))
    assert app.test_client().get("/ops/env-sanity").status_code == 401


def test_every_warning_has_a_sentence() -> None:
    assert set(SANITY_TEXTS) == CODES
