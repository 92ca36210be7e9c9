"""Quotes and their refusals as JSON.

Owns names and shapes of response bodies about prices. Amounts are text with their currency, dates are ISO 8601, ends
are exclusive; rates and terms are written as in a price list.
"""

from __future__ import annotations

from collections.abc import Mapping

from pms_web.exchange_views import display_body
from pms_web.views import money_body, violation_body
from pmscore.dates.nights import StayRange
from pmscore.dates.zones import Zone
from pmscore.kernel.currency import Currency
from pmscore.kernel.events import Json
from pmscore.kernel.ids import QuoteId
from pmscore.kernel.money import Money
from pmscore.kernel.percent import Percent
from pmscore.pricing.model.charges.lines import ChargedLine, TaxSum
from pmscore.pricing.model.quote import KeptQuote, Quote, QuoteRefusal
from pmscore.pricing.model.terms import Terms
from pmscore.pricing.model.written.terms import terms_json
from pmscore.pricing.policies.deposits import deposit_schedule
from pmscore.pricing.policies.displaying import DisplayedQuote, NotDisplayed
from pmscore.pricing.use_cases.quotes import QuoteAnswer

__all__ = ["answer_body", "kept_body"]


def answer_body(
    stay: StayRange,
    found: QuoteAnswer,
    zone: Zone,
    *,
    is_kept: bool,
    shown: Mapping[QuoteId, DisplayedQuote | NotDisplayed] | None = None,
) -> dict[str, Json]:
    """Return the quotes of a request, cheapest first, and the combinations that do not take the stay.

    ``shown`` has each quote in another currency, None where that was not asked for.
    """
    return {
        **_stay(stay),
        "quotes": [
            {
                **_quote(each, zone, is_kept=is_kept),
                **(display_body(shown[each.quote_id]) if shown is not None else {}),
            }
            for each in found.quotes
        ],
        "refusals": [_refusal(each) for each in found.refusals],
    }


def kept_body(kept: KeptQuote, zone: Zone) -> dict[str, Json]:
    """Return a kept quote and what has become of it."""
    return {
        **_quote(kept.quote, zone, is_kept=True),
        "status": kept.status.value,
        "hold_ids": [str(each) for each in kept.hold_ids],
        "booking_id": None if kept.booking_id is None else str(kept.booking_id),
        "version": kept.version,
    }


def _quote(quote: Quote, zone: Zone, *, is_kept: bool) -> dict[str, Json]:
    money, totals, charged = _Amounts(quote.currency), quote.totals, quote.charged
    return {
        "id": str(quote.quote_id) if is_kept else None,
        "property_id": str(quote.property_id),
        "unit_type_id": str(quote.unit_type_id),
        "plan": quote.plan,
        **_stay(quote.stay),
        "channel": quote.channel,
        "codes": [*quote.codes],
        "extras": [*quote.extras],
        "rooms": [
            {
                "adults": party.adults,
                "ages": [*party.ages],
                "pets": party.pets,
                "nightly": [money[each] for each in amounts],
            }
            for party, amounts in zip(quote.parties, quote.nightly, strict=True)
        ],
        "lines": [_line(each, money) for each in charged.charges],
        "taxes": [_tax(each, money) for each in charged.sums],
        "total": money_body(quote.due),
        "totals": {
            "room": money[totals.room],
            "fees": money[totals.fees],
            "net": money[totals.net],
            "tax": money[totals.tax],
            "city_tax": money[totals.city_tax],
        },
        "terms": None if quote.terms is None else terms_json(quote.terms),
        "deposit": [] if quote.terms is None else _deposit(quote, quote.terms, zone),
        "rules": [{"kind": each.kind, "code": each.code, "version": each.version} for each in quote.versions],
        "made_at": quote.made_at.isoformat(),
        "expires_at": quote.expires_at.isoformat(),
        "fingerprint": quote.fingerprint,
    }


def _line(line: ChargedLine, money: _Amounts) -> dict[str, Json]:
    charge = line.charge
    return {
        "code": charge.code,
        "category": charge.category,
        "room": charge.room,
        "night": None if charge.night is None else charge.night.isoformat(),
        "amount": money[charge.amount],
        "net": money[line.net],
    }


def _tax(tax: TaxSum, money: _Amounts) -> dict[str, Json]:
    is_share = isinstance(tax.rate, Percent)
    return {
        "code": tax.tax,
        "rate": {"percent": tax.rate.plain()} if isinstance(tax.rate, Percent) else money[tax.rate],
        "base": money[tax.base] if is_share else tax.base,
        "amount": money[tax.amount],
        "is_inclusive": tax.is_inclusive,
        "is_city_tax": tax.is_city_tax,
    }


def _deposit(quote: Quote, terms: Terms, zone: Zone) -> list[Json]:
    dues = deposit_schedule(terms, quote.due, booked_at=quote.made_at, stay=quote.stay, zone=zone)
    return [
        {
            "due": each.milestone.due.value,
            "due_on": each.due_on.isoformat(),
            "amount": money_body(each.amount),
        }
        for each in dues
    ]


def _refusal(refusal: QuoteRefusal) -> dict[str, Json]:
    return {
        "unit_type_id": str(refusal.unit_type_id),
        "plan": refusal.plan,
        "violations": [violation_body(each) for each in refusal.violations],
        "nearest": [_stay(each) for each in refusal.nearest],
    }


def _stay(stay: StayRange) -> dict[str, Json]:
    return {"arrival": stay.arrival.isoformat(), "departure": stay.departure.isoformat()}


class _Amounts(dict[int, dict[str, Json]]):
    """Amounts of one currency as JSON by their minor units; the same ones come again and again in a quote."""

    def __init__(self, currency: Currency) -> None:
        super().__init__()
        self._currency = currency

    def __missing__(self, minor: int) -> dict[str, Json]:
        found = self[minor] = money_body(Money(minor, self._currency))
        return found
