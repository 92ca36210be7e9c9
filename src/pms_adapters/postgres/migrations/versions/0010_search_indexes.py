"""What a search needs that looks for few rows among a million: events of a rare kind, a booking by its reference.

Both indexes have a condition that every row meets. It keeps them out of all other plans: while a table is empty every
index of the agency looks equally cheap, and one that is newer than the key would be taken in its place.

The reference is a column, because the policy that hides other agencies' rows is asked before an expression that might
tell of them, so that an index on one is of no use to the application. Adding it writes the table anew.
"""

from __future__ import annotations

from pms_adapters.postgres.migrations.schema import Schema

revision = "0010_search_indexes"
down_revision = "0009_backup"


def upgrade(schema: Schema) -> None:
    """Make both indexes, and the column of one."""
    schema.index(
        "events_kind_idx", "events", "agency_id, kind text_pattern_ops, txid, seq", where="kind IS NOT NULL"
    )
    schema.column("bookings", f"reference_bits bigint GENERATED ALWAYS AS ({_LAST_FIFTY_BITS}) STORED")
    schema.index(
        "bookings_reference_idx", "bookings", "agency_id, reference_bits", where="reference_bits IS NOT NULL"
    )


_LAST_FIFTY_BITS = (
    "(('x' || right(replace(booking_id::text, '-', ''), 13))::bit(52))::bigint & 1125899906842623"
)
