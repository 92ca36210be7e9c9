"""The description of the app: valid, made from what is read, the same as the files in the repository."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from click.testing import CliRunner
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from pms_web.cli.main import pms
from pms_web.described import every_route
from pms_web.field_errors import FieldError, FieldsError
from pms_web.openapi import described_path, document
from pms_web.routing import Route
from pms_web.structuring import structured, structured_query, unstructured
from pmscore.access.model.permissions import PERMISSIONS, Permission, Role
from web.contract import FORMATS

ROUTES = every_route()
DOCUMENT = document(ROUTES, version="1")
WITH_BODY = [route for route in ROUTES if route.body is not None]
WITH_QUERY = [route for route in ROUTES if route.query is not None]

SHAPE = frozenset({
    "not_a_list", "not_a_number", "not_a_switch", "not_an_id", "not_an_object", "not_iso_date", "not_money", "not_text",
    "required", "too_many", "unknown_field", "unknown_value", "without_offset",
})  # fmt: skip
"""What only a body off its schema is refused for; everything else the core knows better than a schema can say."""


def _named(route: Route) -> str:
    return route.name


def _schema(route: Route) -> dict[str, Any]:
    operation = DOCUMENT["paths"][described_path(route.path)][route.method.lower()]
    return operation["requestBody"]["content"]["application/json"]["schema"]


def _fits(route: Route, body: object) -> list[str]:
    validator = Draft202012Validator(
        {**_schema(route), "components": DOCUMENT["components"]}, format_checker=FORMATS
    )
    return [error.message for error in validator.iter_errors(body)]


def test_it_is_valid_openapi():
    validate(DOCUMENT)


def test_every_operation_has_a_name_of_its_own_and_says_who_may_call_it():
    operations = [each for path in DOCUMENT["paths"].values() for each in path.values()]
    assert len({each["operationId"] for each in operations}) == len(operations) == len(ROUTES)
    for route in ROUTES:
        operation = DOCUMENT["paths"][described_path(route.path)][route.method.lower()]
        assert operation["summary"]
        assert not operation["summary"].endswith(".")
        if route.permission is None:
            assert operation["security"] == []
            assert "Nobody has to log in." in operation["description"]
            continue
        assert f"`{route.permission.value}`" in operation["description"]
        for role in Role:
            may = f"{role.value}," in operation["description"] or f"{role.value})" in operation["description"]
            assert may == (route.permission in PERMISSIONS[role])
        assert {"401", "403"} <= set(operation["responses"])


def test_headers_of_its_own_are_described_where_a_route_answers_with_them():
    """What is sent is compared with this by the client of all web tests."""
    paths = DOCUMENT["paths"]
    for path in ("/api/v1/availability/search", "/api/v1/availability/calendar"):
        source = paths[path]["get"]["responses"]["200"]["headers"]["X-Search-Source"]
        assert source["schema"]["enum"] == ["board", "sql"]
        assert source["description"]
    assert "headers" not in paths["/api/v1/availability"]["get"]["responses"]["200"]


def test_every_tag_is_described():
    for tag in DOCUMENT["tags"]:
        assert len(tag["description"].split()) >= 3, tag


@pytest.mark.parametrize("route", [each for each in WITH_BODY if each.example is not None], ids=_named)
def test_an_example_is_read_as_it_stands_and_fits_its_schema(route: Route):
    example = json.loads(json.dumps(dict(route.example)))
    made = structured(example, route.body)
    assert _fits(route, example) == []
    assert _fits(route, unstructured(made)) == []


@pytest.mark.parametrize("route", [each for each in WITH_QUERY if each.body is None], ids=_named)
def test_the_example_of_a_query_is_read_as_it_stands(route: Route):
    given_values = {
        name: [str(each) for each in value] if isinstance(value, list | tuple) else [str(value)]
        for name, value in (route.example or {}).items()
    }
    assert structured_query(given_values.items(), route.query) is not None


def test_every_body_has_an_example():
    assert [route.name for route in WITH_BODY if route.example is None] == []


SAID_BY_RULES = frozenset({("guest", "required"), ("nightly", "required")})
"""Needed where another member is not there, which no list of required members says."""


def _in_whole_numbers(value: Any) -> Any:
    """Return what was made with 1.0 written 1: JSON Schema calls both an integer, a body may have the second only."""
    if isinstance(value, float):
        return int(value)
    if isinstance(value, list):
        return [_in_whole_numbers(each) for each in value]
    if isinstance(value, dict):
        return {name: _in_whole_numbers(each) for name, each in value.items()}
    return value


def _read(body: Any, route: Route) -> tuple[Any, tuple[FieldError, ...]]:
    try:
        return structured(body, route.body), ()
    except FieldsError as error:
        return None, error.errors


SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)


@pytest.mark.parametrize("route", WITH_BODY, ids=_named)
def test_what_fits_the_schema_is_refused_only_for_what_no_schema_can_say(route: Route):
    cases = SCHEMA[described_path(route.path)][route.method.lower()].as_strategy()

    # Without shrinking: bodies are large, and one that fails says enough.
    @settings(
        max_examples=20, suppress_health_check=list(HealthCheck), deadline=None, phases=[Phase.generate]
    )
    @given(cases)
    def tried(case: Any) -> None:
        body = _in_whole_numbers(case.body)
        made, refused = _read(body, route)
        off = {(each.field.rpartition(".")[2], each.code) for each in refused if each.code in SHAPE}
        assert off <= SAID_BY_RULES
        if made is not None:
            sent = unstructured(made)
            assert _fits(route, sent) == []
            assert structured(sent, route.body) == made

    tried()


@settings(max_examples=300)
@given(st.data())
def test_what_does_not_fit_the_schema_is_refused(data: st.DataObject):
    """The other way round: members of wrong kinds are put into examples that are right."""
    # Price lists are read by the core.
    route = data.draw(
        st.sampled_from([each for each in WITH_BODY if each.example and each.name != "prices.put"])
    )
    example = json.loads(json.dumps(dict(route.example)))
    name = data.draw(st.sampled_from(sorted(example)))
    example[name] = data.draw(
        st.sampled_from(
            [True, -1, 10**12, "", "x", [], ["x"], {}, {"x": 1}, 1, [[]], [None], [{}], "2027-02-30"]
        )
    )
    if _fits(route, example):
        with pytest.raises(FieldsError):
            structured(example, route.body)


class TestCommittedFiles:
    def test_the_document_is_the_one_in_the_repository(self, repository: Path):
        text = CliRunner().invoke(pms, ["openapi"]).output
        committed = (repository / "docs/reference/openapi.json").read_text("utf-8")
        assert json.loads(text) == json.loads(committed), "run: pms openapi --out docs/reference/openapi.json"

    def test_the_page_is_the_one_in_the_repository(self, repository: Path, tmp_path: Path):
        CliRunner().invoke(pms, ["openapi", "--pages", str(tmp_path / "http.md")])
        committed = (repository / "docs/reference/http.md").read_text("utf-8")
        made = (tmp_path / "http.md").read_text("utf-8")
        assert made == committed, "run: pms openapi --pages docs/reference/http.md"
        for permission in Permission:
            assert f"`{permission.value}`" in made
