"""Keeping what a platform has told: what is new is added, what is known stays as it is.

Owns what is kept of a page, in the transaction that settles its call. Leaves what follows from a revision to the
reactions, and what a feed means to ``policies.feeds``.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Final

from attrs import evolve

from pmscore.channels.model.calls import Feed, OutcomeKind, Pulled
from pmscore.channels.model.revisions import IssueKind, Malformed, Revision, StoredRevision, StoredState
from pmscore.channels.policies.cards import without_cards
from pmscore.channels.policies.entering import LONGEST_CODE, storable
from pmscore.channels.policies.feeds import LEFT_OUT, compare
from pmscore.channels.ports import ChannelWork
from pmscore.channels.use_cases.issues import close_issues, feed_subject, raise_issue, received
from pmscore.channels.use_cases.lane_runs import LaneRun
from pmscore.dates.zones import local_date
from pmscore.kernel.events import Json

__all__ = ["store_pulled"]

LONGEST_RAW: Final = 100_000
COMES_AGAIN: Final = timedelta(minutes=10)
"""What comes so long after it was acknowledged is acknowledged once more: the platform does not know."""

_GOOD: Final = frozenset({OutcomeKind.DONE, OutcomeKind.PARTLY})
_KNOWN: Final = frozenset({StoredState.APPLIED, StoredState.SUPERSEDED})


def store_pulled(work: ChannelWork, run: LaneRun, pulled: Pulled) -> Counter[str]:
    """Store what a call has fetched, or a knock has said; return how much of it was new, known or not readable.

    Of a call that failed nothing is stored.
    """
    return _Page(work, run).store(pulled)


class _Page:
    """One page in its transaction."""

    def __init__(self, work: ChannelWork, run: LaneRun) -> None:
        self._work = work
        self._run = run
        self._connection = run.begun.connection
        self._counts: Counter[str] = Counter()

    def store(self, pulled: Pulled) -> Counter[str]:
        """Store a page and return what was counted."""
        if pulled.outcome.kind not in _GOOD:
            return self._counts
        for revision in pulled.revisions:
            kept = storable(revision)
            if isinstance(kept, Malformed):
                self._malformed(kept)
            else:
                self._revision(kept)
        for malformed in pulled.malformed:
            self._malformed(malformed)
        if pulled.feed is not None:
            self._feed(pulled.feed)
        return self._counts

    def _revision(self, revision: Revision) -> None:
        now = self._run.clock.now()
        new = received(self._connection.connection_id, revision, now)
        if self._work.revisions.add(new):
            self._counts["received"] += 1
            return
        self._counts["repeated"] += 1
        stored = self._work.revisions.get(new.connection_id, new.revision_id)
        if stored.malformed is not None:
            # It could not be read when it came first.
            self._counts["received"] += 1
            self._work.revisions.save(new)
            close_issues(self._work, self._connection, IssueKind.MALFORMED, now, revision_id=new.revision_id)
        elif self._is_told_anew(stored, revision):
            # What was put aside waits on, as of now; what counted once is to count again.
            waits = stored.state is StoredState.QUARANTINED
            self._counts["received"] += not waits
            self._work.revisions.save(evolve(stored, revision=revision) if waits else new)
        elif _is_told_again(stored, new):
            self._work.revisions.save(evolve(stored, acknowledged_at=None))

    def _is_told_anew(self, stored: StoredRevision, revision: Revision) -> bool:
        """Return whether a booking is once more as it was, on a platform that knows states by what they say.

        Such a platform dates a state by when it tells it; elsewhere a revision has the same instant for ever.
        """
        before = stored.revision
        if before is None or before.revised_at >= revision.revised_at:
            return False
        if stored.state is StoredState.QUARANTINED:
            return True
        link = self._work.revisions.link(stored.connection_id, revision.booking_key)
        if stored.state not in _KNOWN or link is None or link.revision_id == stored.revision_id:
            return False
        return revision.revised_at > link.revised_at

    def _malformed(self, malformed: Malformed) -> None:
        now, connection = self._run.clock.now(), self._connection
        revision_id = malformed.revision_id
        if not revision_id or len(revision_id) > LONGEST_CODE or not revision_id.isprintable():
            revision_id = f"malformed:{malformed.digest}"
        stored = StoredRevision(
            revision=None,
            malformed=evolve(malformed, raw=_kept(malformed.raw)),
            connection_id=connection.connection_id,
            revision_id=revision_id,
            state=StoredState.QUARANTINED,
            reason=malformed.reason,
            received_at=now,
        )
        if self._work.revisions.add(stored):
            self._counts["malformed"] += 1
            raise_issue(
                self._work,
                connection,
                IssueKind.MALFORMED,
                ids=self._run.ids,
                now=now,
                revision_id=revision_id,
                details={"reason": malformed.reason},
            )

    def _feed(self, feed: Feed) -> None:
        """Store what follows from a feed after what it said before."""
        run, connection = self._run, self._connection
        now = run.clock.now()
        today = local_date(now, run.begun.house.property.zone)
        links = self._work.revisions.links(connection.connection_id)
        verdict = compare(links, feed, today=today)
        for link in verdict.links:
            known = self._work.revisions.link(link.connection_id, link.booking_key)
            if known is not None and known.version == link.version:
                self._work.revisions.save_link(evolve(link, version=link.version + 1))
        for revision in verdict.revisions:
            self._revision(revision)
        for link in verdict.begun:
            raise_issue(
                self._work,
                connection,
                IssueKind.DRIFT,
                ids=run.ids,
                now=now,
                revision_id=f"begun:{link.booking_key}",
                booking_id=link.booking_id,
                details={"booking_key": link.booking_key, "reason": LEFT_OUT},
            )
        subject = feed_subject(feed.room_code)
        if verdict.holds:
            details: dict[str, Json] = {"room_code": feed.room_code, "missing": list(verdict.missing)}
            raise_issue(
                self._work,
                connection,
                IssueKind.FEED_SHRUNK,
                ids=run.ids,
                now=now,
                revision_id=subject,
                details=details,
            )
        else:
            close_issues(self._work, connection, IssueKind.FEED_SHRUNK, now, revision_id=subject)


def _is_told_again(stored: StoredRevision, new: StoredRevision) -> bool:
    """Return whether a platform repeats what we have acknowledged, as if it had never heard that."""
    return (
        stored.state in _KNOWN
        and stored.acknowledged_at is not None
        and new.received_at - stored.acknowledged_at >= COMES_AGAIN
    )


def _kept(raw: str) -> str:
    """Return what is kept of a message that cannot be read: no card numbers, nothing that a store cannot hold."""
    written = raw[:LONGEST_RAW].encode("utf-8", "backslashreplace").decode().replace("\x00", "\ufffd")
    return without_cards(written)
