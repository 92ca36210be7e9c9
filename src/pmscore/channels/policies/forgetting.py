"""When a revision was done with, and what is personal in it.

Owns what is forgotten and from when its age counts. Leaves how long it is kept to whoever purges.
"""

from __future__ import annotations

from datetime import UTC, datetime, time

from attrs import evolve

from pmscore.channels.model.revisions import SoldTo, StoredRevision

__all__ = ["is_personal", "over_at", "without_personal"]


def over_at(stored: StoredRevision) -> datetime:
    """Return when a revision was done with: when everybody had left, or when it came if that was later."""
    rooms = () if stored.revision is None else stored.revision.rooms
    left = [datetime.combine(each.stay.departure, time(), UTC) for each in rooms]
    return max([*left, stored.received_at])


def is_personal(stored: StoredRevision) -> bool:
    """Return whether it says anything about a person."""
    return stored != without_personal(stored)


def without_personal(stored: StoredRevision) -> StoredRevision:
    """Return the revision without its guest, what they asked for, and what was sent word by word."""
    if stored.malformed is not None:
        return evolve(stored, malformed=evolve(stored.malformed, raw=""))
    if stored.revision is None:
        return stored
    return evolve(stored, revision=evolve(stored.revision, guest=SoldTo(), requests=""))
