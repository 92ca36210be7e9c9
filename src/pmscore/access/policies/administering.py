"""That an agency always has somebody who can let others in.

Owns the rule of the last admin. It holds only if all admins of the agency are locked while it is asked.
"""

from __future__ import annotations

from collections.abc import Iterable

from pmscore.access.model.users import Membership
from pmscore.kernel.errors import TransitionError

__all__ = ["refuse_without_admin"]


def refuse_without_admin(admins: Iterable[Membership], changed: Membership) -> None:
    """Refuse a change after which no active admin is left; ``admins`` are the active ones before it.

    Raises:
        TransitionError: reason ``last_admin``.
    """
    active = {each.user_id for each in admins if each.is_active_admin}
    if active == {changed.user_id} and not changed.is_active_admin:
        raise TransitionError("change_membership", "admin", "last_admin")
