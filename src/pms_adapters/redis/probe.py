"""Whether a Redis answers, in a moment or not at all.

Owns the question of readiness and doctor. The server's own words are passed on, since they say what is wrong with
a password; the password itself is in none of them.
"""

from __future__ import annotations

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from pmscore.kernel.errors import UnreachableError

__all__ = ["ping_redis"]


def ping_redis(url: str, *, seconds: float = 1.0) -> str:
    """Return the version of the Redis at ``url``.

    Raises:
        UnreachableError: it does not answer, or not to this password; ``said`` has its words.
    """
    try:
        with Redis.from_url(
            url, socket_timeout=seconds, socket_connect_timeout=seconds, retry=Retry(NoBackoff(), 0)
        ) as client:
            info = client.info("server")
    except (RedisError, ValueError, OSError) as error:
        raise UnreachableError(reason="redis", said=str(error)[:200]) from error
    version = info.get("redis_version") if isinstance(info, dict) else None
    return str(version or "unknown")
