"""Booking.com: OTA messages of release 2003B, for partners that Booking.com has certified."""

from __future__ import annotations

from pms_adapters.channels import GATEWAYS
from pms_adapters.channels.booking_com.gateway import BookingComGateway
from pms_adapters.channels.booking_com.manifest import MANIFEST

__all__ = ["MANIFEST", "BookingComGateway"]

GATEWAYS.register(MANIFEST.gateway)(BookingComGateway)
