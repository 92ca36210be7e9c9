"""Google's hotel prices: availability, rates and rules as files, and sent where the deployment has a partner key."""

from __future__ import annotations

from pms_adapters.channels import GATEWAYS
from pms_adapters.channels.google.gateway import GoogleGateway
from pms_adapters.channels.google.manifest import MANIFEST

__all__ = ["MANIFEST", "GoogleGateway"]

GATEWAYS.register(MANIFEST.gateway)(GoogleGateway)
