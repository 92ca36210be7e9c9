"""RQ behind the core's job-queue port: names and ids, nothing else.

Owns how a job is put on the queue and what is said when it cannot be. Leaves running jobs to ``worker``. A job may
come twice and may be lost with Redis; whoever enqueues keeps in PostgreSQL what is to be done.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer

from pmscore.kernel.errors import UnreachableError
from pmscore.kernel.ports import JobQueue

__all__ = ["ENTRY_POINT", "QUEUE", "RqJobQueue", "open_redis", "redis_answers"]

QUEUE = "pms"
ENTRY_POINT = "pms_adapters.worker.jobs.run_job"
JOB_SECONDS = 300


def open_redis(url: str, *, seconds: float | None = 2.0) -> Redis:
    """Return a client that gives up after so many seconds and never tries again by itself."""
    return Redis.from_url(
        url, socket_timeout=seconds, socket_connect_timeout=seconds or 2.0, retry=Retry(NoBackoff(), 0)
    )


@contextmanager
def redis_answers() -> Iterator[None]:
    """Turn what Redis does not do inside into an error of the tree.

    Raises:
        UnreachableError: it is away, or full; ``said`` has its words.
    """
    try:
        yield
    except (RedisError, OSError) as error:
        raise UnreachableError(reason="redis", said=str(error)[:200]) from error


class RqJobQueue(JobQueue):
    """Puts jobs on one RQ queue; safe to share between threads."""

    def __init__(self, client: Redis, *, name: str = QUEUE) -> None:
        # An entry whose job RQ could not find would end a worker, so nothing of a job expires before it is run.
        self._queue = Queue(name, connection=client, serializer=JSONSerializer, default_timeout=JOB_SECONDS)

    def enqueue(self, job: str, *ids: UUID) -> None:
        """Ask for ``job`` to be run at least once with ``ids``.

        Raises:
            UnreachableError: Redis is away, or full; nothing was asked.
        """
        self.enqueue_all([(job, ids)])

    def enqueue_all(self, jobs: Sequence[tuple[str, Sequence[UUID]]]) -> None:
        """Ask for several jobs in one round trip, in this order.

        Raises:
            UnreachableError: Redis is away, or full; some may have been asked for.
        """
        if not jobs:
            return
        prepared = [
            Queue.prepare_data(
                ENTRY_POINT,
                args=(name, *(str(each) for each in ids)),
                result_ttl=0,
                failure_ttl=0,
                timeout=JOB_SECONDS,
                description=name,
            )
            for name, ids in jobs
        ]
        with redis_answers():
            self._queue.enqueue_many(prepared)

    def __len__(self) -> int:
        """Return how many jobs wait."""
        with redis_answers():
            return int(self._queue.count)
