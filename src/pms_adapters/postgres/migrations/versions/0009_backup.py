"""What a backup reads besides tables: how far the numbers of the events are counted."""

from __future__ import annotations

from pms_adapters.postgres.migrations.schema import Schema

revision = "0009_backup"
down_revision = "0008_public_site"


def upgrade(schema: Schema) -> None:
    """Let the role of backups read the one sequence there is."""
    schema.run("GRANT SELECT ON SEQUENCE events_seq_seq TO pms_backup")
