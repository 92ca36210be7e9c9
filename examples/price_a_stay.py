"""Price a stay, print where every cent comes from, and draw a year of prices: ``price_a_stay.py [FILE.svg]``."""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import pmscore as pms
from pmscore.kernel.ids import PropertyId, QuoteId, UnitTypeId
from pmscore.pricing.model.guests import GuestParty
from pmscore.pricing.model.quote import Quote
from pmscore.pricing.model.request import QuoteRequest
from pmscore.pricing.model.written.book import book_from_json
from pmscore.pricing.views.explaining import explain
from pmscore.pricing.views.explanation_text import tree_text
from pmscore.pricing.views.quoting import Quoter
from pmscore.pricing.views.rate_calendar_svg import rate_calendar_svg

WEEK = dict.fromkeys(("mon", "tue", "wed", "thu", "sun"), "98.00") | dict.fromkeys(("fri", "sat"), "119.00")
PRICES = {
    "format": 1,
    "currency": "EUR",
    "seasons": [
        {"name": "summer", "nights": [{"from": "2027-06-15", "to": "2027-09-10"}]},
        {"name": "fair", "nights": [{"from": "2027-07-05", "to": "2027-07-07"}], "priority": 1},
        {"name": "winter", "nights": [{"from": "2027-11-02", "to": "2027-12-18"}]},
    ],
    "plans": [
        {
            "code": "flex",
            "name": "Flexible",
            "prices": {"double": {"default": WEEK, "seasons": {"summer": "149.00", "fair": "189.00", "winter": "79.00"}}},
            "occupancy": {"extra_adult": "30.00", "children": [{"ages": {"from": 0, "to": 12}, "price": {"percent": "50"}}]},
        },
        {
            "code": "saver",
            "name": "Saver",
            "derivation": {"parent": "flex", "operations": [{"percent": "-12"}]},
            "limits": {"step": "1.00", "floor": "75.00"},
        },
    ],
    "rules": [
        {
            "code": "weekly",
            "name": "Stay longer",
            "kind": "length_of_stay",
            "value": {"bands": [{"from": 5, "change": {"percent": "-10"}}]},
            "rank": 1,
            "group": "length",
        }
    ],
    "fees": [{"code": "cleaning", "name": "Cleaning", "per": "stay", "price": {"amount": "45.00"}}],
    "taxes": [
        {"code": "vat", "name": "VAT", "rate": {"percent": "7"}, "on": ["room", "fee"], "is_inclusive": True},
        {"code": "city", "name": "City tax", "rate": {"amount": "2.50"}, "per": "person_night", "counted": {"ages": {"from": 18, "to": 121}}, "is_city_tax": True},
    ],
}  # fmt: skip
DOUBLE = UnitTypeId(UUID(int=1))

book = book_from_json(PRICES, property_id=PropertyId(UUID(int=9)), unit_type=lambda _: DOUBLE)
quoter = Quoter(book, pms.DateRange(date(2027, 1, 1), date(2028, 1, 1)), pms.Zone("Europe/Berlin"))
stay = pms.StayRange(date(2027, 7, 3), date(2027, 7, 8))
wish = QuoteRequest(stay=stay, parties=(GuestParty(adults=2, ages=(7,)),))
asked_at = datetime(2027, 5, 1, 10, tzinfo=UTC)
quote = quoter.quote(wish, DOUBLE, "saver", now=asked_at, quote_id=QuoteId(UUID(int=1)))
if not isinstance(quote, Quote):
    sys.exit(", ".join(f"{each.code} on {each.night}" for each in quote))
print(tree_text(explain(quote)))

year = quoter.tables.row(book.plan("saver"), DOUBLE)
drawing = rate_calendar_svg(date(2027, 1, 1), year, book.currency, title="A double room, Saver")
target = Path(sys.argv[1]) if sys.argv[1:] else Path(tempfile.mkdtemp()) / "rates.svg"
target.write_text(drawing, encoding="utf-8")
print(f"The rates of 2027 are drawn in {target}")
