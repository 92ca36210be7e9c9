"""``pms replay``: real bookings from a file, through the use cases."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import click

from pms_adapters.bootstrap import connect
from pms_web.cli.migrate import migrated
from pms_web.cli.servers import read_settings, servers
from pms_web.cli.terminal import progress_bar, show_json, show_table
from pmscore.kernel.errors import InvalidInputError

__all__ = ["replay"]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_TARGET = click.Path(dir_okay=False, writable=True, path_type=Path)


@click.command()
@click.argument("file", type=_FILE)
@click.option("--rooms", help='Rooms of each type as JSON, or a file of it: {"A": 10, "B": 5}.')
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option("--skipped", type=_TARGET, help="Write the rows that are no stay to this file.")
@click.option("--chart", type=_TARGET, help="Write a chart of the occupancy to this SVG file.")
def replay(file: Path, rooms: str | None, as_json: bool, skipped: Path | None, chart: Path | None) -> None:
    """Drive the bookings of FILE through the use cases in time order and report what came of it.

    FILE is CSV, gzipped or not, in the format of the public hotel booking dataset (Antonio, de Almeida, Nunes
    2019). Each replay makes an agency of its own.

    \b
    Example:
      pms replay resort.csv.gz
      pms replay resort.csv --rooms '{"A": 120}' --json --chart occupancy.svg
    """
    from pms_adapters.lab import replay as lab  # noqa: PLC0415 - other commands start without it

    wanted = _rooms(rooms) if rooms is not None else None
    with servers(read_settings(), attach=True) as place:
        migrated(place, is_quiet=as_json)
        with (
            connect(place.settings) as services,
            progress_bar(f"Replaying {file.name}", is_quiet=as_json) as tell,
        ):
            report = lab.run_replay(file, services=services, rooms=wanted, progress=tell)
    if skipped is not None:
        lab.write_skipped(skipped, report.skipped)
    if chart is not None:
        chart.write_text(lab.occupancy_chart(report), encoding="utf-8")
    if as_json:
        show_json(report.to_json())
        return
    show_table(("", ""), report.summary_rows())
    show_table(report.month_headings(), report.month_rows())


def _rooms(text: str) -> Mapping[str, int]:
    """Read numbers of rooms, given as JSON or as the name of a file of it."""
    if not text.lstrip().startswith("{"):
        try:
            text = Path(text).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidInputError("--rooms", "not_readable") from error
    try:
        parsed = json.loads(text)
    except ValueError as error:
        raise InvalidInputError("--rooms", "not_json") from error
    if not isinstance(parsed, dict) or not all(type(each) is int for each in parsed.values()):
        raise InvalidInputError("--rooms", "not_rooms")
    return parsed
