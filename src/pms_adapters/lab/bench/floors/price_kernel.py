"""Floor of P11: a quote with all its parts out of compiled nightly tables, as bare integers.

Owns the tariff as plain numbers, too. Amounts are in cents, nights are counted from the first of the year. A night
costs the base of its season times the factor of its weekday, less the discount of the tier that the stay reaches,
rounded half up; the value-added tax is on top, of each night and fee by itself; the city tax is for each guest and
night.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

__all__ = ["Parts", "Tariff", "compiled", "rounded"]


class Tariff(NamedTuple):
    """What is quoted.

    ``seasons`` are first night, end and base, the strongest first; ``factors`` per cent by weekday,
    ``weekday`` is that of the first night; ``tiers`` nights and per cent off, ascending. The fees are for the
    stay, each guest and each night; each has a whole number of cents as its tax.
    """

    length: int
    weekday: int
    base: int
    seasons: tuple[tuple[int, int, int], ...]
    factors: tuple[int, ...]
    tiers: tuple[tuple[int, int], ...]
    stay_fee: int
    guest_fee: int
    night_fee: int
    tax_percent: int
    city_tax: int


class Parts(NamedTuple):
    """A quote: the amount and the tax of each night, the fees and their taxes, both taxes, what is due."""

    nights: list[int]
    night_taxes: list[int]
    fees: tuple[int, int, int]
    fee_taxes: tuple[int, int, int]
    tax: int
    city_tax: int
    due: int


def compiled(tariff: Tariff, longest: int = 60) -> Callable[[int, int, int], Parts]:
    """Return what quotes a first night, a number of nights up to ``longest`` and one of guests."""
    tables = {percent: _table(tariff, percent) for percent in (0, *(off for _, off in tariff.tiers))}
    by_length = [
        tables[max(((nights, off) for nights, off in tariff.tiers if nights <= length), default=(0, 0))[1]]
        for length in range(longest + 1)
    ]
    stay_fee, guest_fee, night_fee = tariff.stay_fee, tariff.guest_fee, tariff.night_fee
    stay_tax, guest_tax, night_tax = (
        fee * tariff.tax_percent // 100 for fee in (stay_fee, guest_fee, night_fee)
    )
    a_head = tariff.city_tax

    def quote(first: int, length: int, guests: int) -> Parts:
        amounts, taxes = by_length[length]
        end = first + length
        nights = amounts[first:end]
        night_taxes = taxes[first:end]
        fees = stay_fee, guest_fee * guests, night_fee * length
        fee_taxes = stay_tax, guest_tax * guests, night_tax * length
        tax = sum(night_taxes) + sum(fee_taxes)
        city_tax = a_head * guests * length
        return Parts(
            nights, night_taxes, fees, fee_taxes, tax, city_tax, sum(nights) + sum(fees) + tax + city_tax
        )

    return quote


def rounded(numer: int, denom: int) -> int:
    """Return a fraction rounded half up."""
    return (2 * numer + denom) // (2 * denom)


def _table(tariff: Tariff, off: int) -> tuple[list[int], list[int]]:
    amounts: list[int] = []
    for night in range(tariff.length):
        base = next((base for first, end, base in tariff.seasons if first <= night < end), tariff.base)
        factor = tariff.factors[(tariff.weekday + night) % 7]
        amounts.append(rounded(base * factor * (100 - off), 100 * 100))
    return amounts, [rounded(amount * tariff.tax_percent, 100) for amount in amounts]
