"""Agencies, houses, stock in its two layers, bookings, guests, stay rules, idempotency keys and events."""

from __future__ import annotations

from pms_adapters.postgres.migrations.schema import Schema

revision = "0001_foundation"
down_revision = None


def upgrade(schema: Schema) -> None:
    """Make everything; a new database starts here."""
    schema.run("GRANT SELECT ON alembic_version TO pms_app, pms_backup")
    _make_houses(schema)
    _make_units(schema)
    _make_stock(schema)
    _make_claims(schema)
    _make_bookings(schema)
    _make_booking_rooms(schema)
    _make_rules_and_records(schema)


def _make_houses(schema: Schema) -> None:
    schema.tenant_table(
        "agencies",
        """
        name text NOT NULL
        slug text NOT NULL
        PRIMARY KEY (agency_id)
        UNIQUE (slug)
        """,
        grants=("SELECT", "INSERT", "UPDATE"),
    )
    schema.tenant_table(
        "properties",
        """
        property_id uuid NOT NULL
        name text NOT NULL
        zone text NOT NULL
        currency text NOT NULL
        address text DEFAULT '' NOT NULL
        business_date date NOT NULL
        check_in_at time NOT NULL
        check_out_at time NOT NULL
        version integer NOT NULL
        PRIMARY KEY (agency_id, property_id)
        CONSTRAINT properties_agencies_fkey FOREIGN KEY (agency_id) REFERENCES agencies (agency_id)
        """,
    )


def _make_units(schema: Schema) -> None:
    schema.tenant_table(
        "unit_types",
        """
        unit_type_id uuid NOT NULL
        property_id uuid NOT NULL
        name text NOT NULL
        largest_party integer NOT NULL
        overbooking integer NOT NULL
        turnover_nights integer NOT NULL
        CONSTRAINT unit_types_properties_fkey FOREIGN KEY (agency_id, property_id) REFERENCES properties (agency_id, property_id)
        """,
    )
    schema.index("unit_types_agency_id_property_id_idx", "unit_types", "agency_id, property_id")
    schema.primary_key("unit_types", "agency_id, unit_type_id")
    schema.tenant_table(
        "unit_type_capacities",
        """
        unit_type_id uuid NOT NULL
        valid_from date NOT NULL
        rooms integer NOT NULL
        PRIMARY KEY (agency_id, unit_type_id, valid_from)
        CONSTRAINT unit_type_capacities_unit_types_fkey FOREIGN KEY (agency_id, unit_type_id) REFERENCES unit_types (agency_id, unit_type_id)
        CONSTRAINT unit_type_capacities_rooms_check CHECK (rooms >= 0)
        """,
    )
    schema.tenant_table(
        "units",
        """
        unit_id uuid NOT NULL
        unit_type_id uuid NOT NULL
        name text NOT NULL
        CONSTRAINT units_unit_types_fkey FOREIGN KEY (agency_id, unit_type_id) REFERENCES unit_types (agency_id, unit_type_id)
        UNIQUE (agency_id, unit_type_id, name)
        """,
    )
    schema.primary_key("units", "agency_id, unit_id")


def _make_stock(schema: Schema) -> None:
    # A counter changes once a booking: room on the page keeps the new version beside the old one (HOT),
    # without a new index entry.
    schema.tenant_table(
        "type_nights",
        """
        unit_type_id uuid NOT NULL
        night date NOT NULL
        capacity integer NOT NULL
        overbooking integer NOT NULL
        booked integer DEFAULT 0 NOT NULL
        held integer DEFAULT 0 NOT NULL
        blocked integer DEFAULT 0 NOT NULL
        out_of_order integer DEFAULT 0 NOT NULL
        buffer integer DEFAULT 0 NOT NULL
        oversold integer DEFAULT 0 NOT NULL
        PRIMARY KEY (agency_id, unit_type_id, night)
        CONSTRAINT type_nights_unit_types_fkey FOREIGN KEY (agency_id, unit_type_id) REFERENCES unit_types (agency_id, unit_type_id)
        CONSTRAINT type_nights_within_capacity CHECK (booked + held + blocked + out_of_order + buffer <= capacity + overbooking)
        CONSTRAINT type_nights_not_negative CHECK (least(booked, held, blocked, out_of_order, buffer, oversold) >= 0)
        """,
        storage="fillfactor = 70",
    )
    schema.tenant_table(
        "unit_nights",
        """
        unit_id uuid NOT NULL
        night date NOT NULL
        kind text NOT NULL
        source_id uuid NOT NULL
        PRIMARY KEY (agency_id, unit_id, night)
        CONSTRAINT unit_nights_units_fkey FOREIGN KEY (agency_id, unit_id) REFERENCES units (agency_id, unit_id)
        CONSTRAINT unit_nights_kind_check CHECK (kind IN ('booked', 'held', 'blocked', 'out_of_order', 'buffer'))
        """,
    )
    schema.index("unit_nights_agency_id_night_unit_id_idx", "unit_nights", "agency_id, night, unit_id")


