"""``/api/v1/exchange-rates``: what currencies are worth, put in by day, and which rates hold.

Owns addresses; quotes are shown by these rates where ``display_currency`` asks for that.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

from attrs import frozen
from flask import Response

from pms_web.exchange_views import RatesBody, StoredRatesBody, rate_body
from pms_web.routing import Route, answer
from pms_web.services import WebServices
from pms_web.wire import Entries, Says, rule
from pmscore.access.model.permissions import Permission
from pmscore.kernel.currency import Currency
from pmscore.pricing.model.exchange import ExchangeRate
from pmscore.pricing.policies.displaying import LONGEST_AGE_DAYS, is_too_old
from pmscore.pricing.use_cases.exchange_rates import MOST_RATES, SetExchangeRates, set_exchange_rates

__all__ = ["ROUTES"]

ADDRESS = "/api/v1/exchange-rates"


@frozen(kw_only=True)
class RatesQuery:
    """Which rates."""

    day: Annotated[date | None, Says("Today in UTC where it is left out.")] = None
    base: Currency | None = None
    currency: Currency | None = None


@frozen(kw_only=True)
class NewRate:
    """What one unit of the base currency is worth on a day, and who says so."""

    base: Currency
    currency: Currency
    day: date
    rate: Annotated[str, Says("Decimal text.")]
    source: str

    @rule
    def made(self) -> ExchangeRate:
        """Return the rate."""
        return ExchangeRate.parse(self.base, self.currency, self.rate, self.day, source=self.source)


@frozen(kw_only=True)
class NewRates:
    """Rates to put in."""

    rates: Annotated[tuple[NewRate, ...], Entries(MOST_RATES, least=1)]


def show(services: WebServices, query: RatesQuery) -> Response:
    """Return the newest rate of all currencies on a day, today in UTC unless one is named, and whether it holds."""
    day = query.day or services.clock.now().date()
    found = services.retry(lambda: services.exchange_rates.latest(day))
    body: RatesBody = {
        "day": day.isoformat(),
        "longest_age_days": LONGEST_AGE_DAYS,
        "rates": [
            {**rate_body(each), "is_too_old": is_too_old(each, day)}
            for each in found
            if query.base in {None, each.base} and query.currency in {None, each.shown}
        ],
    }
    return answer(body)


def put(services: WebServices, body: NewRates) -> Response:
    """Put rates in, each in place of that of its currencies and day; all others stay as they are."""
    rates = tuple(each.made() for each in body.rates)
    command = SetExchangeRates(**services.asking, rates=rates)
    changed = services.retry(lambda: set_exchange_rates(command, uow=services.uow))
    stored: StoredRatesBody = {"rates": len(rates), "changed": changed}
    return answer(stored)


ROUTES = (
    Route(
        method="GET",
        path=ADDRESS,
        view=show,
        permission=Permission.READ_PRICES,
        summary="Read the exchange rates of a day",
        query=RatesQuery,
        replies={200: RatesBody},
        example={"day": "2027-03-01", "base": "EUR", "currency": "USD"},
    ),
    Route(
        method="PUT",
        path=ADDRESS,
        view=put,
        permission=Permission.WRITE_PRICES,
        summary="Put exchange rates in",
        body=NewRates,
        replies={200: StoredRatesBody},
        example={
            "rates": [
                {
                    "base": "EUR",
                    "currency": "USD",
                    "day": "2027-03-01",
                    "rate": "1.0825",
                    "source": "European Central Bank",
                }
            ]
        },
    ),
)
