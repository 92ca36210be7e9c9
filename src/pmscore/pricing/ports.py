"""What pricing needs from a store."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from pmscore.availability.ports import AvailabilityReader
from pmscore.dates.nights import StayRange
from pmscore.inventory.ports import InventoryWork
from pmscore.kernel.currency import Currency
from pmscore.kernel.ids import PropertyId, QuoteId, UnitTypeId
from pmscore.kernel.ports import Work
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.exchange import ExchangeRate
from pmscore.pricing.model.quote import KeptQuote
from pmscore.pricing.views.quote_basis import QuoteBasis, nights_claimed, types_meant
from pmscore.pricing.views.quoting import Quoter
from pmscore.restrictions.model.book import RuleBook

__all__ = [
    "ExchangeRateRepository",
    "ExchangeRateWork",
    "ExchangeRates",
    "PriceBookRepository",
    "PriceReader",
    "PriceSettingWork",
    "PricingWork",
    "QuoteRepository",
    "QuoteWork",
]


class PriceReader(Protocol):
    """Reads one agency's prices outside of transactions; made for one agency, and shows nothing of another."""

    @abstractmethod
    def quoter(self, property_id: PropertyId, version: int | None = None) -> Quoter:
        """Return a quoter of the property's book as it is, or as it was at a version; remembered, so quick.

        Raises:
            NotFoundError: no such property in this agency, it has no prices, or none of this version.
        """

    def basis(
        self,
        property_id: PropertyId,
        unit_type_ids: Iterable[UnitTypeId],
        stay: StayRange,
        now: datetime,
        *,
        availability: AvailabilityReader,
    ) -> QuoteBasis:
        """Return all that a stay in these types is quoted from; in all types of the property where none is named.

        What is taken is as ``availability``, which is the same agency's, counts it at ``now``. A store that has both
        overrides this to read them at once.

        Raises:
            NotFoundError: no such property or type in this agency, or the property has no prices.
        """
        (house,) = availability.houses([property_id])
        quoter = self.quoter(property_id)
        types = types_meant(house, unit_type_ids)
        rules = availability.rules([property_id]).get(property_id, RuleBook())
        nights = nights_claimed(stay, types)
        claimed = availability.claimed([each.unit_type_id for each in types], nights, now)
        return QuoteBasis(
            house=house, rules=rules, quoter=quoter, types=types, nights=nights, claimed=claimed
        )

    @abstractmethod
    def uses(self, property_id: PropertyId, codes: Iterable[str]) -> Mapping[str, int]:
        """Return how often bookings were made with each of these promotion codes; those never used are left out."""


class PriceBookRepository(Protocol):
    """Keeps every version of the price book of each property."""

    @abstractmethod
    def find(self, property_id: PropertyId) -> PriceBook | None:
        """Return the latest book; None if the property has none yet."""

    @abstractmethod
    def add(self, book: PriceBook) -> None:
        """Store a book as the next version.

        Raises (at the commit):
            StaleVersionError: somebody has stored this version meanwhile.
        """


class QuoteRepository(Protocol):
    """Keeps the quotes that are asked to be kept, held, or booked."""

    @abstractmethod
    def add(self, kept: KeptQuote) -> None:
        """Add a new quote."""

    @abstractmethod
    def get(self, quote_id: QuoteId) -> KeptQuote:
        """Return the quote, locked until the end of the transaction.

        Raises:
            NotFoundError: no such quote in this agency.
        """

    @abstractmethod
    def read(self, quote_id: QuoteId) -> KeptQuote:
        """Return the quote as it was last committed, without a lock; it cannot be saved.

        Raises:
            NotFoundError: no such quote in this agency.
        """

    @abstractmethod
    def save(self, kept: KeptQuote) -> None:
        """Store a quote that was read in this transaction."""

    @abstractmethod
    def purge(self, before: datetime, *, most: int) -> int:
        """Delete quotes that expired before an instant and were never booked; return how many."""


class PricingWork(Work, Protocol):
    """A transaction that sees prices."""

    @property
    @abstractmethod
    def prices(self) -> PriceBookRepository:
        """The price books."""


class PriceSettingWork(InventoryWork, PricingWork, Protocol):
    """A transaction that changes prices, and sees the house that they are for."""


class QuoteWork(InventoryWork, Protocol):
    """A transaction on kept quotes and the stock that is held for them."""

    @property
    @abstractmethod
    def quotes(self) -> QuoteRepository:
        """The kept quotes."""


class ExchangeRates(Protocol):
    """Knows what currencies were worth, for one agency; whoever owns it says where its rates come from."""

    @abstractmethod
    def find(self, base: Currency, shown: Currency, on: date) -> ExchangeRate | None:
        """Return the rate of the latest day that is not after ``on``, however old; None if it knows none."""

    @abstractmethod
    def latest(self, on: date) -> Sequence[ExchangeRate]:
        """Return what :meth:`find` returns for all currencies that there are rates of, in the order of their codes."""


class ExchangeRateRepository(Protocol):
    """Keeps one rate for two currencies and a day."""

    @abstractmethod
    def put(self, rates: Sequence[ExchangeRate]) -> int:
        """Store rates, each in place of that of its currencies and day; return how many of them say something new.

        No two of them are of the same currencies and day. One that is stored already as it is says nothing new.
        """


class ExchangeRateWork(Work, Protocol):
    """A transaction that puts exchange rates in."""

    @property
    @abstractmethod
    def exchange_rates(self) -> ExchangeRateRepository:
        """The exchange rates."""
