"""Rates between currencies, and amounts shown in another one than they are owed in.

Owns the dated rate and the conversion of one amount. Amounts are settled in the property's currency; what is shown
in another one is for information, and the two are never in one sum.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from attrs import frozen

from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.money import Money, Rounding, round_ratio

__all__ = ["ExchangeRate"]

_DECIMAL: Final = re.compile(r"(0|[1-9][0-9]{0,8})(?:\.([0-9]{1,10}))?")


@frozen(kw_only=True)
class ExchangeRate:
    """One unit of ``base`` is ``numer / denom`` units of ``shown`` on the day ``on``."""

    base: Currency
    shown: Currency
    numer: int
    denom: int
    on: date

    def __attrs_post_init__(self) -> None:
        if self.numer < 1 or self.denom < 1:
            raise InvalidInputError("rate", "not_positive")
        if self.base == self.shown and self.numer != self.denom:
            raise InvalidInputError("rate", "not_one", currency=self.base.code)

    @classmethod
    def parse(cls, base: Currency, shown: Currency, text: str, on: date) -> ExchangeRate:
        """Return the rate written as plain decimal text, ``1.0842``.

        Raises:
            InvalidInputError: field ``rate``; reason ``not_decimal`` or ``not_positive``.
        """
        parts = _DECIMAL.fullmatch(text)
        if parts is None:
            raise InvalidInputError("rate", "not_decimal", value=ascii(text[:32]))
        fraction = parts.group(2) or ""
        return cls(
            base=base, shown=shown, numer=int(parts.group(1) + fraction), denom=10 ** len(fraction), on=on
        )

    def of(self, amount: Money) -> Money:
        """Return the amount in the other currency, rounded half up to its unit.

        Raises:
            InvalidInputError: field ``currency``, ``mixed_currencies``; the amount is in neither of the two.
        """
        if amount.currency == self.shown:
            return amount
        if amount.currency != self.base:
            raise InvalidInputError("currency", "mixed_currencies", expected=self.base.code)
        numer = amount.minor * self.numer * 10**self.shown.digits
        denom = self.denom * 10**self.base.digits
        return Money(round_ratio(numer, denom, Rounding.HALF_UP), self.shown)
