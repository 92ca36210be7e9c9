"""The words in which a migration is written, so that none can forget tenancy.

Owns how a tenant table is made: key, row-level security, policy and grants in one step, and which tables and
columns a migration brings. Leaves running and versions to Alembic. What a word does is part of every migration that
uses it: change a word only where the schema that it leaves behind stays the same, else add another word.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from pms_adapters.postgres.tenancy import APP_ROLE, BACKUP_ROLE

__all__ = ["Schema"]

_COLUMN = re.compile(r"([a-z][a-z0-9_]*) \S.*")
_CONSTRAINT = re.compile(r"(?:PRIMARY KEY|UNIQUE|CONSTRAINT) .+")
_OWN_ROWS = "agency_id = nullif(current_setting('app.agency_id', true), '')::uuid"
_USUAL = ("SELECT", "INSERT", "UPDATE", "DELETE")


class Schema:
    """What a migration may do; every statement goes through ``run``.

    ``brings`` collects the columns by table, so that a database that lacks one can be told which migration it needs.
    """

    def __init__(self, run: Callable[[str], object]) -> None:
        self.run = run
        self.brings: dict[str, tuple[str, ...]] = {}

    def tenant_table(
        self, name: str, items: str, *, grants: tuple[str, ...] = _USUAL, storage: str = ""
    ) -> None:
        """Make a table whose rows belong to one agency, and let an agency see its own rows only.

        ``items`` has one column or constraint a line, without ``agency_id``, which comes first by itself.

        Raises:
            ValueError: a line is neither a column nor a constraint.
        """
        lines = [
            "agency_id uuid NOT NULL",
            *(line.strip().rstrip(",") for line in items.strip().splitlines()),
        ]
        self.brings[name] = tuple(column for column in map(_find_column, lines) if column is not None)
        body = ",\n  ".join(lines)
        self.run(f"CREATE TABLE {name} (\n  {body}\n){f' WITH ({storage})' if storage else ''}")
        self.run(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
        self.run(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")
        self.run(f"CREATE POLICY {name}_own_rows ON {name} USING ({_OWN_ROWS}) WITH CHECK ({_OWN_ROWS})")
        self.run(f"GRANT {', '.join(grants)} ON {name} TO {APP_ROLE}")
        self.run(f"GRANT SELECT ON {name} TO {BACKUP_ROLE}")

    def global_table(self, name: str, items: str, *, grants: tuple[str, ...]) -> None:
        """Make a table that belongs to no agency, and so stands outside of row-level security.

        ``tables.GLOBAL_TABLES`` lists all there may be. ``items`` is written as in ``tenant_table``.

        Raises:
            ValueError: a line is neither a column nor a constraint.
        """
        lines = [line.strip().rstrip(",") for line in items.strip().splitlines()]
        self.brings[name] = tuple(column for column in map(_find_column, lines) if column is not None)
        body = ",\n  ".join(lines)
        self.run(f"CREATE TABLE {name} (\n  {body}\n)")
        self.run(f"GRANT {', '.join(grants)} ON {name} TO {APP_ROLE}")
        self.run(f"GRANT SELECT ON {name} TO {BACKUP_ROLE}")

    def column(self, table: str, item: str) -> None:
        """Add one column, written as in ``tenant_table``.

        Raises:
            ValueError: ``item`` is no column.
        """
        found = _find_column(item)
        if found is None:
            raise ValueError(item)
        self.brings[table] = (*self.brings.get(table, ()), found)
        self.run(f"ALTER TABLE {table} ADD COLUMN {item}")

    def index(self, name: str, table: str, columns: str, *, where: str = "") -> None:
        """Make an index; ``columns`` begins with ``agency_id``."""
        self.run(f"CREATE INDEX {name} ON {table} ({columns}){f' WHERE {where}' if where else ''}")

    def primary_key(self, table: str, columns: str) -> None:
        """Make the primary key of a table that has other indexes, after all of them.

        While a table is empty every index looks equally cheap, and the planner takes the newest. Such a plan
        is kept until statistics are gathered, a minute later; with another index it reads all rows of the
        agency for each key.
        """
        self.run(f"ALTER TABLE {table} ADD CONSTRAINT {table}_pkey PRIMARY KEY ({columns})")


def _find_column(line: str) -> str | None:
    if _CONSTRAINT.fullmatch(line):
        return None
    column = _COLUMN.fullmatch(line)
    if column is None:
        raise ValueError(line)
    return column[1]
