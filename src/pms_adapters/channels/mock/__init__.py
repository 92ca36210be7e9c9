"""Mock mode: every gateway answers as if all were well, and nothing leaves the house."""

from __future__ import annotations

from pms_adapters.channels.mock.gateway import MockGateway, mocked

__all__ = ["MockGateway", "mocked"]
