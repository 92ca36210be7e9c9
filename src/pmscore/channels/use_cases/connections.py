"""Connecting a property to a platform, changing that, and ending it.

Owns connections with their lanes and credentials. Leaves asking the platform whether it works to ``checking``,
addresses of ours to ``addresses``, and what is told to it first to the reaction on the events of these.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from attrs import evolve, field, frozen

from pmscore.channels.model.connections import CREDENTIALS_COLUMN, Connection, ConnectionStatus
from pmscore.channels.model.lanes import LaneState
from pmscore.channels.model.manifest import Lane, Manifest, Platform, Standing
from pmscore.channels.ports import ChannelGateway, ChannelMeans, ChannelWork
from pmscore.channels.use_cases.checking import checked
from pmscore.kernel.errors import (
    ConflictError,
    DomainError,
    InvalidInputError,
    StaleVersionError,
)
from pmscore.kernel.events import Command, Decision, Json
from pmscore.kernel.ids import ConnectionId, LaneId, PropertyId
from pmscore.kernel.ports import Clock, IdSource, UnitOfWork
from pmscore.kernel.secrets import Secret
from pmscore.kernel.text import checked_text

__all__ = [
    "AlreadyConnectedError",
    "ChangeConnection",
    "Connect",
    "ConnectionTestFailedError",
    "Disconnect",
    "PlatformNotSupportedError",
    "change_connection",
    "connect",
    "disconnect",
]

_READIEST_FIRST: Final = tuple(Standing)
LONGEST_LISTING: Final = 200
LONGEST_SETTINGS: Final = 20_000
LONGEST_CREDENTIAL: Final = 4_000


class AlreadyConnectedError(ConflictError):
    """The property has a connection to this platform already."""

    code = "already_connected"
    is_retryable = False


class PlatformNotSupportedError(DomainError):
    """No gateway that is installed reaches the platform."""

    code = "platform_not_supported"


class ConnectionTestFailedError(DomainError):
    """The platform was asked before anything was stored, and it does not work."""

    code = "connection_test_failed"


@frozen(kw_only=True)
class Connect(Command):
    """Connect a property to a platform; ``gateway`` empty takes the usual one."""

    property_id: PropertyId
    platform: Platform
    gateway: str = ""
    listing_id: str = ""
    settings: Mapping[str, Json] = field(factory=dict[str, Json])
    credentials: Mapping[str, str] = field(factory=dict[str, str], repr=False)
    is_tested: bool = True


@frozen(kw_only=True)
class ChangeConnection(Command):
    """Change a connection; what is None stays as it is. ``credentials`` replace all that there were."""

    connection_id: ConnectionId
    property_id: PropertyId | None = None
    status: ConnectionStatus | None = None
    listing_id: str | None = None
    settings: Mapping[str, Json] | None = None
    credentials: Mapping[str, str] | None = field(default=None, repr=False)
    version: int | None = None


@frozen(kw_only=True)
class Disconnect(Command):
    """End a connection; its credentials and addresses are forgotten."""

    connection_id: ConnectionId
    version: int | None = None


def connect(
    command: Connect, *, uow: UnitOfWork[ChannelWork], clock: Clock, ids: IdSource, means: ChannelMeans
) -> Connection:
    """Connect a property; one that was connected to the platform before gets its old connection back.

    Without ``is_tested`` the platform is not asked first. Everything is told to it once the event was noted.

    Raises:
        NotFoundError: no such property within reach.
        PlatformNotSupportedError: no gateway reaches the platform, or the one that is named does not.
        ConnectionTestFailedError: the platform was asked, and it does not work.
        AlreadyConnectedError: the property has a live connection to the platform.
        InvalidInputError: field ``credentials``, ``settings`` or ``platform_listing_id``.
        MisconfiguredError: there is no key to seal credentials with.
    """
    gateway, now = _gateway(command.platform, command.gateway, means), clock.now()
    manifest = gateway.manifest
    wanted = Connection(
        connection_id=ConnectionId(ids.new()),
        property_id=command.property_id,
        platform=command.platform,
        gateway=manifest.gateway,
        channel=command.platform.value,
        status=ConnectionStatus.ACTIVE,
        listing_id=_listing(command.listing_id),
        settings=_settings(command.settings),
        sealed=_sealed(command, command.credentials, manifest, means),
        created_at=now,
        updated_at=now,
    )
    with uow.begin(command) as work:
        work.houses.get(command.property_id)
        _require_free(work, command.property_id, command.platform)
    if command.is_tested:
        health = checked(command, wanted, uow=uow, clock=clock, ids=ids, means=means)
        if not health.is_healthy:
            raise ConnectionTestFailedError(message=health.message, error_code=health.error_code)
    with uow.begin(command) as work:
        _require_free(work, command.property_id, command.platform)
        earlier = work.connections.find_deleted(command.property_id, command.platform)
        made = wanted.connected() if earlier is None else earlier.revived(wanted, now)
        if earlier is None:
            work.connections.add(made.state)
        else:
            work.connections.save(made.state)
        _open_lanes(work, made.state, manifest, now, ids)
        work.record(*made.events)
        work.commit()
    return made.state


def change_connection(
    command: ChangeConnection, *, uow: UnitOfWork[ChannelWork], clock: Clock, means: ChannelMeans
) -> Connection:
    """Change a connection; other credentials or another listing make everything be told again.

    Raises:
        NotFoundError: no such connection, or property, within reach.
        AlreadyConnectedError: the other property has a live connection to the platform.
        StaleVersionError: it has changed since it was read.
        InvalidInputError: as for :func:`connect`.
        MisconfiguredError: there is no key to seal credentials with.
    """
    now = clock.now()
    with uow.begin(command) as work:
        connection = work.connections.get(command.connection_id)
        _require_version(connection, command.version)
        decision = connection.changed(_wanted(command, connection, work, means), now)
        if decision.events:
            _save(work, decision)
            if connection.status is not decision.state.status and decision.state.syncs:
                for each in work.lanes.of(connection.connection_id):
                    work.lanes.wake(each.lane_id, now)
            work.commit()
    return decision.state


def disconnect(command: Disconnect, *, uow: UnitOfWork[ChannelWork], clock: Clock) -> None:
    """End a connection. Bookings that came through it stay.

    Raises:
        NotFoundError: no such connection within reach.
        StaleVersionError: it has changed since it was read.
    """
    with uow.begin(command) as work:
        connection = work.connections.get(command.connection_id)
        _require_version(connection, command.version)
        _save(work, connection.deleted(clock.now()))
        work.commit()


def _gateway(platform: Platform, named: str, means: ChannelMeans) -> ChannelGateway:
    """Return the gateway by its name, else the one that anybody can use, the platform's own first."""
    reaching = {
        name: each for name, each in sorted(means.gateways.items()) if platform in each.manifest.platforms
    }
    found = reaching.get(named) if named else min(reaching.values(), key=_effort, default=None)
    if found is None:
        raise PlatformNotSupportedError(platform=platform.value)
    return found


