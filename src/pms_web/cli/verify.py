"""``pms verify``: recompute every invariant from the claims."""

from __future__ import annotations

from uuid import UUID

import click

from pms_adapters.postgres.verify import INVARIANTS, Violated
from pms_adapters.postgres.verify import verify as recompute
from pms_web.cli.servers import Servers, read_settings, servers
from pms_web.cli.terminal import show_json, steps
from pmscore.kernel.ids import AgencyId

__all__ = ["summary", "verified", "verify"]


@click.command()
@click.option("--agency", type=click.UUID, help="Look at this agency only.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def verify(ctx: click.Context, agency: UUID | None, as_json: bool) -> None:
    """Recompute every invariant of the stock from the bookings, holds and blocks.

    Ends with 0 only if nothing differs. Reads only; the app may go on serving.

    \b
    Example:
      pms verify
      pms verify --json
    """
    with servers(read_settings(), attach=True) as place:
        found = verified(place, AgencyId(agency) if agency else None, is_quiet=as_json)
    if as_json:
        entries = [{"code": each.code, "says": each.says, "where": each.where} for each in found]
        show_json(
            {"violations": entries, "count": len(found), "invariants": [each.code for each in INVARIANTS]}
        )
    else:
        for each in found:
            click.echo(f"{each.code}: {each.says}, but not at {each.where}")
        click.echo(summary(found))
    ctx.exit(1 if found else 0)


def verified(
    place: Servers, agency_id: AgencyId | None = None, *, is_quiet: bool = False
) -> tuple[Violated, ...]:
    """Return every violation, with a line of progress.

    Raises:
        PmsError: as ``pms_adapters.postgres.verify.verify``.
    """
    with steps("Verifying", is_quiet=is_quiet) as tell:
        return recompute(
            place.admin_url, agency_id=agency_id, progress=lambda invariant: tell(invariant.code)
        )


def summary(found: tuple[Violated, ...]) -> str:
    """Return the last line of a verification."""
    return f"pms verify: {len(found)} violations"
