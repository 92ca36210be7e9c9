"""Floor of P19: RQ as it comes, one job an event, each run by a process that is forked for it.

Run as a script; ``python rq_one_event.py REDIS_URL EVENTS`` puts the jobs on the queue in one go, works them off and
says in how many seconds: the putting is not counted. The jobs do nothing, so nothing is measured but their dispatch.
"""

from __future__ import annotations

import sys
import time
from uuid import uuid4

from redis import Redis
from rq import Queue, Worker
from rq.serializers import JSONSerializer

__all__ = ["take_in"]

_JOB = "rq_one_event.take_in"


def take_in(event_id: str) -> None:
    """Do nothing with an event."""


def _work_off(url: str, events: int) -> float:
    with Redis.from_url(url) as client:
        queue = Queue(f"bench-{uuid4()}", connection=client, serializer=JSONSerializer)
        queue.enqueue_many([Queue.prepare_data(_JOB, args=(str(uuid4()),)) for _ in range(events)])
        worker = Worker([queue], connection=client, serializer=JSONSerializer, log_job_description=False)
        started = time.perf_counter()
        worker.work(burst=True, logging_level="ERROR")
        took = time.perf_counter() - started
        if queue.finished_job_registry.count != events:
            raise RuntimeError(f"of {events} jobs {queue.finished_job_registry.count} were run")
        return took


if __name__ == "__main__":
    print(_work_off(sys.argv[1], int(sys.argv[2])))