def _effort(gateway: ChannelGateway) -> tuple[int, bool]:
    """Return how much it takes to use a gateway: an account as a partner is more than all else."""
    manifest = gateway.manifest
    return _READIEST_FIRST.index(manifest.standing), len(manifest.platforms) > 1


def _wanted(
    command: ChangeConnection, connection: Connection, work: ChannelWork, means: ChannelMeans
) -> Connection:
    wanted = connection
    if command.property_id is not None and command.property_id != connection.property_id:
        work.houses.get(command.property_id)
        _require_free(work, command.property_id, connection.platform)
        wanted = evolve(wanted, property_id=command.property_id)
    if command.status is not None:
        wanted = evolve(wanted, status=command.status)
    if command.listing_id is not None:
        wanted = evolve(wanted, listing_id=_listing(command.listing_id))
    if command.settings is not None:
        wanted = evolve(wanted, settings=_settings(command.settings))
    if command.credentials is not None:
        gateway = means.gateways.get(connection.gateway)
        if gateway is None:
            raise PlatformNotSupportedError(platform=connection.platform.value)
        wanted = evolve(wanted, sealed=_sealed(command, command.credentials, gateway.manifest, means))
    return wanted


def _sealed(
    command: Command, credentials: Mapping[str, str], manifest: Manifest, means: ChannelMeans
) -> str | None:
    known = {each.name for each in manifest.credentials}
    for name, text in credentials.items():
        if name not in known and name.partition(".")[0] not in known:
            raise InvalidInputError("credentials", "unknown_value", allowed=", ".join(sorted(known)))
        checked_text(text, field="credentials", longest=LONGEST_CREDENTIAL)
    if not credentials:
        return None
    return means.box.seal(
        command.agency_id, CREDENTIALS_COLUMN, Secret(json.dumps({**credentials}, sort_keys=True))
    )


def _settings(settings: Mapping[str, Json]) -> Mapping[str, Json]:
    if len(json.dumps({**settings})) > LONGEST_SETTINGS:
        raise InvalidInputError("platform_metadata", "too_long", longest=LONGEST_SETTINGS)
    return settings


def _listing(text: str) -> str:
    return checked_text(text, field="platform_listing_id", longest=LONGEST_LISTING, may_be_empty=True)


def _require_free(work: ChannelWork, property_id: PropertyId, platform: Platform) -> None:
    if work.connections.find_live(property_id, platform) is not None:
        raise AlreadyConnectedError(platform=platform.value)


def _require_version(connection: Connection, version: int | None) -> None:
    if version not in {None, connection.version}:
        raise StaleVersionError(connection_id=str(connection.connection_id))


def _open_lanes(
    work: ChannelWork, connection: Connection, manifest: Manifest, now: datetime, ids: IdSource
) -> None:
    """Add the lanes that the gateway has and the connection has not; wake those that there are."""
    known = {each.lane: each for each in work.lanes.of(connection.connection_id)}
    for lane in sorted(manifest.lanes):
        if lane in known:
            work.lanes.wake(known[lane].lane_id, now)
            continue
        work.lanes.add(
            LaneState(
                lane_id=LaneId(ids.new()),
                connection_id=connection.connection_id,
                lane=lane,
                next_at=now if lane is Lane.BOOKINGS else None,
            )
        )


def _save(work: ChannelWork, decision: Decision[Connection]) -> None:
    work.connections.save(decision.state)
    work.record(*decision.events)
