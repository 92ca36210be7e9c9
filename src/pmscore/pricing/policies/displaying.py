"""A quote shown in another currency, for information: the quote itself stays in the property's, and so does payment.

Laws: what is due is converted once, and net, tax and city tax are shares of it; the sum of the nights is
converted once, and the nights are shares of it. So each of the two adds up as it is shown, and every amount
is about right: less than one unit and a half from the exact one. Showing changes nothing of the quote. Why:
``docs/algorithms/exchange.md``.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Final

from attrs import frozen

from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.money import Money
from pmscore.pricing.model.exchange import ExchangeRate
from pmscore.pricing.model.quote import Quote

__all__ = [
    "LONGEST_AGE_DAYS",
    "DisplayedQuote",
    "NotDisplayed",
    "WhyNotDisplayed",
    "displayed",
    "displayed_if_known",
    "is_too_old",
]

LONGEST_AGE_DAYS: Final = 7
"""How many days a rate may be old. Central banks publish none on weekends and holidays, at most four days in a row."""


@frozen(kw_only=True)
class DisplayedQuote:
    """The amounts of a quote in another currency; ``rate`` says by which rate of which day.

    ``nightly`` has the amounts of each room and sums to ``room``; ``net``, ``tax`` and ``city_tax`` sum to ``due``.
    ``fees`` is converted by itself, so ``room`` and ``fees`` may be a unit beside what they are a part of.
    """

    rate: ExchangeRate
    nightly: tuple[tuple[Money, ...], ...]
    room: Money
    fees: Money
    net: Money
    tax: Money
    city_tax: Money
    due: Money


class WhyNotDisplayed(StrEnum):
    """Why amounts are not shown in a currency; the values are part of answers and never renamed."""

    OWN_CURRENCY = "own_currency"
    """The quote is in this currency."""
    NO_RATE = "no_rate"
    """No rate is known of its day or before."""
    RATE_TOO_OLD = "rate_too_old"
    """The latest rate is more than ``LONGEST_AGE_DAYS`` older than the quote."""
    TOO_LARGE = "too_large"
    """An amount is more than can be held in this currency."""


@frozen(kw_only=True)
class NotDisplayed:
    """Why a quote is not shown in ``currency``; ``rate`` is the one that is too old. The quote is as good as ever."""

    why: WhyNotDisplayed
    own: Currency
    currency: Currency
    on: date
    rate: ExchangeRate | None = None


def is_too_old(rate: ExchangeRate, on: date) -> bool:
    """Return whether a rate holds no longer on a day: it is more than ``LONGEST_AGE_DAYS`` days older."""
    return (on - rate.on).days > LONGEST_AGE_DAYS


def displayed(quote: Quote, rate: ExchangeRate) -> DisplayedQuote:
    """Return the amounts of a quote in the currency that the rate leads to.

    Raises:
        InvalidInputError: field ``currency``: the rate is for another currency than the quote's; ``amount``,
            ``too_large``: an amount cannot be held in the other currency.
    """
    totals = quote.totals
    due = rate.of(quote.due)
    net, tax, city_tax = _shares(due, (totals.net, totals.tax, totals.city_tax))
    room = rate.of(Money(totals.room, quote.currency))
    nights = iter(_shares(room, [amount for amounts in quote.nightly for amount in amounts]))
    return DisplayedQuote(
        rate=rate,
        nightly=tuple(tuple(next(nights) for _ in amounts) for amounts in quote.nightly),
        room=room,
        fees=rate.of(Money(totals.fees, quote.currency)),
        net=net,
        tax=tax,
        city_tax=city_tax,
        due=due,
    )


def displayed_if_known(
    quote: Quote, currency: Currency, latest: ExchangeRate | None
) -> DisplayedQuote | NotDisplayed:
    """Return the amounts of a quote in ``currency``, or why there are none.

    ``latest`` is the newest rate that is known on the day on which the quote was made, None without one.
    """
    day = quote.booked_on
    if currency is quote.currency:
        why, rate = WhyNotDisplayed.OWN_CURRENCY, None
    elif latest is None:
        why, rate = WhyNotDisplayed.NO_RATE, None
    elif is_too_old(latest, day):
        why, rate = WhyNotDisplayed.RATE_TOO_OLD, latest
    else:
        try:
            return displayed(quote, latest)
        except InvalidInputError as error:
            if error.reason != "too_large":
                raise
            why, rate = WhyNotDisplayed.TOO_LARGE, latest
    return NotDisplayed(why=why, own=quote.currency, currency=currency, on=day, rate=rate)


def _shares(whole: Money, parts: tuple[int, ...] | list[int]) -> tuple[Money, ...]:
    """Return what parts of a sum are of the whole that is shown; nothing of nothing."""
    return whole.allocate(parts) if any(parts) else (Money.zero(whole.currency),) * len(parts)
