"""The figures of a taxed stay: lines, sums and totals.

Owns how whole amounts become a ``TaxResult`` that says how each tax came to be. Leaves the amounts to
``tax_rounding`` and which taxes there are to ``taxing``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from attrs import evolve, frozen

from pmscore.kernel.money import Rounding, round_ratio
from pmscore.pricing.model.charges.lines import Chargeable, ChargedLine, TaxLine, TaxResult, TaxSum
from pmscore.pricing.model.charges.tax_table import TaxTable
from pmscore.pricing.model.charges.taxes import RoundingScope, Tax, TaxRounding
from pmscore.pricing.policies.tax_rates import RatePart, Rates
from pmscore.pricing.policies.tax_rounding import Taxed

__all__ = ["FlatTax", "result_of"]


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
    included = [0] * len(charges)
    added = [0] * len(charges)
    for flat in flats:
        if flat.taken_of is not None:
            included[flat.taken_of] += flat.amount
    for at, charge in enumerate(charges):
        mine = _tax_lines(charge, None, charge.amount - included[at], rates[at], taxed[at], of_net=of_net)
        included[at] += sum(line.amount for line in mine if line.is_inclusive)
        added[at] = sum(line.amount for line in mine if not line.is_inclusive)
        taxes += mine
        net = taxed[at][0]
        lines.append(ChargedLine(charge=charge, net=net, gross=net + included[at], added=added[at]))
    for flat, its_rates, its_taxes in zip(flats, rates[len(charges) :], taxed[len(charges) :], strict=True):
        source = None if flat.taken_of is None else charges[flat.taken_of].code
        taxes.append(_flat_line(flat, source))
        taxes += _tax_lines(flat, flat.tax.code, flat.amount, its_rates, its_taxes, of_net=of_net)
    city_tax = sum(line.amount for line in taxes if line.is_city_tax)
    return TaxResult(
        charges=tuple(lines),
        taxes=tuple(taxes),
        sums=_sums(table, taxes),
        rounding=rounding,
        net=sum(line.net for line in lines),
        tax=sum(line.amount for line in taxes) - city_tax,
        city_tax=city_tax,
    )


def _tax_lines(
    source: Chargeable | FlatTax, on_tax: str | None, price: int, rates: Rates, taxed: Taxed, *, of_net: bool
) -> list[TaxLine]:
    net, amounts = taxed
    return [
        TaxLine(
            tax=part.tax.code,
            rate=part.tax.rate,
            source=source.code if isinstance(source, Chargeable) else None,
            on_tax=on_tax,
            night=source.night,
            room=source.room,
            base=_base(part, net, amounts),
            effective=part.on_net if of_net else part.on_gross,
            numer=(net if of_net else price) * (part.on_net if of_net else part.on_gross)[0],
            denom=(part.on_net if of_net else part.on_gross)[1],
            amount=amount,
            is_inclusive=part.tax.is_inclusive,
            is_city_tax=part.tax.is_city_tax,
        )
        for part, amount in zip(rates.parts, amounts, strict=True)
    ]


def _base(part: RatePart, net: int, amounts: Sequence[int]) -> int:
    whole = net * part.is_direct + sum(amounts[at] for at in part.below)
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
    rank = {tax.code: at for at, tax in enumerate(table.taxes)}
    found: dict[tuple[int, bool, tuple[int, int]], TaxSum] = {}
    for line in lines:
        key = (rank[line.tax], line.is_inclusive, line.effective)
        so_far = found.get(key)
        if so_far is None:
            found[key] = TaxSum(
                tax=line.tax,
                rate=line.rate,
                effective=line.effective,
                base=line.base,
                numer=line.numer,
                denom=line.denom,
                amount=line.amount,
                is_inclusive=line.is_inclusive,
                is_city_tax=line.is_city_tax,
            )
        else:
            found[key] = evolve(
                so_far,
                base=so_far.base + line.base,
                numer=so_far.numer + line.numer,
                amount=so_far.amount + line.amount,
            )
    return tuple(found[key] for key in sorted(found))
