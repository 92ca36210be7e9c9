"""Calls of somebody who visits a running app with nothing but the standard library, and what they expect.

Owns one call and what is said of an answer that is not the right one: the visitor of a demo starts in a
moment beside an app that is starting itself. Leaves what is tried to the self-check, and calls of apps
elsewhere to ``calling``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.client import HTTPConnection
from urllib.parse import urlsplit

from attrs import field, frozen

__all__ = ["Answer", "Caller", "CheckFailedError", "expected", "listed"]


class CheckFailedError(Exception):
    """An answer is not the one that was expected."""


@frozen
class Answer:
    """A status and the JSON object that came with it."""

    status: int
    body: Mapping[str, object]


@frozen
class Caller:
    """Somebody with a key who calls an address; without a key nothing is shown."""

    address: str
    key: str = field(default="", repr=False)

    def call(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Return the answer to one call.

        Raises:
            OSError: nobody answers.
            ValueError: what came is no JSON.
        """
        parts = urlsplit(self.address)
        connection = HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=20)
        try:
            sent = None if body is None else json.dumps(body)
            shown = {"Authorization": f"Bearer {self.key}"} if self.key else {}
            usual = {"Content-Type": "application/json", **shown}
            connection.request(method, path, sent, {**usual, **(headers or {})})
            response = connection.getresponse()
            parsed = json.loads(response.read())
        finally:
            connection.close()
        return Answer(response.status, parsed)


def expected(answer: Answer, wanted: int, /, **members: str) -> Mapping[str, object]:
    """Return the body of an answer.

    Raises:
        CheckFailedError: it has another status, or other members.
    """
    is_right = answer.status == wanted and all(
        answer.body.get(name) == text for name, text in members.items()
    )
    if not is_right:
        raise CheckFailedError(f"status {answer.status}: {json.dumps(answer.body)}")
    return answer.body


def listed(body: Mapping[str, object], name: str) -> list[dict[str, object]]:
    """Return a list of objects in a body.

    Raises:
        CheckFailedError: there is something else.
    """
    found = body[name]
    if not isinstance(found, list):
        raise CheckFailedError(f"{name} is no list")
    return found
