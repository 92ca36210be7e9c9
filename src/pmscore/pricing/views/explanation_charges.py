"""What is charged beside the nights, the taxes, and what it all comes to.

Owns the nodes of inclusions, fees, taxes and totals. Law: rooms, fees, added taxes and the difference that
rounding makes sum to what is due.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pmscore.kernel.money import Rounding
from pmscore.kernel.percent import Percent
from pmscore.pricing.model.charges.lines import Chargeable, ChargedLine, TaxLine, TaxResult, TaxSum
from pmscore.pricing.model.charges.taxes import RoundingScope, TaxRounding
from pmscore.pricing.model.night_steps import Ratio
from pmscore.pricing.model.totals import Totals
from pmscore.pricing.views.charge_shapes import ROOM
from pmscore.pricing.views.explanation_nodes import Explained, Part

__all__ = ["explained_fees", "explained_inclusions", "explained_taxes", "explained_totals"]

_HALF_UP: Final = Rounding.HALF_UP.value
_SPREAD: Final = "largest_remainder"


def explained_fees(lines: Sequence[ChargedLine]) -> Explained:
    """Return the fees among the lines, by code."""
    return _group(Part.FEES, Part.FEE, [line.charge for line in lines])


def explained_inclusions(lines: Sequence[ChargedLine]) -> list[Explained]:
    """Return what the price of the nights contains, by code; nothing where it contains nothing."""
    parts = [line.charge for line in lines if line.charge.code != ROOM]
    return [_group(Part.INCLUSIONS, Part.INCLUSION, parts)] if parts else []


def explained_taxes(charged: TaxResult) -> tuple[Explained, Explained]:
    """Return the taxes and the city taxes: each tax at each rate, with the lines that it is made of."""
    by_code: dict[str, list[TaxLine]] = {each.tax: [] for each in charged.sums}
    for line in charged.taxes:
        by_code[line.tax].append(line)
    taxes: list[Explained] = []
    city_taxes: list[Explained] = []
    for each in charged.sums:
        lines = by_code[each.tax]
        if len(by_code) < len(charged.sums):
            lines = [line for line in lines if _is_part(line, each)]
        (city_taxes if each.is_city_tax else taxes).append(_tax(each, lines, charged.rounding))
    return (
        Explained(Part.TAXES, "", charged.tax, tuple(taxes)),
        Explained(Part.CITY_TAXES, "", charged.city_tax, tuple(city_taxes)),
    )


def explained_totals(totals: Totals, charged: TaxResult) -> Explained:
    """Return the totals, and what rounding by rate has moved where it moves prices."""
    added = sum([each.amount for each in charged.sums if not each.is_inclusive])
    moved = totals.due - (totals.room + totals.fees + added)
    parts = [
        ("room", totals.room),
        ("fees", totals.fees),
        ("added_taxes", added),
        *([("rounding", moved)] if moved else []),
        ("net", totals.net),
        ("tax", totals.tax),
        ("city_tax", totals.city_tax),
        ("due", totals.due),
    ]
    return Explained(
        Part.TOTALS, "", totals.due, tuple([Explained(Part.TOTAL, name, amount) for name, amount in parts])
    )


def _group(code: Part, each: Part, charges: Sequence[Chargeable]) -> Explained:
    by_code: dict[str, list[Chargeable]] = {}
    for charge in charges:
        by_code.setdefault(charge.code, []).append(charge)
    parts = [
        Explained(
            each, name, sum([charge.amount for charge in same]), tuple([_line(charge) for charge in same])
        )
        for name, same in by_code.items()
    ]
    return Explained(code, "", sum([charge.amount for charge in charges]), tuple(parts))


def _line(charge: Chargeable) -> Explained:
    """Return one line: a quantity of a unit, or a percentage of the revenue."""
    is_share = isinstance(charge.unit, Percent)
    return Explained(
        Part.LINE,
        "",
        charge.amount,
        (),
        charge.quantity if is_share else None,
        charge.unit,
        None,
        "",
        None if is_share else charge.quantity,
        None,
        _HALF_UP if is_share else None,
        charge.night,
        charge.room + 1,
    )


def _is_part(line: TaxLine, tax: TaxSum) -> bool:
    """Return whether a line of a tax of this code is part of the sum; the rate of a tax may change in a stay."""
    return (
        line.effective == tax.effective
        and line.is_inclusive is tax.is_inclusive
        and line.is_city_tax is tax.is_city_tax
    )


def _tax(tax: TaxSum, lines: Sequence[TaxLine], rounding: TaxRounding) -> Explained:
    """Return a tax at one rate. Where sums are rounded, the lines show how the sum was spread."""
    kind = "included" if tax.is_inclusive else "added"
    if not isinstance(tax.rate, Percent):
        flat = tuple([_flat_line(line) for line in lines])
        return Explained(Part.TAX, tax.tax, tax.amount, flat, None, tax.rate, None, kind, tax.base)
    is_by_line = rounding.scope is RoundingScope.PER_LINE
    mode = rounding.mode.value
    of_line = mode if is_by_line else _SPREAD
    return Explained(
        Part.TAX,
        tax.tax,
        tax.amount,
        tuple([_percentage_line(line, of_line) for line in lines]),
        Ratio(tax.numer, tax.denom),
        tax.rate,
        None,
        kind,
        None,
        tax.base,
        None if is_by_line else mode,
        share=tax.effective,
    )


def _flat_line(line: TaxLine) -> Explained:
    return Explained(
        Part.TAX_LINE,
        line.source or "",
        line.amount,
        (),
        None,
        None,
        None,
        "",
        line.base,
        None,
        None,
        line.night,
        line.room + 1,
    )


def _percentage_line(line: TaxLine, rounding: str) -> Explained:
    on_tax = line.on_tax
    return Explained(
        Part.TAX_LINE,
        (line.source or "") if on_tax is None else on_tax,
        line.amount,
        (),
        Ratio(line.numer, line.denom),
        None,
        None,
        "" if on_tax is None else "on_tax",
        None,
        line.base,
        rounding,
        line.night,
        line.room + 1,
    )
