"""``pms bench``: measure against the floors."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import click

from pms_web.cli.terminal import say, show_json, show_table, steps

__all__ = ["bench"]

SCALES = ("full", "quick", "tiny")
_SERVE = (sys.executable, "-m", "pms_web.cli.main", "serve", "--port", "0")


@click.group()
def bench() -> None:
    """Measure how fast the core and its adapters are, each beside its floor in the same run.

    \b
    Example:
      pms bench stock
    """


def _measured(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that all measurements share."""
    options = (
        click.option(
            "--rounds", default=5, show_default=True, type=click.IntRange(1, 100), help="Interleaved rounds."
        ),
        click.option(
            "--only",
            multiple=True,
            metavar="ID",
            help="Measure this target only (P1, P2, …); may be repeated.",
        ),
        click.option(
            "--scale",
            default="full",
            show_default=True,
            type=click.Choice(SCALES),
            help="How much is measured.",
        ),
        click.option("--json", "as_json", is_flag=True, help="Print the result as JSON."),
    )
    for option in reversed(options):
        command = option(command)
    return click.pass_context(command)


@bench.command()
@_measured
def stock(ctx: click.Context, rounds: int, only: tuple[str, ...], scale: str, as_json: bool) -> None:
    """Measure bookings, races, search and calendar; ends with 1 where a must is missed.

    Starts a PostgreSQL of its own, so nothing of yours is touched. The full scale takes minutes.

    \b
    Example:
      pms bench stock
      pms bench stock --only P1 --scale quick --json
    """
    _measure(ctx, "stock", rounds, only, scale, as_json)


@bench.command()
@_measured
def pricing(ctx: click.Context, rounds: int, only: tuple[str, ...], scale: str, as_json: bool) -> None:
    """Measure quotes and the year matrix; ends with 1 where a must is missed.

    Starts no server and takes half a minute.

    \b
    Example:
      pms bench pricing
      pms bench pricing --only P14 --json
    """
    _measure(ctx, "pricing", rounds, only, scale, as_json)


@bench.command()
@_measured
def http(ctx: click.Context, rounds: int, only: tuple[str, ...], scale: str, as_json: bool) -> None:
    """Measure answers of the app over HTTP: searches, bookings and quotes; ends with 1 where a must is missed.

    Starts a PostgreSQL, a Redis and an app of its own, as `pms serve` does, and takes eight minutes.

    \b
    Example:
      pms bench http
      pms bench http --only P15 --rounds 9 --json
    """
    _measure(ctx, "http", rounds, only, scale, as_json)


@bench.command()
@_measured
def channels(ctx: click.Context, rounds: int, only: tuple[str, ...], scale: str, as_json: bool) -> None:
    """Measure the worker and what keeps platforms in step with the house; ends with 1 where a must is missed.

    Starts a PostgreSQL, a Redis, simulated platforms, a worker and an app of its own, and takes eight minutes.

    \b
    Example:
      pms bench channels
      pms bench channels --only P19 --only C-year --json
    """
    _measure(ctx, "channels", rounds, only, scale, as_json)


def _measure(
    ctx: click.Context, subject: str, rounds: int, only: tuple[str, ...], scale: str, as_json: bool
) -> None:
    from pms_adapters.lab import bench as lab  # noqa: PLC0415 - needs the extra pmscore[bench]

    subjects: Mapping[str, Callable[..., tuple[lab.Measurement, ...]]] = {
        "stock": lab.run_stock,
        "pricing": lab.run_pricing,
        "http": partial(lab.run_http, app=_SERVE),
        "channels": partial(lab.run_channels, app=_SERVE),
    }
    sizes = {"full": lab.FULL, "quick": lab.QUICK, "tiny": lab.TINY}
    with steps("Measuring", is_quiet=as_json) as tell:
        found = subjects[subject](rounds=rounds, only=only or None, scale=sizes[scale], progress=tell)
    for warning in lab.warnings(found):
        say(warning)
    if as_json:
        show_json([each.as_json() for each in found])
    else:
        headings = ("Id", "Measure", "Value", "Floor", "Ratio", "Must", "Aim", "Ok")
        show_table(headings, _rows([each.as_json() for each in found]), texts=2)
    ctx.exit(0 if all(each.ok for each in found) else 1)


def _rows(lines: list[dict[str, str | float | bool | None]]) -> Iterator[tuple[str, ...]]:
    for line in lines:
        shown = [
            line["id"],
            line["measure"],
            line["value"],
            line["floor"],
            line["ratio"],
            line["must"],
            line["aim"],
        ]
        verdict = "yes" if line["ok"] else "NO"
        yield (
            *(
                "" if each is None else f"{each:,}" if isinstance(each, float) else str(each)
                for each in shown
            ),
            verdict,
        )
