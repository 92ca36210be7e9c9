"""What a gateway can: lanes, fields, limits of calls, and how much of it was proved.

Owns the words in which a gateway describes itself. Leaves what follows from them to ``policies``: nothing
outside of a manifest asks which gateway it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from attrs import evolve, field, frozen

from pmscore.pricing.views.matrix_rows import MatrixField

__all__ = [
    "CallGroup",
    "CallKind",
    "Confirms",
    "CredentialField",
    "Lane",
    "Manifest",
    "Platform",
    "Standing",
    "Window",
]


_ANY_NUMBER: Final = 1_000_000_000


class Platform(StrEnum):
    """Where rooms are sold; one connection serves one of them for one property."""

    AIRBNB = "airbnb"
    BOOKING_COM = "booking_com"
    EXPEDIA = "expedia"
    FEWO_DIREKT = "fewo_direkt"
    GOOGLE = "google"
    CHANNEX = "channex"
    ALPINEBITS = "alpinebits"


class Lane(StrEnum):
    """One of the three streams of a connection; each is scheduled, leased and retried by itself."""

    AVAILABILITY = "availability"
    PRICING = "pricing"
    BOOKINGS = "bookings"


class Standing(StrEnum):
    """How much of a gateway was proved, in the words that people read."""

    CERTIFIED = "certified"
    COMPLETE = "complete, not certified"
    NEEDS_ACCOUNT = "needs a partner account"
    FORMAT_ONLY = "format only"


class CallKind(StrEnum):
    """What a call is for; limits are counted by kinds."""

    PUSH_AVAILABILITY = "push_availability"
    PUSH_PRICING = "push_pricing"
    PULL = "pull"
    ACKNOWLEDGE = "acknowledge"
    READ_BACK = "read_back"
    CHECK = "check"
    TOKEN = "token"  # noqa: S105 - the name of a kind of call


class Confirms(StrEnum):
    """When a platform may be told that we have a revision."""

    STORED = "stored"
    """As soon as it is stored and classified."""
    BOOKED = "booked"
    """Never before it is applied: the platform takes it for a confirmed booking, with our reference."""


@frozen(kw_only=True)
class Window:
    """No more than ``calls`` within any ``seconds``."""

    calls: int
    seconds: int


@frozen(kw_only=True)
class CallGroup:
    """Calls that a platform counts together.

    All ``windows`` hold at once. ``in_flight`` of them may be on their way; a call that nobody has ended is
    taken for ended after ``longest_seconds``, which is longer than the transport waits. Calls of the
    ``counted`` kinds count in the windows and are never held up by them: what comes after an acknowledgement
    has to wait, not the acknowledgement.
    """

    name: str
    kinds: frozenset[CallKind]
    counted: frozenset[CallKind] = frozenset()
    windows: tuple[Window, ...] = ()
    in_flight: int = 1
    longest_seconds: int = 20


@frozen(kw_only=True)
class CredentialField:
    """One value that a connection needs before it can speak; secret ones are never shown again."""

    name: str
    is_secret: bool = True
    is_required: bool = True


@frozen(kw_only=True)
class Manifest:
    """What one gateway can and may.

    ``lane_standings`` has the lanes that stand elsewhere than the gateway. ``messages`` names for each lane
    the fields that travel in one message, message by message. An entry with one of the ``whole`` fields says
    all of these (a rate for all its occupancies), because the platform replaces what it had. Rules in
    ``left_to_platform`` are kept by the platform's own settings only: they are reported, and no narrowing
    stands for them. ``most_nights`` is of one entry. ``most_acknowledged`` revisions go into one
    acknowledgement. ``partner_settings`` are settings of the deployment; ``base_urls`` gives an address for
    each name of an environment.
    """

    gateway: str
    title: str
    platforms: frozenset[Platform]
    standing: Standing
    evidence: tuple[str, ...]
    lane_standings: Mapping[Lane, Standing] = field(factory=dict[Lane, Standing])
    lanes: frozenset[Lane]
    messages: Mapping[Lane, tuple[frozenset[MatrixField], ...]]
    whole: frozenset[MatrixField] = frozenset()
    left_to_platform: frozenset[MatrixField] = frozenset()
    has_occupancies: bool = False
    horizon_days: int = 500
    most_entries: int = 1000
    most_nights: int = 366
    most_acknowledged: int = 1
    calls: tuple[CallGroup, ...] = ()
    poll_seconds: int | None = None
    confirms: Confirms = Confirms.STORED
    reads_back: bool = False
    lists_rooms: bool = False
    hears: bool = False
    exports_calendar: bool = False
    needs_token: bool = False
    credentials: tuple[CredentialField, ...] = ()
    partner_settings: tuple[str, ...] = ()
    base_urls: Mapping[str, str] = field(factory=dict[str, str])

    @property
    def fields(self) -> frozenset[MatrixField]:
        """Every field that is sent in some message: the cells that the gateway answers for."""
        return frozenset(each for lane in self.messages for each in self.fields_of(lane))

    def fields_of(self, lane: Lane) -> frozenset[MatrixField]:
        """Return the fields that are sent in the messages of a lane."""
        return frozenset(each for message in self.messages.get(lane, ()) for each in message)

    def standing_of(self, lane: Lane) -> Standing:
        """Return how much of a lane was proved."""
        return self.lane_standings.get(lane, self.standing)

    def groups(self, kind: CallKind) -> tuple[CallGroup, ...]:
        """Return the groups in which a call of this kind counts; none: it is not limited."""
        return tuple(
            group if kind in group.kinds else evolve(group, windows=tuple(map(_endless, group.windows)))
            for group in self.calls
            if kind in group.kinds | group.counted
        )


def _endless(window: Window) -> Window:
    """Return a window that remembers as long and holds nothing up."""
    return evolve(window, calls=_ANY_NUMBER)
