"""Argon2 behind the core's port for hashing passwords.

Owns cost and library. What a password must be stands in ``pmscore.access.policies.passwords``.
"""

from __future__ import annotations

import threading

from argon2 import PasswordHasher as Argon2
from argon2.exceptions import InvalidHashError, VerificationError

from pmscore.access.ports import PasswordHasher

__all__ = ["Argon2Passwords"]

# RFC 9106 names 64 MiB and three passes where memory is short of two gigabytes; with that, a web process must not hash
# many at once: each hash in flight holds its memory.
MOST_AT_ONCE = 4


class Argon2Passwords(PasswordHasher):
    """Argon2id; by default three passes over 64 MiB, one lane, as slow for us as for whoever steals the hashes."""

    def __init__(self, *, passes: int = 3, memory_kib: int = 65_536) -> None:
        self._argon2 = Argon2(time_cost=passes, memory_cost=memory_kib, parallelism=1)
        # Compared with where there is no account, so that this takes as long as where there is one; no password has it.
        parameters = f"m={memory_kib},t={passes},p=1"
        self._nobody = f"$argon2id$v=19${parameters}${'A' * 22}${'A' * 43}"
        self._free = threading.BoundedSemaphore(MOST_AT_ONCE)

    def hash(self, password: str) -> str:
        """Return the hash, with salt and parameters in it."""
        with self._free:
            return self._argon2.hash(password)

    def matches(self, password_hash: str | None, password: str) -> bool:
        """Return whether it is the password; for None, False after the same work."""
        with self._free:
            try:
                self._argon2.verify(password_hash or self._nobody, password)
            except (VerificationError, InvalidHashError, UnicodeEncodeError):
                return False
        return password_hash is not None

    def needs_rehash(self, password_hash: str) -> bool:
        """Return whether it was made with other parameters."""
        return self._argon2.check_needs_rehash(password_hash)
