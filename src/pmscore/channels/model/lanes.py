"""A lane of a connection: when it runs next, who runs it, and how it fared.

Owns the values. Leaves when to try again to ``policies.waiting``, and that only one holds a lease to the store.
"""

from __future__ import annotations

from datetime import date, datetime

from attrs import frozen

from pmscore.channels.model.manifest import Lane
from pmscore.kernel.errors import StaleVersionError
from pmscore.kernel.ids import ConnectionId, LaneId

__all__ = ["LaneLease", "LaneLostError", "LaneState"]


@frozen(kw_only=True)
class LaneState:
    """Where a lane stands.

    ``attempts`` counts the runs that were begun since one ended well, ``failures`` those in a row that
    failed. While ``closed_until`` lies ahead nothing is sent. ``cursor`` is where the next pull begins, in
    the gateway's words. ``rolled_on`` is the local date of the last look at all nights; ``asked_until`` how
    long a run that was asked for is waited for.
    """

    lane_id: LaneId
    connection_id: ConnectionId
    lane: Lane
    next_at: datetime | None
    attempts: int = 0
    failures: int = 0
    closed_until: datetime | None = None
    cursor: str = ""
    rolled_on: date | None = None
    asked_until: datetime | None = None


@frozen
class LaneLease:
    """The right to run a lane until an instant; a later lease has a larger token."""

    lane_id: LaneId
    token: int
    until: datetime


class LaneLostError(StaleVersionError):
    """Somebody else runs the lane by now; nothing of this transaction was written."""

    code = "lane_lost"
