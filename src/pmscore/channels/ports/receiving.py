"""What a store keeps of what came in: revisions and links, knocks, and issues for people."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from pmscore.channels.model.calls import (
    KeptKnock,
    Knock,
)
from pmscore.channels.model.revisions import Issue, IssueKind, Link, StoredRevision, StoredState
from pmscore.kernel.ids import (
    ConnectionId,
    IssueId,
    PropertyId,
)
from pmscore.kernel.paging import Page, Paged

__all__ = [
    "IssueRepository",
    "KnockRepository",
    "RevisionRepository",
]


class RevisionRepository(Protocol):
    """Keeps what platforms have sold, and which booking of ours stands for it."""

    @abstractmethod
    def add(self, stored: StoredRevision) -> bool:
        """Add a revision; False, and nothing happens, where the connection has one with this id."""

    @abstractmethod
    def get(self, connection_id: ConnectionId, revision_id: str) -> StoredRevision:
        """Return a revision, locked until the end of the transaction.

        Raises:
            NotFoundError: there is none.
        """

    @abstractmethod
    def save(self, stored: StoredRevision) -> None:
        """Store a revision that was read in this transaction."""

    @abstractmethod
    def waiting(
        self, connection_id: ConnectionId, states: Iterable[StoredState], most: int
    ) -> tuple[StoredRevision, ...]:
        """Return unacknowledged revisions in these states, in the order in which they came, without a lock."""

    @abstractmethod
    def page(
        self, connection_id: ConnectionId, states: Iterable[StoredState], page: Page
    ) -> Paged[StoredRevision]:
        """Return a page of revisions in these states, in all where none is named, the newest first."""

    @abstractmethod
    def link(self, connection_id: ConnectionId, booking_key: str) -> Link | None:
        """Return the link of a booking, locked until the end of the transaction; so is its absence."""

    @abstractmethod
    def save_link(self, link: Link) -> None:
        """Store a link that was looked for in this transaction."""

    @abstractmethod
    def links(self, connection_id: ConnectionId) -> tuple[Link, ...]:
        """Return every link of a connection, by key, without a lock."""

    @abstractmethod
    def purge(self, before: datetime, *, most: int) -> int:
        """Forget what is personal in revisions that were done with before an instant; return how many."""


class KnockRepository(Protocol):
    """Keeps messages that came to our addresses until they are read."""

    @abstractmethod
    def add(self, connection_id: ConnectionId, knock: Knock) -> bool:
        """Add a knock, and let the sweeper know without touching a lane; False: it was seen before."""

    @abstractmethod
    def take(self, connection_id: ConnectionId, most: int) -> tuple[KeptKnock, ...]:
        """Return knocks that are not done, the oldest first."""

    @abstractmethod
    def done(self, connection_id: ConnectionId, digests: Iterable[str], now: datetime) -> None:
        """Note that knocks were read; they are still known when they come again."""

    @abstractmethod
    def purge(self, before: datetime, *, most: int) -> int:
        """Delete knocks that were done before an instant; return how many."""


class IssueRepository(Protocol):
    """Keeps what a person has to look at."""

    @abstractmethod
    def open(self, issue: Issue) -> bool:
        """Add an issue; False where one of its kind is open for the same revision, or else the same booking."""

    @abstractmethod
    def get(self, issue_id: IssueId) -> Issue:
        """Return an issue, locked until the end of the transaction.

        Raises:
            NotFoundError: there is none.
        """

    @abstractmethod
    def close(
        self, connection_id: ConnectionId, kind: IssueKind, now: datetime, *, revision_id: str = ""
    ) -> tuple[Issue, ...]:
        """Close what is open of a kind, for one revision or for all; return what was closed."""

    @abstractmethod
    def save(self, issue: Issue) -> None:
        """Store an issue that was read in this transaction."""

    @abstractmethod
    def find(
        self, property_id: PropertyId | None, page: Page, *, is_open: bool | None = None
    ) -> Paged[Issue]:
        """Return a page of issues, the newest first."""
