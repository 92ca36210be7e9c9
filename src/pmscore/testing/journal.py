"""The append-only log of events, and the two ways of reading it.

Owns the order of events: by (transaction, sequence), with a transaction's number drawn when it begins and
sequence numbers drawn before its commit, as databases do. Leaves the writing to the store.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TypeAlias
from uuid import UUID

from attrs import frozen

from pmscore.kernel.events import Command, Event, Json
from pmscore.kernel.ids import ActorId, AgencyId, RequestId

__all__ = ["Journal", "LoggedEvent", "Position"]

Position: TypeAlias = tuple[int, int]
"""Where a reader stands: (transaction number, sequence number) of the last event it has read."""

_BEGINNING = datetime(2030, 1, 1, tzinfo=UTC)


@frozen(kw_only=True)
class LoggedEvent:
    """One event as it was stored: what happened, at which position, on whose behalf.

    ``at`` is for searching; the journal has no clock, its transactions are a second apart.
    """

    position: Position
    agency_id: AgencyId
    actor_id: ActorId
    request_id: RequestId
    kind: str
    aggregate: str
    aggregate_id: UUID
    version: int
    payload: Mapping[str, Json]
    at: datetime = _BEGINNING


class Journal:
    """All events of all agencies. Not safe between threads by itself: the store's mutex guards it."""

    def __init__(self) -> None:
        self._transactions = count(1)
        self._sequences = count(1)
        self._running: set[int] = set()
        self._next_transaction = 1
        self._events: list[LoggedEvent] = []  # in the order of their positions

    def begin(self) -> int:
        """Return the number of a new transaction, which runs until :meth:`end`."""
        number = next(self._transactions)
        self._next_transaction = number + 1
        self._running.add(number)
        return number

    def end(self, transaction: int) -> None:
        """Take note that the transaction runs no more."""
        self._running.discard(transaction)

    def numbered(
        self, transaction: int, command: Command, events: tuple[Event, ...]
    ) -> tuple[LoggedEvent, ...]:
        """Draw the sequence numbers of ``events``; nobody sees them until :meth:`append`."""
        return tuple(
            LoggedEvent(
                position=(transaction, next(self._sequences)),
                agency_id=command.agency_id,
                actor_id=command.actor_id,
                request_id=command.request_id,
                kind=event.kind,
                aggregate=event.aggregate,
                aggregate_id=event.aggregate_id,
                version=event.version,
                payload=event.payload(),
                at=_BEGINNING + timedelta(seconds=transaction),
            )
            for event in events
        )

    def append(self, events: tuple[LoggedEvent, ...]) -> None:
        """Make events visible."""
        for each in events:
            insort(self._events, each, key=_position)

    def after(self, position: Position) -> tuple[LoggedEvent, ...]:
        """Return the events behind ``position`` below the oldest running transaction, in order.

        Nothing can appear behind a position later that a reader has gone past.
        """
        horizon = min(self._running, default=self._next_transaction)
        first = bisect_right(self._events, position, key=_position)
        return tuple(self._events[first : bisect_left(self._events, (horizon, 0), key=_position)])

    def after_sequence(self, sequence: int) -> tuple[LoggedEvent, ...]:
        """Return the visible events above ``sequence`` in the order of their sequence.

        The reader that looks right and loses events: a lower sequence may become visible after a higher one.
        """
        found = (each for each in self._events if each.position[1] > sequence)
        return tuple(sorted(found, key=lambda each: each.position[1]))

    def of_agency(self, agency_id: AgencyId) -> tuple[LoggedEvent, ...]:
        """Return every visible event of one agency in order."""
        return tuple(each for each in self._events if each.agency_id == agency_id)


def _position(event: LoggedEvent) -> Position:
    return event.position
