"""Amounts shown in another currency: converted once, parts that add up, never mixed."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.pricing.test_quoting import asked, house, quoted
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.money import Money
from pmscore.pricing.model.exchange import ExchangeRate
from pmscore.pricing.policies.displaying import displayed

EUR, JPY, KWD = Currency.of("EUR"), Currency.of("JPY"), Currency.of("KWD")
DAY = date(2030, 1, 2)


@pytest.mark.parametrize(
    ("shown", "rate", "minor", "expected"),
    [
        (JPY, "162.35", 10_000, 16_235),  # 100.00 EUR
        (JPY, "162.35", 1, 2),  # 0.01 EUR is 1.6235 yen
        (KWD, "0.3312", 10_000, 33_120),  # three digits: 33.120 KWD
        (KWD, "0.3312", 5, 17),  # 0.05 EUR is 0.01656 KWD
    ],
)
def test_digits_of_both_currencies_count(shown: Currency, rate: str, minor: int, expected: int) -> None:
    converted = ExchangeRate.parse(EUR, shown, rate, DAY).of(Money(minor, EUR))
    assert converted == Money(expected, shown)


@given(numer=st.integers(1, 10**6), denom=st.integers(1, 10**6))
def test_what_is_shown_adds_up(numer: int, denom: int) -> None:
    shown = displayed(
        quoted(house(), asked()), ExchangeRate(base=EUR, shown=JPY, numer=numer, denom=denom, on=DAY)
    )
    assert shown.net + shown.tax + shown.city_tax == shown.due


def test_an_amount_in_a_third_currency_is_refused() -> None:
    with pytest.raises(InvalidInputError) as refused:
        ExchangeRate.parse(EUR, JPY, "162.35", DAY).of(Money(100, KWD))
    assert (refused.value.field, refused.value.reason) == ("currency", "mixed_currencies")


@pytest.mark.parametrize("text", ["", "-1", "1e3", "1,5", "0", "0.000", "01"])
def test_other_texts_are_no_rate(text: str) -> None:
    with pytest.raises(InvalidInputError):
        ExchangeRate.parse(EUR, JPY, text, DAY)


def test_a_currency_is_worth_itself() -> None:
    with pytest.raises(InvalidInputError):
        ExchangeRate.parse(EUR, EUR, "1.01", DAY)
    assert ExchangeRate.parse(EUR, EUR, "1", DAY).of(Money(5, EUR)) == Money(5, EUR)
