"""Expedia QuickConnect: what a house has is told (AR), what was sold is fetched (BR) and confirmed (BC)."""

from __future__ import annotations

from pms_adapters.channels import GATEWAYS
from pms_adapters.channels.expedia.gateway import ExpediaGateway
from pms_adapters.channels.expedia.manifest import MANIFEST

__all__ = ["MANIFEST", "ExpediaGateway"]

GATEWAYS.register(MANIFEST.gateway)(ExpediaGateway)
