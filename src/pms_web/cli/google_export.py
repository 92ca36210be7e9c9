"""``pms google-export``: what Google's hotel prices should know of a house, as files.

Owns the options and where files go. Leaves what is in them to the gateway. Nothing is sent and nothing is noted as
sent.
"""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import click

from pms_adapters.lab.seed import DEMO_AGENCY
from pms_web.cli.people import Desk, desk
from pms_web.cli.terminal import say
from pmscore.channels.model.ari import AriRows
from pmscore.channels.model.connections import Connection
from pmscore.channels.model.manifest import Lane, Manifest
from pmscore.channels.model.mappings import MappingBook
from pmscore.channels.use_cases.checking import stands_at
from pmscore.channels.use_cases.wanting import wanted
from pmscore.channels.views.desired import keys_of
from pmscore.dates.ranges import DateRange
from pmscore.dates.zones import local_date
from pmscore.kernel.ids import PropertyId
from pmscore.kernel.paging import Page

__all__ = ["google_export"]


@click.command("google-export")
@click.option(
    "--agency", type=click.UUID, default=DEMO_AGENCY, help="In which agency; the demo's by default."
)
@click.option("--property", "named", type=click.UUID, help="Which property; the only one with a connection.")
@click.option(
    "--out",
    "folder",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the files go; files of the same names are replaced.",
)
@click.option(
    "--language", default="en", show_default=True, help="In which language rooms and plans have their names."
)
def google_export(agency: UUID, named: UUID | None, folder: Path, language: str) -> None:
    """Write what Google's hotel prices should know of a house as files, in the order in which to send them.

    That takes a connection by the gateway google_ari with mapped rooms and plans, and no account: a partner can load the files, and
    anybody can look at what would be sent. Nothing is sent, and the connection need not be active.

    \b
    Example:
      pms google-export --out google-files
    """
    from pms_adapters.channels.google import MANIFEST  # noqa: PLC0415 - other commands start without it
    from pms_adapters.channels.google.export import exported  # noqa: PLC0415 - other commands start without it

    with desk(agency) as at:
        connection, property_id = _connection(at, named, MANIFEST.gateway)
        parts = at.services
        stands = stands_at(
            at.question, connection, {}, uow=parts.uow, clock=parts.clock, means=parts.channels
        )
        if not (stands.mappings.rooms or stands.mappings.rates):
            raise click.UsageError("Nothing is mapped yet: say which room and plan is which there.")
        (house,) = parts.channels.availability(at.agency_id).houses((property_id,))
        with parts.uow.begin(at.question) as work:
            book = work.prices.find(property_id)
        nights = DateRange.of(local_date(stands.now, stands.zone), MANIFEST.horizon_days)
        rows = {
            lane: _rows(at, connection, stands.mappings, MANIFEST, lane, nights) for lane in MANIFEST.messages
        }
        files = exported(stands, house, book, rows, language=language)
    folder.mkdir(parents=True, exist_ok=True)
    for each in files:
        (folder / each.name).write_bytes(each.body)
        say(f"{folder / each.name} ({len(each.body):,} bytes)")


def _connection(at: Desk, named: UUID | None, gateway: str) -> tuple[Connection, PropertyId]:
    """Return the connection of a property by the gateway, or the only one there is, and whose it is."""
    wanted_id = None if named is None else PropertyId(named)
    with at.services.uow.begin(at.question) as work:
        found = work.connections.find(wanted_id, Page(limit=100))
    ours = [
        (each, each.property_id)
        for each in found.items
        if each.gateway == gateway and each.property_id is not None
    ]
    if not ours:
        raise click.UsageError(
            f"No property is connected by the gateway {gateway}: connect one to google first."
        )
    if len(ours) > 1:
        raise click.UsageError("Several properties have such a connection: name one by --property.")
    return ours[0]


def _rows(
    at: Desk, connection: Connection, mappings: MappingBook, manifest: Manifest, lane: Lane, nights: DateRange
) -> AriRows:
    parts = at.services
    return wanted(
        at.question,
        connection,
        mappings,
        manifest,
        nights,
        keys_of(mappings, manifest, lane),
        uow=parts.uow,
        clock=parts.clock,
        means=parts.channels,
    ).rows
