"""A store with a planted bug: it checks first and inserts later, as most systems once did.

For positive controls only: a test that guards against double bookings must find some here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pmscore.kernel.errors import NightsTakenError
from pmscore.kernel.events import Json, OnceKey
from pmscore.testing.books import OnceName
from pmscore.testing.memory import InMemoryStore
from pmscore.testing.transaction import Transaction

__all__ = ["NaiveStore"]


class NaiveStore(InMemoryStore):
    """Looks whether nights are free, then calls ``between``, then writes without looking again."""

    def __init__(self, between: Callable[[], None]) -> None:
        super().__init__()
        self._between = between

    def commit(
        self, transaction: Transaction, once: tuple[OnceName, OnceKey, Mapping[str, Json]] | None
    ) -> None:
        """Write what was judged a moment ago, and the reply under its key."""
        transaction.check_open()
        books, changes = transaction.books, transaction.changes
        with self._locks.mutex:
            update = books.judged(changes)
        if update.violations:
            raise NightsTakenError(tuple(update.violations))
        if changes.stock:
            self._between()
        with self._locks.mutex:
            books.put(changes, update)
            if once is not None:
                name, key, reply = once
                books.replies[name] = (key.fingerprint, reply)
        self._end(transaction)
