"""What was looked up a moment ago.

Owns how long and how much is remembered. Whatever was withdrawn elsewhere still counts here until its time is up, so
the time is short.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from pmscore.kernel.ports import Clock

__all__ = ["LIFETIME", "Remembered"]

KeyT = TypeVar("KeyT", bound=Hashable)
ValueT = TypeVar("ValueT")

LIFETIME = timedelta(seconds=5)
"""How long another process may go on with what was withdrawn; the one that withdraws it forgets at once."""
MOST_ENTRIES = 10_000


class Remembered(Generic[KeyT, ValueT]):
    """A bounded memory of answers other than None, shared by the threads of a process."""

    def __init__(self, clock: Clock, *, lifetime: timedelta = LIFETIME, most: int = MOST_ENTRIES) -> None:
        self._clock = clock
        self._lifetime = lifetime
        self._most = most
        self._lock = threading.Lock()
        self._entries: OrderedDict[KeyT, tuple[datetime, ValueT]] = OrderedDict()
        self._forgettings = 0

    def get(self, key: KeyT, look: Callable[[], ValueT | None]) -> ValueT | None:
        """Return what is remembered, else what ``look`` finds."""
        now = self._clock.now()
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and now - self._lifetime < entry[0] <= now:
                return entry[1]
            forgettings = self._forgettings
        found = look()
        # What was read before a withdrawal must not be put back after it.
        with self._lock:
            if found is None:
                self._entries.pop(key, None)
            elif forgettings == self._forgettings:
                self._entries[key] = (now, found)
                self._entries.move_to_end(key)
                if len(self._entries) > self._most:
                    self._entries.popitem(last=False)
        return found

    def put(self, key: KeyT, value: ValueT) -> None:
        """Replace what is remembered, for as long as it would have been."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None:
                self._entries[key] = (entry[0], value)

    def forget(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self._forgettings += 1

    def __len__(self) -> int:
        return len(self._entries)
