"""What a store must offer to be run through the laws.

Owns the protocol that an adapter's author fulfils, beside the unit of work itself: reading events in both
ways, recomputing the invariants, and stopping a commit at its last moment. See
``docs/howto/test-your-adapter.md``.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from pmscore.access.ports import AccessReader, AccessWork, MemberWork
from pmscore.availability.ports import AvailabilityReader
from pmscore.booking.ports import QuotedBookingWork
from pmscore.channels.ports import ChannelWork
from pmscore.kernel.events import Command
from pmscore.kernel.ids import AgencyId
from pmscore.kernel.trail import EventWork
from pmscore.modules.ports import FeatureWork
from pmscore.pricing.ports import ExchangeRates, ExchangeRateWork, PriceReader, PriceSettingWork
from pmscore.testing.journal import LoggedEvent, Position
from pmscore.webhooks.ports import WebhookWork

__all__ = ["StoreUnderTest", "StoreWork"]


class StoreWork(
    AccessWork,
    MemberWork,
    ChannelWork,
    QuotedBookingWork,
    PriceSettingWork,
    ExchangeRateWork,
    EventWork,
    FeatureWork,
    WebhookWork,
    Protocol,
):
    """One transaction with the repositories of every context."""


class StoreUnderTest(Protocol):
    """A store as the laws see it. All members but ``begin`` are for tests; a thin wrapper may hold them."""

    @abstractmethod
    def begin(self, command: Command) -> AbstractContextManager[StoreWork]:
        """Open a transaction: the unit of work itself."""

    @abstractmethod
    def events_after(self, position: Position, agency_id: AgencyId | None = None) -> Sequence[LoggedEvent]:
        """Return events of one agency (None: of all) behind ``position`` in order, as production's reader would."""

    @abstractmethod
    def events_after_sequence(self, sequence: int) -> Sequence[LoggedEvent]:
        """Return the visible events above a sequence number: the reader that must be seen to lose some."""

    @abstractmethod
    def violated_invariants(self) -> Sequence[str]:
        """Recompute every counter, owner and guest figure; one sentence for each that is wrong."""

    @abstractmethod
    def before_visible(self, hook: Callable[[], None]) -> AbstractContextManager[None]:
        """Within the block, call ``hook`` once, in the thread of the next commit.

        At that moment the commit has numbered its events, and nobody else can see them yet. ``hook`` opens
        and commits transactions of its own.
        """

    @abstractmethod
    def availability(self, agency_id: AgencyId) -> AvailabilityReader:
        """Return the reader of one agency's availability."""

    @abstractmethod
    def prices(self, agency_id: AgencyId) -> PriceReader:
        """Return the reader of one agency's prices."""

    @abstractmethod
    def exchange_rates(self, agency_id: AgencyId) -> ExchangeRates:
        """Return the reader of one agency's exchange rates."""

    @abstractmethod
    def access(self) -> AccessReader:
        """Return the reader of accounts, sessions and keys."""
