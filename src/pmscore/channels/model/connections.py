"""A connection: one property on one platform, through one gateway.

Owns its states and what is remembered of it. Leaves credentials to the ``SecretBox`` port (they stand here
sealed), and what it may send to its mappings.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from attrs import evolve, field, frozen

from pmscore.channels.model.events import ConnectionChanged, ExternalConnected, ExternalDisconnected
from pmscore.channels.model.manifest import Platform
from pmscore.kernel.events import Decision, Json
from pmscore.kernel.ids import ConnectionId, PropertyId

__all__ = ["CREDENTIALS_COLUMN", "TOKEN_COLUMN", "Connection", "ConnectionStatus"]

CREDENTIALS_COLUMN: Final = "channel_connections.sealed"
TOKEN_COLUMN: Final = "channel_connections.sealed_token"  # noqa: S105 - the name of a column
"""Where sealed credentials and tokens stand; they open for no other place."""

_TOLD: Final = (
    "property_id",
    "gateway",
    "channel",
    "status",
    "listing_id",
    "settings",
    "sealed",
    "knock_digest",
    "calendar_digest",
)
_NAMES: Final = {
    "sealed": "credentials",
    "knock_digest": "webhook_token",
    "calendar_digest": "calendar_token",
}


class ConnectionStatus(StrEnum):
    """Only ``active`` syncs; ``error`` is set by us after credentials were refused again and again."""

    ACTIVE = "active"
    PAUSED = "paused"
    INACTIVE = "inactive"
    DISABLED = "disabled"
    ERROR = "error"


@frozen(kw_only=True)
class Connection:
    """One property on one platform.

    ``property_id`` is None where an old connection was taken over without one. ``channel`` is the code that
    stay rules, prices and bookings know the platform by. ``settings`` never hold a secret: ``sealed`` has the
    credentials as one JSON object, ``sealed_token`` the present token of the platform until ``token_until``.
    The digests are of tokens of ours, which were shown once. ``last_sync_at`` is the last success,
    ``last_attempt_at`` the last time one was asked for.
    """

    connection_id: ConnectionId
    property_id: PropertyId | None
    platform: Platform
    gateway: str
    channel: str
    status: ConnectionStatus
    listing_id: str = ""
    settings: Mapping[str, Json] = field(factory=dict[str, Json])
    sealed: str | None = field(default=None, repr=False)
    sealed_token: str | None = field(default=None, repr=False)
    token_until: datetime | None = None
    knock_digest: str = field(default="", repr=False)
    calendar_digest: str = field(default="", repr=False)
    created_at: datetime
    updated_at: datetime
    last_sync_at: datetime | None = None
    last_attempt_at: datetime | None = None
    deleted_at: datetime | None = None
    version: int = 1

    @property
    def syncs(self) -> bool:
        """Whether anything is sent or fetched."""
        return self.status is ConnectionStatus.ACTIVE and self.deleted_at is None

    def connected(self) -> Decision[Connection]:
        """Return the new connection with its event."""
        return Decision(self, (_connected(self),))

    def changed(self, wanted: Connection, now: datetime) -> Decision[Connection]:
        """Return ``wanted`` as the next version of this one; without events where nothing that people set differs.

        Other credentials, or another gateway, make the token worthless, so it is forgotten.
        """
        fields = tuple(name for name in _TOLD if getattr(self, name) != getattr(wanted, name))
        if not fields:
            return Decision(self, ())
        after = evolve(wanted, version=self.version + 1, updated_at=now)
        if {"sealed", "gateway"} & {*fields}:
            after = evolve(after, sealed_token=None, token_until=None)
        told = ConnectionChanged(
            aggregate_id=self.connection_id,
            version=after.version,
            property_id=after.property_id,
            fields=tuple(_NAMES.get(name, name) for name in fields),
            status=after.status.value,
        )
        return Decision(after, (told,))

    def deleted(self, now: datetime) -> Decision[Connection]:
        """Return the connection as one that is not found any more, without credentials and tokens."""
        after = evolve(
            self,
            deleted_at=now,
            updated_at=now,
            sealed=None,
            sealed_token=None,
            token_until=None,
            knock_digest="",
            calendar_digest="",
            version=self.version + 1,
        )
        told = ExternalDisconnected(
            aggregate_id=self.connection_id,
            version=after.version,
            property_id=self.property_id,
            platform=self.platform.value,
            gateway=self.gateway,
        )
        return Decision(after, (told,))

    def revived(self, wanted: Connection, now: datetime) -> Decision[Connection]:
        """Return ``wanted`` in place of this deleted connection, under its id."""
        after = evolve(
            wanted,
            connection_id=self.connection_id,
            created_at=self.created_at,
            updated_at=now,
            last_sync_at=None,
            last_attempt_at=None,
            deleted_at=None,
            version=self.version + 1,
        )
        return Decision(after, (_connected(after),))


def _connected(connection: Connection) -> ExternalConnected:
    return ExternalConnected(
        aggregate_id=connection.connection_id,
        version=connection.version,
        property_id=connection.property_id,
        platform=connection.platform.value,
        gateway=connection.gateway,
    )
