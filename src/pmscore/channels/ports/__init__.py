"""What channels need from outside: gateways, and what a store keeps for them.

Owns the transaction on channels and the means that they work with; the contracts of the parts stand beside.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Protocol, TypeVar

from attrs import field, frozen

from pmscore.availability.ports import AvailabilityReader
from pmscore.booking.ports import QuotedBookingWork
from pmscore.channels.ports.gateways import ChannelGateway, GatewayBase
from pmscore.channels.ports.logs import OperationRepository
from pmscore.channels.ports.places import ConnectionRepository, MappingRepository
from pmscore.channels.ports.receiving import IssueRepository, KnockRepository, RevisionRepository
from pmscore.channels.ports.sending import CallLog, CellRepository, DirtyRepository, LaneRepository
from pmscore.inventory.ports import AllotmentWork
from pmscore.kernel.ids import AgencyId
from pmscore.kernel.secrets import Secret, SecretBox, SecretSource
from pmscore.pricing.ports import PriceReader, PricingWork

__all__ = [
    "CallLog",
    "CellRepository",
    "ChannelGateway",
    "ChannelMeans",
    "ChannelWork",
    "ConnectionRepository",
    "DirtyRepository",
    "GatewayBase",
    "IssueRepository",
    "KnockRepository",
    "LaneRepository",
    "MappingRepository",
    "OperationRepository",
    "Retry",
    "RevisionRepository",
]

ResultT = TypeVar("ResultT")


class ChannelWork(QuotedBookingWork, AllotmentWork, PricingWork, Protocol):
    """A transaction on channels and all that they touch."""

    @property
    @abstractmethod
    def connections(self) -> ConnectionRepository:
        """The connections."""

    @property
    @abstractmethod
    def mappings(self) -> MappingRepository:
        """Their mappings."""

    @property
    @abstractmethod
    def lanes(self) -> LaneRepository:
        """Their lanes."""

    @property
    @abstractmethod
    def dirty(self) -> DirtyRepository:
        """What may differ."""

    @property
    @abstractmethod
    def cells(self) -> CellRepository:
        """What was acknowledged."""

    @property
    @abstractmethod
    def calls(self) -> CallLog:
        """The calls that were made."""

    @property
    @abstractmethod
    def revisions(self) -> RevisionRepository:
        """What was sold."""

    @property
    @abstractmethod
    def operations(self) -> OperationRepository:
        """The log."""

    @property
    @abstractmethod
    def knocks(self) -> KnockRepository:
        """Messages that came to us."""

    @property
    @abstractmethod
    def issues(self) -> IssueRepository:
        """What a person has to look at."""


class Retry(Protocol):
    """Repeats a transaction that lost against another one."""

    @abstractmethod
    def __call__(self, call: Callable[[], ResultT]) -> ResultT:
        """Return what ``call`` returns, at one of a few attempts."""


@frozen(kw_only=True)
class ChannelMeans:
    """What channels work with, beside a store.

    ``lease`` is how long a run may be silent, ``stale_after`` how long an operation may stand still.
    """

    gateways: Mapping[str, ChannelGateway] = field(repr=False)
    box: SecretBox = field(repr=False)
    secrets: SecretSource = field(repr=False)
    partner: Mapping[str, Secret] = field(repr=False)
    availability: Callable[[AgencyId], AvailabilityReader] = field(repr=False)
    prices: Callable[[AgencyId], PriceReader] = field(repr=False)
    retry: Retry = field(repr=False)
    lease: timedelta = timedelta(seconds=30)
    stale_after: timedelta = timedelta(minutes=60)
    is_mock: bool = False
