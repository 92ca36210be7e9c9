"""The inbox: which reaction has still to take in which event, and that each does so once.

Owns the rows' whole life: recorded by the relay in the transaction that moves its position, waiting, then done in
the transaction of the effect, or dead after the last try, with a letter that an operator can read and send again.
Within one reaction the events of an aggregate are taken in one after the other, in the order of the log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from attrs import frozen
from sqlalchemy import Engine

from pms_adapters.postgres.documents import as_document
from pms_adapters.postgres.events import StoredEvent, stored_event
from pms_adapters.postgres.session import Session, Statement, guarded
from pms_adapters.postgres.work_due import due_in
from pmscore.kernel.errors import ConflictError
from pmscore.kernel.ids import AgencyId, EventId

__all__ = [
    "INBOX",
    "AlreadyDoneError",
    "Waiting",
    "claim_waiting",
    "done_once",
    "done_statement",
    "fail",
    "forget_done",
    "give_claim_back",
    "list_chains",
    "list_overdue",
    "list_waiting",
    "mark_done",
    "next_due_at",
    "postpone",
    "recording",
]

INBOX = "inbox"
"""The kind of work that is due when an event has waited too long, or is to be tried again."""

_RECORD: LiteralString = """\
INSERT INTO inbox (agency_id, event_id, reaction, aggregate_id, txid, seq, due_at)
SELECT %s::uuid, r.event_id, r.reaction, r.aggregate_id, r.txid, r.seq, now() + make_interval(secs => %s)
  FROM jsonb_to_recordset(%s::jsonb) AS r(event_id uuid, reaction text, aggregate_id uuid, txid bigint, seq bigint)
