"""The tables of access. Three are global: accounts, sessions, and where the key with a hash is kept.

A part of the schema in ``tables``; the same rules hold for it.
"""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
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

__all__ = ["ACCESS_TABLES"]

_ROLES = "role IN ('admin', 'manager', 'staff', 'owner', 'accountant')"

_users = Table(
    "users",
    metadata,
    Column("user_id", Uuid, nullable=False),
    Column("email", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("password_hash", Text),
    Column("disabled_at", AT),
    Column("failed_tries", Integer, nullable=False, server_default=text("0")),
    Column("blocked_until", AT),
    Column("epoch", Integer, nullable=False, server_default=text("1")),
    Column("agency_ids", ARRAY(Uuid), nullable=False, server_default=text("'{}'::uuid[]")),
    Column("version", Integer, nullable=False),
    PrimaryKeyConstraint("user_id"),
    UniqueConstraint("email"),
    CheckConstraint("failed_tries >= 0", name="failed_tries_check"),
)
_sessions = Table(
    "sessions",
    metadata,
    Column("session_hash", Text, nullable=False),
    Column("user_id", Uuid, nullable=False),
    Column("agency_id", Uuid, nullable=False),
    Column("created_at", AT, nullable=False),
    Column("seen_at", AT, nullable=False),
    PrimaryKeyConstraint("session_hash"),
    Index(None, "user_id"),
    Index(None, "seen_at"),
)
_key_index = Table(
    "key_index",
    metadata,
    Column("key_hash", Text, nullable=False),
    Column("agency_id", Uuid, nullable=False),
    Column("key_id", Uuid, nullable=False),
    PrimaryKeyConstraint("key_hash"),
)
_memberships = Table(
    "memberships",
    metadata,
    agency(),
    Column("user_id", Uuid, nullable=False),
    Column("role", Text, nullable=False),
    Column("property_ids", ARRAY(Uuid)),
    Column("disabled_at", AT),
    Column("version", Integer, nullable=False),
    PrimaryKeyConstraint("agency_id", "user_id"),
    belongs_to("agencies"),
    CheckConstraint(_ROLES, name="role_check"),
)
_api_keys = Table(
    "api_keys",
    metadata,
    agency(),
    Column("key_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("property_ids", ARRAY(Uuid)),
    Column("key_hash", Text, nullable=False),
    Column("created_at", AT, nullable=False),
    Column("expires_at", AT),
    Column("revoked_at", AT),
    Column("used_on", Date),
    Column("version", Integer, nullable=False),
    PrimaryKeyConstraint("agency_id", "key_id"),
    belongs_to("agencies"),
    CheckConstraint(_ROLES, name="role_check"),
)
_links = Table(
    "one_time_links",
    metadata,
    agency(),
    Column("link_hash", Text, nullable=False),
    Column("user_id", Uuid, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("expires_at", AT, nullable=False),
    Column("used_at", AT),
    PrimaryKeyConstraint("agency_id", "link_hash"),
    belongs_to("agencies"),
    Index("one_time_links_user_idx", "agency_id", "user_id", postgresql_where=text("used_at IS NULL")),
)

ACCESS_TABLES = (_users, _sessions, _key_index, _memberships, _api_keys, _links)
