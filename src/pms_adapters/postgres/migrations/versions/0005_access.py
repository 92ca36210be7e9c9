"""Accounts, what each may do in an agency, sessions, API keys and one-time links."""

from __future__ import annotations

from pms_adapters.postgres.migrations.schema import Schema

revision = "0005_access"
down_revision = "0004_worker"


def upgrade(schema: Schema) -> None:
    """Make room for access."""
    _make_global(schema)
    schema.tenant_table(
        "memberships",
        """
        user_id uuid NOT NULL
        role text NOT NULL
        property_ids uuid[]
        disabled_at timestamptz
        version integer NOT NULL
        PRIMARY KEY (agency_id, user_id)
        CONSTRAINT memberships_agencies_fkey FOREIGN KEY (agency_id) REFERENCES agencies (agency_id)
        CONSTRAINT memberships_role_check CHECK (role IN ('admin', 'manager', 'staff', 'owner', 'accountant'))
        """,
        grants=("SELECT", "INSERT", "UPDATE"),
    )
    schema.tenant_table(
        "api_keys",
        """
        key_id uuid NOT NULL
        name text NOT NULL
        role text NOT NULL
        property_ids uuid[]
        key_hash text NOT NULL
        created_at timestamptz NOT NULL
        expires_at timestamptz
        revoked_at timestamptz
        used_on date
        version integer NOT NULL
        PRIMARY KEY (agency_id, key_id)
        CONSTRAINT api_keys_agencies_fkey FOREIGN KEY (agency_id) REFERENCES agencies (agency_id)
        CONSTRAINT api_keys_role_check CHECK (role IN ('admin', 'manager', 'staff', 'owner', 'accountant'))
        """,
        grants=("SELECT", "INSERT", "UPDATE"),
    )
    # A link names its agency in its text, so this table can stay behind the agency's wall.
    schema.tenant_table(
        "one_time_links",
        """
        link_hash text NOT NULL
        user_id uuid NOT NULL
        purpose text NOT NULL
        expires_at timestamptz NOT NULL
        used_at timestamptz
        CONSTRAINT one_time_links_agencies_fkey FOREIGN KEY (agency_id) REFERENCES agencies (agency_id)
        """,
    )
    schema.index("one_time_links_user_idx", "one_time_links", "agency_id, user_id", where="used_at IS NULL")
    schema.primary_key("one_time_links", "agency_id, link_hash")


def _make_global(schema: Schema) -> None:
    # Whoever logs in is looked up before anybody knows the agency; agency_ids says behind which walls to look on.
    schema.global_table(
        "users",
        """
        user_id uuid NOT NULL
        email text NOT NULL
        name text NOT NULL
        password_hash text
        disabled_at timestamptz
        failed_tries integer DEFAULT 0 NOT NULL
        blocked_until timestamptz
        epoch integer DEFAULT 1 NOT NULL
        agency_ids uuid[] DEFAULT '{}'::uuid[] NOT NULL
        version integer NOT NULL
        PRIMARY KEY (user_id)
        UNIQUE (email)
        CONSTRAINT users_failed_tries_check CHECK (failed_tries >= 0)
        """,
        grants=("SELECT", "INSERT", "UPDATE"),
    )
    schema.global_table(
        "sessions",
        """
        session_hash text NOT NULL
        user_id uuid NOT NULL
        agency_id uuid NOT NULL
        created_at timestamptz NOT NULL
        seen_at timestamptz NOT NULL
        """,
        grants=("SELECT", "INSERT", "UPDATE", "DELETE"),
    )
    schema.index("sessions_user_id_idx", "sessions", "user_id")
    schema.index("sessions_seen_at_idx", "sessions", "seen_at")
    schema.primary_key("sessions", "session_hash")
    schema.global_table(
        "key_index",
        """
        key_hash text NOT NULL
        agency_id uuid NOT NULL
        key_id uuid NOT NULL
        PRIMARY KEY (key_hash)
        """,
        grants=("SELECT", "INSERT"),
    )
