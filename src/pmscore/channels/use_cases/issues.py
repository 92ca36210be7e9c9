"""What a person has to look at: raised by us, closed by them or by what follows, and what they decide.

Owns issues, the second try of a revision, and the word of a person that a feed is right about what it left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from attrs import evolve, frozen

from pmscore.channels.model.connections import Connection
from pmscore.channels.model.events import IssueClosed, IssueRaised
from pmscore.channels.model.manifest import Lane
from pmscore.channels.model.revisions import (
    Issue,
    IssueKind,
    Link,
    Revision,
    StoredRevision,
    StoredState,
)
from pmscore.channels.policies.feeds import cancellation_of, feed_prefix
from pmscore.channels.ports import ChannelWork
from pmscore.dates.zones import local_date
from pmscore.kernel.errors import TransitionError
from pmscore.kernel.events import Command, Json
from pmscore.kernel.ids import BookingId, ConnectionId, IssueId
from pmscore.kernel.ports import Clock, IdSource, UnitOfWork

__all__ = [
    "CloseIssue",
    "ConfirmFeed",
    "RetryRevision",
    "close_issue",
    "close_issues",
    "confirm_feed",
    "feed_subject",
    "raise_issue",
    "received",
    "retry_revision",
    "wake_bookings",
]


@frozen(kw_only=True)
class CloseIssue(Command):
    """Say that an issue was looked at, and dealt with where that was needed."""

    issue_id: IssueId


@frozen(kw_only=True)
class RetryRevision(Command):
    """Try a revision again that was put aside."""

    connection_id: ConnectionId
    revision_id: str


@frozen(kw_only=True)
class ConfirmFeed(Command):
    """Say that the feed of a room is right about the stays that it left out."""

    connection_id: ConnectionId
    room_code: str


def feed_subject(room_code: str) -> str:
    """Return what an issue about the feed of a room is known by."""
    return f"feed:{room_code}"


def raise_issue(
    work: ChannelWork,
    connection: Connection,
    kind: IssueKind,
    *,
    ids: IdSource,
    now: datetime,
    revision_id: str = "",
    booking_id: BookingId | None = None,
    details: Mapping[str, Json] | None = None,
) -> bool:
    """Open an issue in this transaction, with its event; False where one like it is open."""
    issue = Issue(
        issue_id=IssueId(ids.new()),
        connection_id=connection.connection_id,
        property_id=connection.property_id,
        kind=kind,
        booking_id=booking_id,
        revision_id=revision_id,
        details=details or {},
        opened_at=now,
    )
    is_new = work.issues.open(issue)
    if is_new:
        work.record(
            IssueRaised(
                aggregate_id=connection.connection_id,
                version=connection.version,
                property_id=connection.property_id,
                issue_id=issue.issue_id,
                issue=kind.value,
                booking_id=booking_id,
            )
        )
    return is_new


def close_issues(
    work: ChannelWork, connection: Connection, kind: IssueKind, now: datetime, *, revision_id: str
) -> int:
    """Close what is open of a kind about a revision, because it has been settled; return how many there were."""
    closed = work.issues.close(connection.connection_id, kind, now, revision_id=revision_id)
    for issue in closed:
        work.record(_closed(connection, issue))
    return len(closed)


def close_issue(command: CloseIssue, *, uow: UnitOfWork[ChannelWork], clock: Clock) -> Issue:
    """Close an issue; closing it twice changes nothing. A revision that was in conflict is settled with it.

    Raises:
        NotFoundError: there is no such issue within reach.
    """
    now = clock.now()
    with uow.begin(command) as work:
        issue = work.issues.get(command.issue_id)
        if issue.closed_at is not None:
            return issue
        after = evolve(issue, closed_at=now)
        work.issues.save(after)
        connection = work.connections.read(issue.connection_id)
        work.record(_closed(connection, after))
        if issue.kind in {IssueKind.CHANGED_AFTER_END, IssueKind.OVERSOLD} and issue.revision_id:
            stored = work.revisions.get(issue.connection_id, issue.revision_id)
            if stored.state is StoredState.CONFLICT:
                work.revisions.save(evolve(stored, state=StoredState.SUPERSEDED, reason="settled_by_hand"))
                wake_bookings(work, connection.connection_id, now)
        work.commit()
    return after


def retry_revision(command: RetryRevision, *, uow: UnitOfWork[ChannelWork], clock: Clock) -> StoredRevision:
    """Let a revision be tried again by the next run, which is at once.

    Raises:
        NotFoundError: there is no such connection or revision within reach.
        TransitionError: it was applied already, or it cannot be read at all: then the reason is ``unreadable``.
    """
    with uow.begin(command) as work:
        connection = _reached(work, command, command.connection_id)
        stored = work.revisions.get(connection.connection_id, command.revision_id)
        if stored.state not in {StoredState.QUARANTINED, StoredState.CONFLICT}:
            raise TransitionError("retry", stored.state.value)
        if stored.revision is None:
            raise TransitionError("retry", stored.state.value, "unreadable")
        after = evolve(stored, state=StoredState.RECEIVED)
        work.revisions.save(after)
        wake_bookings(work, connection.connection_id, clock.now())
        work.commit()
    return after


def confirm_feed(command: ConfirmFeed, *, uow: UnitOfWork[ChannelWork], clock: Clock) -> int:
    """End what the feed of a room has left out and that has not begun; return how many stays those are.

    Only what was held for a person: where no issue about the feed is open, nothing is done.

    Raises:
        NotFoundError: there is no such connection within reach.
    """
    now = clock.now()
    with uow.begin(command) as work:
        connection = _reached(work, command, command.connection_id)
        if connection.property_id is None:
            return 0
        subject = feed_subject(command.room_code)
        if not close_issues(work, connection, IssueKind.FEED_SHRUNK, now, revision_id=subject):
            return 0
        home = work.houses.get(connection.property_id).property
        today = local_date(now, home.zone)
        gone = [
            link
            for link in work.revisions.links(connection.connection_id)
            if link.booking_key.startswith(feed_prefix(command.room_code))
            and _is_left_out(link)
            and link.nights is not None
            and link.nights.start > today
        ]
        for link in gone:
            told = cancellation_of(link, command.room_code, now)
            work.revisions.add(received(connection.connection_id, told, now))
        wake_bookings(work, connection.connection_id, now)
        work.commit()
    return len(gone)


def received(connection_id: ConnectionId, revision: Revision, now: datetime) -> StoredRevision:
    """Return a revision as it is stored when it comes."""
    return StoredRevision(
        revision=revision,
        malformed=None,
        connection_id=connection_id,
        revision_id=revision.revision_id,
        state=StoredState.RECEIVED,
        received_at=now,
    )


def wake_bookings(work: ChannelWork, connection_id: ConnectionId, at: datetime) -> None:
    """Let what was put aside be tried again: after a change of mappings, or when a person has decided."""
    for state in work.lanes.of(connection_id):
        if state.lane is Lane.BOOKINGS:
            work.lanes.wake(state.lane_id, at)


def _is_left_out(link: Link) -> bool:
    return link.missing_since is not None and not link.is_cancelled


def _reached(work: ChannelWork, command: Command, connection_id: ConnectionId) -> Connection:
    connection = work.connections.read(connection_id)
    if connection.property_id is not None:
        command.check_reach(connection.property_id, "channel_connection", connection_id)
    return connection


def _closed(connection: Connection, issue: Issue) -> IssueClosed:
    return IssueClosed(
        aggregate_id=connection.connection_id,
        version=connection.version,
        property_id=connection.property_id,
        issue_id=issue.issue_id,
        issue=issue.kind.value,
    )
