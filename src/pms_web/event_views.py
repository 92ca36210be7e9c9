"""Events as JSON."""

from __future__ import annotations

from typing import Annotated, TypedDict

from pms_web.wire import IdText, InstantText, Written
from pmscore.kernel.trail import FoundEvents, RecordedEvent

__all__ = ["EventBody", "EventsBody", "event_body", "events_body"]

PositionText = Annotated[str, Written(pattern="^[0-9]+-[0-9]+$", example="48213-9017")]


class EventBody(TypedDict):
    """Something that happened: to what, when, on whose behalf, and in which request.

    ``payload`` holds ids, names of fields, dates and amounts, and no personal values.
    """

    id: IdText
    position: PositionText
    kind: str
    aggregate: str
    aggregate_id: IdText
    version: int
    at: InstantText
    actor_id: IdText
    request_id: IdText
    payload: dict[str, object]


class EventsBody(TypedDict):
    """A page of events; with ``is_total_capped`` there are more than ``total``, and nobody has counted how many."""

    items: list[EventBody]
    total: int
    limit: int
    offset: int
    has_more: bool
    is_total_capped: bool


def events_body(found: FoundEvents, *, limit: int, offset: int) -> EventsBody:
    """Return a page of events."""
    return {
        "items": [event_body(each) for each in found.items],
        "total": found.total,
        "limit": limit,
        "offset": offset,
        "has_more": found.has_more,
        "is_total_capped": found.is_total_capped,
    }


def event_body(event: RecordedEvent) -> EventBody:
    """Return an event."""
    return {
        "id": str(event.event_id),
        "position": str(event.position),
        "kind": event.kind,
        "aggregate": event.aggregate,
        "aggregate_id": str(event.aggregate_id),
        "version": event.version,
        "at": event.at.isoformat(),
        "actor_id": str(event.actor_id),
        "request_id": str(event.request_id),
        "payload": {**event.payload},
    }
