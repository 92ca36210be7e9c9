"""Running a lane: the one entry of the job that the queue carries.

Owns the beginning and the end of a run: the lease, what was open, who died before, and what is written when it is
over. Leaves sending to ``use_cases.pushing`` and fetching to ``pulling``. It stands among the reactions because
fetching makes bookings.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta

from attrs import evolve, field, frozen

from pmscore.channels.model.calls import Outcome, OutcomeKind
from pmscore.channels.model.connections import CREDENTIALS_COLUMN, Connection, ConnectionStatus
from pmscore.channels.model.events import RoomSynced
from pmscore.channels.model.lanes import LaneLease, LaneLostError, LaneState
from pmscore.channels.model.manifest import Lane
from pmscore.channels.model.operations import Operation, OperationStatus
from pmscore.channels.policies.waiting import LONGEST_PAUSE, after, died_before, gives_up
from pmscore.channels.ports import ChannelGateway, ChannelMeans, ChannelWork
from pmscore.channels.reactions.pulling import pull_lane
from pmscore.channels.use_cases.lane_runs import Begun, LaneEnd, LaneRun, StoppedError
from pmscore.channels.use_cases.logbook import ended, running, settled_operations
from pmscore.channels.use_cases.missing_bookings import reconcile_bookings
from pmscore.channels.use_cases.pushing import Sent, push_lane
from pmscore.channels.use_cases.reconciling import EVERY, Found, is_time, looks, reconcile_cells
from pmscore.dates.zones import local_date
from pmscore.kernel.errors import MisconfiguredError, NotFoundError
from pmscore.kernel.events import Command, Event, Json
from pmscore.kernel.ids import LaneId, OperationId
from pmscore.kernel.ports import Clock, IdSource, UnitOfWork
from pmscore.kernel.secrets import Secret

__all__ = ["LaneReport", "RunLane", "run_lane"]

DIED = "the worker ended without an answer"
MOST_REFUSALS = 3
_GOOD = frozenset({OutcomeKind.DONE, OutcomeKind.PARTLY})


@frozen(kw_only=True)
class RunLane(Command):
    """Do what a lane has to do now."""

    lane_id: LaneId


@frozen(kw_only=True)
class LaneReport:
    """What came of a run.

    ``has_run`` is False where somebody else runs the lane, or there is none; ``is_lost`` where somebody took it over.
    ``dead`` are operations that failed for good: their dead letters.
    """

    has_run: bool = True
    is_lost: bool = False
    end: LaneEnd | None = None
    next_at: datetime | None = None
    dead: tuple[OperationId, ...] = ()


@frozen(kw_only=True)
class _Found:
    """A lane as it was when it was claimed, with its connection where there is one that syncs.

    ``trouble`` says why nothing can be sent or fetched, although everything is there.
    """

    state: LaneState
    connection: Connection | None
    gateway: ChannelGateway | None
    operations: tuple[Operation, ...]
    begun: Begun | None = field(default=None, repr=False)
    trouble: str = ""


def run_lane(
    command: RunLane, *, uow: UnitOfWork[ChannelWork], clock: Clock, ids: IdSource, means: ChannelMeans
) -> LaneReport:
    """Run a lane once, if nobody else does.

    Whatever the other side does is told in the report; whatever is raised is ours, and the lane is due again when its
    lease is over.
    """
    started_at = clock.now()
    lease = _claimed(command, started_at, uow=uow, means=means)
    if lease is None:
        return LaneReport(has_run=False)
    try:
        found = _begin(command, lease, started_at, uow=uow, means=means)
        if found.begun is None:
            return _idle(command, lease, found, uow=uow, clock=clock)
        run = LaneRun(found.begun, lease, command, uow=uow, clock=clock, ids=ids, means=means)
        died = died_before(found.state)
        state = evolve(found.state, failures=found.state.failures + died)
        if died and gives_up(state):
            # Whoever was killed each time said nothing; this run says it for them, and tries nothing.
            outcome = Outcome(OutcomeKind.DOWN, DIED)
            return _finish(
                run, evolve(state, failures=state.failures - 1), LaneEnd(outcome=outcome, is_all=False)
            )
        if found.trouble:
            outcome = Outcome(OutcomeKind.DOWN, found.trouble)
            return _finish(run, state, LaneEnd(outcome=outcome, is_all=False))
        return _finish(run, state, _run(run))
    except LaneLostError:
        return LaneReport(is_lost=True)


def _claimed(
    command: RunLane, now: datetime, *, uow: UnitOfWork[ChannelWork], means: ChannelMeans
) -> LaneLease | None:
    def claim() -> LaneLease | None:
        with uow.begin(command) as work:
            try:
                lease = work.lanes.claim(command.lane_id, now=now, until=now + means.lease)
            except NotFoundError:
                return None
            if lease is not None:
                work.commit()
        return lease

    return means.retry(claim)


def _begin(
    command: RunLane,
    lease: LaneLease,
    now: datetime,
    *,
    uow: UnitOfWork[ChannelWork],
    means: ChannelMeans,
) -> _Found:
    """Read what the lane has to do: first its dirt, then the house, so that what made it dirty is seen."""
    with uow.begin(command) as work:
        work.lanes.keep(lease, until=lease.until)
        state = work.lanes.get(command.lane_id)
        connection = _syncing(work, state)
        gateway = None if connection is None else means.gateways.get(connection.gateway)
        operations = work.operations.open(command.lane_id)
        found = _Found(state=state, connection=connection, gateway=gateway, operations=operations)
        if connection is None or connection.property_id is None or gateway is None:
            return found
        for each in operations:
            if each.status is not OperationStatus.RUNNING:
                work.operations.save(running(work.operations.get(each.operation_id), now))
        dirty = work.dirty.of(connection.connection_id, state.lane)
        mappings = work.mappings.book(connection.connection_id)
        work.commit()
    credentials, trouble = _credentials(command, connection, means)
    (house,) = means.availability(command.agency_id).houses([connection.property_id])
    begun = Begun(
        state=state,
        connection=connection,
        mappings=mappings,
        house=house,
        gateway=gateway,
        credentials=credentials,
        operations=operations,
        dirty=dirty,
        started_at=now,
    )
    return evolve(found, begun=begun, trouble=trouble)


def _syncing(work: ChannelWork, state: LaneState) -> Connection | None:
    try:
        connection = work.connections.read(state.connection_id)
    except NotFoundError:
        return None
    return connection if connection.syncs else None


def _credentials(
    command: Command, connection: Connection, means: ChannelMeans
) -> tuple[Mapping[str, Secret], str]:
    """Return the credentials, and why they cannot be read where they cannot: a key of ours may be missing."""
    if connection.sealed is None:
        return {}, ""
    try:
        opened = means.box.open(command.agency_id, CREDENTIALS_COLUMN, connection.sealed)
    except MisconfiguredError as error:
        return {}, str(error.params.get("reason") or error.code)
    named: dict[str, str] = json.loads(opened.reveal())
    return {name: Secret(value) for name, value in named.items()}, ""


def _idle(
    command: RunLane, lease: LaneLease, found: _Found, *, uow: UnitOfWork[ChannelWork], clock: Clock
) -> LaneReport:
    """Put a lane to rest whose connection does not sync, is of no property, or has no gateway here.

    One that syncs is looked at again after a while: what is still to be said would make it due at once.
    """
    reason = "not_active" if found.connection is None else "no_property"
    if found.connection is not None and found.connection.property_id is not None:
        reason = "gateway_unknown"
    status = OperationStatus.CANCELLED if found.connection is None else OperationStatus.FAILED
    with uow.begin(command) as work:
        for each in found.operations:
            present = work.operations.get(each.operation_id)
            details: dict[str, Json] = {"reason": reason}
            work.operations.save(ended(present, status, clock.now(), error=reason, details=details))
        again_at = None if found.connection is None else clock.now() + timedelta(seconds=LONGEST_PAUSE)
        rested = evolve(found.state, attempts=0, failures=0, next_at=again_at, closed_until=again_at)
        work.lanes.finish(lease, rested)
        work.commit()
    return LaneReport(end=LaneEnd(outcome=Outcome(OutcomeKind.REFUSED, reason)))


def _run(run: LaneRun) -> LaneEnd:
    try:
        if run.begun.state.lane is Lane.BOOKINGS:
            return _with_bookings(run, pull_lane(run))
        looked = _looked(run) if is_time(run) else None
        return _with_look(_told(run, push_lane(run)), looked, run.clock.now())
    except StoppedError as stop:
        return LaneEnd(outcome=stop.outcome, is_all=False)


def _with_bookings(run: LaneRun, end: LaneEnd) -> LaneEnd:
    """Once a day, when everything was fetched, compare what the platform has sold with what the house knows."""
    today = local_date(run.clock.now(), run.begun.house.property.zone)
    is_good = end.is_all and end.outcome.kind in _GOOD
    if not (run.manifest.reads_back and is_good) or run.begun.state.rolled_on == today:
        return end
    try:
        found = reconcile_bookings(run)
    except StoppedError:
        return end
    if found.outcome.kind is not OutcomeKind.DONE:
        return end
    return evolve(_with_drift(end, found), rolled_on=today)


def _looked(run: LaneRun) -> Found:
    """Look at what the platform has; a look that fails does not keep anything from being sent."""
    try:
        found = reconcile_cells(run)
    except StoppedError as stop:
        return Found(outcome=stop.outcome, drift={})
    with run.uow.begin(run.command) as work:
        dirty = work.dirty.of(run.begun.connection.connection_id, run.begun.state.lane)
    run.begun = evolve(run.begun, dirty=dirty)
    return found


def _with_look(end: LaneEnd, looked: Found | None, now: datetime) -> LaneEnd:
    """Return the end of a run with what its look at the platform has found; the next look counts from now."""
    return end if looked is None else evolve(_with_drift(end, looked), cursor=now.isoformat())


def _with_drift(end: LaneEnd, found: Found) -> LaneEnd:
    drift: dict[str, Json] = {each.value: count for each, count in sorted(found.drift.items())}
    return evolve(end, details={**end.details, "drift": drift}) if drift else end


def _told(run: LaneRun, sent: Sent) -> LaneEnd:
    """Return in the words of the log what was sent."""
    connection = run.begun.connection
    events: tuple[Event, ...] = ()
    if sent.nights is not None:
        events = (
            RoomSynced(
                aggregate_id=connection.connection_id,
                version=connection.version,
                property_id=connection.property_id,
                connection_id=connection.connection_id,
                lane=run.begun.state.lane.value,
                nights=sent.nights,
                entries=sent.entries,
            ),
        )
    return LaneEnd(
        outcome=sent.outcome,
        is_all=sent.is_all,
        did_something=sent.messages > 0,
        details={"entries": sent.entries, "messages": sent.messages, "refused": sent.refused},
        rolled_on=sent.today if sent.covers_all and sent.is_all else None,
        events=events,
    )


def _finish(run: LaneRun, state: LaneState, end: LaneEnd) -> LaneReport:
    """Write what a run came to: the lane, its operations, its connection, and that the dirt it saw is gone."""
    begun, now = run.begun, run.clock.now()
    settled = _scheduled(run, after(end.outcome, state, now), end, now)
    is_good = end.outcome.kind in _GOOD

    def write() -> tuple[Operation, ...]:
        with run.uow.begin(run.command) as work:
            if end.is_all and is_good:
                work.dirty.remove(each.dirty_id for each in begun.dirty)
            work.lanes.finish(run.lease, settled)
            logged = settled_operations(work, run, end, settled)
            _touch(work, run, end, settled)
            work.record(*end.events)
            work.commit()
        return logged

    logged = run.means.retry(write)
    if settled.closed_until is None:
        _wake_for_dirt(run, now)
    dead = tuple(each.operation_id for each in logged if each.details.get("dead_letter") is True)
    return LaneReport(end=end, next_at=settled.next_at, dead=dead)


def _scheduled(run: LaneRun, state: LaneState, end: LaneEnd, now: datetime) -> LaneState:
    """Return the lane with the time of its next run and where that begins."""
    if state.closed_until is None and not end.is_all and end.outcome.kind in _GOOD:
        state = evolve(state, next_at=now)
    poll = run.manifest.poll_seconds
    if poll is not None and run.begun.state.lane is Lane.BOOKINGS and state.next_at is None:
        state = evolve(state, next_at=now + timedelta(seconds=poll))
    cursor = state.cursor if end.cursor is None else end.cursor
    if state.next_at is None and looks(run):
        state = evolve(state, next_at=(datetime.fromisoformat(cursor) if cursor else now) + EVERY)
    return evolve(
        state,
        cursor=cursor,
        rolled_on=end.rolled_on or state.rolled_on,
    )


def _touch(work: ChannelWork, run: LaneRun, end: LaneEnd, settled: LaneState) -> None:
    """Note on the connection that it was synchronised, or that its credentials are refused again and again."""
    now = run.clock.now()
    is_refused = end.outcome.kind is OutcomeKind.UNAUTHORISED and settled.failures >= MOST_REFUSALS
    is_synced = end.outcome.kind in _GOOD and end.is_all and (end.did_something or run.begun.operations)
    if not (is_refused or is_synced):
        return
    try:
        connection = work.connections.get(run.begun.connection.connection_id)
    except NotFoundError:
        return
    if is_synced:
        work.connections.save(evolve(connection, last_sync_at=now))
    elif connection.syncs:
        decision = connection.changed(evolve(connection, status=ConnectionStatus.ERROR), now)
        work.connections.save(decision.state)
        work.record(*decision.events)


def _wake_for_dirt(run: LaneRun, now: datetime) -> None:
    """Wake the lane where dirt came between the look at the end of the run and its commit."""
    with run.uow.begin(run.command) as work:
        if work.dirty.of(run.begun.connection.connection_id, run.begun.state.lane):
            work.lanes.wake(run.lane_id, now)
            work.commit()
