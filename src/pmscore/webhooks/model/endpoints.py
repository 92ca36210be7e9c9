"""An endpoint: an address of another program, the kinds of events that it wants, and the secrets that sign for it.

Owns its states and the life of its secrets. Leaves where an address may lead to the ``WebhookPost`` port, and sealing
to the ``SecretBox`` port: a secret stands here as a sealed text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

from attrs import evolve, field, frozen

from pmscore.kernel.errors import InvalidInputError, TransitionError
from pmscore.kernel.events import Decision
from pmscore.kernel.text import checked_text
from pmscore.webhooks.model.events import (
    WebhookAdded,
    WebhookChanged,
    WebhookDisabled,
    WebhookRemoved,
    WebhookSecretRotated,
)

__all__ = [
    "LONGEST_URL",
    "MOST_KINDS",
    "MOST_SECRETS",
    "SEALED_COLUMN",
    "Endpoint",
    "EndpointChange",
    "EndpointId",
    "EndpointStatus",
    "SigningSecret",
    "checked_kinds",
    "covers",
]

EndpointId = NewType("EndpointId", UUID)

SEALED_COLUMN: Final = "webhook_secrets.sealed"
"""Where sealed secrets stand; they open for no other place."""

MOST_KINDS: Final = 100
MOST_SECRETS: Final = 5
LONGEST_URL: Final = 2_000
_KIND = re.compile(r"(?:\*|[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)*(?:\.\*)?)\Z")


class EndpointStatus(StrEnum):
    """``paused`` keeps messages for later; ``disabled`` makes none, until somebody makes it active again."""

    ACTIVE = "active"
    PAUSED = "paused"
    DISABLED = "disabled"


@frozen(kw_only=True)
class SigningSecret:
    """One secret, sealed. It signs until ``retires_at``; None means for as long as it is the newest."""

    secret_id: UUID
    sealed: str = field(repr=False)
    created_at: datetime
    retires_at: datetime | None = None

    def signs_at(self, now: datetime) -> bool:
        """Return whether messages are still signed with it."""
        return self.retires_at is None or now < self.retires_at


@frozen(kw_only=True)
class EndpointChange:
    """What to change; None leaves a field as it is."""

    url: str | None = None
    description: str | None = None
    kinds: tuple[str, ...] | None = None
    is_full: bool | None = None
    status: EndpointStatus | None = None


@frozen(kw_only=True)
class Endpoint:
    """One address that is told what happens.

    ``kinds`` are kinds of events, ``booking.*`` for all of a family and ``*`` for all. ``is_full`` sends what
    the event says instead of ids only. ``secrets`` stand newest first. ``reason`` says why it is disabled.
    """

    endpoint_id: EndpointId
    url: str = field(repr=False)
    kinds: tuple[str, ...]
    created_at: datetime
    secrets: tuple[SigningSecret, ...]
    description: str = ""
    is_full: bool = False
    status: EndpointStatus = EndpointStatus.ACTIVE
    reason: str | None = None
    delivered_at: datetime | None = None
    version: int = 1

    def wants(self, kind: str) -> bool:
        """Return whether an event of ``kind`` is to be told; a disabled endpoint is told nothing."""
        if self.status is EndpointStatus.DISABLED:
            return False
        return covers(self.kinds, kind)

    def signing(self, now: datetime) -> tuple[SigningSecret, ...]:
        """Return the secrets that sign at ``now``, newest first."""
        return tuple(each for each in self.secrets if each.signs_at(now))

    def added(self) -> Decision[Endpoint]:
        """Return the new endpoint with its event."""
        return Decision(self, (WebhookAdded(aggregate_id=self.endpoint_id, version=self.version),))

    def change(self, wanted: EndpointChange) -> Decision[Endpoint]:
        """Return the endpoint with the wanted fields; without events where nothing differs.

        Making it active forgets why it was disabled, and lets its secrets and log stand.
        """
        after = evolve(
            self,
            url=self.url if wanted.url is None else wanted.url,
            description=self.description if wanted.description is None else wanted.description,
            kinds=self.kinds if wanted.kinds is None else wanted.kinds,
            is_full=self.is_full if wanted.is_full is None else wanted.is_full,
            status=wanted.status or self.status,
        )
        names = ("url", "description", "kinds", "is_full", "status")
        changed = tuple(name for name in names if getattr(after, name) != getattr(self, name))
        if not changed:
            return Decision(self, ())
        reason = self.reason if after.status is EndpointStatus.DISABLED else None
        after = evolve(after, version=self.version + 1, reason=reason)
        told = WebhookChanged(aggregate_id=self.endpoint_id, version=after.version, fields=changed)
        return Decision(after, (told,))

    def rotate(self, secret: SigningSecret, *, keeps: timedelta) -> Decision[Endpoint]:
        """Return the endpoint with a new secret; those before sign beside it for ``keeps`` longer, then go.

        Raises:
            TransitionError: too many secrets are still in use.
        """
        now = secret.created_at
        until = now + keeps
        kept = tuple(
            evolve(each, retires_at=until if each.retires_at is None else min(each.retires_at, until))
            for each in self.signing(now)
        )
        kept = tuple(each for each in kept if each.signs_at(now))
        if len(kept) >= MOST_SECRETS:
            raise TransitionError("rotate_secret", self.status.value, "too_many_secrets", most=MOST_SECRETS)
        after = evolve(self, secrets=(secret, *kept), version=self.version + 1)
        return Decision(after, (WebhookSecretRotated(aggregate_id=self.endpoint_id, version=after.version),))

    def disable(self, reason: str) -> Decision[Endpoint]:
        """Return the endpoint as one that is told nothing more; nothing happens to one that is disabled."""
        if self.status is EndpointStatus.DISABLED:
            return Decision(self, ())
        after = evolve(self, status=EndpointStatus.DISABLED, reason=reason, version=self.version + 1)
        told = WebhookDisabled(aggregate_id=self.endpoint_id, version=after.version, reason=reason)
        return Decision(after, (told,))

    def removed(self) -> Decision[Endpoint]:
        """Return the event of its end."""
        return Decision(self, (WebhookRemoved(aggregate_id=self.endpoint_id, version=self.version + 1),))


def checked_kinds(kinds: Iterable[str]) -> tuple[str, ...]:
    """Return kinds in order, each once.

    Raises:
        InvalidInputError: there is none, there are too many, or one is no kind of event.
    """
    found = tuple(sorted(set(kinds)))
    if not found:
        raise InvalidInputError("kinds", "empty")
    if len(found) > MOST_KINDS:
        raise InvalidInputError("kinds", "too_many", most=MOST_KINDS)
    for each in found:
        if len(each) > 64 or not _KIND.match(each):
            shown = checked_text(each, field="kinds", longest=100_000, may_be_empty=True)[:64]
            raise InvalidInputError("kinds", "not_an_event_kind", value=shown)
    return found


def covers(wanted: Iterable[str], kind: str) -> bool:
    """Return whether ``kind`` is among ``wanted``, in which ``booking.*`` is a family and ``*`` is all."""
    return any(each in {"*", kind} or (each.endswith(".*") and kind.startswith(each[:-1])) for each in wanted)
