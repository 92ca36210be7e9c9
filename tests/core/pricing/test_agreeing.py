"""What a quote agrees on stands with its night and room: prices, fees, taxes on top."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from core.pricing.price_scene import COUPLE, DOUBLE, MARCH, base, book, day
from pmscore.dates.nights import StayRange
from pmscore.dates.zones import Zone
from pmscore.kernel.ids import QuoteId
from pmscore.kernel.percent import Percent
from pmscore.pricing.model.charges.counting import Per
from pmscore.pricing.model.charges.fees import Fee, Inclusion
from pmscore.pricing.model.charges.tax_table import TaxTable
from pmscore.pricing.model.charges.taxes import RoundingScope, Tax, TaxRounding
from pmscore.pricing.model.guests import GuestParty
from pmscore.pricing.model.quote import Quote
from pmscore.pricing.model.request import QuoteRequest
from pmscore.pricing.model.settlement import AgreedRoom
from pmscore.pricing.policies.agreeing import agreed_rooms
from pmscore.pricing.views.quoting import Quoter

STAY = StayRange(day(1), day(3))


def quoted(*parties: GuestParty, plan: str = "flex", **parts) -> Quote:
    quoter = Quoter(
        book(base(inclusions=tuple(parts.pop("plan_inclusions", ()))), **parts), MARCH, Zone("UTC")
    )
    asked = QuoteRequest(stay=STAY, parties=parties or (COUPLE,))
    now = datetime(2027, 2, 1, tzinfo=UTC)
    made = quoter.quote(asked, DOUBLE, plan, now=now, quote_id=QuoteId(UUID(int=1)))
    assert isinstance(made, Quote)
    return made


def agreed(*parties: GuestParty, **parts) -> tuple[AgreedRoom, ...]:
    quote = quoted(*parties, **parts)
    return agreed_rooms(quote, quote.charged)


CITY = Tax(code="city", name="City tax", rate=200, per=Per.PERSON_NIGHT, is_city_tax=True)
VAT = Tax(code="vat", name="VAT", rate=Percent.parse("10"), on=("room", "fee", "food"))


def test_fees_of_a_night_stand_with_it_and_fees_of_the_stay_with_the_first():
    # 60.00 cleaning and 5.00 towels for two on arrival; 3.00 resort fee a night.
    fees = (
        Fee(code="cleaning", name="Cleaning", per=Per.STAY, amount=6_000),
        Fee(code="resort", name="Resort", per=Per.NIGHT, amount=300),
        Fee(code="towels", name="Towels", per=Per.PERSON, amount=250),
    )
    assert agreed(fees=fees) == (
        AgreedRoom(stay=STAY, nightly=(10_000, 10_000), fees=(6_800, 300), taxes=(0, 0)),
    )


def test_taxes_on_top_stand_with_the_night_of_their_charge():
    # 10 % of 100.00 and of the cleaning, and 2.00 a head and night.
    fees = (Fee(code="cleaning", name="Cleaning", per=Per.STAY, amount=6_000),)
    assert agreed(fees=fees, taxes=TaxTable((VAT, CITY))) == (
        AgreedRoom(
            stay=STAY, nightly=(10_000, 10_000), fees=(6_000, 0), taxes=(1_000 + 600 + 400, 1_000 + 400)
        ),
    )


def test_a_tax_in_the_price_is_part_of_the_price():
    inclusive = Tax(code="vat", name="VAT", rate=Percent.parse("10"), on=("room",), is_inclusive=True)
    assert agreed(taxes=TaxTable((inclusive,))) == (
        AgreedRoom(stay=STAY, nightly=(10_000, 10_000), fees=(0, 0), taxes=(0, 0)),
    )


def test_what_a_price_contains_is_part_of_its_night_even_where_a_fee_has_its_name():
    # Breakfast for 10.00 a head, in the price of the night; and one for 7.00 a head on the day of arrival.
    breakfast = Inclusion(code="breakfast", category="food", per=Per.PERSON_NIGHT, amount=1_000)
    early = Fee(code="breakfast", name="Early breakfast", category="food", per=Per.PERSON, amount=700)
    assert agreed(inclusions=(breakfast,), plan_inclusions=("breakfast",), fees=(early,)) == (
        AgreedRoom(stay=STAY, nightly=(10_000, 10_000), fees=(1_400, 0), taxes=(0, 0)),
    )


def test_each_room_has_its_own_and_the_first_what_is_charged_once_a_booking():
    fees = (
        Fee(code="linen", name="Linen", per=Per.PERSON, amount=500),
        Fee(code="office", name="Office", per=Per.BOOKING, amount=900),
    )
    family = GuestParty(adults=2, ages=(5,))
    assert agreed(COUPLE, family, fees=fees, taxes=TaxTable((CITY,))) == (
        AgreedRoom(stay=STAY, nightly=(10_000, 10_000), fees=(1_900, 0), taxes=(400, 400)),
        AgreedRoom(stay=STAY, nightly=(10_000, 10_000), fees=(1_500, 0), taxes=(600, 600)),
    )


@pytest.mark.parametrize("scope", list(RoundingScope))
def test_all_in_all_it_is_what_is_due_where_rounding_by_rate_moves_a_price(scope):
    vat = Tax(code="vat", name="VAT", rate=Percent.parse("19"), on=("room", "fee"), is_inclusive=True)
    quote = quoted(
        COUPLE,
        COUPLE,
        taxes=TaxTable((vat, CITY)),
        tax_rounding=TaxRounding(scope=scope),
        fees=(Fee(code="cleaning", name="Cleaning", per=Per.STAY, amount=3_333),),
    )
    rooms = agreed_rooms(quote, quote.charged)
    assert sum(sum((*room.nightly, *room.fees, *room.taxes)) for room in rooms) == quote.totals.due
