"""Looking for events on PostgreSQL, newest first.

Owns the conditions as SQL. The table only grows: pages are read backwards along the primary key, a total is counted up
to a limit, and no index beside those of ``tables`` is kept for it, because each would cost every booking. Leaves
following the log to ``events``.
"""

from __future__ import annotations

from typing import LiteralString
from uuid import UUID

from pms_adapters.postgres.events import StoredEvent, stored_event
from pms_adapters.postgres.listing import conditions
from pms_adapters.postgres.session import Session, Statement
from pmscore.kernel.ids import PropertyId
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

__all__ = ["PostgresEventReader"]

_COLUMNS: LiteralString = (
    "e.txid, e.seq, e.event_id, e.kind, e.aggregate, e.aggregate_id, e.version, e.at, e.actor_id, e.request_id,"
    " e.payload"
)
_WITHIN: LiteralString = """\
((e.aggregate = ANY(%s::text[]) AND e.aggregate_id = ANY(%s::uuid[]))
 OR e.payload ->> 'property_id' = ANY(%s::text[]))"""


class PostgresEventReader(EventReader):
    """One agency's events, as far as the session reaches."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, wanted: EventFilter, page: Page) -> FoundEvents:
        own: Statement = ("e.agency_id = %s", (self._session.agency_id,))
        where, values = conditions([own, *_conditions(wanted, self._session.reach)])
        source: LiteralString = " FROM events e WHERE " + where
        rows, counted = self._session.read(
            [
                (
                    "SELECT " + _COLUMNS + source + " ORDER BY e.txid DESC, e.seq DESC LIMIT %s OFFSET %s",
                    (*values, page.limit + 1, page.offset),
                ),
                ("SELECT count(*) FROM (SELECT 1" + source + " LIMIT %s) c", (*values, MOST_COUNTED + 1)),
            ]
        )
        count = int(str(counted[0][0]))
        return FoundEvents(
            items=tuple([_recorded(stored_event(row)) for row in rows[: page.limit]]),
            total=min(count, MOST_COUNTED),
            is_total_capped=count > MOST_COUNTED,
            has_more=len(rows) > page.limit,
        )


def _conditions(wanted: EventFilter, reach: frozenset[PropertyId] | None) -> list[Statement]:
    """Return what an event ``e`` must meet."""
    found: list[Statement] = []
    if wanted.kinds:
        whole = sorted(each for each in wanted.kinds if not each.endswith("."))
        begun = sorted(wanted.kinds.difference(whole))
        found.append(("(e.kind = ANY(%s::text[]) OR e.kind ^@ ANY(%s::text[]))", (whole, begun)))
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
