"""The totals of taxes that are rounded by rate where nothing but the category of a charge decides, in integers alone.

Owns the short way from nightly prices to net, tax and due, without lines. Leaves everything else to
``taxing``, and agrees with it to the unit: the law that its tests check. A quote takes this way and asks
``taxing`` for the lines when somebody wants to see them. Where taxes are rounded line by line, each night
comes to the same in every stay: ``views.charge_shapes`` has tables of them instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from attrs import frozen

from pmscore.dates.ranges import DateRange
from pmscore.kernel.money import Rounding, round_ratio
from pmscore.kernel.percent import Percent
from pmscore.pricing.model.charges.counting import EVERYBODY, Per
from pmscore.pricing.model.charges.tax_table import TaxTable
from pmscore.pricing.model.charges.taxes import RoundingScope, Tax, TaxRounding
from pmscore.pricing.model.guests import GuestParty
from pmscore.pricing.policies.charging import quantity_of
from pmscore.pricing.policies.tax_rates import NO_TAX, Borne, Rates, rates_of

__all__ = ["Due", "PlainTaxes", "plain_taxes"]

Due: TypeAlias = "tuple[int, int, int]"
"""Net, tax without city tax, city tax; their sum is what the guest pays."""


@frozen(kw_only=True)
class PlainTaxes:
    """The taxes that hold on all ``nights``, resolved by category. Made by :func:`plain_taxes`."""

    nights: DateRange | None
    rounding: TaxRounding
    by_category: dict[str, Rates]
    flats: tuple[tuple[Tax, Per], ...]

    def due(self, charges: Sequence[tuple[str, Sequence[int]]], nights: int, party: GuestParty) -> Due:
        """Return what the charges of one room come to.

        ``charges`` are amounts as shown by category. The first of them are the room's nights, all of them and
        none else; so flat taxes need no lines to be found. Several rooms are rounded together: they are not
        the sum of their rooms, and take the long way.
        """
        net, tax, city_tax = self._by_rate(charges)
        for flat, per in self.flats:
            amount = flat.flat * quantity_of(per, flat.counted, party)
            if per.is_nightly:
                liable = max(0, nights - flat.skipped_nights)
                amount *= liable if flat.most_nights is None else min(liable, flat.most_nights)
            if flat.is_city_tax:
                city_tax += amount
            else:
                tax += amount
        return net, tax, city_tax

    def _by_rate(self, charges: Sequence[tuple[str, Sequence[int]]]) -> Due:
        net = tax = city_tax = 0
        of_net = self.rounding.scope is RoundingScope.PER_RATE
        bases: dict[tuple[str, tuple[int, int]], int] = {}
        of: dict[str, Tax] = {}
        for category, amounts in charges:
            rates = self.by_category.get(category, NO_TAX)
            base = sum(amounts)
            if of_net:
                included = rates.gross - rates.net
                base -= _sum_of_rounded(amounts, included, rates.gross, self.rounding.mode) if included else 0
            net += base
            for part in rates.parts:
                key = (part.tax.code, part.on_net if of_net else part.on_gross)
                bases[key] = bases.get(key, 0) + base
                of[part.tax.code] = part.tax
        for (code, (numer, denom)), base in bases.items():
            total = round_ratio(base * numer, denom, self.rounding.mode)
            if of[code].is_inclusive and not of_net:
                net -= total
            if of[code].is_city_tax:
                city_tax += total
            else:
                tax += total
        return net, tax, city_tax


def plain_taxes(
    table: TaxTable, rounding: TaxRounding, nights: DateRange | None, channel: str | None
) -> PlainTaxes | None:
    """Return the taxes for stays within ``nights`` sold on ``channel``, or None if they need the long way.

    They do where taxes are rounded line by line, where a tax begins or ends within ``nights`` (for None: has
    dates at all), where a percentage asks for nights or guests, where a stay may be too long for a tax, where
    a flat tax is in the price, bears a tax, or is on other charges than the room, and where one price
    includes two taxes.
    """
    if rounding.scope is RoundingScope.PER_LINE:
        return None
    holding: list[tuple[Tax, frozenset[str]]] = []
    for tax, compounded in zip(table.taxes, table.compounded, strict=True):
        if channel is not None and channel in tax.remitted_by:
            continue
        if tax.valid is not None:
            if nights is None:
                return None
            if not tax.valid.overlaps(nights):
                continue
            if not tax.valid.contains(nights):
                return None
        if not _is_plain(tax):
            return None
        holding.append((tax, compounded))
    flats = tuple(
        (tax, tax.per) for tax, _ in holding if tax.per is not None and not isinstance(tax.rate, Percent)
    )
    codes = {tax.code for tax, _ in flats}
    if any(not compounded.isdisjoint(codes) for _, compounded in holding):
        return None
    by_category = {
        category: rates_of(
            tuple(
                Borne(tax=tax, compounded=compounded)
                for tax, compounded in holding
                if isinstance(tax.rate, Percent) and category in tax.on
            )
        )
        for category in sorted({category for tax, _ in holding for category in tax.on})
    }
    for rates in by_category.values():
        if sum(part.tax.is_inclusive for part in rates.parts) > 1:
            return None
    return PlainTaxes(nights=nights, rounding=rounding, by_category=by_category, flats=flats)


def _is_plain(tax: Tax) -> bool:
    if tax.exempt_from_nights is not None:
        return False
    if isinstance(tax.rate, Percent):
        return not tax.skipped_nights and tax.most_nights is None and tax.counted == EVERYBODY
    return not tax.is_inclusive and tax.on == ("room",)


def _sum_of_rounded(amounts: Sequence[int], numer: int, denom: int, mode: Rounding) -> int:
    """Return the sum of ``amount * numer / denom``, each rounded; amounts are not negative."""
    if mode is Rounding.HALF_UP:
        twice, whole = 2 * numer, 2 * denom
        return sum([(amount * twice + denom) // whole for amount in amounts])
    return sum([round_ratio(amount * numer, denom, mode) for amount in amounts])
