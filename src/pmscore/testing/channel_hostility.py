"""What can go wrong between us and a platform, drawn from a seed.

Owns the dial, the fate of each call, and when something is doubled, reordered, dropped or killed. Leaves
carrying a fate out to the simulated platform, its faces and the world. Everything that happened is counted,
so that a run can show that it was hostile.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from attrs import frozen

from pmscore.kernel.errors import InvalidInputError
from pmscore.testing.draws import Chance, ItemT

__all__ = ["CRASH_STEPS", "CrashedError", "Fate", "FateKind", "Hostility"]

_ALL: Final = 100


class FateKind(StrEnum):
    """What becomes of a call."""

    PASS = "pass"  # noqa: S105 - no password
    LOST_BEFORE = "lost_before"
    """It never arrives; the caller sees a connection that broke."""
    LOST_AFTER = "lost_after"
    """It is carried out, and the answer is lost."""
    FAILED = "failed"
    """The platform says 500 or 503 and has done nothing."""
    BUSY = "busy"
    """The platform says 429 with ``Retry-After`` and has done nothing."""
    STALLED = "stalled"
    """It is carried out; no answer comes within the caller's patience."""
    MALFORMED = "malformed"
    """It is carried out, and the answer cannot be read."""
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - no password
    """The platform no longer takes the token; nothing was done."""
    OUTAGE = "outage"
    """The platform is away for hours."""


CRASH_STEPS: Final = ("beginning", "ended")
"""Where a worker may be killed: before one of its transactions begins, which is after the call before it, or when one has
been committed.
"""

_WEIGHTS: Final = (
    (5, FateKind.LOST_BEFORE),
    (6, FateKind.LOST_AFTER),
    (5, FateKind.FAILED),
    (4, FateKind.BUSY),
    (3, FateKind.STALLED),
    (4, FateKind.MALFORMED),
    (3, FateKind.TOKEN_EXPIRED),
)
_OF_CALLS: Final = 30
_OF_DELIVERIES: Final = 30
_OF_JOBS: Final = 20
_OF_STEPS: Final = 1


@frozen(kw_only=True)
class Fate:
    """What becomes of one call. Times are in seconds; ``status`` is that of an HTTP answer, 0 without one."""

    kind: FateKind
    status: int = 200
    retry_after: int = 0
    stall: int = 0

    @property
    def is_carried_out(self) -> bool:
        """Whether the platform does what the call asks for."""
        return self.kind in _CARRIED_OUT


_CARRIED_OUT: Final = frozenset({FateKind.PASS, FateKind.LOST_AFTER, FateKind.STALLED, FateKind.MALFORMED})


class CrashedError(BaseException):
    """A worker was killed: nothing after this line of it runs, not even its handlers of errors."""


class Hostility:
    """A platform's bad days: ``dial`` 0 is none, 100 the worst. ``faults`` counts what happened, by its name."""

    def __init__(self, dial: int, chance: Chance) -> None:
        if not 0 <= dial <= _ALL:
            raise InvalidInputError("dial", "out_of_range", least=0, most=_ALL)
        self.dial = dial
        self.faults: Counter[str] = Counter()
        self.outages: list[tuple[datetime, datetime]] = []
        self._chance = chance

    def plan_outage(self, start: datetime, duration: timedelta) -> None:
        """Let the platform be away for a while from an instant on."""
        self.outages.append((start, start + duration))
        self.faults["outages"] += 1

    def is_away(self, now: datetime) -> bool:
        """Return whether there is an outage at the moment."""
        return any(start <= now < end for start, end in self.outages)

    def fate(self, now: datetime) -> Fate:
        """Return what becomes of a call that is made now, and count it."""
        if self.is_away(now):
            return self._counted(Fate(kind=FateKind.OUTAGE, status=503))
        if not self._happens(_OF_CALLS):
            return Fate(kind=FateKind.PASS)
        match self._chance.weighted(_WEIGHTS):
            case FateKind.FAILED:
                fate = Fate(kind=FateKind.FAILED, status=self._chance.one_of((500, 503)))
            case FateKind.BUSY:
                fate = Fate(kind=FateKind.BUSY, status=429, retry_after=self._chance.between(1, 90))
            case FateKind.STALLED:
                fate = Fate(kind=FateKind.STALLED, status=0, stall=15)
            case FateKind.TOKEN_EXPIRED:
                fate = Fate(kind=FateKind.TOKEN_EXPIRED, status=401)
            case FateKind.MALFORMED:
                fate = Fate(kind=FateKind.MALFORMED)
            case kind:
                fate = Fate(kind=kind, status=0)
        return self._counted(fate)

    def delivered(self, items: Sequence[ItemT]) -> tuple[ItemT, ...]:
        """Return what arrives of messages that were sent in this order: some of them twice, some out of turn."""
        found = list(items)
        for item in items:
            if self._happens(_OF_DELIVERIES):
                self.faults["doubled"] += 1
                found.insert(self._chance.below(len(found) + 1), item)
        if len(found) > 1 and self._happens(_OF_DELIVERIES):
            self.faults["reordered"] += 1
            first = self._chance.below(len(found) - 1)
            found[first], found[first + 1] = found[first + 1], found[first]
        return tuple(found)

    def doubles(self) -> bool:
        """Return whether something is delivered a second time."""
        return self._strikes("doubled", _OF_DELIVERIES)

    def drops_job(self) -> bool:
        """Return whether the queue forgets a job."""
        return self._strikes("dropped_job", _OF_JOBS)

    def crashes(self, step: str) -> bool:
        """Return whether the worker is killed at a step of :data:`CRASH_STEPS`."""
        if step not in CRASH_STEPS:
            raise InvalidInputError("step", "unknown", value=step)
        return self._strikes(f"crashed_{step}", _OF_STEPS)

    def _strikes(self, name: str, percent: int) -> bool:
        if not self._happens(percent):
            return False
        self.faults[name] += 1
        return True

    def _counted(self, fate: Fate) -> Fate:
        self.faults[fate.kind.value] += 1
        return fate

    def _happens(self, percent: int) -> bool:
        return self._chance.below(_ALL * _ALL) < percent * self.dial
