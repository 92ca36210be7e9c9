"""Secrets: a text that never shows itself, and what the core needs to keep one.

Owns the masked value and two ports: a box that seals secrets for storing, and a source of new ones. Leaves ciphers
and keys to the adapters. Whoever needs the text says so by name (``reveal``), so a search finds every place.
"""

from __future__ import annotations

from abc import abstractmethod
from hmac import compare_digest
from typing import NoReturn, Protocol

from pmscore.kernel.errors import MisuseError
from pmscore.kernel.ids import AgencyId

__all__ = ["MASK", "Secret", "SecretBox", "SecretSource"]

MASK = "***"
"""What a secret shows in place of itself."""


class Secret:
    """A text that shows as three stars in ``repr``, ``str``, formatted texts, logs and tables.

    It is no ``str``, so a JSON encoder refuses it rather than writing it, and it cannot be pickled. Two secrets are
    equal when their texts are; the comparison takes the same time wherever they differ.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself, for the one place that needs it."""
        return self._text

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return compare_digest(self._text.encode(), other.reveal().encode())

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __reduce__(self) -> NoReturn:
        raise MisuseError(pickled="Secret")


class SecretBox(Protocol):
    """Seals secrets so that they can be stored, and opens them again.

    ``column`` says where the sealed text stands (``table.column``). A sealed text opens only for the agency and the
    column that it was sealed for: moved to another place it is worthless.
    """

    @abstractmethod
    def seal(self, agency_id: AgencyId, column: str, secret: Secret) -> str:
        """Return ``secret`` sealed with the newest key; another text each time.

        Raises:
            MisconfiguredError: there is no key.
        """

    @abstractmethod
    def open(self, agency_id: AgencyId, column: str, sealed: str) -> Secret:
        """Return what was sealed.

        Raises:
            MisconfiguredError: its key is not among ours (``key`` names it), or it was sealed for another place.
        """

    @abstractmethod
    def is_current(self, sealed: str) -> bool:
        """Return whether the newest key sealed it; if not, it waits for its next sealing."""


class SecretSource(Protocol):
    """Draws secrets that nobody can guess."""

    @abstractmethod
    def draw(self, size: int) -> bytes:
        """Return ``size`` random bytes."""
