"""The system's clock, ids and secrets behind the core's ports.

Owns where time and randomness come from; the core never asks the system itself.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from threading import Lock
from uuid import UUID

from pmscore.kernel.ports import Clock, IdSource
from pmscore.kernel.secrets import SecretSource

__all__ = ["SystemClock", "SystemSecrets", "TimeOrderedIds"]

_VERSION_7 = 0x7 << 76
_VARIANT = 0b10 << 62


class SystemClock(Clock):
    """The machine's clock, in UTC."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class SystemSecrets(SecretSource):
    """The machine's randomness."""

    def draw(self, size: int) -> bytes:
        return os.urandom(size)


class TimeOrderedIds(IdSource):
    """UUIDs of version 7 (RFC 9562): 48 bits of milliseconds, then 74 random bits.

    They sort by the time of their making, so new rows land beside each other in an index; a clock that is
    set back does not make them sort before those that this process has drawn already.
    """

    def __init__(self) -> None:
        self._latest_ms = 0
        self._lock = Lock()

    def new(self) -> UUID:
        random = int.from_bytes(os.urandom(10), "big")
        with self._lock:
            self._latest_ms = max(self._latest_ms, time.time_ns() // 1_000_000)
            milliseconds = self._latest_ms
        low = (random & 0x3FFF_FFFF_FFFF_FFFF) | _VARIANT
        middle = ((random >> 62) & 0xFFF) << 64
        return UUID(int=(milliseconds << 80) | _VERSION_7 | middle | low)
