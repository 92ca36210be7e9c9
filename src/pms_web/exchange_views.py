"""Exchange rates, and amounts shown by them, as JSON and as words.

Owns the part of an answer that is in another currency than the property's: an object of its own, or null with
a reason.
"""

from __future__ import annotations

from typing import Annotated, NotRequired, TypedDict

from pms_web.price_texts import DISPLAY_TEXTS
from pms_web.reply_parts import MoneyBody, money_part
from pms_web.wire import CurrencyText, DateText, DecimalText, Says
from pmscore.pricing.model.exchange import ExchangeRate
from pmscore.pricing.policies.displaying import LONGEST_AGE_DAYS, DisplayedQuote, NotDisplayed

__all__ = [
    "DisplayedBody",
    "HoldingRateBody",
    "RateBody",
    "RatesBody",
    "StoredRatesBody",
    "TotalsBody",
    "display_body",
    "display_text",
    "rate_body",
]


class RateBody(TypedDict):
    """What one unit of the base currency was worth on a day, and who says so."""

    base: CurrencyText
    currency: CurrencyText
    day: DateText
    rate: DecimalText
    source: str


class HoldingRateBody(RateBody):
    """A rate, and whether it has become too old to show amounts by."""

    is_too_old: bool


class RatesBody(TypedDict):
    """The newest rates on a day."""

    day: DateText
    longest_age_days: int
    rates: list[HoldingRateBody]


class StoredRatesBody(TypedDict):
    """How many rates were sent, and how many of them were new or other than before."""

    rates: int
    changed: int


class TotalsBody(TypedDict):
    """A total by its parts."""

    room: MoneyBody
    fees: MoneyBody
    net: MoneyBody
    tax: MoneyBody
    city_tax: MoneyBody


class DisplayBody(TypedDict):
    """A quote in another currency than it is paid in, by a rate."""

    currency: CurrencyText
    rate: DecimalText
    day: DateText
    source: str
    total: MoneyBody
    totals: TotalsBody
    nightly: list[list[MoneyBody]]


class DisplayNoteBody(TypedDict):
    """Why a quote is not shown in another currency."""

    code: str
    message: str


class DisplayedBody(TypedDict):
    """What is said of a quote where another currency was asked for."""

    display: NotRequired[DisplayBody | None]
    display_note: NotRequired[Annotated[DisplayNoteBody, Says("Why display is null.")]]


def rate_body(rate: ExchangeRate) -> RateBody:
    """Return one rate; it is decimal text."""
    return {
        "base": rate.base.code,
        "currency": rate.shown.code,
        "day": rate.on.isoformat(),
        "rate": rate.plain(),
        "source": rate.source,
    }


def display_body(shown: DisplayedQuote | NotDisplayed) -> DisplayedBody:
    """Return the members of a quote that say what it is in another currency, or why it is not said."""
    if isinstance(shown, NotDisplayed):
        return {"display": None, "display_note": {"code": shown.why.value, "message": _reason(shown)}}
    rate = shown.rate
    return {
        "display": {
            "currency": rate.shown.code,
            "rate": rate.plain(),
            "day": rate.on.isoformat(),
            "source": rate.source,
            "total": money_part(shown.due),
            "totals": {
                "room": money_part(shown.room),
                "fees": money_part(shown.fees),
                "net": money_part(shown.net),
                "tax": money_part(shown.tax),
                "city_tax": money_part(shown.city_tax),
            },
            "nightly": [[money_part(each) for each in amounts] for amounts in shown.nightly],
        }
    }


def display_text(shown: DisplayedQuote | NotDisplayed) -> str:
    """Return for a line of text what is due in another currency, or why it is not said."""
    if isinstance(shown, NotDisplayed):
        return _reason(shown)
    rate = shown.rate
    return f"about {shown.due} at {rate.plain()} of {rate.on.isoformat()}, {rate.source}"


def _reason(missing: NotDisplayed) -> str:
    return DISPLAY_TEXTS[missing.why.value].format(
        own=missing.own.code,
        currency=missing.currency.code,
        day=missing.on.isoformat(),
        rate_day="" if missing.rate is None else missing.rate.on.isoformat(),
        most=LONGEST_AGE_DAYS,
    )
