"""When a lane that has failed runs again, and when it gives up.

Owns the waits of retries and the circuit breaker. Leaves what counts as which outcome to the gateways, and the limits
of a platform to ``counting_calls``. A lane that has given up is still tried, a single probe at a time, because what
it has to say is still to be said; what was given up is the operation that somebody waits for.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from attrs import evolve

from pmscore.channels.model.calls import Outcome, OutcomeKind
from pmscore.channels.model.lanes import LaneState

__all__ = [
    "BUSY_WAIT",
    "FIRST_PAUSE",
    "LONGEST_PAUSE",
    "OPENS_AT",
    "RETRY_WAITS",
    "after",
    "died_before",
    "gives_up",
    "is_open",
    "postponed",
]

RETRY_WAITS: Final = (1, 2, 4)
"""Seconds before the first, second and third retry."""

OPENS_AT: Final = 5
"""So many failures in a row open the breaker."""

FIRST_PAUSE: Final = 30
LONGEST_PAUSE: Final = 300
"""Seconds between two probes while the breaker is open: doubled from the first with each failure."""

BUSY_WAIT: Final = 5
"""Seconds to wait where a platform says that it is busy and not for how long."""

_GOOD: Final = frozenset({OutcomeKind.DONE, OutcomeKind.PARTLY})


def after(outcome: Outcome, state: LaneState, now: datetime) -> LaneState:
    """Return the lane as it is after a run with this outcome; ``state.attempts`` counts the run.

    Where the platform names a wait that is longer than ours, its wait counts. What it refuses as it is, is not tried
    again; what it was too busy for, was no attempt.
    """
    if outcome.kind in _GOOD or outcome.kind is OutcomeKind.REFUSED:
        return evolve(state, attempts=0, failures=0, closed_until=None, next_at=None)
    if outcome.kind is OutcomeKind.BUSY:
        return postponed(state, max(outcome.retry_after or 0.0, 0.0) or BUSY_WAIT, now)
    failures = state.failures + 1
    until = now + timedelta(seconds=max(_wait(failures), outcome.retry_after or 0.0))
    return evolve(state, attempts=failures, failures=failures, next_at=until, closed_until=until)


def postponed(state: LaneState, seconds: float, now: datetime) -> LaneState:
    """Return the lane as it waits for room under a limit; the run was no attempt.

    It is closed, not only due later: what it has to say would make it due at once.
    """
    until = now + timedelta(seconds=seconds)
    return evolve(state, attempts=max(0, state.attempts - 1), next_at=until, closed_until=until)


def died_before(state: LaneState) -> int:
    """Return how many runs before the present one, which ``state.attempts`` counts, ended without a word."""
    return max(0, state.attempts - 1 - state.failures)


def gives_up(state: LaneState) -> bool:
    """Return whether the last retry has failed, so that the operation in hand has failed."""
    return state.failures > len(RETRY_WAITS)


def is_open(state: LaneState) -> bool:
    """Return whether the breaker is open: the lane sends single probes only."""
    return state.failures >= OPENS_AT


def _wait(failures: int) -> float:
    if failures <= len(RETRY_WAITS):
        return float(RETRY_WAITS[failures - 1])
    if failures < OPENS_AT:
        return float(RETRY_WAITS[-1] * 2 ** (failures - len(RETRY_WAITS)))
    doubled = FIRST_PAUSE * 2 ** min(failures - OPENS_AT, 8)
    return float(min(LONGEST_PAUSE, doubled))
