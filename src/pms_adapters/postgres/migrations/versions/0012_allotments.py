"""Allotments: rooms that are kept for one channel, counted beside what else claims a night of their type."""

from __future__ import annotations

from pms_adapters.postgres.migrations.schema import Schema

revision = "0012_allotments"
down_revision = "0011_channels"


def upgrade(schema: Schema) -> None:
    """Make the table, its counter, and let the limits of a night count it."""
    schema.column("type_nights", "allotted integer DEFAULT 0 NOT NULL")
    schema.run("ALTER TABLE type_nights DROP CONSTRAINT type_nights_within_capacity")
    schema.run("ALTER TABLE type_nights DROP CONSTRAINT type_nights_not_negative")
    schema.run(
        "ALTER TABLE type_nights ADD CONSTRAINT type_nights_within_capacity"
        " CHECK (booked + held + blocked + out_of_order + buffer + allotted <= capacity + overbooking)"
    )
    schema.run(
        "ALTER TABLE type_nights ADD CONSTRAINT type_nights_not_negative"
        " CHECK (least(booked, held, blocked, out_of_order, buffer, oversold, allotted) >= 0)"
    )
    schema.tenant_table(
        "allotments",
        """
        allotment_id uuid NOT NULL
        property_id uuid NOT NULL
        unit_type_id uuid NOT NULL
        channel text NOT NULL
        first_night date NOT NULL
        end_date date NOT NULL
        guaranteed integer NOT NULL
        cap integer
        release_days integer
        release_on date
        sold integer[] NOT NULL
        released_until date
        version integer NOT NULL
        CONSTRAINT allotments_pkey PRIMARY KEY (agency_id, allotment_id)
        CONSTRAINT allotments_properties_fkey FOREIGN KEY (agency_id, property_id) REFERENCES properties (agency_id, property_id)
        CONSTRAINT allotments_unit_types_fkey FOREIGN KEY (agency_id, unit_type_id) REFERENCES unit_types (agency_id, unit_type_id)
        CONSTRAINT allotments_nights_check CHECK (end_date > first_night AND cardinality(sold) = end_date - first_night)
        """,
    )
    schema.index(
        "allotments_agency_id_property_id_channel_idx", "allotments", "agency_id, property_id, channel"
    )
