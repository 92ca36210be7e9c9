"""``/api/v1/events``: the audit trail, what happened, on whose behalf, newest first.

Owns the address and its query; :mod:`pmscore.kernel.trail` says what a condition means. It is for looking things up:
who has to hear of every event takes webhooks or the feed, which lose none.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from attrs import frozen
from flask import Response

from pms_web.event_views import EventsBody, events_body
from pms_web.examples import PROPERTY
from pms_web.paging import PageQuery
from pms_web.routing import Route, answer
from pms_web.services import WebServices
from pms_web.wire import Entries, Longest, Says, Within, rule
from pmscore.access.model.permissions import Permission
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.ids import ActorId, RequestId
from pmscore.kernel.paging import Page
from pmscore.kernel.trail import MOST_COUNTED, EventFilter, EventPosition, FoundEvents, parse_kind

__all__ = ["ROUTES"]

ADDRESS = "/api/v1/events"


@frozen(kw_only=True)
class EventsQuery(PageQuery):
    """Which events; all of them where nothing is said."""

    offset: Annotated[
        int,
        Within(0, MOST_COUNTED),
        Says(
            "How many to leave out; to go further back, ask for those before the last position that was read."
        ),
    ] = 0
    kind: Annotated[
        tuple[str, ...],
        Entries(20),
        Says("Kinds such as booking.created, or booking.* for all that begin so."),
    ] = ()
    aggregate: Annotated[str | None, Longest(40), Says("What it happened to, such as booking.")] = None
    aggregate_id: UUID | None = None
    actor_id: Annotated[ActorId | None, Says("The user or key on whose behalf it happened.")] = None
    request_id: Annotated[RequestId | None, Says("What one request has done, by its X-Request-Id.")] = None
    from_: Annotated[datetime | None, Says("At this instant or later.")] = None
    to: Annotated[datetime | None, Says("Before this instant.")] = None
    before: Annotated[
        str | None,
        Longest(40),
        Says("The position of an event; older ones follow. New events do not shift what comes next."),
    ] = None

    @rule
    def kinds(self) -> frozenset[str]:
        """Return the kinds."""
        return frozenset([parse_kind(each, field="kind") for each in self.kind])

    @rule
    def position(self) -> EventPosition | None:
        """Return the position."""
        return None if self.before is None else EventPosition.parse(self.before, field="before")

    @rule
    def is_a_time(self) -> None:
        """Refuse a time that ends before it begins."""
        if self.from_ is not None and self.to is not None and self.to <= self.from_:
            raise InvalidInputError("to", "not_after_start")

    def wanted(self) -> EventFilter:
        """Return the conditions."""
        return EventFilter(
            kinds=self.kinds(),
            aggregate=self.aggregate,
            aggregate_id=self.aggregate_id,
            actor_id=self.actor_id,
            request_id=self.request_id,
            since=self.from_,
            until=self.to,
            before=self.position(),
        )


def listed(services: WebServices, query: EventsQuery) -> Response:
    """Return a page of the events, newest first; who reaches named properties alone sees what happened to those."""

    def attempt() -> FoundEvents:
        with services.uow.begin(services.question) as work:
            return work.events.find(query.wanted(), Page(query.limit, query.offset))

    found = services.retry(attempt)
    return answer(events_body(found, limit=query.limit, offset=query.offset))


ROUTES = (
    Route(
        method="GET",
        path=ADDRESS,
        view=listed,
        permission=Permission.READ_EVENTS,
        summary="Search the events",
        query=EventsQuery,
        replies={200: EventsBody},
        example={"kind": ["house.*"], "aggregate_id": PROPERTY, "from": "2027-01-01T00:00:00Z"},
    ),
)
