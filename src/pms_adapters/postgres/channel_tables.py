"""The tables of channels: a part of the schema in ``tables``; the same rules hold for it.

Three groups: what a connection is told to do (connections, mappings, lanes, dirt, cells, calls), what came in
(revisions, links, knocks), and what people look at (logs, batches, issues).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from pms_adapters.postgres.table_parts import AT, agency, belongs_to, metadata

__all__ = ["CHANNEL_TABLES"]

_EMPTY = text("''")
_ZERO = text("0")
_NO_JSON = text("'{}'::jsonb")


def _id(name: str) -> Column[object]:
    return Column(name, Uuid, nullable=False)


def _said(name: str) -> Column[str]:
    """Return a column of text that is empty where nothing is said."""
    return Column(name, Text, nullable=False, server_default=_EMPTY)


def _details(name: str) -> Column[object]:
    return Column(name, JSONB, nullable=False, server_default=_NO_JSON)


_connections = Table(
    "channel_connections",
    metadata,
    agency(),
    _id("connection_id"),
    Column("property_id", Uuid),
    Column("platform_type", Text, nullable=False),
    Column("gateway", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("status", Text, nullable=False),
    _said("listing_id"),
    _details("settings"),
    Column("sealed", Text),
    Column("sealed_token", Text),
    Column("token_until", AT),
    _said("knock_digest"),
    _said("calendar_digest"),
    Column("created_at", AT, nullable=False),
    Column("updated_at", AT, nullable=False),
    Column("last_sync_at", AT),
    Column("last_attempt_at", AT),
    Column("deleted_at", AT),
    Column("version", Integer, nullable=False),
    PrimaryKeyConstraint("agency_id", "connection_id"),
    belongs_to("agencies"),
    belongs_to("properties", "property_id"),
    CheckConstraint("status IN ('active', 'paused', 'inactive', 'disabled', 'error')", name="status_check"),
    Index(
        "channel_connections_live_idx",
        "agency_id",
        "property_id",
        "platform_type",
        unique=True,
        postgresql_where=text("deleted_at IS NULL"),
    ),
    Index(
        "channel_connections_knock_idx",
        "agency_id",
        "knock_digest",
        postgresql_where=text("knock_digest <> ''"),
    ),
    Index(
        "channel_connections_calendar_idx",
        "agency_id",
        "calendar_digest",
        postgresql_where=text("calendar_digest <> ''"),
    ),
)
_mappings = Table(
    "channel_mappings",
    metadata,
    agency(),
    _id("mapping_id"),
    _id("connection_id"),
    Column("kind", Text, nullable=False),
    _id("unit_type_id"),
    Column("unit_id", Uuid),
    _said("plan"),
    Column("room_code", Text, nullable=False),
    _said("rate_code"),
    Column("occupancies", ARRAY(Integer), nullable=False),
    PrimaryKeyConstraint("agency_id", "mapping_id"),
    belongs_to("channel_connections", "connection_id"),
    belongs_to("unit_types", "unit_type_id"),
    belongs_to("units", "unit_id"),
    CheckConstraint("kind IN ('room', 'rate')", name="kind_check"),
    Index(None, "agency_id", "connection_id"),
)
_lanes = Table(
    "channel_lanes",
    metadata,
    agency(),
    _id("lane_id"),
    _id("connection_id"),
    Column("lane", Text, nullable=False),
    Column("next_at", AT),
    Column("woken_at", AT),
    Column("attempts", Integer, nullable=False, server_default=_ZERO),
    Column("failures", Integer, nullable=False, server_default=_ZERO),
    Column("closed_until", AT),
    Column("asked_until", AT),
    Column("lease_token", BigInteger, nullable=False, server_default=_ZERO),
    Column("leased_until", AT),
    _said("cursor"),
    Column("rolled_on", Date),
    PrimaryKeyConstraint("agency_id", "lane_id"),
    belongs_to("channel_connections", "connection_id"),
    CheckConstraint("lane IN ('availability', 'pricing', 'bookings')", name="lane_check"),
    UniqueConstraint("agency_id", "connection_id", "lane"),
    Index(None, "agency_id", "next_at"),
)
_dirty = Table(
    "channel_dirty",
    metadata,
    agency(),
    _id("dirty_id"),
    _id("connection_id"),
    Column("lane", Text, nullable=False),
    Column("first_night", Date),
    Column("end_date", Date),
    Column("unit_type_ids", ARRAY(Uuid)),
    Column("forgets", Boolean, nullable=False),
    Column("added_at", AT, nullable=False, server_default=func.now()),
    PrimaryKeyConstraint("agency_id", "dirty_id"),
    belongs_to("channel_connections", "connection_id"),
    CheckConstraint(
        "(first_night IS NULL) = (end_date IS NULL) AND first_night < end_date", name="nights_check"
    ),
    Index(None, "agency_id", "connection_id", "lane"),
)
_cells = Table(
    "channel_cells",
    metadata,
    agency(),
    _id("connection_id"),
    _id("mapping_id"),
    Column("field", Text, nullable=False),
    Column("occupancy", Integer, nullable=False),
    Column("month", Date, nullable=False),
    Column("cells", ARRAY(BigInteger), nullable=False),
    PrimaryKeyConstraint("agency_id", "connection_id", "mapping_id", "field", "occupancy", "month"),
    belongs_to("channel_connections", "connection_id"),
    CheckConstraint("extract(day from month) = 1 AND cardinality(cells) = 31", name="month_check"),
)
_keys = Table(
    "channel_keys",
    metadata,
    agency(),
    Column("key", Text, nullable=False),
    Column("closed_until", AT),
    PrimaryKeyConstraint("agency_id", "key"),
    belongs_to("agencies"),
)
_calls = Table(
    "channel_calls",
    metadata,
    agency(),
    _id("call_id"),
    Column("key", Text, nullable=False),
    Column("started_at", AT, nullable=False),
    Column("ended_at", AT),
    Column("longest_seconds", Integer, nullable=False),
    PrimaryKeyConstraint("agency_id", "call_id", "key"),
    belongs_to("channel_keys", "key"),
    Index(None, "agency_id", "key", "started_at"),
)
_revisions = Table(
    "channel_revisions",
    metadata,
    agency(),
    _id("connection_id"),
    Column("revision_id", Text, nullable=False),
    _said("booking_key"),
    _said("status"),
    Column("revised_at", AT),
    Column("over_at", AT, nullable=False),
    Column("is_personal", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    _said("reason"),
    Column("payload", JSONB, nullable=False),
    Column("raw", Text),
    Column("received_at", AT, nullable=False),
    Column("applied_at", AT),
    Column("acknowledged_at", AT),
    Column("booking_id", Uuid),
    PrimaryKeyConstraint("agency_id", "connection_id", "revision_id"),
    belongs_to("channel_connections", "connection_id"),
    CheckConstraint(
        "state IN ('received', 'applied', 'superseded', 'quarantined', 'conflict')", name="state_check"
    ),
    Index(None, "agency_id", "connection_id", "state", "received_at"),
)
_links = Table(
    "channel_links",
    metadata,
    agency(),
    _id("connection_id"),
    Column("booking_key", Text, nullable=False),
    Column("booking_id", Uuid),
    Column("block_ids", ARRAY(Uuid), nullable=False),
    Column("revision_id", Text, nullable=False),
    Column("revised_at", AT, nullable=False),
    Column("is_cancelled", Boolean, nullable=False),
    Column("first_night", Date),
    Column("end_date", Date),
    Column("missing_since", AT),
    Column("version", Integer, nullable=False),
    PrimaryKeyConstraint("agency_id", "connection_id", "booking_key"),
    belongs_to("channel_connections", "connection_id"),
    CheckConstraint(
        "(first_night IS NULL) = (end_date IS NULL) AND first_night < end_date", name="nights_check"
    ),
)
_knocks = Table(
    "channel_knocks",
    metadata,
    agency(),
    _id("connection_id"),
    Column("digest", Text, nullable=False),
    Column("received_at", AT, nullable=False),
    Column("headers", JSONB, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("done_at", AT),
    PrimaryKeyConstraint("agency_id", "connection_id", "digest"),
    belongs_to("channel_connections", "connection_id"),
    Index(
        "channel_knocks_waiting_idx",
        "agency_id",
        "connection_id",
        "received_at",
        postgresql_where=text("done_at IS NULL"),
    ),
)
_logs = Table(
    "channel_sync_logs",
    metadata,
    agency(),
    _id("log_id"),
    _id("connection_id"),
    _id("lane_id"),
    Column("operation_type", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("status", Text, nullable=False),
    _details("details"),
    Column("error", Text),
    Column("task_id", Text, nullable=False),
    Column("batch_id", Uuid),
    Column("created_at", AT, nullable=False),
    Column("updated_at", AT),
    PrimaryKeyConstraint("agency_id", "log_id"),
    belongs_to("channel_connections", "connection_id"),
    CheckConstraint(
        "operation_type IN ('full_sync', 'availability_update', 'pricing_update', 'calendar_sync', 'listing_update')"
        " OR operation_type LIKE 'booking%'",
        name="operation_type_check",
    ),
    CheckConstraint("direction IN ('outbound', 'inbound')", name="direction_check"),
    CheckConstraint(
        "status IN ('triggered', 'queued', 'running', 'success', 'failed', 'cancelled')", name="status_check"
    ),
    Index(None, "agency_id", "connection_id", "created_at"),
    Index(None, "agency_id", "created_at"),
    Index(None, "agency_id", "status", "created_at"),
    Index(None, "agency_id", "task_id"),
    Index(None, "agency_id", "batch_id"),
)
_batches = Table(
    "channel_sync_batches",
    metadata,
    agency(),
    _id("batch_id"),
    _id("connection_id"),
    Column("expected", Integer, nullable=False),
    PrimaryKeyConstraint("agency_id", "batch_id"),
    belongs_to("channel_connections", "connection_id"),
    Index(None, "agency_id", "connection_id"),
)
_issues = Table(
    "channel_issues",
    metadata,
    agency(),
    _id("issue_id"),
    _id("connection_id"),
    Column("property_id", Uuid),
    Column("kind", Text, nullable=False),
    Column("booking_id", Uuid),
    _said("revision_id"),
    Column("about", Text, nullable=False),
    _details("details"),
    Column("opened_at", AT, nullable=False),
    Column("closed_at", AT),
    PrimaryKeyConstraint("agency_id", "issue_id"),
    belongs_to("channel_connections", "connection_id"),
    Index(None, "agency_id", "connection_id", "opened_at"),
    Index(
        "channel_issues_open_idx",
        "agency_id",
        "connection_id",
        "kind",
        "about",
        unique=True,
        postgresql_where=text("closed_at IS NULL"),
    ),
)

CHANNEL_TABLES = (
    _connections, _mappings, _lanes, _dirty, _cells, _keys, _calls, _revisions, _links, _knocks, _logs, _batches,
    _issues,
)  # fmt: skip
