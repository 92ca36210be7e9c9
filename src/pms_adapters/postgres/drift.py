"""Whether the database has the tables and columns that this program uses.

Owns the comparison, and what is said about a statement that failed on a missing one. Leaves policies and roles to
``tenancy``, and putting it right to ``pms migrate``.
"""

from __future__ import annotations

import re

import psycopg
from attrs import frozen
from psycopg import errors as pg

from pms_adapters.postgres.tables import metadata
from pmscore.kernel.errors import SchemaOutOfDateError

__all__ = ["Drift", "SchemaCheck", "schema_out_of_date"]

UNKNOWN_TABLE = "unknown"


@frozen
class Drift:
    """A table that is missing, or with ``column`` a column; ``migration`` brings it, if any does."""

    table: str
    column: str | None
    migration: str | None

    def as_error(self) -> SchemaOutOfDateError:
        """Return the error that a caller of the program is to see."""
        return SchemaOutOfDateError(table=self.table, column=self.column, migration=self.migration)


class SchemaCheck:
    """Compares a live catalogue with ``tables``; more tables and columns than ours are no drift."""

    def __init__(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        self._connection = connection

    def find_drift(self) -> tuple[Drift, ...]:
        """Return what is missing, in the order of the migrations, then of the tables; any role may ask."""
        rows = self._connection.execute(_COLUMNS, [list(metadata.tables)]).fetchall()
        live: dict[str, set[str]] = {}
        for table, column in rows:
            live.setdefault(str(table), set()).add(str(column))
        found: list[Drift] = []
        for table in metadata.sorted_tables:
            if table.name not in live:
                found.append(_drift(table.name, None))
                continue
            missing = (column.name for column in table.columns if column.name not in live[table.name])
            found += (_drift(table.name, column) for column in missing)
        return tuple(sorted(found, key=lambda each: each.migration or ""))

    def find_missing_constraints(self) -> tuple[str, ...]:
        """Return the constraints that are gone or no longer enforced, as ``table.constraint``, sorted.

        A statement does not fail without them, so nothing else would notice; the promise that no night is sold
        twice rests on two of them.
        """
        known = {
            f"{table.name}.{constraint.name}"
            for table in metadata.sorted_tables
            for constraint in table.constraints
        }
        rows = self._connection.execute(_CONSTRAINTS, [list(metadata.tables)]).fetchall()
        return tuple(sorted(known - {f"{table}.{constraint}" for table, constraint in rows}))

    def require_current(self) -> None:
        """Return if nothing is missing.

        Raises:
            SchemaOutOfDateError: names the first table or column that is missing, and what brings it.
        """
        for drift in self.find_drift():
            raise drift.as_error()


def schema_out_of_date(error: psycopg.Error) -> SchemaOutOfDateError:
    """Return what ``error``, an undefined table or column, says about the schema.

    PostgreSQL names the column but not always the table: then the alias in its text, or the only table of ours that
    has such a column, decides; where neither does, all tables that have it are named, with commas.
    """
    message = error.diag.message_primary or str(error)
    if isinstance(error, pg.UndefinedColumn):
        return _missing_column(message).as_error()
    names = _QUOTED.findall(message)
    table = (error.diag.table_name or (names[0] if names else UNKNOWN_TABLE)).rpartition(".")[2]
    return _drift(table, None).as_error()


_COLUMNS = """
SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
 WHERE c.relname = ANY(%s) AND c.relkind IN ('r', 'p') AND pg_table_is_visible(c.oid)
   AND a.attnum > 0 AND NOT a.attisdropped
"""
_CONSTRAINTS = """
SELECT r.relname, c.conname FROM pg_class r JOIN pg_constraint c ON c.conrelid = r.oid
 WHERE r.relname = ANY(%s) AND pg_table_is_visible(r.oid)
   AND c.convalidated AND coalesce((to_jsonb(c) ->> 'conenforced')::boolean, true)
"""  # whether a constraint is enforced is known from PostgreSQL 18 on
# The quotes of every language that PostgreSQL speaks, simple ones as escapes since they look like others.
_QUOTES = "\"'“”„«»「」\u2018\u2019"
_QUOTED = re.compile(f"[{_QUOTES}] ?([^{_QUOTES}]+?) ?[{_QUOTES}]")
_DOTTED = re.compile(r"(?<![\w.])(\w+)\.(\w+)(?![\w.])")


def _missing_column(message: str) -> Drift:
    names = [name.rpartition(".")[2] for name in _QUOTED.findall(message)]
    if len(names) > 1:
        return _drift(names[1], names[0])
    dotted = _DOTTED.search(message)
    if dotted is not None and not names:
        alias, column = dotted.groups()
    else:
        alias, column = "", (names[0] if names else "")
    if alias in metadata.tables:
        return _drift(alias, column)
    homes = sorted(table.name for table in metadata.sorted_tables if column in table.columns)
    drifts = [_drift(home, column) for home in homes]
    latest = max((drift.migration or "" for drift in drifts), default="")
    likely = [drift.table for drift in drifts if (drift.migration or "") == latest]
    return Drift(",".join(likely) or alias or UNKNOWN_TABLE, column or None, latest or None)


def _drift(table: str, column: str | None) -> Drift:
    # Alembic takes 0.15 s to import, and nobody needs it until something is missing.
    from pms_adapters.postgres.migrations.history import brought_by  # noqa: PLC0415

    return Drift(table, column, brought_by().get((table, column)))
