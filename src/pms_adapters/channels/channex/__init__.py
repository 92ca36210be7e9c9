"""Channex: a hub with an open API that reaches Airbnb, Booking.com, Expedia, Vrbo and Google."""

from __future__ import annotations

from pms_adapters.channels import GATEWAYS
from pms_adapters.channels.channex.gateway import ChannexGateway
from pms_adapters.channels.channex.manifest import MANIFEST

__all__ = ["MANIFEST", "ChannexGateway"]

GATEWAYS.register(MANIFEST.gateway)(ChannexGateway)
