"""Channels: connections with lanes, what platforms were told and sold, and the log that people read."""

from __future__ import annotations

from pms_adapters.postgres.migrations.schema import Schema

revision = "0011_channels"
down_revision = "0010_search_indexes"


def upgrade(schema: Schema) -> None:
    """Make the tables of channels."""
    _make_connections(schema)
    _make_mappings(schema)
    _make_lanes(schema)
    _make_cells(schema)
    _make_calls(schema)
    _make_revisions(schema)
    _make_knocks(schema)
    _make_logs(schema)
    _make_issues(schema)


def _of_connection(table: str) -> str:
    """Return the line of the foreign key to the connection that a row belongs to."""
    return (
        f"CONSTRAINT {table}_channel_connections_fkey FOREIGN KEY (agency_id, connection_id)"
        " REFERENCES channel_connections (agency_id, connection_id)"
    )


def _make_connections(schema: Schema) -> None:
    schema.tenant_table(
        "channel_connections",
        """
        connection_id uuid NOT NULL
        property_id uuid
        platform_type text NOT NULL
        gateway text NOT NULL
        channel text NOT NULL
        status text NOT NULL
        listing_id text DEFAULT '' NOT NULL
        settings jsonb DEFAULT '{}'::jsonb NOT NULL
        sealed text
        sealed_token text
        token_until timestamptz
        knock_digest text DEFAULT '' NOT NULL
        calendar_digest text DEFAULT '' NOT NULL
        created_at timestamptz NOT NULL
        updated_at timestamptz NOT NULL
        last_sync_at timestamptz
        last_attempt_at timestamptz
        deleted_at timestamptz
        version integer NOT NULL
        CONSTRAINT channel_connections_agencies_fkey FOREIGN KEY (agency_id) REFERENCES agencies (agency_id)
        CONSTRAINT channel_connections_properties_fkey FOREIGN KEY (agency_id, property_id) REFERENCES properties (agency_id, property_id)
        CONSTRAINT channel_connections_status_check CHECK (status IN ('active', 'paused', 'inactive', 'disabled', 'error'))
        """,
    )
    # One at a time: a deleted one may be revived, or another take its place.
    schema.run(
        "CREATE UNIQUE INDEX channel_connections_live_idx ON channel_connections"
        " (agency_id, property_id, platform_type) WHERE deleted_at IS NULL"
    )
    for token in ("knock", "calendar"):
        schema.index(
            f"channel_connections_{token}_idx",
            "channel_connections",
            f"agency_id, {token}_digest",
            where=f"{token}_digest <> ''",
        )
    schema.primary_key("channel_connections", "agency_id, connection_id")


def _make_mappings(schema: Schema) -> None:
    schema.tenant_table(
        "channel_mappings",
        f"""
        mapping_id uuid NOT NULL
        connection_id uuid NOT NULL
        kind text NOT NULL
        unit_type_id uuid NOT NULL
        unit_id uuid
        plan text DEFAULT '' NOT NULL
        room_code text NOT NULL
        rate_code text DEFAULT '' NOT NULL
        occupancies integer[] NOT NULL
        {_of_connection("channel_mappings")}
        CONSTRAINT channel_mappings_unit_types_fkey FOREIGN KEY (agency_id, unit_type_id) REFERENCES unit_types (agency_id, unit_type_id)
        CONSTRAINT channel_mappings_units_fkey FOREIGN KEY (agency_id, unit_id) REFERENCES units (agency_id, unit_id)
        CONSTRAINT channel_mappings_kind_check CHECK (kind IN ('room', 'rate'))
        """,
    )
    schema.index(
        "channel_mappings_agency_id_connection_id_idx", "channel_mappings", "agency_id, connection_id"
    )
    schema.primary_key("channel_mappings", "agency_id, mapping_id")


