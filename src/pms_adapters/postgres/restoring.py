"""After a restore into another server: the log of events is read in its old order, and new events come after it.

Owns the one thing that a copy of the rows does not bring along: transaction numbers are the server's, so those of
restored events mean nothing to the new one. Above its own count they would not be read for years, and new events
would sort before them. Here they become negative, in their order; every number of the new server is above them.
"""

from __future__ import annotations

import psycopg

__all__ = ["settle_positions"]

_LATEST = (
    "SELECT coalesce(max(txid), 0) FROM (SELECT txid FROM events UNION ALL SELECT txid FROM inbox) AS known"
)
_SHIFTS = (
    "UPDATE events SET txid = txid - %(by)s",
    "UPDATE audit_seals SET txid = txid - %(by)s",
    "UPDATE inbox SET txid = txid - %(by)s, due_at = now() WHERE state = 'waiting'",
    "UPDATE inbox SET txid = txid - %(by)s WHERE state <> 'waiting'",
    """UPDATE relay_positions SET recorded_txid = recorded_txid - %(by)s, queued_txid = queued_txid - %(by)s,
              leased_until = NULL""",
    """INSERT INTO relay_positions (agency_id, recorded_txid, queued_txid)
       SELECT DISTINCT agency_id, -%(by)s::bigint, -%(by)s::bigint FROM events ON CONFLICT DO NOTHING""",
    "DELETE FROM work_due",
    """INSERT INTO work_due (agency_id, kind)
       SELECT agency_id, kind FROM (SELECT DISTINCT agency_id FROM events) AS known,
              unnest(ARRAY['events', 'inbox', 'schedules']) AS kind""",
)


def settle_positions(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Make restored events the past of this server, and tell the worker to look at every agency.

    Once, after the rows of a dump are in and before anybody writes, as a role above row-level security that may
    change the events. One transaction, which the caller commits.

    Raises:
        psycopg.Error: the role may not, or somebody is at the tables.
    """
    row = connection.execute(_LATEST).fetchone()
    latest = row[0] if row is not None and isinstance(row[0], int) else 0
    for statement in _SHIFTS:
        connection.execute(statement, {"by": latest + 1})
