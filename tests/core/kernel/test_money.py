from __future__ import annotations

import copy
import pickle
from collections import Counter
from fractions import Fraction
from math import ceil, floor, trunc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError, MisuseError
from pmscore.kernel.money import MAX_MINOR, Money, MoneyByCurrency, Rounding, round_ratio

EUR, JPY, KWD, CLF = (Currency.of(code) for code in ("EUR", "JPY", "KWD", "CLF"))

minors = st.integers(-(10**12), 10**12)
currencies = st.sampled_from((EUR, JPY, KWD, CLF))
amounts = st.builds(Money, minors, currencies)
euros = st.builds(Money, minors, st.just(EUR))
weights = st.lists(st.integers(0, 1000), min_size=1, max_size=12).filter(any)


def refusal(error: pytest.ExceptionInfo[InvalidInputError]) -> tuple[str, str]:
    return error.value.field, error.value.reason


def rounded(value: Fraction, rounding: Rounding) -> int:
    """Return what the definition of the rounding says, on an exact fraction."""
    match rounding:
        case Rounding.FLOOR:
            return floor(value)
        case Rounding.CEILING:
            return ceil(value)
        case Rounding.DOWN:
            return trunc(value)
        case Rounding.UP:
            return floor(value) if value < 0 else ceil(value)
        case Rounding.HALF_EVEN:
            return round(value)
        case Rounding.HALF_UP:
            size = floor(abs(value) + Fraction(1, 2))
            return -size if value < 0 else size


@given(st.integers(), st.integers().filter(bool), st.sampled_from(Rounding))
def test_rounding_agrees_with_exact_fractions(numer: int, denom: int, rounding: Rounding):
    assert round_ratio(numer, denom, rounding) == rounded(Fraction(numer, denom), rounding)


@given(st.integers(-200, 200), st.sampled_from((1, 2, 3, 4, 10, -2, -4)), st.sampled_from(Rounding))
def test_rounding_agrees_with_exact_fractions_at_halves(numer: int, denom: int, rounding: Rounding):
    assert round_ratio(numer, denom, rounding) == rounded(Fraction(numer, denom), rounding)


@pytest.mark.parametrize(
    ("rounding", "expected"),
    [
        (Rounding.HALF_UP, (3, 2, -2, -3)),
        (Rounding.HALF_EVEN, (2, 2, -2, -2)),
        (Rounding.UP, (3, 2, -2, -3)),
        (Rounding.DOWN, (2, 1, -1, -2)),
        (Rounding.CEILING, (3, 2, -1, -2)),
        (Rounding.FLOOR, (2, 1, -2, -3)),
    ],
)
def test_each_rounding_does_at_a_half_what_its_name_says(rounding: Rounding, expected: tuple[int, ...]):
    assert tuple(round_ratio(numer, 2, rounding) for numer in (5, 3, -3, -5)) == expected


def test_a_share_of_nothing_is_a_mistake_of_the_program():
    with pytest.raises(MisuseError):
        round_ratio(1, 0, Rounding.HALF_UP)


@given(euros, weights)
def test_an_allocation_loses_no_cent(amount: Money, shares: list[int]):
    """The shares sum to the whole, each is less than one unit from its exact part, zero weights get none."""
    parts = amount.allocate(shares)
    assert Money.total(parts, EUR) == amount
    for part, weight in zip(parts, shares, strict=True):
        assert abs(part.minor - Fraction(amount.minor * weight, sum(shares))) < 1
        assert weight or not part


@given(euros, weights)
def test_an_allocation_of_the_opposite_is_the_opposite(amount: Money, shares: list[int]):
    assert (-amount).allocate(shares) == tuple(-part for part in amount.allocate(shares))


