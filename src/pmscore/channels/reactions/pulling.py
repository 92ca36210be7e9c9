"""One run of the lane of bookings: what came is stored, then applied, then acknowledged, each committed before the next.

Owns the order, and what happens to what comes again. Leaves what a revision does to ``applying``, and what a feed means
to ``policies.feeds``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Final

from attrs import evolve

from pmscore.channels.model.calls import At, Feed, Outcome, OutcomeKind, Pulled
from pmscore.channels.model.manifest import CallKind
from pmscore.channels.model.revisions import (
    IssueKind,
    Malformed,
    Revision,
    StoredRevision,
    StoredState,
)
from pmscore.channels.policies.cards import without_cards
from pmscore.channels.policies.entering import storable
from pmscore.channels.policies.feeds import compare
from pmscore.channels.policies.inbound import obstacle_to
from pmscore.channels.ports import ChannelWork
from pmscore.channels.reactions.applying import apply_revision, applying_of
from pmscore.channels.use_cases.acknowledging import acknowledge_waiting, raise_oversold
from pmscore.channels.use_cases.issues import close_issues, feed_subject, raise_issue, received
from pmscore.channels.use_cases.lane_runs import LaneEnd, LaneRun, StoppedError
from pmscore.channels.use_cases.tokens import called
from pmscore.dates.zones import local_date
from pmscore.kernel.errors import NotAuthenticatedError
from pmscore.kernel.events import Json

__all__ = ["pull_lane"]

WORKS_FOR: Final = timedelta(seconds=60)
"""A run that has more to do than it can in this time yields, and goes on in the next one."""
MOST_AT_ONCE: Final = 100
LONGEST_RAW: Final = 100_000
COMES_AGAIN: Final = timedelta(minutes=10)
"""What comes so long after it was acknowledged is acknowledged once more: the platform does not know."""

_GOOD: Final = frozenset({OutcomeKind.DONE, OutcomeKind.PARTLY})
_KNOWN: Final = frozenset({StoredState.APPLIED, StoredState.SUPERSEDED})
_NOTHING_TO_PULL: Final = "not_supported"


def pull_lane(run: LaneRun) -> LaneEnd:
    """Store what was sold, apply what waits, and acknowledge what is known; return what it came to.

    What waits is applied even where the platform cannot be reached now.

    Raises:
        LaneLostError: somebody else has the lane; what was committed before stands.
    """
    return _Pulling(run).end()


class _Pulling:
    """The three steps of one run, and what is counted on the way."""

    def __init__(self, run: LaneRun) -> None:
        self._run = run
        self._connection = run.begun.connection
        self._counts: Counter[str] = Counter()
        self._cursor = run.begun.state.cursor
        self._is_all = True

    def end(self) -> LaneEnd:
        """Do the three steps; the first outcome that is not good is the outcome of the run."""
        self._hear()
        outcome = self._pulled()
        self._apply()
        self._counts["oversold"] = raise_oversold(self._run)
        told = self._acknowledged()
        if outcome.kind in _GOOD:
            outcome = told
        details: dict[str, Json] = {name: count for name, count in sorted(self._counts.items()) if count}
        return LaneEnd(
            outcome=outcome,
            is_all=self._is_all and outcome.kind in _GOOD,
            did_something=bool(details),
            details=details,
            cursor=self._cursor,
        )

    def _hear(self) -> None:
        """Store what knocks say; the platform is asked all the same, for a knock may tell half of it."""
        run = self._run
        with run.uow.begin(run.command) as work:
            knocks = work.knocks.take(self._connection.connection_id, MOST_AT_ONCE)
        for kept in knocks:
            try:
                heard = run.begun.gateway.read_knock(run.at(None), kept.knock)
            except NotAuthenticatedError:
                heard = Pulled(outcome=Outcome(OutcomeKind.REFUSED, "not_authenticated"))
                self._counts["forged"] += 1
            with run.fenced() as work:
                self._store(work, heard)
                work.knocks.done(self._connection.connection_id, (kept.digest,), run.clock.now())
            self._counts["knocks"] += 1

    def _pulled(self) -> Outcome:
        """Fetch page by page; each is committed before the next one is asked for."""
        while True:
            try:
                pulled = self._page()
            except StoppedError as stop:
                self._is_all = False
                return stop.outcome
            if pulled.outcome.kind not in _GOOD:
                if pulled.outcome.error == _NOTHING_TO_PULL:
                    return Outcome(OutcomeKind.DONE)
                self._is_all = False
                return pulled.outcome
            self._cursor = pulled.cursor
            if not pulled.has_more:
                return pulled.outcome
            if not self._goes_on():
                return Outcome(OutcomeKind.DONE)

    def _page(self) -> Pulled:
        run, cursor = self._run, self._cursor

        def send(at: At) -> Pulled:
            return run.begun.gateway.pull(at, cursor)

        return called(run, CallKind.PULL, send, _outcome_of, settle=self._store)

    def _store(self, work: ChannelWork, pulled: Pulled) -> None:
        """Store a page in its transaction: what is new is added, what is known is left as it is."""
        if pulled.outcome.kind not in _GOOD:
            return
        for revision in pulled.revisions:
            kept = storable(revision)
            if isinstance(kept, Malformed):
                self._store_malformed(work, kept)
            else:
                self._store_revision(work, kept)
        for malformed in pulled.malformed:
            self._store_malformed(work, malformed)
        if pulled.feed is not None:
            self._store_feed(work, pulled.feed)

    def _store_revision(self, work: ChannelWork, revision: Revision) -> None:
        now = self._run.clock.now()
        new = received(self._connection.connection_id, revision, now)
        if work.revisions.add(new):
            self._counts["received"] += 1
            return
        self._counts["repeated"] += 1
        stored = work.revisions.get(new.connection_id, new.revision_id)
        if stored.malformed is not None:
            # It could not be read when it came first.
            work.revisions.save(new)
            close_issues(work, self._connection, IssueKind.MALFORMED, now, revision_id=new.revision_id)
        elif _is_told_again(stored, new):
            work.revisions.save(evolve(stored, acknowledged_at=None))

    def _store_malformed(self, work: ChannelWork, malformed: Malformed) -> None:
        now, connection = self._run.clock.now(), self._connection
        revision_id = malformed.revision_id or f"malformed:{malformed.digest}"
        stored = StoredRevision(
            revision=None,
            malformed=evolve(malformed, raw=_kept(malformed.raw)),
            connection_id=connection.connection_id,
            revision_id=revision_id,
            state=StoredState.QUARANTINED,
            reason=malformed.reason,
            received_at=now,
        )
        if work.revisions.add(stored):
            self._counts["malformed"] += 1
            raise_issue(
                work,
                connection,
                IssueKind.MALFORMED,
                ids=self._run.ids,
                now=now,
                revision_id=revision_id,
                details={"reason": malformed.reason},
            )

    def _store_feed(self, work: ChannelWork, feed: Feed) -> None:
        """Store what follows from a feed after what it said before."""
        run, connection = self._run, self._connection
        now = run.clock.now()
        today = local_date(now, run.begun.house.property.zone)
        links = work.revisions.links(connection.connection_id)
        verdict = compare(links, feed, today=today)
        for link in verdict.links:
            known = work.revisions.link(link.connection_id, link.booking_key)
            if known is not None and known.version == link.version:
                work.revisions.save_link(evolve(link, version=link.version + 1))
        for revision in verdict.revisions:
            self._store_revision(work, revision)
        subject = feed_subject(feed.room_code)
        if verdict.holds:
            details: dict[str, Json] = {"room_code": feed.room_code, "missing": list(verdict.missing)}
            raise_issue(
                work,
                connection,
                IssueKind.FEED_SHRUNK,
                ids=run.ids,
                now=now,
                revision_id=subject,
                details=details,
            )
        else:
            close_issues(work, connection, IssueKind.FEED_SHRUNK, now, revision_id=subject)

    def _apply(self) -> None:
        """Apply what waits in the order in which it came, and what was put aside where nothing is in its way any more."""
        at = applying_of(self._run)
        while waiting := self._waiting(StoredState.RECEIVED):
            for stored in waiting:
                if not self._goes_on():
                    return
                after = self._run.means.retry(partial(apply_revision, at, stored.revision_id))
                self._counts[after.state.value] += 1
        for stored in self._waiting(StoredState.QUARANTINED):
            if not self._goes_on():
                return
            revision = stored.revision
            if revision is None or obstacle_to(revision, at.mappings, at.house) is not None:
                continue
            after = self._run.means.retry(partial(apply_revision, at, stored.revision_id))
            if after.state is not StoredState.QUARANTINED:
                self._counts[after.state.value] += 1

    def _waiting(self, state: StoredState) -> Sequence[StoredRevision]:
        with self._run.uow.begin(self._run.command) as work:
            return work.revisions.waiting(self._connection.connection_id, (state,), MOST_AT_ONCE)

    def _acknowledged(self) -> Outcome:
        try:
            outcome, told = acknowledge_waiting(self._run, self._goes_on)
        except StoppedError as stop:
            return stop.outcome
        self._counts["acknowledged"] += told
        return outcome

    def _goes_on(self) -> bool:
        """Return whether there is time left; else the run yields and the lane is due again at once."""
        if self._run.clock.now() - self._run.begun.started_at > WORKS_FOR:
            self._is_all = False
            return False
        return True


def _outcome_of(pulled: Pulled) -> Outcome:
    return pulled.outcome


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
