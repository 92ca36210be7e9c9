"""Who is asking, after they have proved it.

Owns the principal: agency, actor, role and reach. Leaves the proof (session, token, key) to the host app, and the
walls between properties to the stores, which read the reach from the command.
"""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen

from pmscore.access.model.permissions import Permission, Role, permits
from pmscore.kernel.errors import PermissionDeniedError
from pmscore.kernel.ids import ActorId, AgencyId, PropertyId

__all__ = ["Means", "Principal"]


class Means(StrEnum):
    """How somebody has proved who they are."""

    SESSION = "session"
    BEARER = "bearer"
    API_KEY = "api_key"
    NONE = "none"


@frozen(kw_only=True)
class Principal:
    """Somebody in an agency.

    ``actor_id`` is the user's or the key's id, as events name it. ``property_ids`` are the only properties that they
    may see and touch; None means all of the agency's, and no other property is theirs to know of.
    """

    agency_id: AgencyId
    actor_id: ActorId
    role: Role
    means: Means
    property_ids: frozenset[PropertyId] | None = None

    def may(self, permission: Permission) -> bool:
        """Return whether their role allows it."""
        return permits(self.role, permission)

    def require(self, permission: Permission) -> None:
        """Go on only if their role allows it.

        Raises:
            PermissionDeniedError: it does not; names the permission and the role.
        """
        if not self.may(permission):
            raise PermissionDeniedError(permission=permission.value, role=self.role.value)
