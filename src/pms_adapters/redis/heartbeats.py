"""Which workers live: each says so in Redis every few seconds, and what it said is forgotten soon after.

Owns saying and asking. A worker that reaches Redis no longer is no worker: it gets no jobs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from attrs import asdict, frozen
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from pmscore.kernel.errors import UnreachableError

__all__ = ["Heartbeat", "beat", "list_workers", "stop_beating"]

LASTS_SECONDS = 15
_NAMES = "pms:workers"
_ONE = "pms:worker:"


@frozen(kw_only=True)
class Heartbeat:
    """A worker that lives: its name, and the version and commit that it runs."""

    name: str
    version: str
    commit: str
    started_at: str


def beat(client: Redis, worker: Heartbeat) -> None:
    """Say that a worker lives.

    Raises:
        UnreachableError: Redis is away, or full.
    """
    with _answers(), client.pipeline(transaction=False) as pipeline:
        pipeline.set(_ONE + worker.name, json.dumps(asdict(worker)), ex=LASTS_SECONDS)
        pipeline.sadd(_NAMES, worker.name)
        pipeline.execute()


def stop_beating(client: Redis, worker: Heartbeat) -> None:
    """Say that a worker ends.

    Raises:
        UnreachableError: Redis is away.
    """
    with _answers(), client.pipeline(transaction=False) as pipeline:
        pipeline.delete(_ONE + worker.name)
        pipeline.srem(_NAMES, worker.name)
        pipeline.execute()


def list_workers(url: str, *, seconds: float = 3.0) -> tuple[Heartbeat, ...]:
    """Return the workers that live, by name.

    Raises:
        UnreachableError: Redis does not answer within ``seconds``.
    """
    with (
        _answers(),
        Redis.from_url(
            url,
            socket_timeout=seconds,
            socket_connect_timeout=seconds,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
        ) as client,
    ):
        names = sorted(map(str, client.smembers(_NAMES)))
        said = client.mget([_ONE + name for name in names]) if names else []
        gone = [name for name, text in zip(names, said, strict=True) if text is None]
        if gone:
            client.srem(_NAMES, *gone)
    return tuple(Heartbeat(**json.loads(text)) for text in said if text is not None)


@contextmanager
def _answers() -> Iterator[None]:
    try:
        yield
    except (RedisError, ValueError, OSError) as error:
        raise UnreachableError(reason="redis", said=str(error)[:200]) from error
