"""Which version the web process runs, told in Redis so that a worker can compare before it begins.

Owns one key. It is a note, not a lock: where it is missing nothing is known, and nothing is refused.
"""

from __future__ import annotations

import json

from attrs import asdict, frozen
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from pmscore.kernel.errors import UnreachableError

__all__ = ["API_KEY", "Running", "find_running", "tell_running"]

API_KEY = "pms:api"
_SECONDS = 3.0


@frozen(kw_only=True)
class Running:
    """A version of the program, and the commit that it was built from."""

    version: str
    commit: str

    def __str__(self) -> str:
        return f"version {self.version}, commit {self.commit}"


def tell_running(url: str, running: Running) -> None:
    """Say which version serves the app.

    Raises:
        UnreachableError: Redis is away, or full.
    """
    with _client(url) as client:
        try:
            client.set(API_KEY, json.dumps(asdict(running)))
        except (RedisError, OSError) as error:
            raise _away(error) from error


def find_running(url: str) -> Running | None:
    """Return which version serves the app, None where nobody has said so.

    Raises:
        UnreachableError: Redis is away.
    """
    with _client(url) as client:
        try:
            text = client.get(API_KEY)
        except (RedisError, OSError) as error:
            raise _away(error) from error
    try:
        return Running(**json.loads(str(text))) if text is not None else None
    except (ValueError, TypeError):
        return None


def _client(url: str) -> Redis:
    return Redis.from_url(
        url,
        socket_timeout=_SECONDS,
        socket_connect_timeout=_SECONDS,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    )


def _away(error: Exception) -> UnreachableError:
    return UnreachableError(reason="redis", said=str(error)[:200])
