"""``pms verify``: recompute every invariant from the claims."""

from __future__ import annotations

from uuid import UUID

import click

from pms_adapters.postgres.seal_checks import Tail
from pms_adapters.postgres.verify import INVARIANTS, SEALS, Violated, unsealed
from pms_adapters.postgres.verify import verify as recompute
from pms_web.cli.servers import Servers, read_settings, servers
from pms_web.cli.terminal import say, show_json, steps
from pmscore.kernel.ids import AgencyId

__all__ = ["summary", "verified", "verify"]


@click.command()
@click.option("--agency", type=click.UUID, help="Look at this agency only.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def verify(ctx: click.Context, agency: UUID | None, as_json: bool) -> None:
    """Recompute every invariant of the stock from the bookings, holds and blocks, and the seals of the audit log.

    Ends with 0 only if nothing differs. Reads only; the app may go on serving.

    \b
    Example:
      pms verify
      pms verify --json
    """
    with servers(read_settings(), attach=True) as place:
        chosen = AgencyId(agency) if agency else None
        found = verified(place, chosen, is_quiet=as_json)
        tails = unsealed(place.admin_url, agency_id=chosen)
    if as_json:
        entries = [{"code": each.code, "says": each.says, "where": each.where} for each in found]
        show_json(
            {
                "violations": entries,
                "count": len(found),
                "invariants": [each.code for each in (*INVARIANTS, SEALS)],
                "unsealed": [
                    {"agency_id": each.agency_id, "events": each.count, "since": each.since} for each in tails
                ],
            }
        )
    else:
        for each in found:
            click.echo(f"{each.code}: {each.says}, but not at {each.where}")
        say(_told(tails))
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
            place.admin_url,
            agency_id=agency_id,
            progress=lambda invariant: tell(invariant.code),
            heads=place.settings.audit_head_dir,
        )


def _told(tails: tuple[Tail, ...]) -> str:
    if not tails:
        return "The audit log is sealed to its end."
    count, since = sum(each.count for each in tails), min(each.since for each in tails)
    return f"{count} events of the audit log are not sealed yet, the oldest of {since:%Y-%m-%d %H:%M:%S} UTC."


def summary(found: tuple[Violated, ...]) -> str:
    """Return the last line of a verification."""
    return f"pms verify: {len(found)} violations"