def _make_claims(schema: Schema) -> None:
    schema.tenant_table(
        "holds",
        """
        hold_id uuid NOT NULL
        property_id uuid NOT NULL
        unit_type_id uuid NOT NULL
        unit_id uuid
        arrival date NOT NULL
        departure date NOT NULL
        turnover_nights integer NOT NULL
        expires_at timestamptz NOT NULL
        status text NOT NULL
        version integer NOT NULL
        PRIMARY KEY (agency_id, hold_id)
        CONSTRAINT holds_unit_types_fkey FOREIGN KEY (agency_id, unit_type_id) REFERENCES unit_types (agency_id, unit_type_id)
        CONSTRAINT holds_properties_fkey FOREIGN KEY (agency_id, property_id) REFERENCES properties (agency_id, property_id)
        CONSTRAINT holds_stay_check CHECK (arrival < departure)
        """,
    )
    schema.index(
        "holds_active_idx", "holds", "agency_id, unit_type_id, expires_at", where="status = 'active'"
    )
    schema.tenant_table(
        "blocks",
        """
        block_id uuid NOT NULL
        property_id uuid NOT NULL
        unit_id uuid NOT NULL
        unit_type_id uuid NOT NULL
        first_night date NOT NULL
        end_date date NOT NULL
        kind text NOT NULL
        note text DEFAULT '' NOT NULL
        version integer NOT NULL
        PRIMARY KEY (agency_id, block_id)
        CONSTRAINT blocks_units_fkey FOREIGN KEY (agency_id, unit_id) REFERENCES units (agency_id, unit_id)
        CONSTRAINT blocks_properties_fkey FOREIGN KEY (agency_id, property_id) REFERENCES properties (agency_id, property_id)
        CONSTRAINT blocks_nights_check CHECK (first_night < end_date)
        """,
    )


def _make_bookings(schema: Schema) -> None:
    schema.tenant_table(
        "guests",
        """
        guest_id uuid NOT NULL
        name text NOT NULL
        email text DEFAULT '' NOT NULL
        phone text DEFAULT '' NOT NULL
        country text DEFAULT '' NOT NULL
        total_bookings integer DEFAULT 0 NOT NULL
        total_spent jsonb DEFAULT '{}'::jsonb NOT NULL
        first_booking_at timestamptz
        last_booking_at timestamptz
        average_rating integer
        updated_at timestamptz
        deleted_at timestamptz
        version integer NOT NULL
        PRIMARY KEY (agency_id, guest_id)
        CONSTRAINT guests_agencies_fkey FOREIGN KEY (agency_id) REFERENCES agencies (agency_id)
        CONSTRAINT guests_total_bookings_check CHECK (total_bookings >= 0)
        """,
    )
    schema.tenant_table(
        "bookings",
        """
        booking_id uuid NOT NULL
        property_id uuid NOT NULL
        guest_id uuid NOT NULL
        status text NOT NULL
        currency text NOT NULL
        channel text NOT NULL
        channel_reference text DEFAULT '' NOT NULL
        segment text DEFAULT '' NOT NULL
        requests text DEFAULT '' NOT NULL
        notes text DEFAULT '' NOT NULL
        terms jsonb DEFAULT '{}'::jsonb NOT NULL
        created_at timestamptz NOT NULL
        option_until timestamptz
        checked_in_on date
        checked_out_on date
        version integer NOT NULL
        CONSTRAINT bookings_properties_fkey FOREIGN KEY (agency_id, property_id) REFERENCES properties (agency_id, property_id)
        CONSTRAINT bookings_guests_fkey FOREIGN KEY (agency_id, guest_id) REFERENCES guests (agency_id, guest_id)
        """,
    )
    schema.index("bookings_agency_id_guest_id_created_at_idx", "bookings", "agency_id, guest_id, created_at")
    schema.index(
        "bookings_option_idx", "bookings", "agency_id, property_id, option_until", where="status = 'pending'"
    )
    schema.primary_key("bookings", "agency_id, booking_id")


