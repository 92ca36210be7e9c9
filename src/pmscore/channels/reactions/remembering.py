"""What is remembered of a revision that was applied, in the transaction that has its effect.

Owns the look at revision and link, and the writing of both if they are still what they were when it was
decided what to do. Leaves the effect itself to ``applying``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from attrs import evolve, field, frozen

from pmscore.channels.model.ari import Dirty
from pmscore.channels.model.connections import Connection
from pmscore.channels.model.manifest import Lane
from pmscore.channels.model.mappings import MappingBook
from pmscore.channels.model.revisions import (
    IssueKind,
    Link,
    Revision,
    RevisionStatus,
    StoredRevision,
    StoredState,
)
from pmscore.channels.policies.inbound import Verdict
from pmscore.channels.ports import ChannelWork
from pmscore.channels.use_cases.issues import close_issues, raise_issue
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.house import House
from pmscore.kernel.errors import NotFoundError, StaleVersionError
from pmscore.kernel.events import Command, Event, Json
from pmscore.kernel.ids import BlockId, BookingId, ConnectionId
from pmscore.kernel.ports import Clock, IdSource, UnitOfWork

__all__ = ["Applying", "Effect", "MovedError", "Seen", "looked_up", "newest_status", "remember"]

_ASIDE: Final = (IssueKind.UNMAPPED, IssueKind.CURRENCY, IssueKind.MALFORMED)
_IN_CONFLICT: Final = (IssueKind.CHANGED_AFTER_END, IssueKind.OVERSOLD)


class MovedError(StaleVersionError):
    """What was decided on is not there any more as it was."""

    code = "revision_moved"


@frozen(kw_only=True)
class Applying:
    """On whose behalf revisions are applied, and with what; ``fence`` is written into every transaction.

    ``tells_counts`` says that the platform is told how many rooms it may sell.
    """

    command: Command
    uow: UnitOfWork[ChannelWork]
    clock: Clock
    ids: IdSource
    connection: Connection
    mappings: MappingBook
    house: House
    title: str
    tells_counts: bool
    fence: Callable[[ChannelWork], None]


@frozen(kw_only=True)
class Seen:
    """A revision and its link as they were when it was decided what to do."""

    stored: StoredRevision
    revision: Revision
    link: Link | None
    verdict: Verdict

    @property
    def booking_id(self) -> BookingId | None:
        """The booking that stands for it so far, if one stands."""
        return None if self.link is None or self.link.is_cancelled else self.link.booking_id

    @property
    def block_ids(self) -> tuple[BlockId, ...]:
        """The blocks that stand for it so far."""
        return () if self.link is None or self.link.is_cancelled else self.link.block_ids

    def linked(
        self,
        connection_id: ConnectionId,
        *,
        booking_id: BookingId | None = None,
        block_ids: tuple[BlockId, ...] = (),
        is_cancelled: bool = False,
    ) -> Link:
        """Return the link as it stands for this revision; nights that a cancellation does not name stay noted."""
        before, revision = self.link, self.revision
        nights = None if before is None else before.nights
        for number, room in enumerate(revision.rooms):
            stay = DateRange.from_stay(room.stay)
            nights = stay if nights is None or number == 0 else nights.span(stay)
        return Link(
            connection_id=connection_id,
            booking_key=revision.booking_key,
            booking_id=booking_id,
            block_ids=block_ids,
            revision_id=revision.revision_id,
            revised_at=revision.revised_at,
            is_cancelled=is_cancelled,
            nights=nights,
            version=1 if before is None else before.version + 1,
        )


@frozen(kw_only=True)
class Effect:
    """What is remembered of an effect; without ``link`` that stays as it is."""

    state: StoredState
    reason: str
    link: Link | None = None
    booking_id: BookingId | None = None
    issue: IssueKind | None = None
    details: Mapping[str, Json] = field(factory=dict[str, Json])
    events: tuple[Event, ...] = ()


def looked_up(
    work: ChannelWork, connection_id: ConnectionId, revision_id: str
) -> tuple[StoredRevision, Link | None]:
    """Return a revision and the link of its booking, locked in the one order in which everybody locks them.

    Raises:
        NotFoundError: there is no such revision.
    """
    stored = work.revisions.get(connection_id, revision_id)
    if stored.revision is None:
        return stored, None
    return stored, work.revisions.link(connection_id, stored.revision.booking_key)


def newest_status(work: ChannelWork, link: Link | None, revision: Revision) -> RevisionStatus | None:
    """Return the status of the revision that the link stands for, where it matters and is still known."""
    if link is None or link.revised_at != revision.revised_at or link.revision_id == revision.revision_id:
        return None
    try:
        stored = work.revisions.get(link.connection_id, link.revision_id)
    except NotFoundError:
        return None
    return None if stored.revision is None else stored.revision.status


def remember(work: ChannelWork, at: Applying, seen: Seen, effect: Effect, now: datetime) -> None:
    """Write what is remembered of an effect into its transaction, if what it was decided on still stands.

    Raises:
        MovedError: somebody has applied this or another revision of the booking meanwhile.
    """
    at.fence(work)
    revision_id, connection = seen.stored.revision_id, at.connection
    if looked_up(work, connection.connection_id, revision_id) != (seen.stored, seen.link):
        raise MovedError(revision_id=revision_id)
    work.revisions.save(
        evolve(
            seen.stored,
            state=effect.state,
            reason=effect.reason,
            applied_at=now if effect.state is StoredState.APPLIED else None,
            booking_id=effect.booking_id,
        )
    )
    if effect.link is not None:
        work.revisions.save_link(effect.link)
    for kind in _settled(seen.stored, effect.state):
        close_issues(work, connection, kind, now, revision_id=revision_id)
    if effect.state is StoredState.APPLIED and seen.link is not None:
        close_issues(work, connection, IssueKind.OVERSOLD, now, revision_id=seen.link.revision_id)
    if effect.issue is not None:
        raise_issue(
            work,
            connection,
            effect.issue,
            ids=at.ids,
            now=now,
            revision_id=revision_id,
            booking_id=effect.booking_id,
            details=effect.details,
        )
    if at.tells_counts:
        _doubt_counts(work, at, seen)
    work.record(*effect.events)


def _doubt_counts(work: ChannelWork, at: Applying, seen: Seen) -> None:
    """Note that nobody knows the platform's counts on the nights of a sale: many lower and raise their own when they sell.

    The counts are told anew then, also where they come out as they were told before. What is late, or put aside, was
    counted by the platform all the same.
    """
    stays = [DateRange.from_stay(room.stay) for room in seen.revision.rooms]
    if seen.link is not None and seen.link.nights is not None:
        stays.append(seen.link.nights)
    rooms = [at.mappings.room(each.room_code) for each in seen.revision.rooms]
    types = frozenset(each.unit_type_id for each in rooms if each is not None)
    if stays and (types or seen.link is not None):
        nights = stays[0]
        for stay in stays:
            nights = nights.span(stay)
        work.dirty.add(
            Dirty(
                dirty_id=at.ids.new(),
                connection_id=at.connection.connection_id,
                lane=Lane.AVAILABILITY,
                nights=nights,
                unit_type_ids=types if seen.link is None else None,
                forgets=True,
            )
        )


def _settled(stored: StoredRevision, after: StoredState) -> tuple[IssueKind, ...]:
    """Return the kinds of issues about a revision that are over, now that it is no longer put aside."""
    if not stored.was_put_aside or after is StoredState.QUARANTINED:
        return ()
    return _ASIDE if after is StoredState.CONFLICT else (*_ASIDE, *_IN_CONFLICT)
