"""The tax engine: charges of a stay in, the same with their taxes out.

Owns which taxes a charge bears, and flat taxes. Leaves effective rates to ``tax_rates``, rounding to
``tax_rounding`` and the figures to ``tax_lines``. Quote, folio, refund and channels all call this one. How it
works: ``docs/algorithms/taxes.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache

from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.percent import Percent
from pmscore.pricing.model.charges.counting import EVERYBODY, ChargedStay, Per
from pmscore.pricing.model.charges.lines import Chargeable, TaxResult
from pmscore.pricing.model.charges.tax_table import TaxTable
from pmscore.pricing.model.charges.taxes import RoundingScope, Tax, TaxRounding
from pmscore.pricing.policies.charging import quantity_of
from pmscore.pricing.policies.tax_lines import FlatTax, result_of
from pmscore.pricing.policies.tax_rates import NO_TAX, Borne, Rates, rates_of
from pmscore.pricing.policies.tax_rounding import Taxed, round_taxes

__all__ = ["charge_taxes", "is_charged_on", "rates_on"]


def charge_taxes(
    table: TaxTable, charges: Sequence[Chargeable], stay: ChargedStay, rounding: TaxRounding
) -> TaxResult:
    """Return the charges with all taxes of the table that they bear.

    The order of the taxes does not matter; of the charges, an earlier one of a night takes a unit left over.

    Raises:
        InvalidInputError: field ``night`` or ``room``; a charge is not of this stay.
    """
    _check_of_stay(charges, stay)
    flats, left = _flats(table, charges, stay)
    bearing = _Bearing(table, stay)
    sources = [
        (price, bearing.of_category(charge.category, charge.night, charge.room))
        for price, charge in zip(left, charges, strict=True)
    ]
    sources += [(flat.amount, bearing.of_flat(flat.tax, flat.night, flat.room)) for flat in flats]
    taxed = _rounded(sources, [*charges, *flats], rounding)
    return result_of(table, charges, flats, [rates for _, rates in sources], taxed, rounding)


def _rounded(
    sources: Sequence[tuple[int, Rates]], places: Sequence[Chargeable | FlatTax], rounding: TaxRounding
) -> Sequence[Taxed]:
    """Return net and taxes of each source, rounded night by night where the order makes a difference."""
    if rounding.scope is RoundingScope.PER_LINE:
        return round_taxes(sources, rounding)
    # Charges of a night before those of none, then by room; the sort is stable.
    order = sorted(range(len(sources)), key=lambda at: (places[at].night or date.max, places[at].room))
    taxed: list[Taxed] = [(0, ())] * len(sources)
    for at, each in zip(order, round_taxes([sources[at] for at in order], rounding), strict=True):
        taxed[at] = each
    return taxed


def is_charged_on(tax: Tax, night: date | None, stay: ChargedStay) -> bool:
    """Return whether a tax is charged in this stay on this night; None is for what belongs to no night."""
    if stay.channel is not None and stay.channel in tax.remitted_by:
        return False
    if tax.exempt_from_nights is not None and stay.stay.length >= tax.exempt_from_nights:
        return False
    day = stay.arrival if night is None else night
    if tax.valid is not None and day not in tax.valid:
        return False
    if night is None:
        return True
    at = night.toordinal() - stay.arrival.toordinal() - tax.skipped_nights
    return at >= 0 and (tax.most_nights is None or at < tax.most_nights)


def rates_on(table: TaxTable, category: str, night: date | None, room: int, stay: ChargedStay) -> Rates:
    """Return the effective rates of the percentage taxes that a charge of this category bears."""
    return _Bearing(table, stay).of_category(category, night, room)


def _check_of_stay(charges: Sequence[Chargeable], stay: ChargedStay) -> None:
    rooms, arrival, departure = len(stay.rooms), stay.stay.arrival, stay.stay.departure
    for charge in charges:
        if not 0 <= charge.room < rooms:
            raise InvalidInputError("room", "not_of_this_stay", room=charge.room, charge=charge.code)
        if charge.night is not None and not arrival <= charge.night < departure:
            raise InvalidInputError(
                "night", "not_of_this_stay", night=charge.night.isoformat(), charge=charge.code
            )


class _Bearing:
    """Which percentage taxes are borne in one stay, and at which rates."""

    def __init__(self, table: TaxTable, stay: ChargedStay) -> None:
        self._table = table
        self._stay = stay
        self._percentages = tuple(
            (at, tax, compounded, tax.counted == EVERYBODY)
            for at, (tax, compounded) in enumerate(zip(table.taxes, table.compounded, strict=True))
            if isinstance(tax.rate, Percent)
        )
        self._asks_for_nights = any(
            tax.valid is not None or tax.skipped_nights or tax.most_nights is not None
            for _, tax, _, _ in self._percentages
        )
        self._found: dict[tuple[str, date | None, int], Rates] = {}

    def of_category(self, category: str, night: date | None, room: int) -> Rates:
        """Return the rates of a charge of this category."""
        key = (category, night if self._asks_for_nights else None, room)
        found = self._found.get(key)
        if found is None:
            borne = [
                (at, *self._share(tax, room, is_everybody=is_everybody))
                for at, tax, _, is_everybody in self._percentages
                if category in tax.on and is_charged_on(tax, night, self._stay)
            ]
            found = self._found[key] = _resolved(self._table, None, tuple(borne))
        return found

    def of_flat(self, flat: Tax, night: date | None, room: int) -> Rates:
        """Return the rates on a flat tax: of those that compound on it, and of those that compound on them."""
        carried = {flat.code}
        borne: list[tuple[int, int, int]] = []
        for at, tax, compounded, is_everybody in self._percentages:
            if not compounded.isdisjoint(carried) and is_charged_on(tax, night, self._stay):
                carried.add(tax.code)
                borne.append((at, *self._share(tax, room, is_everybody=is_everybody)))
        return _resolved(self._table, flat.code, tuple(borne)) if borne else NO_TAX

    def _share(self, tax: Tax, room: int, *, is_everybody: bool) -> tuple[int, int]:
        if is_everybody:
            return 1, 1
        party = self._stay.rooms[room]
        return tax.counted.count(party), party.count


@lru_cache(maxsize=4096)
def _resolved(table: TaxTable, on_tax: str | None, borne: tuple[tuple[int, int, int], ...]) -> Rates:
    """Return the rates of the taxes at these places of the table, each with its share of heads."""
    return rates_of(
        tuple(
            Borne(
                tax=table.taxes[at],
                compounded=table.compounded[at],
                is_direct=on_tax is None or on_tax in table.compounded[at],
                share=(counted, heads),
            )
            for at, counted, heads in borne
            if counted
        )
    )


def _flats(
    table: TaxTable, charges: Sequence[Chargeable], stay: ChargedStay
) -> tuple[list[FlatTax], list[int]]:
    """Return the flat taxes raised, and what is left of each charge without those that it includes."""
    left = [charge.amount for charge in charges]
    flats: list[FlatTax] = []
    for tax in table.taxes:
        if isinstance(tax.rate, Percent) or tax.per is None:
            continue
        counts = [quantity_of(tax.per, tax.counted, party) for party in stay.rooms]
        for (night, room), bearing in sorted(_occasions(tax, tax.per, charges).items(), key=_by_night):
            if not is_charged_on(tax, night, stay):
                continue
            count = counts[room]
            owed = count * tax.rate
            if not tax.is_inclusive:
                if owed:
                    flats.append(FlatTax(tax, night, room, count, owed, None))
                continue
            for at in bearing:
                taken = min(owed, left[at])
                if taken:
                    owed -= taken
                    left[at] -= taken
                    flats.append(FlatTax(tax, night, room, count, taken, at))
                    count = 0
    return flats, left


def _occasions(tax: Tax, per: Per, charges: Sequence[Chargeable]) -> dict[tuple[date | None, int], list[int]]:
    """Return each night and room (or what else it is per) for which a flat tax is due, and the charges there."""
    found: dict[tuple[date | None, int], list[int]] = {}
    for at, charge in enumerate(charges):
        if charge.category not in tax.on or (per.is_nightly and charge.night is None):
            continue
        night = charge.night if per.is_nightly else None
        room = 0 if per is Per.BOOKING else charge.room
        found.setdefault((night, room), []).append(at)
    return found


def _by_night(item: tuple[tuple[date | None, int], list[int]]) -> tuple[date, int]:
    (night, room), _ = item
    return night or date.max, room
