"""The schema as SQLAlchemy knows it, equal to what the migrations make (a test compares the two).

Owns table and column names, those of prices in ``price_tables``, the worker's in ``worker_tables``. Leaves
row-level security and grants to ``tenancy``, and statements to the modules of the contexts. Every tenant
table begins its keys and foreign keys with ``agency_id``.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Time,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from pms_adapters.postgres.access_tables import ACCESS_TABLES
from pms_adapters.postgres.channel_tables import CHANNEL_TABLES
from pms_adapters.postgres.price_tables import PRICE_TABLES
from pms_adapters.postgres.table_parts import AT, agency, belongs_to, metadata
from pms_adapters.postgres.webhook_tables import WEBHOOK_TABLES
from pms_adapters.postgres.worker_tables import WORKER_TABLES

__all__ = [
    "ACCESS_TABLES",
    "CHANNEL_TABLES",
    "GLOBAL_TABLES",
    "PRICE_TABLES",
    "WEBHOOK_TABLES",
    "WORKER_TABLES",
    "metadata",
]

GLOBAL_TABLES = frozenset({"agencies", "alembic_version", "key_index", "sessions", "users", "work_due"})
"""The tables that belong to no agency; all others are under row-level security."""

_NO_JSON = text("'{}'::jsonb")
_NO_LIST = text("'[]'::jsonb")
_ZERO = text("0")
_EMPTY = text("''")
_LAST_FIFTY_BITS = (
    "(('x' || right(replace(booking_id::text, '-', ''), 13))::bit(52))::bigint & 1125899906842623"
)


Table(
    "agencies",
    metadata,
    Column("agency_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("slug", Text, nullable=False),
    PrimaryKeyConstraint("agency_id"),
    UniqueConstraint("slug"),
)
Table(
    "properties",
    metadata,
    agency(),
    Column("property_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("address", Text, nullable=False, server_default=_EMPTY),
    Column("business_date", Date, nullable=False),
    Column("check_in_at", Time, nullable=False),
    Column("check_out_at", Time, nullable=False),
    Column("version", Integer, nullable=False),
    PrimaryKeyConstraint("agency_id", "property_id"),
    belongs_to("agencies"),
)
Table(
    "unit_types",
    metadata,
    agency(),
    Column("unit_type_id", Uuid, nullable=False),
    Column("property_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("largest_party", Integer, nullable=False),
    Column("overbooking", Integer, nullable=False),
    Column("turnover_nights", Integer, nullable=False),
    PrimaryKeyConstraint("agency_id", "unit_type_id"),
    belongs_to("properties", "property_id"),
    Index(None, "agency_id", "property_id"),
)
Table(
    "unit_type_capacities",
    metadata,
    agency(),
    Column("unit_type_id", Uuid, nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("rooms", Integer, nullable=False),
    PrimaryKeyConstraint("agency_id", "unit_type_id", "valid_from"),
    belongs_to("unit_types", "unit_type_id"),
    CheckConstraint("rooms >= 0", name="rooms_check"),
)
Table(
    "units",
    metadata,
    agency(),
    Column("unit_id", Uuid, nullable=False),
    Column("unit_type_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    PrimaryKeyConstraint("agency_id", "unit_id"),
    belongs_to("unit_types", "unit_type_id"),
    UniqueConstraint("agency_id", "unit_type_id", "name"),
)
Table(
    "type_nights",
    metadata,
    agency(),
    Column("unit_type_id", Uuid, nullable=False),
    Column("night", Date, nullable=False),
    Column("capacity", Integer, nullable=False),
    Column("overbooking", Integer, nullable=False),
    Column("booked", Integer, nullable=False, server_default=_ZERO),
    Column("held", Integer, nullable=False, server_default=_ZERO),
    Column("blocked", Integer, nullable=False, server_default=_ZERO),
    Column("out_of_order", Integer, nullable=False, server_default=_ZERO),
    Column("buffer", Integer, nullable=False, server_default=_ZERO),
    Column("oversold", Integer, nullable=False, server_default=_ZERO),
    Column("allotted", Integer, nullable=False, server_default=_ZERO),
    PrimaryKeyConstraint("agency_id", "unit_type_id", "night"),
    belongs_to("unit_types", "unit_type_id"),
    CheckConstraint(
        "booked + held + blocked + out_of_order + buffer + allotted <= capacity + overbooking",
        name="within_capacity",
    ),
    CheckConstraint(
        "least(booked, held, blocked, out_of_order, buffer, oversold, allotted) >= 0", name="not_negative"
    ),
)
Table(
    "allotments",
    metadata,
    agency(),
    Column("allotment_id", Uuid, nullable=False),
    Column("property_id", Uuid, nullable=False),
    Column("unit_type_id", Uuid, nullable=False),
    Column("channel", Text, nullable=False),
    Column("first_night", Date, nullable=False),
    Column("end_date", Date, nullable=False),
    Column("guaranteed", Integer, nullable=False),
    Column("cap", Integer),
    Column("release_days", Integer),
    Column("release_on", Date),
    Column("sold", ARRAY(Integer), nullable=False),
    Column("released_until", Date),
    Column("version", Integer, nullable=False),
    PrimaryKeyConstraint("agency_id", "allotment_id"),
    belongs_to("properties", "property_id"),
    belongs_to("unit_types", "unit_type_id"),
    CheckConstraint(
        "end_date > first_night AND cardinality(sold) = end_date - first_night", name="nights_check"
    ),
    Index(None, "agency_id", "property_id", "channel"),
)
Table(
    "unit_nights",
    metadata,
    agency(),
    Column("unit_id", Uuid, nullable=False),
    Column("night", Date, nullable=False),
    Column("kind", Text, nullable=False),
    Column("source_id", Uuid, nullable=False),
    PrimaryKeyConstraint("agency_id", "unit_id", "night"),
    belongs_to("units", "unit_id"),
    CheckConstraint("kind IN ('booked', 'held', 'blocked', 'out_of_order', 'buffer')", name="kind_check"),
    Index(None, "agency_id", "night", "unit_id"),
)
Table(
    "holds",
    metadata,
    agency(),
    Column("hold_id", Uuid, nullable=False),
    Column("property_id", Uuid, nullable=False),
    Column("unit_type_id", Uuid, nullable=False),
    Column("unit_id", Uuid),
    Column("arrival", Date, nullable=False),
    Column("departure", Date, nullable=False),
    Column("turnover_nights", Integer, nullable=False),
    Column("expires_at", AT, nullable=False),
    Column("status", Text, nullable=False),
    Column("version", Integer, nullable=False),
    PrimaryKeyConstraint("agency_id", "hold_id"),
    belongs_to("unit_types", "unit_type_id"),
    belongs_to("properties", "property_id"),
    CheckConstraint("arrival < departure", name="stay_check"),
    Index(
        "holds_active_idx",
        "agency_id",
        "unit_type_id",
        "expires_at",
        postgresql_where=text("status = 'active'"),
    ),
)
Table(
    "blocks",
    metadata,
    agency(),
    Column("block_id", Uuid, nullable=False),
    Column("property_id", Uuid, nullable=False),
    Column("unit_id", Uuid, nullable=False),
    Column("unit_type_id", Uuid, nullable=False),
    Column("first_night", Date, nullable=False),
    Column("end_date", Date, nullable=False),
    Column("kind", Text, nullable=False),
    Column("note", Text, nullable=False, server_default=_EMPTY),
    Column("version", Integer, nullable=False),
    PrimaryKeyConstraint("agency_id", "block_id"),
    belongs_to("units", "unit_id"),
    belongs_to("properties", "property_id"),
    CheckConstraint("first_night < end_date", name="nights_check"),
)
Table(
    "guests",
    metadata,
    agency(),
    Column("guest_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False, server_default=_EMPTY),
    Column("phone", Text, nullable=False, server_default=_EMPTY),
    Column("country", Text, nullable=False, server_default=_EMPTY),
    Column("total_bookings", Integer, nullable=False, server_default=_ZERO),
    Column("total_spent", JSONB, nullable=False, server_default=_NO_JSON),
    Column("first_booking_at", AT),
    Column("last_booking_at", AT),
    Column("average_rating", Integer),
    Column("updated_at", AT),
    Column("deleted_at", AT),
    Column("version", Integer, nullable=False),
    PrimaryKeyConstraint("agency_id", "guest_id"),
    belongs_to("agencies"),
    CheckConstraint("total_bookings >= 0", name="total_bookings_check"),
)
Table(
    "bookings",
    metadata,
    agency(),
    Column("booking_id", Uuid, nullable=False),
    Column("property_id", Uuid, nullable=False),
    Column("guest_id", Uuid, nullable=False),
    Column("status", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("channel_reference", Text, nullable=False, server_default=_EMPTY),
    Column("segment", Text, nullable=False, server_default=_EMPTY),
    Column("requests", Text, nullable=False, server_default=_EMPTY),
    Column("notes", Text, nullable=False, server_default=_EMPTY),
    Column("terms", JSONB, nullable=False, server_default=_NO_JSON),
    Column("created_at", AT, nullable=False),
    Column("option_until", AT),
    Column("checked_in_on", Date),
    Column("checked_out_on", Date),
    Column("version", Integer, nullable=False),
    Column("quote_id", Uuid),
    Column("cancellation", JSONB),
    Column("reference_bits", BigInteger, Computed(_LAST_FIFTY_BITS, persisted=True)),
    PrimaryKeyConstraint("agency_id", "booking_id"),
    belongs_to("properties", "property_id"),
    belongs_to("guests", "guest_id"),
    belongs_to("quotes", "quote_id"),
    Index(None, "agency_id", "guest_id", "created_at"),
    Index(
        "bookings_option_idx",
        "agency_id",
        "property_id",
        "option_until",
        postgresql_where=text("status = 'pending'"),
    ),
    Index(
        "bookings_quote_idx",
        "agency_id",
        "quote_id",
        unique=True,
        postgresql_where=text("quote_id IS NOT NULL"),
    ),
    Index(
        "bookings_reference_idx",
        "agency_id",
        "reference_bits",
        postgresql_where=text("reference_bits IS NOT NULL"),
    ),
)
Table(
    "booking_rooms",
    metadata,
    agency(),
    Column("room_id", Uuid, nullable=False),
    Column("booking_id", Uuid, nullable=False),
    Column("position", SmallInteger, nullable=False),
    Column("unit_type_id", Uuid, nullable=False),
    Column("arrival", Date, nullable=False),
    Column("departure", Date, nullable=False),
    Column("adults", SmallInteger, nullable=False),
    Column("children", SmallInteger, nullable=False),
    Column("infants", SmallInteger, nullable=False),
    Column("nightly", ARRAY(BigInteger), nullable=False),
    Column("placements", JSONB, nullable=False, server_default=_NO_LIST),
    Column("turnover_nights", Integer, nullable=False),
    Column("is_locked", Boolean, nullable=False),
    Column("is_oversold", Boolean, nullable=False),
    PrimaryKeyConstraint("agency_id", "booking_id", "position"),
    belongs_to("bookings", "booking_id"),
    belongs_to("unit_types", "unit_type_id"),
    CheckConstraint("arrival < departure", name="stay_check"),
    CheckConstraint("cardinality(nightly) = departure - arrival", name="nightly_check"),
    Index(None, "agency_id", "arrival", "departure"),
)
Table(
    "stay_rules",
    metadata,
    agency(),
    Column("property_id", Uuid, nullable=False),
    Column("position", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("first_night", Date, nullable=False),
    Column("end_date", Date, nullable=False),
    Column("weekdays", SmallInteger, nullable=False),
    Column("value", JSONB),
    Column("unit_type_id", Uuid),
    Column("plan", Text),
    Column("channel", Text),
    PrimaryKeyConstraint("agency_id", "property_id", "position"),
    belongs_to("properties", "property_id"),
    CheckConstraint("first_night < end_date", name="nights_check"),
)
Table(
    "idempotency_keys",
    metadata,
    agency(),
    Column("actor_id", Uuid, nullable=False),
    Column("route", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("reply", JSONB, nullable=False),
    Column("created_at", AT, nullable=False),
    PrimaryKeyConstraint("agency_id", "actor_id", "route", "key"),
)
Table(
    "events",
    metadata,
    agency(),
    Column("txid", BigInteger, nullable=False, server_default=text("pg_current_xact_id()::text::bigint")),
    Column("seq", BigInteger, Identity(always=True), nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("aggregate", Text, nullable=False),
    Column("aggregate_id", Uuid, nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", AT, nullable=False),
    Column("actor_id", Uuid, nullable=False),
    Column("request_id", Uuid, nullable=False),
    Column("payload", JSONB, nullable=False),
    PrimaryKeyConstraint("agency_id", "txid", "seq"),
    Index(None, "agency_id", "aggregate_id", "version"),
    Index(
        "events_kind_idx",
        "agency_id",
        "kind",
        "txid",
        "seq",
        postgresql_ops={"kind": "text_pattern_ops"},
        postgresql_where=text("kind IS NOT NULL"),
    ),
)
