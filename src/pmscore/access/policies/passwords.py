"""What a password must be, before it is hashed.

Owns the rule: long, and none that everybody tries first. No rule asks for digits or signs, which make
passwords worse.
"""

from __future__ import annotations

import re
import unicodedata

from pmscore.kernel.errors import InvalidInputError

__all__ = ["ADVISED_LENGTH", "LONGEST_PASSWORD", "SHORTEST_PASSWORD", "checked_password", "prepared"]

SHORTEST_PASSWORD = 12
ADVISED_LENGTH = 15
LONGEST_PASSWORD = 256

# What the lists of leaked passwords hold at twelve characters and more, reduced to its stem.
_COMMON = frozenset(
    [
        "password", "passwort", "passw0rd", "pa55word", "motdepasse", "contrasena", "wachtwoord", "senha",
        "qwerty", "qwertyuiop", "qwertz", "qwertzuiop", "azerty", "asdfgh", "asdfghjkl", "zxcvbnm", "qazwsx",
        "qazwsxedc", "letmein", "iloveyou", "welcome", "willkommen", "administrator", "admin", "changeme",
        "default", "secret", "geheim", "monkey", "dragon", "football", "baseball", "superman", "sunshine",
        "princess", "trustno", "hotel", "pmscore", "correcthorsebatterystaple",
    ]
)  # fmt: skip
_RUNS = (
    "01234567890123456789012345678901234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
)
_NOT_LETTERS = re.compile(r"[\W\d_]+")


def prepared(password: str) -> str:
    """Return a password in the one form that is hashed: the same keys give the same text on every device."""
    return unicodedata.normalize("NFKC", password)


def checked_password(password: str, *, email: str = "", field: str = "password") -> str:
    """Return a new password, prepared.

    Raises:
        InvalidInputError: too short, too long, not storable, or among the first that anybody would try.
    """
    text = prepared(password)
    if len(text) < SHORTEST_PASSWORD:
        raise InvalidInputError(field, "too_short", least=SHORTEST_PASSWORD, advised=ADVISED_LENGTH)
    if len(text) > LONGEST_PASSWORD:
        raise InvalidInputError(field, "too_long", longest=LONGEST_PASSWORD)
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidInputError(field, "lone_surrogate")
    if _is_common(text.lower(), email.lower()):
        raise InvalidInputError(field, "too_common")
    return text


def _is_common(text: str, email: str) -> bool:
    letters = _NOT_LETTERS.sub("", text)
    stems = {
        letters,
        letters.removesuffix("x"),
        letters[: len(letters) // 2] if _is_doubled(letters) else letters,
    }
    return (
        len(set(text)) < 5
        or not stems.isdisjoint(_COMMON)
        or any(text in run or text in run[::-1] for run in _RUNS)
        or (bool(email) and text in {email, email.partition("@")[0]})
    )


def _is_doubled(letters: str) -> bool:
    half = len(letters) // 2
    return len(letters) % 2 == 0 and letters[:half] == letters[half:]
