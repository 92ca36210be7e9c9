"""Carrying the log of events on: into the inbox, to queue and feed, and under the seal.

Owns the order of the steps, each of which may be the last before a kill: first the inbox knows what is to be done
(with the position, in one transaction), then queue and feed are told, then the position says that they accepted. Who
comes after a kill tells them again; the inbox makes sure of one effect. Leaves retries and lost jobs to the sweeper
in ``overdue``. The reasoning: ``docs/algorithms/events.md``.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from attrs import define, field, frozen
from sqlalchemy import Engine

from pms_adapters.postgres.events import Position, StoredEvent, read_finished, read_horizon
from pms_adapters.postgres.inbox import list_chains, recording
from pms_adapters.postgres.leases import Lease, LeaseLostError, claim, give_up, move_queued, move_recorded
from pms_adapters.postgres.seals import MOST_ENTRIES, seal_next
from pms_adapters.postgres.session import Session
from pms_adapters.postgres.work_due import EVENTS, Due, due_at, list_due, take_away, take_away_events
from pms_adapters.queue.rq_queue import RqJobQueue
from pms_adapters.redis.feed import FeedEntry, RedisFeed
from pms_adapters.worker.registry import Reaction
from pmscore.kernel.errors import PmsError
from pmscore.kernel.events import Json
from pmscore.kernel.ids import AgencyId, EventId

__all__ = ["REACT", "Asker", "DueHandler", "Relay", "RelayLimits", "jobs_for"]

REACT = "pms.react"
"""The job that lets the waiting reactions take in events."""

REST_SECONDS = 0.5
"""How long work of an agency is left alone after it went wrong."""

_log = logging.getLogger("pms.worker.relay")

DueHandler = Callable[[AgencyId], datetime | None]
"""Does what is due for an agency and returns when it is to be called next, None for not at all."""

Asker = Callable[[AgencyId], "tuple[str, ...]"]
"""Returns the kinds of events that a reaction wants for an agency now."""


@frozen(kw_only=True)
class RelayLimits:
    """How much at once and how long; all times in seconds.

    A lease that is not renewed ends after ``lease``; an event that is not done after ``patience`` is handed to the
    queue again; a seal is made at the latest ``seal`` after the event.
    """

    lease: float = 5.0
    patience: float = 30.0
    seal: float = 0.7
    batch: int = 500
    events_a_job: int = 50


@define
class Relay:
    """Carries the logs of all agencies on, as far as other workers do not; one thread at a time may use it."""

    engine: Engine
    queue: RqJobQueue
    feed: RedisFeed
    reactions: Mapping[str, Reaction]
    holder: str
    limits: RelayLimits = field(factory=RelayLimits)
    due_handlers: Mapping[str, DueHandler] = field(factory=dict)
    askers: Mapping[str, Asker] = field(factory=dict)
    _sealed_at: dict[AgencyId, float] = field(factory=dict)
    _leases: dict[AgencyId, Lease] = field(factory=dict)
    _rests_until: dict[tuple[AgencyId, str], float] = field(factory=dict)

    def round(self) -> bool:
        """Look once at every agency that has work; return whether anything was done.

        What goes wrong for one agency harms no other; it is tried again in the next round.

        Raises:
            UnreachableError: the database did not answer.
        """
        by_agency: dict[AgencyId, list[Due]] = {}
        for due in list_due(self.engine):
            by_agency.setdefault(due.agency_id, []).append(due)
        did_something = False
        for agency_id, dues in by_agency.items():
            did_something = self._look_after(agency_id, dues) or did_something
        return did_something

    def stop(self) -> None:
        """Give up all leases, so that others need not wait."""
        for lease in self._leases.values():
            give_up(self.engine, lease)
        self._leases.clear()

    def _look_after(self, agency_id: AgencyId, dues: Iterable[Due]) -> bool:
        lease = claim(self.engine, agency_id, holder=self.holder, seconds=self.limits.lease)
        if lease is None:
            self._leases.pop(agency_id, None)
            return False
        self._leases[agency_id] = lease
        did_something = False
        for due in dues:
            if self._rests_until.get((agency_id, due.kind), 0.0) > time.monotonic():
                continue
            try:
                did_something = self._do(lease, due) or did_something
            except LeaseLostError:
                self._leases.pop(agency_id, None)
                return did_something
            except Exception as error:  # noqa: BLE001 - what goes wrong for one agency harms no other
                self._rests_until[agency_id, due.kind] = time.monotonic() + REST_SECONDS
                if isinstance(error, PmsError):
                    _log.warning("agency %s: %s not done: %s", agency_id, due.kind, error)
                else:
                    _log.exception("agency %s: %s failed", agency_id, due.kind)
        return did_something

    def _do(self, lease: Lease, due: Due) -> bool:
        if due.kind == EVENTS:
            return self._carry_on(lease)
        handler = self.due_handlers.get(due.kind)
        if handler is None:
            # A newer version's kind of work: left for a worker that knows it.
            return False
        next_at = handler(lease.agency_id)
        if next_at is not None:
            with Session(self.engine, lease.agency_id) as session:
                session.commit([due_at(lease.agency_id, due.kind, next_at)])
        take_away(self.engine, due)
        return True

    def _carry_on(self, lease: Lease) -> bool:
        """Carry one agency's log on by a batch, and forget that it was due where that was all of it."""
        horizon = read_horizon(self.engine, lease.agency_id)
        sealed = self._seal(lease.agency_id, horizon)
        recorded, is_all_recorded = self._record(lease, horizon)
        is_new = recorded > lease.recorded or lease.queued < recorded
        self._hand_over(lease, recorded)
        if sealed is not None and is_all_recorded:
            take_away_events(self.engine, lease.agency_id, sealed)
        return is_new

    def _record(self, lease: Lease, horizon: int) -> tuple[Position, bool]:
        """Note in the inbox who has to take in the next events; return up to where, and whether that is all."""
        limit = self.limits.batch
        events = read_finished(
            self.engine, lease.agency_id, after=lease.recorded, horizon=horizon, limit=limit
        )
        if not events:
            return lease.recorded, True
        noting = recording(
            lease.agency_id, self._wanted(lease.agency_id, events), patience_seconds=self.limits.patience
        )
        move_recorded(self.engine, lease, events[-1].position, *noting)
        return events[-1].position, len(events) < limit

    def _wanted(self, agency_id: AgencyId, events: Sequence[StoredEvent]) -> list[tuple[StoredEvent, str]]:
        """Return which reaction has to take in which of the events.

        Reactions are asked after the events were read: what was committed before an event is seen for it.
        """
        asked = {name: asks(agency_id) for name, asks in self.askers.items()}
        return [
            (event, name)
            for event in events
            for name, reaction in self.reactions.items()
            if reaction.hears(event.kind, asked.get(name, ("*",)))
        ]

    def _hand_over(self, lease: Lease, recorded: Position) -> None:
        """Tell queue and feed about all events that are recorded and that they have not accepted yet."""
        position = lease.queued
        while position < recorded:
            events = read_finished(
                self.engine,
                lease.agency_id,
                after=position,
                horizon=recorded.transaction + 1,
                limit=self.limits.batch,
            )
            events = tuple(event for event in events if event.position <= recorded)
            if not events:
                return
            ids = [event.event_id for event in events]
            if list_chains(self.engine, lease.agency_id, ids):
                self.queue.enqueue_all(jobs_for(lease.agency_id, ids, self.limits.events_a_job))
            self.feed.publish(lease.agency_id, map(_entry, events))
            position = events[-1].position
            move_queued(self.engine, lease, position)

    def _seal(self, agency_id: AgencyId, horizon: int) -> int | None:
        """Seal what is due; return the transaction below which all is sealed, None while some is not."""
        now = time.monotonic()
        if now - self._sealed_at.get(agency_id, now - self.limits.seal) < self.limits.seal:
            return None
        while seal_next(self.engine, agency_id, horizon=horizon) == MOST_ENTRIES:
            pass
        self._sealed_at[agency_id] = now
        return horizon


def jobs_for(
    agency_id: AgencyId, events: Sequence[EventId], events_a_job: int
) -> list[tuple[str, tuple[UUID, ...]]]:
    """Return the jobs that let reactions take in events of an agency, in the order given."""
    return [
        (REACT, (agency_id, *events[start : start + events_a_job]))
        for start in range(0, len(events), events_a_job)
    ]


def _entry(event: StoredEvent) -> FeedEntry:
    body: dict[str, Json] = {
        "position": [event.position.transaction, event.position.sequence],
        "event_id": str(event.event_id),
        "kind": event.kind,
        "aggregate": event.aggregate,
        "aggregate_id": str(event.aggregate_id),
        "version": event.version,
        "at": event.at.isoformat(),
        "payload": dict(event.payload),
    }
    return FeedEntry(position=(event.position.transaction, event.position.sequence), event=body)
