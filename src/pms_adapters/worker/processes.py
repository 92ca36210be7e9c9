"""The two loops of a worker: carrying the log on, and working the queue off.

Owns how each starts over after its server was away, and ends when it is told to: what is being done is finished
first. Leaves starting them, and starting them again, to ``supervisor``.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType

from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from pms_adapters.bootstrap import set_up_logs
from pms_adapters.postgres.leases import LeaseLostError
from pms_adapters.queue.rq_queue import QUEUE, open_redis, redis_answers
from pms_adapters.settings import Settings
from pms_adapters.worker.jobs import use_runtime
from pms_adapters.worker.registry import Registered
from pms_adapters.worker.relay import RelayLimits
from pms_adapters.worker.runtime import Runtime, open_runtime
from pmscore.kernel.errors import PmsError

__all__ = ["carry_on", "drain", "end_on_signals", "relay_process", "work_off", "worker_process"]

IDLE_SECONDS = 0.05
"""How long a relay that found nothing waits: an event on its way to a platform meets this pause twice, and a look is cheap."""

LONGEST_PAUSE_SECONDS = 5.0
_LISTEN_SECONDS = 30

_log = logging.getLogger("pms.worker")


def end_on_signals(end: Callable[[], None]) -> None:
    """Call ``end`` on SIGTERM and SIGINT."""

    def handle(_: int, __: FrameType | None) -> None:
        end()

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)


def carry_on(
    runtime: Runtime, ended: threading.Event, *, is_alone: Callable[[], bool] = lambda: False
) -> None:
    """Carry the logs on until ``ended``, or until whoever started this is gone (``is_alone``)."""
    pause = IDLE_SECONDS
    while not ended.is_set() and not is_alone():
        try:
            pause = IDLE_SECONDS if not runtime.relay.round() else 0.0
        except LeaseLostError:
            pause = IDLE_SECONDS
        except PmsError as error:
            pause = min(LONGEST_PAUSE_SECONDS, max(pause, IDLE_SECONDS) * 2)
            _log.warning("the database does not answer (%s); again in %g s", error, pause)
            runtime.services.engine.dispose()
        if pause:
            ended.wait(pause)
    try:
        runtime.relay.stop()
    except PmsError as error:
        _log.warning("leases end by themselves: %s", error)


def work_off(runtime: Runtime) -> None:
    """Run all jobs that wait in the queue, in this process, and return.

    Raises:
        UnreachableError: Redis is away.
    """
    use_runtime(runtime)
    try:
        with redis_answers():
            _rq_worker(runtime).work(burst=True, logging_level="WARNING")
    finally:
        use_runtime(None)


def drain(settings: Settings, registered: Registered | None = None) -> int:
    """Do all that is due by now, in this process, and return how many jobs were run.

    What is due later (a seal in a second, a try in four) is left to the next worker.

    Raises:
        UnreachableError: a server is away.
    """
    limits = RelayLimits(seal=0.0)
    with open_runtime(settings, registered=registered, limits=limits) as runtime:
        count = 0
        while runtime.relay.round() or len(runtime.queue):
            count += len(runtime.queue)
            work_off(runtime)
        runtime.relay.stop()
    return count


def relay_process(settings: Settings, parent: int) -> None:
    """Run the relay with sweeper and schedules as a process of its own, until SIGTERM."""
    ended = threading.Event()
    end_on_signals(ended.set)
    set_up_logs(settings)
    with open_runtime(settings) as runtime:
        carry_on(runtime, ended, is_alone=lambda: os.getppid() != parent)


def worker_process(settings: Settings, parent: int, registered: Registered | None = None) -> None:
    """Work the queue off as a process of its own, until SIGTERM; ends when Redis goes away."""
    set_up_logs(settings)
    with (
        open_runtime(settings, registered=registered) as runtime,
        # Waiting for the next job takes longer than any answer.
        open_redis(settings.redis_url or "", seconds=None) as patient,
    ):
        use_runtime(runtime)
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
        _rq_worker(runtime, patient).work(logging_level="WARNING")


def _rq_worker(runtime: Runtime, client: object | None = None) -> SimpleWorker:
    connection = client or runtime.redis
    queue = Queue(QUEUE, connection=connection, serializer=JSONSerializer)  # type: ignore[arg-type]
    return SimpleWorker(
        [queue],
        connection=connection,  # type: ignore[arg-type]
        serializer=JSONSerializer,
        worker_ttl=_LISTEN_SECONDS + 15,
        job_monitoring_interval=_LISTEN_SECONDS,
        log_job_description=False,
    )


def _end_with(parent: int) -> None:
    """End this process when the one that started it is gone without a word."""
    while os.getppid() == parent:
        threading.Event().wait(1.0)
    os.kill(os.getpid(), signal.SIGTERM)
