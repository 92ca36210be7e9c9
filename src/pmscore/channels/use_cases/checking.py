"""Asking a platform whether a connection works.

Owns what is said without a call: a connection that does not sync, a gateway that is not there, credentials that are
missing. Leaves the call to the gateway; it is counted among those that the platform limits.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TypeVar

from attrs import evolve, frozen

from pmscore.channels.model.calls import At, Health
from pmscore.channels.model.connections import CREDENTIALS_COLUMN, Connection
from pmscore.channels.model.manifest import CallKind, Manifest
from pmscore.channels.ports import ChannelGateway, ChannelMeans, ChannelWork
from pmscore.kernel.events import Command, Json
from pmscore.kernel.ids import CallId, ConnectionId
from pmscore.kernel.ports import Clock, IdSource, UnitOfWork
from pmscore.kernel.secrets import Secret

__all__ = [
    "CheckConnection",
    "Checked",
    "check_connection",
    "checked",
    "counted",
    "opened",
    "stands_at",
]

AnswerT = TypeVar("AnswerT")


@frozen(kw_only=True)
class CheckConnection(Command):
    """Ask whether a connection works."""

    connection_id: ConnectionId


@frozen
class Checked:
    """A connection and how it is."""

    connection: Connection
    health: Health


def check_connection(
    command: CheckConnection,
    *,
    uow: UnitOfWork[ChannelWork],
    clock: Clock,
    ids: IdSource,
    means: ChannelMeans,
) -> Checked:
    """Return how a connection is; nothing about it is changed.

    Raises:
        NotFoundError: no such connection within reach.
    """
    with uow.begin(command) as work:
        connection = work.connections.read(command.connection_id)
    return Checked(connection, checked(command, connection, uow=uow, clock=clock, ids=ids, means=means))


def checked(
    command: Command,
    connection: Connection,
    *,
    uow: UnitOfWork[ChannelWork],
    clock: Clock,
    ids: IdSource,
    means: ChannelMeans,
) -> Health:
    """Return how a connection is or would be, one that is not stored yet included."""
    gateway = means.gateways.get(connection.gateway)
    if gateway is None or connection.property_id is None:
        message = f"{connection.gateway} integration is disabled. Contact support to enable."
        return _flagged(Health(is_healthy=False, message=message, error_code="INTEGRATION_DISABLED"), means)
    if means.is_mock:
        health = gateway.check(stands_at(command, connection, {}, uow=uow, clock=clock, means=means))
        return _flagged(health, means)
    if not connection.syncs:
        details: dict[str, Json] = {"connection_status": connection.status.value}
        message = f"Connection is {connection.status.value}"
        health = Health(is_healthy=False, message=message, error_code="CONNECTION_INACTIVE", details=details)
        return _flagged(health, means)
    credentials = opened(command, connection, means)
    missing = _missing(gateway.manifest, credentials)
    if missing:
        details = {"required_fields": list(missing)}
        message = f"{gateway.manifest.title} credentials not configured. Add {' and '.join(missing)}."
        health = Health(is_healthy=False, message=message, error_code="CREDENTIALS_MISSING", details=details)
        return _flagged(health, means)
    at = stands_at(command, connection, credentials, uow=uow, clock=clock, means=means)
    return _flagged(_called(command, gateway, at, uow=uow, clock=clock, ids=ids), means)


def _called(
    command: Command,
    gateway: ChannelGateway,
    at: At,
    *,
    uow: UnitOfWork[ChannelWork],
    clock: Clock,
    ids: IdSource,
) -> Health:
    """Make the call where the limits of the platform leave room for it."""
    health = counted(command, at, gateway.manifest, lambda: gateway.check(at), uow=uow, clock=clock, ids=ids)
    return health or Health(
        is_healthy=False,
        message="The platform limits how often it may be asked; try again in a minute.",
        error_code="RATE_LIMITED",
    )


def counted(
    command: Command,
    at: At,
    manifest: Manifest,
    call: Callable[[], AnswerT],
    *,
    uow: UnitOfWork[ChannelWork],
    clock: Clock,
    ids: IdSource,
) -> AnswerT | None:
    """Return the answer of a call, counted among those that the platform limits; None where it may not go now."""
    call_id = CallId(ids.new())
    groups = tuple(
        (f"{at.connection.connection_id}:{each.name}", each) for each in manifest.groups(CallKind.CHECK)
    )
    if groups:
        with uow.begin(command) as work:
            wait = work.calls.reserve(groups, call_id, now=clock.now())
            work.commit()
        if wait:
            return None
    found = call()
    if groups:
        with uow.begin(command) as work:
            work.calls.end(call_id, now=clock.now())
            work.commit()
    return found


def stands_at(
    command: Command,
    connection: Connection,
    credentials: Mapping[str, Secret],
    *,
    uow: UnitOfWork[ChannelWork],
    clock: Clock,
    means: ChannelMeans,
) -> At:
    """Return on whose behalf a gateway is asked something about a connection now."""
    wanted = () if connection.property_id is None else (connection.property_id,)
    (house,) = means.availability(command.agency_id).houses(wanted)
    with uow.begin(command) as work:
        mappings = work.mappings.book(connection.connection_id)
    return At(
        connection=connection,
        credentials=credentials,
        token=None,
        partner=means.partner,
        mappings=mappings,
        zone=house.property.zone,
        currency=house.property.currency,
        now=clock.now(),
    )


def opened(command: Command, connection: Connection, means: ChannelMeans) -> Mapping[str, Secret]:
    """Return the credentials of a connection."""
    if connection.sealed is None:
        return {}
    opened = means.box.open(command.agency_id, CREDENTIALS_COLUMN, connection.sealed)
    named: dict[str, str] = json.loads(opened.reveal())
    return {name: Secret(value) for name, value in named.items()}


def _missing(manifest: Manifest, credentials: Mapping[str, Secret]) -> tuple[str, ...]:
    """Return the credentials that are required and not there; one may be given once a room, as ``name.room``."""
    given = {name.partition(".")[0] for name in credentials}
    return tuple(each.name for each in manifest.credentials if each.is_required and each.name not in given)


def _flagged(health: Health, means: ChannelMeans) -> Health:
    details: dict[str, Json] = {**health.details, "mock_mode": means.is_mock}
    if health.error_code:
        details["error_code"] = health.error_code
    return evolve(health, details=details)
