"""``pms restore``: put a backup into an empty database, and look at whether all of it is there."""

from __future__ import annotations

from pathlib import Path

import click
from attrs import evolve

from pms_adapters.postgres.restore import RestoreReport, restore_backup, seeing_all
from pms_adapters.postgres.verify import Violated
from pms_adapters.settings import Settings
from pms_web.cli.backup import dump_folders, told
from pms_web.cli.servers import Servers, read_settings, servers
from pms_web.cli.terminal import complain, say, show_json
from pms_web.cli.verify import summary, verified

__all__ = ["restore"]


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--into", metavar="URL", help="The empty database; DATABASE_URL, or the embedded one, by default."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def restore(ctx: click.Context, file: Path, into: str | None, *, as_json: bool) -> None:
    """Put FILE, which `pms backup` has written, into an empty database; then count, look at the walls, and verify.

    The login must be one that `pms migrate` can be run with. The checksum is compared first, and all rows come in one
    transaction. Roles are made where they are missing, their passwords are not part of a backup. Ends with 0 only if
    everything is there and nothing violates an invariant.

    \b
    Example:
      pms restore pms-2027-03-01.dump --into postgresql://admin:secret@db/empty
      PMS_HOME=/srv/second pms restore pms-2027-03-01.dump
    """
    settings = read_settings()
    if into is not None:
        named = Settings.from_mapping({"DATABASE_URL": into})
        settings = evolve(settings, database_url=named.database_url)
    with servers(settings, attach=into is not None) as place:
        with told("Restoring", is_quiet=as_json) as tell:
            report = restore_backup(
                file.absolute(), place.admin_url, programs=dump_folders(), roles=place.roles, progress=tell
            )
        found = () if report.pending else _verified(place, is_quiet=as_json)
    if as_json:
        show_json(
            {
                "made_at": report.note.made_at,
                "rows": dict(report.rows),
                "differing": {name: list(pair) for name, pair in report.differing.items()},
                "tenancy": [f"{each.code} ({each.subject})" for each in report.findings],
                "pending_migrations": list(report.pending),
                "violations": [{"code": each.code, "where": each.where} for each in found],
            }
        )
    else:
        _show(report, found)
    ctx.exit(0 if report.is_whole and not found else 1)


def _verified(place: Servers, *, is_quiet: bool) -> tuple[Violated, ...]:
    return verified(evolve(place, admin_url=seeing_all(place.admin_url)), is_quiet=is_quiet)


def _show(report: RestoreReport, found: tuple[Violated, ...]) -> None:
    rows = sum(report.rows.values())
    click.echo(f"Restored: {rows:,} rows of {len(report.rows)} tables, as of {report.note.made_at}.")
    for name, (there, expected) in report.differing.items():
        complain(f"{name} has {there:,} rows; the backup counted {expected:,}.", "")
    for finding in report.findings:
        complain(f"Agencies may see each other's rows: {finding.code} ({finding.subject}).", "")
    if report.pending:
        complain(
            f"The backup is of an older schema; {len(report.pending)} migration(s) are pending.",
            "Run `pms migrate`, then `pms verify`.",
        )
        return
    for each in found[:20]:
        say(f"{each.code}: {each.where}")
    click.echo(summary(found))
