"""Quotes and refusals as cases write them: nights, lines, taxes, totals, deposits, cancellations.

Owns the written form of an answer. Leaves the reading of cases to ``model.written`` and the figures to the policies.
Amounts are decimal text of the quote's currency. Every field: ``docs/reference/price-cases.md``.
"""

from __future__ import annotations

from attrs import evolve

from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Json
from pmscore.kernel.money import Money
from pmscore.kernel.percent import Percent
from pmscore.pricing.model.charges.lines import ChargedLine, TaxLine, TaxResult
from pmscore.pricing.model.quote import Quote, QuoteRefusal
from pmscore.pricing.model.settlement import CancellationCharge, StayFacts
from pmscore.pricing.model.terms import Terms
from pmscore.pricing.model.written.cases import AskedCancellation, PriceCase
from pmscore.pricing.model.written.parts import amount_or_percent_json, amount_text, range_json, stated
from pmscore.pricing.policies.agreeing import agreed_rooms
from pmscore.pricing.policies.cancellation import cancellation_charge, no_show_charge
from pmscore.pricing.policies.deposits import deposit_schedule

__all__ = ["quote_json", "refusal_json"]


def quote_json(quote: Quote, case: PriceCase) -> dict[str, Json]:
    """Return a quote with every line; where it is sold on terms, with deposits and the cancellations asked for."""
    currency = quote.currency
    charged = quote.charged
    totals = quote.totals
    written: dict[str, Json] = {
        "unit_type": case.name_of(quote.unit_type_id),
        "plan": quote.plan,
        "nightly": [[amount_text(each, currency) for each in amounts] for amounts in quote.nightly],
        "lines": [_line_json(each, quote) for each in charged.charges],
        "taxes": [_tax_json(each, quote) for each in charged.taxes],
        "totals": {
            "room": amount_text(totals.room, currency),
            "fees": amount_text(totals.fees, currency),
            "net": amount_text(totals.net, currency),
            "tax": amount_text(totals.tax, currency),
            "city_tax": amount_text(totals.city_tax, currency),
            "due": amount_text(totals.due, currency),
        },
    }
    if quote.terms is not None:
        schedule = deposit_schedule(
            quote.terms,
            quote.due,
            booked_at=case.now,
            stay=quote.stay,
            zone=case.house.property.zone,
        )
        written["deposit"] = [
            {"due": each.milestone.due.value, "on": each.due_on.isoformat(), "amount": each.amount.plain()}
            for each in schedule
        ]
        written["cancellation"] = [
            _charge_json(_charge(quote.terms, each, quote, charged, case)) for each in case.cancellations
        ]
    return written


def refusal_json(refusal: QuoteRefusal, case: PriceCase) -> dict[str, Json]:
    """Return a refusal with all its reasons, and the nearest stays that would be sold."""
    names = {str(type_id): unit_type.name for type_id, unit_type in case.house.types.items()}
    return {
        "unit_type": case.name_of(refusal.unit_type_id),
        "plan": refusal.plan,
        "refused": [
            stated(
                {
                    "code": each.code,
                    "night": None if each.night is None else each.night.isoformat(),
                    "value": names.get(each.value, each.value) if isinstance(each.value, str) else each.value,
                    "level": each.level,
                },
                {"night": None, "value": None},
            )
            for each in refusal.violations
        ],
        "nearest": [range_json(each) for each in refusal.nearest],
    }


def _line_json(line: ChargedLine, quote: Quote) -> dict[str, Json]:
    charge = line.charge
    written: dict[str, Json] = {
        "code": charge.code,
        "category": charge.category,
        "night": None if charge.night is None else charge.night.isoformat(),
        "room": charge.room,
        "amount": amount_text(charge.amount, quote.currency),
        "net": amount_text(line.net, quote.currency),
    }
    return stated(written, {"night": None, "room": 0})


def _tax_json(line: TaxLine, quote: Quote) -> dict[str, Json]:
    written: dict[str, Json] = {
        "tax": line.tax,
        "on": line.source,
        "on_tax": line.on_tax,
        "night": None if line.night is None else line.night.isoformat(),
        "room": line.room,
        "rate": amount_or_percent_json(line.rate, quote.currency),
        "base": amount_text(line.base, quote.currency) if isinstance(line.rate, Percent) else None,
        "times": None if isinstance(line.rate, Percent) else line.base,
        "amount": amount_text(line.amount, quote.currency),
        "is_inclusive": line.is_inclusive,
        "is_city_tax": line.is_city_tax,
    }
    return stated(
        written,
        {
            "on": None,
            "on_tax": None,
            "night": None,
            "room": 0,
            "base": None,
            "times": None,
            "is_inclusive": False,
            "is_city_tax": False,
        },
    )


def _charge(
    terms: Terms, asked: AskedCancellation, quote: Quote, charged: TaxResult, case: PriceCase
) -> CancellationCharge:
    rooms = agreed_rooms(quote, charged)
    for at in asked.rooms or ():
        if not 0 <= at < len(rooms):
            raise InvalidInputError("cancellations", "no_such_room", value=at)
    facts = StayFacts(
        rooms=tuple(
            evolve(room, is_kept=True)
            if asked.rooms is not None and at not in asked.rooms
            else evolve(room, removed=asked.nights)
            for at, room in enumerate(rooms)
        ),
        captured=asked.paid,
        created_at=case.now,
        zone=case.house.property.zone,
        check_in_at=case.house.property.check_in_at,
    )
    return no_show_charge(terms, facts) if asked.at is None else cancellation_charge(terms, facts, asked.at)


def _charge_json(charge: CancellationCharge) -> dict[str, Json]:
    def shown(amount: Money) -> str | None:
        return amount.plain() if amount else None

    return stated(
        {
            "fee": charge.fee.plain(),
            "refund": shown(charge.refund),
            "receivable": shown(charge.receivable),
            "retained": shown(charge.retained),
        },
        {"refund": None, "receivable": None, "retained": None},
    )
