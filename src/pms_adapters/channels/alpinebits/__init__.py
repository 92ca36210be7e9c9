"""AlpineBits: an open interface between hotel software and portals in the Alps, by a small part of OpenTravel's XML."""

from __future__ import annotations

from pms_adapters.channels import GATEWAYS
from pms_adapters.channels.alpinebits.gateway import AlpineBitsGateway
from pms_adapters.channels.alpinebits.manifest import MANIFEST

__all__ = ["MANIFEST", "AlpineBitsGateway"]

GATEWAYS.register(MANIFEST.gateway)(AlpineBitsGateway)
