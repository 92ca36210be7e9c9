"""Which agency has which modules; webhook endpoints, their sealed secrets, deliveries and attempts."""

from __future__ import annotations

from pms_adapters.postgres.migrations.schema import Schema

revision = "0006_webhooks"
down_revision = "0005_access"


def upgrade(schema: Schema) -> None:
    """Make the tables of modules and webhooks."""
    schema.tenant_table(
        "agency_features",
        """
        module text NOT NULL
        is_enabled boolean NOT NULL
        changed_at timestamptz NOT NULL
        version integer NOT NULL
        PRIMARY KEY (agency_id, module)
        CONSTRAINT agency_features_agencies_fkey FOREIGN KEY (agency_id) REFERENCES agencies (agency_id)
        """,
        grants=("SELECT", "INSERT", "UPDATE"),
    )
    schema.tenant_table(
        "webhook_endpoints",
        """
        endpoint_id uuid NOT NULL
        url text NOT NULL
        description text DEFAULT '' NOT NULL
        kinds text[] NOT NULL
        is_full boolean NOT NULL
        status text NOT NULL
        reason text
        created_at timestamptz NOT NULL
        delivered_at timestamptz
        version integer NOT NULL
        PRIMARY KEY (agency_id, endpoint_id)
        CONSTRAINT webhook_endpoints_agencies_fkey FOREIGN KEY (agency_id) REFERENCES agencies (agency_id)
        CONSTRAINT webhook_endpoints_status_check CHECK (status IN ('active', 'paused', 'disabled'))
        """,
    )
    schema.tenant_table(
        "webhook_secrets",
        """
        endpoint_id uuid NOT NULL
        secret_id uuid NOT NULL
        sealed text NOT NULL
        created_at timestamptz NOT NULL
        retires_at timestamptz
        PRIMARY KEY (agency_id, endpoint_id, secret_id)
        CONSTRAINT webhook_secrets_webhook_endpoints_fkey FOREIGN KEY (agency_id, endpoint_id) REFERENCES webhook_endpoints (agency_id, endpoint_id) ON DELETE CASCADE
        """,
    )
    _make_deliveries(schema)


def _make_deliveries(schema: Schema) -> None:
    schema.tenant_table(
        "webhook_deliveries",
        """
        delivery_id uuid NOT NULL
        endpoint_id uuid NOT NULL
        event_id uuid NOT NULL
        kind text NOT NULL
        body text NOT NULL
        created_at timestamptz NOT NULL
        next_at timestamptz
        status text NOT NULL
        attempts integer NOT NULL
        counted_from integer NOT NULL
        ended_at timestamptz
        lease uuid
        leased_until timestamptz
        UNIQUE (agency_id, endpoint_id, event_id)
        CONSTRAINT webhook_deliveries_webhook_endpoints_fkey FOREIGN KEY (agency_id, endpoint_id) REFERENCES webhook_endpoints (agency_id, endpoint_id) ON DELETE CASCADE
        CONSTRAINT webhook_deliveries_status_check CHECK (status IN ('pending', 'delivered', 'dead'))
        CONSTRAINT webhook_deliveries_next_check CHECK ((status = 'pending') = (next_at IS NOT NULL))
        """,
    )
    schema.index(
        "webhook_deliveries_due_idx", "webhook_deliveries", "agency_id, next_at", where="status = 'pending'"
    )
    schema.index("webhook_deliveries_log_idx", "webhook_deliveries", "agency_id, endpoint_id, created_at")
    schema.index(
        "webhook_deliveries_old_idx", "webhook_deliveries", "agency_id, ended_at", where="status <> 'pending'"
    )
    schema.primary_key("webhook_deliveries", "agency_id, delivery_id")
    schema.tenant_table(
        "webhook_attempts",
        """
        delivery_id uuid NOT NULL
        number integer NOT NULL
        at timestamptz NOT NULL
        status integer
        error text
        duration_ms integer NOT NULL
        answer text DEFAULT '' NOT NULL
        PRIMARY KEY (agency_id, delivery_id, number)
        CONSTRAINT webhook_attempts_webhook_deliveries_fkey FOREIGN KEY (agency_id, delivery_id) REFERENCES webhook_deliveries (agency_id, delivery_id) ON DELETE CASCADE
        """,
        grants=("SELECT", "INSERT", "DELETE"),
    )
