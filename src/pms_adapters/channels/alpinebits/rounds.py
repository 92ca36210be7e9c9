"""Where asking for what was sold has got to, as the text that the lane keeps.

Owns the order of questions. Reservations are acknowledged by their id, which their changes share: a change
that is made between our question and our acknowledgement may count as known there, although nobody here has
seen it, and so may one whose answer was lost. So each round asks twice: for what nobody has acknowledged,
then for all that was made since the round before began, acknowledged or not. What comes twice is known by its
revision.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from attrs import frozen

__all__ = ["Round"]

_OVERLAP: Final = timedelta(minutes=15)
"""How much longer than necessary ago the second question begins: clocks differ, and an answer is made before it is sent."""
_STALE: Final = timedelta(minutes=2)
"""A round that was broken off longer ago is followed by a new one at once."""


@frozen
class Round:
    """``since`` is when the last whole round began; ``began`` when the present one did, once its first half is done."""

    since: datetime | None = None
    began: datetime | None = None

    @classmethod
    def read(cls, cursor: str) -> Round:
        """Return the round that a cursor stands for; one that nobody can read is the first of all."""
        since, _, began = cursor.partition("/")
        try:
            return cls(
                None if not since else datetime.fromisoformat(since).astimezone(UTC),
                None if not began else datetime.fromisoformat(began).astimezone(UTC),
            )
        except (ValueError, OverflowError):
            return cls()

    def written(self) -> str:
        """Return the cursor."""
        began = "" if self.began is None else f"/{self.began.isoformat()}"
        return "" if self.since is None else f"{self.since.isoformat()}{began}"

    @property
    def asks_since(self) -> datetime | None:
        """Return since when this question asks for everything; None: it asks for what nobody has acknowledged."""
        return None if self.began is None or self.since is None else self.since - _OVERLAP

    def after(self, now: datetime) -> tuple[Round, bool]:
        """Return the next question and whether it is to be asked at once."""
        if self.asks_since is None:
            return (Round(now), False) if self.since is None else (Round(self.since, now), True)
        began = self.began or now
        return Round(began), now - began > _STALE
