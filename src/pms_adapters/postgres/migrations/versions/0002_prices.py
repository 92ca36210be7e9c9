"""Price books with all their versions, kept quotes, how often promotions were used, and which quote was booked."""

from __future__ import annotations

from pms_adapters.postgres.migrations.schema import Schema

revision = "0002_prices"
down_revision = "0001_foundation"


def upgrade(schema: Schema) -> None:
    """Make room for prices."""
    # A book is never changed, only followed by another: quotes point to the version that they were made from.
    schema.tenant_table(
        "price_books",
        """
        property_id uuid NOT NULL
        version integer NOT NULL
        body jsonb NOT NULL
        made_at timestamptz NOT NULL
        PRIMARY KEY (agency_id, property_id, version)
        CONSTRAINT price_books_properties_fkey FOREIGN KEY (agency_id, property_id) REFERENCES properties (agency_id, property_id)
        CONSTRAINT price_books_version_check CHECK (version >= 1)
        """,
        grants=("SELECT", "INSERT"),
    )
    schema.tenant_table(
        "promotion_uses",
        """
        property_id uuid NOT NULL
        code text NOT NULL
        uses integer NOT NULL
        PRIMARY KEY (agency_id, property_id, code)
        CONSTRAINT promotion_uses_properties_fkey FOREIGN KEY (agency_id, property_id) REFERENCES properties (agency_id, property_id)
        CONSTRAINT promotion_uses_uses_check CHECK (uses >= 0)
        """,
        grants=("SELECT", "INSERT", "UPDATE"),
    )
    _make_quotes(schema)
    schema.column("bookings", "quote_id uuid")
    schema.run(
        "ALTER TABLE bookings ADD CONSTRAINT bookings_quotes_fkey"
        " FOREIGN KEY (agency_id, quote_id) REFERENCES quotes (agency_id, quote_id)"
    )
    # A quote is booked once; the purge of quotes looks here for each that it deletes.
    schema.run(
        "CREATE UNIQUE INDEX bookings_quote_idx ON bookings (agency_id, quote_id) WHERE quote_id IS NOT NULL"
    )


def _make_quotes(schema: Schema) -> None:
    schema.tenant_table(
        "quotes",
        """
        quote_id uuid NOT NULL
        property_id uuid NOT NULL
        unit_type_id uuid NOT NULL
        book_version integer NOT NULL
        plan text NOT NULL
        arrival date NOT NULL
        departure date NOT NULL
        parties jsonb NOT NULL
        channel text NOT NULL
        codes text[] NOT NULL
        extras text[] NOT NULL
        currency text NOT NULL
        night_amounts bigint[] NOT NULL
        room bigint NOT NULL
        fees bigint NOT NULL
        net bigint NOT NULL
        tax bigint NOT NULL
        city_tax bigint NOT NULL
        terms jsonb
        versions jsonb NOT NULL
        occupied integer[]
        booked_on date NOT NULL
        made_at timestamptz NOT NULL
        expires_at timestamptz NOT NULL
        fingerprint text NOT NULL
        state text NOT NULL
        hold_ids uuid[] NOT NULL
        booking_id uuid
        version integer NOT NULL
        CONSTRAINT quotes_price_books_fkey FOREIGN KEY (agency_id, property_id, book_version) REFERENCES price_books (agency_id, property_id, version)
        CONSTRAINT quotes_unit_types_fkey FOREIGN KEY (agency_id, unit_type_id) REFERENCES unit_types (agency_id, unit_type_id)
        CONSTRAINT quotes_stay_check CHECK (arrival < departure)
        CONSTRAINT quotes_night_amounts_check CHECK (cardinality(night_amounts) = (departure - arrival) * jsonb_array_length(parties))
        CONSTRAINT quotes_state_check CHECK ((state = 'booked') = (booking_id IS NOT NULL))
        """,
    )
    schema.index("quotes_expiry_idx", "quotes", "agency_id, expires_at", where="booking_id IS NULL")
    schema.primary_key("quotes", "agency_id, quote_id")
