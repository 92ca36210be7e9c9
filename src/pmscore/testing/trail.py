"""Looking for events in memory.

Owns the in-memory ``EventReader``; leaves the log to ``journal``.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from pmscore.kernel.ids import EventId
from pmscore.kernel.paging import Page
from pmscore.kernel.trail import (
    MOST_COUNTED,
    EventFilter,
    EventPosition,
    EventReader,
    FoundEvents,
    RecordedEvent,
)
from pmscore.testing.journal import LoggedEvent
from pmscore.testing.transaction import Transaction

__all__ = ["InMemoryEvents"]


class InMemoryEvents(EventReader):
    """The visible events of one agency; ``read`` returns them in order."""

    def __init__(self, transaction: Transaction, read: Callable[[], tuple[LoggedEvent, ...]]) -> None:
        self._at = transaction
        self._read = read

    def find(self, wanted: EventFilter, page: Page) -> FoundEvents:
        """Return a page of the events that ``wanted`` admits, newest first."""
        self._at.check_open()
        every = (_recorded(each) for each in reversed(self._read()))
        reach = self._at.command.property_ids
        found = [each for each in every if wanted.admits(each) and each.lies_within(reach)]
        return FoundEvents(
            items=tuple(found[page.offset : page.offset + page.limit]),
            total=min(len(found), MOST_COUNTED),
            is_total_capped=len(found) > MOST_COUNTED,
            has_more=len(found) > page.offset + page.limit,
        )


def _recorded(event: LoggedEvent) -> RecordedEvent:
    transaction, sequence = event.position
    return RecordedEvent(
        position=EventPosition(transaction, sequence),
        event_id=EventId(UUID(int=transaction << 64 | sequence)),
        kind=event.kind,
        aggregate=event.aggregate,
        aggregate_id=event.aggregate_id,
        version=event.version,
        at=event.at,
        actor_id=event.actor_id,
        request_id=event.request_id,
        payload=event.payload,
    )
