"""What a store keeps for sending: lanes and their leases, what may differ, what was acknowledged, and calls.

Business times are parameters: none of these asks a clock of its own.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from pmscore.channels.model.ari import AriRows, Dirty, RowKey
from pmscore.channels.model.lanes import LaneLease, LaneState
from pmscore.channels.model.manifest import CallGroup, Lane
from pmscore.dates.ranges import DateRange
from pmscore.kernel.ids import (
    CallId,
    ConnectionId,
    LaneId,
    MappingId,
)

__all__ = [
    "CallLog",
    "CellRepository",
    "DirtyRepository",
    "LaneRepository",
]


class LaneRepository(Protocol):
    """Keeps lanes, their schedule and who runs them."""

    @abstractmethod
    def add(self, state: LaneState) -> None:
        """Add a lane."""

    @abstractmethod
    def of(self, connection_id: ConnectionId) -> tuple[LaneState, ...]:
        """Return the lanes of a connection, by name."""

    @abstractmethod
    def get(self, lane_id: LaneId) -> LaneState:
        """Return a lane without a lock.

        Raises:
            NotFoundError: there is none.
        """

    @abstractmethod
    def take_due(self, *, now: datetime, until: datetime, most: int) -> tuple[LaneState, ...]:
        """Return lanes that should run, and keep others from asking for them until ``until``.

        Due is a lane whose ``next_at`` has come, that has a dirty row, or, for bookings, a knock that is not
        done; never one that is closed, leased or asked for, nor of a connection that does not sync. A
        transaction of its own.
        """

    @abstractmethod
    def next_at(self, now: datetime) -> datetime | None:
        """Return the earliest instant, not before ``now``, at which a lane will be due; None: there is no such."""

    @abstractmethod
    def claim(self, lane_id: LaneId, *, now: datetime, until: datetime) -> LaneLease | None:
        """Take the right to run a lane; None while somebody has it. A transaction of its own.

        Counts an attempt in the same write, clears ``asked_until``, and lets the lane be due again at ``until``.
        """

    @abstractmethod
    def keep(self, lease: LaneLease, *, until: datetime) -> None:
        """Fence this transaction with a lease, and prolong it; every transaction of a run does so.

        Raises (at the commit):
            LaneLostError: somebody else has claimed the lane since; nothing was written.
        """

    @abstractmethod
    def finish(self, lease: LaneLease, state: LaneState) -> None:
        """Store a lane after a run and give the lease up; with a dirty row left and not closed it is due at once.

        Raises (at the commit):
            LaneLostError: somebody else has claimed the lane since; nothing was written.
        """

    @abstractmethod
    def wake(self, lane_id: LaneId, at: datetime) -> None:
        """Let a lane be due at an instant, or earlier where it was to be already."""


class DirtyRepository(Protocol):
    """Keeps what may differ from what platforms have."""

    @abstractmethod
    def add(self, *rows: Dirty) -> None:
        """Add rows, and let the sweeper know."""

    @abstractmethod
    def of(self, connection_id: ConnectionId, lane: Lane) -> tuple[Dirty, ...]:
        """Return the rows of a lane, the oldest first."""

    @abstractmethod
    def remove(self, dirty_ids: Iterable[UUID]) -> None:
        """Remove rows; those that are gone already do not matter."""


class CellRepository(Protocol):
    """Keeps what platforms have acknowledged, a month of integers a row. Only whoever holds the lease writes."""

    @abstractmethod
    def read(self, connection_id: ConnectionId, keys: Iterable[RowKey], nights: DateRange) -> AriRows:
        """Return the cells of these keys; ``UNKNOWN`` where nothing was acknowledged."""

    @abstractmethod
    def put(self, connection_id: ConnectionId, rows: AriRows) -> None:
        """Store the cells of these rows in place of what was there; ``UNKNOWN`` ones are forgotten."""

    @abstractmethod
    def forget_mapping(self, mapping_ids: Iterable[MappingId]) -> None:
        """Remove all cells of these mappings."""


class CallLog(Protocol):
    """Counts calls as intervals, so that no limit of a platform is exceeded whoever dies."""

    @abstractmethod
    def reserve(self, groups: Sequence[tuple[str, CallGroup]], call_id: CallId, *, now: datetime) -> float:
        """Enter a call in all of these groups, each with its key, or in none. A transaction of its own.

        Returns 0 where the call may go, else the seconds to wait, half a second where only others are on their way. A
        call that nobody has ended counts as ended ``longest_seconds`` after it began.
        """

    @abstractmethod
    def end(self, call_id: CallId, *, now: datetime) -> None:
        """Note that a call is over."""

    @abstractmethod
    def close(self, key: str, *, until: datetime) -> None:
        """Let no call of a key go before an instant."""
