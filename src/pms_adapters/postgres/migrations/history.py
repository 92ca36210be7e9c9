"""The migrations in order, and what each of them brings.

Owns reading the folder of scripts. Leaves running them to ``migrate``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from alembic.script import Script, ScriptDirectory

from pms_adapters.postgres.migrations.schema import Schema

__all__ = ["SCRIPTS", "brought_by", "list_migrations", "open_scripts"]

SCRIPTS = Path(__file__).parent


def open_scripts(folder: Path = SCRIPTS) -> ScriptDirectory:
    """Return Alembic's view of the migrations in ``folder``/versions."""
    return ScriptDirectory(folder)


def list_migrations(scripts: ScriptDirectory) -> tuple[Script, ...]:
    """Return the migrations, oldest first."""
    return tuple(reversed(list(scripts.walk_revisions())))


@cache
def brought_by(folder: Path = SCRIPTS) -> Mapping[tuple[str, str | None], str]:
    """Return which migration brings a (table, column), and with None as column the table itself.

    The answer is found by running every migration without a database and noting what it would make.
    """
    origins: dict[tuple[str, str | None], str] = {}
    for migration in list_migrations(open_scripts(folder)):
        schema = Schema(lambda _: None)
        migration.module.upgrade(schema=schema)
        for table, columns in schema.brings.items():
            origins.setdefault((table, None), migration.revision)
            origins.update({(table, column): migration.revision for column in columns})
    return origins
