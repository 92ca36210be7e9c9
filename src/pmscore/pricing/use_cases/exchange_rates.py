"""Exchange rates: put in by day, and used to show quotes in another currency.

Owns the finding of the rate for each quote. Leaves what is shown, and how old a rate may be, to the policy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

from attrs import frozen

from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError, PermissionDeniedError
from pmscore.kernel.events import Command
from pmscore.kernel.ids import QuoteId
from pmscore.kernel.ports import UnitOfWork
from pmscore.pricing.model.events import ExchangeRatesChanged
from pmscore.pricing.model.exchange import ExchangeRate
from pmscore.pricing.model.quote import Quote
from pmscore.pricing.policies.displaying import DisplayedQuote, NotDisplayed, displayed_if_known
from pmscore.pricing.ports import ExchangeRates, ExchangeRateWork

__all__ = ["MOST_RATES", "SetExchangeRates", "display_quotes", "set_exchange_rates"]

MOST_RATES: Final = 1_000
"""How many rates one command may bring."""


@frozen(kw_only=True)
class SetExchangeRates(Command):
    """Put rates in, each in place of whatever is known of its currencies and day; all others stay as they are."""

    rates: tuple[ExchangeRate, ...]


def set_exchange_rates(command: SetExchangeRates, *, uow: UnitOfWork[ExchangeRateWork]) -> int:
    """Store the rates, all or nothing, and return how many say something new; without any, nothing is recorded.

    Raises:
        PermissionDeniedError: the actor reaches some properties only, and rates are for all of the agency.
        NotFoundError: no such agency.
        InvalidInputError: field ``rates``: ``empty``, ``too_many``, or ``day_twice``, two of the same
            currencies and day.
    """
    if command.property_ids is not None:
        raise PermissionDeniedError
    rates = _checked(command.rates)
    with uow.begin(command) as work:
        count = work.exchange_rates.put(rates)
        if count:
            days = [rate.on for rate in rates]
            work.record(
                ExchangeRatesChanged(
                    aggregate_id=command.agency_id,
                    version=1,
                    pairs=tuple(sorted({_pair(rate) for rate in rates})),
                    first_day=min(days),
                    last_day=max(days),
                    count=count,
                )
            )
        work.commit()
    return count


def display_quotes(
    quotes: Iterable[Quote], currency: Currency, *, rates: ExchangeRates
) -> Mapping[QuoteId, DisplayedQuote | NotDisplayed]:
    """Return each quote as it is shown in ``currency``, or why it is not. Nothing of the quotes changes."""
    known: dict[tuple[Currency, date], ExchangeRate | None] = {}
    shown: dict[QuoteId, DisplayedQuote | NotDisplayed] = {}
    for quote in quotes:
        key = (quote.currency, quote.booked_on)
        if key not in known:
            is_own = quote.currency is currency
            known[key] = None if is_own else rates.find(quote.currency, currency, quote.booked_on)
        shown[quote.quote_id] = displayed_if_known(quote, currency, known[key])
    return shown


def _checked(rates: tuple[ExchangeRate, ...]) -> tuple[ExchangeRate, ...]:
    if not rates:
        raise InvalidInputError("rates", "empty")
    if len(rates) > MOST_RATES:
        raise InvalidInputError("rates", "too_many", most=MOST_RATES)
    seen: set[tuple[str, date]] = set()
    for rate in rates:
        key = (_pair(rate), rate.on)
        if key in seen:
            raise InvalidInputError("rates", "day_twice", value=f"{key[0]} {key[1].isoformat()}")
        seen.add(key)
    return rates


def _pair(rate: ExchangeRate) -> str:
    return f"{rate.base.code}/{rate.shown.code}"
