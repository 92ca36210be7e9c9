"""What the gateway to AlpineBits can.

Owns the manifest. Every portal has an address of its own, so there is none here: it is a setting of the
connection. The standard names no limits of calls; those here are our own manners. Rules about the length of a
stay travel with rate plans, which are not sent, so they stay with the portal's own settings.
"""

from __future__ import annotations

from typing import Final

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
    gateway="alpinebits",
    title="AlpineBits",
    platforms=frozenset({Platform.ALPINEBITS}),
    standing=Standing.COMPLETE,
    evidence=(
        "public standard, version 2020-10: https://www.alpinebits.org/hoteldata/",
        "requests and answers in the shape of its published samples (CC0-1.0), by tests against schemas",
        "prices (OTA_HotelRatePlanNotif) are not sent: there is no sample of them to hold a message against",
        "requests for a quote are put aside for a person and never acknowledged, so the portal repeats them",
        "each of our messages, and each answer of the simulated portal, held once to the standard's own schema",
        "not run against a portal: each gives out its own address and account",
    ),
    lanes=frozenset({Lane.AVAILABILITY, Lane.BOOKINGS}),
    messages={Lane.AVAILABILITY: (frozenset({MatrixField.SELLABLE}),)},
    left_to_platform=frozenset(
        {
            MatrixField.MIN_STAY_ARRIVAL,
            MatrixField.MAX_STAY_ARRIVAL,
            MatrixField.MIN_STAY_THROUGH,
            MatrixField.MAX_STAY_THROUGH,
            MatrixField.ALLOWED_LENGTHS,
        }
    ),
    horizon_days=500,
    most_entries=2000,
    most_acknowledged=100,
    most_nights=500,
    calls=(
        CallGroup(
            name="free rooms",
            kinds=frozenset({CallKind.PUSH_AVAILABILITY}),
            windows=(Window(calls=30, seconds=60),),
        ),
        CallGroup(
            name="guest requests",
            kinds=frozenset({CallKind.PULL, CallKind.ACKNOWLEDGE, CallKind.CHECK}),
            windows=(Window(calls=60, seconds=60),),
        ),
    ),
    poll_seconds=300,
    credentials=(
        CredentialField(name="username", is_secret=False),
        CredentialField(name="password"),
        CredentialField(name="client_id", is_secret=False, is_required=False),
    ),
)
