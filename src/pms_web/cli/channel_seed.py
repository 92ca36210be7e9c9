"""``pms channel-seed``: one connection for trying things out, made or brought back to what is asked for.

Leaves connections of real platforms to the HTTP interface, which asks the platform first and takes credentials.
"""

from __future__ import annotations

import json
import re
from uuid import UUID

import click

from pms_adapters.lab.seed import DEMO_AGENCY
from pms_web.cli.people import Desk, desk
from pms_web.cli.terminal import say
from pmscore.channels.model.connections import Connection, ConnectionStatus
from pmscore.channels.model.manifest import Platform
from pmscore.channels.use_cases.connections import ChangeConnection, Connect, change_connection, connect
from pmscore.channels.use_cases.purging import PURGE_PHRASE, PurgeLogs, preview_purge, purge_logs
from pmscore.kernel.errors import NotFoundError
from pmscore.kernel.events import Json
from pmscore.kernel.ids import PropertyId

__all__ = ["channel_seed"]

_WRITTEN = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def _id(_: click.Context, __: click.Parameter, value: str | None) -> UUID | None:
    """Return an id as it is written everywhere: in lower case, with its hyphens."""
    if value is None:
        return None
    if not _WRITTEN.fullmatch(value):
        raise click.BadParameter(f"Invalid UUID format: {value!r}")
    return UUID(value)


@click.command("channel-seed")
@click.option(
    "--agency",
    "--agency-id",
    callback=_id,
    default=str(DEMO_AGENCY),
    help="In which agency; the demo's by default.",
)
@click.option(
    "--property",
    "--property-id",
    "property_id",
    callback=_id,
    help="Which property; the first one by default.",
)
@click.option(
    "--platform-type",
    type=click.Choice([each.value for each in Platform]),
    default="airbnb",
    show_default=True,
    help="Which platform.",
)
@click.option(
    "--status",
    type=click.Choice([each.value for each in ConnectionStatus]),
    default="active",
    show_default=True,
    help="Only active ones are synchronised.",
)
@click.option(
    "--platform-listing-id", default="airbnb_listing_789", show_default=True, help="Its name there."
)
@click.option("--metadata", default="{}", show_default=True, help="A JSON object for the gateway.")
@click.option("--print-cid", is_flag=True, help="Print the id and nothing else.")
@click.option("--reset", "--purge-logs", "resets", is_flag=True, help="Delete the log of this connection.")
@click.option("--yes", "is_sure", is_flag=True, help="Delete it without asking.")
def channel_seed(
    agency: UUID,
    property_id: UUID | None,
    platform_type: str,
    status: str,
    platform_listing_id: str,
    metadata: str,
    print_cid: bool,
    resets: bool,
    is_sure: bool,
) -> None:
    """Make a connection of a property to a platform, or bring the one that there is to what is asked for.

    The platform is not asked. Repeating it changes nothing; a connection that was deleted comes back. With --reset the log
    of this one connection is deleted, after a question unless --yes is there.

    \b
    Example:
      pms channel-seed --platform-type channex --print-cid
    """
    settings = _object(metadata)
    with desk(agency) as at:
        found = _seeded(at, property_id, Platform(platform_type), platform_listing_id, settings)
        wanted = ChangeConnection(
            **at.asking,
            connection_id=found.connection_id,
            status=ConnectionStatus(status),
            listing_id=platform_listing_id,
            settings=settings,
        )
        parts = at.services
        seeded = change_connection(wanted, uow=parts.uow, clock=parts.clock, means=parts.channels)
        if resets:
            _reset(at, seeded, is_sure=is_sure)
    if print_cid:
        click.echo(str(seeded.connection_id))
        return
    say("CHANNEL CONNECTION SEEDED")
    for name, text in (
        ("Connection ID", seeded.connection_id),
        ("Agency ID", agency),
        ("Channel", seeded.channel),
        ("Platform Type", seeded.platform.value),
        ("Status", seeded.status.value),
    ):
        click.echo(f"{name}: {text}")


def _seeded(
    at: Desk, named: UUID | None, platform: Platform, listing_id: str, settings: dict[str, Json]
) -> Connection:
    parts = at.services
    property_id = PropertyId(named) if named else _first_property(at)
    with parts.uow.begin(at.question) as work:
        found = work.connections.find_live(property_id, platform)
    if found is not None:
        return found
    command = Connect(
        **at.asking,
        property_id=property_id,
        platform=platform,
        listing_id=listing_id,
        settings=settings,
        is_tested=False,
    )
    return connect(command, uow=parts.uow, clock=parts.clock, ids=parts.ids, means=parts.channels)


def _reset(at: Desk, connection: Connection, *, is_sure: bool) -> None:
    """Delete the log of a connection, once somebody has said that it is meant."""
    parts = at.services
    meant = PurgeLogs(
        **at.asking, connection_id=connection.connection_id, retention_days=None, phrase=PURGE_PHRASE
    )
    if not is_sure:
        found = preview_purge(meant, uow=parts.uow, clock=parts.clock).total
        say(f"Found {found} sync logs for connection {connection.connection_id}")
        click.confirm("Delete all sync logs for this connection?", abort=True, err=True)
    deleted = purge_logs(meant, uow=parts.uow, clock=parts.clock)
    say(f"✓ Purged {deleted} sync logs{' (--yes flag)' if is_sure else ''}")


def _first_property(at: Desk) -> PropertyId:
    houses = at.services.channels.availability(at.agency_id).houses()
    if not houses:
        raise NotFoundError("property", None)
    return houses[0].property.property_id


def _object(text: str) -> dict[str, Json]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise click.BadParameter("Invalid JSON for --metadata: a JSON object is needed.")
    return found
