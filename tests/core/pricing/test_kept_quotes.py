"""A kept quote is held, held again and booked; each step counts, and booking is the last. What can be quoted at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.pricing.price_scene import COUPLE, DOUBLE, MARCH, base, book, day
from pmscore.dates.nights import StayRange
from pmscore.dates.zones import Zone
from pmscore.kernel.errors import TransitionError
from pmscore.kernel.ids import BookingId, HoldId, QuoteId
from pmscore.pricing.model.plans import TypePrices, WeekPrices
from pmscore.pricing.model.quote import KeptQuote, Quote, QuoteStatus
from pmscore.pricing.model.request import QuoteRequest
from pmscore.pricing.views.quoting import Quoter
from pmscore.testing.clocks import SeededIds

IDS = SeededIds("kept quotes")
NOW = datetime(2027, 2, 1, 12, tzinfo=UTC)
HOLDS, BOOKING = (HoldId(IDS.new()),), BookingId(IDS.new())


@pytest.fixture
def kept() -> KeptQuote:
    plan = base()
    (unit_type_id, *_) = plan.prices
    quoter = Quoter(book(plan), MARCH, Zone("Europe/Lisbon"))
    request = QuoteRequest(stay=StayRange(day(1), day(3)), parties=(COUPLE,))
    made = quoter.quote(request, unit_type_id, plan.code, now=NOW, quote_id=QuoteId(IDS.new()))
    assert isinstance(made, Quote)
    return KeptQuote(quote=made)


def test_a_new_one_is_kept_and_of_the_first_version(kept: KeptQuote):
    assert (kept.status, kept.version, kept.hold_ids, kept.booking_id) == (QuoteStatus.KEPT, 1, (), None)


def test_holding_promises_the_price_until_then_and_changes_nothing_else_of_it(kept: KeptQuote):
    until = NOW + timedelta(days=3)
    held = kept.held(HOLDS, until)
    assert (held.status, held.version, held.hold_ids) == (QuoteStatus.HELD, 2, HOLDS)
    assert held.quote.expires_at == until
    assert held.quote.fingerprint == kept.quote.fingerprint
    again = held.held((), until + timedelta(days=1))
    assert (again.status, again.version, again.hold_ids) == (QuoteStatus.HELD, 3, ())


def test_booking_is_the_last_step(kept: KeptQuote):
    for before in (kept, kept.held(HOLDS, NOW + timedelta(days=1))):
        booked = before.booked(BOOKING)
        assert (booked.status, booked.booking_id) == (QuoteStatus.BOOKED, BOOKING)
        assert booked.version == before.version + 1
        assert booked.quote == before.quote
        with pytest.raises(TransitionError) as again:
            booked.booked(BOOKING)
        assert again.value.params["act"] == "book"
        with pytest.raises(TransitionError) as held:
            booked.held((), NOW + timedelta(days=9))
        assert held.value.params["act"] == "hold"


def test_a_price_holds_until_the_instant_that_was_said_and_not_in_it(kept: KeptQuote):
    quote = kept.quote
    assert not quote.is_expired(quote.expires_at - timedelta(microseconds=1))
    assert quote.is_expired(quote.expires_at)
    assert quote.is_expired(quote.expires_at + timedelta(microseconds=1))
    assert quote.expires_at - quote.made_at == timedelta(hours=24)


def test_a_stay_is_priced_where_each_of_its_nights_is_and_no_other_is_asked():
    """1 March 2027 is a Monday; Wednesdays and Sundays are not sold."""
    weekdays = WeekPrices((100, 100, None, 100, 100, 100, None))
    quoter = Quoter(book(base(prices={DOUBLE: TypePrices(default=weekdays)})), MARCH, Zone("Europe/Lisbon"))

    def is_priced(first: int, end: int) -> bool:
        return quoter.is_priced(DOUBLE, "flex", StayRange(day(first), day(end)))

    assert [is_priced(1, 3), is_priced(4, 7), is_priced(29, 31)] == [True, True, True]
    assert [is_priced(1, 4), is_priced(3, 4), is_priced(2, 5), is_priced(4, 8)] == [False] * 4
    outside = StayRange(day(31), day(31) + timedelta(days=2))
    assert not quoter.is_priced(DOUBLE, "flex", outside)
