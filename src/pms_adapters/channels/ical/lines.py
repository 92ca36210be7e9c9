"""Content lines of RFC 5545: what was folded is unfolded, and each line is cut into name, parameters and value.

Owns section 3.1 of the RFC, for lines as they really come (bare line feeds, a mark at the beginning, text that is no
UTF-8). Leaves components and what a value means to the reader.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from io import StringIO
from typing import Final

from attrs import field, frozen

from pms_adapters.serialization.unreadable import UnreadableError

__all__ = ["MOST_BYTES", "ContentLine", "content_lines", "folded", "unescaped"]

MOST_BYTES: Final = 2_000_000

_MOST_LINES: Final = 200_000
_MOST_PARAMS: Final = 50
_LONGEST_LINE: Final = 75
_NAME: Final = re.compile(r"[A-Za-z0-9-]+")
_MATTERS: Final = re.compile(
    r"(?:BEGIN|END|DTSTART|DTEND|DURATION|RRULE|RDATE|UID|STATUS|TRANSP)\b", re.IGNORECASE
)
_MARKS: Final = re.compile(r'[";:]')
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)


@frozen
class ContentLine:
    """One line; names of parameters are in capitals, and their values without quotes."""

    name: str
    value: str
    params: Mapping[str, str] = field(factory=dict[str, str])


def content_lines(body: bytes, *, most_bytes: int = MOST_BYTES) -> Iterator[ContentLine]:
    """Yield the lines of ``body``; one that is none is passed over, unless it was meant to say something that matters.

    Folds are undone before the text is decoded, because some writers fold in the middle of a character.

    Raises:
        UnreadableError: ``too_large``, ``too_many_lines`` or ``bad_line``.
    """
    if len(body) > most_bytes:
        raise UnreadableError("too_large", most=most_bytes)
    plain = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n ", b"").replace(b"\n\t", b"")
    if plain.count(b"\n") > _MOST_LINES:
        raise UnreadableError("too_many_lines", most=_MOST_LINES)
    text = plain.decode("utf-8-sig", "replace")
    for line in StringIO(text, newline="\n"):
        found = _cut(line.rstrip())
        if found is not None:
            yield found


def unescaped(value: str) -> str:
    """Return a value of type TEXT as it was meant."""
    return _ESCAPE.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)


def folded(line: str) -> bytes:
    """Return a line as it is sent: in UTF-8, no piece longer than 75 octets, no character torn, ended by CRLF."""
    pieces: list[bytes] = []
    piece = b""
    for character in line:
        octets = character.encode()
        if len(piece) + len(octets) > _LONGEST_LINE:
            pieces.append(piece)
            piece = b" "
        piece += octets
    return b"\r\n".join((*pieces, piece)) + b"\r\n"


def _cut(line: str) -> ContentLine | None:
    name = _NAME.match(line)
    rest = line[name.end() :] if name else ""
    if name and rest.startswith(":"):
        return ContentLine(name[0].upper(), rest[1:])
    parts = _parts(rest) if name and rest.startswith(";") else None
    if name is None or parts is None:
        if _MATTERS.match(line):
            raise UnreadableError("bad_line")
        return None
    *told, value = parts
    pairs = (each.partition("=") for each in told)
    return ContentLine(name[0].upper(), value, {key.upper(): text.replace('"', "") for key, _, text in pairs})


def _parts(rest: str) -> list[str] | None:
    """Return the parameters and the value; None where there is no value, or no end of them."""
    parts: list[str] = []
    begin, is_quoted = 1, False
    for found in _MARKS.finditer(rest, 1):
        mark = found[0]
        if mark == '"':
            is_quoted = not is_quoted
        elif not is_quoted:
            parts.append(rest[begin : found.start()])
            begin = found.end()
            if mark == ":":
                return [*parts, rest[begin:]]
            if len(parts) > _MOST_PARAMS:
                return None
    return None
