"""Calls of channels on PostgreSQL, counted for all workers together.

Owns that only one call at a time is judged for a key: the rows of its keys are locked, in their order. The
judgement is the core's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, LiteralString

from pms_adapters.postgres.session import Row, Session
from pms_adapters.postgres.writes import WriteSet
from pmscore.channels.model.manifest import CallGroup
from pmscore.channels.policies.counting_calls import CountedCall, seconds_to_wait
from pmscore.channels.ports import CallLog
from pmscore.kernel.errors import MisuseError
from pmscore.kernel.ids import CallId

__all__ = ["PostgresCalls"]

CALLS_KEPT: Final = timedelta(minutes=10)
"""How long calls are kept after no window counts them any more: machines' clocks differ."""

_ADD_KEYS: LiteralString = """\
INSERT INTO channel_keys (agency_id, key) SELECT %s::uuid, k FROM unnest(%s::text[]) AS k ORDER BY k
ON CONFLICT DO NOTHING"""
_LOCK: LiteralString = """\
SELECT key, closed_until FROM channel_keys WHERE agency_id = %s AND key = ANY (%s::text[]) ORDER BY key
   FOR NO KEY UPDATE"""
_CALLS: LiteralString = """\
SELECT key, started_at, ended_at, longest_seconds FROM channel_calls
 WHERE agency_id = %s AND key = ANY (%s::text[])"""
_ENTER: LiteralString = """\
INSERT INTO channel_calls (agency_id, call_id, key, started_at, longest_seconds) VALUES (%s, %s, %s, %s, %s)"""
_DROP_OLD: LiteralString = """\
DELETE FROM channel_calls WHERE agency_id = %s AND key = %s
   AND coalesce(ended_at, started_at + make_interval(secs => longest_seconds)) < %s"""
_END: LiteralString = "UPDATE channel_calls SET ended_at = %s WHERE agency_id = %s AND call_id = %s"
_CLOSE: LiteralString = """\
INSERT INTO channel_keys AS k (agency_id, key, closed_until) VALUES (%s, %s, %s)
ON CONFLICT (agency_id, key) DO UPDATE SET closed_until = greatest(k.closed_until, excluded.closed_until)"""


class PostgresCalls(CallLog):
    """Calls; see the port for what each method promises."""

    def __init__(self, session: Session, writes: WriteSet) -> None:
        self._session = session
        self._writes = writes

    def reserve(self, groups: Sequence[tuple[str, CallGroup]], call_id: CallId, *, now: datetime) -> float:
        agency_id = self._session.agency_id
        of = (agency_id, sorted({key for key, _ in groups}))
        # Each statement sees what was committed before it began: the calls are read after the lock was given.
        _, locked, rows = self._session.run([(_ADD_KEYS, of), (_LOCK, of), (_CALLS, of)])
        self._writes.is_begun = True
        closed = dict(_closed(row) for row in locked)
        calls = [_counted(row) for row in rows]
        waits = [
            seconds_to_wait(
                group,
                [call for of_key, call in calls if of_key == key],
                now=now,
                closed_until=closed.get(key),
            )
            for key, group in groups
        ]
        wait = max(waits, default=0.0)
        if wait <= 0:
            for key, group in groups:
                longest = timedelta(seconds=max((each.seconds for each in group.windows), default=0))
                self._writes.may((_DROP_OLD, (agency_id, key, now - longest - CALLS_KEPT)))
                self._writes.may((_ENTER, (agency_id, call_id, key, now, group.longest_seconds)))
        return wait

    def end(self, call_id: CallId, *, now: datetime) -> None:
        self._writes.may((_END, (now, self._session.agency_id, call_id)))

    def close(self, key: str, *, until: datetime) -> None:
        self._writes.may((_CLOSE, (self._session.agency_id, key, until)))


def _closed(row: Row) -> tuple[str, datetime | None]:
    key, until = row
    return str(key), until if isinstance(until, datetime) else None


def _counted(row: Row) -> tuple[str, CountedCall]:
    key, started_at, ended_at, longest_seconds = row
    if not isinstance(started_at, datetime) or not isinstance(longest_seconds, int):
        raise MisuseError(call=str(row))
    return str(key), CountedCall(
        started_at=started_at,
        ended_at=ended_at if isinstance(ended_at, datetime) else None,
        longest_seconds=longest_seconds,
    )
