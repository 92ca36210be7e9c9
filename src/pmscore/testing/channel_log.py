"""What one agency keeps of channels in memory.

Owns the committed state and how a transaction's writes are judged and put. Leaves reading inside a transaction to
``channel_repositories``, ``channel_inbound_repositories`` and ``channel_operation_repositories``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from attrs import Factory, define, evolve

from pmscore.channels.model.ari import Dirty, RowKey
from pmscore.channels.model.calls import Knock
from pmscore.channels.model.connections import Connection
from pmscore.channels.model.lanes import LaneState
from pmscore.channels.model.manifest import Lane
from pmscore.channels.model.mappings import MappingBook
from pmscore.channels.model.operations import Operation
from pmscore.channels.model.revisions import Issue, Link, StoredRevision
from pmscore.channels.policies.counting_calls import CountedCall
from pmscore.kernel.errors import NotFoundError, StaleVersionError
from pmscore.kernel.ids import BatchId, CallId, ConnectionId, IssueId, LaneId, OperationId

__all__ = [
    "ChannelChanges",
    "ChannelLog",
    "KeptBatch",
    "KnockRow",
    "LaneRow",
    "LinkKey",
    "RevisionKey",
    "earliest",
]

RevisionKey: TypeAlias = tuple[ConnectionId, str]
"""A connection and the id of a revision."""
LinkKey: TypeAlias = tuple[ConnectionId, str]
"""A connection and the key of a booking."""
DirtyKey: TypeAlias = tuple[ConnectionId, Lane]


@define
class LaneRow:
    """A lane with its lease; ``woken_at`` is when somebody wants it to run, until a run begins after that."""

    state: LaneState
    token: int = 0
    leased_until: datetime | None = None
    woken_at: datetime | None = None

    def is_free(self, now: datetime) -> bool:
        """Return whether nobody runs it."""
        return self.leased_until is None or self.leased_until <= now

    def wake(self, at: datetime) -> None:
        """Let it be due at an instant or earlier."""
        self.state = evolve(self.state, next_at=earliest(self.state.next_at, at))
        self.woken_at = earliest(self.woken_at, at)

    def claim(self, now: datetime, until: datetime) -> None:
        """Give it to somebody; should they die, it is due again at ``until``."""
        self.token += 1
        self.leased_until = until
        if self.woken_at is not None and self.woken_at <= now:
            self.woken_at = None
        self.state = evolve(
            self.state,
            next_at=earliest(self.state.next_at, until),
            attempts=self.state.attempts + 1,
            asked_until=None,
        )

    def finish(self, after: LaneState) -> None:
        """Store how a run ended; who woke the lane meanwhile is heard."""
        self.state = evolve(
            after, next_at=earliest(after.next_at, self.woken_at), asked_until=self.state.asked_until
        )
        self.leased_until = None


@define
class KnockRow:
    """A knock and when it was read."""

    knock: Knock
    done_at: datetime | None = None


@define
class KeptBatch:
    """What is kept of a batch itself."""

    connection_id: ConnectionId
    expected: int


@define
class ChannelLog:
    """Everything that is committed."""

    connections: dict[ConnectionId, Connection] = Factory(dict[ConnectionId, Connection])
    mappings: dict[ConnectionId, MappingBook] = Factory(dict[ConnectionId, MappingBook])
    lanes: dict[LaneId, LaneRow] = Factory(dict[LaneId, LaneRow])
    dirty: dict[DirtyKey, dict[UUID, Dirty]] = Factory(dict[DirtyKey, dict[UUID, Dirty]])
    cells: dict[ConnectionId, dict[RowKey, dict[int, int]]] = Factory(
        dict[ConnectionId, dict[RowKey, dict[int, int]]]
    )
    calls: dict[str, dict[CallId, CountedCall]] = Factory(dict[str, dict[CallId, CountedCall]])
    closed: dict[str, datetime] = Factory(dict[str, datetime])
    revisions: dict[RevisionKey, StoredRevision] = Factory(dict[RevisionKey, StoredRevision])
    links: dict[LinkKey, Link] = Factory(dict[LinkKey, Link])
    knocks: dict[tuple[ConnectionId, str], KnockRow] = Factory(dict[tuple[ConnectionId, str], KnockRow])
    operations: dict[OperationId, Operation] = Factory(dict[OperationId, Operation])
    batches: dict[BatchId, KeptBatch] = Factory(dict[BatchId, KeptBatch])
    issues: dict[IssueId, Issue] = Factory(dict[IssueId, Issue])

    def check(self, changes: ChannelChanges) -> None:
        """Refuse what cannot be written, before anything is.

        Raises:
            LaneLostError: somebody else has claimed the lane of a fence.
            StaleVersionError: a property would have two connections on one platform.
            NotFoundError: something belongs to a connection that is not there.
        """
        for check in changes.checks:
            check(self)
        after = {**self.connections, **changes.connections}
        for connection_id in changes.belongings:
            if connection_id not in after:
                raise NotFoundError("channel_connection", connection_id)
        for each in changes.connections.values():
            if each.property_id is not None and each.deleted_at is None and _has_twin(each, after):
                raise StaleVersionError(connection_id=str(each.connection_id))

    def put(self, changes: ChannelChanges) -> None:
        """Write everything; what can be refused was refused before."""
        self.connections.update(changes.connections)
        self.revisions.update(changes.revisions)
        self.links.update(changes.links)
        self.operations.update(changes.operations)
        self.issues.update(changes.issues)
        for write in changes.writes:
            write(self)


Step: TypeAlias = Callable[[ChannelLog], None]
"""One write, or one check of it, at the commit."""


@define
class ChannelChanges:
    """What one transaction wants to write; ``belongings`` are the connections that something new belongs to."""

    connections: dict[ConnectionId, Connection] = Factory(dict[ConnectionId, Connection])
    revisions: dict[RevisionKey, StoredRevision] = Factory(dict[RevisionKey, StoredRevision])
    links: dict[LinkKey, Link] = Factory(dict[LinkKey, Link])
    operations: dict[OperationId, Operation] = Factory(dict[OperationId, Operation])
    issues: dict[IssueId, Issue] = Factory(dict[IssueId, Issue])
    belongings: set[ConnectionId] = Factory(set[ConnectionId])
    new_lanes: set[LaneId] = Factory(set[LaneId])
    checks: list[Step] = Factory(list[Step])
    writes: list[Step] = Factory(list[Step])


def earliest(*instants: datetime | None) -> datetime | None:
    """Return the first of the instants that are there, None where there is none."""
    return min((each for each in instants if each is not None), default=None)


def _has_twin(connection: Connection, every: dict[ConnectionId, Connection]) -> bool:
    of = (connection.property_id, connection.platform)
    return any(
        (each.property_id, each.platform) == of
        and each.deleted_at is None
        and each.connection_id != connection.connection_id
        for each in every.values()
    )
