"""Keys with which programs prove who they are.

Owns the key of an agency and its events. Of the secret only a hash is kept; how both are written stands in
``policies.secrets``.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar

from attrs import evolve, field, frozen

from pmscore.access.model.permissions import Role
from pmscore.access.model.users import check_reach
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Decision, Event
from pmscore.kernel.ids import AgencyId, ApiKeyId, PropertyId
from pmscore.kernel.text import checked_text

__all__ = ["ApiKey", "KeyCreated", "KeyRevoked"]


@frozen(kw_only=True)
class KeyCreated(Event):
    """A key was made."""

    aggregate: ClassVar[str] = "key"
    kind: str = "key.created"
    role: Role
    property_ids: tuple[PropertyId, ...] | None
    expires_at: datetime | None


@frozen(kw_only=True)
class KeyRevoked(Event):
    """A key was withdrawn."""

    aggregate: ClassVar[str] = "key"
    kind: str = "key.revoked"


@frozen(kw_only=True)
class ApiKey:
    """One key: what it may do, and until when.

    ``used_on`` is the last day (UTC) on which it was used, None before the first.
    """

    key_id: ApiKeyId
    agency_id: AgencyId
    name: str
    role: Role
    key_hash: str = field(repr=False)
    property_ids: frozenset[PropertyId] | None = None
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    used_on: date | None = None
    version: int = 1

    def __attrs_post_init__(self) -> None:
        checked_text(self.name, field="name")
        check_reach(self.role, self.property_ids)
        if self.expires_at is not None and self.expires_at <= self.created_at:
            raise InvalidInputError("expires_at", "in_the_past")

    def is_valid(self, now: datetime) -> bool:
        """Return whether it opens anything at ``now``."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def created(self) -> Decision[ApiKey]:
        """Return the key with the event of its making."""
        event = KeyCreated(
            aggregate_id=self.key_id,
            version=self.version,
            role=self.role,
            property_ids=None if self.property_ids is None else tuple(sorted(self.property_ids)),
            expires_at=self.expires_at,
        )
        return Decision(self, (event,))

    def revoked(self, at: datetime) -> Decision[ApiKey]:
        """Return the key withdrawn; one that was withdrawn before stays as it is."""
        if self.revoked_at is not None:
            return Decision(self, ())
        gone = evolve(self, revoked_at=at, version=self.version + 1)
        return Decision(gone, (KeyRevoked(aggregate_id=self.key_id, version=gone.version),))
