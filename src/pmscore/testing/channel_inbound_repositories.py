"""What receiving keeps, in memory: revisions and links, knocks, and issues for people.

Owns what their ports promise. Leaves the commit to ``channel_log``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import partial

from attrs import evolve

from pmscore.channels.model.calls import KeptKnock, Knock
from pmscore.channels.model.revisions import Issue, IssueKind, Link, StoredRevision, StoredState
from pmscore.channels.policies.forgetting import is_personal, over_at, without_personal
from pmscore.channels.ports import IssueRepository, KnockRepository, RevisionRepository
from pmscore.kernel.errors import NotFoundError
from pmscore.kernel.ids import ConnectionId, IssueId, PropertyId
from pmscore.kernel.paging import Page, Paged
from pmscore.testing.channel_log import ChannelLog, KnockRow, RevisionKey
from pmscore.testing.repositories import paged
from pmscore.testing.transaction import Transaction

__all__ = ["InMemoryIssues", "InMemoryKnocks", "InMemoryRevisions"]


class InMemoryRevisions(RevisionRepository):
    """Revisions, and which booking stands for them."""

    def __init__(self, transaction: Transaction) -> None:
        self._at = transaction

    def add(self, stored: StoredRevision) -> bool:
        """Add a revision unless it is known."""
        key = (stored.connection_id, stored.revision_id)
        self._at.check_open()
        self._at.lock("channel_revision", key)
        pending = self._at.changes.channels.revisions
        with self._at.locks.mutex:
            if key in self._log.revisions or key in pending:
                return False
        pending[key] = stored
        self._at.changes.channels.belongings.add(stored.connection_id)
        return True

    def get(self, connection_id: ConnectionId, revision_id: str) -> StoredRevision:
        """Return a revision, locked."""
        at, key = self._at, (connection_id, revision_id)
        return at.locked("channel_revision", key, self._log.revisions, at.changes.channels.revisions)

    def save(self, stored: StoredRevision) -> None:
        """Store a locked revision."""
        key = (stored.connection_id, stored.revision_id)
        self._at.check_locked("channel_revision", key)
        self._at.changes.channels.revisions[key] = stored

    def waiting(
        self, connection_id: ConnectionId, states: Iterable[StoredState], most: int
    ) -> tuple[StoredRevision, ...]:
        """Return unacknowledged revisions in these states, in the order in which they came."""
        wanted = frozenset(states)
        found = [
            each for each in self._of(connection_id) if each.state in wanted and each.acknowledged_at is None
        ]
        found.sort(key=lambda each: (each.received_at, each.revision_id))
        return tuple(found[:most])

    def page(
        self, connection_id: ConnectionId, states: Iterable[StoredState], page: Page
    ) -> Paged[StoredRevision]:
        """Return a page of revisions, the newest first."""
        wanted = frozenset(states)
        found = [each for each in self._of(connection_id) if not wanted or each.state in wanted]
        return paged(sorted(found, key=lambda each: (each.received_at, each.revision_id), reverse=True), page)

    def link(self, connection_id: ConnectionId, booking_key: str) -> Link | None:
        """Return the link of a booking, locked; so is its absence."""
        key = (connection_id, booking_key)
        self._at.check_open()
        self._at.lock("channel_link", key)
        with self._at.locks.mutex:
            return self._at.changes.channels.links.get(key) or self._log.links.get(key)

    def save_link(self, link: Link) -> None:
        """Store a link that was looked for."""
        key = (link.connection_id, link.booking_key)
        self._at.check_locked("channel_link", key)
        self._at.changes.channels.links[key] = link
        self._at.changes.channels.belongings.add(link.connection_id)

    def links(self, connection_id: ConnectionId) -> tuple[Link, ...]:
        """Return every link of a connection, by key."""
        self._at.check_open()
        with self._at.locks.mutex:
            every = tuple(self._log.links.values())
        found = (each for each in every if each.connection_id == connection_id)
        return tuple(sorted(found, key=lambda each: each.booking_key))

    def purge(self, before: datetime, *, most: int) -> int:
        """Forget what is personal in revisions that were done with before an instant."""
        self._at.check_open()
        with self._at.locks.mutex:
            open_ones = {
                (each.connection_id, each.revision_id)
                for each in self._log.issues.values()
                if each.closed_at is None
            }
            done = [
                (ended_at, key)
                for key, each in self._log.revisions.items()
                if (ended_at := over_at(each)) < before
                and each.state is not StoredState.RECEIVED
                and key not in open_ones
                and is_personal(each)
            ]
        chosen = frozenset(key for _, key in sorted(done)[:most])
        self._at.changes.channels.writes.append(partial(_forget, chosen))
        return len(chosen)

    @property
    def _log(self) -> ChannelLog:
        return self._at.books.channels

    def _of(self, connection_id: ConnectionId) -> tuple[StoredRevision, ...]:
        self._at.check_open()
        with self._at.locks.mutex:
            every = tuple(self._log.revisions.values())
        return tuple(each for each in every if each.connection_id == connection_id)


class InMemoryKnocks(KnockRepository):
    """Messages that came to our addresses."""

    def __init__(self, transaction: Transaction) -> None:
        self._at = transaction

    def add(self, connection_id: ConnectionId, knock: Knock) -> bool:
        """Add a knock unless it was seen before."""
        key = (connection_id, knock.digest)
        self._at.check_open()
        self._at.lock("channel_knock", key)
        with self._at.locks.mutex:
            if key in self._at.books.channels.knocks:
                return False
        self._at.changes.channels.belongings.add(connection_id)
        self._at.changes.channels.writes.append(lambda log: log.knocks.update({key: KnockRow(knock)}))
        return True

    def take(self, connection_id: ConnectionId, most: int) -> tuple[KeptKnock, ...]:
        """Return knocks that are not done, the oldest first."""
        self._at.check_open()
        with self._at.locks.mutex:
            waiting = [
                KeptKnock(digest=digest, knock=row.knock)
                for (of, digest), row in self._at.books.channels.knocks.items()
                if of == connection_id and row.done_at is None
            ]
        waiting.sort(key=lambda each: (each.knock.received_at, each.digest))
        return tuple(waiting[:most])

    def done(self, connection_id: ConnectionId, digests: Iterable[str], now: datetime) -> None:
        """Note that knocks were read."""
        self._at.check_open()
        keys = frozenset((connection_id, each) for each in digests)
        self._at.changes.channels.writes.append(partial(_note_done, keys, now))

    def purge(self, before: datetime, *, most: int) -> int:
        """Delete knocks that were done before an instant."""
        self._at.check_open()
        with self._at.locks.mutex:
            done = [
                (row.done_at, key)
                for key, row in self._at.books.channels.knocks.items()
                if row.done_at is not None and row.done_at < before
            ]
        chosen = frozenset(key for _, key in sorted(done)[:most])
        self._at.changes.channels.writes.append(partial(_drop_knocks, chosen))
        return len(chosen)


class InMemoryIssues(IssueRepository):
    """What a person has to look at."""

    def __init__(self, transaction: Transaction) -> None:
        self._at = transaction

    def open(self, issue: Issue) -> bool:
        """Add an issue unless one like it is open."""
        self._at.check_open()
        self._at.lock("channel_issues", (issue.connection_id, issue.kind))
        if any(_is_about(issue, each) for each in self._every() if each.closed_at is None):
            return False
        self._at.changes.channels.issues[issue.issue_id] = issue
        self._at.changes.channels.belongings.add(issue.connection_id)
        return True

    def get(self, issue_id: IssueId) -> Issue:
        """Return an issue, locked."""
        at = self._at
        found = at.locked("channel_issue", issue_id, at.books.channels.issues, at.changes.channels.issues)
        if not self._reaches(found):
            raise NotFoundError("channel_issue", issue_id)
        return found

    def close(
        self, connection_id: ConnectionId, kind: IssueKind, now: datetime, *, revision_id: str = ""
    ) -> tuple[Issue, ...]:
        """Close what is open of a kind, for one revision or for all."""
        self._at.check_open()
        self._at.lock("channel_issues", (connection_id, kind))
        closed = tuple(
            evolve(each, closed_at=now)
            for each in sorted(self._every(), key=lambda each: (each.opened_at, each.issue_id))
            if (each.connection_id, each.kind) == (connection_id, kind)
            and each.closed_at is None
            and revision_id in {"", each.revision_id}
        )
        for each in closed:
            self._at.lock("channel_issue", each.issue_id)
            self._at.changes.channels.issues[each.issue_id] = each
        return closed

    def save(self, issue: Issue) -> None:
        """Store a locked issue."""
        self._at.check_locked("channel_issue", issue.issue_id)
        self._at.changes.channels.issues[issue.issue_id] = issue

    def find(
        self, property_id: PropertyId | None, page: Page, *, is_open: bool | None = None
    ) -> Paged[Issue]:
        """Return a page of issues, the newest first."""
        self._at.check_open()
        with self._at.locks.mutex:
            every = tuple(self._at.books.channels.issues.values())
        found = [
            each
            for each in every
            if property_id in {None, each.property_id}
            and is_open in {None, each.closed_at is None}
            and self._reaches(each)
        ]
        return paged(sorted(found, key=lambda each: (each.opened_at, each.issue_id), reverse=True), page)

    def _every(self) -> tuple[Issue, ...]:
        """Return every issue as this transaction sees it."""
        with self._at.locks.mutex:
            return tuple({**self._at.books.channels.issues, **self._at.changes.channels.issues}.values())

    def _reaches(self, issue: Issue) -> bool:
        reach = self._at.command.property_ids
        return reach is None or issue.property_id in reach


def _forget(keys: frozenset[RevisionKey], log: ChannelLog) -> None:
    for key in keys:
        log.revisions[key] = without_personal(log.revisions[key])


def _note_done(keys: frozenset[tuple[ConnectionId, str]], now: datetime, log: ChannelLog) -> None:
    for key in keys:
        if key in log.knocks:
            log.knocks[key].done_at = now


def _drop_knocks(keys: frozenset[tuple[ConnectionId, str]], log: ChannelLog) -> None:
    for key in keys:
        log.knocks.pop(key, None)


def _is_about(issue: Issue, other: Issue) -> bool:
    """Return whether both say the same of the same revision, or else of the same booking."""
    if (issue.connection_id, issue.kind, issue.revision_id) != (
        other.connection_id,
        other.kind,
        other.revision_id,
    ):
        return False
    return bool(issue.revision_id) or issue.booking_id == other.booking_id
