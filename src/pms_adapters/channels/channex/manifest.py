"""What the gateway to Channex can, and the limits that Channex publishes.

Owns the manifest. Two counts a property and minute: ten calls for availability, ten for rates and rules. Reading back
counts in both, because it asks for either. The feed has no published limit; the one here is our own manners.
"""

from __future__ import annotations

from typing import Final

from pms_adapters.channels.channex.mapping import PRICING_NAMES
from pmscore.channels.model.manifest import (
    CallGroup,
    CallKind,
    CredentialField,
    Lane,
    Manifest,
    Platform,
    Standing,
    Window,
)
from pmscore.pricing.views.matrix_rows import MatrixField

__all__ = ["MANIFEST"]

MANIFEST: Final = Manifest(
    gateway="channex",
    title="Channex",
    platforms=frozenset(Platform) - {Platform.ALPINEBITS},
    standing=Standing.COMPLETE,
    evidence=(
        "public documentation: https://docs.channex.io",
        "requests and answers in the shape of its examples, by tests; there is no example of prices by occupancy",
        "not run against the staging system: that needs an account there (open to everyone)",
    ),
    lanes=frozenset(Lane),
    messages={
        Lane.AVAILABILITY: (frozenset({MatrixField.SELLABLE}),),
        Lane.PRICING: (frozenset(PRICING_NAMES),),
    },
    has_occupancies=True,
    horizon_days=500,
    most_entries=1000,
    calls=(
        CallGroup(
            name="availability",
            kinds=frozenset({CallKind.PUSH_AVAILABILITY, CallKind.READ_BACK}),
            windows=(Window(calls=10, seconds=60),),
        ),
        CallGroup(
            name="pricing",
            kinds=frozenset({CallKind.PUSH_PRICING, CallKind.READ_BACK}),
            windows=(Window(calls=10, seconds=60),),
        ),
        CallGroup(
            name="feed",
            kinds=frozenset({CallKind.PULL, CallKind.ACKNOWLEDGE, CallKind.CHECK}),
            windows=(Window(calls=60, seconds=60),),
        ),
    ),
    poll_seconds=60,
    reads_back=True,
    lists_rooms=True,
    hears=True,
    credentials=(
        CredentialField(name="api_key"),
        CredentialField(name="webhook_secret", is_required=False),
    ),
    base_urls={
        "production": "https://app.channex.io/api/v1",
        "staging": "https://staging.channex.io/api/v1",
    },
)