@given(euros, weights)
def test_what_is_left_over_goes_to_the_largest_remainders_the_earliest_first(
    amount: Money, shares: list[int]
):
    size = abs(amount.minor)
    parts = [abs(part.minor) for part in amount.allocate(shares)]
    exact = [Fraction(size * weight, sum(shares)) for weight in shares]
    ranked = sorted(range(len(shares)), key=lambda at: (floor(exact[at]) - exact[at], at))
    left = size - sum(floor(each) for each in exact)
    assert {at for at in ranked if parts[at] > floor(exact[at])} == set(ranked[:left])


def test_examples_of_allocation():
    def minor(parts: tuple[Money, ...]) -> list[int]:
        return [part.minor for part in parts]

    assert minor(Money(10000, EUR).split(3)) == [3334, 3333, 3333]
    assert minor(Money(-10000, EUR).split(3)) == [-3334, -3333, -3333]
    assert minor(Money(5, EUR).allocate((3, 7))) == [2, 3]
    assert minor(Money(100, JPY).allocate((0, 1, 0, 2))) == [0, 33, 0, 67]
    assert minor(Money(1, EUR).split(4)) == [1, 0, 0, 0]
    assert minor(Money(0, EUR).split(2)) == [0, 0]


@pytest.mark.parametrize(
    ("shares", "reason"),
    [((), "no_weight"), ((0, 0), "no_weight"), ((1, -1), "negative"), ((3, -1), "negative")],
)
def test_weights_that_share_nothing_are_refused(shares: tuple[int, ...], reason: str):
    with pytest.raises(InvalidInputError) as error:
        Money(100, EUR).allocate(shares)
    assert refusal(error) == ("weights", reason)


@given(amounts)
def test_an_amount_survives_its_text(amount: Money):
    assert Money.parse(amount.plain(), amount.currency) == amount
    assert str(amount) == f"{amount.plain()} {amount.currency.code}"


@pytest.mark.parametrize(
    ("text", "code", "minor"),
    [
        ("12.34", "EUR", 1234),
        ("12.3", "EUR", 1230),
        ("12", "EUR", 1200),
        ("-0.05", "EUR", -5),
        ("-0.00", "EUR", 0),
        ("1234", "JPY", 1234),
        ("1.234", "KWD", 1234),
        ("0.0001", "CLF", 1),
        ("92233720368547758.07", "EUR", MAX_MINOR),
    ],
)
def test_plain_decimal_text_is_read_exactly(text: str, code: str, minor: int):
    assert Money.parse(text, code) == Money(minor, Currency.of(code))


@pytest.mark.parametrize(
    ("text", "code", "reason"),
    [
        ("12.345", "EUR", "too_precise"),
        ("12.340", "EUR", "too_precise"),
        ("1.0", "JPY", "too_precise"),
        ("1.2345", "KWD", "too_precise"),
        ("92233720368547758.08", "EUR", "too_large"),
        ("9" * 30, "EUR", "too_large"),
        *(
            (text, "EUR", "not_decimal")
            for text in (
                "", "-", ".5", "5.", "1e3", "1E3", "+1", " 1", "1 ", "1\n", "1,5", "1.000,00", "1_000", "007",
                "--1", "NaN", "Infinity", "\u0661\u0662", "1.2.3", "0x10", "€1", "9" * 5000, "\ud800", "1\x00",
            )
        ),
    ],
)  # fmt: skip
def test_text_that_is_no_exact_amount_is_refused(text: str, code: str, reason: str):
    with pytest.raises(InvalidInputError) as error:
        Money.parse(text, code, field="price")
    assert refusal(error) == ("price", reason)
    str(error.value).encode("utf-8")


@pytest.mark.parametrize(
    ("minor", "currency", "plain"),
    [(5, EUR, "0.05"), (-5, EUR, "-0.05"), (1234, JPY, "1234"), (-7, KWD, "-0.007"), (0, EUR, "0.00")],
)
def test_plain_text_has_the_digits_of_the_currency(minor: int, currency: Currency, plain: str):
    assert Money(minor, currency).plain() == plain


