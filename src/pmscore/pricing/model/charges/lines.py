"""What is to be charged, and what it comes to with taxes.

Owns the lines that go into the tax engine and come out of it, and how each tax came to be. Leaves the
calculation to ``policies.taxing`` and whole quotes to ``model.quote``. All amounts are minor units of one
currency.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from attrs import frozen

from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.money import MAX_MINOR
from pmscore.kernel.percent import Percent
from pmscore.kernel.text import checked_code
from pmscore.pricing.model.charges.taxes import TaxRounding

__all__ = ["Chargeable", "ChargedLine", "TaxLine", "TaxResult", "TaxSum"]


@lru_cache(maxsize=1024)
def _check(code: str, field: str) -> None:
    # A house has few codes, and a stay many lines.
    checked_code(code, field=field)


# A stay has dozens of these lines; made by position and without slots they take a third of the time.
@frozen(slots=False)
class Chargeable:
    """An amount to be charged as it is shown: with the taxes that it includes, without those added to it.

    ``night`` is None for what belongs to no night; ``room`` counts from 0. ``quantity`` times ``unit`` is how
    a fee came to its amount (for a percentage, ``quantity`` is the revenue that it was taken of).

    Raises ``InvalidInputError``: ``amount`` is no integer or negative. What is given back is worked out as
    what was charged, and posted with the other sign.
    """

    code: str
    category: str
    amount: int
    night: date | None = None
    room: int = 0
    quantity: int = 1
    unit: int | Percent | None = None

    def __attrs_post_init__(self) -> None:
        _check(self.code, "code")
        _check(self.category, "category")
        if type(self.amount) is not int:
            raise InvalidInputError("amount", "not_an_integer", type=type(self.amount).__name__)
        if not 0 <= self.amount <= MAX_MINOR:
            raise InvalidInputError("amount", "negative" if self.amount < 0 else "too_large")


@frozen(slots=False)
class TaxLine:
    """One tax on one charge, or on another tax.

    ``source`` is the code of the charge it is on; ``on_tax`` is the flat tax instead, for a tax on it.
    ``base`` is what it was taken on as shown: the net of the charge and the taxes that it compounds on; for a
    flat tax how often it is charged. ``effective`` is the rate with levels and inclusion resolved, as a reduced
    ratio of the price (of the net where rounding is per rate), and ``numer / denom`` the exact amount before
    rounding. Where rates are rounded in sum, ``amount`` is the line's part of the sum in ``TaxResult.sums``.
    """

    tax: str
    rate: Percent | int
    source: str | None
    on_tax: str | None
    night: date | None
    room: int
    base: int
    effective: tuple[int, int]
    numer: int
    denom: int
    amount: int
    is_inclusive: bool
    is_city_tax: bool


@frozen(slots=False)
class ChargedLine:
    """A charge and what it comes to.

    ``gross`` is ``net`` and the taxes included in the price; it is the amount of the charge, except where
    rounding per rate has moved it. ``added`` are the taxes on top.
    """

    charge: Chargeable
    net: int
    gross: int
    added: int


@frozen(kw_only=True)
class TaxSum:
    """One tax at one rate over all that bears it: what an invoice shows.

    ``effective`` is the rate that was applied, as a reduced ratio of the net (of the gross where gross is
    kept or lines are rounded); ``numer / denom`` is the sum before rounding.
    """

    tax: str
    rate: Percent | int
    effective: tuple[int, int]
    base: int
    numer: int
    denom: int
    amount: int
    is_inclusive: bool
    is_city_tax: bool


@frozen(kw_only=True)
class TaxResult:
    """Charges with their taxes.

    Invariants: ``net`` is the sum of the nets of the charges; ``tax`` of all taxes but city taxes; ``gross``
    is net and tax; ``due`` is gross and city tax. The sums of ``taxes`` and of ``sums`` are the same, tax by
    tax.
    """

    charges: tuple[ChargedLine, ...]
    taxes: tuple[TaxLine, ...]
    sums: tuple[TaxSum, ...]
    rounding: TaxRounding
    net: int
    tax: int
    city_tax: int

    @property
    def gross(self) -> int:
        """What the house sells for: net and taxes, without city tax."""
        return self.net + self.tax

    @property
    def due(self) -> int:
        """What the guest pays."""
        return self.net + self.tax + self.city_tax

    def by_tax(self) -> dict[str, int]:
        """Return what each tax comes to, by its code."""
        found: dict[str, int] = {}
        for each in self.sums:
            found[each.tax] = found.get(each.tax, 0) + each.amount
        return found
