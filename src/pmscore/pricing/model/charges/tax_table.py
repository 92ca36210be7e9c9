"""All taxes of a property, checked as a whole.

Owns what taxes must be among each other: which may be charged on which, and that what prices include can be
taken out of them. Leaves what one tax must be to ``taxes``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from typing import Final

from attrs import field, frozen

from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.percent import WHOLE, Percent
from pmscore.pricing.model.charges.taxes import Tax

__all__ = ["TaxTable"]

_ALWAYS: Final = date.min


@frozen(cache_hash=True)
class TaxTable:
    """The taxes of a property in the order of level, code and first day, however they were given.

    Several taxes may share a code if no two of them are valid on the same day: the rate of a tax that
    changed. ``compounded[i]`` are the codes of the taxes that ``taxes[i]`` is charged on as well.

    Raises ``InvalidInputError`` naming ``taxes.<code>.<field>``: ``valid`` (overlaps another one of the
    code), ``level`` (differs from another one of the code), ``compounds`` (unknown, not of a lower level, of
    no category in common, or included in prices on one that is not) or ``rate`` (the taxes that a price
    includes come to more than its net).
    """

    taxes: tuple[Tax, ...] = ()
    compounded: tuple[frozenset[str], ...] = field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        taxes = tuple(sorted(self.taxes, key=lambda tax: (tax.level, tax.code, _first_day(tax))))
        _check_codes(taxes)
        compounded = tuple(_resolved(tax, taxes) for tax in taxes)
        _check_inclusive(taxes, compounded)
        object.__setattr__(self, "taxes", taxes)
        object.__setattr__(self, "compounded", compounded)


def _first_day(tax: Tax) -> date:
    return _ALWAYS if tax.valid is None else tax.valid.start


def _overlap(one: Tax, other: Tax) -> bool:
    return one.valid is None or other.valid is None or one.valid.overlaps(other.valid)


def _check_codes(taxes: Sequence[Tax]) -> None:
    for at, tax in enumerate(taxes):
        for other in taxes[:at]:
            if other.code != tax.code:
                continue
            if other.level != tax.level:
                raise InvalidInputError(f"taxes.{tax.code}.level", "differs", other=other.level)
            if _overlap(tax, other):
                raise InvalidInputError(f"taxes.{tax.code}.valid", "overlaps")


def _resolved(tax: Tax, taxes: Sequence[Tax]) -> frozenset[str]:
    """Return the codes of all taxes that ``tax`` is charged on as well."""
    where = f"taxes.{tax.code}.compounds"
    known = {other.code for other in taxes}
    for code in tax.compounds:
        if code not in known:
            raise InvalidInputError(where, "unknown_tax", tax=code)
    lower = [
        other
        for other in taxes
        if other.code in tax.compounds
        or (tax.compounds_lower and other.level < tax.level and _share_basis(tax, other))
    ]
    for other in lower:
        if other.level >= tax.level:
            reason = "itself" if other.code == tax.code else "level_not_lower"
            raise InvalidInputError(where, reason, tax=other.code)
        if not _share_basis(tax, other):
            raise InvalidInputError(where, "no_basis_in_common", tax=other.code)
        if tax.is_inclusive and not other.is_inclusive:
            raise InvalidInputError(where, "inclusive_on_exclusive", tax=other.code)
        if tax.is_inclusive and not isinstance(other.rate, Percent):
            raise InvalidInputError(where, "inclusive_on_flat", tax=other.code)
    return frozenset(other.code for other in lower)


def _share_basis(tax: Tax, other: Tax) -> bool:
    return not set(tax.on).isdisjoint(other.on)


def _check_inclusive(taxes: Sequence[Tax], compounded: Sequence[frozenset[str]]) -> None:
    """Refuse included taxes that come to more than the net on a day on which they are charged together."""
    days = {_first_day(tax) for tax in taxes}
    for category in sorted({category for tax in taxes for category in tax.on}):
        for day in sorted(days):
            rates: dict[str, Fraction] = {}
            for tax, codes in zip(taxes, compounded, strict=True):
                is_charged = tax.is_inclusive and category in tax.on
                if is_charged and (tax.valid is None or day in tax.valid):
                    basis = 1 + sum(rates.get(code, Fraction(0)) for code in codes)
                    rates[tax.code] = basis * Fraction(tax.millionths, WHOLE)
                    if sum(rates.values()) > 1:
                        raise InvalidInputError(f"taxes.{tax.code}.rate", "inclusive_over_100", on=category)
