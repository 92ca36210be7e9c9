"""Each route answers its own example, and nothing that is sent to it gets an answer that is not described.

The second is schemathesis over the description of the app, in this process, as every role.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest
import schemathesis
from flask import Flask, Response
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from adapters.conftest import PostgresDatabase
from conftest import PROFILE
from pms_web.openapi import described_path, document
from pms_web.routing import answer
from pmscore.access.model.permissions import Role
from web.contract import closed
from web.tried_routes import EMAIL, PASSWORD, ROUTES, TriedHouse, ready_for, token_in, tried_house

pytestmark = pytest.mark.postgres

CASES = -(-{"dev": 500, "nightly": 20_000}.get(PROFILE, 2_000) // len(ROUTES))
"""So many for each operation."""
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def house(postgres_database: PostgresDatabase) -> Iterator[TriedHouse]:
    with tried_house(postgres_database.app_url) as made:
        yield made


class TestExamples:
    def test_every_operation_answers_its_example_with_success(
        self, fresh_postgres_database: PostgresDatabase
    ):
        with tried_house(fresh_postgres_database.app_url) as house:
            opened = {"features": [{"module": "public_site", "enabled": True}]}
            assert house.send(ROUTES["features.put"], opened).status_code == 200
            answers = dict(house.answers)
            for name in _in_order():
                resource, _, act = name.partition(".")
                if name in answers or resource == "auth":
                    continue
                with ready_for(house, act) if resource == "booking_actions" else nullcontext():
                    answers[name] = house.send(ROUTES[name])
            answers |= _at_the_door(house)
        assert set(answers) == set(ROUTES)
        wrong = {name: answer.text for name, answer in answers.items() if not 200 <= answer.status_code < 300}
        assert not wrong, "\n".join(f"{name}: {text}" for name, text in wrong.items())


def _in_order() -> list[str]:
    """Return the names of all routes: stays of today before the day is changed, taking things away at the end."""
    return sorted(ROUTES, key=lambda name: (ROUTES[name].method == "DELETE", "booking_actions" not in name))


def _at_the_door(house: TriedHouse) -> dict[str, Any]:
    """Come in, look around, change the password, lose it, get another one and go."""
    house.someone.principal = None
    client, found = house.client(), {}
    found["auth.come_in"] = house.send(ROUTES["auth.come_in"], {"email": EMAIL, "password": PASSWORD}, client)
    token = {"X-CSRF-Token": found["auth.come_in"].get_json()["csrf_token"]}
    found["auth.switch"] = house.send(
        ROUTES["auth.switch"], {"agency_id": house.ids["agency_id"]}, client, **token
    )
    token = {"X-CSRF-Token": found["auth.switch"].get_json()["csrf_token"]}
    for name in ("auth.who", "auth.change"):
        found[name] = house.send(ROUTES[name], None, client, **token)
    found["auth.ask"] = house.send(ROUTES["auth.ask"], None, client)
    house.here.access.background.wait()
    used = {"token": token_in(house.letters), "password": PASSWORD}
    found["auth.use"] = house.send(ROUTES["auth.use"], used, client)
    again = house.send(ROUTES["auth.come_in"], None, client)
    token = {"X-CSRF-Token": again.get_json()["csrf_token"]}
    found["auth.go_out"] = house.send(ROUTES["auth.go_out"], None, client, **token)
    return found


SCHEMA = schemathesis.openapi.from_dict(closed(document(ROUTES.values(), version="1")))


@pytest.mark.parametrize("name", sorted(ROUTES))
def test_whatever_is_sent_by_whomever_is_answered_as_described(house: TriedHouse, name: str):
    route = ROUTES[name]
    operation = SCHEMA[described_path(route.path)][route.method.lower()]
    cases = st.one_of(
        operation.as_strategy(generation_mode=GenerationMode.POSITIVE),
        operation.as_strategy(generation_mode=GenerationMode.NEGATIVE),
    )

    # Without shrinking: a request that fails says enough, and each try is a round trip.
    @settings(
        max_examples=CASES, suppress_health_check=list(HealthCheck), deadline=None, phases=[Phase.generate]
    )
    @given(cases, st.sampled_from(Role), st.integers(0, 3))
    def tried(case: Any, role: Role, knows: int) -> None:
        house.acting(role)
        if knows:
            # Ids made up from nothing are found nowhere; three in four cases name what is there.
            known = {each: house.ids[each] for each in case.path_parameters or {} if each in house.ids}
            case.path_parameters = {**(case.path_parameters or {}), **known}
            if isinstance(case.body, dict):
                case.body = {each: house.ids.get(each, value) for each, value in case.body.items()}
        case.validate_response(case.call(app=house.app), checks=CHECKS)

    tried()


class TestPlantedBreaches:
    """What the tests above look for, planted: each is found."""

    def _asked(self, view: Any) -> None:
        """Ask a route of another app, which answers by ``view``, and look at the answer."""
        app = Flask("planted")
        app.add_url_rule("/api/v1/properties", view_func=view)
        case = SCHEMA["/api/v1/properties"]["get"].Case(query={"limit": 1})
        case.validate_response(case.call(app=app), checks=CHECKS)

    @pytest.mark.parametrize(
        ("view", "said"),
        [
            (lambda: answer({"items": []}), "required property"),
            (lambda: answer({}, status=207), "Undocumented status code"),
            (lambda: Response("fine", content_type="text/csv"), "Undocumented content-type"),
            (lambda: Response("", status=500), "Server error"),
        ],
    )
    def test_it_is_found(self, view: Any, said: str):
        with pytest.raises(FailureGroup) as found:
            self._asked(view)
        assert said.lower() in str(found.value.exceptions).lower()

    def test_a_member_that_nobody_described_is_found(self):
        page = {"items": [], "total": 0, "limit": 1, "offset": 0, "has_more": False}
        self._asked(lambda: answer(page))
        with pytest.raises(FailureGroup):
            self._asked(lambda: answer({**page, "colour": "red"}))
