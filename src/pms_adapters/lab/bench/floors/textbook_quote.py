"""Floor of P12: a quote as a textbook writes it, with decimals and an object for each line.

The same tariff as that of ``price_kernel``, given as plain numbers in cents; amounts are decimals in euros.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

__all__ = ["Line", "Quote", "quoter"]

_CENT = Decimal("0.01")
_HUNDRED = Decimal(100)


@dataclass(frozen=True)
class Line:
    """One line: what for, on which night if any, how much, and the value-added tax on it."""

    code: str
    night: int | None
    amount: Decimal
    tax: Decimal


@dataclass(frozen=True)
class Quote:
    """All lines, the city tax, and what is due."""

    lines: tuple[Line, ...]
    city_tax: Decimal
    due: Decimal


def quoter(
    *,
    weekday: int,
    base: int,
    seasons: Sequence[tuple[int, int, int]],
    factors: Sequence[int],
    tiers: Sequence[tuple[int, int]],
    stay_fee: int,
    guest_fee: int,
    night_fee: int,
    tax_percent: int,
    city_tax: int,
) -> Callable[[int, int, int], Quote]:
    """Return what quotes a first night, a number of nights and one of guests."""
    default = Decimal(base) / _HUNDRED
    bases = [(first, end, Decimal(each) / _HUNDRED) for first, end, each in seasons]
    by_weekday = [Decimal(each) / _HUNDRED for each in factors]
    discounts = [(nights, Decimal(off) / _HUNDRED) for nights, off in tiers]
    stay_amount, guest_amount, night_amount, a_head = (
        Decimal(each) / _HUNDRED for each in (stay_fee, guest_fee, night_fee, city_tax)
    )
    rate = Decimal(tax_percent) / _HUNDRED

    def taxed(code: str, night: int | None, amount: Decimal) -> Line:
        return Line(code, night, amount, (amount * rate).quantize(_CENT, ROUND_HALF_UP))

    def price(night: int, discount: Decimal) -> Decimal:
        amount = default
        for first, end, each in bases:
            if first <= night < end:
                amount = each
                break
        amount = (amount * by_weekday[(weekday + night) % 7]).quantize(_CENT, ROUND_HALF_UP)
        return (amount - amount * discount).quantize(_CENT, ROUND_HALF_UP)

    def quote(first: int, length: int, guests: int) -> Quote:
        discount = Decimal(0)
        for nights, each in discounts:
            if length >= nights:
                discount = each
        lines = [taxed("night", night, price(night, discount)) for night in range(first, first + length)]
        lines.append(taxed("stay", None, stay_amount))
        lines.append(taxed("guest", None, guest_amount * guests))
        lines.append(taxed("nightly", None, night_amount * length))
        city = a_head * guests * length
        due = sum((line.amount for line in lines), Decimal(0)) + sum((line.tax for line in lines), city)
        return Quote(tuple(lines), city, due)

    return quote
