"""The tables of the worker: work that is due, how far the log was read, inbox, dead letters, seals, schedules.

A part of the schema in ``tables``; the same rules hold for it, except that ``work_due`` is read across agencies.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    func,
    text,
)

from pms_adapters.postgres.table_parts import AT, agency, metadata

__all__ = ["WORKER_TABLES"]

_ZERO = text("0")
_EMPTY = text("''")
_IS_WAITING = text("state = 'waiting'")


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default=_ZERO)


_due = Table(
    "work_due",
    metadata,
    agency(),
    Column("kind", Text, nullable=False),
    Column("due_at", AT, nullable=False, server_default=func.now()),
    Column("txid", BigInteger, nullable=False, server_default=text("pg_current_xact_id()::text::bigint")),
    PrimaryKeyConstraint("agency_id", "kind", "txid", "due_at"),
)
_positions = Table(
    "relay_positions",
    metadata,
    agency(),
    _number("recorded_txid"),
    _number("recorded_seq"),
    _number("queued_txid"),
    _number("queued_seq"),
    _number("lease_token"),
    Column("leased_by", Text, nullable=False, server_default=_EMPTY),
    Column("leased_until", AT),
    PrimaryKeyConstraint("agency_id"),
)
_inbox = Table(
    "inbox",
    metadata,
    agency(),
    Column("event_id", Uuid, nullable=False),
    Column("reaction", Text, nullable=False),
    Column("aggregate_id", Uuid, nullable=False),
    Column("txid", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'waiting'")),
    Column("attempts", Integer, nullable=False, server_default=_ZERO),
    Column("due_at", AT, nullable=False),
    Column("not_before", AT),
    Column("claimed_until", AT),
    Column("done_at", AT),
    PrimaryKeyConstraint("agency_id", "event_id", "reaction"),
    CheckConstraint("state IN ('waiting', 'done', 'dead')", name="state_check"),
    Index(
        "inbox_chain_idx",
        "agency_id",
        "reaction",
        "aggregate_id",
        "txid",
        "seq",
        postgresql_where=_IS_WAITING,
    ),
    Index("inbox_due_idx", "agency_id", "due_at", postgresql_where=_IS_WAITING),
    Index("inbox_done_idx", "agency_id", "done_at", postgresql_where=text("state = 'done'")),
)
_letters = Table(
    "dead_letters",
    metadata,
    agency(),
    Column("letter_id", Uuid, nullable=False),
    Column("reaction", Text, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("error", Text, nullable=False),
    Column("died_at", AT, nullable=False),
    Column("retried_at", AT),
    PrimaryKeyConstraint("agency_id", "letter_id"),
)
_seals = Table(
    "audit_seals",
    metadata,
    agency(),
    Column("number", BigInteger, nullable=False),
    Column("txid", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("entries", Integer, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("digests", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("sealed_at", AT, nullable=False),
    PrimaryKeyConstraint("agency_id", "number"),
    CheckConstraint("entries > 0 AND total >= entries", name="entries_check"),
)
_schedules = Table(
    "schedules",
    metadata,
    agency(),
    Column("name", Text, nullable=False),
    Column("due_at", AT, nullable=False),
    Column("started_at", AT),
    Column("finished_at", AT),
    Column("failures", Integer, nullable=False, server_default=_ZERO),
    PrimaryKeyConstraint("agency_id", "name"),
)

WORKER_TABLES = (_due, _positions, _inbox, _letters, _seals, _schedules)
