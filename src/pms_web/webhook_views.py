"""What webhooks look like over HTTP: endpoints, deliveries, attempts.

Owns names and shapes. A secret is shown once, in the answer that made it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, TypedDict

from attrs import frozen

from pms_web.paging import PageQuery
from pms_web.wire import Entries, IdText, InstantText, Longest, OneOf, Says, Within
from pmscore.webhooks.model.deliveries import Attempt, Delivery, DeliveryStatus
from pmscore.webhooks.model.endpoints import LONGEST_URL, MOST_KINDS, Endpoint, EndpointStatus
from pmscore.webhooks.use_cases.endpoints import WithSecret

__all__ = [
    "AttemptBody",
    "DeliveriesQuery",
    "DeliveryBody",
    "DeliveryWithAttemptsBody",
    "NewWebhook",
    "Payload",
    "SecretBody",
    "SecretRotation",
    "WebhookBody",
    "WebhookChange",
    "WebhookWithSecretBody",
    "delivery_body",
    "delivery_with_attempts",
    "webhook_body",
    "webhook_with_secret",
]


class Payload(StrEnum):
    """How much a message says: ``thin`` has ids only, ``full`` what the event says."""

    THIN = "thin"
    FULL = "full"


class SettableStatus(StrEnum):
    """``paused`` keeps messages for later, ``disabled`` makes none."""

    ACTIVE = "active"
    PAUSED = "paused"
    DISABLED = "disabled"


Url = Annotated[str, Longest(LONGEST_URL), Says("A public https address without user and password.")]
Kinds = Annotated[
    tuple[str, ...],
    Entries(MOST_KINDS, 1),
    Says("Kinds of events, such as booking.created; booking.* is all of a family, * is all."),
]


@frozen(kw_only=True)
class NewWebhook:
    """An address that is to be told what happens."""

    url: Url
    kinds: Kinds
    description: Annotated[str, Longest(200)] = ""
    payload: Payload = Payload.THIN


@frozen(kw_only=True)
class WebhookChange:
    """What to change; members that are left out stay as they are."""

    url: Url | None = None
    kinds: Kinds = ()
    description: Annotated[str | None, Longest(200)] = None
    payload: Payload | None = None
    status: SettableStatus | None = None
    version: Annotated[int | None, Says("The version that the change was made from.")] = None

    @property
    def new_status(self) -> EndpointStatus | None:
        """The status as the core names it."""
        return None if self.status is None else EndpointStatus(self.status.value)


@frozen(kw_only=True)
class SecretRotation:
    """How long the present secrets sign beside the new one."""

    keep_hours: Annotated[int, Within(0, 168), Says("0 ends them at once, as after a leak.")] = 24

    @property
    def keeps(self) -> timedelta:
        """The time as a duration."""
        return timedelta(hours=self.keep_hours)


@frozen(kw_only=True)
class DeliveriesQuery(PageQuery):
    """Which part of the log."""

    status: DeliveryStatus | None = None


class SecretBody(TypedDict):
    """A secret that signs, without its text."""

    id: IdText
    created_at: InstantText
    retires_at: InstantText | None


class WebhookBody(TypedDict):
    """An address that is told what happens."""

    id: IdText
    url: str
    description: str
    kinds: list[str]
    payload: Annotated[str, OneOf(Payload)]
    status: Annotated[str, OneOf(EndpointStatus)]
    reason: str | None
    created_at: InstantText
    delivered_at: InstantText | None
    secrets: list[SecretBody]
    version: int


class WebhookWithSecretBody(WebhookBody):
    """An address with its newest secret, which is shown this once: ``secret`` is null in the answer to a repetition."""

    secret: str | None


class DeliveryBody(TypedDict):
    """One message to one address."""

    id: IdText
    webhook_id: IdText
    event_id: IdText
    message_id: str
    kind: str
    status: Annotated[str, OneOf(DeliveryStatus)]
    attempts: int
    created_at: InstantText
    next_at: InstantText | None
    ended_at: InstantText | None


class AttemptBody(TypedDict):
    """One try: a status, or in a word why there was none."""

    number: int
    at: InstantText
    status: int | None
    error: str | None
    duration_ms: int
    answer: str


class DeliveryWithAttemptsBody(DeliveryBody):
    """One message with what was sent and what came of it."""

    body: str
    log: list[AttemptBody]


def webhook_body(endpoint: Endpoint) -> WebhookBody:
    """Return an endpoint without its secrets."""
    return {
        "id": str(endpoint.endpoint_id),
        "url": endpoint.url,
        "description": endpoint.description,
        "kinds": [*endpoint.kinds],
        "payload": (Payload.FULL if endpoint.is_full else Payload.THIN).value,
        "status": endpoint.status.value,
        "reason": endpoint.reason,
        "created_at": endpoint.created_at.isoformat(),
        "delivered_at": _instant(endpoint.delivered_at),
        "secrets": [
            {
                "id": str(each.secret_id),
                "created_at": each.created_at.isoformat(),
                "retires_at": _instant(each.retires_at),
            }
            for each in endpoint.secrets
        ],
        "version": endpoint.version,
    }


def webhook_with_secret(made: WithSecret) -> WebhookWithSecretBody:
    """Return an endpoint with its newest secret."""
    shown = None if made.secret is None else made.secret.reveal()
    return {**webhook_body(made.endpoint), "secret": shown}


def delivery_body(delivery: Delivery) -> DeliveryBody:
    """Return a delivery."""
    return {
        "id": str(delivery.delivery_id),
        "webhook_id": str(delivery.endpoint_id),
        "event_id": str(delivery.event_id),
        "message_id": delivery.message_id,
        "kind": delivery.kind,
        "status": delivery.status.value,
        "attempts": delivery.attempts,
        "created_at": delivery.created_at.isoformat(),
        "next_at": _instant(delivery.next_at),
        "ended_at": _instant(delivery.ended_at),
    }


def delivery_with_attempts(delivery: Delivery, attempts: tuple[Attempt, ...]) -> DeliveryWithAttemptsBody:
    """Return a delivery with its log."""
    return {
        **delivery_body(delivery),
        "body": delivery.body,
        "log": [
            {
                "number": each.number,
                "at": each.at.isoformat(),
                "status": each.outcome.status,
                "error": each.outcome.error,
                "duration_ms": each.outcome.duration_ms,
                "answer": each.outcome.answer,
            }
            for each in attempts
        ],
    }


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
