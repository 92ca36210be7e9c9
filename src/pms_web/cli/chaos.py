"""``pms chaos``: kill the embedded servers under load and count what was lost."""

from __future__ import annotations

import click

from pms_web.cli.terminal import progress_bar, show_json

__all__ = ["chaos"]


@click.command()
@click.option(
    "--rounds", default=3, show_default=True, type=click.IntRange(1, 1000), help="How often to kill."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def chaos(ctx: click.Context, rounds: int, as_json: bool) -> None:
    """Kill the embedded PostgreSQL under a booking load and count what was lost.

    Uses a server of its own, so nothing of yours is touched. Ends with 0 only if no acknowledged booking was
    lost and every unknown outcome was resolved by repeating its key.

    \b
    Example:
      pms chaos --rounds 10
    """
    from pms_adapters.lab.chaos import run_chaos  # noqa: PLC0415 - other commands start without it

    with progress_bar("Killing", is_quiet=as_json) as tell:
        report = run_chaos(rounds=rounds, progress=tell)
    if as_json:
        show_json(report.as_json())
    else:
        click.echo(report.as_table())
    ctx.exit(0 if report.ok else 1)
