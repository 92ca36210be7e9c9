"""``pms migrate``: bring the database to the schema of this program."""

from __future__ import annotations

import click

from pms_adapters.postgres.migrate import MigrationReport, upgrade
from pms_web.cli.servers import Servers, read_settings, servers
from pms_web.cli.terminal import show_json, steps

__all__ = ["migrate", "migrated"]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def migrate(as_json: bool) -> None:
    """Bring the database to the schema of this program.

    Makes the roles too. Running it again changes nothing; two at once wait for each other; killed half-way, it
    goes on where it was.

    \b
    Example:
      pms migrate
      DATABASE_URL=postgresql://admin:secret@db/pms pms migrate --json
    """
    with servers(read_settings(), attach=True) as place:
        report = migrated(place, is_quiet=as_json)
    if as_json:
        show_json({"from": report.from_revision, "to": report.to_revision, "applied": list(report.applied)})
    elif report.applied:
        click.echo(f"Migrated to {report.to_revision}: {', '.join(report.applied)}.")
    else:
        click.echo(f"Nothing to do: the database is at {report.to_revision}.")


def migrated(place: Servers, *, is_quiet: bool = False) -> MigrationReport:
    """Migrate with a line of progress.

    Raises:
        PmsError: as ``pms_adapters.postgres.migrate.upgrade``.
    """
    with steps("Migrating", is_quiet=is_quiet) as tell:
        return upgrade(place.admin_url, roles=place.roles, progress=tell)
