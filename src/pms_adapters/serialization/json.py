"""JSON from outside: with caps on size, depth and digits, and without floats.

Owns reading bytes as ``Json`` and writing it back. A number with a fraction comes as the text that it was written
as, so that no amount of money passes through a float. Characters that no store keeps (NUL, halves of pairs) come as
the replacement character: one odd name must not hide a whole page. Leaves what the values mean to the caller.
"""

from __future__ import annotations

import json
import re
from typing import Final, NoReturn

from pms_adapters.serialization.unreadable import UnreadableError
from pmscore.kernel.events import Json

__all__ = ["parse", "written"]

MOST_BYTES: Final = 1_000_000
MOST_DEPTH: Final = 32
MOST_DIGITS: Final = 18

_NO_BRACKET: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[^\[\]{}"]+', re.DOTALL)
_ODD: Final = re.compile(r"[\x00\ud800-\udfff]")


def parse(body: bytes, *, most_bytes: int = MOST_BYTES, most_depth: int = MOST_DEPTH) -> Json:
    """Return what ``body`` says.

    Raises:
        UnreadableError: it is larger or deeper than it may be, not UTF-8, or no JSON; ``reason`` says which.
    """
    if len(body) > most_bytes:
        raise UnreadableError("too_large", most=most_bytes)
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableError("not_utf8") from error
    _check_depth(text, most_depth)
    try:
        found = json.loads(text, parse_int=_integer, parse_float=str, parse_constant=_refused)
    except ValueError as error:
        raise UnreadableError("not_json") from error
    # Odd characters come by escapes alone: as they are, neither UTF-8 nor JSON has them.
    return _clean(found) if "\\u" in text else found


def written(value: Json) -> bytes:
    """Return ``value`` as compact JSON in UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _check_depth(text: str, most: int) -> None:
    """Refuse what is nested too deep before the recursive reader sees it."""
    depth = 0
    for mark in _NO_BRACKET.sub("", text):
        if mark in "[{":
            depth += 1
            if depth > most:
                raise UnreadableError("too_deep", most=most)
        elif mark in "]}":
            depth -= 1


def _integer(text: str) -> int:
    if len(text.lstrip("-")) > MOST_DIGITS:
        raise UnreadableError("too_many_digits", most=MOST_DIGITS)
    return int(text)


def _refused(_: str) -> NoReturn:
    raise UnreadableError("not_json")


def _clean(value: Json) -> Json:
    if isinstance(value, str):
        return _ODD.sub("\ufffd", value)
    if isinstance(value, list):
        return [_clean(each) for each in value]
    if isinstance(value, dict):
        return {_ODD.sub("\ufffd", name): _clean(each) for name, each in value.items()}
    return value
