"""Exact tax amounts become whole minor units.

Owns the three scopes and the spreading of a rounded sum over its lines. Leaves the rates to ``tax_rates``.
The law: in every scope and mode the parts sum to the total exactly, and no net is below zero. How it works,
and whose rules they are: ``docs/algorithms/taxes.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from attrs import frozen

from pmscore.kernel.money import Rounding, round_ratio
from pmscore.pricing.model.charges.taxes import RoundingScope, TaxRounding
from pmscore.pricing.policies.tax_rates import Rates

__all__ = ["Taxed", "round_taxes", "spread"]

Taxed: TypeAlias = "tuple[int, tuple[int, ...]]"
"""The net of a price, and the amount of each part of its rates."""

_Source: TypeAlias = "tuple[int, Rates]"


@frozen
class _Group:
    """One tax at one rate: the sources that bear it, and which of their parts it is."""

    ratio: tuple[int, int]
    is_inclusive: bool
    members: tuple[tuple[int, int], ...]


def round_taxes(sources: Sequence[_Source], rounding: TaxRounding) -> list[Taxed]:
    """Return net and taxes of each price, rounded.

    ``sources`` are prices as shown, not negative, with the rates they bear, the earliest night first: of
    equal remainders the earlier one takes the unit.
    """
    if rounding.scope is RoundingScope.PER_RATE_KEEPING_GROSS:
        return _keeping_gross(sources, rounding.mode)
    by_line = _by_line(sources, rounding.mode)
    if rounding.scope is RoundingScope.PER_LINE:
        return by_line
    return _per_rate(sources, by_line, rounding.mode)


def spread(total: int, weights: Sequence[int]) -> list[int]:
    """Return whole shares of ``total`` in proportion to ``weights`` that sum to it exactly.

    Largest remainder, the earliest first among equals; nothing where there is no weight at all. Neither the
    total nor a weight may be negative.
    """
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    shares = [total * weight // whole for weight in weights]
    left = total - sum(shares)
    if left:
        # A stable sort keeps the earliest first among equal remainders.
        by_remainder = sorted(range(len(weights)), key=lambda at: -(total * weights[at] % whole))
        for at in by_remainder[:left]:
            shares[at] += 1
    return shares


def _by_line(sources: Sequence[_Source], mode: Rounding) -> list[Taxed]:
    """Round each line by itself; many nights have one price, and what is the same is worked out once."""
    known: dict[tuple[int, int], Taxed] = {}
    found: list[Taxed] = []
    for price, rates in sources:
        # The sources hold the rates, so an identity means the same rates throughout.
        key = (price, id(rates))
        taxed = known.get(key)
        if taxed is None:
            taxed = known[key] = _round_line(price, rates, mode)
        found.append(taxed)
    return found


def _round_line(price: int, rates: Rates, mode: Rounding) -> Taxed:
    left = price
    amounts: list[int] = []
    for part in rates.parts:
        amount = round_ratio(price * part.numer, rates.gross, mode)
        if part.tax.is_inclusive:
            # Two taxes rounded up must not take more than the price is.
            amount = min(amount, left)
            left -= amount
        amounts.append(amount)
    return left, tuple(amounts)


def _per_rate(sources: Sequence[_Source], by_line: Sequence[Taxed], mode: Rounding) -> list[Taxed]:
    """Round each tax once on the sum of the nets as they are shown; the nets stay."""
    amounts = [[0] * len(rates.parts) for _, rates in sources]
    for group in _groups(sources, of_net=True):
        nets = [by_line[source][0] for source, _ in group.members]
        total = round_ratio(sum(nets) * group.ratio[0], group.ratio[1], mode)
        for (source, part), share in zip(group.members, spread(total, nets), strict=True):
            amounts[source][part] = share
    return [(net, tuple(mine)) for (net, _), mine in zip(by_line, amounts, strict=True)]


def _keeping_gross(sources: Sequence[_Source], mode: Rounding) -> list[Taxed]:
    """Round each tax once on the sum of the prices that bear it; the prices stay."""
    left = [price for price, _ in sources]
    amounts = [[0] * len(rates.parts) for _, rates in sources]
    for group in _groups(sources, of_net=False):
        prices = [sources[source][0] for source, _ in group.members]
        total = round_ratio(sum(prices) * group.ratio[0], group.ratio[1], mode)
        shares = spread(total, prices)
        if group.is_inclusive:
            shares = _within(shares, [left[source] for source, _ in group.members])
        for (source, part), share in zip(group.members, shares, strict=True):
            amounts[source][part] = share
            left[source] -= share * group.is_inclusive
    return [(net, tuple(mine)) for net, mine in zip(left, amounts, strict=True)]


def _within(shares: Sequence[int], most: Sequence[int]) -> list[int]:
    """Return the shares cut to what is left of each price; what is cut goes to the earliest that can bear it."""
    kept = [min(share, limit) for share, limit in zip(shares, most, strict=True)]
    over = sum(shares) - sum(kept)
    for at, limit in enumerate(most):
        if not over:
            break
        more = min(over, limit - kept[at])
        kept[at] += more
        over -= more
    return kept


def _groups(sources: Sequence[_Source], *, of_net: bool) -> list[_Group]:
    """Return the taxes at their rates in the order of level, code and rate, so that the result has one."""
    found: dict[tuple[int, str, tuple[int, int], bool], list[tuple[int, int]]] = {}
    for at, (_, rates) in enumerate(sources):
        for place, part in enumerate(rates.parts):
            ratio = part.on_net if of_net else part.on_gross
            key = (part.tax.level, part.tax.code, ratio, part.tax.is_inclusive)
            found.setdefault(key, []).append((at, place))
    return [_Group(ratio=key[2], is_inclusive=key[3], members=tuple(found[key])) for key in sorted(found)]
