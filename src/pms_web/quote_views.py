"""Quotes and their refusals as JSON.

Owns names and shapes of response bodies about prices. Amounts are text with their currency, dates are ISO 8601, ends
are exclusive; rates and terms are written as in a price list.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, TypedDict

from pms_web.exchange_views import DisplayedBody, TotalsBody, display_body
from pms_web.reply_parts import MoneyBody, StayBody, ViolationBody, money_part, stay_part, violation_part
from pms_web.wire import DateText, DecimalText, IdText, InstantText, OneOf, Says
from pmscore.dates.nights import StayRange
from pmscore.dates.zones import Zone
from pmscore.kernel.currency import Currency
from pmscore.kernel.events import Json
from pmscore.kernel.ids import QuoteId
from pmscore.kernel.money import Money
from pmscore.kernel.percent import Percent
from pmscore.pricing.model.charges.lines import ChargedLine, TaxSum
from pmscore.pricing.model.instalments import Due
from pmscore.pricing.model.quote import KeptQuote, Quote, QuoteRefusal, QuoteStatus
from pmscore.pricing.model.terms import Terms
from pmscore.pricing.model.written.terms import terms_json
from pmscore.pricing.policies.deposits import deposit_schedule
from pmscore.pricing.policies.displaying import DisplayedQuote, NotDisplayed
from pmscore.pricing.use_cases.quotes import QuoteAnswer

__all__ = ["KeptQuoteBody", "QuotesBody", "answer_body", "kept_body"]


class QuotedRoomBody(TypedDict):
    """A party and what each night costs it."""

    adults: int
    ages: list[int]
    pets: int
    nightly: list[MoneyBody]


class QuoteLineBody(TypedDict):
    """One line of a quote; a line without a night is for the stay, one without a room for the booking."""

    code: str
    category: str
    room: int | None
    night: DateText | None
    amount: MoneyBody
    net: MoneyBody


class PercentBody(TypedDict):
    """A rate as a share."""

    percent: DecimalText


class TaxBody(TypedDict):
    """A tax of a quote; what it is taken of is an amount, or a count where the rate is one."""

    code: str
    rate: PercentBody | MoneyBody
    base: MoneyBody | int
    amount: MoneyBody
    is_inclusive: bool
    is_city_tax: bool


class InstalmentBody(TypedDict):
    """A part of the total that is due before the stay ends."""

    due: Annotated[str, OneOf(Due)]
    due_on: DateText
    amount: MoneyBody


class RuleVersionBody(TypedDict):
    """A rule that the quote was made by."""

    kind: str
    code: str
    version: int


class QuoteBody(StayBody, DisplayedBody):
    """What a stay costs under one rate plan, line by line; it has an id where it is kept."""

    id: IdText | None
    property_id: IdText
    unit_type_id: IdText
    plan: str
    channel: str
    codes: list[str]
    extras: list[str]
    rooms: list[QuotedRoomBody]
    lines: list[QuoteLineBody]
    taxes: list[TaxBody]
    total: MoneyBody
    totals: TotalsBody
    terms: Annotated[Mapping[str, Json] | None, Says("Cancellation and deposit, written as in a price list.")]
    deposit: list[InstalmentBody]
    rules: list[RuleVersionBody]
    made_at: InstantText
    expires_at: InstantText
    fingerprint: Annotated[str, Says("Equal quotes have equal fingerprints.")]


class KeptQuoteBody(QuoteBody):
    """A kept quote and what has become of it."""

    status: Annotated[str, OneOf(QuoteStatus)]
    hold_ids: list[IdText]
    booking_id: IdText | None
    version: int


class QuoteRefusalBody(TypedDict):
    """A type and plan that do not take the stay, every reason, and the nearest stays that they would take."""

    unit_type_id: IdText
    plan: str
    violations: list[ViolationBody]
    nearest: list[StayBody]


class QuotesBody(StayBody):
    """Quotes, cheapest first, and what does not take the stay."""

    quotes: list[QuoteBody]
    refusals: list[QuoteRefusalBody]


def answer_body(
    stay: StayRange,
    found: QuoteAnswer,
    zone: Zone,
    *,
    is_kept: bool,
    shown: Mapping[QuoteId, DisplayedQuote | NotDisplayed] | None = None,
) -> QuotesBody:
    """Return the quotes of a request, cheapest first, and the combinations that do not take the stay.

    ``shown`` has each quote in another currency, None where that was not asked for.
    """
    return {
        **stay_part(stay),
        "quotes": [
            _displayed(_quote(each, zone, is_kept=is_kept), None if shown is None else shown[each.quote_id])
            for each in found.quotes
        ],
        "refusals": [_refusal(each) for each in found.refusals],
    }


def kept_body(kept: KeptQuote, zone: Zone) -> KeptQuoteBody:
    """Return a kept quote and what has become of it."""
    return {
        **_quote(kept.quote, zone, is_kept=True),
        "status": kept.status.value,
        "hold_ids": [str(each) for each in kept.hold_ids],
        "booking_id": None if kept.booking_id is None else str(kept.booking_id),
        "version": kept.version,
    }


def _displayed(body: QuoteBody, shown: DisplayedQuote | NotDisplayed | None) -> QuoteBody:
    return body if shown is None else {**body, **display_body(shown)}


def _quote(quote: Quote, zone: Zone, *, is_kept: bool) -> QuoteBody:
    money, totals, charged = _Amounts(quote.currency), quote.totals, quote.charged
    return {
        "id": str(quote.quote_id) if is_kept else None,
        "property_id": str(quote.property_id),
        "unit_type_id": str(quote.unit_type_id),
        "plan": quote.plan,
        "arrival": quote.stay.arrival.isoformat(),
        "departure": quote.stay.departure.isoformat(),
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
        "total": money_part(quote.due),
        "totals": {
            "room": money[totals.room],
            "fees": money[totals.fees],
            "net": money[totals.net],
            "tax": money[totals.tax],
            "city_tax": money[totals.city_tax],
        },
        "terms": None if quote.terms is None else _terms(quote.terms),
        "deposit": [] if quote.terms is None else _deposit(quote, quote.terms, zone),
        "rules": [{"kind": each.kind, "code": each.code, "version": each.version} for each in quote.versions],
        "made_at": quote.made_at.isoformat(),
        "expires_at": quote.expires_at.isoformat(),
        "fingerprint": quote.fingerprint,
    }


@lru_cache(maxsize=1024)
def _terms(terms: Terms) -> dict[str, Json]:
    """Return terms as JSON; a house has few, and each of its quotes says them."""
    return terms_json(terms)


def _line(line: ChargedLine, money: _Amounts) -> QuoteLineBody:
    charge = line.charge
    return {
        "code": charge.code,
        "category": charge.category,
        "room": charge.room,
        "night": None if charge.night is None else charge.night.isoformat(),
        "amount": money[charge.amount],
        "net": money[line.net],
    }


def _tax(tax: TaxSum, money: _Amounts) -> TaxBody:
    is_share = isinstance(tax.rate, Percent)
    return {
        "code": tax.tax,
        "rate": {"percent": tax.rate.plain()} if isinstance(tax.rate, Percent) else money[tax.rate],
        "base": money[tax.base] if is_share else tax.base,
        "amount": money[tax.amount],
        "is_inclusive": tax.is_inclusive,
        "is_city_tax": tax.is_city_tax,
    }


def _deposit(quote: Quote, terms: Terms, zone: Zone) -> list[InstalmentBody]:
    dues = deposit_schedule(terms, quote.due, booked_at=quote.made_at, stay=quote.stay, zone=zone)
    return [
        {
            "due": each.milestone.due.value,
            "due_on": each.due_on.isoformat(),
            "amount": money_part(each.amount),
        }
        for each in dues
    ]


def _refusal(refusal: QuoteRefusal) -> QuoteRefusalBody:
    return {
        "unit_type_id": str(refusal.unit_type_id),
        "plan": refusal.plan,
        "violations": [violation_part(each) for each in refusal.violations],
        "nearest": [stay_part(each) for each in refusal.nearest],
    }


class _Amounts(dict[int, MoneyBody]):
    """Amounts of one currency as JSON by their minor units; the same ones come again and again in a quote."""

    def __init__(self, currency: Currency) -> None:
        super().__init__()
        self._currency = currency

    def __missing__(self, minor: int) -> MoneyBody:
        found = self[minor] = money_part(Money(minor, self._currency))
        return found
