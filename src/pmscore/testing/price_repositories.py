"""Price books, kept quotes and uses of promotions in memory, inside a transaction and outside of one.

Owns what their ports promise; leaves buffers and locks to ``transaction``, and the judgement at the commit to
``books``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from pmscore.booking.ports import PromotionUses
from pmscore.dates.ranges import DateRange
from pmscore.kernel.errors import NotFoundError
from pmscore.kernel.ids import PropertyId, QuoteId
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.quote import KeptQuote
from pmscore.pricing.ports import PriceBookRepository, PriceReader, QuoteRepository
from pmscore.pricing.views.quoting import Quoter
from pmscore.testing.books import Books, PromotionUse
from pmscore.testing.locks import LockTable
from pmscore.testing.transaction import Transaction

__all__ = ["InMemoryPriceBooks", "InMemoryPrices", "InMemoryPromotionUses", "InMemoryQuotes"]

NIGHTS_AHEAD = 1_096
NIGHTS_BACK = 366


class InMemoryPriceBooks(PriceBookRepository):
    """Price books."""

    def __init__(self, transaction: Transaction) -> None:
        self._at = transaction

    def find(self, property_id: PropertyId) -> PriceBook | None:
        """Return the latest book."""
        self._at.check_open()
        if not self._at.command.reaches(property_id):
            return None
        with self._at.locks.mutex:
            versions = self._at.books.price_books.get(property_id, ())
        return versions[-1] if versions else None

    def add(self, book: PriceBook) -> None:
        """Store a book at the commit, as the next version."""
        self._at.check_open()
        self._at.changes.price_books.append(book)


class InMemoryQuotes(QuoteRepository):
    """Kept quotes; each keeps the quoter that has made it."""

    def __init__(self, transaction: Transaction) -> None:
        self._at = transaction

    def add(self, kept: KeptQuote) -> None:
        """Add a new quote."""
        self._at.lock_new("quote", kept.quote.quote_id)
        self._at.changes.quotes[kept.quote.quote_id] = kept

    def get(self, quote_id: QuoteId) -> KeptQuote:
        """Return the quote, locked."""
        found = self._at.locked("quote", quote_id, self._at.books.quotes, self._at.changes.quotes)
        self._at.command.check_reach(found.quote.property_id, "quote", quote_id)
        return found

    def read(self, quote_id: QuoteId) -> KeptQuote:
        """Return the quote, not locked."""
        self._at.check_open()
        with self._at.locks.mutex:
            found = self._at.books.quotes.get(quote_id)
        if found is None:
            raise NotFoundError("quote", quote_id)
        self._at.command.check_reach(found.quote.property_id, "quote", quote_id)
        return found

    def save(self, kept: KeptQuote) -> None:
        """Store a quote that was read in this transaction."""
        self._at.check_locked("quote", kept.quote.quote_id)
        self._at.changes.quotes[kept.quote.quote_id] = kept

    def purge(self, before: datetime, *, most: int) -> int:
        """Delete quotes that expired before an instant and were never booked, those that expired first before others."""
        self._at.check_open()
        with self._at.locks.mutex:
            due = sorted(
                (kept.quote.expires_at, quote_id)
                for quote_id, kept in self._at.books.quotes.items()
                if kept.booking_id is None and kept.quote.expires_at < before
            )
        for _, quote_id in due[:most]:
            self._at.lock("quote", quote_id)
            self._at.changes.quotes[quote_id] = None
        return len(due[:most])


class InMemoryPromotionUses(PromotionUses):
    """How often promotions were used."""

    def __init__(self, transaction: Transaction) -> None:
        self._at = transaction

    def count(self, property_id: PropertyId, code: str, *, most: int) -> None:
        """Count one more use at the commit."""
        self._at.check_open()
        self._at.changes.promotion_uses.append(PromotionUse(property_id, code, most))

    def give_back(self, property_id: PropertyId, code: str) -> None:
        """Take one use back at the commit."""
        self._at.check_open()
        self._at.changes.given_back.append((property_id, code))

    def uses(self, property_id: PropertyId, codes: Iterable[str]) -> Mapping[str, int]:
        """Return how often each of these was used."""
        self._at.check_open()
        with self._at.locks.mutex:
            return _uses(self._at.books, property_id, codes)


class InMemoryPrices(PriceReader):
    """The committed prices of one agency; quoters are remembered with their books."""

    def __init__(self, books: Books, locks: LockTable) -> None:
        self._books = books
        self._mutex = locks.mutex

    def quoter(self, property_id: PropertyId, version: int | None = None) -> Quoter:
        """Return a quoter of the property's book, the latest or a version."""
        with self._mutex:
            house = self._books.houses.get(property_id)
            if house is None:
                raise NotFoundError("property", property_id)
            versions = self._books.price_books.get(property_id, ())
            wanted = len(versions) if version is None else version
            if not 1 <= wanted <= len(versions):
                raise NotFoundError("price_book", property_id if version is None else version)
            home = house.property
            key = (property_id, wanted, home.business_date)
            found = self._books.quoters.get(key)
            if found is None:
                first = home.business_date - timedelta(days=NIGHTS_BACK)
                nights = DateRange.of(first, NIGHTS_BACK + NIGHTS_AHEAD)
                found = self._books.quoters[key] = Quoter(versions[wanted - 1], nights, home.zone)
            return found

    def uses(self, property_id: PropertyId, codes: Iterable[str]) -> Mapping[str, int]:
        """Return how often each of these promotions was used."""
        with self._mutex:
            return _uses(self._books, property_id, codes)


def _uses(books: Books, property_id: PropertyId, codes: Iterable[str]) -> dict[str, int]:
    found = {code: books.promotion_uses.get((property_id, code), 0) for code in codes}
    return {code: uses for code, uses in found.items() if uses}
