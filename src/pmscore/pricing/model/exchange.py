"""Rates between currencies, and amounts shown in another one than they are owed in.

Owns the dated rate and the conversion of one amount. Amounts are settled in the property's currency; what is shown
in another one is for information, and the two are never in one sum. How it works: ``docs/algorithms/exchange.md``.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from attrs import frozen

from pmscore.dates.nights import check_day
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.money import Money, Rounding, round_ratio
from pmscore.kernel.text import checked_text

__all__ = ["RATE_DIGITS", "RATE_PLACES", "ExchangeRate"]

RATE_DIGITS: Final = 9
"""How many digits a rate may have before the decimal point."""
RATE_PLACES: Final = 10
"""How many digits a rate may have behind the decimal point."""

_ONE: Final = 10**RATE_PLACES
_DECIMAL: Final = re.compile(r"(0|[1-9][0-9]{0,29})(?:\.([0-9]{1,30}))?")
_LONGEST_SOURCE: Final = 100


@frozen(kw_only=True)
class ExchangeRate:
    """What one unit of ``base`` was worth in ``shown`` on the day ``on``, and who says so.

    ``units`` is the rate in ten-billionths, so it is exact: 1.0842 is 10,842,000,000. Equal rates are equal values,
    however many zeros they were written with.
    """

    base: Currency
    shown: Currency
    units: int
    on: date
    source: str

    def __attrs_post_init__(self) -> None:
        if self.base is self.shown:
            raise InvalidInputError("currency", "same_currency", currency=self.base.code)
        if self.units < 1:
            raise InvalidInputError("rate", "not_positive")
        if self.units >= _ONE * 10**RATE_DIGITS:
            raise InvalidInputError("rate", "too_many_digits", before=RATE_DIGITS, after=RATE_PLACES)
        check_day(self.on, field="day")
        checked_text(self.source, field="source", longest=_LONGEST_SOURCE)

    @classmethod
    def parse(cls, base: Currency, shown: Currency, text: str, on: date, *, source: str) -> ExchangeRate:
        """Return the rate written as plain decimal text, ``1.0842``; blanks around ``source`` are no part of it.

        Raises:
            InvalidInputError: field ``rate``: ``not_decimal``, ``not_positive``, or ``too_many_digits`` (more than
                nine before the point or ten behind it); ``currency``: ``same_currency``; ``day`` or ``source``.
        """
        parts = _DECIMAL.fullmatch(text)
        if parts is None:
            raise InvalidInputError("rate", "not_decimal", value=ascii(text[:32]))
        fraction = (parts.group(2) or "").rstrip("0")
        if len(fraction) > RATE_PLACES:
            raise InvalidInputError("rate", "too_many_digits", before=RATE_DIGITS, after=RATE_PLACES)
        units = int(parts.group(1) + fraction.ljust(RATE_PLACES, "0"))
        return cls(base=base, shown=shown, units=units, on=on, source=source.strip())

    def plain(self) -> str:
        """Return the rate as decimal text without needless zeros: ``1.0842``."""
        whole, fraction = divmod(self.units, _ONE)
        places = f"{fraction:0{RATE_PLACES}}".rstrip("0")
        return f"{whole}.{places}" if places else str(whole)

    def of(self, amount: Money) -> Money:
        """Return an amount of ``base`` in ``shown``, rounded half up to its unit.

        Raises:
            InvalidInputError: field ``currency``, ``mixed_currencies``: the amount is not in ``base``; field
                ``amount``,
                ``too_large``: it cannot be held in the other currency.
        """
        if amount.currency is not self.base:
            raise InvalidInputError("currency", "mixed_currencies", expected=self.base.code)
        numer = amount.minor * self.units * 10**self.shown.digits
        return Money(round_ratio(numer, _ONE * 10**self.base.digits, Rounding.HALF_UP), self.shown)
