"""Exchange rates in memory, inside a transaction and outside of one.

Owns what their ports promise; leaves buffers and locks to ``transaction``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pmscore.kernel.currency import Currency
from pmscore.pricing.model.exchange import ExchangeRate
from pmscore.pricing.ports import ExchangeRateRepository, ExchangeRates
from pmscore.testing.books import Books, RateKey
from pmscore.testing.locks import LockTable
from pmscore.testing.transaction import Transaction

__all__ = ["InMemoryExchangeRateRepository", "InMemoryExchangeRates"]


class InMemoryExchangeRateRepository(ExchangeRateRepository):
    """Rates that are put in; one transaction of an agency at a time."""

    def __init__(self, transaction: Transaction) -> None:
        self._at = transaction

    def put(self, rates: Sequence[ExchangeRate]) -> int:
        """Store rates at the commit; return how many say something new."""
        self._at.check_open()
        changes = self._at.changes.exchange_rates
        with self._at.locks.mutex:
            self._at.lock("exchange_rates", "all")
            new: dict[RateKey, ExchangeRate] = {}
            for rate in rates:
                key = (rate.base.code, rate.shown.code, rate.on)
                if changes.get(key, self._at.books.exchange_rates.get(key)) != rate:
                    new[key] = rate
            changes.update(new)
        return len(new)


class InMemoryExchangeRates(ExchangeRates):
    """The committed rates of one agency."""

    def __init__(self, books: Books, locks: LockTable) -> None:
        self._books = books
        self._mutex = locks.mutex

    def find(self, base: Currency, shown: Currency, on: date) -> ExchangeRate | None:
        """Return the rate of the latest day that is not after ``on``."""
        return next((each for each in self.latest(on) if each.base is base and each.shown is shown), None)

    def latest(self, on: date) -> Sequence[ExchangeRate]:
        """Return the rate of the latest day that is not after ``on``, for all currencies."""
        with self._mutex:
            known = sorted((key, rate) for key, rate in self._books.exchange_rates.items() if key[2] <= on)
        return tuple({key[:2]: rate for key, rate in known}.values())
