"""``pms rates``: what currencies are worth, so that quotes can be shown in another one than they are paid in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from functools import partial
from itertools import islice
from pathlib import Path
from uuid import UUID

import click
from attrs import frozen

from pms_adapters.bootstrap import Services, connect, with_retries
from pms_adapters.lab.seed import DEMO_AGENCY
from pms_web.cli.reference_rates import opened_rates
from pms_web.cli.servers import read_settings, servers
from pms_web.cli.terminal import progress_bar, say, show_json
from pms_web.services import NOBODY
from pmscore.kernel.ids import AgencyId, RequestId
from pmscore.pricing.model.exchange import ExchangeRate
from pmscore.pricing.use_cases.exchange_rates import MOST_RATES, SetExchangeRates, set_exchange_rates

__all__ = ["rates"]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@frozen(kw_only=True)
class _Contents:
    """What a file holds, known before anything of it is stored."""

    currencies: tuple[str, ...]
    left_out: tuple[str, ...]
    days: int
    first_day: date | None
    last_day: date | None
    rates: int


@click.group()
def rates() -> None:
    """Put in what currencies are worth.

    \b
    Example:
      pms rates import eurofxref.csv
    """


@rates.command("import")
@click.argument("file", type=_FILE)
@click.option("--source", default="European Central Bank", show_default=True, help="Who says so.")
@click.option("--agency", type=click.UUID, default=DEMO_AGENCY, help="Whose rates; the demo's by default.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def import_rates(file: Path, source: str, agency: UUID, as_json: bool) -> None:
    """Put in the euro reference rates of the European Central Bank.

    FILE is the unpacked CSV, of one day or of all: its first line is Date, USD, JPY and so on. The whole file is read
    before anything is stored; a day that is known already is replaced, so the same file may be imported again.

    \b
    Example:
      pms rates import eurofxref.csv
      pms rates import eurofxref-hist.csv --json
    """
    contents = _read(file, source)
    with servers(read_settings(), attach=True) as place, connect(place.settings) as services:
        changed = _store(services, AgencyId(agency), file, source, contents.rates, is_quiet=as_json)
    if as_json:
        show_json({"currencies": [*contents.currencies], "left_out": [*contents.left_out], "days": contents.days,
                   "first_day": contents.first_day, "last_day": contents.last_day,
                   "rates": contents.rates, "changed": changed})  # fmt: skip
        return
    if contents.left_out:
        say(f"Left out, since they are no currencies of today: {', '.join(contents.left_out)}.")
    span = "no day" if contents.last_day is None else f"{contents.first_day} to {contents.last_day}"
    click.echo(
        f"{contents.rates} rates of {len(contents.currencies)} currencies, {span}: {changed} are new or different."
    )


def _read(file: Path, source: str) -> _Contents:
    """Read the file once, to be sure of every line of it."""
    days: set[date] = set()
    count = 0
    with opened_rates(file) as found:
        for rate in found.rates(source):
            days.add(rate.on)
            count += 1
        return _Contents(
            currencies=tuple(each.code for each in found.currencies),
            left_out=found.left_out,
            days=len(days),
            first_day=min(days, default=None),
            last_day=max(days, default=None),
            rates=count,
        )


def _store(
    services: Services, agency_id: AgencyId, file: Path, source: str, total: int, *, is_quiet: bool
) -> int:
    """Store the rates some at a time; return how many say something new."""
    done = changed = 0
    with progress_bar("Importing", is_quiet=is_quiet) as tell, opened_rates(file) as found:
        for batch in _batches(found.rates(source)):
            command = SetExchangeRates(
                request_id=RequestId(services.ids.new()), agency_id=agency_id, actor_id=NOBODY, rates=batch
            )
            changed += with_retries(partial(set_exchange_rates, command, uow=services.uow))
            done += len(batch)
            tell(done, total)
    return changed


def _batches(found: Iterable[ExchangeRate]) -> Iterator[tuple[ExchangeRate, ...]]:
    each = iter(found)
    while batch := tuple(islice(each, MOST_RATES)):
        yield batch
