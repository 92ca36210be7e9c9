"""How often somebody may ask: what a route allows, and the port of whoever counts.

Owns the allowances and the check. Leaves counting to an adapter, and the tries of one account to ``access``.
"""

from __future__ import annotations

from abc import abstractmethod
from enum import StrEnum
from typing import Protocol

from pmscore.kernel.errors import TooManyRequestsError

__all__ = ["Allowance", "Limiter", "NoLimits", "spend"]


class Allowance(StrEnum):
    """A measure of requests in a minute: what somebody known may ask, a stranger may read, and log-in may be tried.

    Calendars have one of their own: few machines of a platform fetch those of many houses.
    """

    NORMAL = "normal"
    PUBLIC = "public"
    CALENDAR = "calendar"
    LOG_IN = "log_in"


class Limiter(Protocol):
    """Counts requests, for all processes where it can."""

    @abstractmethod
    def wait_seconds(self, allowance: Allowance, who: str) -> int:
        """Count one request of ``who``; return how long to wait where it is one too many, else zero.

        Never fails: where the shared count cannot be had, it counts for this process alone, and log-in then allows
        less than before.
        """


class NoLimits(Limiter):
    """Lets everything pass: for commands of the operator and for tests of something else."""

    def wait_seconds(self, allowance: Allowance, who: str) -> int:  # noqa: ARG002 - the port's signature
        """Return zero."""
        return 0


def spend(limiter: Limiter, allowance: Allowance, who: str) -> None:
    """Count one request of ``who``.

    Raises:
        TooManyRequestsError: it is one too many; says when the next may come.
    """
    seconds = limiter.wait_seconds(allowance, who)
    if seconds:
        raise TooManyRequestsError(retry_after=seconds)
