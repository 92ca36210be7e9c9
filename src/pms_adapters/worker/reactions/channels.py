"""Channels: what happened is noted on the lanes that it may concern, and lanes that are due run on the queue.

Owns where the core meets the worker. The queue carries which lane is to run and nothing else, so nothing is
lost with it: what is due stands in the database, and the sweep of due work finds it again. Events of agencies
without a connection that syncs do not come here: the relay asks first.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import LiteralString, TypedDict
from uuid import UUID

from pms_adapters.bootstrap import with_retries
from pms_adapters.postgres.channel_lanes import CHANNEL_WORK, due_now
from pms_adapters.postgres.events import StoredEvent
from pms_adapters.postgres.session import Session
from pms_adapters.worker.registry import due_work, job, reaction
from pms_adapters.worker.services import WORKER, ReactionServices, WorkerServices
from pmscore.channels.reactions.noting import NOTED, Happened, Note, note_event
from pmscore.channels.reactions.recounting import RECOUNTED, Recount, recount_allotments
from pmscore.channels.reactions.running import LaneReport, RunLane, run_lane
from pmscore.channels.use_cases.operations import note_queued
from pmscore.channels.use_cases.sweeping import (
    PurgeOld,
    TakeDue,
    clean_up_stale,
    purge_old,
    roll_days,
    take_due,
)
from pmscore.kernel.errors import ConflictError
from pmscore.kernel.events import Command
from pmscore.kernel.ids import ActorId, AgencyId, LaneId, RequestId

__all__ = ["RUN", "allots", "note", "purge", "recount", "roll", "run", "sweep", "wanted"]

RUN = "channels.run"
MODULE = "channel_manager"
MOST_ROUNDS = 20

_SYNCS: LiteralString = """\
SELECT 1 FROM channel_connections c
 WHERE c.agency_id = %s AND c.status = 'active' AND c.deleted_at IS NULL
   AND NOT EXISTS (SELECT 1 FROM agency_features f
                    WHERE f.agency_id = c.agency_id AND f.module = %s AND NOT f.is_enabled)
 LIMIT 1"""

_ALLOTS: LiteralString = "SELECT 1 FROM allotments WHERE agency_id = %s LIMIT 1"

_log = logging.getLogger("pms.worker.channels")


def wanted(agency_id: AgencyId, services: WorkerServices) -> tuple[str, ...]:
    """Return the kinds of events that can make a difference; none where no connection of the agency syncs."""
    return NOTED if _syncs(agency_id, services) else ()


@reaction("channels.note", kinds=NOTED, asks=wanted)
def note(event: StoredEvent, services: ReactionServices) -> None:
    """Note an event on the lanes of the agency that it may concern."""
    command = Note(**_because_of(event, services), event=_happened(event))
    note_event(command, uow=services.uow, ids=services.ids, means=services.worker.channels)


def allots(agency_id: AgencyId, services: WorkerServices) -> tuple[str, ...]:
    """Return the kinds of events after which allotments are counted anew; none where the agency has none."""
    if not _syncs(agency_id, services):
        return ()
    with Session(services.engine, agency_id) as session:
        return RECOUNTED if session.read([(_ALLOTS, (agency_id,))])[0] else ()


@reaction("channels.recount", kinds=RECOUNTED, asks=allots)
def recount(event: StoredEvent, services: ReactionServices) -> None:
    """Count anew what channels have sold of their allotments; each is a transaction, and a repetition changes nothing."""
    command = Recount(**_because_of(event, services), event=_happened(event))
    parts = services.worker
    with_retries(lambda: recount_allotments(command, uow=parts.uow, clock=parts.clock, ids=parts.ids))


@due_work(CHANNEL_WORK)
def sweep(agency_id: AgencyId, services: WorkerServices) -> datetime | None:
    """Put every lane that should run on the queue, once; return when the next one will be due.

    While the module is off nothing runs; the hourly look asks again.
    """
    if not _syncs(agency_id, services):
        return None
    command = TakeDue(**_asked(agency_id, services))
    found = with_retries(lambda: take_due(command, uow=services.uow, clock=services.clock))
    for each in found:
        services.queue.enqueue(RUN, agency_id, each.lane_id)
    if found:
        lanes = tuple(each.lane_id for each in found)
        try:
            note_queued(command, lanes, uow=services.uow, clock=services.clock)
        except ConflictError:
            _log.debug("a lane was faster than the note that it was queued")
    with services.uow.begin(command) as work:
        return work.lanes.next_at(services.clock.now())


@job(RUN)
def run(agency_id: AgencyId, ids: tuple[UUID, ...], services: WorkerServices) -> None:
    """Run lanes, one after the other; one that somebody else runs is left to them."""
    if not _syncs(agency_id, services):
        return
    for each in ids:
        command = RunLane(**_asked(agency_id, services), lane_id=LaneId(each))
        report = run_lane(
            command, uow=services.uow, clock=services.clock, ids=services.ids, means=services.channels
        )
        _tell(agency_id, command.lane_id, report)


def roll(agency_id: AgencyId, services: WorkerServices) -> None:
    """Let lanes see that a day has begun, and give up operations that stand still."""
    if not _syncs(agency_id, services):
        return
    command, means = Command(**_asked(agency_id, services)), services.channels
    roll_days(command, uow=services.uow, clock=services.clock, ids=services.ids, means=means)
    clean_up_stale(command, uow=services.uow, clock=services.clock, means=means)
    with Session(services.engine, agency_id) as session:
        session.commit([due_now(agency_id)])


def purge(agency_id: AgencyId, services: WorkerServices) -> None:
    """Forget what is personal in revisions of long ago, and messages that were read."""
    for _ in range(MOST_ROUNDS):
        command = PurgeOld(**_asked(agency_id, services))
        if purge_old(command, uow=services.uow, clock=services.clock) < command.most:
            return


def _syncs(agency_id: AgencyId, services: WorkerServices) -> bool:
    settings = services.settings
    # The module is off unless somebody switches it on, so that no worker calls a platform that nobody wants called.
    if not settings.are_modules_on or dict(settings.module_switches).get(MODULE) is not True:
        return False
    with Session(services.engine, agency_id) as session:
        return bool(session.read([(_SYNCS, (agency_id, MODULE))])[0])


class _Asked(TypedDict):
    request_id: RequestId
    agency_id: AgencyId
    actor_id: ActorId


def _asked(agency_id: AgencyId, services: WorkerServices) -> _Asked:
    return {"request_id": RequestId(services.ids.new()), "agency_id": agency_id, "actor_id": WORKER}


def _because_of(event: StoredEvent, services: ReactionServices) -> _Asked:
    return {"request_id": event.request_id, "agency_id": services.agency_id, "actor_id": WORKER}


def _happened(event: StoredEvent) -> Happened:
    return Happened(
        kind=event.kind,
        aggregate=event.aggregate,
        aggregate_id=event.aggregate_id,
        payload=event.payload,
    )


def _tell(agency_id: AgencyId, lane_id: LaneId, report: LaneReport) -> None:
    if report.dead:
        dead = ", ".join(map(str, report.dead))
        _log.error("agency %s: lane %s gave up operations %s", agency_id, lane_id, dead)
    elif report.is_lost:
        _log.warning("agency %s: lane %s was taken over by another worker", agency_id, lane_id)
