"""The audit trail: looking for what happened, newest first.

Owns the conditions and what they mean of one event. Leaves writing events to the unit of work, and following
them one by one, which loses none, to the relay: a search shows what is committed when it looks.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from attrs import frozen

from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Json
from pmscore.kernel.ids import ActorId, EventId, PropertyId, RequestId
from pmscore.kernel.paging import Page
from pmscore.kernel.ports import Work

__all__ = [
    "MOST_COUNTED",
    "PROPERTY_AGGREGATES",
    "EventFilter",
    "EventPosition",
    "EventReader",
    "EventWork",
    "FoundEvents",
    "RecordedEvent",
    "parse_kind",
]

MOST_COUNTED: Final = 10_000
"""No more events are counted for a total: the log of an agency has no end, and a count of all of it no use."""

PROPERTY_AGGREGATES: Final = frozenset({"property", "price_book"})
"""What has the id of the property that it belongs to."""

_POSITION = re.compile(r"([0-9]{1,18})-([0-9]{1,18})\Z")
_KIND = re.compile(r"[a-z][A-Za-z_]{0,39}\.(?:[A-Za-z_]{1,60}\.)?(?:[A-Za-z_]{1,60}|\*?)\Z")


@frozen(order=True)
class EventPosition:
    """Where an event stands in the log of its agency; later ones are larger, with few exceptions within seconds."""

    transaction: int
    sequence: int

    def __str__(self) -> str:
        return f"{self.transaction}-{self.sequence}"

    @classmethod
    def parse(cls, text: str, *, field: str) -> EventPosition:
        """Return the position that is written in ``text``.

        Raises:
            InvalidInputError: reason ``not_a_position``; names ``field``.
        """
        found = _POSITION.match(text)
        if found is None:
            raise InvalidInputError(field, "not_a_position")
        return cls(int(found[1]), int(found[2]))


@frozen(kw_only=True)
class RecordedEvent:
    """One event as it was stored: what happened, when, and who asked for it."""

    position: EventPosition
    event_id: EventId
    kind: str
    aggregate: str
    aggregate_id: UUID
    version: int
    at: datetime
    actor_id: ActorId
    request_id: RequestId
    payload: Mapping[str, Json]

    def lies_within(self, reach: frozenset[PropertyId] | None) -> bool:
        """Return whether somebody with this reach sees the event; None reaches everything.

        An event is of a property if it says so: it happened to it or to its prices, or names it as
        ``property_id``. One that names none, such as a log-in or a change of a guest, is for those who reach
        all of the agency.
        """
        if reach is None:
            return True
        if self.aggregate in PROPERTY_AGGREGATES and self.aggregate_id in reach:
            return True
        return self.payload.get("property_id") in {str(each) for each in reach}


@frozen(kw_only=True)
class EventFilter:
    """Conditions that all hold; one that is left out lets everything pass.

    ``kinds`` are kinds, or the beginning of kinds up to their dot, as :func:`parse_kind` returns them. ``since`` is
    included, ``until`` is not. ``before`` is the position of an event; those older than it pass.
    """

    kinds: frozenset[str] = frozenset()
    aggregate: str | None = None
    aggregate_id: UUID | None = None
    actor_id: ActorId | None = None
    request_id: RequestId | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: EventPosition | None = None

    def admits(self, event: RecordedEvent) -> bool:
        """Return whether the search shows the event."""
        return (
            (not self.kinds or any(_is_of(event.kind, each) for each in self.kinds))
            and self.aggregate in (None, event.aggregate)
            and self.aggregate_id in (None, event.aggregate_id)
            and self.actor_id in (None, event.actor_id)
            and self.request_id in (None, event.request_id)
            and (self.since is None or event.at >= self.since)
            and (self.until is None or event.at < self.until)
            and (self.before is None or event.position < self.before)
        )


@frozen(kw_only=True)
class FoundEvents:
    """A page of events; ``total`` is never above ``MOST_COUNTED``, ``is_total_capped`` says that there are more."""

    items: tuple[RecordedEvent, ...]
    total: int
    is_total_capped: bool
    has_more: bool


class EventReader(Protocol):
    """Looks for events of an agency."""

    @abstractmethod
    def find(self, wanted: EventFilter, page: Page) -> FoundEvents:
        """Return a page of the events that ``wanted`` admits and that lie within the actor's reach, newest first."""


class EventWork(Work, Protocol):
    """A transaction that sees what happened."""

    @property
    @abstractmethod
    def events(self) -> EventReader:
        """The events that are committed."""


def parse_kind(text: str, *, field: str) -> str:
    """Return a kind of events as it is; of ``booking.*`` or ``booking.``, which mean all that begin so, the beginning.

    Raises:
        InvalidInputError: reason ``not_an_event_kind``; names ``field``.
    """
    if not _KIND.match(text):
        raise InvalidInputError(field, "not_an_event_kind")
    return text.removesuffix("*")


def _is_of(kind: str, wanted: str) -> bool:
    return kind.startswith(wanted) if wanted.endswith(".") else kind == wanted
