"""What strangers see of a property: its name and types, whether a stay can be had, what it costs.

Owns these members and no others: no count of rooms, no unit, no line of a tax, no id of a booking or a rule.
"""

from __future__ import annotations

from typing import TypedDict

from pms_web.reply_parts import MoneyBody, StayBody, money_part, stay_part
from pms_web.wire import CurrencyText, DateText, IdText, TimeText
from pmscore.availability.model import SearchResult
from pmscore.dates.nights import StayRange
from pmscore.inventory.model.house import House
from pmscore.kernel.ids import PropertyId
from pmscore.kernel.money import Money
from pmscore.pricing.model.quote import Quote
from pmscore.pricing.use_cases.quotes import QuoteAnswer

__all__ = [
    "OpenPropertyBody",
    "OpenRatesBody",
    "OpenStaysBody",
    "open_property_body",
    "open_rates_body",
    "open_stays_body",
]


class OpenTypeBody(TypedDict):
    """A type of room or home, and how many it takes."""

    id: IdText
    name: str
    largest_party: int


class OpenPropertyBody(TypedDict):
    """A property."""

    id: IdText
    name: str
    address: str
    currency: CurrencyText
    check_in_at: TimeText
    check_out_at: TimeText
    unit_types: list[OpenTypeBody]


class OpenStayBody(TypedDict):
    """Whether a type takes the stay; where it does not, the nearest stays that it takes."""

    unit_type_id: IdText
    is_available: bool
    nearest: list[StayBody]


class OpenStaysBody(StayBody):
    """What can be booked of a property."""

    property_id: IdText
    types: list[OpenStayBody]


class OpenRateBody(TypedDict):
    """What a type costs by a plan: the nights, all that is due, and the part of it that is city tax."""

    unit_type_id: IdText
    plan: str
    nightly: list[MoneyBody]
    total: MoneyBody
    city_tax: MoneyBody


class OpenRatesBody(StayBody):
    """What a stay costs, the cheapest first."""

    property_id: IdText
    currency: CurrencyText | None
    made_on: DateText | None
    rates: list[OpenRateBody]


def open_property_body(house: House) -> OpenPropertyBody:
    """Return a property."""
    home = house.property
    return {
        "id": str(home.property_id),
        "name": home.name,
        "address": home.address,
        "currency": home.currency.code,
        "check_in_at": home.check_in_at.isoformat("minutes"),
        "check_out_at": home.check_out_at.isoformat("minutes"),
        "unit_types": [
            {"id": str(each.unit_type_id), "name": each.name, "largest_party": each.largest_party}
            for each in sorted(house.types.values(), key=lambda each: (each.name, each.unit_type_id))
        ],
    }


def open_stays_body(property_id: PropertyId, stay: StayRange, found: SearchResult) -> OpenStaysBody:
    """Return which types take a stay, by their ids."""
    types: list[OpenStayBody] = [
        {"unit_type_id": str(each.unit_type_id), "is_available": True, "nearest": []} for each in found.offers
    ]
    types += [
        {
            "unit_type_id": str(each.unit_type_id),
            "is_available": False,
            "nearest": [stay_part(other) for other in each.nearest],
        }
        for each in found.refusals
    ]
    return {
        **stay_part(stay),
        "property_id": str(property_id),
        "types": sorted(types, key=lambda each: each["unit_type_id"]),
    }


def open_rates_body(property_id: PropertyId, stay: StayRange, found: QuoteAnswer) -> OpenRatesBody:
    """Return what a stay costs."""
    quotes = sorted(found.quotes, key=lambda each: (each.due.minor, str(each.unit_type_id), each.plan))
    first = quotes[0] if quotes else None
    return {
        **stay_part(stay),
        "property_id": str(property_id),
        "currency": None if first is None else first.currency.code,
        "made_on": None if first is None else first.booked_on.isoformat(),
        "rates": [_rate(each) for each in quotes],
    }


def _rate(quote: Quote) -> OpenRateBody:
    by_night = [sum(amounts) for amounts in zip(*quote.nightly, strict=True)]
    return {
        "unit_type_id": str(quote.unit_type_id),
        "plan": quote.plan,
        "nightly": [money_part(Money(each, quote.currency)) for each in by_night],
        "total": money_part(quote.due),
        "city_tax": money_part(Money(quote.totals.city_tax, quote.currency)),
    }
