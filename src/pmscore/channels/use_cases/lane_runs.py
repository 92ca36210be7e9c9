"""One run of a lane: whose it is, its fence, and how it makes a call.

Owns the transaction that is fenced with the lease, and a call from the reservation of its place under every limit to
the note that it is over. Leaves what is sent and fetched to ``pushing``, ``reconciling`` and the reactions, and when
the lane runs again to ``policies.waiting``.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Final, TypeVar

from attrs import evolve, field, frozen

from pmscore.channels.model.ari import Dirty
from pmscore.channels.model.calls import At, Outcome, OutcomeKind
from pmscore.channels.model.connections import Connection
from pmscore.channels.model.lanes import LaneLease, LaneState
from pmscore.channels.model.manifest import CallGroup, CallKind, Manifest
from pmscore.channels.model.mappings import MappingBook
from pmscore.channels.model.operations import Operation
from pmscore.channels.policies.waiting import BUSY_WAIT
from pmscore.channels.ports import ChannelGateway, ChannelMeans, ChannelWork
from pmscore.inventory.model.house import House
from pmscore.kernel.errors import PmsError
from pmscore.kernel.events import Command, Event, Json
from pmscore.kernel.ids import CallId, LaneId
from pmscore.kernel.ports import Clock, IdSource, UnitOfWork
from pmscore.kernel.secrets import Secret

__all__ = ["Begun", "LaneEnd", "LaneRun", "StoppedError"]

AnswerT = TypeVar("AnswerT")

LEASE_AFTER_CALL: Final = timedelta(seconds=5)
"""How much longer than its longest call a lease lasts when the call goes out."""
_LONGEST: Final = 20


class StoppedError(PmsError):
    """The run cannot go on now; ``outcome`` says why, and for how long where that is known."""

    code = "lane_stopped"
    is_retryable = False

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(kind=outcome.kind.value, error=outcome.error)
        self.outcome = outcome


@frozen(kw_only=True)
class Begun:
    """What a run found when it began: its lane, its connection, and what was open on it."""

    state: LaneState
    connection: Connection
    mappings: MappingBook
    house: House
    gateway: ChannelGateway
    credentials: Mapping[str, Secret] = field(repr=False)
    operations: tuple[Operation, ...]
    dirty: tuple[Dirty, ...]
    started_at: datetime


@frozen(kw_only=True)
class LaneEnd:
    """What a run has come to.

    ``is_all`` says that everything was done that the run saw at its beginning; else the lane is due again, at
    once after a good outcome. ``did_something`` says that the platform was told, or has told, something;
    ``details`` are for the log. ``cursor`` is where the next pull begins; None leaves it as it is.
    """

    outcome: Outcome = Outcome(OutcomeKind.DONE)
    is_all: bool = True
    did_something: bool = False
    details: Mapping[str, Json] = field(factory=dict[str, Json])
    cursor: str | None = None
    rolled_on: date | None = None
    events: tuple[Event, ...] = ()


class LaneRun:
    """A lane in the hands of the one that holds its lease."""

    def __init__(
        self,
        begun: Begun,
        lease: LaneLease,
        command: Command,
        *,
        uow: UnitOfWork[ChannelWork],
        clock: Clock,
        ids: IdSource,
        means: ChannelMeans,
    ) -> None:
        self.begun = begun
        self.command = command
        self.uow = uow
        self.clock = clock
        self.ids = ids
        self.means = means
        self.token: Secret | None = None
        self._lease = lease

    @property
    def lane_id(self) -> LaneId:
        """The lane."""
        return self._lease.lane_id

    @property
    def lease(self) -> LaneLease:
        """The lease as it was last prolonged."""
        return self._lease

    @property
    def manifest(self) -> Manifest:
        """What the gateway can."""
        return self.begun.gateway.manifest

    def at(self, token: Secret | None) -> At:
        """Return on whose behalf the gateway is called now."""
        begun = self.begun
        return At(
            connection=begun.connection,
            credentials=begun.credentials,
            token=token,
            partner=self.means.partner,
            mappings=begun.mappings,
            zone=begun.house.property.zone,
            currency=begun.house.property.currency,
            now=self.clock.now(),
        )

    @contextmanager
    def fenced(self, *, seconds: float = 0.0) -> Generator[ChannelWork]:
        """Open a transaction that is committed at the end of the block, if the lane is still ours.

        The lease then lasts ``means.lease`` from now on, and at least ``seconds``.

        Raises:
            LaneLostError: somebody else has the lane; nothing was written.
        """
        now = self.clock.now()
        until = now + max(self.means.lease, timedelta(seconds=seconds))
        with self.uow.begin(self.command) as work:
            work.lanes.keep(self._lease, until=until)
            yield work
            work.commit()
        self._lease = evolve(self._lease, until=until)

    def groups(self, kind: CallKind) -> tuple[tuple[str, CallGroup], ...]:
        """Return the groups in which a call of this kind counts, each with its key in the log."""
        connection_id = self.begun.connection.connection_id
        return tuple((f"{connection_id}:{each.name}", each) for each in self.manifest.groups(kind))

    def longest(self, kind: CallKind) -> float:
        """Return the seconds that a lease has to last when a call of this kind goes out."""
        longest = max((group.longest_seconds for group in self.manifest.groups(kind)), default=_LONGEST)
        return longest + LEASE_AFTER_CALL.total_seconds()

    def reserve(self, kind: CallKind) -> CallId:
        """Enter a call in the log of calls.

        Raises:
            StoppedError: a limit of the platform leaves no room now.
        """
        call_id, groups = CallId(self.ids.new()), self.groups(kind)
        if groups:
            with self.uow.begin(self.command) as work:
                wait = work.calls.reserve(groups, call_id, now=self.clock.now())
                work.commit()
            if wait:
                raise StoppedError(Outcome(OutcomeKind.BUSY, "limit", wait))
        return call_id

    def call(
        self,
        kind: CallKind,
        send: Callable[[At], AnswerT],
        outcome_of: Callable[[AnswerT], Outcome],
        *,
        token: Secret | None = None,
        ahead: Callable[[ChannelWork], None] | None = None,
        settle: Callable[[ChannelWork, AnswerT], None] | None = None,
    ) -> AnswerT:
        """Make one call: reserve it, write what has to be known before it, send it, and settle what came of it.

        ``ahead`` and ``settle`` write into the transactions before and after the call; both are fenced.

        Raises:
            StoppedError: a limit of the platform leaves no room now; nothing was sent.
            LaneLostError: somebody else has the lane, before or after the call.
        """
        call_id = self.reserve(kind)
        seconds = self.longest(kind)
        if ahead is not None or (self._lease.until - self.clock.now()).total_seconds() < seconds:
            with self.fenced(seconds=seconds) as work:
                if ahead is not None:
                    ahead(work)
        answer = send(self.at(token))
        outcome = outcome_of(answer)
        with self.fenced() as work:
            self.over(work, kind, call_id, outcome)
            if settle is not None:
                settle(work, answer)
        return answer

    def over(self, work: ChannelWork, kind: CallKind, call_id: CallId, outcome: Outcome) -> None:
        """Note that a call is over; where the platform is busy, close its keys for as long as it says."""
        now = self.clock.now()
        groups = self.groups(kind)
        if groups:
            work.calls.end(call_id, now=now)
        if outcome.kind is OutcomeKind.BUSY:
            until = now + timedelta(seconds=outcome.retry_after or BUSY_WAIT)
            for key, _ in groups:
                work.calls.close(key, until=until)
