"""A delivery: one message to one endpoint, until it has arrived or was given up; and each attempt at it.

Owns what is remembered. Leaves when to try again to ``policies.retrying``.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from attrs import evolve, field, frozen

from pmscore.kernel.errors import TransitionError
from pmscore.kernel.ids import EventId
from pmscore.webhooks.model.endpoints import EndpointId

__all__ = ["Attempt", "Delivery", "DeliveryId", "DeliveryStatus", "Outcome"]

DeliveryId = NewType("DeliveryId", UUID)


class DeliveryStatus(StrEnum):
    """Where a message stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


@frozen(kw_only=True)
class Outcome:
    """What came of one attempt: a status, or in a word why there was none.

    ``answer`` has the first bytes of the answer as text; ``retry_after`` the seconds that it asked to wait.
    """

    status: int | None = None
    error: str | None = None
    duration_ms: int = 0
    answer: str = field(default="", repr=False)
    retry_after: int | None = None

    @property
    def is_success(self) -> bool:
        """Whether the message has arrived: any status from 200 to 299, nothing else."""
        return self.status is not None and 200 <= self.status < 300


@frozen(kw_only=True)
class Attempt:
    """One try: which it was, when, and what came of it."""

    number: int
    at: datetime
    outcome: Outcome


@frozen(kw_only=True)
class Delivery:
    """One message to one endpoint.

    ``body`` is sent as it stands at every attempt. ``attempts`` counts them all; those up to ``counted_from``
    belong to earlier rounds, before somebody asked for a redelivery. ``next_at`` is None once it has ended.
    """

    delivery_id: DeliveryId
    endpoint_id: EndpointId
    event_id: EventId
    kind: str
    body: str = field(repr=False)
    created_at: datetime
    next_at: datetime | None
    status: DeliveryStatus = DeliveryStatus.PENDING
    attempts: int = 0
    counted_from: int = 0
    ended_at: datetime | None = None

    @property
    def message_id(self) -> str:
        """The id by which a receiver knows a message again, the same at every attempt."""
        return f"msg_{self.delivery_id.hex}"

    def again(self, now: datetime) -> Delivery:
        """Return the delivery at the beginning of another round.

        Raises:
            TransitionError: it is still on its way.
        """
        if self.status is DeliveryStatus.PENDING:
            raise TransitionError("redeliver", self.status.value)
        return evolve(
            self, status=DeliveryStatus.PENDING, next_at=now, ended_at=None, counted_from=self.attempts
        )
