"""A quote shown in another currency.

Law: what is due is converted once; its parts are shares of it, so that what is shown adds up. The quote itself stays
in the property's currency, and so does whatever is paid.
"""

from __future__ import annotations

from attrs import frozen

from pmscore.kernel.money import Money
from pmscore.pricing.model.exchange import ExchangeRate
from pmscore.pricing.model.quote import Quote

__all__ = ["DisplayedTotals", "displayed"]


@frozen(kw_only=True)
class DisplayedTotals:
    """The totals of a quote in another currency, for information; ``rate`` says by which rate of which day."""

    rate: ExchangeRate
    net: Money
    tax: Money
    city_tax: Money
    due: Money


def displayed(quote: Quote, rate: ExchangeRate) -> DisplayedTotals:
    """Return the totals of a quote in the currency that the rate leads to.

    Raises:
        InvalidInputError: field ``currency``; the rate is for another currency than the quote's.
    """
    due = rate.of(quote.due)
    totals = quote.totals
    parts = (totals.net, totals.tax, totals.city_tax)
    net, tax, city_tax = due.allocate(parts) if any(parts) else (Money.zero(due.currency),) * 3
    return DisplayedTotals(rate=rate, net=net, tax=tax, city_tax=city_tax, due=due)
