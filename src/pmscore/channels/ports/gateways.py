"""What speaks with a platform: one gateway for each way of speaking.

Owns their contract. A gateway never raises for what the other side does: it answers with an outcome.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Protocol

from pmscore.channels.model.calls import (
    At,
    Health,
    Knock,
    Outcome,
    OutcomeKind,
    Pulled,
    Push,
    PushResult,
    ReadBack,
    RemoteRoom,
    Renewed,
)
from pmscore.channels.model.manifest import Lane, Manifest
from pmscore.channels.model.revisions import StoredRevision
from pmscore.dates.ranges import DateRange

__all__ = [
    "ChannelGateway",
    "GatewayBase",
]


class ChannelGateway(Protocol):
    """Speaks with one kind of platform. It keeps no state and may be shared between threads.

    No method raises for what the other side does. ``push``, ``pull`` and ``acknowledge`` are each exactly one call.
    """

    @property
    @abstractmethod
    def manifest(self) -> Manifest:
        """What it can."""

    @abstractmethod
    def check(self, at: At) -> Health:
        """Return whether the connection would work."""

    @abstractmethod
    def rooms(self, at: At) -> tuple[Outcome, tuple[RemoteRoom, ...]]:
        """Return the rooms and rates that the platform knows."""

    @abstractmethod
    def push(self, at: At, push: Push) -> PushResult:
        """Send one message."""

    @abstractmethod
    def pull(self, at: At, cursor: str) -> Pulled:
        """Fetch what was sold since ``cursor``; an empty one begins anew."""

    @abstractmethod
    def acknowledge(self, at: At, revisions: Sequence[StoredRevision]) -> Outcome:
        """Tell the platform that these, all of one queue, need not come again."""

    @abstractmethod
    def queue_of(self, stored: StoredRevision) -> str:
        """Return in which of the platform's queues it was told; empty where there is one. This is no call."""

    @abstractmethod
    def read_back(self, at: At, lane: Lane, nights: DateRange) -> ReadBack:
        """Return what the platform has: cells, or for the lane of bookings the bookings."""

    @abstractmethod
    def renew(self, at: At) -> Renewed:
        """Exchange the credentials for a new token."""

    @abstractmethod
    def read_knock(self, at: At, knock: Knock) -> Pulled:
        """Read a message that came to our address, without a call.

        Raises:
            NotAuthenticatedError: it is not the platform's.
        """


_NOT_SUPPORTED = Outcome(OutcomeKind.REFUSED, "not_supported")


class GatewayBase(ChannelGateway):
    """A gateway that can nothing; what a manifest offers is overridden."""

    def check(self, at: At) -> Health:  # noqa: ARG002
        """Say that this cannot be checked."""
        return Health(is_healthy=False, message="", error_code=_NOT_SUPPORTED.error)

    def rooms(self, at: At) -> tuple[Outcome, tuple[RemoteRoom, ...]]:  # noqa: ARG002
        """Refuse."""
        return _NOT_SUPPORTED, ()

    def push(self, at: At, push: Push) -> PushResult:  # noqa: ARG002
        """Refuse."""
        return PushResult(_NOT_SUPPORTED)

    def pull(self, at: At, cursor: str) -> Pulled:  # noqa: ARG002
        """Refuse."""
        return Pulled(outcome=_NOT_SUPPORTED, cursor=cursor)

    def acknowledge(self, at: At, revisions: Sequence[StoredRevision]) -> Outcome:  # noqa: ARG002
        """Refuse."""
        return _NOT_SUPPORTED

    def queue_of(self, stored: StoredRevision) -> str:  # noqa: ARG002
        """Return that there is one queue."""
        return ""

    def read_back(self, at: At, lane: Lane, nights: DateRange) -> ReadBack:  # noqa: ARG002
        """Refuse."""
        return ReadBack(outcome=_NOT_SUPPORTED)

    def renew(self, at: At) -> Renewed:  # noqa: ARG002
        """Refuse."""
        return Renewed(_NOT_SUPPORTED)

    def read_knock(self, at: At, knock: Knock) -> Pulled:  # noqa: ARG002
        """Refuse."""
        return Pulled(outcome=_NOT_SUPPORTED)
