"""One process of the worker, put together: database, queue, feed, relay and reactor.

Owns which due work comes with pmscore itself. Leaves looping and ending to ``processes``.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from uuid import UUID

from attrs import frozen
from redis import Redis

from pms_adapters.bootstrap import connect
from pms_adapters.postgres.inbox import INBOX
from pms_adapters.postgres.schedules import SCHEDULES
from pms_adapters.queue.rq_queue import RqJobQueue, open_redis
from pms_adapters.redis.feed import RedisFeed
from pms_adapters.settings import Settings
from pms_adapters.worker.overdue import sweep_inbox
from pms_adapters.worker.reacting import Reactor
from pms_adapters.worker.registry import Asks, DueWork, Registered, find_registered
from pms_adapters.worker.relay import REACT, Asker, DueHandler, Relay, RelayLimits
from pms_adapters.worker.schedules import run_schedules
from pms_adapters.worker.services import WorkerServices
from pmscore.kernel.errors import MisconfiguredError, MisuseError
from pmscore.kernel.ids import AgencyId, EventId
from pmscore.kernel.ports import Clock

__all__ = ["Runtime", "open_runtime"]


@frozen(kw_only=True)
class Runtime:
    """What a worker process works with."""

    settings: Settings
    services: WorkerServices
    redis: Redis
    queue: RqJobQueue
    registered: Registered
    relay: Relay
    reactor: Reactor

    def run_job(self, name: str, ids: tuple[UUID, ...]) -> None:
        """Run a job from the queue; the first id is the agency's.

        Raises:
            MisuseError: there is no such job, or no id.
        """
        if not ids:
            raise MisuseError(job=name, reason="no_agency")
        agency_id, rest = AgencyId(ids[0]), ids[1:]
        if name == REACT:
            self.reactor.take_in(agency_id, tuple(EventId(each) for each in rest))
            return
        found = self.registered.jobs.get(name)
        if found is None:
            raise MisuseError(job=name, reason="unknown")
        found(agency_id, rest, self.services)


@contextmanager
def open_runtime(
    settings: Settings,
    *,
    registered: Registered | None = None,
    limits: RelayLimits | None = None,
    clock: Clock | None = None,
) -> Iterator[Runtime]:
    """Yield the parts of a worker process; nothing is asked of a server before it is needed.

    In production a login that row-level security does not hold is refused.

    Raises:
        MisconfiguredError: no database or no Redis is named.
    """
    if settings.redis_url is None:
        raise MisconfiguredError(reason="no_redis_url")
    known = find_registered() if registered is None else registered
    chosen = limits or RelayLimits()
    redis = open_redis(settings.redis_url)
    queue = RqJobQueue(redis)
    with connect(settings, clock=clock, refuses_unsafe_role=settings.is_production) as parts, redis:
        services = WorkerServices(
            engine=parts.engine,
            uow=parts.uow,
            clock=parts.clock,
            ids=parts.ids,
            queue=queue,
            settings=settings,
            webhooks=parts.webhooks,
            channels=parts.channels,
        )
        relay = Relay(
            engine=parts.engine,
            queue=queue,
            feed=RedisFeed(redis),
            reactions=known.reactions,
            holder=f"{socket.gethostname()}:{os.getpid()}",
            limits=chosen,
            due_handlers=_handlers(services, queue, known, chosen),
            askers=_askers(services, known),
        )
        yield Runtime(
            settings=settings,
            services=services,
            redis=redis,
            queue=queue,
            registered=known,
            relay=relay,
            reactor=Reactor(services, known.reactions),
        )


def _askers(services: WorkerServices, known: Registered) -> dict[str, Asker]:
    def asker(asks: Asks) -> Asker:
        def ask(agency_id: AgencyId) -> tuple[str, ...]:
            return asks(agency_id, services)

        return ask

    return {name: asker(each.asks) for name, each in known.reactions.items() if each.asks is not None}


def _handlers(
    services: WorkerServices, queue: RqJobQueue, known: Registered, limits: RelayLimits
) -> dict[str, DueHandler]:
    def handler(does: DueWork) -> DueHandler:
        def handle(agency_id: AgencyId) -> datetime | None:
            return does(agency_id, services)

        return handle

    return {
        INBOX: partial(sweep_inbox, services=services, queue=queue, limits=limits),
        SCHEDULES: partial(run_schedules, services=services),
        **{kind: handler(does) for kind, does in known.due_work.items()},
    }
