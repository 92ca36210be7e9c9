"""Gateways to platforms, one folder each: a manifest, a codec, and a client without any state.

Owns the registry and finding the gateways of other distributions (entry points of the group ``pms.channels``, each a
``GatewayFactory`` under the name of its gateway). One that cannot be loaded harms no other. Leaves what a gateway
promises to ``pmscore.channels.ports``; the folders never import each other.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Final, TypeAlias

from pms_adapters.http.wire import Wire
from pmscore.channels.ports import ChannelGateway
from pmscore.kernel.ports import Clock
from pmscore.kernel.registry import Registry

__all__ = ["GATEWAYS", "GROUP", "GatewayFactory", "made_gateways"]

GatewayFactory: TypeAlias = Callable[[Wire, Clock], ChannelGateway]
"""Makes a gateway that speaks through a wire."""

GROUP: Final = "pms.channels"
GATEWAYS: Final[Registry[GatewayFactory]] = Registry("gateway", "pms_adapters.channels")
"""The gateways of this distribution; a folder registers its own when it is imported."""

_log = logging.getLogger("pms_adapters.channels")


def made_gateways(
    wire: Wire, clock: Clock, *, points: Iterable[EntryPoint] | None = None
) -> Mapping[str, ChannelGateway]:
    """Return every gateway by its name: those of this distribution, then those of others.

    ``points`` stands in for the entry points that are installed. One that fails to load, calls itself another name or
    takes a name that is taken is left out, with a line in the log.
    """
    made = {name: factory(wire, clock) for name, factory in GATEWAYS}
    for point in entry_points(group=GROUP) if points is None else points:
        try:
            gateway = point.load()(wire, clock)
            name = gateway.manifest.gateway
        except Exception as error:  # noqa: BLE001 - a gateway of anybody's may fail in any way
            _log.warning("gateway %s could not be loaded: %s", point.name, type(error).__name__)
            continue
        if name != point.name or name in made:
            _log.warning("gateway %s is left out: it calls itself %s, or the name is taken", point.name, name)
            continue
        made[name] = gateway
    return made
