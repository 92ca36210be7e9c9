"""Every answer of the web tests against the description of the app.

``CheckedClient`` takes the place of Flask's test client. What an app answers has to be a status that it documents for
the route, with a body of the documented type; here bodies are closed, so that a member nobody described is found.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator, FormatChecker
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

OFF_THE_MAP = frozenset({404, 405, 421})
"""Answered before a route is found."""
BEFORE_THE_VIEW = frozenset({400, 403, 413, 421, 429})
"""Answered by the door to anybody, whatever the route."""

OF_EVERY_ANSWER = frozenset({"X-Content-Type-Options", "X-Frame-Options", "X-Request-Id"})
"""Headers that the door puts on whatever is answered."""

FORMATS = FormatChecker(formats=())


@FORMATS.checks("uuid", raises=ValueError)
def _is_id(value: object) -> bool:
    return not isinstance(value, str) or str(UUID(value)) == value.lower()


@FORMATS.checks("date", raises=ValueError)
def _is_date(value: object) -> bool:
    return not isinstance(value, str) or date.fromisoformat(value).isoformat() == value


@FORMATS.checks("date-time", raises=ValueError)
def _is_instant(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


def closed(schema: Any) -> Any:
    """Return a schema in which no object may have a member that is not described."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: closed(each) for name, each in schema.items()}
    if isinstance(found.get("properties"), dict) and "type" in found:
        found.setdefault("additionalProperties", False)
    return found


class Contract:
    """What a document promises."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self._components = closed(document["components"])
        self._validator = cache(self._made)

    def mistakes(self, path: str, method: str, answer: TestResponse) -> Iterator[str]:
        """Yield what is wrong with an answer to a request for a described address."""
        operation = self.document["paths"].get(path, {}).get(method.lower())
        if operation is None:
            yield f"{method} {path} is not described"
            return
        if answer.status_code == 500 or (
            answer.status_code in BEFORE_THE_VIEW and str(answer.status_code) not in operation["responses"]
        ):
            yield from self.problem_mistakes(answer)
            return
        reply = operation["responses"].get(str(answer.status_code))
        if reply is None:
            yield f"status {answer.status_code} is not described"
            return
        if "$ref" in reply:
            yield from self.problem_mistakes(answer)
            return
        yield from _header_mistakes(reply.get("headers", {}), answer)
        content = reply.get("content", {})
        if not content:
            if answer.data:
                yield "has a body where none is described"
        elif answer.content_type not in content:
            yield f"content type {answer.content_type} is not described"
        elif answer.content_type == "application/json":
            schema = content["application/json"]["schema"]
            yield from self._off(answer, json.dumps(closed(schema), sort_keys=True))

    def problem_mistakes(self, answer: TestResponse) -> Iterator[str]:
        """Yield what is wrong with an answer that is no success."""
        if answer.content_type != "application/problem+json":
            yield f"content type {answer.content_type} is not that of a problem"
            return
        yield from self._off(answer, json.dumps({"$ref": "#/components/schemas/Problem"}))

    def _off(self, answer: TestResponse, schema: str) -> Iterator[str]:
        for error in self._validator(schema).iter_errors(json.loads(answer.data)):
            yield f"{error.json_path}: {error.message[:300]}"

    def _made(self, schema: str) -> Draft202012Validator:
        whole = {**json.loads(schema), "components": self._components}
        return Draft202012Validator(whole, format_checker=FORMATS)


def _header_mistakes(described: Mapping[str, Any], answer: TestResponse) -> Iterator[str]:
    """Yield what is wrong with the headers that are this route's own: those that say nothing of every answer."""
    for name, value in answer.headers.items():
        if name in described:
            for error in Draft202012Validator(described[name].get("schema", {})).iter_errors(value):
                yield f"header {name}: {error.message}"
        elif name.startswith("X-") and name not in OF_EVERY_ANSWER:
            yield f"header {name} is not described"


_contracts: WeakKeyDictionary[Flask, Contract] = WeakKeyDictionary()


def contract_of(app: Flask) -> Contract:
    """Return what an app promises."""
    if app not in _contracts:
        _contracts[app] = Contract(app.extensions["pms_description"].document)
    return _contracts[app]


class CheckedClient(FlaskClient):
    """A test client that compares each answer with the description of the app."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Send a request."""
        answer = super().open(*args, **kwargs)
        method, path = answer.request.method, answer.request.path
        if method in {"OPTIONS", "HEAD"} or "pms_description" not in self.application.extensions:
            return answer
        rule = _rule(self.application, method, path)
        contract = contract_of(self.application)
        if rule is None:
            wrong = [] if answer.status_code in OFF_THE_MAP else [f"status {answer.status_code} off the map"]
            wrong += contract.problem_mistakes(answer)
        else:
            wrong = [*contract.mistakes(rule, method, answer)]
        assert not wrong, f"{method} {path} -> {answer.status_code}: {wrong}"
        return answer


def _rule(app: Flask, method: str, path: str) -> str | None:
    """Return the described address that a request is for, None where there is none."""
    try:
        rule, _ = app.url_map.bind("localhost").match(path, method=method, return_rule=True)
    except HTTPException:
        return None
    return rule.rule.replace("<", "{").replace(">", "}")
