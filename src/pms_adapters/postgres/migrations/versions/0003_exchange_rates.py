"""What currencies were worth, day by day, so that quotes can be shown in another one than they are paid in."""

from __future__ import annotations

from pms_adapters.postgres.migrations.schema import Schema

revision = "0003_exchange_rates"
down_revision = "0002_prices"


def upgrade(schema: Schema) -> None:
    """Make room for exchange rates."""
    schema.tenant_table(
        "exchange_rates",
        """
        base text NOT NULL
        shown text NOT NULL
        day date NOT NULL
        rate numeric(19,10) NOT NULL
        source text NOT NULL
        PRIMARY KEY (agency_id, base, shown, day)
        CONSTRAINT exchange_rates_agencies_fkey FOREIGN KEY (agency_id) REFERENCES agencies (agency_id)
        CONSTRAINT exchange_rates_currencies_check CHECK (base <> shown)
        CONSTRAINT exchange_rates_rate_check CHECK (rate > 0)
        """,
        grants=("SELECT", "INSERT", "UPDATE"),
    )
