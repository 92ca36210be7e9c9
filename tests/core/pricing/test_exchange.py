"""Amounts shown in another currency: converted once, parts that add up, never mixed, and nothing of the quote changed."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from core.pricing.test_quoting import asked, house, quoted, quotes, requests, whole_books
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.money import MAX_MINOR, Money
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.exchange import ExchangeRate
from pmscore.pricing.model.quote import Quote
from pmscore.pricing.model.request import QuoteRequest
from pmscore.pricing.policies.displaying import (
    LONGEST_AGE_DAYS,
    DisplayedQuote,
    NotDisplayed,
    WhyNotDisplayed,
    displayed,
    displayed_if_known,
)

EUR, USD, JPY, KWD = (Currency.of(code) for code in ("EUR", "USD", "JPY", "KWD"))
DAY = date(2030, 1, 2)
BANK = "Bank of Examples"
RATES = st.integers(1, 10**19 - 1) | st.integers(10**8, 10**12)
OTHERS = st.sampled_from([each for each in Currency.active() if each is not EUR])


def rate(text: str, shown: Currency = JPY, on: date = DAY) -> ExchangeRate:
    return ExchangeRate.parse(EUR, shown, text, on, source=BANK)


def of_units(units: int, shown: Currency, *, base: Currency = EUR) -> ExchangeRate:
    return ExchangeRate(base=base, shown=shown, units=units, on=DAY, source=BANK)


def exact(minor: int, by: ExchangeRate) -> Fraction:
    return Fraction(minor * by.units * 10**by.shown.digits, 10**10 * 10**by.base.digits)


class TestRates:
    @pytest.mark.parametrize(
        ("shown", "text", "minor", "expected"),
        [
            (JPY, "162.35", 10_000, 16_235),  # 100.00 EUR
            (JPY, "162.35", 1, 2),  # 0.01 EUR is 1.6235 yen
            (KWD, "0.3312", 10_000, 33_120),  # three digits: 33.120 KWD
            (KWD, "0.3312", 5, 17),  # 0.05 EUR is 0.01656 KWD
            (USD, "1.005", 100, 101),  # 1.00 EUR is 1.005 USD: a half goes up
            (USD, "0.0000000001", 10**18, 10**8),
            (USD, "1.1", 0, 0),
        ],
    )
    def test_digits_of_both_currencies_count(
        self, shown: Currency, text: str, minor: int, expected: int
    ) -> None:
        assert rate(text, shown).of(Money(minor, EUR)) == Money(expected, shown)

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("", "not_decimal"),
            ("-1", "not_decimal"),
            ("+1", "not_decimal"),
            ("1e3", "not_decimal"),
            ("1,5", "not_decimal"),
            (" 1", "not_decimal"),
            ("01", "not_decimal"),
            (".5", "not_decimal"),
            ("1.", "not_decimal"),
            ("\u0661", "not_decimal"),
            ("0", "not_positive"),
            ("0.000", "not_positive"),
            ("0.00000000001", "too_many_digits"),
            ("1.12345678901", "too_many_digits"),
            ("1000000000", "too_many_digits"),
        ],
    )
    def test_other_texts_are_no_rate(self, text: str, reason: str) -> None:
        with pytest.raises(InvalidInputError) as refused:
            rate(text)
        assert (refused.value.field, refused.value.reason) == ("rate", reason)

    @pytest.mark.parametrize(
        ("change", "field", "reason"),
        [
            ({"shown": EUR}, "currency", "same_currency"),
            ({"on": date(2200, 1, 1)}, "day", "out_of_calendar"),
            ({"source": ""}, "source", "empty"),
            ({"source": "x" * 101}, "source", "too_long"),
            ({"source": "a\0b"}, "source", "control_character"),
        ],
    )
    def test_what_cannot_be_is_refused_by_its_field(
        self, change: dict[str, object], field: str, reason: str
    ) -> None:
        with pytest.raises(InvalidInputError) as refused:
            evolve(rate("1.1"), **change)
        assert (refused.value.field, refused.value.reason) == (field, reason)

    @given(units=RATES)
    def test_text_there_and_back_is_the_same_rate(self, units: int) -> None:
        written = of_units(units, JPY).plain()
        assert rate(written) == of_units(units, JPY)
        assert Fraction(written) == Fraction(units, 10**10)

    def test_needless_zeros_are_no_difference(self) -> None:
        assert rate("1.10") == rate("1.1000000000") == rate("1.1000000000000")
        assert [rate(text).plain() for text in ("1.10", "162", "0.0000000001")] == [
            "1.1",
            "162",
            "0.0000000001",
        ]

    @given(units=RATES, shown=OTHERS, minor=st.integers(0, 10**9))
    def test_an_amount_is_the_nearest_to_the_exact_one(self, units: int, shown: Currency, minor: int) -> None:
        by = of_units(units, shown)
        if exact(minor, by) > MAX_MINOR:
            with pytest.raises(InvalidInputError, match="too_large"):
                by.of(Money(minor, EUR))
            return
        assert abs(by.of(Money(minor, EUR)).minor - exact(minor, by)) <= Fraction(1, 2)

    @pytest.mark.parametrize("currency", [KWD, JPY])
    def test_an_amount_in_another_currency_is_refused(self, currency: Currency) -> None:
        """Also one that is in the shown currency already: it was never owed in the base."""
        with pytest.raises(InvalidInputError) as refused:
            rate("162.35").of(Money(100, currency))
        assert (refused.value.field, refused.value.reason) == ("currency", "mixed_currencies")


class TestShownQuotes:
    @given(book=whole_books(), request=requests(), units=st.integers(10**6, 10**14), shown=OTHERS)
    def test_what_is_shown_adds_up_and_is_about_right_and_changes_nothing_that_is_settled(
        self, book: PriceBook, request: QuoteRequest, units: int, shown: Currency
    ) -> None:
        if shown is book.currency:
            shown = EUR
        by, before = of_units(units, shown, base=book.currency), quotes(book, request)
        for key, quote in quotes(book, request).items():
            view, totals = displayed(quote, by), quote.totals
            assert view.net + view.tax + view.city_tax == view.due
            assert Money.total((each for room in view.nightly for each in room), shown) == view.room
            for found, owed in ((view.due, totals.due), (view.room, totals.room), (view.fees, totals.fees)):
                assert abs(found.minor - exact(owed, by)) <= Fraction(1, 2)
            parts = [(view.net, totals.net), (view.tax, totals.tax), (view.city_tax, totals.city_tax)]
            for found, owed in zip(view.nightly, quote.nightly, strict=True):
                parts += zip(found, owed, strict=True)
            for found, owed in parts:
                assert found.currency is shown
                assert abs(found.minor - exact(owed, by)) < Fraction(3, 2)
            assert quote == before[key]
            assert (quote.due, quote.charged) == (before[key].due, before[key].charged)

    def test_nothing_is_shown_as_nothing(self) -> None:
        quote = one_quote()
        free = evolve(
            quote,
            totals=evolve(quote.totals, room=0, fees=0, net=0, tax=0, city_tax=0),
            nightly=tuple(tuple(0 for _ in each) for each in quote.nightly),
        )
        view = displayed(free, rate("162.35"))
        assert {view.due, view.net, view.tax, view.city_tax, view.room, view.fees} == {Money.zero(JPY)}
        assert {each for room in view.nightly for each in room} == {Money.zero(JPY)}

    def test_a_rate_of_another_currency_than_the_quotes_is_refused(self) -> None:
        other = ExchangeRate.parse(USD, JPY, "150", DAY, source=BANK)
        with pytest.raises(InvalidInputError, match="mixed_currencies"):
            displayed(one_quote(), other)


class TestWhyNot:
    def test_a_rate_holds_for_a_week_and_no_longer(self) -> None:
        quote = one_quote()
        for age in range(LONGEST_AGE_DAYS + 1):
            known = rate("162.35", on=quote.booked_on - timedelta(days=age))
            view = displayed_if_known(quote, JPY, known)
            assert isinstance(view, DisplayedQuote)
            assert view.rate == known
        old = rate("162.35", on=quote.booked_on - timedelta(days=LONGEST_AGE_DAYS + 1))
        assert displayed_if_known(quote, JPY, old) == why_not(quote, WhyNotDisplayed.RATE_TOO_OLD, JPY, old)

    def test_without_a_rate_there_is_a_reason_in_its_place(self) -> None:
        quote = one_quote()
        assert displayed_if_known(quote, JPY, None) == why_not(quote, WhyNotDisplayed.NO_RATE, JPY)

    def test_a_quote_is_not_shown_in_its_own_currency(self) -> None:
        quote = one_quote()
        assert displayed_if_known(quote, EUR, None) == why_not(quote, WhyNotDisplayed.OWN_CURRENCY, EUR)

    def test_what_cannot_be_held_in_the_other_currency_is_not_shown(self) -> None:
        quote = one_quote()
        dear = evolve(quote, totals=evolve(quote.totals, net=10**12))
        most = of_units(10**19 - 1, JPY)
        most = evolve(most, on=quote.booked_on)
        assert displayed_if_known(dear, JPY, most) == why_not(dear, WhyNotDisplayed.TOO_LARGE, JPY, most)

    def test_a_mistaken_rate_is_a_mistake_of_the_caller(self) -> None:
        other = ExchangeRate.parse(USD, JPY, "150", one_quote().booked_on, source=BANK)
        with pytest.raises(InvalidInputError, match="mixed_currencies"):
            displayed_if_known(one_quote(), JPY, other)


def one_quote() -> Quote:
    return quoted(house(), asked())


def why_not(
    quote: Quote, why: WhyNotDisplayed, currency: Currency, known: ExchangeRate | None = None
) -> NotDisplayed:
    return NotDisplayed(why=why, own=EUR, currency=currency, on=quote.booked_on, rate=known)
