"""The tables of prices: every version of every book, kept quotes, how often promotions were used, exchange rates.

A part of the schema in ``tables``; the same rules hold for it.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from pms_adapters.postgres.table_parts import AT, agency, belongs_to, metadata

__all__ = ["PRICE_TABLES"]

_books = Table(
    "price_books",
    metadata,
    agency(),
    Column("property_id", Uuid, nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("made_at", AT, nullable=False),
    PrimaryKeyConstraint("agency_id", "property_id", "version"),
    belongs_to("properties", "property_id"),
    CheckConstraint("version >= 1", name="version_check"),
)
_uses = Table(
    "promotion_uses",
    metadata,
    agency(),
    Column("property_id", Uuid, nullable=False),
    Column("code", Text, nullable=False),
    Column("uses", Integer, nullable=False),
    PrimaryKeyConstraint("agency_id", "property_id", "code"),
    belongs_to("properties", "property_id"),
    CheckConstraint("uses >= 0", name="uses_check"),
)
_quotes = Table(
    "quotes",
    metadata,
    agency(),
    Column("quote_id", Uuid, nullable=False),
    Column("property_id", Uuid, nullable=False),
    Column("unit_type_id", Uuid, nullable=False),
    Column("book_version", Integer, nullable=False),
    Column("plan", Text, nullable=False),
    Column("arrival", Date, nullable=False),
    Column("departure", Date, nullable=False),
    Column("parties", JSONB, nullable=False),
    Column("channel", Text, nullable=False),
    Column("codes", ARRAY(Text), nullable=False),
    Column("extras", ARRAY(Text), nullable=False),
    Column("currency", Text, nullable=False),
    Column("night_amounts", ARRAY(BigInteger), nullable=False),
    Column("room", BigInteger, nullable=False),
    Column("fees", BigInteger, nullable=False),
    Column("net", BigInteger, nullable=False),
    Column("tax", BigInteger, nullable=False),
    Column("city_tax", BigInteger, nullable=False),
    Column("terms", JSONB),
    Column("versions", JSONB, nullable=False),
    Column("occupied", ARRAY(Integer)),
    Column("booked_on", Date, nullable=False),
    Column("made_at", AT, nullable=False),
    Column("expires_at", AT, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("hold_ids", ARRAY(Uuid), nullable=False),
    Column("booking_id", Uuid),
    Column("version", Integer, nullable=False),
    PrimaryKeyConstraint("agency_id", "quote_id"),
    ForeignKeyConstraint(
        ("agency_id", "property_id", "book_version"),
        ("price_books.agency_id", "price_books.property_id", "price_books.version"),
    ),
    belongs_to("unit_types", "unit_type_id"),
    CheckConstraint("arrival < departure", name="stay_check"),
    CheckConstraint(
        "cardinality(night_amounts) = (departure - arrival) * jsonb_array_length(parties)",
        name="night_amounts_check",
    ),
    CheckConstraint("(state = 'booked') = (booking_id IS NOT NULL)", name="state_check"),
    Index("quotes_expiry_idx", "agency_id", "expires_at", postgresql_where=text("booking_id IS NULL")),
)

_rates = Table(
    "exchange_rates",
    metadata,
    agency(),
    Column("base", Text, nullable=False),
    Column("shown", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("rate", Numeric(19, 10), nullable=False),
    Column("source", Text, nullable=False),
    PrimaryKeyConstraint("agency_id", "base", "shown", "day"),
    belongs_to("agencies"),
    CheckConstraint("base <> shown", name="currencies_check"),
    CheckConstraint("rate > 0", name="rate_check"),
)

PRICE_TABLES = (_books, _uses, _quotes, _rates)
