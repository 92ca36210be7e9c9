"""Leases on an agency's log: one worker at a time carries it on, fenced by a token.

Owns claiming, keeping and giving up a lease, and the two positions that are kept under it: up to where events have
been recorded in the inbox, and up to where they have been handed to queue and feed. A worker that lost its lease
without noticing can move neither.
"""

from __future__ import annotations

from typing import LiteralString

from attrs import frozen
from sqlalchemy import Engine

from pms_adapters.postgres.events import Position
from pms_adapters.postgres.session import Session, Statement, UnmetError, guarded
from pmscore.kernel.errors import ConflictError
from pmscore.kernel.ids import AgencyId

__all__ = ["Lease", "LeaseLostError", "claim", "give_up", "move_queued", "move_recorded", "skip_history"]

# With its first event an agency has schedules, too.
_MAKE: LiteralString = """\
WITH made AS (
  INSERT INTO relay_positions (agency_id) VALUES (%s) ON CONFLICT DO NOTHING RETURNING agency_id
)
INSERT INTO work_due (agency_id, kind) SELECT agency_id, 'schedules' FROM made"""
_CLAIM: LiteralString = """\
UPDATE relay_positions
   SET lease_token = lease_token + 1, leased_by = %s, leased_until = now() + make_interval(secs => %s)
 WHERE agency_id = (SELECT p.agency_id FROM relay_positions p
                     WHERE p.agency_id = %s
                       AND (p.leased_until IS NULL OR p.leased_until < now() OR p.leased_by = %s)
                       FOR UPDATE SKIP LOCKED)
RETURNING lease_token, recorded_txid, recorded_seq, queued_txid, queued_seq"""
_GIVE_UP: LiteralString = """\
UPDATE relay_positions SET leased_until = NULL WHERE agency_id = %s AND lease_token = %s"""
_RECORDED: LiteralString = """\
UPDATE relay_positions
   SET recorded_txid = %s, recorded_seq = %s, leased_until = now() + make_interval(secs => %s)
 WHERE agency_id = %s AND lease_token = %s RETURNING 1"""
_QUEUED: LiteralString = """\
UPDATE relay_positions
   SET queued_txid = %s, queued_seq = %s, leased_until = now() + make_interval(secs => %s)
 WHERE agency_id = %s AND lease_token = %s RETURNING 1"""

_SKIP: LiteralString = """\
UPDATE relay_positions SET (recorded_txid, recorded_seq, queued_txid, queued_seq) = (
  SELECT e.txid, e.seq, e.txid, e.seq FROM events e WHERE e.agency_id = %s ORDER BY e.txid DESC, e.seq DESC LIMIT 1)
 WHERE agency_id = %s AND recorded_txid = 0 RETURNING 1"""


class LeaseLostError(ConflictError):
    """Another worker has taken the agency over; what this one was about to write was not written."""

    code = "lease_lost"
    is_retryable = True


@frozen(kw_only=True)
class Lease:
    """The right to carry on an agency's log, and how far it has been carried."""

    agency_id: AgencyId
    holder: str
    token: int
    seconds: float
    recorded: Position
    queued: Position


def claim(engine: Engine, agency_id: AgencyId, *, holder: str, seconds: float) -> Lease | None:
    """Return a lease on the agency, or None while another worker has it; one's own is taken anew.

    Raises:
        UnreachableError: the database did not answer.
    """
    claiming = (_CLAIM, (holder, str(seconds), agency_id, holder))
    with Session(engine, agency_id) as session:
        rows = session.commit([(_MAKE, (agency_id,)), claiming])[1]
    if not rows:
        return None
    token, recorded_txid, recorded_seq, queued_txid, queued_seq = rows[0]
    return Lease(
        agency_id=agency_id,
        holder=holder,
        token=token,  # type: ignore[arg-type]
        seconds=seconds,
        recorded=Position(recorded_txid, recorded_seq),  # type: ignore[arg-type]
        queued=Position(queued_txid, queued_seq),  # type: ignore[arg-type]
    )


def give_up(engine: Engine, lease: Lease) -> None:
    """Let others have the agency at once; a lease that is lost already stays with its new holder.

    Raises:
        UnreachableError: the database did not answer.
    """
    with Session(engine, lease.agency_id) as session:
        session.commit([(_GIVE_UP, (lease.agency_id, lease.token))])


def move_recorded(engine: Engine, lease: Lease, to: Position, *also: Statement) -> None:
    """Say that the inbox knows all events up to a position, together with what makes it so.

    Raises:
        LeaseLostError: nothing was written.
    """
    _move(engine, lease, _RECORDED, to, also)


def move_queued(engine: Engine, lease: Lease, to: Position) -> None:
    """Say that queue and feed have accepted all events up to a position.

    Raises:
        LeaseLostError: nothing was written.
    """
    _move(engine, lease, _QUEUED, to, ())


def skip_history(engine: Engine, agency_id: AgencyId) -> None:
    """Take all events up to now for known: no reaction hears them, and they are not published. They are sealed.

    For an agency whose past was written at once, by a seed or an import, before a worker has seen it.
    """
    with Session(engine, agency_id) as session:
        session.commit([(_MAKE, (agency_id,)), (_SKIP, (agency_id, agency_id))])


def _move(
    engine: Engine, lease: Lease, sql: LiteralString, to: Position, also: tuple[Statement, ...]
) -> None:
    values = (to.transaction, to.sequence, str(lease.seconds), lease.agency_id, lease.token)
    try:
        with Session(engine, lease.agency_id) as session:
            # The position first: it waits for, or meets, whoever has taken the lease over.
            session.commit([guarded((sql, values), 1), *also])
    except UnmetError as error:
        raise LeaseLostError(agency_id=str(lease.agency_id)) from error
