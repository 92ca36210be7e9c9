"""One open transaction in memory: its locks, and what it will write.

Owns the buffer that repositories read through and write into. Leaves the commit to ``memory``.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TypeVar

from attrs import Factory, define

from pmscore.kernel.errors import BusyError, MisuseError, NotFoundError
from pmscore.kernel.events import Command, Event
from pmscore.testing.books import Books, Changes
from pmscore.testing.locks import LockTable

__all__ = ["Transaction"]

KeyT = TypeVar("KeyT", bound=Hashable)
AggregateT = TypeVar("AggregateT")


@define(eq=False)
class Transaction:
    """The state of a transaction between its beginning and its end."""

    number: int
    command: Command
    books: Books
    locks: LockTable
    events: list[Event] = Factory(list[Event])
    is_over: bool = False
    _locked: set[tuple[str, object]] = Factory(set[tuple[str, object]])
    _changes: Changes | None = None

    @property
    def changes(self) -> Changes:
        """What it will write."""
        if self._changes is None:
            self._changes = Changes()
        return self._changes

    def check_open(self) -> None:
        """Refuse further use after the end.

        Raises:
            MisuseError: the transaction was committed or left.
        """
        if self.is_over:
            raise MisuseError(reason="transaction_is_over")

    def locked(
        self,
        kind: str,
        key: KeyT,
        committed: Mapping[KeyT, AggregateT],
        pending: Mapping[KeyT, AggregateT | None],
    ) -> AggregateT:
        """Return the aggregate, locked until the end: this transaction's own version, else the committed one.

        Raises:
            NotFoundError: there is none.
            BusyError: the lock was not granted in time.
        """
        self.check_open()
        with self.locks.mutex:
            if key in committed or key in pending:
                self.lock(kind, key)
            found = pending[key] if key in pending else committed.get(key)
        if found is None:
            raise NotFoundError(kind, key)
        return found

    def lock(self, kind: str, key: Hashable) -> None:
        """Lock an aggregate until the end.

        Raises:
            BusyError: the lock was not granted in time.
        """
        if not self.locks.acquire((self.command.agency_id, kind, key), self.number):
            raise BusyError(kind=kind, id=str(key))
        self._locked.add((kind, key))

    def check_locked(self, kind: str, key: Hashable) -> None:
        """Refuse to write what was not read and locked in this transaction.

        Raises:
            MisuseError: it was not.
        """
        self.check_open()
        if (kind, key) not in self._locked:
            raise MisuseError(reason="saved_without_reading", kind=kind, id=str(key))

    def lock_new(self, kind: str, key: Hashable) -> None:
        """Lock the id of something new; whether it is new is judged at the commit, after the key."""
        self.check_open()
        self.lock(kind, key)
        self.changes.added.add((kind, key))
