"""Text that every store can keep and every screen can show.

Owns the check of names, notes and codes at the edge; leaves their meaning to the contexts.
"""

from __future__ import annotations

import re

from pmscore.kernel.errors import InvalidInputError

__all__ = ["checked_code", "checked_text"]

_CODE = re.compile(r"[a-z0-9][a-z0-9_.:-]{0,63}\Z")


def checked_text(text: str, *, field: str, longest: int = 200, may_be_empty: bool = False) -> str:
    """Return ``text`` stripped of outer white space.

    Raises:
        InvalidInputError: empty (where it may not be), longer than ``longest`` characters, or holding a
            NUL, another control character but tab and line ends, or a lone surrogate.
    """
    stripped = text.strip()
    if not stripped and not may_be_empty:
        raise InvalidInputError(field, "empty")
    if len(stripped) > longest:
        raise InvalidInputError(field, "too_long", longest=longest)
    if not stripped.isprintable():
        for character in stripped:
            if "\ud800" <= character <= "\udfff":
                raise InvalidInputError(field, "lone_surrogate")
            if (character < " " and character not in "\t\n\r") or character == "\x7f":
                raise InvalidInputError(field, "control_character", code_point=ord(character))
    return stripped


def checked_code(text: str, *, field: str) -> str:
    """Return ``text`` if it is a code: lower-case letters, digits and ``_ . : -``, at most 64.

    Raises:
        InvalidInputError: it is anything else.
    """
    if not _CODE.match(text):
        raise InvalidInputError(field, "not_a_code", value=text[:64].encode("ascii", "replace").decode())
    return text