def _make_lanes(schema: Schema) -> None:
    schema.tenant_table(
        "channel_lanes",
        f"""
        lane_id uuid NOT NULL
        connection_id uuid NOT NULL
        lane text NOT NULL
        next_at timestamptz
        woken_at timestamptz
        attempts integer DEFAULT 0 NOT NULL
        failures integer DEFAULT 0 NOT NULL
        closed_until timestamptz
        asked_until timestamptz
        lease_token bigint DEFAULT 0 NOT NULL
        leased_until timestamptz
        cursor text DEFAULT '' NOT NULL
        rolled_on date
        UNIQUE (agency_id, connection_id, lane)
        {_of_connection("channel_lanes")}
        CONSTRAINT channel_lanes_lane_check CHECK (lane IN ('availability', 'pricing', 'bookings'))
        """,
    )
    schema.index("channel_lanes_agency_id_next_at_idx", "channel_lanes", "agency_id, next_at")
    schema.primary_key("channel_lanes", "agency_id, lane_id")
    schema.tenant_table(
        "channel_dirty",
        f"""
        dirty_id uuid NOT NULL
        connection_id uuid NOT NULL
        lane text NOT NULL
        first_night date
        end_date date
        unit_type_ids uuid[]
        forgets boolean NOT NULL
        added_at timestamptz DEFAULT now() NOT NULL
        {_of_connection("channel_dirty")}
        CONSTRAINT channel_dirty_nights_check CHECK ((first_night IS NULL) = (end_date IS NULL) AND first_night < end_date)
        """,
    )
    schema.index(
        "channel_dirty_agency_id_connection_id_lane_idx", "channel_dirty", "agency_id, connection_id, lane"
    )
    schema.primary_key("channel_dirty", "agency_id, dirty_id")


def _make_cells(schema: Schema) -> None:
    schema.tenant_table(
        "channel_cells",
        f"""
        connection_id uuid NOT NULL
        mapping_id uuid NOT NULL
        field text NOT NULL
        occupancy integer NOT NULL
        month date NOT NULL
        cells bigint[] NOT NULL
        PRIMARY KEY (agency_id, connection_id, mapping_id, field, occupancy, month)
        {_of_connection("channel_cells")}
        CONSTRAINT channel_cells_month_check CHECK (extract(day from month) = 1 AND cardinality(cells) = 31)
        """,
    )


def _make_calls(schema: Schema) -> None:
    schema.tenant_table(
        "channel_keys",
        """
        key text NOT NULL
        closed_until timestamptz
        PRIMARY KEY (agency_id, key)
        CONSTRAINT channel_keys_agencies_fkey FOREIGN KEY (agency_id) REFERENCES agencies (agency_id)
        """,
    )
    schema.tenant_table(
        "channel_calls",
        """
        call_id uuid NOT NULL
        key text NOT NULL
        started_at timestamptz NOT NULL
        ended_at timestamptz
        longest_seconds integer NOT NULL
        CONSTRAINT channel_calls_channel_keys_fkey FOREIGN KEY (agency_id, key) REFERENCES channel_keys (agency_id, key)
        """,
    )
    schema.index("channel_calls_agency_id_key_started_at_idx", "channel_calls", "agency_id, key, started_at")
    schema.primary_key("channel_calls", "agency_id, call_id, key")


def _make_revisions(schema: Schema) -> None:
    schema.tenant_table(
        "channel_revisions",
        f"""
        connection_id uuid NOT NULL
        revision_id text NOT NULL
        booking_key text DEFAULT '' NOT NULL
        status text DEFAULT '' NOT NULL
        revised_at timestamptz
        over_at timestamptz NOT NULL
        is_personal boolean NOT NULL
        state text NOT NULL
        reason text DEFAULT '' NOT NULL
        payload jsonb NOT NULL
        raw text
        received_at timestamptz NOT NULL
        applied_at timestamptz
        acknowledged_at timestamptz
        booking_id uuid
        {_of_connection("channel_revisions")}
        CONSTRAINT channel_revisions_state_check CHECK (state IN ('received', 'applied', 'superseded', 'quarantined', 'conflict'))
        """,
    )
    schema.index(
        "channel_revisions_agency_id_connection_id_state_received_at_idx",
        "channel_revisions",
        "agency_id, connection_id, state, received_at",
    )
    schema.primary_key("channel_revisions", "agency_id, connection_id, revision_id")
    schema.tenant_table(
        "channel_links",
        f"""
        connection_id uuid NOT NULL
        booking_key text NOT NULL
        booking_id uuid
        block_ids uuid[] NOT NULL
        revision_id text NOT NULL
        revised_at timestamptz NOT NULL
        is_cancelled boolean NOT NULL
        first_night date
        end_date date
        missing_since timestamptz
        version integer NOT NULL
        PRIMARY KEY (agency_id, connection_id, booking_key)
        {_of_connection("channel_links")}
        CONSTRAINT channel_links_nights_check CHECK ((first_night IS NULL) = (end_date IS NULL) AND first_night < end_date)
        """,
    )