@given(euros, euros, euros)
def test_amounts_of_one_currency_add_like_integers(a: Money, b: Money, c: Money):
    assert (a + b) + c == a + (b + c)
    assert a + b == b + a
    assert a - b == -(b - a)
    assert (a + b).minor == a.minor + b.minor
    assert (a < b, a <= b, a > b, a >= b) == (
        a.minor < b.minor,
        a.minor <= b.minor,
        a.minor > b.minor,
        a.minor >= b.minor,
    )
    assert abs(a) == (a if a.minor >= 0 else -a)
    assert a.times(3) == a + a + a
    assert bool(a) == (a != Money.zero(EUR))


@given(euros, st.integers(-300, 300), st.sampled_from(Rounding))
def test_a_percentage_is_rounded_once(amount: Money, percent: int, rounding: Rounding):
    assert amount.percent(percent, 100, rounding).minor == rounded(
        Fraction(amount.minor * percent, 100), rounding
    )


def test_mixing_currencies_is_refused():
    one, other = Money(1, EUR), Money(1, JPY)
    assert one != other
    for act in (
        lambda: one + other,
        lambda: one - other,
        lambda: one < other,
        lambda: one <= other,
        lambda: one > other,
        lambda: one >= other,
        lambda: Money.total((one, other), EUR),
    ):
        with pytest.raises(InvalidInputError) as error:
            act()
        assert refusal(error) == ("currency", "mixed_currencies")


@pytest.mark.parametrize("minor", [1.0, "1", True, None, Fraction(1)])
def test_only_an_integer_is_an_amount(minor: int):
    with pytest.raises(InvalidInputError) as error:
        Money(minor, EUR)
    assert refusal(error) == ("amount", "not_an_integer")


def test_an_amount_that_no_column_can_hold_is_refused():
    largest = Money(MAX_MINOR, EUR)
    for act in (lambda: largest + Money(1, EUR), lambda: largest.times(2), lambda: -largest - Money(1, EUR)):
        with pytest.raises(InvalidInputError) as error:
            act()
        assert refusal(error) == ("amount", "too_large")


@given(amounts)
def test_copies_of_an_amount_are_equal_and_share_the_currency(amount: Money):
    for twin in (copy.deepcopy(amount), pickle.loads(pickle.dumps(amount))):
        assert twin == amount
        assert twin.currency is amount.currency
        assert hash(twin) == hash(amount)


@given(st.lists(amounts), st.lists(amounts))
def test_sums_by_currency_agree_with_a_counter(some: list[Money], more: list[Money]):
    """One non-zero sum a currency; adding bags is adding their amounts in any order."""
    expected: Counter[str] = Counter()
    for amount in some + more:
        expected[amount.currency.code] += amount.minor
    both = MoneyByCurrency.of(some) + MoneyByCurrency.of(more)
    assert {each.currency.code: each.minor for each in both} == {k: v for k, v in expected.items() if v}
    assert both == MoneyByCurrency.of(reversed(some + more))
    assert both - MoneyByCurrency.of(more) == MoneyByCurrency.of(some)
    assert both + -both == MoneyByCurrency()
    assert all(both.get(currency).minor == expected[currency.code] for currency in (EUR, JPY, KWD, CLF))


def test_one_amount_can_be_added_to_sums():
    bag = MoneyByCurrency.of((Money(5, EUR), Money(7, JPY)))
    assert (bag + Money(1, EUR)).amounts == (Money(6, EUR), Money(7, JPY))
    assert (bag - Money(5, EUR)).amounts == (Money(7, JPY),)


@pytest.mark.parametrize(
    "amounts", [(Money(0, EUR),), (Money(1, JPY), Money(1, EUR)), (Money(1, EUR), Money(1, EUR))]
)
def test_sums_that_are_not_normal_cannot_be_built(amounts: tuple[Money, ...]):
    with pytest.raises(MisuseError):
        MoneyByCurrency(amounts)
