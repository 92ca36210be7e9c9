"""Dead letters: what a reaction, or a lane of a channel, gave up after its last try, for an operator to read and send again.

Owns the letters' list and their way back into the inbox, which writes them in the transaction that gives up.
The letter of a lane is its failed operation itself; asking for it anew is a use case of channels.
"""

from __future__ import annotations

from datetime import datetime
from typing import LiteralString
from uuid import UUID

import psycopg
from attrs import frozen
from sqlalchemy import Engine

from pms_adapters.postgres.errors import translated
from pms_adapters.postgres.inbox import INBOX
from pms_adapters.postgres.session import Session
from pms_adapters.postgres.work_due import due_in
from pmscore.kernel.errors import NotFoundError
from pmscore.kernel.ids import AgencyId, EventId

__all__ = ["DeadLetter", "list_letters", "send_again"]

_LIST: LiteralString = """\
SELECT l.letter_id, l.agency_id, l.reaction, l.event_id, e.kind, l.attempts, l.error, l.died_at
  FROM dead_letters l JOIN inbox i USING (agency_id, event_id, reaction)
  LEFT JOIN events e ON e.agency_id = i.agency_id AND e.txid = i.txid AND e.seq = i.seq
 WHERE l.retried_at IS NULL
 UNION ALL
SELECT o.log_id, o.agency_id, 'channels.' || n.lane, o.log_id, o.operation_type,
       coalesce((o.details ->> 'retry_count')::integer, 0) + 1, coalesce(o.error, ''), coalesce(o.updated_at, o.created_at)
  FROM channel_sync_logs o JOIN channel_lanes n USING (agency_id, lane_id)
 WHERE o.status = 'failed' AND o.details @> '{"dead_letter": true}'
 ORDER BY 8, 1 LIMIT %s"""
_AGAIN: LiteralString = """\
WITH letter AS (
  UPDATE dead_letters SET retried_at = now()
   WHERE agency_id = %s AND letter_id = %s AND retried_at IS NULL RETURNING agency_id, event_id, reaction
)
UPDATE inbox i SET state = 'waiting', attempts = 0, due_at = now(), not_before = NULL, done_at = NULL
  FROM letter l
 WHERE i.agency_id = l.agency_id AND i.event_id = l.event_id AND i.reaction = l.reaction AND i.state = 'dead'
RETURNING 1"""


@frozen(kw_only=True)
class DeadLetter:
    """An event that a reaction did not take in, or an operation of a channel that failed for good.

    ``error`` is a code or a short sentence of ours, never anybody's words. Of a lane, ``event_id`` names the
    operation, and ``reaction`` is ``channels.`` with its name.
    """

    letter_id: UUID
    agency_id: AgencyId
    reaction: str
    event_id: EventId
    kind: str | None
    attempts: int
    error: str
    died_at: datetime

    @property
    def is_of_lane(self) -> bool:
        """Whether a lane of a channel gave up, and no reaction."""
        return self.letter_id == self.event_id


def list_letters(url: str, *, agency_id: AgencyId | None = None, most: int = 200) -> tuple[DeadLetter, ...]:
    """Return the letters that were not sent again, oldest first; of all agencies where the login may see them.

    Raises:
        UnreachableError: the database did not answer.
    """
    with translated(), psycopg.connect(url) as connection:
        if agency_id is not None:
            connection.execute("SELECT set_config('app.agency_id', %s, true)", (str(agency_id),))
        rows = connection.execute(_LIST, (most,)).fetchall()
    return tuple(
        DeadLetter(
            letter_id=letter_id,
            agency_id=AgencyId(agency),
            reaction=reaction,
            event_id=EventId(event_id),
            kind=kind,
            attempts=attempts,
            error=error,
            died_at=died_at,
        )
        for letter_id, agency, reaction, event_id, kind, attempts, error, died_at in rows
        if agency_id in (None, agency)
    )


def send_again(engine: Engine, agency_id: AgencyId, letter_id: UUID) -> None:
    """Put the event of a letter back into the inbox; the sweeper enqueues it at once.

    It is taken in after those that have been taken in since, so its reaction must bear that.

    Raises:
        NotFoundError: there is no such letter, or it was sent again already.
    """
    with Session(engine, agency_id) as session:
        found = session.commit([(_AGAIN, (agency_id, letter_id)), due_in(agency_id, INBOX, 0)])[0]
    if not found:
        raise NotFoundError("dead_letter", letter_id)
