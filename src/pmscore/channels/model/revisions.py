"""What a platform has sold: revisions of its bookings, what became of each, and what a person has to look at.

Owns the values. Leaves which revision counts to ``policies.inbound`` and what a platform calls it to the gateways.
Guests stand here as the platform named them; their fields are kept out of ``repr``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from attrs import field, frozen

from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.kernel.errors import MisuseError
from pmscore.kernel.events import Json
from pmscore.kernel.ids import BlockId, BookingId, ConnectionId, IssueId, PropertyId

__all__ = [
    "Issue",
    "IssueKind",
    "Link",
    "Malformed",
    "Revision",
    "RevisionStatus",
    "SaleKind",
    "SoldRoom",
    "SoldTo",
    "StoredRevision",
    "StoredState",
]


class RevisionStatus(StrEnum):
    """What a revision says of its booking; ``changed`` may come before ``new``."""

    NEW = "new"
    CHANGED = "changed"
    CANCELLED = "cancelled"


class SaleKind(StrEnum):
    """Whether somebody comes, or the platform only keeps the nights."""

    BOOKING = "booking"
    BLOCK = "block"


@frozen(kw_only=True)
class SoldRoom:
    """One room as it was sold; ``nightly`` is its price by night in minor units, empty where the platform says none."""

    room_code: str
    rate_code: str = ""
    stay: StayRange
    adults: int
    child_ages: tuple[int, ...] = ()
    children: int = 0
    infants: int = 0
    nightly: tuple[int, ...]


@frozen
class SoldTo:
    """Whoever booked, as the platform wrote it."""

    name: str = field(default="", repr=False)
    email: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)
    country: str = field(default="", repr=False)


@frozen(kw_only=True)
class Revision:
    """One state of one booking of a platform.

    ``booking_key`` is the platform's key of the booking, the same in all its revisions. ``channel`` is the
    code of the platform behind a hub, empty where it is the connection's own. ``receipt`` is what the
    acknowledgement has to repeat.
    """

    revision_id: str
    booking_key: str
    status: RevisionStatus
    kind: SaleKind = SaleKind.BOOKING
    revised_at: datetime
    rooms: tuple[SoldRoom, ...]
    currency: str
    guest: SoldTo = SoldTo()
    channel: str = ""
    reference: str = ""
    requests: str = field(default="", repr=False)
    receipt: Mapping[str, Json] = field(factory=dict[str, Json])


@frozen(kw_only=True)
class Malformed:
    """A message that cannot be read as a revision; ``raw`` is kept without card numbers."""

    digest: str
    reason: str
    raw: str = field(repr=False)
    revision_id: str = ""


class StoredState(StrEnum):
    """What became of a revision."""

    RECEIVED = "received"
    APPLIED = "applied"
    SUPERSEDED = "superseded"
    """A newer one of the booking was known already, or it was known itself."""
    QUARANTINED = "quarantined"
    """It cannot be applied as it is; ``reason`` says why. Tried again when the mappings change."""
    CONFLICT = "conflict"
    """It says something that a person has to decide."""


@frozen(kw_only=True)
class StoredRevision:
    """A revision or a malformed message (exactly one of them) as it was received, and what became of it."""

    revision: Revision | None
    malformed: Malformed | None
    connection_id: ConnectionId
    revision_id: str
    state: StoredState
    reason: str = ""
    received_at: datetime
    applied_at: datetime | None = None
    acknowledged_at: datetime | None = None
    booking_id: BookingId | None = None

    def __attrs_post_init__(self) -> None:
        if (self.revision is None) == (self.malformed is None):
            raise MisuseError(revision_id=self.revision_id, reason="neither_or_both")

    @property
    def was_put_aside(self) -> bool:
        """Whether it was put aside or in conflict, also where it waits to be tried again: then its reason is kept."""
        return self.state in {StoredState.QUARANTINED, StoredState.CONFLICT} or (
            self.state is StoredState.RECEIVED and bool(self.reason)
        )


@frozen(kw_only=True)
class Link:
    """Which booking of ours, or which blocks, stand for a booking of a platform; a tombstone has neither.

    ``revision_id`` and ``revised_at`` are those of the newest revision that counted. ``missing_since`` is when a feed
    first left it out.
    """

    connection_id: ConnectionId
    booking_key: str
    booking_id: BookingId | None = None
    block_ids: tuple[BlockId, ...] = ()
    revision_id: str
    revised_at: datetime
    is_cancelled: bool = False
    nights: DateRange | None = None
    missing_since: datetime | None = None
    version: int = 1


class IssueKind(StrEnum):
    """Why a person has to look."""

    OVERSOLD = "oversold"
    UNMAPPED = "unmapped"
    MALFORMED = "malformed"
    CURRENCY = "currency"
    CHANGED_AFTER_END = "changed_after_end"
    FEED_SHRUNK = "feed_shrunk"
    REFUSED_BY_PLATFORM = "refused_by_platform"
    DRIFT = "drift"
    NO_GUARANTEE = "no_guarantee"


@frozen(kw_only=True)
class Issue:
    """Something that a person has to look at, until it is closed; ``details`` hold ids and codes, nothing personal."""

    issue_id: IssueId
    connection_id: ConnectionId
    property_id: PropertyId | None
    kind: IssueKind
    booking_id: BookingId | None = None
    revision_id: str = ""
    details: Mapping[str, Json] = field(factory=dict[str, Json])
    opened_at: datetime
    closed_at: datetime | None = None
