"""What the gateway of calendar feeds can: read one feed a room, and be read by any platform that takes feeds.

Owns the manifest. A feed says that nights are taken and nothing else, so no prices, rules or counts are sent; rules
that close nights are told as nights that are taken, and lengths of stay are left to the platform's own settings. No
limit is published; the one here is our own manners.
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
    gateway="ical",
    title="iCalendar",
    platforms=frozenset(
        {Platform.AIRBNB, Platform.BOOKING_COM, Platform.EXPEDIA, Platform.FEWO_DIREKT, Platform.GOOGLE}
    ),
    standing=Standing.COMPLETE,
    evidence=(
        "RFC 5545: https://www.rfc-editor.org/rfc/rfc5545",
        "feeds in the shape that platforms write, by tests; they are typed after public reports and no recordings",
        "events that repeat are refused: no platform that sells rooms is known to write them",
        "a feed is read about every quarter of an hour and carries no prices: it cannot rule out that a night is sold twice",
    ),
    lanes=frozenset({Lane.BOOKINGS}),
    messages={},
    left_to_platform=frozenset(
        {
            MatrixField.MIN_STAY_ARRIVAL,
            MatrixField.MAX_STAY_ARRIVAL,
            MatrixField.MIN_STAY_THROUGH,
            MatrixField.MAX_STAY_THROUGH,
            MatrixField.ALLOWED_LENGTHS,
        }
    ),
    calls=(
        CallGroup(
            name="feed",
            kinds=frozenset({CallKind.PULL, CallKind.CHECK}),
            windows=(Window(calls=60, seconds=60),),
        ),
    ),
    poll_seconds=900,
    exports_calendar=True,
    credentials=(CredentialField(name="url", is_required=False),),
)
