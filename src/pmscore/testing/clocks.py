"""Clocks that stand or are moved by hand, and ids that come out the same in every run.

Owns the doubles of the ports ``Clock``, ``IdSource`` and ``JobQueue``; leaves the store to ``memory``.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from itertools import count
from uuid import UUID

from attrs import frozen

from pmscore.kernel.errors import InvalidInputError

__all__ = ["CountingIds", "FixedClock", "InMemoryQueue", "MovableClock", "SeededIds"]


@frozen
class FixedClock:
    """A clock that always shows the same instant."""

    instant: datetime

    def __attrs_post_init__(self) -> None:
        _check_aware(self.instant)

    def now(self) -> datetime:
        """Return the instant, in UTC."""
        return self.instant.astimezone(UTC)


class MovableClock:
    """A clock that stands until it is moved; it may be set back, as real ones are."""

    def __init__(self, instant: datetime) -> None:
        _check_aware(instant)
        self._instant = instant.astimezone(UTC)

    def now(self) -> datetime:
        """Return the instant it was moved to, in UTC."""
        return self._instant

    def advance(self, duration: timedelta) -> None:
        """Move it by ``duration``, back where that is negative."""
        self._instant += duration

    def move_to(self, instant: datetime) -> None:
        """Set it to ``instant``.

        Raises:
            InvalidInputError: field ``instant``; it is naive.
        """
        _check_aware(instant)
        self._instant = instant.astimezone(UTC)


class SeededIds:
    """Ids of the form of random ones (version 4) that depend on a seed and their number only."""

    def __init__(self, seed: int | str = 0) -> None:
        self._seed = str(seed)
        self._numbers = count()

    def new(self) -> UUID:
        """Return the next id."""
        text = f"{self._seed}/{next(self._numbers)}"
        return UUID(bytes=blake2b(text.encode(), digest_size=16).digest(), version=4)


class CountingIds:
    """Ids that are easy to read in a failed test: 1, 2, 3 … as UUIDs."""

    def __init__(self, first: int = 1) -> None:
        self._numbers = count(first)

    def new(self) -> UUID:
        """Return the next id."""
        return UUID(int=next(self._numbers))


class InMemoryQueue:
    """A job queue that keeps what it was asked for, in order, and runs nothing."""

    def __init__(self) -> None:
        self._jobs: list[tuple[str, tuple[UUID, ...]]] = []

    def enqueue(self, job: str, *ids: UUID) -> None:
        """Keep the job."""
        self._jobs.append((job, ids))

    @property
    def jobs(self) -> tuple[tuple[str, tuple[UUID, ...]], ...]:
        """The jobs asked for so far, the oldest first."""
        return tuple(self._jobs)


def _check_aware(instant: datetime) -> None:
    if instant.tzinfo is None:
        raise InvalidInputError("instant", "naive")