ON CONFLICT DO NOTHING"""
_CHAINS: LiteralString = """\
SELECT reaction, aggregate_id FROM inbox
 WHERE agency_id = %s AND event_id = ANY (%s::uuid[]) AND state = 'waiting' ORDER BY txid, seq, reaction"""
_WAITING: LiteralString = """\
SELECT c.place, i.attempts, coalesce(i.not_before > now(), false), e.txid, e.seq, e.event_id, e.kind, e.aggregate,
       e.aggregate_id, e.version, e.at, e.actor_id, e.request_id, e.payload
  FROM unnest(%s::text[], %s::uuid[]) WITH ORDINALITY AS c(reaction, aggregate_id, place)
 CROSS JOIN LATERAL (
       SELECT w.txid, w.seq, w.attempts, w.not_before FROM inbox w
        WHERE w.agency_id = %s AND w.reaction = c.reaction AND w.aggregate_id = c.aggregate_id
          AND w.state = 'waiting' ORDER BY w.txid, w.seq LIMIT %s) i
  JOIN events e ON e.agency_id = %s AND e.txid = i.txid AND e.seq = i.seq
 ORDER BY c.place, i.txid, i.seq"""
_DONE: LiteralString = """\
UPDATE inbox SET state = 'done', done_at = now(), claimed_until = NULL
 WHERE agency_id = %s AND event_id = %s AND reaction = %s AND state = 'waiting' RETURNING 1"""
_ALL_DONE: LiteralString = """\
UPDATE inbox SET state = 'done', done_at = now(), claimed_until = NULL
 WHERE agency_id = %s AND event_id = ANY (%s::uuid[]) AND reaction = %s AND state = 'waiting'"""
_CLAIM: LiteralString = """\
UPDATE inbox SET claimed_until = now() + make_interval(secs => %s)
 WHERE agency_id = %s AND event_id = %s AND reaction = %s AND state = 'waiting'
   AND (claimed_until IS NULL OR claimed_until < now()) RETURNING 1"""
_UNCLAIM: LiteralString = """\
UPDATE inbox SET claimed_until = NULL
 WHERE agency_id = %s AND event_id = %s AND reaction = %s AND state = 'waiting'"""
_TRY_LATER: LiteralString = """\
UPDATE inbox SET attempts = attempts + 1, claimed_until = NULL,
       not_before = now() + make_interval(secs => %s), due_at = now() + make_interval(secs => %s)
 WHERE agency_id = %s AND event_id = %s AND reaction = %s AND state = 'waiting' AND attempts = %s RETURNING 1"""
_DIE: LiteralString = """\
WITH dead AS (
  UPDATE inbox SET state = 'dead', attempts = attempts + 1, claimed_until = NULL, done_at = now()
   WHERE agency_id = %s AND event_id = %s AND reaction = %s AND state = 'waiting' AND attempts = %s
  RETURNING agency_id, event_id, reaction, attempts
)
INSERT INTO dead_letters (agency_id, letter_id, reaction, event_id, attempts, error, died_at)
SELECT agency_id, %s, reaction, event_id, attempts, %s, now() FROM dead RETURNING 1"""
_OVERDUE: LiteralString = """\
SELECT event_id FROM (
  SELECT event_id, min(due_at) AS due_at, min(txid) AS txid, min(seq) AS seq FROM inbox
   WHERE agency_id = %s AND state = 'waiting' AND due_at <= now() GROUP BY event_id) AS late
 ORDER BY txid, seq LIMIT %s"""
_POSTPONE: LiteralString = """\
UPDATE inbox SET due_at = now() + make_interval(secs => %s)
 WHERE agency_id = %s AND event_id = ANY (%s::uuid[]) AND state = 'waiting' AND due_at <= now()"""
_NEXT: LiteralString = "SELECT min(due_at) FROM inbox WHERE agency_id = %s AND state = 'waiting'"
_FORGET: LiteralString = """\
DELETE FROM inbox WHERE agency_id = %s AND state = 'done' AND (agency_id, event_id, reaction) IN (
  SELECT agency_id, event_id, reaction FROM inbox
   WHERE agency_id = %s AND state = 'done' AND done_at < now() - make_interval(secs => %s) LIMIT %s) RETURNING 1"""


class AlreadyDoneError(ConflictError):
    """Another worker has taken the event in; what this one was about to write was not written."""

    code = "already_done"


@frozen
class Waiting:
    """An event that a reaction has still to take in.

    ``is_delayed`` says that it failed and is to be tried again later; until then those after it wait too.
    """

    event: StoredEvent
    attempts: int
    is_delayed: bool


def recording(
    agency_id: AgencyId, wanted: Sequence[tuple[StoredEvent, str]], *, patience_seconds: float
) -> tuple[Statement, ...]:
    """Return the statements that record which reactions have to take in which events; none for none."""
    if not wanted:
        return ()
    rows = [
        {
            "event_id": event.event_id,
            "reaction": reaction,
            "aggregate_id": event.aggregate_id,
            "txid": event.position.transaction,
            "seq": event.position.sequence,
        }
        for event, reaction in wanted
    ]
    values = (agency_id, str(patience_seconds), as_document(rows))
    return (_RECORD, values), due_in(agency_id, INBOX, patience_seconds)


def list_chains(
    engine: Engine, agency_id: AgencyId, events: Sequence[EventId]
) -> tuple[tuple[str, UUID], ...]:
    """Return each reaction and aggregate for which one of the events waits, in the order of the log."""
    with Session(engine, agency_id) as session:
        rows = session.read([(_CHAINS, (agency_id, list(events)))])[0]
    return tuple(dict.fromkeys((str(reaction), UUID(str(aggregate_id))) for reaction, aggregate_id in rows))


def list_waiting(
    engine: Engine, agency_id: AgencyId, chains: Sequence[tuple[str, UUID]], *, most_each: int
) -> tuple[tuple[Waiting, ...], ...]:
    """Return for each chain (a reaction and an aggregate) the next events that wait, in the order of the log."""
    names, aggregates = [reaction for reaction, _ in chains], [aggregate_id for _, aggregate_id in chains]
    with Session(engine, agency_id) as session:
        rows = session.read([(_WAITING, (names, aggregates, agency_id, most_each, agency_id))])[0]
    found: list[list[Waiting]] = [[] for _ in chains]
    for place, attempts, is_delayed, *event in rows:
        waiting = Waiting(stored_event(event), attempts, bool(is_delayed))  # type: ignore[arg-type]
        found[int(str(place)) - 1].append(waiting)
    return tuple(tuple(each) for each in found)


def done_statement(agency_id: AgencyId, event_id: EventId, reaction: str) -> Statement:
    """Return the statement that says done; it answers one row, or none where it was done already."""
    return _DONE, (agency_id, event_id, reaction)


def mark_done(engine: Engine, agency_id: AgencyId, done: Mapping[str, Sequence[EventId]]) -> None:
    """Say of each reaction which events it has taken in; where it has said so itself, nothing changes."""
    statements: list[Statement] = [
        (_ALL_DONE, (agency_id, list(events), reaction)) for reaction, events in done.items() if events
    ]
    if statements:
        with Session(engine, agency_id) as session:
            session.commit(statements)


def claim_waiting(
    engine: Engine, agency_id: AgencyId, event_id: EventId, reaction: str, *, seconds: float
) -> bool:
    """Keep others from taking the event in for a while, and return whether one may do so oneself."""
    with Session(engine, agency_id) as session:
        return bool(session.commit([(_CLAIM, (str(seconds), agency_id, event_id, reaction))])[0])


def give_claim_back(engine: Engine, agency_id: AgencyId, event_id: EventId, reaction: str) -> None:
    """Let others take the event in at once."""
    with Session(engine, agency_id) as session:
        session.commit([(_UNCLAIM, (agency_id, event_id, reaction))])


def fail(
    engine: Engine,
    agency_id: AgencyId,
    waiting: Waiting,
    reaction: str,
    *,
    again_in: float | None,
    letter_id: UUID,
    error: str,
) -> None:
    """Note a failed try: again after ``again_in`` seconds, or, with None, never but by hand."""
    keys = (agency_id, waiting.event.event_id, reaction, waiting.attempts)
    if again_in is None:
        statements: list[Statement] = [(_DIE, (*keys, letter_id, error[:500]))]
    else:
        delay = str(again_in)
        statements = [(_TRY_LATER, (delay, delay, *keys)), due_in(agency_id, INBOX, again_in)]
    with Session(engine, agency_id) as session:
        session.commit(statements)


def list_overdue(engine: Engine, agency_id: AgencyId, *, most: int) -> tuple[EventId, ...]:
    """Return events that have waited too long for some reaction, or are to be tried again, in their order."""
    with Session(engine, agency_id) as session:
        rows = session.read([(_OVERDUE, (agency_id, most))])[0]
    return tuple(EventId(row[0]) for row in rows)  # type: ignore[arg-type]


def postpone(engine: Engine, agency_id: AgencyId, events: Sequence[EventId], *, seconds: float) -> None:
    """Say that the events were handed to the queue again, and are not overdue for so many seconds."""
    with Session(engine, agency_id) as session:
        session.commit([(_POSTPONE, (str(seconds), agency_id, list(events)))])


def next_due_at(engine: Engine, agency_id: AgencyId) -> datetime | None:
    """Return when the next event will have waited too long; None where none waits."""
    with Session(engine, agency_id) as session:
        at = session.read([(_NEXT, (agency_id,))])[0][0][0]
    return at if isinstance(at, datetime) else None


def forget_done(engine: Engine, agency_id: AgencyId, *, kept_seconds: float, most: int) -> int:
    """Delete rows that were done long enough ago; return how many."""
    with Session(engine, agency_id) as session:
        return len(session.commit([(_FORGET, (agency_id, agency_id, str(kept_seconds), most))])[0])


def done_once(agency_id: AgencyId, event_id: EventId, reaction: str) -> Statement:
    """Return :func:`done_statement` in a form that undoes the transaction where it was done already."""
    return guarded(done_statement(agency_id, event_id, reaction), 1)
