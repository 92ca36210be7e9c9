"""What webhooks need from outside: two repositories, and a post that carries messages."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol
from uuid import UUID

from attrs import field, frozen

from pmscore.kernel.ports import Work
from pmscore.kernel.secrets import SecretBox, SecretSource
from pmscore.webhooks.model.deliveries import Attempt, Delivery, DeliveryId, DeliveryStatus, Outcome
from pmscore.webhooks.model.endpoints import Endpoint, EndpointId

__all__ = [
    "DeliveryPage",
    "DeliveryRepository",
    "EndpointRepository",
    "WebhookMeans",
    "WebhookPost",
    "WebhookWork",
]


class EndpointRepository(Protocol):
    """Keeps endpoints with their secrets."""

    @abstractmethod
    def add(self, endpoint: Endpoint) -> None:
        """Add ``endpoint``."""

    @abstractmethod
    def all(self) -> tuple[Endpoint, ...]:
        """Return every endpoint, the oldest first."""

    @abstractmethod
    def get(self, endpoint_id: EndpointId) -> Endpoint:
        """Return an endpoint, locked until the end of the transaction.

        Raises:
            NotFoundError: there is none.
        """

    @abstractmethod
    def save(self, endpoint: Endpoint) -> None:
        """Store a changed endpoint; it was read in this transaction."""

    @abstractmethod
    def remove(self, endpoint_id: EndpointId) -> None:
        """Remove an endpoint, its secrets and its log."""


@frozen(kw_only=True)
class DeliveryPage:
    """Some deliveries, the newest first, and how many there are in all."""

    items: tuple[Delivery, ...]
    total: int


class DeliveryRepository(Protocol):
    """Keeps deliveries and the log of their attempts."""

    @abstractmethod
    def add(self, delivery: Delivery) -> None:
        """Add a delivery; nothing happens where its endpoint has one for the same event already."""

    @abstractmethod
    def get(self, delivery_id: DeliveryId) -> Delivery:
        """Return a delivery, locked until the end of the transaction.

        Raises:
            NotFoundError: there is none.
        """

    @abstractmethod
    def claim(self, *, now: datetime, until: datetime, lease: UUID, most: int) -> tuple[Delivery, ...]:
        """Take deliveries that are due, of active endpoints, for whoever holds ``lease``; nobody else gets them.

        Few an endpoint, so that one that answers slowly does not hold up the others. After ``until`` others may.
        """

    @abstractmethod
    def record(self, delivery: Delivery, attempt: Attempt, lease: UUID) -> None:
        """Store what became of a claimed delivery, and give up the lease.

        Raises:
            StaleVersionError: at the commit: another has claimed it meanwhile; nothing was stored.
        """

    @abstractmethod
    def save(self, delivery: Delivery) -> None:
        """Store a delivery that was read in this transaction and begins another round."""

    @abstractmethod
    def page(
        self, endpoint_id: EndpointId, *, status: DeliveryStatus | None, limit: int, offset: int
    ) -> DeliveryPage:
        """Return a page of the log of an endpoint."""

    @abstractmethod
    def attempts(self, delivery_id: DeliveryId) -> tuple[Attempt, ...]:
        """Return the attempts at a delivery, the first one first."""

    @abstractmethod
    def purge(self, before: datetime, *, most: int) -> int:
        """Delete at most ``most`` deliveries that ended before an instant; return how many."""


class WebhookWork(Work, Protocol):
    """A transaction on endpoints and deliveries."""

    @property
    @abstractmethod
    def webhooks(self) -> EndpointRepository:
        """The endpoints."""

    @property
    @abstractmethod
    def deliveries(self) -> DeliveryRepository:
        """The deliveries."""


class WebhookPost(Protocol):
    """Carries messages to addresses that strangers gave us."""

    @abstractmethod
    def check(self, url: str) -> None:
        """Refuse an address that can never be called.

        Raises:
            InvalidInputError: for ``url``: not https, another port, a user in it, or closed.
        """

    @abstractmethod
    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Send one message once, and return what came of it; never raises for what the other side does."""


@frozen(kw_only=True)
class WebhookMeans:
    """What webhooks work with, beside a store."""

    box: SecretBox = field(repr=False)
    secrets: SecretSource = field(repr=False)
    post: WebhookPost = field(repr=False)
