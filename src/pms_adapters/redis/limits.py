"""Counting requests a minute, in Redis for all processes, else in this one.

Owns what happens when Redis is not there: reads go on at the same measure for this process, log-in at a smaller one,
and the log says so once in a while. Leaves which measure a route has, and what a refusal says, to the web package.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Final

from limits import RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage, Storage
from limits.strategies import SlidingWindowCounterRateLimiter
from redis.exceptions import RedisError

from pms_adapters.redis.blocks import Blocks

__all__ = ["SharedLimits"]

PATIENCE_SECONDS: Final = 0.25
REST_SECONDS: Final = 2.0
"""How long Redis is left alone after it did not answer."""
STRICTER: Final = 4
"""By what log-in is divided while each process counts for itself."""
_log = logging.getLogger("pms.limits")


class SharedLimits:
    """Counts by measure and name; ``per_minute`` names the measures, ``guarded`` those that become stricter alone.

    Safe to share between threads. ``redis_url`` None counts for this process from the start.
    """

    def __init__(
        self,
        redis_url: str | None,
        per_minute: Mapping[str, int],
        *,
        guarded: frozenset[str] = frozenset(),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shared = None if redis_url is None else _counting_in(_redis(redis_url))
        self._alone = _counting_in(MemoryStorage())
        self._most = dict(per_minute)
        self._guarded = guarded
        self._monotonic = monotonic
        self._rests_until = 0.0
        self._blocks = Blocks(monotonic)

    def wait_seconds(self, allowance: str, who: str) -> int:
        """Count one request; return the seconds to wait where it is one too many, else zero."""
        most = self._most[allowance]
        if self._shared is not None and self._monotonic() >= self._rests_until:
            try:
                return self._counted_in_blocks(self._shared, most, allowance, who)
            except (StorageError, RedisError, OSError) as error:
                self._rests_until = self._monotonic() + REST_SECONDS
                _log.warning(
                    "requests are counted by process: Redis does not answer (%s)", type(error).__name__
                )
        if allowance in self._guarded and self._shared is not None:
            most = max(1, most // STRICTER)
        return _counted(self._alone, most, allowance, who)

    def _counted_in_blocks(
        self, counter: SlidingWindowCounterRateLimiter, most: int, allowance: str, who: str
    ) -> int:
        """Count for all processes; a block that does not fit any more says nothing about the one request."""
        name = (allowance, who)
        if self._blocks.takes(name):
            return 0
        size = self._blocks.next_size(name, most)
        if size > 1 and counter.hit(RateLimitItemPerMinute(most), allowance, who, cost=size):
            self._blocks.put(name, size)
            return 0
        seconds = _counted(counter, most, allowance, who)
        if not seconds:
            self._blocks.put(name, 1)
        return seconds


def _redis(url: str) -> Storage:
    return RedisStorage(
        url,
        wrap_exceptions=True,
        key_prefix="pms:limits",
        socket_timeout=PATIENCE_SECONDS,
        socket_connect_timeout=PATIENCE_SECONDS,
    )


def _counting_in(storage: Storage) -> SlidingWindowCounterRateLimiter:
    return SlidingWindowCounterRateLimiter(storage)


def _counted(counter: SlidingWindowCounterRateLimiter, most: int, allowance: str, who: str) -> int:
    item = RateLimitItemPerMinute(most)
    if counter.hit(item, allowance, who):
        return 0
    return max(1, round(counter.get_window_stats(item, allowance, who).reset_time - time.time()))
