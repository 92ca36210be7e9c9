"""What cancelling a booking came to, kept with it."""

from __future__ import annotations

from pms_adapters.postgres.migrations.schema import Schema

revision = "0007_cancellations"
down_revision = "0006_webhooks"


def upgrade(schema: Schema) -> None:
    """Make room for the fee of a cancellation."""
    schema.column("bookings", "cancellation jsonb")
