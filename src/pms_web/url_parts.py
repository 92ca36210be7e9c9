"""Codes of others as a part of an address.

Owns how a code that may hold anything, a slash included, is written where only some characters can stand:
most stand as they are, others in base64 behind a mark. Law: each code has one form, and each form one code.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

__all__ = ["code_of", "url_part"]

_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_:-]{0,199}\Z")
_MARK: Final = "~"


def url_part(code: str) -> str:
    """Return a code as it stands in an address."""
    if _PLAIN.match(code):
        return code
    return _MARK + urlsafe_b64encode(code.encode()).rstrip(b"=").decode()


def code_of(part: str) -> str | None:
    """Return the code that a part of an address stands for; None where :func:`url_part` writes none so."""
    if not part.startswith(_MARK):
        return part if _PLAIN.match(part) else None
    written = part.removeprefix(_MARK)
    try:
        code = urlsafe_b64decode(written + "=" * (-len(written) % 4)).decode()
    except ValueError:
        return None
    return code if url_part(code) == part else None
