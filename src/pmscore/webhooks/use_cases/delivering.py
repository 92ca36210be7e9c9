"""Bringing messages to endpoints: make them when something happened, carry them when they are due.

Owns the three steps of carrying one: claim it in a transaction, send it in none, record what came of it in another.
Whoever dies in between leaves a lease that runs out; the message then goes a second time, with the same id. Leaves
waking up for the next attempt to the worker.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from attrs import evolve, frozen

from pmscore.kernel.errors import NotFoundError, PmsError, StaleVersionError
from pmscore.kernel.events import Command
from pmscore.kernel.ports import Clock, IdSource, UnitOfWork
from pmscore.webhooks.model.deliveries import Attempt, Delivery, DeliveryId, Outcome
from pmscore.webhooks.model.endpoints import SEALED_COLUMN, Endpoint
from pmscore.webhooks.policies.messages import Happening, message
from pmscore.webhooks.policies.retrying import judged
from pmscore.webhooks.policies.signing import signed_headers
from pmscore.webhooks.ports import WebhookMeans, WebhookWork

__all__ = ["Announce", "DeliverDue", "PurgeDeliveries", "announce", "deliver_due", "purge_deliveries"]

LEASE: Final = timedelta(minutes=5)
MOST_AT_ONCE: Final = 10


@frozen(kw_only=True)
class Announce(Command):
    """Tell of an event to whoever wants to know."""

    event: Happening


@frozen(kw_only=True)
class DeliverDue(Command):
    """Carry the messages of the agency that are due, at most ``most``."""

    most: int = MOST_AT_ONCE


@frozen(kw_only=True)
class PurgeDeliveries(Command):
    """Forget deliveries that ended longer ago than ``keeps``."""

    keeps: timedelta = timedelta(days=30)
    most: int = 1_000


def announce(command: Announce, *, uow: UnitOfWork[WebhookWork], clock: Clock, ids: IdSource) -> int:
    """Make a message for each endpoint that wants the event; return how many want it.

    Told twice of an event, it makes no second message.
    """
    event, now = command.event, clock.now()
    with uow.begin(command) as work:
        wanting = [each for each in work.webhooks.all() if each.wants(event.kind)]
        for endpoint in wanting:
            work.deliveries.add(
                Delivery(
                    delivery_id=DeliveryId(ids.new()),
                    endpoint_id=endpoint.endpoint_id,
                    event_id=event.event_id,
                    kind=event.kind,
                    body=message(event, is_full=endpoint.is_full),
                    created_at=now,
                    next_at=now,
                )
            )
        if wanting:
            work.commit()
    return len(wanting)


def deliver_due(
    command: DeliverDue, *, uow: UnitOfWork[WebhookWork], clock: Clock, ids: IdSource, means: WebhookMeans
) -> int:
    """Carry messages that are due, one after the other; return how many were tried."""
    lease, now = ids.new(), clock.now()
    with uow.begin(command) as work:
        claimed = work.deliveries.claim(now=now, until=now + LEASE, lease=lease, most=command.most)
        if not claimed:
            return 0
        endpoints = {each.endpoint_id: each for each in work.webhooks.all()}
        work.commit()
    tried = 0
    for delivery in claimed:
        if clock.now() - now > LEASE / 2:
            break  # what is left goes to others once the lease has run out
        outcome = _sent(command, delivery, endpoints[delivery.endpoint_id], clock=clock, means=means)
        _record(command, delivery, outcome, lease, uow=uow, clock=clock)
        tried += 1
    return tried


def purge_deliveries(command: PurgeDeliveries, *, uow: UnitOfWork[WebhookWork], clock: Clock) -> int:
    """Delete old deliveries with their attempts; return how many."""
    with uow.begin(command) as work:
        count = work.deliveries.purge(clock.now() - command.keeps, most=command.most)
        work.commit()
    return count


def _sent(
    command: Command, delivery: Delivery, endpoint: Endpoint, *, clock: Clock, means: WebhookMeans
) -> Outcome:
    now, body = clock.now(), delivery.body.encode()
    try:
        secrets = [
            means.box.open(command.agency_id, SEALED_COLUMN, each.sealed) for each in endpoint.signing(now)
        ]
        headers = signed_headers(delivery.message_id, now, body, secrets)
    except PmsError as error:
        # A key that is gone is ours to bring back; the message waits for its next attempt.
        return Outcome(error=str(error.params.get("reason") or error.code))
    return means.post.post(endpoint.url, {**headers, "content-type": "application/json"}, body)


def _record(
    command: Command,
    delivery: Delivery,
    outcome: Outcome,
    lease: UUID,
    *,
    uow: UnitOfWork[WebhookWork],
    clock: Clock,
) -> None:
    now = clock.now()
    try:
        with uow.begin(command) as work:
            endpoint = work.webhooks.get(delivery.endpoint_id)
            verdict = judged(delivery, endpoint, outcome, now)
            attempt = Attempt(number=verdict.delivery.attempts, at=now, outcome=outcome)
            work.deliveries.record(verdict.delivery, attempt, lease)
            if outcome.is_success:
                work.webhooks.save(evolve(endpoint, delivered_at=now))
            if verdict.disables is not None:
                decision = endpoint.disable(verdict.disables)
                work.webhooks.save(decision.state)
                work.record(*decision.events)
            work.commit()
    except (NotFoundError, StaleVersionError):
        # The endpoint was removed, or the lease ran out and another carries the message: theirs is what counts.
        return
