"""Locks on aggregates, held by transactions until they end.

Owns who holds what and who waits for how long; knows nothing of what is locked.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable
from datetime import timedelta

__all__ = ["LockTable"]


class LockTable:
    """Exclusive locks by name; the mutex that guards them guards the whole store."""

    def __init__(self, timeout: timedelta) -> None:
        self._timeout = timeout.total_seconds()
        self._owners: dict[Hashable, int] = {}
        self._held: dict[int, list[Hashable]] = {}
        self.mutex = threading.Condition(threading.RLock())

    def acquire(self, name: Hashable, owner: int) -> bool:
        """Give ``owner`` the lock, waiting for it if need be; False if it was not granted in time."""
        with self.mutex:
            if not self.mutex.wait_for(lambda: self._owners.get(name, owner) == owner, self._timeout):
                return False
            self._give(name, owner)
            return True

    def acquire_free(self, name: Hashable, owner: int) -> bool:
        """Give ``owner`` the lock if nobody else has it, without waiting; return whether it has it."""
        with self.mutex:
            if self._owners.get(name, owner) != owner:
                return False
            self._give(name, owner)
            return True

    def release_all(self, owner: int) -> None:
        """Free every lock of ``owner``."""
        with self.mutex:
            held = self._held.pop(owner, None)
            if held is None:
                return
            for name in held:
                del self._owners[name]
            self.mutex.notify_all()

    def _give(self, name: Hashable, owner: int) -> None:
        if name not in self._owners:
            self._owners[name] = owner
            self._held.setdefault(owner, []).append(name)
