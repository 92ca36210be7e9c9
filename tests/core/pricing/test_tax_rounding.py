"""Three scopes of rounding, by hand and by law: nothing is lost, nothing goes below zero."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.pricing.charging_scene import (
    AMOUNTS,
    KEEPING_GROSS,
    PER_LINE,
    PER_RATE,
    ROUNDINGS,
    nights_at,
    stay_of,
    tax,
)
from pmscore.kernel.currency import Currency
from pmscore.kernel.money import Money, Rounding, round_ratio
from pmscore.kernel.percent import WHOLE, Percent
from pmscore.pricing.model.charges.lines import Chargeable, TaxResult
from pmscore.pricing.model.charges.tax_table import TaxTable
from pmscore.pricing.model.charges.taxes import RoundingScope, Tax, TaxRounding
from pmscore.pricing.policies.tax_rates import Borne, Rates, rates_of
from pmscore.pricing.policies.tax_rounding import _within, round_taxes, spread
from pmscore.pricing.policies.taxing import charge_taxes


def vat_on(*amounts: int, rounding: TaxRounding, rate: str = "19", is_inclusive: bool = False) -> TaxResult:
    table = TaxTable((tax("vat", rate, is_inclusive=is_inclusive),))
    return charge_taxes(table, nights_at(*amounts), stay_of(len(amounts)), rounding)


def test_en_16931_per_rate_and_per_line_differ_by_a_cent() -> None:
    # 10.03 x 19 % = 1.9057 -> 1.91, three times 5.73; 30.09 x 19 % = 5.7171 -> 5.72 (BR-CO-17).
    assert vat_on(1_003, 1_003, 1_003, rounding=PER_LINE).tax == 573
    per_rate = vat_on(1_003, 1_003, 1_003, rounding=PER_RATE)
    assert per_rate.tax == 572
    # The exact parts are equal, so the earlier nights take what is left over.
    assert [line.amount for line in per_rate.taxes] == [191, 191, 190]
    (total,) = per_rate.sums
    assert (total.base, total.amount, total.effective) == (3_009, 572, (19, 100))
    assert Fraction(total.numer, total.denom) == Fraction("571.71")


def test_per_rate_changes_a_price_that_includes_the_tax() -> None:
    # 100.00 = 84.03 + 15.97, three times; 252.09 x 19 % = 47.8971 -> 47.90, so 299.99 in all.
    result = vat_on(10_000, 10_000, 10_000, rounding=PER_RATE, is_inclusive=True)
    assert [line.net for line in result.charges] == [8_403, 8_403, 8_403]
    assert [line.amount for line in result.taxes] == [1_597, 1_597, 1_596]
    assert [line.gross for line in result.charges] == [10_000, 10_000, 9_999]
    assert (result.net, result.tax, result.due) == (25_209, 4_790, 29_999)


def test_keeping_gross_leaves_the_price_and_moves_the_net() -> None:
    # 300.00 x 19/119 = 47.8992 -> 47.90; net 252.10; by line it would have been 47.91.
    result = vat_on(10_000, 10_000, 10_000, rounding=KEEPING_GROSS, is_inclusive=True)
    assert [line.amount for line in result.taxes] == [1_597, 1_597, 1_596]
    assert [line.net for line in result.charges] == [8_403, 8_403, 8_404]
    assert (result.net, result.tax, result.due) == (25_210, 4_790, 30_000)
    assert vat_on(10_000, 10_000, 10_000, rounding=PER_LINE, is_inclusive=True).tax == 4_791


def test_rates_are_summed_apart_and_categories_of_one_tax_together() -> None:
    # 7 %: 10.03 + 10.03 + 10.05 = 30.11 -> 2.1077 -> 2.11; 19 %: 5.03 -> 0.9557 -> 0.96.
    table = TaxTable((tax("low", "7", on=("room", "fee")), tax("high", "19", on=("food",))))
    charges = (
        *nights_at(1_003, 1_003),
        Chargeable(code="clean", category="fee", amount=1_005),
        Chargeable(code="egg", category="food", amount=503),
    )
    result = charge_taxes(table, charges, stay_of(2), PER_RATE)
    assert [(each.tax, each.base, each.amount) for each in result.sums] == [
        ("high", 503, 96),
        ("low", 3_011, 211),
    ]


def test_what_belongs_to_no_night_comes_after_the_nights() -> None:
    # Exact parts 0.5 and 0.5 sum to 1: the night takes it, wherever the fee stands.
    fee = Chargeable(code="clean", category="room", amount=5)
    result = charge_taxes(TaxTable((tax("vat", "10"),)), (fee, *nights_at(5)), stay_of(1), PER_RATE)
    assert [(line.source, line.amount) for line in result.taxes] == [("clean", 0), ("bar", 1)]


@pytest.mark.parametrize("code", ["JPY", "EUR", "KWD"])
@pytest.mark.parametrize("scope", RoundingScope)
@pytest.mark.parametrize("mode", Rounding)
def test_no_currency_scope_or_mode_loses_a_unit(code: str, scope: RoundingScope, mode: Rounding) -> None:
    currency = Currency.of(code)
    prices = [Money.parse(text, currency).minor for text in ("101", "99", "99", "0", "1")]
    rounding = TaxRounding(scope=scope, mode=mode)
    table = TaxTable((tax("vat", "8.875", is_inclusive=True), tax("city", "3.3333")))
    result = charge_taxes(table, nights_at(*prices), stay_of(5), rounding)
    assert sum(line.net for line in result.charges) + sum(line.amount for line in result.taxes) == result.due
    exact = Fraction(sum(prices) * 88_750, WHOLE + 88_750)
    slack = 5 if scope is not RoundingScope.PER_RATE_KEEPING_GROSS else 1
    assert abs(result.by_tax()["vat"] - exact) < slack


def test_two_taxes_rounded_up_take_no_more_than_the_price() -> None:
    table = TaxTable((tax("a", "50", is_inclusive=True), tax("b", "50", is_inclusive=True)))
    for scope in (RoundingScope.PER_LINE, RoundingScope.PER_RATE_KEEPING_GROSS):
        result = charge_taxes(table, nights_at(1), stay_of(1), TaxRounding(scope=scope, mode=Rounding.UP))
        assert (result.net, result.by_tax(), result.due) == (0, {"a": 1, "b": 0}, 1)


RATES = st.lists(st.tuples(st.integers(0, WHOLE // 2), st.booleans()), max_size=3).map(
    lambda drawn: rates_of(
        tuple(
            Borne(
                tax=Tax(code=f"t{at}", name="T", rate=Percent(rate), is_inclusive=is_inclusive),
                compounded=frozenset(),
            )
            for at, (rate, is_inclusive) in enumerate(drawn)
        )
    )
)
SOURCES = st.lists(st.tuples(AMOUNTS, RATES), max_size=6)
Sources = list[tuple[int, Rates]]


def included(rates: Rates, amounts: tuple[int, ...]) -> int:
    return sum(amount for part, amount in zip(rates.parts, amounts, strict=True) if part.tax.is_inclusive)


@given(SOURCES, ROUNDINGS)
def test_net_and_what_the_price_includes_are_the_price(sources: Sources, rounding: TaxRounding) -> None:
    """Line by line, except per rate, where the net is kept and the price may move."""
    for (price, rates), (net, amounts) in zip(sources, round_taxes(sources, rounding), strict=True):
        assert net >= 0
        assert all(amount >= 0 for amount in amounts)
        if rounding.scope is not RoundingScope.PER_RATE:
            assert net + included(rates, amounts) == price


@given(SOURCES, st.sampled_from(Rounding))
def test_per_rate_rounds_each_rate_once(sources: Sources, mode: Rounding) -> None:
    """The parts of one tax at one rate sum to its rate of the sum of the nets, rounded once."""
    taxed = round_taxes(sources, TaxRounding(scope=RoundingScope.PER_RATE, mode=mode))
    nets: dict[tuple[str, tuple[int, int], bool], int] = {}
    sums: dict[tuple[str, tuple[int, int], bool], int] = {}
    for (_, rates), (net, amounts) in zip(sources, taxed, strict=True):
        for part, amount in zip(rates.parts, amounts, strict=True):
            key = (part.tax.code, part.on_net, part.tax.is_inclusive)
            nets[key] = nets.get(key, 0) + net
            sums[key] = sums.get(key, 0) + amount
    for key, amount in sums.items():
        assert amount == round_ratio(nets[key] * key[1][0], key[1][1], mode)


@given(SOURCES, st.sampled_from((Rounding.HALF_UP, Rounding.HALF_EVEN, Rounding.DOWN)))
def test_keeping_gross_rounds_each_added_rate_once(sources: Sources, mode: Rounding) -> None:
    """What is added at one rate is the rate of the sum of prices, rounded once."""
    taxed = round_taxes(sources, TaxRounding(scope=RoundingScope.PER_RATE_KEEPING_GROSS, mode=mode))
    prices: dict[tuple[str, tuple[int, int]], int] = {}
    sums: dict[tuple[str, tuple[int, int]], int] = {}
    for (price, rates), (_, amounts) in zip(sources, taxed, strict=True):
        for part, amount in zip(rates.parts, amounts, strict=True):
            if not part.tax.is_inclusive:
                key = (part.tax.code, part.on_gross)
                prices[key] = prices.get(key, 0) + price
                sums[key] = sums.get(key, 0) + amount
    for key, amount in sums.items():
        assert amount == round_ratio(prices[key] * key[1][0], key[1][1], mode)


@given(st.integers(0, 10**9), st.lists(st.integers(0, 10**6), max_size=8))
def test_a_spread_is_the_allocation_of_money(total: int, weights: list[int]) -> None:
    """Shares sum to the total and are those of ``Money.allocate``."""
    shares = spread(total, weights)
    if sum(weights):
        money = Money(total, Currency.of("EUR")).allocate(weights)
        assert shares == [share.minor for share in money]
    else:
        assert shares == [0] * len(weights)


@pytest.mark.parametrize(
    ("shares", "most", "expected"),
    [
        ((5, 5), (10, 10), [5, 5]),
        ((8, 2), (5, 10), [5, 5]),
        # What is cut goes to the earliest that can bear it, as far as that goes, and then to the next.
        ((9, 3, 1), (4, 6, 9), [4, 6, 3]),
        ((1, 9), (4, 6), [4, 6]),
        ((0, 7, 0), (1, 4, 2), [1, 4, 2]),
        ((), (), []),
    ],
)
def test_shares_that_exceed_a_price_move_to_the_earliest_that_can_bear_them(shares, most, expected) -> None:
    assert _within(shares, most) == expected


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=6))
def test_no_share_exceeds_its_price_and_none_is_lost_while_there_is_room(
    pairs: list[tuple[int, int]],
) -> None:
    shares, most = [share for share, _ in pairs], [limit for _, limit in pairs]
    kept = _within(shares, most)
    assert all(share <= limit for share, limit in zip(kept, most, strict=True))
    assert sum(kept) == min(sum(shares), sum(most))
    assert kept == shares or any(share > limit for share, limit in pairs)
