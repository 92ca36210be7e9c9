"""Webhooks: a message for each endpoint that wants an event, and carrying those that are due.

Owns where the core's use cases meet the worker. A message and the row that wakes the worker for it are written in one
transaction, so none is forgotten; carrying happens on the queue, since an endpoint may take its time. Events that no
endpoint wants do not come here at all: the relay asks first.
"""

from __future__ import annotations

from typing import LiteralString
from uuid import UUID

from pms_adapters.bootstrap import with_retries
from pms_adapters.postgres.events import StoredEvent
from pms_adapters.postgres.session import Session
from pms_adapters.postgres.webhooks import DUE_KIND
from pms_adapters.settings import Settings
from pms_adapters.worker.registry import due_work, job, reaction
from pms_adapters.worker.services import WORKER, ReactionServices, WorkerServices
from pmscore.kernel.ids import AgencyId, RequestId
from pmscore.webhooks.policies.messages import Happening
from pmscore.webhooks.use_cases.delivering import (
    Announce,
    DeliverDue,
    PurgeDeliveries,
    announce,
    deliver_due,
    purge_deliveries,
)

__all__ = ["announce_event", "carry", "overdue", "wanted"]

CARRY = "webhooks.carry"
_TAKEN_AWAY: LiteralString = (
    "SELECT 1 FROM agency_features WHERE agency_id = %s AND module = 'webhooks' AND NOT is_enabled"
)
_WANTED: LiteralString = """\
SELECT DISTINCT unnest(e.kinds) FROM webhook_endpoints e
 WHERE e.agency_id = %s AND e.status <> 'disabled'
   AND NOT EXISTS (SELECT 1 FROM agency_features f
                    WHERE f.agency_id = e.agency_id AND f.module = 'webhooks' AND NOT f.is_enabled)"""
MOST_ROUNDS = 20


def wanted(agency_id: AgencyId, services: WorkerServices) -> tuple[str, ...]:
    """Return the kinds that some endpoint of the agency wants now; none where webhooks are off."""
    if _is_switched_off(services.settings):
        return ()
    with Session(services.engine, agency_id) as session:
        rows = session.read([(_WANTED, (agency_id,))])[0]
    return tuple(str(row[0]) for row in rows)


@reaction("webhooks.announce", kinds=("*",), asks=wanted)
def announce_event(event: StoredEvent, services: ReactionServices) -> None:
    """Make a message for each endpoint that wants the event; none where webhooks are off."""
    if _is_switched_off(services.worker.settings) or services.read((_TAKEN_AWAY, (services.agency_id,))):
        return
    happening = Happening(
        event_id=event.event_id,
        kind=event.kind,
        aggregate=event.aggregate,
        aggregate_id=event.aggregate_id,
        version=event.version,
        at=event.at,
        payload=event.payload,
    )
    command = Announce(
        request_id=event.request_id, agency_id=services.agency_id, actor_id=WORKER, event=happening
    )
    announce(command, uow=services.uow, clock=services.clock, ids=services.ids)


@due_work(DUE_KIND)
def overdue(agency_id: AgencyId, services: WorkerServices) -> None:
    """Ask for the messages that are due to be carried; whoever claims one says when to look again.

    While webhooks are off, what is due waits; it is asked for again when somebody makes a message due.
    """
    with Session(services.engine, agency_id) as session:
        is_taken_away = bool(session.read([(_TAKEN_AWAY, (agency_id,))])[0])
    if is_taken_away or _is_switched_off(services.settings):
        return
    services.queue.enqueue(CARRY, agency_id)


@job(CARRY)
def carry(agency_id: AgencyId, _: tuple[UUID, ...], services: WorkerServices) -> None:
    """Carry messages until none is due, then forget some that ended long ago."""
    means, request_id = services.webhooks, RequestId(services.ids.new())
    command = DeliverDue(request_id=request_id, agency_id=agency_id, actor_id=WORKER)

    def deliver() -> int:
        return deliver_due(command, uow=services.uow, clock=services.clock, ids=services.ids, means=means)

    for _round in range(MOST_ROUNDS):
        if not with_retries(deliver):
            old = PurgeDeliveries(request_id=request_id, agency_id=agency_id, actor_id=WORKER)
            purge_deliveries(old, uow=services.uow, clock=services.clock)
            return
    services.queue.enqueue(CARRY, agency_id)


def _is_switched_off(settings: Settings) -> bool:
    return not settings.are_modules_on or dict(settings.module_switches).get("webhooks", True) is not True
