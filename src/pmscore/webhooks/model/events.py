"""What happened to an endpoint. Addresses and secrets may be credentials, so events name fields and never values."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from pmscore.kernel.events import Event

__all__ = [
    "WebhookAdded",
    "WebhookChanged",
    "WebhookDisabled",
    "WebhookRemoved",
    "WebhookSecretRotated",
]


@frozen(kw_only=True)
class WebhookAdded(Event):
    """An endpoint was added."""

    aggregate: ClassVar[str] = "webhook"
    kind: str = "webhook.added"


@frozen(kw_only=True)
class WebhookChanged(Event):
    """Fields of an endpoint were changed."""

    aggregate: ClassVar[str] = "webhook"
    kind: str = "webhook.changed"
    fields: tuple[str, ...]


@frozen(kw_only=True)
class WebhookSecretRotated(Event):
    """An endpoint has a new secret; the others still sign until they retire."""

    aggregate: ClassVar[str] = "webhook"
    kind: str = "webhook.secret_rotated"


@frozen(kw_only=True)
class WebhookDisabled(Event):
    """Nothing is sent to an endpoint any more: ``gone`` (it said so itself) or ``gave_up`` (it failed for days)."""

    aggregate: ClassVar[str] = "webhook"
    kind: str = "webhook.disabled"
    reason: str


@frozen(kw_only=True)
class WebhookRemoved(Event):
    """An endpoint and its log were removed."""

    aggregate: ClassVar[str] = "webhook"
    kind: str = "webhook.removed"
