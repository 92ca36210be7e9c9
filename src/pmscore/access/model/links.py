"""One-time links: who holds one may set a password once.

Owns purposes and lifetimes. The link carries a secret; the store has its hash.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from attrs import evolve, frozen

from pmscore.kernel.events import Event
from pmscore.kernel.ids import AgencyId, UserId

__all__ = ["LIFETIMES", "MOST_LIVE_LINKS", "LinkMade", "OneTimeLink", "Purpose"]


class Purpose(StrEnum):
    """What a link is for."""

    RESET = "reset"
    INVITATION = "invitation"


LIFETIMES = {Purpose.RESET: timedelta(hours=1), Purpose.INVITATION: timedelta(days=7)}
MOST_LIVE_LINKS = 5
"""How many unused links of one purpose a person can have at once: nobody's mailbox can be flooded through us."""


@frozen(kw_only=True)
class LinkMade(Event):
    """A link was made for somebody."""

    aggregate: ClassVar[str] = "user"
    kind: str = "user.linkMade"
    purpose: Purpose


@frozen(kw_only=True)
class OneTimeLink:
    """One link, good until it is used or ``expires_at``."""

    link_hash: str
    agency_id: AgencyId
    user_id: UserId
    purpose: Purpose
    expires_at: datetime
    used_at: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        """Return whether it can be used at ``now``."""
        return self.used_at is None and now < self.expires_at

    def used(self, now: datetime) -> OneTimeLink:
        """Return the link used up."""
        return evolve(self, used_at=now)
