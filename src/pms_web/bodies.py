"""Reading JSON that a stranger has sent.

Owns size, depth, encoding and syntax: what comes out is plain JSON of bounded depth in which every number is an
integer. Leaves the meaning of its members to ``schemas``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Json

__all__ = ["LARGEST_BODY", "UnsupportedMediaError", "fingerprint", "parse_json"]

LARGEST_BODY = 1 << 20
DEEPEST = 12
LONGEST_NUMBER = 40


class UnsupportedMediaError(Exception):
    """The body is not said to be JSON."""


def parse_json(body: bytes, content_type: str) -> dict[str, Json]:
    """Return the object that ``body`` holds.

    Raises:
        UnsupportedMediaError: the content type is not JSON.
        InvalidInputError: field ``body``; not UTF-8, not JSON, nested too deeply, a member named twice, a number
            with a fraction or too many digits, or not an object.
    """
    media = content_type.partition(";")[0].strip().lower()
    if media != "application/json" and not (media.startswith("application/") and media.endswith("+json")):
        raise UnsupportedMediaError(media)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInputError("body", "not_utf8") from error
    _check_depth(text)
    try:
        parsed = json.loads(
            text,
            object_pairs_hook=_members,
            parse_float=_refuse_fraction,
            parse_int=_whole,
            parse_constant=_refuse_constant,
        )
    except (json.JSONDecodeError, RecursionError) as error:
        raise InvalidInputError("body", "not_json") from error
    if not isinstance(parsed, dict):
        raise InvalidInputError("body", "not_an_object")
    return parsed


def fingerprint(method: str, path: str, body: Mapping[str, Json]) -> str:
    """Return a hash of the request that does not depend on white space or the order of members."""
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{method} {path.rstrip('/')}\n{canonical}".encode()).hexdigest()


def _check_depth(text: str) -> None:
    """Refuse deep nesting before the parser goes into it; brackets inside strings do not count."""
    if text.count("{") + text.count("[") <= DEEPEST:
        return
    depth = 0
    is_quoted = is_escaped = False
    for character in text:
        if is_quoted:
            if is_escaped:
                is_escaped = False
            elif character == "\\":
                is_escaped = True
            elif character == '"':
                is_quoted = False
        elif character == '"':
            is_quoted = True
        elif character in "[{":
            depth += 1
            if depth > DEEPEST:
                raise InvalidInputError("body", "too_deep", most=DEEPEST)
        elif character in "]}":
            depth -= 1


def _members(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise InvalidInputError("body", "member_twice")
    return members


def _whole(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER:
        raise InvalidInputError("body", "number_too_long", most=LONGEST_NUMBER)
    return int(digits)


def _refuse_fraction(_: str) -> int:
    raise InvalidInputError("body", "fraction")


def _refuse_constant(_: str) -> int:
    raise InvalidInputError("body", "not_json")
