"""Telling a platform what differs from what it was told.

Owns the order in which things are read, written ahead, sent and settled, so that whoever dies in between, and
whatever answer is lost, can cause a message to be sent again and never a cell to stay wrong. Leaves what a platform
should have to ``views.desired``, the difference to ``policies.diffing`` and messages to ``policies.packing``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from attrs import evolve, frozen

from pmscore.channels.model.ari import AriRows, AriRun, Dirty, Entry
from pmscore.channels.model.calls import At, Outcome, OutcomeKind, Push, PushResult, Refused
from pmscore.channels.model.events import IssueRaised
from pmscore.channels.model.lanes import LaneLostError
from pmscore.channels.model.manifest import CallKind, Lane
from pmscore.channels.model.revisions import Issue, IssueKind
from pmscore.channels.policies.diffing import forgotten, runs
from pmscore.channels.policies.packing import entries, pushes
from pmscore.channels.policies.proved import is_used
from pmscore.channels.ports import ChannelWork
from pmscore.channels.use_cases.lane_runs import LaneRun, StoppedError
from pmscore.channels.use_cases.tokens import called
from pmscore.channels.use_cases.wanting import wanted
from pmscore.channels.views.desired import keys_of
from pmscore.dates.ranges import DateRange
from pmscore.dates.zones import local_date
from pmscore.kernel.ids import IssueId, UnitTypeId

__all__ = ["PUSH_KINDS", "Sent", "push_lane"]

PUSH_KINDS: Final = {Lane.AVAILABILITY: CallKind.PUSH_AVAILABILITY, Lane.PRICING: CallKind.PUSH_PRICING}
WORKS_FOR: Final = timedelta(seconds=60)
"""A run that has more to send than it can in this time yields, and goes on in the next one."""

_DONE: Final = Outcome(OutcomeKind.DONE)
_GOOD: Final = frozenset({OutcomeKind.DONE, OutcomeKind.PARTLY})


@frozen(kw_only=True)
class Sent:
    """What a run has sent; where ``is_all``, the dirt that it saw is done with.

    ``covers_all`` says that it looked at every night and type, so that ``today`` may count as rolled.
    """

    outcome: Outcome = _DONE
    is_all: bool
    entries: int = 0
    messages: int = 0
    refused: int = 0
    nights: DateRange | None = None
    covers_all: bool = False
    today: date

    def with_push(self, push: Push, refused: int) -> Sent:
        """Return the sum with one more message."""
        nights = _span_of(push.entries)
        return evolve(
            self,
            entries=self.entries + len(push.entries),
            messages=self.messages + 1,
            refused=self.refused + refused,
            nights=nights if self.nights is None else self.nights.span(nights),
        )


def push_lane(run: LaneRun) -> Sent:
    """Send what differs on the nights and types that are dirty; read after the dirt, so that its cause is seen.

    Of a lane that was not proved nothing is sent unless the connection says so.

    Raises:
        LaneLostError: somebody else has the lane; what was sent last is marked as unknown.
    """
    today = local_date(run.clock.now(), run.begun.house.property.zone)
    dirty = run.begun.dirty
    sent = Sent(
        is_all=True,
        today=today,
        covers_all=any(each.nights is None and each.unit_type_ids is None for each in dirty),
    )
    nights = _dirty_nights(dirty, DateRange.of(today, run.manifest.horizon_days))
    if nights is None or not is_used(run.manifest, run.begun.connection, run.begun.state.lane):
        return sent
    return _Pushing(run, nights).send(sent)


class _Pushing:
    """The messages of one run, and the cells as the platform has them after each."""

    def __init__(self, run: LaneRun, nights: DateRange) -> None:
        self._run = run
        self._connection_id = run.begun.connection.connection_id
        lane, manifest, book = run.begun.state.lane, run.manifest, run.begun.mappings
        types = _dirty_types(run.begun.dirty)
        keys = keys_of(book, manifest, lane, types)
        rows = wanted(
            run.command,
            run.begun.connection,
            book,
            manifest,
            nights,
            keys,
            uow=run.uow,
            clock=run.clock,
            means=run.means,
        ).rows
        with run.uow.begin(run.command) as work:
            kept = work.cells.read(self._connection_id, keys, nights)
        self._cells = forgotten(kept, run.begun.dirty, book)
        found = runs(self._cells, rows)
        packed = [
            each
            for message in manifest.messages.get(lane, ())
            for each in pushes(entries(found, rows, manifest, message), manifest)
        ]
        is_complete = (
            len(packed) == 1
            and types is None
            and nights.length == manifest.horizon_days
            and _knows_nothing(self._cells)
        )
        self._waiting = deque(
            Push(push_id=run.ids.new(), lane=lane, entries=each, is_complete=is_complete) for each in packed
        )

    def send(self, sent: Sent) -> Sent:
        """Send one message after the other until all are sent, one fails, or the time is over."""
        while self._waiting:
            if self._run.clock.now() - self._run.begun.started_at > WORKS_FOR:
                return evolve(sent, is_all=False)
            push = self._waiting.popleft()
            try:
                result = self._send(push)
            except StoppedError as stop:
                return evolve(sent, is_all=False, outcome=stop.outcome)
            if result.outcome.kind is OutcomeKind.REFUSED and len(push.entries) > 1:
                self._waiting.extendleft(reversed(self._halves(push)))
            elif result.outcome.kind in _GOOD:
                sent = sent.with_push(push, len(result.refused))
            elif result.outcome.kind is OutcomeKind.REFUSED:
                sent = evolve(sent, refused=sent.refused + 1)
            else:
                return evolve(sent, is_all=False, outcome=result.outcome)
        return sent

    def _send(self, push: Push) -> PushResult:
        """Send one message: mark its cells as unknown, send it, and enter what the platform has now."""
        ahead_of: list[UUID] = []
        run = self._run

        def ahead(work: ChannelWork) -> None:
            row = self._unknown(push)
            ahead_of.append(row.dirty_id)
            work.dirty.add(row)

        def settle(work: ChannelWork, result: PushResult) -> None:
            self._settle(work, push, result, ahead_of)

        def send(at: At) -> PushResult:
            return run.begun.gateway.push(at, push)

        try:
            return called(
                run, PUSH_KINDS[push.lane], send, lambda result: result.outcome, ahead=ahead, settle=settle
            )
        except LaneLostError:
            self._disown(push)
            raise

    def _disown(self, push: Push) -> None:
        """Mark the cells of a message as unknown for whoever has the lane now; they may have sent before it arrived."""
        with self._run.uow.begin(self._run.command) as work:
            work.dirty.add(self._unknown(push))
            work.commit()

    def _settle(self, work: ChannelWork, push: Push, result: PushResult, ahead_of: Sequence[UUID]) -> None:
        kind = result.outcome.kind
        if kind in _GOOD:
            told = tuple(run for entry in push.entries for run in _taken(entry, result.refused))
            self._cells = self._cells.put(told)
            keys, nights = {run.key for run in told}, _span_of(push.entries)
            rows = {key: row for key, row in self._cells.rows.items() if key in keys}
            work.cells.put(self._connection_id, AriRows(self._cells.nights, rows).between(nights))
            for refused in result.refused:
                self._report(work, refused)
        elif kind is OutcomeKind.REFUSED and len(push.entries) == 1:
            (entry,) = push.entries
            fields = frozenset(name for name, _ in entry.values)
            reason = result.outcome.error
            self._report(
                work,
                Refused(mapping_id=entry.mapping_id, nights=entry.nights, fields=fields, reason=reason),
            )
        if kind in _GOOD or kind is OutcomeKind.REFUSED:
            work.dirty.remove(ahead_of)

    def _report(self, work: ChannelWork, refused: Refused) -> None:
        connection = self._run.begun.connection
        issue = Issue(
            issue_id=IssueId(self._run.ids.new()),
            connection_id=connection.connection_id,
            property_id=connection.property_id,
            kind=IssueKind.REFUSED_BY_PLATFORM,
            revision_id=f"{refused.mapping_id}:{refused.nights.start}:{refused.nights.end}",
            details={
                "mapping_id": str(refused.mapping_id),
                "from": refused.nights.start.isoformat(),
                "to": refused.nights.end.isoformat(),
                "fields": [each.value for each in sorted(refused.fields)],
                "reason": refused.reason,
            },
            opened_at=self._run.clock.now(),
        )
        if work.issues.open(issue):
            work.record(
                IssueRaised(
                    aggregate_id=connection.connection_id,
                    version=connection.version,
                    property_id=connection.property_id,
                    issue_id=issue.issue_id,
                    issue=issue.kind.value,
                )
            )

    def _unknown(self, push: Push) -> Dirty:
        """Return the row that says that nobody knows what the platform has where the push tells it something."""
        found = (self._run.begun.mappings.by_id(entry.mapping_id) for entry in push.entries)
        return Dirty(
            dirty_id=self._run.ids.new(),
            connection_id=self._connection_id,
            lane=push.lane,
            nights=_span_of(push.entries),
            unit_type_ids=frozenset(each.unit_type_id for each in found if each is not None),
            forgets=True,
        )

    def _halves(self, push: Push) -> tuple[Push, Push]:
        """Return a message that was refused as two, to find what it is in it."""
        middle = len(push.entries) // 2
        first, second = push.entries[:middle], push.entries[middle:]
        cut = evolve(push, is_complete=False)
        return (
            evolve(cut, push_id=self._run.ids.new(), entries=first),
            evolve(cut, push_id=self._run.ids.new(), entries=second),
        )


def _dirty_nights(dirty: Iterable[Dirty], horizon: DateRange) -> DateRange | None:
    """Return the smallest range of nights to come that has all the dirt; None: there is none."""
    found: DateRange | None = None
    for each in dirty:
        nights = horizon if each.nights is None else horizon.intersection(each.nights)
        if nights is not None:
            found = nights if found is None else found.span(nights)
    return found


def _dirty_types(dirty: Iterable[Dirty]) -> frozenset[UnitTypeId] | None:
    """Return the types that some dirt is about; None: all."""
    found: frozenset[UnitTypeId] = frozenset()
    for each in dirty:
        if each.unit_type_ids is None:
            return None
        found |= each.unit_type_ids
    return found


def _knows_nothing(cells: AriRows) -> bool:
    return all(value < 0 for row in cells.rows.values() for value in row)


def _span_of(found: Sequence[Entry]) -> DateRange:
    nights = found[0].nights
    for entry in found:
        nights = nights.span(entry.nights)
    return nights


def _taken(entry: Entry, refused: Iterable[Refused]) -> Iterable[AriRun]:
    """Return the cells of an entry without those that the platform did not take."""
    mine = [each for each in refused if each.mapping_id == entry.mapping_id]
    for run in entry.runs():
        parts: tuple[DateRange, ...] = (run.nights,)
        for each in mine:
            if run.key.field in each.fields:
                parts = tuple(left for part in parts for left in part.minus(each.nights))
        for part in parts:
            yield AriRun(run.key, part, run.value)
