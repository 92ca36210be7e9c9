"""When a message is tried again, and when it is given up.

Owns the schedule of the Standard Webhooks specification: ten attempts over some 75 hours. An answer of 410 says that
nobody wants messages there any more. An endpoint that has failed all the time is disabled with the message that was
given up; one that took other messages meanwhile only loses this one.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from attrs import evolve, frozen

from pmscore.webhooks.model.deliveries import Delivery, DeliveryStatus, Outcome
from pmscore.webhooks.model.endpoints import Endpoint

__all__ = ["MOST_ATTEMPTS", "PAUSES", "Verdict", "judged"]

PAUSES: Final = tuple(
    timedelta(seconds=each) for each in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
"""How long to wait after the first failure, the second, and so on."""

MOST_ATTEMPTS: Final = len(PAUSES) + 1
LEAST_THROTTLE: Final = timedelta(minutes=1)
LONGEST_ASKED: Final = timedelta(days=1)
_GONE = 410
_THROTTLING = frozenset({429, 502, 504})


@frozen
class Verdict:
    """A delivery after an attempt, and why its endpoint is to be disabled, if it is."""

    delivery: Delivery
    disables: str | None = None


def judged(delivery: Delivery, endpoint: Endpoint, outcome: Outcome, now: datetime) -> Verdict:
    """Return what becomes of a delivery after ``outcome``."""
    attempts = delivery.attempts + 1
    tried = evolve(delivery, attempts=attempts)
    if outcome.is_success:
        return Verdict(evolve(tried, status=DeliveryStatus.DELIVERED, next_at=None, ended_at=now))
    dead = evolve(tried, status=DeliveryStatus.DEAD, next_at=None, ended_at=now)
    if outcome.status == _GONE:
        return Verdict(dead, "gone")
    failures = attempts - delivery.counted_from
    if failures >= MOST_ATTEMPTS:
        has_worked = endpoint.delivered_at is not None and endpoint.delivered_at >= delivery.created_at
        return Verdict(dead, None if has_worked else "gave_up")
    return Verdict(evolve(tried, next_at=now + _pause(tried, failures, outcome)))


def _pause(delivery: Delivery, failures: int, outcome: Outcome) -> timedelta:
    pause = PAUSES[failures - 1]
    if outcome.status in _THROTTLING:
        pause = max(pause, LEAST_THROTTLE)
    if outcome.retry_after is not None:
        pause = max(pause, min(timedelta(seconds=outcome.retry_after), LONGEST_ASKED))
    # Messages that failed together do not come back together: up to a tenth more, by their ids.
    return pause + pause * ((delivery.delivery_id.int + failures) % 1_000) / 10_000
