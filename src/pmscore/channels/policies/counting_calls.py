"""Whether a call may go out, judged by the calls that went out before.

Owns the arithmetic of sliding windows over calls that last some time. Leaves the counting itself, which has
to be one for all workers, to the store. Law: if each call was let go by this judgement, no window of the
platform ever holds more arrivals than it allows, whenever within its time each call arrived.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from attrs import frozen

from pmscore.channels.model.manifest import CallGroup, Window

__all__ = ["IN_FLIGHT_WAIT", "MARGIN", "CountedCall", "seconds_to_wait"]

MARGIN: Final = timedelta(seconds=1)
"""How much longer than the platform says a call is counted: clocks do not agree to the second."""

IN_FLIGHT_WAIT: Final = 0.5
"""Seconds after which to look again where only calls on their way stand in the way."""


@frozen(kw_only=True)
class CountedCall:
    """A call of one group: when it was let go, and when its answer was there.

    A call without an end is taken as over ``longest_seconds`` after its start: whoever made it has died.
    """

    started_at: datetime
    ended_at: datetime | None
    longest_seconds: int

    def over_at(self, now: datetime) -> datetime | None:
        """Return when the call was over, None while it is on its way."""
        if self.ended_at is not None:
            return self.ended_at
        latest = self.started_at + timedelta(seconds=self.longest_seconds)
        return latest if latest <= now else None


def seconds_to_wait(
    group: CallGroup, calls: Iterable[CountedCall], *, now: datetime, closed_until: datetime | None = None
) -> float:
    """Return how long a call of the group has to wait; 0.0 where it may go now.

    A call counts from its start until a window after its end, because it may have arrived at any moment
    between the two. Of any calls that arrive within one window the last that was let go has seen all others,
    so it is the one refused.
    """
    ends = [each.over_at(now) for each in calls]
    waits = [_window_wait(each, ends, now) for each in group.windows]
    if sum(end is None for end in ends) >= group.in_flight:
        waits.append(IN_FLIGHT_WAIT)
    if closed_until is not None:
        waits.append((closed_until - now).total_seconds())
    return max(0.0, *waits, 0.0)


def _window_wait(window: Window, ends: Iterable[datetime | None], now: datetime) -> float:
    """Return the seconds until fewer calls count than the window allows; one on its way counts as ending now."""
    length = timedelta(seconds=window.seconds) + MARGIN
    counted = sorted(until for end in ends if (until := (end or now) + length) > now)
    if len(counted) < window.calls:
        return 0.0
    return (counted[len(counted) - window.calls] - now).total_seconds()
