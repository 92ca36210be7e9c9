"""Calendar feeds (RFC 5545): the way to any platform that reads and writes them, without prices and without haste."""

from __future__ import annotations

from pms_adapters.channels import GATEWAYS
from pms_adapters.channels.ical.gateway import IcalGateway
from pms_adapters.channels.ical.manifest import MANIFEST
from pms_adapters.channels.ical.writer import calendar_tag, written_calendar

__all__ = ["MANIFEST", "IcalGateway", "calendar_tag", "written_calendar"]

GATEWAYS.register(MANIFEST.gateway)(IcalGateway)
