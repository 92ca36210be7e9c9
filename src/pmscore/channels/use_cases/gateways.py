"""The gateway of a connection, where the deployment has it.

Owns the one error that says it has not. Whoever can go on without a gateway asks ``means.gateways`` itself.
"""

from __future__ import annotations

from pmscore.channels.model.connections import Connection
from pmscore.channels.model.manifest import Manifest
from pmscore.channels.ports import ChannelGateway, ChannelMeans
from pmscore.kernel.errors import MisconfiguredError

__all__ = ["gateway_of", "manifest_of"]


def gateway_of(connection: Connection, means: ChannelMeans) -> ChannelGateway:
    """Return the gateway of a connection.

    Raises:
        MisconfiguredError: it is not installed.
    """
    gateway = means.gateways.get(connection.gateway)
    if gateway is None:
        raise MisconfiguredError(gateway=connection.gateway)
    return gateway


def manifest_of(connection: Connection, means: ChannelMeans) -> Manifest:
    """Return what the gateway of a connection can.

    Raises:
        MisconfiguredError: it is not installed.
    """
    return gateway_of(connection, means).manifest
