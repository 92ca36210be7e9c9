"""How secrets are written and remembered.

Owns the forms of API keys and links and the hash that is kept of every secret. A secret has 256 random bits,
so a plain SHA-256 of it cannot be turned back; passwords are hashed elsewhere, slowly.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import Final
from uuid import UUID

from pmscore.kernel.ids import AgencyId, ApiKeyId
from pmscore.kernel.secrets import SecretSource

__all__ = [
    "csrf_token",
    "fingerprint",
    "is_same",
    "key_text",
    "link_agency",
    "link_text",
    "new_secret",
    "read_key_id",
]

SECRET_BYTES: Final = 32

_KEY = re.compile(r"pms_([0-9a-f]{32})_[A-Za-z0-9_-]{32,128}\Z")
_LINK = re.compile(r"([0-9a-f]{32})\.[A-Za-z0-9_-]{32,128}\Z")


def new_secret(source: SecretSource) -> str:
    """Return 256 fresh random bits as 43 letters, digits, ``_`` and ``-``."""
    return base64.urlsafe_b64encode(source.draw(SECRET_BYTES)).decode().rstrip("=")


def fingerprint(secret: str) -> str:
    """Return what is kept of a secret: 64 hexadecimal digits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def is_same(one: str, other: str) -> bool:
    """Compare two texts in a time that does not tell where they differ."""
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


def key_text(key_id: ApiKeyId, secret: str) -> str:
    """Return an API key as a program sends it."""
    return f"pms_{key_id.hex}_{secret}"


def read_key_id(text: str) -> ApiKeyId | None:
    """Return the id in the text of an API key; None if the text is none."""
    match = _KEY.match(text)
    return None if match is None else ApiKeyId(UUID(match[1]))


def link_text(agency_id: AgencyId, secret: str) -> str:
    """Return the secret part of a one-time link; it names the agency in whose walls the link is kept."""
    return f"{agency_id.hex}.{secret}"


def link_agency(text: str) -> AgencyId | None:
    """Return the agency that a link names; None if the text is no link."""
    match = _LINK.match(text)
    return None if match is None else AgencyId(UUID(match[1]))


def csrf_token(session_secret: str) -> str:
    """Return the token that a page of this session sends with every change.

    It follows from the session's secret, which is kept nowhere but in the browser: neither a copy of the database nor
    another session gives it away, and the token does not give away the secret.
    """
    return hmac.new(session_secret.encode(), b"csrf", hashlib.sha256).hexdigest()
