"""The tables of modules and webhooks: a part of the schema in ``tables``; the same rules hold for it."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from pms_adapters.postgres.table_parts import AT, agency, belongs_to, metadata

__all__ = ["WEBHOOK_TABLES"]

_EMPTY = text("''")


def _part_of(table: str, column: str) -> ForeignKeyConstraint:
    """Return the foreign key to a row that takes this one along when it goes."""
    keys = ("agency_id", column)
    return ForeignKeyConstraint(keys, tuple(f"{table}.{key}" for key in keys), ondelete="CASCADE")


_features = Table(
    "agency_features",
    metadata,
    agency(),
    Column("module", Text, nullable=False),
    Column("is_enabled", Boolean, nullable=False),
    Column("changed_at", AT, nullable=False),
    Column("version", Integer, nullable=False),
    PrimaryKeyConstraint("agency_id", "module"),
    belongs_to("agencies"),
)
_endpoints = Table(
    "webhook_endpoints",
    metadata,
    agency(),
    Column("endpoint_id", Uuid, nullable=False),
    Column("url", Text, nullable=False),
    Column("description", Text, nullable=False, server_default=_EMPTY),
    Column("kinds", ARRAY(Text), nullable=False),
    Column("is_full", Boolean, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text),
    Column("created_at", AT, nullable=False),
    Column("delivered_at", AT),
    Column("version", Integer, nullable=False),
    PrimaryKeyConstraint("agency_id", "endpoint_id"),
    belongs_to("agencies"),
    CheckConstraint("status IN ('active', 'paused', 'disabled')", name="status_check"),
)
_secrets = Table(
    "webhook_secrets",
    metadata,
    agency(),
    Column("endpoint_id", Uuid, nullable=False),
    Column("secret_id", Uuid, nullable=False),
    Column("sealed", Text, nullable=False),
    Column("created_at", AT, nullable=False),
    Column("retires_at", AT),
    PrimaryKeyConstraint("agency_id", "endpoint_id", "secret_id"),
    _part_of("webhook_endpoints", "endpoint_id"),
)
_deliveries = Table(
    "webhook_deliveries",
    metadata,
    agency(),
    Column("delivery_id", Uuid, nullable=False),
    Column("endpoint_id", Uuid, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", AT, nullable=False),
    Column("next_at", AT),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("counted_from", Integer, nullable=False),
    Column("ended_at", AT),
    Column("lease", Uuid),
    Column("leased_until", AT),
    PrimaryKeyConstraint("agency_id", "delivery_id"),
    UniqueConstraint("agency_id", "endpoint_id", "event_id"),
    _part_of("webhook_endpoints", "endpoint_id"),
    CheckConstraint("status IN ('pending', 'delivered', 'dead')", name="status_check"),
    CheckConstraint("(status = 'pending') = (next_at IS NOT NULL)", name="next_check"),
    Index("webhook_deliveries_due_idx", "agency_id", "next_at", postgresql_where=text("status = 'pending'")),
    Index("webhook_deliveries_log_idx", "agency_id", "endpoint_id", "created_at"),
    Index(
        "webhook_deliveries_old_idx", "agency_id", "ended_at", postgresql_where=text("status <> 'pending'")
    ),
)
_attempts = Table(
    "webhook_attempts",
    metadata,
    agency(),
    Column("delivery_id", Uuid, nullable=False),
    Column("number", Integer, nullable=False),
    Column("at", AT, nullable=False),
    Column("status", Integer),
    Column("error", Text),
    Column("duration_ms", Integer, nullable=False),
    Column("answer", Text, nullable=False, server_default=_EMPTY),
    PrimaryKeyConstraint("agency_id", "delivery_id", "number"),
    _part_of("webhook_deliveries", "delivery_id"),
)

WEBHOOK_TABLES = (_features, _endpoints, _secrets, _deliveries, _attempts)
