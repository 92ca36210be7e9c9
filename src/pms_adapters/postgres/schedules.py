"""What an agency has to have done from time to time: when each was done, and when it is due again.

Owns the rows, claimed by time: who claims moves the due time on, so that nobody else begins, and a claim whose worker
dies is due again a minute later. Leaves what is done to ``worker.schedules``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString

from sqlalchemy import Engine

from pms_adapters.postgres.session import Session
from pmscore.kernel.ids import AgencyId

__all__ = [
    "SCHEDULES",
    "add_missing",
    "claim_schedule",
    "fail_schedule",
    "finish_schedule",
    "next_schedule_at",
]

SCHEDULES = "schedules"
"""The kind of work that is due when a schedule of the agency is."""

CLAIM_SECONDS = 60.0

_ADD: LiteralString = """\
INSERT INTO schedules (agency_id, name, due_at) SELECT %s, name, now() FROM unnest(%s::text[]) AS name
ON CONFLICT DO NOTHING"""
_CLAIM: LiteralString = """\
UPDATE schedules SET started_at = now(), due_at = now() + make_interval(secs => %s)
 WHERE agency_id = %s AND name = %s AND due_at <= now() RETURNING 1"""
_FINISH: LiteralString = """\
UPDATE schedules SET finished_at = now(), failures = 0, due_at = now() + make_interval(secs => %s)
 WHERE agency_id = %s AND name = %s"""
_FAIL: LiteralString = "UPDATE schedules SET failures = failures + 1 WHERE agency_id = %s AND name = %s"
_NEXT: LiteralString = "SELECT min(due_at) FROM schedules WHERE agency_id = %s AND name = ANY (%s::text[])"


def add_missing(engine: Engine, agency_id: AgencyId, names: Sequence[str]) -> None:
    """Make sure that the agency has these schedules; new ones are due at once."""
    with Session(engine, agency_id) as session:
        session.commit([(_ADD, (agency_id, list(names)))])


def claim_schedule(engine: Engine, agency_id: AgencyId, name: str) -> bool:
    """Return whether the schedule is due and nobody else does it."""
    with Session(engine, agency_id) as session:
        return bool(session.commit([(_CLAIM, (str(CLAIM_SECONDS), agency_id, name))])[0])


def finish_schedule(engine: Engine, agency_id: AgencyId, name: str, *, again_in: float) -> None:
    """Say that a claimed schedule is done, and due again in so many seconds."""
    with Session(engine, agency_id) as session:
        session.commit([(_FINISH, (str(again_in), agency_id, name))])


def fail_schedule(engine: Engine, agency_id: AgencyId, name: str) -> None:
    """Count a failure of a claimed schedule; it is due again when the claim ends."""
    with Session(engine, agency_id) as session:
        session.commit([(_FAIL, (agency_id, name))])


def next_schedule_at(engine: Engine, agency_id: AgencyId, names: Sequence[str]) -> datetime | None:
    """Return when the first of these schedules is due."""
    with Session(engine, agency_id) as session:
        at = session.read([(_NEXT, (agency_id, list(names)))])[0][0][0]
    return at if isinstance(at, datetime) else None
