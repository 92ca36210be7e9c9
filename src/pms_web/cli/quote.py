"""``pms quote``: what a stay costs, why, and why not."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import click

from pms_adapters.lab.seed import DEMO_AGENCY
from pms_web.cli.quoted_case import QuotedCase, quoted_case
from pms_web.cli.quoted_stay import QuotedStay, Wish, quoted_stay
from pms_web.cli.servers import read_settings, servers
from pms_web.cli.terminal import show_json
from pms_web.wiring import connected, whoever_serves
from pmscore.dates.nights import StayRange
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.ids import AgencyId, RequestId
from pmscore.kernel.reading import moved
from pmscore.pricing.model.guests import GuestParty

__all__ = ["quote"]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEEDED = "Give --case FILE, or else --property, --arrival and --departure."


@click.command()
@click.option("--case", "file", type=_FILE, help="Work out the case in this file, without a database.")
@click.option("--property", "property_name", help="Ask for a stay in this property: its name or id.")
@click.option("--arrival", help="The first night: 2027-07-03.")
@click.option("--departure", help="The day of leaving.")
@click.option("--adults", default=2, show_default=True, help="How many adults.")
@click.option("--age", "ages", type=int, multiple=True, help="The age of a child; once for each.")
@click.option("--pets", default=0, help="How many pets.")
@click.option("--type", "types", multiple=True, help="Only this unit type: its name or id.")
@click.option("--plan", "plans", multiple=True, help="Only this rate plan.")
@click.option("--code", "codes", multiple=True, help="A promotion code.")
@click.option("--extra", "extras", multiple=True, help="The code of a fee that the guest chooses.")
@click.option("--currency", help="Show what is due in this currency as well: USD.")
@click.option("--channel", default="direct", show_default=True, help="Who sells the stay.")
@click.option("--agency", type=click.UUID, default=DEMO_AGENCY, help="Whose property; the demo's by default.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print lines, totals, refusals and explanations as JSON."
)
@click.pass_context
def quote(
    ctx: click.Context,
    file: Path | None,
    property_name: str | None,
    arrival: str | None,
    departure: str | None,
    adults: int,
    ages: tuple[int, ...],
    pets: int,
    types: tuple[str, ...],
    plans: tuple[str, ...],
    codes: tuple[str, ...],
    extras: tuple[str, ...],
    currency: str | None,
    channel: str,
    agency: UUID,
    as_json: bool,
) -> None:
    """Price a stay, and show where every amount comes from.

    A case is one JSON document with a house, its prices, a request and, if you like, what ought to come out. Where it
    says that, the command names every difference and ends with 1. Without a case the stay is priced in a property of
    the database; nothing is stored. It ends with 1 where nothing is offered.

    \b
    Example:
      pms quote --case stay.json
      pms quote --case stay.json --json
      pms quote --property "Hotel Miradouro" --arrival 2027-07-03 --departure 2027-07-10 --adults 2 --age 7
      pms quote --property "Hotel Miradouro" --arrival 2027-07-03 --departure 2027-07-10 --currency USD
    """
    if file is not None:
        if property_name or arrival or departure or currency:
            raise click.UsageError("A case has its own request. " + _NEEDED)
        case = quoted_case(file)
        _show(case, as_json=as_json)
        ctx.exit(0 if case.is_good else 1)
    if not property_name or not arrival or not departure:
        raise click.UsageError(_NEEDED)
    wish = Wish(
        property_name=property_name,
        stay=StayRange.parse(arrival, departure),
        party=GuestParty(adults=adults, ages=ages, pets=pets),
        types=types,
        plans=plans,
        codes=codes,
        extras=extras,
        channel=channel,
        currency=None if currency is None else _currency(currency),
    )
    with (
        servers(read_settings(), attach=True) as place,
        connected(place.settings, AgencyId(agency)) as here,
    ):
        services = here.of(whoever_serves(AgencyId(agency)), RequestId(here.ids.new()))
        stay = quoted_stay(wish, services)
        _show(stay, as_json=as_json)
    ctx.exit(0 if stay.found.quotes else 1)


def _currency(code: str) -> Currency:
    try:
        return Currency.of(code.upper())
    except InvalidInputError as error:
        raise moved(error, "--currency") from error


def _show(found: QuotedCase | QuotedStay, *, as_json: bool) -> None:
    if as_json:
        show_json(found.to_json())
    else:
        found.show()
