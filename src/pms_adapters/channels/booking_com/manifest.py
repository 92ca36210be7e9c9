"""What the gateway to Booking.com can, and what Booking.com publishes about limits.

Owns the manifest. Thirty exchanges of a token an hour are published, and five seconds between an acknowledgement and
the next look; sixty messages a minute are our own manners.
"""

from __future__ import annotations

from typing import Final

from pms_adapters.channels.booking_com.mapping import CLIENT_ID, CLIENT_SECRET, RULES
from pmscore.channels.model.manifest import (
    CallGroup,
    CallKind,
    Lane,
    Manifest,
    Platform,
    Standing,
    Window,
)
from pmscore.pricing.views.matrix_rows import MatrixField

__all__ = ["MANIFEST"]

MANIFEST: Final = Manifest(
    gateway="booking_ota",
    title="Booking.com",
    platforms=frozenset({Platform.BOOKING_COM}),
    standing=Standing.NEEDS_ACCOUNT,
    lane_standings={Lane.AVAILABILITY: Standing.FORMAT_ONLY, Lane.PRICING: Standing.FORMAT_ONLY},
    evidence=(
        "public documentation: https://developers.booking.com/connectivity/docs; it has no examples to hold a reader to",
        "reservations, changes and both words for cancellations in the shape that it describes, by tests",
        "acknowledgements, availability and rates are valid by the OTA schemas of 2003B, each night by itself",
        "never run against Booking.com, which takes no new partners at present: use Channex or calendar feeds",
        "the thirty exchanges an hour are of a partner's account, and are counted for each connection here",
        "each connection asks for its own property alone; that has to be agreed upon before a certification",
    ),
    lanes=frozenset(Lane),
    messages={
        Lane.AVAILABILITY: (frozenset({MatrixField.SELLABLE}),),
        Lane.PRICING: (frozenset({MatrixField.RATE}), RULES),
    },
    has_occupancies=True,
    horizon_days=500,
    most_entries=500,
    most_nights=1,
    calls=(
        CallGroup(
            name="token",
            kinds=frozenset({CallKind.TOKEN, CallKind.CHECK}),
            windows=(Window(calls=30, seconds=3600),),
        ),
        CallGroup(
            name="reservations",
            kinds=frozenset({CallKind.PULL}),
            counted=frozenset({CallKind.ACKNOWLEDGE}),
            windows=(Window(calls=1, seconds=5),),
        ),
        CallGroup(
            name="ari",
            kinds=frozenset({CallKind.PUSH_AVAILABILITY, CallKind.PUSH_PRICING}),
            windows=(Window(calls=60, seconds=60),),
        ),
    ),
    poll_seconds=20,
    most_acknowledged=50,
    needs_token=True,
    partner_settings=(CLIENT_ID, CLIENT_SECRET),
    base_urls={
        "production": "https://supply-xml.booking.com",
        "production.reservations": "https://secure-supply-xml.booking.com",
        "production.token": "https://connectivity-authentication.booking.com",
    },
)