def _make_booking_rooms(schema: Schema) -> None:
    schema.tenant_table(
        "booking_rooms",
        """
        room_id uuid NOT NULL
        booking_id uuid NOT NULL
        position smallint NOT NULL
        unit_type_id uuid NOT NULL
        arrival date NOT NULL
        departure date NOT NULL
        adults smallint NOT NULL
        children smallint NOT NULL
        infants smallint NOT NULL
        nightly bigint[] NOT NULL
        placements jsonb DEFAULT '[]'::jsonb NOT NULL
        turnover_nights integer NOT NULL
        is_locked boolean NOT NULL
        is_oversold boolean NOT NULL
        CONSTRAINT booking_rooms_bookings_fkey FOREIGN KEY (agency_id, booking_id) REFERENCES bookings (agency_id, booking_id)
        CONSTRAINT booking_rooms_unit_types_fkey FOREIGN KEY (agency_id, unit_type_id) REFERENCES unit_types (agency_id, unit_type_id)
        CONSTRAINT booking_rooms_stay_check CHECK (arrival < departure)
        CONSTRAINT booking_rooms_nightly_check CHECK (cardinality(nightly) = departure - arrival)
        """,
    )
    schema.index(
        "booking_rooms_agency_id_arrival_departure_idx", "booking_rooms", "agency_id, arrival, departure"
    )
    schema.primary_key("booking_rooms", "agency_id, booking_id, position")


def _make_rules_and_records(schema: Schema) -> None:
    schema.tenant_table(
        "stay_rules",
        """
        property_id uuid NOT NULL
        position integer NOT NULL
        kind text NOT NULL
        first_night date NOT NULL
        end_date date NOT NULL
        weekdays smallint NOT NULL
        value jsonb
        unit_type_id uuid
        plan text
        channel text
        PRIMARY KEY (agency_id, property_id, position)
        CONSTRAINT stay_rules_properties_fkey FOREIGN KEY (agency_id, property_id) REFERENCES properties (agency_id, property_id)
        CONSTRAINT stay_rules_nights_check CHECK (first_night < end_date)
        """,
    )
    schema.tenant_table(
        "idempotency_keys",
        """
        actor_id uuid NOT NULL
        route text NOT NULL
        key text NOT NULL
        fingerprint text NOT NULL
        reply jsonb NOT NULL
        created_at timestamptz NOT NULL
        PRIMARY KEY (agency_id, actor_id, route, key)
        """,
    )
    # History is only ever added to, so nobody may change it through the application.
    schema.tenant_table(
        "events",
        """
        txid bigint DEFAULT pg_current_xact_id()::text::bigint NOT NULL
        seq bigint GENERATED ALWAYS AS IDENTITY NOT NULL
        event_id uuid NOT NULL
        kind text NOT NULL
        aggregate text NOT NULL
        aggregate_id uuid NOT NULL
        version integer NOT NULL
        at timestamptz NOT NULL
        actor_id uuid NOT NULL
        request_id uuid NOT NULL
        payload jsonb NOT NULL
        PRIMARY KEY (agency_id, txid, seq)
        """,
        grants=("SELECT", "INSERT"),
    )
    schema.index("events_agency_id_aggregate_id_version_idx", "events", "agency_id, aggregate_id, version")
