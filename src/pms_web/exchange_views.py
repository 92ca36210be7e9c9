"""Exchange rates, and amounts shown by them, as JSON and as words.

Owns the part of an answer that is in another currency than the property's: an object of its own, or null with a reason.
"""

from __future__ import annotations

from pms_web.price_texts import DISPLAY_TEXTS
from pms_web.views import money_body
from pmscore.kernel.events import Json
from pmscore.pricing.model.exchange import ExchangeRate
from pmscore.pricing.policies.displaying import LONGEST_AGE_DAYS, DisplayedQuote, NotDisplayed

__all__ = ["display_body", "display_text", "rate_body"]


def rate_body(rate: ExchangeRate) -> dict[str, Json]:
    """Return one rate; it is decimal text."""
    return {
        "base": rate.base.code,
        "currency": rate.shown.code,
        "day": rate.on.isoformat(),
        "rate": rate.plain(),
        "source": rate.source,
    }


def display_body(shown: DisplayedQuote | NotDisplayed) -> dict[str, Json]:
    """Return the members of a quote that say what it is in another currency, or why it is not said."""
    if isinstance(shown, NotDisplayed):
        note: dict[str, Json] = {"code": shown.why.value, "message": _reason(shown)}
        return {"display": None, "display_note": note}
    rate = shown.rate
    return {
        "display": {
            "currency": rate.shown.code,
            "rate": rate.plain(),
            "day": rate.on.isoformat(),
            "source": rate.source,
            "total": money_body(shown.due),
            "totals": {
                "room": money_body(shown.room),
                "fees": money_body(shown.fees),
                "net": money_body(shown.net),
                "tax": money_body(shown.tax),
                "city_tax": money_body(shown.city_tax),
            },
            "nightly": [[money_body(each) for each in amounts] for amounts in shown.nightly],
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
