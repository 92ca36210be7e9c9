"""What the worker keeps: who has work to do, how far the log was read, the inbox, dead letters, seals, schedules."""

from __future__ import annotations

from pms_adapters.postgres.migrations.schema import Schema

revision = "0004_worker"
down_revision = "0003_exchange_rates"


def upgrade(schema: Schema) -> None:
    """Make room for the worker."""
    _make_work_due(schema)
    _make_inbox(schema)
    # What was sealed stays as it is, so nobody may change it through the application.
    schema.tenant_table(
        "audit_seals",
        """
        number bigint NOT NULL
        txid bigint NOT NULL
        seq bigint NOT NULL
        entries integer NOT NULL
        total bigint NOT NULL
        digests bytea NOT NULL
        hash bytea NOT NULL
        sealed_at timestamptz NOT NULL
        PRIMARY KEY (agency_id, number)
        CONSTRAINT audit_seals_entries_check CHECK (entries > 0 AND total >= entries)
        """,
        grants=("SELECT", "INSERT"),
    )
    schema.tenant_table(
        "schedules",
        """
        name text NOT NULL
        due_at timestamptz NOT NULL
        started_at timestamptz
        finished_at timestamptz
        failures integer DEFAULT 0 NOT NULL
        PRIMARY KEY (agency_id, name)
        """,
    )


def _make_work_due(schema: Schema) -> None:
    # Read across agencies, so outside of row-level security; it says that there is work, not what. Whoever writes
    # an event adds a row, always a new one: no transaction ever waits here for another.
    schema.brings["work_due"] = ("agency_id", "kind", "due_at", "txid")
    schema.run(
        """\
CREATE TABLE work_due (
  agency_id uuid NOT NULL,
  kind text NOT NULL,
  due_at timestamptz DEFAULT now() NOT NULL,
  txid bigint DEFAULT pg_current_xact_id()::text::bigint NOT NULL,
  PRIMARY KEY (agency_id, kind, txid, due_at)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000)"""
    )
    schema.run("GRANT INSERT ON work_due TO pms_app")
    schema.run("GRANT SELECT, INSERT, DELETE ON work_due TO pms_relay")
    schema.run("GRANT SELECT ON work_due TO pms_backup")
    schema.tenant_table(
        "relay_positions",
        """
        recorded_txid bigint DEFAULT 0 NOT NULL
        recorded_seq bigint DEFAULT 0 NOT NULL
        queued_txid bigint DEFAULT 0 NOT NULL
        queued_seq bigint DEFAULT 0 NOT NULL
        lease_token bigint DEFAULT 0 NOT NULL
        leased_by text DEFAULT '' NOT NULL
        leased_until timestamptz
        PRIMARY KEY (agency_id)
        """,
    )


def _make_inbox(schema: Schema) -> None:
    schema.tenant_table(
        "inbox",
        """
        event_id uuid NOT NULL
        reaction text NOT NULL
        aggregate_id uuid NOT NULL
        txid bigint NOT NULL
        seq bigint NOT NULL
        state text DEFAULT 'waiting' NOT NULL
        attempts integer DEFAULT 0 NOT NULL
        due_at timestamptz NOT NULL
        not_before timestamptz
        claimed_until timestamptz
        done_at timestamptz
        CONSTRAINT inbox_state_check CHECK (state IN ('waiting', 'done', 'dead'))
        """,
    )
    schema.index(
        "inbox_chain_idx",
        "inbox",
        "agency_id, reaction, aggregate_id, txid, seq",
        where="state = 'waiting'",
    )
    schema.index("inbox_due_idx", "inbox", "agency_id, due_at", where="state = 'waiting'")
    schema.index("inbox_done_idx", "inbox", "agency_id, done_at", where="state = 'done'")
    schema.primary_key("inbox", "agency_id, event_id, reaction")
    schema.tenant_table(
        "dead_letters",
        """
        letter_id uuid NOT NULL
        reaction text NOT NULL
        event_id uuid NOT NULL
        attempts integer NOT NULL
        error text NOT NULL
        died_at timestamptz NOT NULL
        retried_at timestamptz
        PRIMARY KEY (agency_id, letter_id)
        """,
    )
