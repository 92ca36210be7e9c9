"""The repositories of webhooks in memory.

Owns what their ports promise; leaves the commit to ``webhook_log``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from pmscore.kernel.errors import NotFoundError
from pmscore.testing.transaction import Transaction
from pmscore.testing.webhook_log import Lease, WebhookLog
from pmscore.webhooks.model.deliveries import Attempt, Delivery, DeliveryId, DeliveryStatus
from pmscore.webhooks.model.endpoints import Endpoint, EndpointId, EndpointStatus
from pmscore.webhooks.ports import DeliveryPage, DeliveryRepository, EndpointRepository

__all__ = ["InMemoryDeliveries", "InMemoryEndpoints"]

MOST_AN_ENDPOINT: Final = 3


class InMemoryEndpoints(EndpointRepository):
    """Endpoints with their secrets."""

    def __init__(self, transaction: Transaction) -> None:
        self._at = transaction

    def add(self, endpoint: Endpoint) -> None:
        """Add an endpoint."""
        self._at.lock_new("webhook", endpoint.endpoint_id)
        self._at.changes.webhooks.endpoints[endpoint.endpoint_id] = endpoint

    def all(self) -> tuple[Endpoint, ...]:
        """Return every endpoint, the oldest first."""
        self._at.check_open()
        with self._at.locks.mutex:
            found = tuple(self._at.books.webhooks.endpoints.values())
        return tuple(sorted(found, key=lambda each: (each.created_at, each.endpoint_id)))

    def get(self, endpoint_id: EndpointId) -> Endpoint:
        """Return an endpoint, locked."""
        changes, kept = self._at.changes.webhooks, self._at.books.webhooks.endpoints
        found = self._at.locked("webhook", endpoint_id, kept, changes.endpoints)
        if endpoint_id in kept:
            changes.seen[endpoint_id] = kept[endpoint_id].version
        return found

    def save(self, endpoint: Endpoint) -> None:
        """Store a locked endpoint."""
        self._at.check_locked("webhook", endpoint.endpoint_id)
        self._at.changes.webhooks.endpoints[endpoint.endpoint_id] = endpoint

    def remove(self, endpoint_id: EndpointId) -> None:
        """Remove an endpoint with its log."""
        self._at.check_open()
        self._at.lock("webhook", endpoint_id)
        self._at.changes.webhooks.endpoints[endpoint_id] = None


class InMemoryDeliveries(DeliveryRepository):
    """Deliveries with their attempts."""

    def __init__(self, transaction: Transaction) -> None:
        self._at = transaction

    def add(self, delivery: Delivery) -> None:
        """Add a delivery, once an endpoint and event."""
        self._at.check_open()
        self._at.changes.webhooks.told.append(delivery)

    def get(self, delivery_id: DeliveryId) -> Delivery:
        """Return a delivery, locked."""
        return self._at.locked("webhook_delivery", delivery_id, self._log.deliveries, {})

    def claim(self, *, now: datetime, until: datetime, lease: UUID, most: int) -> tuple[Delivery, ...]:
        """Take deliveries that are due; those that others are about to take are left to them."""
        self._at.check_open()
        with self._at.locks.mutex:
            chosen = tuple(each for each in self._due(now, most) if self._takes(each))
            for each in chosen:
                self._at.changes.webhooks.leases[each.delivery_id] = Lease(lease, until)
        return tuple(sorted(chosen, key=_when_due))

    def record(self, delivery: Delivery, attempt: Attempt, lease: UUID) -> None:
        """Store what became of a delivery, if the lease still holds at the commit."""
        self._at.check_open()
        self._at.changes.webhooks.recorded.append((delivery, attempt, lease))

    def save(self, delivery: Delivery) -> None:
        """Store a delivery that begins another round."""
        self._at.check_locked("webhook_delivery", delivery.delivery_id)
        self._at.changes.webhooks.rounds.append(delivery)

    def page(
        self, endpoint_id: EndpointId, *, status: DeliveryStatus | None, limit: int, offset: int
    ) -> DeliveryPage:
        """Return a page of the log of an endpoint, the newest first."""
        self._at.check_open()
        with self._at.locks.mutex:
            if endpoint_id not in self._log.endpoints:
                raise NotFoundError("webhook", endpoint_id)
            of = [each for each in self._log.deliveries.values() if each.endpoint_id == endpoint_id]
        found = [each for each in of if status in {None, each.status}]
        found.sort(key=lambda each: (each.created_at, each.delivery_id), reverse=True)
        return DeliveryPage(items=tuple(found[offset : offset + limit]), total=len(found))

    def attempts(self, delivery_id: DeliveryId) -> tuple[Attempt, ...]:
        """Return the attempts at a delivery, the first one first."""
        self._at.check_open()
        with self._at.locks.mutex:
            return self._log.attempts.get(delivery_id, ())

    def purge(self, before: datetime, *, most: int) -> int:
        """Delete deliveries that ended before an instant."""
        self._at.check_open()
        with self._at.locks.mutex:
            every = tuple(self._log.deliveries.values())
        old = sorted((each.ended_at, each.delivery_id) for each in every if each.ended_at is not None)
        chosen = [delivery_id for ended_at, delivery_id in old if ended_at < before][:most]
        self._at.changes.webhooks.purged.update(chosen)
        return len(chosen)

    @property
    def _log(self) -> WebhookLog:
        return self._at.books.webhooks

    def _due(self, now: datetime, most: int) -> Iterable[Delivery]:
        """Return what is due and free, few an endpoint, the first of each endpoint before the second of any."""
        places: Counter[EndpointId] = Counter()
        placed: list[tuple[int, Delivery]] = []
        pending = (each for each in self._log.deliveries.values() if each.next_at is not None)
        for each in sorted(pending, key=_when_due):
            is_due = each.next_at is not None and each.next_at <= now
            is_active = self._log.endpoints[each.endpoint_id].status is EndpointStatus.ACTIVE
            if is_due and is_active and self._log.is_free(each.delivery_id, now):
                places[each.endpoint_id] += 1
                placed.append((places[each.endpoint_id], each))
        few = [(place, each) for place, each in placed if place <= MOST_AN_ENDPOINT]
        few.sort(key=lambda placed: (placed[0], _when_due(placed[1])))
        return [each for _, each in few[:most]]

    def _takes(self, delivery: Delivery) -> bool:
        name = (self._at.command.agency_id, "webhook_delivery", delivery.delivery_id)
        return self._at.locks.acquire_free(name, self._at.number)


def _when_due(delivery: Delivery) -> tuple[datetime, DeliveryId]:
    return delivery.next_at or delivery.created_at, delivery.delivery_id
