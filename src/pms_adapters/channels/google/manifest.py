"""What the gateway to Google can: say nights, and nothing else.

Owns the manifest. Nothing is sold there: a guest is led to the house's own page or to a platform, so no bookings
come. The limit is our own manners; Google names none in public.
"""

from __future__ import annotations

from typing import Final

from pms_adapters.channels.google.mapping import PARTNER_KEY, RULES
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
    gateway="google_ari",
    title="Google hotel prices",
    platforms=frozenset({Platform.GOOGLE}),
    standing=Standing.NEEDS_ACCOUNT,
    evidence=(
        "public documentation: https://developers.google.com/hotels/hotel-prices",
        "inventory, rates, availability and property data in the shape of its examples, by golden files in the tests",
        "never run against Google: there is no sandbox, and only partners with listed addresses are let in",
        "files for a partner are written without an account: pms google-export",
        "free booking links are reached through a partner; a house by itself cannot send",
    ),
    lanes=frozenset({Lane.AVAILABILITY, Lane.PRICING}),
    messages={
        Lane.AVAILABILITY: (frozenset({MatrixField.SELLABLE}),),
        Lane.PRICING: (frozenset({MatrixField.RATE}), RULES),
    },
    whole=frozenset({MatrixField.RATE}),
    has_occupancies=True,
    horizon_days=330,
    most_entries=500,
    calls=(
        CallGroup(
            name="ari",
            kinds=frozenset({CallKind.PUSH_AVAILABILITY, CallKind.PUSH_PRICING, CallKind.CHECK}),
            windows=(Window(calls=60, seconds=60),),
        ),
    ),
    partner_settings=(PARTNER_KEY,),
    base_urls={"production": "https://www.google.com/travel/hotels/uploads"},
)
