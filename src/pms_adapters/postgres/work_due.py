"""Which agencies have work: the one table that is read across agencies, by the role ``pms_relay``.

Owns listing, adding and taking away. A row says that an agency has work of a kind from an instant on, and nothing
about whom it concerns. Rows are hints that may come twice: what there is to do stands in tables of the agency.
Whoever appends events adds a row in the same transaction (``statements``); it is always a new row, so no booking
ever waits for another there. The reasoning: ``docs/algorithms/events.md``.
"""

from __future__ import annotations

from datetime import datetime
from typing import LiteralString
from uuid import UUID

from attrs import frozen
from sqlalchemy import Engine

from pms_adapters.postgres.session import Session, Statement
from pmscore.kernel.ids import AgencyId

__all__ = ["EVENTS", "Due", "due_at", "due_in", "list_due", "take_away", "take_away_events"]

EVENTS = "events"
"""The kind of the rows that come with new events."""

_NOBODY = AgencyId(UUID(int=0))
_AS_RELAY: Statement = ("SET LOCAL ROLE pms_relay", ())
_LIST: LiteralString = """\
SELECT agency_id, kind, array_agg(DISTINCT txid) FILTER (WHERE kind <> 'events'), now()
  FROM work_due WHERE due_at <= now() GROUP BY agency_id, kind ORDER BY min(due_at), agency_id, kind"""
_TAKE: LiteralString = (
    "DELETE FROM work_due WHERE agency_id = %s AND kind = %s AND due_at <= %s AND txid = ANY (%s::bigint[])"
)
_TAKE_EVENTS: LiteralString = "DELETE FROM work_due WHERE agency_id = %s AND kind = 'events' AND txid < %s"
_ADD: LiteralString = (
    "INSERT INTO work_due (agency_id, kind, due_at) VALUES (%s, %s, now() + make_interval(secs => %s))"
    " ON CONFLICT DO NOTHING"
)
_ADD_AT: LiteralString = (
    "INSERT INTO work_due (agency_id, kind, due_at) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
)


@frozen
class Due:
    """An agency with work of one kind; ``rows`` are the transactions that said so, empty for events."""

    agency_id: AgencyId
    kind: str
    rows: tuple[int, ...]
    listed_at: datetime


def list_due(engine: Engine) -> tuple[Due, ...]:
    """Return which agencies have work by now, those that have waited longest first.

    Raises:
        UnreachableError: the database did not answer.
    """
    with Session(engine, _NOBODY) as session:
        rows = session.commit([_AS_RELAY, (_LIST, ())])[1]
    return tuple(
        Due(AgencyId(agency_id), kind, tuple(listed or ()), at)  # type: ignore[arg-type]
        for agency_id, kind, listed, at in rows
    )


def take_away(engine: Engine, due: Due) -> None:
    """Forget the rows that were listed; what was added since stays.

    Raises:
        UnreachableError: the database did not answer.
    """
    _run(engine, (_TAKE, (due.agency_id, due.kind, due.listed_at, due.rows)))


def take_away_events(engine: Engine, agency_id: AgencyId, before: int) -> None:
    """Forget the rows of the agency's events of transactions below ``before``.

    Raises:
        UnreachableError: the database did not answer.
    """
    _run(engine, (_TAKE_EVENTS, (agency_id, before)))


def due_in(agency_id: AgencyId, kind: str, seconds: float) -> Statement:
    """Return the statement that says: from so many seconds from now on, the agency has work of a kind."""
    return _ADD, (agency_id, kind, str(seconds))


def due_at(agency_id: AgencyId, kind: str, at: datetime) -> Statement:
    """Return the statement that says: from an instant on, the agency has work of a kind."""
    return _ADD_AT, (agency_id, kind, at)


def _run(engine: Engine, statement: Statement) -> None:
    with Session(engine, _NOBODY) as session:
        session.commit([_AS_RELAY, statement])
