"""The platform's own business: guests who book, change their minds and cancel, while nobody at the house does anything.

Owns how often each happens. What may be sold is the platform's decision, by the cells that it was told; some
platforms sell more than that, the more so the higher the dial.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from pmscore.channels.model.revisions import Revision
from pmscore.kernel.ports import Clock
from pmscore.testing.channel_platform import Garbled, RemotePlatform
from pmscore.testing.draws import Chance

__all__ = ["Sale", "Seller"]


class Sale(StrEnum):
    """What a guest does."""

    SELL = "sell"
    CHANGE = "change"
    CANCEL = "cancel"
    OVERSELL = "oversell"
    GARBLE = "garble"


class Seller:
    """Draws what guests do on a platform, from a seed; ``dial`` is that of the hostility."""

    def __init__(
        self, platform: RemotePlatform, *, chance: Chance, clock: Clock, dial: int = 0, ahead_days: int = 60
    ) -> None:
        self._platform = platform
        self._chance = chance
        self._clock = clock
        self._ahead = timedelta(days=ahead_days)
        self._weights = (
            (600, Sale.SELL),
            (200, Sale.CHANGE),
            (130, Sale.CANCEL),
            (dial // 2, Sale.OVERSELL),
            (dial // 5, Sale.GARBLE),
        )

    def step(self) -> Revision | Garbled | None:
        """Let one guest come along; None where there is nothing for them."""
        today = self._clock.now().date()
        first, latest = today + timedelta(days=1), today + self._ahead
        match self._chance.weighted(self._weights):
            case Sale.SELL:
                return self._platform.sell(first, latest)
            case Sale.CHANGE:
                return self._platform.change(first)
            case Sale.CANCEL:
                return self._platform.cancel(first)
            case Sale.OVERSELL:
                return self._platform.oversell(first, latest)
            case Sale.GARBLE:
                return self._platform.garble()
