"""``pms plugins``: which modules there are, and why those that do not run do not."""

from __future__ import annotations

import click

from pms_web.cli.servers import read_settings
from pms_web.cli.terminal import show_json, show_table
from pms_web.modules.loading import load_modules
from pms_web.route_table import ROUTES
from pms_web.wiring import switches_of
from pmscore.modules.model import ModuleStatus

__all__ = ["plugins"]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@click.pass_context
def plugins(ctx: click.Context, as_json: bool) -> None:
    """List the modules with version and status, and say why one does not run.

    Third parties bring modules through entry points of the group pms.modules. MODULES_ENABLED=false turns all off,
    NAME_ENABLED=false one. Ends with 0 only if none has failed or was refused; one that is switched off is all right.

    \b
    Example:
      pms plugins
      pms plugins --json
    """
    found = load_modules(switches_of(read_settings()), ROUTES).installed.resolved.states
    if as_json:
        show_json(
            [
                {"name": each.name, "version": each.version, "status": each.status.value, "why": each.why}
                for each in found
            ]
        )
    else:
        show_table(
            ("Name", "Version", "Status", "Why"),
            [(each.name, each.version, each.status.value, each.why) for each in found],
            texts=4,
        )
    is_bad = any(each.status in {ModuleStatus.FAILED, ModuleStatus.REFUSED} for each in found)
    ctx.exit(1 if is_bad else 0)
