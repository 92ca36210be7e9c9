"""Taxes that meet on one charge, as integers.

Owns the effective rates: which share of a price each tax is once levels, compounding and inclusion are
resolved. Leaves which taxes meet to ``taxing`` and the rounding to ``tax_rounding``.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import gcd, lcm

from attrs import frozen

from pmscore.kernel.percent import WHOLE
from pmscore.pricing.model.charges.taxes import Tax

__all__ = ["NO_TAX", "Borne", "RatePart", "Rates", "rates_of"]


@frozen(kw_only=True)
class Borne:
    """A percentage tax that a charge bears.

    ``compounded`` are the codes of the taxes it is charged on as well, ``is_direct`` tells whether it is
    charged on the source itself (else only on taxes on it), ``share`` is the part of it that bears the tax:
    the heads that count among all heads.
    """

    tax: Tax
    compounded: frozenset[str]
    is_direct: bool = True
    share: tuple[int, int] = (1, 1)


@frozen(kw_only=True)
class RatePart:
    """One tax of ``Rates``: ``numer`` over the common ``net`` or ``gross``.

    ``on_net`` and ``on_gross`` are the same two ratios reduced. ``below`` are the places of the parts that it
    compounds on.
    """

    tax: Tax
    numer: int
    on_net: tuple[int, int]
    on_gross: tuple[int, int]
    below: tuple[int, ...]
    is_direct: bool
    share: tuple[int, int]


@frozen(kw_only=True)
class Rates:
    """The taxes that a charge bears, in the order of their levels, over common denominators.

    Of a price ``p`` as shown, ``p * net / gross`` is the net and ``p * part.numer / gross`` each tax; of a
    net ``n``, ``n * part.numer / net``. ``gross - net`` is the sum of the numerators of included taxes.
    """

    net: int
    gross: int
    parts: tuple[RatePart, ...]


NO_TAX = Rates(net=1, gross=1, parts=())


def rates_of(borne: Sequence[Borne]) -> Rates:
    """Return the effective rates of percentage taxes that meet on one charge.

    The law: each tax is its percentage of the net and of the exact amounts of the taxes it compounds on;
    nothing is rounded in between. Taxes must come in the order of a ``TaxTable``.
    """
    if not borne:
        return NO_TAX
    places = {each.tax.code: at for at, each in enumerate(borne)}
    effective: list[Fraction] = []
    below: list[tuple[int, ...]] = []
    for each in borne:
        mine = tuple(sorted(places[code] for code in each.compounded if code in places))
        basis = Fraction(int(each.is_direct)) + sum((effective[at] for at in mine), Fraction(0))
        effective.append(basis * Fraction(*each.share) * Fraction(each.tax.millionths, WHOLE))
        below.append(mine)
    net = lcm(*(rate.denominator for rate in effective))
    numers = [rate.numerator * (net // rate.denominator) for rate in effective]
    gross = net + sum(n for n, each in zip(numers, borne, strict=True) if each.tax.is_inclusive)
    parts = tuple(
        RatePart(
            tax=each.tax,
            numer=numer,
            on_net=_reduced(numer, net),
            on_gross=_reduced(numer, gross),
            below=mine,
            is_direct=each.is_direct,
            share=each.share,
        )
        for each, numer, mine in zip(borne, numers, below, strict=True)
    )
    return Rates(net=net, gross=gross, parts=parts)


def _reduced(numer: int, denom: int) -> tuple[int, int]:
    common = gcd(numer, denom)
    return numer // common, denom // common
