"""Asking a platform which rooms and rates it has, so that somebody can say which of them are ours.

Owns the question. Leaves the pairs to ``mappings``, and the call, which is counted among those that the platform
limits, to the gateway.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from pmscore.channels.model.calls import OutcomeKind, RemoteRoom
from pmscore.channels.ports import ChannelMeans, ChannelWork
from pmscore.channels.use_cases.checking import counted, opened, stands_at
from pmscore.channels.use_cases.gateways import gateway_of
from pmscore.kernel.errors import NotFoundError, PortError
from pmscore.kernel.events import Command
from pmscore.kernel.ids import ConnectionId
from pmscore.kernel.ports import Clock, IdSource, UnitOfWork
from pmscore.kernel.secrets import Secret

__all__ = ["ListRooms", "ListedRooms", "PlatformUnavailableError", "list_rooms"]


class PlatformUnavailableError(PortError):
    """A platform did not answer what was asked: ``outcome`` says how, ``said`` what it said."""

    code = "platform_unavailable"
    is_retryable = True


@frozen(kw_only=True)
class ListRooms(Command):
    """Ask which rooms and rates a platform has."""

    connection_id: ConnectionId


@frozen
class ListedRooms:
    """The rooms of a platform; where it ``is_listed`` not, the gateway cannot know them."""

    rooms: tuple[RemoteRoom, ...]
    is_listed: bool


def list_rooms(
    command: ListRooms, *, uow: UnitOfWork[ChannelWork], clock: Clock, ids: IdSource, means: ChannelMeans
) -> ListedRooms:
    """Return the rooms and rates that the platform of a connection knows; nothing is changed.

    Raises:
        NotFoundError: no such connection within reach, or it is of no property.
        MisconfiguredError: its gateway is not installed.
        PlatformUnavailableError: the platform was not asked, because of its limits, or did not answer.
    """
    with uow.begin(command) as work:
        connection = work.connections.read(command.connection_id)
    if connection.property_id is None:
        raise NotFoundError("property", None)
    gateway = gateway_of(connection, means)
    if not gateway.manifest.lists_rooms:
        return ListedRooms((), is_listed=False)
    credentials: Mapping[str, Secret] = {} if means.is_mock else opened(command, connection, means)
    at = stands_at(command, connection, credentials, uow=uow, clock=clock, means=means)
    answer = counted(command, at, gateway.manifest, lambda: gateway.rooms(at), uow=uow, clock=clock, ids=ids)
    if answer is None:
        raise PlatformUnavailableError(outcome=OutcomeKind.BUSY.value, said="rate_limited")
    outcome, rooms = answer
    if outcome.kind is not OutcomeKind.DONE:
        raise PlatformUnavailableError(outcome=outcome.kind.value, said=outcome.error)
    return ListedRooms(rooms, is_listed=True)
