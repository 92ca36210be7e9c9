"""``pms rotate-keys``: seal every secret anew under the newest key."""

from __future__ import annotations

from uuid import UUID

import click

from pms_adapters.bootstrap import secret_box
from pms_adapters.crypto.box import new_key
from pms_adapters.postgres.sealed import rotate_keys as reseal
from pms_web.cli.servers import read_settings, servers
from pms_web.cli.terminal import progress_bar, say, show_json
from pmscore.kernel.errors import MisconfiguredError
from pmscore.kernel.ids import AgencyId

__all__ = ["rotate_keys"]


@click.command("rotate-keys")
@click.option("--agency", type=click.UUID, help="Only this agency's secrets.")
@click.option(
    "--new-key", "is_new", is_flag=True, help="Print a fresh key for ENCRYPTION_KEY and do nothing else."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def rotate_keys(ctx: click.Context, agency: UUID | None, is_new: bool, as_json: bool) -> None:
    """Seal every secret in the database anew under the first key of ENCRYPTION_KEY.

    Put the new key in front of the old ones, restart web and worker, run this, then take the old keys away. It may be
    stopped and started again, and the app goes on working. Ends with 0 only if every secret could be opened.

    \b
    Example:
      pms rotate-keys --new-key
      ENCRYPTION_KEY="$NEW_KEY,$OLD_KEY" pms rotate-keys
    """
    if is_new:
        click.echo(new_key())
        return
    settings = read_settings()
    with servers(settings, attach=True) as place:
        if place.settings.encryption_key is None:
            raise MisconfiguredError(reason="no_encryption_key")
        box = secret_box(place.settings)
        with progress_bar("Sealing", is_quiet=as_json) as tell:
            found = reseal(
                place.admin_url, box, agency_id=AgencyId(agency) if agency else None, progress=tell
            )
    if as_json:
        show_json({"resealed": found.resealed, "current": found.current, "unreadable": found.unreadable})
    else:
        click.echo(f"Sealed anew: {found.resealed}. Under the newest key before: {found.current}.")
        for key, count in sorted(found.unreadable.items()):
            say(
                f"{count} secret(s) need the key {key}, which is not in ENCRYPTION_KEY: put it back behind the others."
            )
    ctx.exit(1 if found.unreadable else 0)
