"""Looking for events on PostgreSQL, newest first.

Owns the conditions as SQL. The table only grows: pages are read backwards along the primary key, or where few
events are of the wanted kinds along the index of kinds, and a total is counted up to a limit. Each further
index would cost every booking. Leaves following the log to ``events``.
"""

from __future__ import annotations

from typing import LiteralString
from uuid import UUID

from pms_adapters.postgres.events import StoredEvent, stored_event
from pms_adapters.postgres.listing import conditions
from pms_adapters.postgres.session import Session, Statement
from pmscore.kernel.ids import AgencyId, PropertyId
from pmscore.kernel.paging import Page
from pmscore.kernel.trail import (
    MOST_COUNTED,
    PROPERTY_AGGREGATES,
    EventFilter,
    EventPosition,
    EventReader,
    FoundEvents,
    RecordedEvent,
)

__all__ = ["PostgresEventReader", "event_statements"]

_COLUMNS: LiteralString = (
    "e.txid, e.seq, e.event_id, e.kind, e.aggregate, e.aggregate_id, e.version, e.at, e.actor_id, e.request_id,"
    " e.payload"
)
_WITHIN: LiteralString = """\
((e.aggregate = ANY(%s::text[]) AND e.aggregate_id = ANY(%s::uuid[]))
 OR e.payload ->> 'property_id' = ANY(%s::text[]))"""
_IS_KIND: LiteralString = "e.kind = ANY(%s::text[])"
# Compared letter by letter, whatever the language of the database, as the index is.
_OF_FAMILY: LiteralString = "(e.kind ~>=~ %s AND e.kind ~<~ %s)"
_AFTER_DOT = chr(ord(".") + 1)


class PostgresEventReader(EventReader):
    """One agency's events, as far as the session reaches."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, wanted: EventFilter, page: Page) -> FoundEvents:
        asked = event_statements(self._session.agency_id, self._session.reach, wanted, page)
        rows, counted = self._session.read(asked)
        count = int(str(counted[0][0]))
        return FoundEvents(
            items=tuple([_recorded(stored_event(row)) for row in rows[: page.limit]]),
            total=min(count, MOST_COUNTED),
            is_total_capped=count > MOST_COUNTED,
            has_more=len(rows) > page.limit,
        )


def event_statements(
    agency_id: AgencyId, reach: frozenset[PropertyId] | None, wanted: EventFilter, page: Page
) -> tuple[Statement, Statement]:
    """Return what reads a page of an agency's events, and what counts them."""
    own: Statement = ("e.agency_id = %s", (agency_id,))
    where, values = conditions([own, *_conditions(wanted, reach)])
    source: LiteralString = " FROM events e WHERE " + where
    return (
        (
            "SELECT " + _COLUMNS + source + " ORDER BY e.txid DESC, e.seq DESC LIMIT %s OFFSET %s",
            (*values, page.limit + 1, page.offset),
        ),
        ("SELECT count(*) FROM (SELECT 1" + source + " LIMIT %s) c", (*values, MOST_COUNTED + 1)),
    )


def _conditions(wanted: EventFilter, reach: frozenset[PropertyId] | None) -> list[Statement]:
    """Return what an event ``e`` must meet."""
    found: list[Statement] = []
    if wanted.kinds:
        found.append(_of_kinds(wanted.kinds))
    simple: tuple[tuple[LiteralString, object], ...] = (
        ("e.aggregate = %s", wanted.aggregate),
        ("e.aggregate_id = %s", wanted.aggregate_id),
        ("e.actor_id = %s", wanted.actor_id),
        ("e.request_id = %s", wanted.request_id),
        ("e.at >= %s", wanted.since),
        ("e.at < %s", wanted.until),
    )
    found += [(condition, (value,)) for condition, value in simple if value is not None]
    if wanted.before is not None:
        found.append(("(e.txid, e.seq) < (%s, %s)", (wanted.before.transaction, wanted.before.sequence)))
    if reach is not None:
        ids: list[UUID] = sorted(reach)
        values = (sorted(PROPERTY_AGGREGATES), ids, [str(each) for each in ids])
        found.append((_WITHIN, values))
    return found


def _of_kinds(kinds: frozenset[str]) -> Statement:
    """Return the condition on kinds; those that end with a dot are families, each a range in the index."""
    whole = sorted(each for each in kinds if not each.endswith("."))
    begun = sorted(kinds.difference(whole))
    parts: list[Statement] = [(_IS_KIND, (whole,))] if whole else []
    parts += [(_OF_FAMILY, (each, each[:-1] + _AFTER_DOT)) for each in begun]
    text: LiteralString = " OR ".join([sql for sql, _ in parts])
    return "(" + text + ")", tuple(value for _, values in parts for value in values)


def _recorded(event: StoredEvent) -> RecordedEvent:
    return RecordedEvent(
        position=EventPosition(event.position.transaction, event.position.sequence),
        event_id=event.event_id,
        kind=event.kind,
        aggregate=event.aggregate,
        aggregate_id=event.aggregate_id,
        version=event.version,
        at=event.at,
        actor_id=event.actor_id,
        request_id=event.request_id,
        payload=event.payload,
    )
