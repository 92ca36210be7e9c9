"""Webhook endpoints with their log in memory, of one agency.

Owns the state and the judgement at the commit. Leaves reading inside a transaction to ``webhook_repositories``.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from attrs import Factory, define, evolve, frozen

from pmscore.kernel.errors import NotFoundError, StaleVersionError
from pmscore.kernel.ids import EventId
from pmscore.webhooks.model.deliveries import Attempt, Delivery, DeliveryId
from pmscore.webhooks.model.endpoints import Endpoint, EndpointId

__all__ = ["Lease", "WebhookChanges", "WebhookLog"]


@frozen
class Lease:
    """Who has a delivery in hand, and until when nobody else may take it."""

    holder: UUID
    until: datetime


@define
class WebhookChanges:
    """What one transaction wants to write; ``seen`` are the versions that it has read of what it saves."""

    endpoints: dict[EndpointId, Endpoint | None] = Factory(dict[EndpointId, "Endpoint | None"])
    seen: dict[EndpointId, int] = Factory(dict[EndpointId, int])
    told: list[Delivery] = Factory(list[Delivery])
    leases: dict[DeliveryId, Lease] = Factory(dict[DeliveryId, Lease])
    recorded: list[tuple[Delivery, Attempt, UUID]] = Factory(list[tuple[Delivery, Attempt, UUID]])
    rounds: list[Delivery] = Factory(list[Delivery])
    purged: set[DeliveryId] = Factory(set[DeliveryId])


@define
class WebhookLog:
    """Everything that is committed."""

    endpoints: dict[EndpointId, Endpoint] = Factory(dict[EndpointId, Endpoint])
    deliveries: dict[DeliveryId, Delivery] = Factory(dict[DeliveryId, Delivery])
    leases: dict[DeliveryId, Lease] = Factory(dict[DeliveryId, Lease])
    attempts: dict[DeliveryId, tuple[Attempt, ...]] = Factory(dict[DeliveryId, tuple[Attempt, ...]])

    def check(self, changes: WebhookChanges) -> None:
        """Refuse what cannot be written, before anything is.

        Raises:
            StaleVersionError: an endpoint has changed, or a delivery is in other hands by now.
            NotFoundError: a message is for an endpoint that is not there, or one that is to go is gone.
        """
        for endpoint_id, endpoint in changes.endpoints.items():
            there, seen = self.endpoints.get(endpoint_id), changes.seen.get(endpoint_id)
            if endpoint is None and there is None:
                raise NotFoundError("webhook", endpoint_id)
            if endpoint is not None and seen is not None and (there is None or there.version != seen):
                raise StaleVersionError(endpoint_id=str(endpoint_id))
        for delivery in changes.told:
            if (
                delivery.endpoint_id not in self.endpoints
                and changes.endpoints.get(delivery.endpoint_id) is None
            ):
                raise NotFoundError("webhook", delivery.endpoint_id)
        for delivery, _, holder in changes.recorded:
            lease = self.leases.get(delivery.delivery_id)
            if lease is None or lease.holder != holder:
                raise StaleVersionError(delivery_id=str(delivery.delivery_id))
        for delivery in changes.rounds:
            before = self.deliveries.get(delivery.delivery_id)
            if before is None or before.attempts != delivery.attempts:
                raise StaleVersionError(delivery_id=str(delivery.delivery_id))

    def put(self, changes: WebhookChanges) -> None:
        """Assign everything; what can be refused was refused before."""
        for endpoint_id, endpoint in changes.endpoints.items():
            if endpoint is None:
                self._remove(endpoint_id)
            else:
                newest_first = sorted(
                    endpoint.secrets, key=lambda each: (each.created_at, each.secret_id), reverse=True
                )
                self.endpoints[endpoint_id] = evolve(endpoint, secrets=tuple(newest_first))
        for delivery in changes.told:
            if self.find(delivery.endpoint_id, delivery.event_id) is None:
                self.deliveries[delivery.delivery_id] = delivery
        self.leases.update({key: each for key, each in changes.leases.items() if key in self.deliveries})
        for delivery, attempt, _ in changes.recorded:
            self.deliveries[delivery.delivery_id] = delivery
            self.attempts[delivery.delivery_id] = (*self.attempts.get(delivery.delivery_id, ()), attempt)
            del self.leases[delivery.delivery_id]
        for delivery in changes.rounds:
            self.deliveries[delivery.delivery_id] = delivery
        for delivery_id in changes.purged:
            self._forget(delivery_id)

    def find(self, endpoint_id: EndpointId, event_id: EventId) -> Delivery | None:
        """Return the message of an event to an endpoint."""
        of = (endpoint_id, event_id)
        return next(
            (each for each in self.deliveries.values() if (each.endpoint_id, each.event_id) == of), None
        )

    def is_free(self, delivery_id: DeliveryId, now: datetime) -> bool:
        """Return whether nobody has the delivery in hand."""
        lease = self.leases.get(delivery_id)
        return lease is None or lease.until <= now

    def _remove(self, endpoint_id: EndpointId) -> None:
        del self.endpoints[endpoint_id]
        for each in [each for each in self.deliveries.values() if each.endpoint_id == endpoint_id]:
            self._forget(each.delivery_id)

    def _forget(self, delivery_id: DeliveryId) -> None:
        self.deliveries.pop(delivery_id, None)
        self.leases.pop(delivery_id, None)
        self.attempts.pop(delivery_id, None)
