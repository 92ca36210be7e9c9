"""The figures of a taxed stay: lines, sums and totals.

Owns how whole amounts become a ``TaxResult`` that says how each tax came to be. Leaves the amounts to
``tax_rounding`` and which taxes there are to ``taxing``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TypeAlias

from attrs import frozen

from pmscore.kernel.money import Rounding, round_ratio
from pmscore.pricing.model.charges.lines import Chargeable, ChargedLine, TaxLine, TaxResult, TaxSum
from pmscore.pricing.model.charges.tax_table import TaxTable
from pmscore.pricing.model.charges.taxes import RoundingScope, Tax, TaxRounding
from pmscore.pricing.policies.tax_rates import RatePart, Rates
from pmscore.pricing.policies.tax_rounding import Taxed

__all__ = ["FlatTax", "result_of"]

_Place: TypeAlias = "tuple[str | None, str | None, date | None, int]"
"""The charge or else the tax that a tax is on, its night and its room."""


@frozen(kw_only=True)
class FlatTax:
    """A flat tax that was raised: ``count`` times its amount, ``taken_of`` a charge whose price includes it."""

    tax: Tax
    night: date | None
    room: int
    count: int
    amount: int
    taken_of: int | None


def result_of(
    table: TaxTable,
    charges: Sequence[Chargeable],
    flats: Sequence[FlatTax],
    rates: Sequence[Rates],
    taxed: Sequence[Taxed],
    rounding: TaxRounding,
) -> TaxResult:
    """Return the result of rounded amounts.

    ``rates`` and ``taxed`` are those of the charges and then of the flat taxes, in their order.
    """
    of_net = rounding.scope is RoundingScope.PER_RATE
    taxes: list[TaxLine] = []
    lines: list[ChargedLine] = []
    taken = [0] * len(charges)
    for flat in flats:
        if flat.taken_of is not None:
            taken[flat.taken_of] += flat.amount
    nets = 0
    for at, charge in enumerate(charges):
        net, amounts = taxed[at]
        nets += net
        included, added = taken[at], 0
        place = (charge.code, None, charge.night, charge.room)
        for part, amount in zip(rates[at].parts, amounts, strict=True):
            price = net if of_net else charge.amount - taken[at]
            taxes.append(_percentage_line(part, place, price, net, amounts, amount, of_net=of_net))
            if part.tax.is_inclusive:
                included += amount
            else:
                added += amount
        lines.append(ChargedLine(charge=charge, net=net, gross=net + included, added=added))
    for at, flat in enumerate(flats, start=len(charges)):
        taxes.append(_flat_line(flat, None if flat.taken_of is None else charges[flat.taken_of].code))
        on_flat = (None, flat.tax.code, flat.night, flat.room)
        taxes += [
            _percentage_line(part, on_flat, flat.amount, flat.amount, taxed[at][1], amount, of_net=of_net)
            for part, amount in zip(rates[at].parts, taxed[at][1], strict=True)
        ]
    sums = _sums(table, taxes)
    city_tax = sum([each.amount for each in sums if each.is_city_tax])
    return TaxResult(
        charges=tuple(lines),
        taxes=tuple(taxes),
        sums=sums,
        rounding=rounding,
        net=nets,
        tax=sum([each.amount for each in sums]) - city_tax,
        city_tax=city_tax,
    )


def _percentage_line(
    part: RatePart,
    place: _Place,
    price: int,
    net: int,
    amounts: Sequence[int],
    amount: int,
    *,
    of_net: bool,
) -> TaxLine:
    effective = part.on_net if of_net else part.on_gross
    tax = part.tax
    return TaxLine(
        tax=tax.code,
        rate=tax.rate,
        source=place[0],
        on_tax=place[1],
        night=place[2],
        room=place[3],
        base=_base(part, net, amounts),
        effective=effective,
        numer=price * effective[0],
        denom=effective[1],
        amount=amount,
        is_inclusive=tax.is_inclusive,
        is_city_tax=tax.is_city_tax,
    )


def _base(part: RatePart, net: int, amounts: Sequence[int]) -> int:
    whole = net if part.is_direct else 0
    for at in part.below:
        whole += amounts[at]
    counted, heads = part.share
    return whole if counted == heads else round_ratio(whole * counted, heads, Rounding.HALF_UP)


def _flat_line(flat: FlatTax, source: str | None) -> TaxLine:
    return TaxLine(
        tax=flat.tax.code,
        rate=flat.tax.rate,
        source=source,
        on_tax=None,
        night=flat.night,
        room=flat.room,
        base=flat.count,
        effective=(flat.tax.flat, 1),
        numer=flat.amount,
        denom=1,
        amount=flat.amount,
        is_inclusive=flat.tax.is_inclusive,
        is_city_tax=flat.tax.is_city_tax,
    )


def _sums(table: TaxTable, lines: Sequence[TaxLine]) -> tuple[TaxSum, ...]:
    """Return the lines summed by tax and effective rate: by level, code, and then the rates as numbers."""
    found: dict[tuple[str, tuple[int, int], bool, bool], list[TaxLine]] = {}
    for line in lines:
        key = (line.tax, line.effective, line.is_inclusive, line.is_city_tax)
        if key in found:
            found[key].append(line)
        else:
            found[key] = [line]
    rank = {tax.code: at for at, tax in enumerate(table.taxes)}
    return tuple(
        TaxSum(
            tax=key[0],
            rate=found[key][0].rate,
            effective=key[1],
            base=sum([line.base for line in found[key]]),
            numer=sum([line.numer for line in found[key]]),
            denom=key[1][1],
            amount=sum([line.amount for line in found[key]]),
            is_inclusive=key[2],
            is_city_tax=key[3],
        )
        for key in sorted(found, key=lambda key: (rank[key[0]], *key[1:]))
    )
