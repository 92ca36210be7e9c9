"""``pms bench``: measure against the floors."""

from __future__ import annotations

import click

from pms_web.cli.terminal import progress_bar, show_json

__all__ = ["bench"]


@click.group()
def bench() -> None:
    """Measure how fast the core and its adapters are, each beside its floor in the same run.

    \b
    Example:
      pms bench stock
    """


@bench.command()
@click.option(
    "--rounds", default=5, show_default=True, type=click.IntRange(1, 100), help="Interleaved rounds."
)
@click.option(
    "--only", multiple=True, metavar="ID", help="Measure this target only (P1, P2, …); may be repeated."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def stock(ctx: click.Context, rounds: int, only: tuple[str, ...], as_json: bool) -> None:
    """Measure bookings, races, search and calendar; ends with 1 where a must is missed.

    Starts a PostgreSQL of its own, so nothing of yours is touched.

    \b
    Example:
      pms bench stock
      pms bench stock --only P1 --json
    """
    from pms_adapters.lab import bench as lab  # noqa: PLC0415 - needs the extra pmscore[bench]

    with progress_bar("Measuring", is_quiet=as_json) as tell:
        results = lab.run_stock(rounds=rounds, only=only, progress=tell)
    if as_json:
        show_json([each.as_json() for each in results])
    else:
        click.echo(lab.as_table(results))
    ctx.exit(0 if all(each.ok for each in results) else 1)
