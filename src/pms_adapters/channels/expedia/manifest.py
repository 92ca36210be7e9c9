"""What the gateway to Expedia can, and what their interface asks of whoever uses it.

Owns the manifest. One message of a hotel is on its way at a time, whatever it says. Rates and rules travel in
messages of their own: a rate that they find out of bounds then puts no rule in doubt. A rate is said for all
occupancies, and rules of arrival, departure and length are said together, because what is left out may fall back to
their defaults.
"""

from __future__ import annotations

from typing import Final

from pms_adapters.channels.expedia.mapping import MOST_CONFIRMED
from pmscore.channels.model.manifest import (
    CallGroup,
    CallKind,
    Confirms,
    CredentialField,
    Lane,
    Manifest,
    Platform,
    Standing,
)
from pmscore.pricing.views.matrix_rows import MatrixField

__all__ = ["MANIFEST", "RULES"]

RULES: Final = frozenset(
    {
        MatrixField.CLOSED_TO_ARRIVAL,
        MatrixField.CLOSED_TO_DEPARTURE,
        MatrixField.MIN_STAY_ARRIVAL,
        MatrixField.MAX_STAY_ARRIVAL,
    }
)
"""What one element of theirs says together."""

MANIFEST: Final = Manifest(
    gateway="expedia_eqc",
    title="Expedia QuickConnect",
    platforms=frozenset({Platform.EXPEDIA}),
    standing=Standing.NEEDS_ACCOUNT,
    evidence=(
        "public reference: https://developers.expediagroup.com/supply/lodging/docs",
        "its requests are valid by the published schemas of AR, BR, BC and PARR; all published answers are read, by tests",
        "not run against Expedia: credentials are given to approved partners and to houses with an account of their own",
        "whether a length of stay counts by arrival or by each night is set at Expedia; by night it sells less than ours",
    ),
    lanes=frozenset(Lane),
    messages={
        Lane.AVAILABILITY: (frozenset({MatrixField.SELLABLE}),),
        Lane.PRICING: (frozenset({MatrixField.RATE}), RULES | {MatrixField.CLOSED}),
    },
    whole=RULES | {MatrixField.RATE},
    has_occupancies=True,
    horizon_days=500,
    most_entries=500,
    most_acknowledged=MOST_CONFIRMED,
    calls=(CallGroup(name="hotel", kinds=frozenset(CallKind), in_flight=1),),
    poll_seconds=60,
    lists_rooms=True,
    confirms=Confirms.BOOKED,
    credentials=(CredentialField(name="username"), CredentialField(name="password")),
    base_urls={"production": "https://services.expediapartnercentral.com/eqc"},
)
