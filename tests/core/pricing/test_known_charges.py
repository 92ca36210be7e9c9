"""What a quote's total was made of is not worked out again for its lines, and is never another's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from attrs import evolve

from core.pricing.price_scene import COUPLE, DOUBLE, MARCH, base, book, day, longer, nights
from pmscore.dates.nights import StayRange
from pmscore.dates.recurrence import Weekdays
from pmscore.dates.zones import Zone
from pmscore.kernel.ids import QuoteId
from pmscore.kernel.percent import Percent
from pmscore.pricing.model.charges.counting import Per
from pmscore.pricing.model.charges.fees import Fee, Inclusion
from pmscore.pricing.model.charges.tax_table import TaxTable
from pmscore.pricing.model.charges.taxes import Tax
from pmscore.pricing.model.guests import GuestParty
from pmscore.pricing.model.quote import Quote
from pmscore.pricing.model.request import QuoteRequest
from pmscore.pricing.model.rules import PriceRule
from pmscore.pricing.views import quoting
from pmscore.pricing.views.quoting import MOST_CHARGES, Quoter

NOW = datetime(2027, 2, 1, 9, tzinfo=UTC)
BOOK = book(
    base("flex", 10_000, inclusions=("breakfast",)),
    base("dear", 15_000, inclusions=("breakfast",)),
    inclusions=(Inclusion(code="breakfast", per=Per.PERSON_NIGHT, amount=900, category="meal"),),
    fees=(Fee(code="linen", name="Linen", per=Per.PERSON, amount=700, is_mandatory=False),),
    taxes=TaxTable(
        (
            Tax(code="vat", name="VAT", rate=Percent.parse("7")),
            Tax(code="city", name="City tax", rate=200, per=Per.PERSON_NIGHT, is_city_tax=True),
        )
    ),
)
"""With meals in its prices and a tax in amounts, so that no table has its totals."""
ASKED = QuoteRequest(stay=StayRange(day(3), day(6)), parties=(COUPLE,))


def quoted(quoter: Quoter, request: QuoteRequest = ASKED, plan: str = "flex") -> Quote:
    found = quoter.quote(request, DOUBLE, plan, now=NOW, quote_id=QuoteId(UUID(int=1)))
    assert isinstance(found, Quote)
    return found


def test_the_tax_engine_is_asked_once_for_a_quote_and_its_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    honest = quoting.charge_taxes

    def counted(*given):
        asked.append(given)
        return honest(*given)

    monkeypatch.setattr(quoting, "charge_taxes", counted)
    quote = quoted(Quoter(BOOK, MARCH, Zone("Europe/Lisbon")))
    assert quote.charged.net == quote.totals.net
    assert len(asked) == 1


def test_no_quote_has_the_lines_of_another() -> None:
    quoter = Quoter(BOOK, MARCH, Zone("Europe/Lisbon"))
    others = (
        (ASKED, "flex"),
        (ASKED, "dear"),
        (evolve(ASKED, extras=("linen",)), "flex"),
        (evolve(ASKED, channel="ota"), "flex"),
        (evolve(ASKED, parties=(GuestParty(adults=1),)), "flex"),
        (evolve(ASKED, parties=(GuestParty(adults=1), GuestParty(adults=1))), "flex"),
        (evolve(ASKED, stay=StayRange(day(4), day(7))), "flex"),
    )
    made = [quoted(quoter, *other) for other in others]
    for quote, other in zip(made, others, strict=True):
        fresh = quoted(Quoter(BOOK, MARCH, Zone("Europe/Lisbon")), *other)
        assert quote.charged == fresh.charged
        assert quote.totals == fresh.totals


def test_no_more_is_kept_than_a_crowd_needs() -> None:
    quoter = Quoter(BOOK, MARCH, Zone("Europe/Lisbon"))
    for first in range(1, 29):
        for plan in ("flex", "dear"):
            for adults in (1, 2):
                stay = StayRange(day(first), day(first + 1))
                quoted(quoter, evolve(ASKED, stay=stay, parties=(GuestParty(adults=adults),)), plan)
    assert 0 < len(quoter._charges) <= MOST_CHARGES


@pytest.mark.parametrize(
    "dear",
    [
        longer("fair", "50", nights=nights(15, 17), rank=2),
        longer("weekend", "50", weekdays=Weekdays.from_names(("fri", "sat")), rank=2),
    ],
    ids=["some nights", "some weekdays"],
)
def test_what_is_remembered_of_a_stay_is_not_another_lengths_nor_another_dates(dear: PriceRule) -> None:
    """Stays that begin as long after they are booked, and differ in their length or in their nights alone."""
    plain = book(base(), rules=(longer("weekly", "-10", least=3), dear))
    quoter = Quoter(plain, MARCH, Zone("Europe/Lisbon"))
    for later in (0, 7, 8, 10, 12, 16):
        now = NOW + timedelta(days=later)
        for length in range(1, 7):
            stay = StayRange.of(day(3) + timedelta(days=later), length)
            asked = QuoteRequest(stay=stay, parties=(COUPLE,))
            fresh = Quoter(plain, MARCH, Zone("Europe/Lisbon"))
            both = [
                each.quote(asked, DOUBLE, "flex", now=now, quote_id=QuoteId(UUID(int=1)))
                for each in (quoter, fresh)
            ]
            assert all(isinstance(each, Quote) for each in both)
            assert both[0].nightly == both[1].nightly
            assert both[0].totals == both[1].totals
