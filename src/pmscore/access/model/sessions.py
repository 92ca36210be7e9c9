"""Sessions: somebody is logged in, in one agency, on one device.

Owns how long a session lives, and the events of coming and going. The browser has a secret; the store has its hash.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

from attrs import evolve, frozen

from pmscore.kernel.events import Event
from pmscore.kernel.ids import AgencyId, UserId

__all__ = [
    "ABSOLUTE_LIFE",
    "IDLE_LIFE",
    "AgencySwitched",
    "LogInFailed",
    "Session",
    "UserLoggedIn",
    "UserLoggedOut",
]

IDLE_LIFE = timedelta(minutes=30)
"""How long a session lives without a request."""

ABSOLUTE_LIFE = timedelta(hours=12)
"""How long a session lives at most."""

SEEN_EVERY = timedelta(minutes=1)


@frozen(kw_only=True)
class UserLoggedIn(Event):
    """A session began."""

    aggregate: ClassVar[str] = "user"
    kind: str = "user.loggedIn"


@frozen(kw_only=True)
class LogInFailed(Event):
    """A password was wrong, the ``failed_tries``-th time in a row."""

    aggregate: ClassVar[str] = "user"
    kind: str = "user.logInFailed"
    failed_tries: int


@frozen(kw_only=True)
class UserLoggedOut(Event):
    """A session ended at its own request, or all of them with ``everywhere``."""

    aggregate: ClassVar[str] = "user"
    kind: str = "user.loggedOut"
    everywhere: bool


@frozen(kw_only=True)
class AgencySwitched(Event):
    """A session came over from another agency, which this one is not told: who works elsewhere is not its business."""

    aggregate: ClassVar[str] = "user"
    kind: str = "user.agencySwitched"


@frozen(kw_only=True)
class Session:
    """One session; ``seen_at`` is right to the minute."""

    session_hash: str
    user_id: UserId
    agency_id: AgencyId
    created_at: datetime
    seen_at: datetime

    @property
    def expires_at(self) -> datetime:
        """When it ends if nobody uses it any more, and at the latest."""
        return min(self.seen_at + IDLE_LIFE, self.created_at + ABSOLUTE_LIFE)

    def is_valid(self, now: datetime) -> bool:
        """Return whether it still stands for its user at ``now``."""
        return now < self.expires_at

    def needs_renewal(self, now: datetime) -> bool:
        """Return whether its use is worth a write."""
        return now - self.seen_at >= SEEN_EVERY

    def moved(self, session_hash: str, agency_id: AgencyId, now: datetime) -> Session:
        """Return the session under another id in another agency; it ends no later than it would have."""
        return evolve(self.seen(now), session_hash=session_hash, agency_id=agency_id)

    def seen(self, now: datetime) -> Session:
        """Return the session as one that was used at ``now``."""
        return evolve(self, seen_at=max(self.seen_at, now))
