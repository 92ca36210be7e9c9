"""The figures of a taxed stay: lines, sums and totals.

Owns how whole amounts become a ``TaxResult`` that says how each tax came to be. Leaves the amounts to
``tax_rounding`` and which taxes there are to ``taxing``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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


@frozen(slots=False)
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
        lines.append(ChargedLine(charge, net, net + included, added))
    for at, flat in enumerate(flats, start=len(charges)):
        taxes.append(_flat_line(flat, None if flat.taken_of is None else charges[flat.taken_of].code))
        if rates[at].parts:
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
        tax.code,
        tax.rate,
        *place,
        _base(part, net, amounts),
        effective,
        price * effective[0],
        effective[1],
        amount,
        tax.is_inclusive,
        tax.is_city_tax,
    )


def _base(part: RatePart, net: int, amounts: Sequence[int]) -> int:
    whole = net if part.is_direct else 0
    for at in part.below:
        whole += amounts[at]
    counted, heads = part.share
    return whole if counted == heads else round_ratio(whole * counted, heads, Rounding.HALF_UP)


def _flat_line(flat: FlatTax, source: str | None) -> TaxLine:
    tax, amount = flat.tax, flat.amount
    return TaxLine(
        tax.code,
        tax.rate,
        source,
        None,
        flat.night,
        flat.room,
        flat.count,
        (tax.flat, 1),
        amount,
        1,
        amount,
        tax.is_inclusive,
        tax.is_city_tax,
    )


def _sums(table: TaxTable, lines: Sequence[TaxLine]) -> tuple[TaxSum, ...]:
    """Return the lines summed by tax and effective rate: by level, code, and then the rates as numbers."""
    by_code: dict[str, list[TaxLine]] = {tax.code: [] for tax in table.taxes}
    for line in lines:
        by_code[line.tax].append(line)
    # Codes stand in the order of the table, by level and code.
    return tuple([_sum(same) for each in by_code.values() for same in _by_rate(each)])


def _by_rate(lines: Sequence[TaxLine]) -> Iterator[Sequence[TaxLine]]:
    """Yield the lines of one tax that are of one rate, rates ascending; most taxes have one."""
    rates = {(line.effective, line.is_inclusive, line.is_city_tax) for line in lines}
    if len(rates) == 1:
        yield lines
        return
    for rate in sorted(rates):
        yield [line for line in lines if (line.effective, line.is_inclusive, line.is_city_tax) == rate]


def _sum(lines: Sequence[TaxLine]) -> TaxSum:
    first = lines[0]
    return TaxSum(
        tax=first.tax,
        rate=first.rate,
        effective=first.effective,
        base=sum([line.base for line in lines]),
        numer=sum([line.numer for line in lines]),
        denom=first.effective[1],
        amount=sum([line.amount for line in lines]),
        is_inclusive=first.is_inclusive,
        is_city_tax=first.is_city_tax,
    )