def _make_knocks(schema: Schema) -> None:
    schema.tenant_table(
        "channel_knocks",
        f"""
        connection_id uuid NOT NULL
        digest text NOT NULL
        received_at timestamptz NOT NULL
        headers jsonb NOT NULL
        body bytea NOT NULL
        done_at timestamptz
        {_of_connection("channel_knocks")}
        """,
    )
    schema.index(
        "channel_knocks_waiting_idx",
        "channel_knocks",
        "agency_id, connection_id, received_at",
        where="done_at IS NULL",
    )
    schema.primary_key("channel_knocks", "agency_id, connection_id, digest")


def _make_logs(schema: Schema) -> None:
    schema.tenant_table(
        "channel_sync_batches",
        f"""
        batch_id uuid NOT NULL
        connection_id uuid NOT NULL
        expected integer NOT NULL
        {_of_connection("channel_sync_batches")}
        """,
    )
    schema.index(
        "channel_sync_batches_agency_id_connection_id_idx", "channel_sync_batches", "agency_id, connection_id"
    )
    schema.primary_key("channel_sync_batches", "agency_id, batch_id")
    schema.tenant_table(
        "channel_sync_logs",
        f"""
        log_id uuid NOT NULL
        connection_id uuid NOT NULL
        lane_id uuid NOT NULL
        operation_type text NOT NULL
        direction text NOT NULL
        status text NOT NULL
        details jsonb DEFAULT '{{}}'::jsonb NOT NULL
        error text
        task_id text NOT NULL
        batch_id uuid
        created_at timestamptz NOT NULL
        updated_at timestamptz
        {_of_connection("channel_sync_logs")}
        CONSTRAINT channel_sync_logs_operation_type_check CHECK (operation_type IN ('full_sync', 'availability_update', 'pricing_update', 'calendar_sync', 'listing_update') OR operation_type LIKE 'booking%')
        CONSTRAINT channel_sync_logs_direction_check CHECK (direction IN ('outbound', 'inbound'))
        CONSTRAINT channel_sync_logs_status_check CHECK (status IN ('triggered', 'queued', 'running', 'success', 'failed', 'cancelled'))
        """,
    )
    for columns in ("connection_id, created_at", "created_at", "status, created_at", "task_id", "batch_id"):
        name = f"channel_sync_logs_agency_id_{columns.replace(', ', '_')}_idx"
        schema.index(name, "channel_sync_logs", f"agency_id, {columns}")
    schema.primary_key("channel_sync_logs", "agency_id, log_id")


def _make_issues(schema: Schema) -> None:
    schema.tenant_table(
        "channel_issues",
        f"""
        issue_id uuid NOT NULL
        connection_id uuid NOT NULL
        property_id uuid
        kind text NOT NULL
        booking_id uuid
        revision_id text DEFAULT '' NOT NULL
        about text NOT NULL
        details jsonb DEFAULT '{{}}'::jsonb NOT NULL
        opened_at timestamptz NOT NULL
        closed_at timestamptz
        {_of_connection("channel_issues")}
        """,
    )
    schema.index(
        "channel_issues_agency_id_connection_id_opened_at_idx",
        "channel_issues",
        "agency_id, connection_id, opened_at",
    )
    schema.run(
        "CREATE UNIQUE INDEX channel_issues_open_idx ON channel_issues"
        " (agency_id, connection_id, kind, about) WHERE closed_at IS NULL"
    )
    schema.primary_key("channel_issues", "agency_id, issue_id")
