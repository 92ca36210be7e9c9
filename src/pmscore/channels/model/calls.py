"""What goes into a gateway and what comes out of it.

Owns the values between the engine and the gateways. Leaves their form on the wire to the gateways, and what follows
from an outcome to ``policies.waiting``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

from attrs import field, frozen

from pmscore.channels.model.ari import AriRows, Entry
from pmscore.channels.model.connections import Connection
from pmscore.channels.model.manifest import Lane
from pmscore.channels.model.mappings import MappingBook
from pmscore.channels.model.revisions import Malformed, Revision, SaleKind
from pmscore.dates.ranges import DateRange
from pmscore.dates.zones import Zone
from pmscore.kernel.currency import Currency
from pmscore.kernel.events import Json
from pmscore.kernel.ids import MappingId
from pmscore.kernel.secrets import Secret
from pmscore.pricing.views.matrix_rows import MatrixField

__all__ = [
    "At",
    "Feed",
    "FeedStay",
    "Health",
    "KeptKnock",
    "Knock",
    "Outcome",
    "OutcomeKind",
    "Pulled",
    "Push",
    "PushResult",
    "ReadBack",
    "Refused",
    "RemoteRate",
    "RemoteRoom",
    "Renewed",
]


class OutcomeKind(StrEnum):
    """What came of a call, as far as anybody can know."""

    DONE = "done"
    PARTLY = "partly"
    """Done but for what the result names as refused."""
    REFUSED = "refused"
    """It will never be done as it is."""
    BUSY = "busy"
    """Not done; the platform asks for patience."""
    DOWN = "down"
    """Surely not done."""
    UNSURE = "unsure"
    """Done or not: the answer was lost, or could not be read."""
    UNAUTHORISED = "unauthorised"


@frozen
class Outcome:
    """What came of a call; ``error`` is a code or a short text without secrets, ``retry_after`` in seconds."""

    kind: OutcomeKind
    error: str = ""
    retry_after: float | None = None


@frozen(kw_only=True)
class Refused:
    """Cells that a platform did not take; the fields are those of one message."""

    mapping_id: MappingId
    nights: DateRange
    fields: frozenset[MatrixField]
    reason: str


@frozen(kw_only=True)
class At:
    """On whose behalf and when a call is made: all that a gateway needs to know beside what it is to do."""

    connection: Connection
    credentials: Mapping[str, Secret]
    token: Secret | None
    partner: Mapping[str, Secret]
    mappings: MappingBook
    zone: Zone
    currency: Currency
    now: datetime


@frozen(kw_only=True)
class Push:
    """One message; ``is_complete`` where it says everything of a whole horizon and so may replace what was there."""

    push_id: UUID
    lane: Lane
    entries: tuple[Entry, ...]
    is_complete: bool = False


@frozen
class PushResult:
    """What came of a push."""

    outcome: Outcome
    refused: tuple[Refused, ...] = ()


@frozen(kw_only=True)
class FeedStay:
    """One event of a calendar feed."""

    uid: str
    nights: DateRange
    kind: SaleKind
    reference: str = ""


@frozen(kw_only=True)
class Feed:
    """All that a calendar feed says of one room; unchanged ones have no stays."""

    room_code: str
    stays: tuple[FeedStay, ...]
    read_at: datetime
    is_unchanged: bool = False


@frozen(kw_only=True)
class Pulled:
    """What one call has fetched; ``cursor`` is where the next one begins."""

    outcome: Outcome
    revisions: tuple[Revision, ...] = ()
    malformed: tuple[Malformed, ...] = ()
    feed: Feed | None = None
    cursor: str = ""
    has_more: bool = False


@frozen
class Health:
    """Whether a connection would work, and why not."""

    is_healthy: bool
    message: str
    error_code: str = ""
    details: Mapping[str, Json] = field(factory=dict[str, Json])


@frozen
class Renewed:
    """A new token and how long it lasts."""

    outcome: Outcome
    token: Secret | None = None
    until: datetime | None = None


@frozen(kw_only=True)
class ReadBack:
    """What a platform has: cells, or bookings that are still to come."""

    outcome: Outcome
    rows: AriRows | None = None
    bookings: tuple[Revision, ...] = ()


@frozen
class RemoteRate:
    """A rate that the platform knows."""

    room_code: str
    rate_code: str
    name: str
    occupancies: tuple[int, ...] = ()


@frozen
class RemoteRoom:
    """A room that the platform knows."""

    room_code: str
    name: str
    rates: tuple[RemoteRate, ...] = ()


@frozen
class Knock:
    """A message that came to our address, as it came: it says that there is something to fetch."""

    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    received_at: datetime

    @property
    def digest(self) -> str:
        """SHA-256 of the body, by which a replayed knock is known."""
        return sha256(self.body).hexdigest()


@frozen(kw_only=True)
class KeptKnock:
    """A stored knock and the digest that it is known by."""

    digest: str
    knock: Knock
