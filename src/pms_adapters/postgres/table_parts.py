"""What all tables of the schema are made with: one catalogue of names, and the column that comes first."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, ForeignKeyConstraint, MetaData, Uuid

__all__ = ["AT", "agency", "belongs_to", "metadata"]

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(referred_table_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "ck": "%(table_name)s_%(constraint_name)s",
    }
)

AT = DateTime(timezone=True)
"""The type of every instant."""


def agency() -> Column[object]:
    """Return the first column of every tenant table."""
    return Column("agency_id", Uuid, nullable=False)


def belongs_to(table: str, *columns: str) -> ForeignKeyConstraint:
    """Return the foreign key to a row of the same agency."""
    keys = ("agency_id", *columns)
    return ForeignKeyConstraint(keys, tuple(f"{table}.{key}" for key in keys))
