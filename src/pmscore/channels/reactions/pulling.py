"""One run of the lane of bookings: what came is stored, then applied, then acknowledged, each committed before the next.

Owns the order. Leaves what is kept of a page to ``use_cases.receiving``, what a revision does to ``applying``, and
what the platform is told to ``use_cases.acknowledging``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from pmscore.channels.model.calls import At, Outcome, OutcomeKind, Pulled
from pmscore.channels.model.manifest import CallKind
from pmscore.channels.model.revisions import StoredRevision, StoredState
from pmscore.channels.policies.inbound import obstacle_to
from pmscore.channels.ports import ChannelWork
from pmscore.channels.reactions.applying import apply_revision, applying_of
from pmscore.channels.use_cases.acknowledging import acknowledge, raise_oversold, to_acknowledge
from pmscore.channels.use_cases.comparing import priced_otherwise
from pmscore.channels.use_cases.lane_runs import LaneEnd, LaneRun, StoppedError
from pmscore.channels.use_cases.receiving import store_pulled
from pmscore.channels.use_cases.tokens import called
from pmscore.kernel.errors import NotAuthenticatedError
from pmscore.kernel.events import Json
from pmscore.kernel.paging import MOST_ITEMS, Page

__all__ = ["pull_lane"]

WORKS_FOR: Final = timedelta(seconds=60)
"""A run that has more to do than it can in this time yields, and goes on in the next one."""
MOST_AT_ONCE: Final = 100
MOST_ASIDE: Final = 1_000

_GOOD: Final = frozenset({OutcomeKind.DONE, OutcomeKind.PARTLY})
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
        if self._hear():
            self._apply()
        before = self._counts["received"]
        outcome = self._pulled()
        if self._counts["received"] > before:
            self._apply()
        known = self._try_again()
        applied = [each for each in known if each.booking_id and each.state is StoredState.APPLIED]
        self._counts["oversold"] = raise_oversold(self._run, applied)
        otherwise = priced_otherwise(self._run, applied)
        if outcome.kind in _GOOD:
            # A platform that knows bookings by name would take what has changed and did not arrive for known.
            outcome = self._acknowledged(known)
        details: dict[str, Json] = {name: count for name, count in sorted(self._counts.items()) if count}
        if otherwise:
            details["priced_otherwise"] = otherwise
        return LaneEnd(
            outcome=outcome,
            is_all=self._is_all and outcome.kind in _GOOD,
            did_something=bool(details),
            details=details,
            cursor=self._cursor,
        )

    def _hear(self) -> bool:
        """Store what knocks say, and return whether there may be something to apply.

        The platform is asked all the same, for a knock may tell half of it.
        """
        run = self._run
        with run.uow.begin(run.command) as work:
            knocks = work.knocks.take(self._connection.connection_id, MOST_AT_ONCE)
            left = work.revisions.waiting(self._connection.connection_id, (StoredState.RECEIVED,), 1)
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
        return bool(knocks or left)

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
        """Store a page in its transaction."""
        self._counts.update(store_pulled(work, self._run, pulled))

    def _apply(self) -> None:
        """Apply what waits, the oldest first, so that a booking goes through all that happened to it."""
        at = applying_of(self._run)
        while waiting := self._waiting(StoredState.RECEIVED):
            for stored in sorted(waiting, key=_age):
                if not self._goes_on():
                    return
                after = self._run.means.retry(partial(apply_revision, at, stored.revision_id))
                self._counts[after.state.value] += 1

    def _try_again(self) -> Sequence[StoredRevision]:
        """Apply what was put aside where nothing is in its way any more; return what is to be acknowledged then."""
        run, at = self._run, applying_of(self._run)
        with run.uow.begin(run.command) as work:
            aside = self._aside(work)
            known = to_acknowledge(work, run)
        free = [
            each
            for each in aside
            if each.revision is not None and obstacle_to(each.revision, at.mappings, at.house) is None
        ]
        if not free:
            return known
        for stored in sorted(free, key=_age):
            if not self._goes_on():
                break
            after = run.means.retry(partial(apply_revision, at, stored.revision_id))
            if after.state is not StoredState.QUARANTINED:
                self._counts[after.state.value] += 1
        with run.uow.begin(run.command) as work:
            return to_acknowledge(work, run)

    def _aside(self, work: ChannelWork) -> Sequence[StoredRevision]:
        """Return what was put aside, the newest thousand: what cannot be read must not hide what can by now."""
        found: list[StoredRevision] = []
        for offset in range(0, MOST_ASIDE, MOST_ITEMS):
            page = Page(limit=MOST_ITEMS, offset=offset)
            read = work.revisions.page(self._connection.connection_id, (StoredState.QUARANTINED,), page)
            found += read.items
            if not read.has_more:
                break
        return found

    def _waiting(self, state: StoredState) -> Sequence[StoredRevision]:
        with self._run.uow.begin(self._run.command) as work:
            return work.revisions.waiting(self._connection.connection_id, (state,), MOST_AT_ONCE)

    def _acknowledged(self, known: Sequence[StoredRevision]) -> Outcome:
        try:
            outcome, told = acknowledge(self._run, known, self._goes_on)
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


def _age(stored: StoredRevision) -> tuple[datetime, datetime, str]:
    """Return what revisions are applied in the order of: when they were made, else when they came."""
    made_at = stored.received_at if stored.revision is None else stored.revision.revised_at
    return made_at, stored.received_at, stored.revision_id


def _outcome_of(pulled: Pulled) -> Outcome:
    return pulled.outcome
