"""Manifests after those of the gateways that are shipped, for runs of the core without a wire.

Owns what differs between gateways as far as the engine is concerned: which lanes and fields, what travels
together, how long an entry may be, which limits, whether tokens are needed. None of them can be read: a look
each hour would repair what is to be found out.
"""

from __future__ import annotations

from typing import Final

from attrs import evolve

from pmscore.channels.model.manifest import (
    CallGroup,
    CallKind,
    Confirms,
    Lane,
    Manifest,
    Platform,
    Standing,
    Window,
)
from pmscore.pricing.views.matrix_rows import MatrixField

__all__ = ["HORIZON", "PROFILES", "profile"]

HORIZON: Final = 60
_POLL: Final = 6 * 3600

_COUNTS: Final = frozenset({MatrixField.SELLABLE})
_RATES: Final = frozenset({MatrixField.RATE})
_RULES: Final = frozenset(
    {
        MatrixField.CLOSED,
        MatrixField.CLOSED_TO_ARRIVAL,
        MatrixField.CLOSED_TO_DEPARTURE,
        MatrixField.MIN_STAY_ARRIVAL,
        MatrixField.MAX_STAY_ARRIVAL,
    }
)
_THROUGH: Final = frozenset({MatrixField.MIN_STAY_THROUGH, MatrixField.MAX_STAY_THROUGH})
_SENDS: Final = frozenset({CallKind.PUSH_AVAILABILITY, CallKind.PUSH_PRICING})
_READS: Final = frozenset({CallKind.PULL, CallKind.ACKNOWLEDGE, CallKind.READ_BACK, CallKind.CHECK})


def _limit(name: str, kinds: frozenset[CallKind], *windows: tuple[int, int]) -> CallGroup:
    found = tuple(Window(calls=calls, seconds=seconds) for calls, seconds in windows)
    return CallGroup(name=name, kinds=kinds, windows=found)


_PLAIN: Final = Manifest(
    gateway="plain",
    title="Plain",
    platforms=frozenset(Platform),
    standing=Standing.COMPLETE,
    evidence=("made for tests",),
    lanes=frozenset(Lane),
    messages={Lane.AVAILABILITY: (_COUNTS,), Lane.PRICING: (_RATES | _RULES | _THROUGH,)},
    horizon_days=HORIZON,
    poll_seconds=_POLL,
)

_CHANNEX: Final = evolve(
    _PLAIN,
    gateway="channex",
    title="Channex",
    messages={
        Lane.AVAILABILITY: (_COUNTS,),
        Lane.PRICING: (_RATES | _RULES | {MatrixField.MIN_STAY_THROUGH},),
    },
    has_occupancies=True,
    hears=True,
    calls=(
        _limit("availability", frozenset({CallKind.PUSH_AVAILABILITY}), (10, 60)),
        _limit("pricing", frozenset({CallKind.PUSH_PRICING}), (10, 60)),
        _limit("feed", _READS, (60, 60)),
    ),
)

_ICAL: Final = evolve(
    _PLAIN,
    gateway="ical",
    title="iCalendar",
    lanes=frozenset({Lane.BOOKINGS}),
    messages={},
    left_to_platform=_THROUGH | {MatrixField.MIN_STAY_ARRIVAL, MatrixField.MAX_STAY_ARRIVAL},
    exports_calendar=True,
)

_ALPINEBITS: Final = evolve(
    _PLAIN,
    gateway="alpinebits",
    title="AlpineBits",
    lanes=frozenset({Lane.AVAILABILITY, Lane.BOOKINGS}),
    messages={Lane.AVAILABILITY: (_COUNTS,)},
    calls=(_limit("all", _SENDS | _READS, (30, 60), (400, 3600)),),
)

_EXPEDIA: Final = evolve(
    _PLAIN,
    gateway="expedia_eqc",
    title="Expedia",
    messages={Lane.AVAILABILITY: (_COUNTS,), Lane.PRICING: (_RATES | _RULES,)},
    has_occupancies=True,
    confirms=Confirms.BOOKED,
    most_entries=40,
    calls=(_limit("hotel", frozenset(CallKind), (40, 60)),),
)

_BOOKING: Final = evolve(
    _PLAIN,
    gateway="booking_ota",
    title="Booking.com",
    messages={Lane.AVAILABILITY: (_COUNTS,), Lane.PRICING: (_RATES | _RULES,)},
    most_nights=1,
    most_entries=500,
    needs_token=True,
    calls=(
        _limit("token", frozenset({CallKind.TOKEN}), (30, 3600)),
        _limit("all", _SENDS | _READS, (100, 60)),
    ),
)

_GOOGLE: Final = evolve(
    _PLAIN,
    gateway="google_ari",
    title="Google",
    lanes=frozenset({Lane.AVAILABILITY, Lane.PRICING}),
    messages={Lane.AVAILABILITY: (_COUNTS,), Lane.PRICING: (_RATES, _RULES)},
    whole=_RATES,
    has_occupancies=True,
    poll_seconds=None,
    calls=(_limit("ari", _SENDS, (20, 60)),),
)

PROFILES: Final = {each.gateway: each for each in (_CHANNEX, _ICAL, _ALPINEBITS, _EXPEDIA, _BOOKING, _GOOGLE)}
"""The profile of each gateway, by its name."""


def profile(gateway: str) -> Manifest:
    """Return the profile of a gateway; ``plain`` is one without limits that can say nearly everything."""
    return _PLAIN if gateway == _PLAIN.gateway else PROFILES[gateway]
