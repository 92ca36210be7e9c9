"""The sweeper: events that have waited too long, because Redis lost a job or a worker died, are enqueued again.

Owns the due work of the inbox. Tries that are to be repeated come this way too: they are due when they are due.
"""

from __future__ import annotations

from datetime import datetime

from pms_adapters.postgres.inbox import list_overdue, next_due_at, postpone
from pms_adapters.queue.rq_queue import RqJobQueue
from pms_adapters.worker.relay import RelayLimits, jobs_for
from pms_adapters.worker.services import WorkerServices
from pmscore.kernel.ids import AgencyId

__all__ = ["sweep_inbox"]

MOST_AT_ONCE = 2_000


def sweep_inbox(
    agency_id: AgencyId, services: WorkerServices, queue: RqJobQueue, limits: RelayLimits
) -> datetime | None:
    """Enqueue what is overdue; return when to look again, None where nothing waits.

    Raises:
        UnreachableError: queue or database did not answer; nothing is postponed that was not enqueued.
    """
    overdue = list_overdue(services.engine, agency_id, most=MOST_AT_ONCE)
    queue.enqueue_all(jobs_for(agency_id, overdue, limits.events_a_job))
    if overdue:
        postpone(services.engine, agency_id, overdue, seconds=limits.patience)
    return next_due_at(services.engine, agency_id)
