"""What a revision of a platform means for what we have: made, changed, ended, too late, or a matter for a person.

Law: whatever the order and repetition in which the revisions of a booking come, the newest one decides; of two of one
instant a cancellation is newer than a change, and a change newer than what is new. A booking that has ended here is
never brought back by a machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from attrs import frozen

from pmscore.channels.model.mappings import MappingBook
from pmscore.channels.model.revisions import IssueKind, Link, Revision, RevisionStatus, SaleKind
from pmscore.inventory.model.house import House

__all__ = ["LONGEST_AGO", "Obstacle", "Verdict", "classify", "obstacle_to"]

LONGEST_AGO: Final = timedelta(days=31)
"""A stay that ended longer ago is not entered any more: whoever sends it is wrong about the year, or repeats an archive."""
FARTHEST: Final = timedelta(days=3 * 366)
"""A stay that begins later is not entered: no platform sells that far ahead."""

_RANK: Mapping[RevisionStatus, int] = MappingProxyType(
    {RevisionStatus.NEW: 0, RevisionStatus.CHANGED: 1, RevisionStatus.CANCELLED: 2}
)


class Verdict(StrEnum):
    """What is to be done about a revision."""

    CREATE = "create"
    CHANGE = "change"
    CANCEL = "cancel"
    BURY = "bury"
    """It cancels what never came: only that is remembered, so that what comes late is not made."""
    LATE = "late"
    CONFLICT = "conflict"


@frozen(kw_only=True)
class Obstacle:
    """Why a revision cannot be applied as it is; ``reason`` is a code, ``what`` the code of the platform it is about."""

    kind: IssueKind
    reason: str
    what: str = ""


def classify(link: Link | None, revision: Revision, newest: RevisionStatus | None = None) -> Verdict:
    """Return what is to be done about ``revision``.

    ``newest`` is the status of the revision that the link stands for; None where nobody knows it any more.
    """
    is_cancellation = revision.status is RevisionStatus.CANCELLED
    if link is None:
        return Verdict.BURY if is_cancellation else Verdict.CREATE
    if not _is_newer(revision, link, newest):
        return Verdict.LATE
    if is_cancellation:
        return Verdict.CANCEL if _stands(link) else Verdict.BURY
    if _stands(link):
        return Verdict.CHANGE
    if link.booking_id is None or revision.kind is SaleKind.BLOCK:
        return Verdict.CREATE
    return Verdict.CONFLICT


def obstacle_to(revision: Revision, mappings: MappingBook, house: House) -> Obstacle | None:
    """Return the first thing that speaks against making or changing a booking as the revision says; None: nothing."""
    if not revision.rooms:
        return Obstacle(kind=IssueKind.MALFORMED, reason="no_rooms")
    for room in revision.rooms:
        if mappings.room(room.room_code) is None:
            return Obstacle(kind=IssueKind.UNMAPPED, reason="unmapped_room", what=room.room_code)
        has_rates = any(rate.room_code == room.room_code for rate in mappings.rates)
        if room.rate_code and has_rates and mappings.rate(room.room_code, room.rate_code) is None:
            return Obstacle(kind=IssueKind.UNMAPPED, reason="unmapped_rate", what=room.rate_code)
        if room.nightly and len(room.nightly) != room.stay.length:
            return Obstacle(kind=IssueKind.MALFORMED, reason="not_one_amount_a_night", what=room.room_code)
        if any(amount < 0 for amount in room.nightly):
            return Obstacle(kind=IssueKind.MALFORMED, reason="negative_amount", what=room.room_code)
    if any(room.nightly for room in revision.rooms) and revision.currency != house.property.currency.code:
        return Obstacle(kind=IssueKind.CURRENCY, reason="other_currency", what=revision.currency)
    return _untimely(revision, house.property.business_date)


def _is_newer(revision: Revision, link: Link, newest: RevisionStatus | None) -> bool:
    if revision.revision_id == link.revision_id:
        return False
    if revision.revised_at != link.revised_at:
        return revision.revised_at > link.revised_at
    stands_for = newest or (RevisionStatus.CANCELLED if link.is_cancelled else RevisionStatus.CHANGED)
    return (_RANK[revision.status], revision.revision_id) > (_RANK[stands_for], link.revision_id)


def _stands(link: Link) -> bool:
    """Return whether something of ours stands for the booking; a block that found no place does, too."""
    return not link.is_cancelled


def _untimely(revision: Revision, today: date) -> Obstacle | None:
    if max(room.stay.departure for room in revision.rooms) < today - LONGEST_AGO:
        return Obstacle(kind=IssueKind.MALFORMED, reason="long_over")
    if min(room.stay.arrival for room in revision.rooms) > today + FARTHEST:
        return Obstacle(kind=IssueKind.MALFORMED, reason="too_far_ahead")
    return None
