"""What is charged beside the nights for stays of one shape, worked out once.

Owns the shortcut for houses whose taxes are rounded line by line and whose fees are amounts: there the lines do not
touch each other, so fees and flat taxes are worked out once for a shape, and each night by itself. Leaves the rest to
the tax engine. Law: a shape comes to what the engine comes to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import count
from typing import Final

from attrs import frozen

from pmscore.dates.nights import StayRange
from pmscore.kernel.percent import Percent
from pmscore.pricing.model.book import PriceBook
from pmscore.pricing.model.charges.counting import ChargedStay
from pmscore.pricing.model.charges.fees import Inclusion
from pmscore.pricing.model.charges.lines import Chargeable, TaxResult
from pmscore.pricing.model.charges.taxes import RoundingScope
from pmscore.pricing.model.guests import GuestParty
from pmscore.pricing.policies.charging import carve_inclusions, charge_fees
from pmscore.pricing.policies.plain_taxes import PlainTaxes, plain_taxes
from pmscore.pricing.policies.taxing import charge_taxes, is_charged_on
from pmscore.pricing.views.night_table import NightTotals

__all__ = [
    "NOTHING",
    "ROOM",
    "ChargeShape",
    "Charged",
    "NightClass",
    "RateShape",
    "has_shapes",
    "rate_shape_of",
    "room_charges",
    "shape_of",
]

ROOM = "room"
"""The code and the tax category of the nights of a room."""
_NUMBERS: Final = count()


@frozen
class Charged:
    """What something comes to: as shown, net, taxes without city tax, city tax."""

    shown: int
    net: int
    tax: int
    city_tax: int


NOTHING = Charged(0, 0, 0, 0)


@frozen
class NightClass:
    """Nights of one room that bear the same taxes, from offset ``start`` to before ``end`` of the stay."""

    key: int
    book: PriceBook
    inclusions: tuple[Inclusion, ...]
    stay: ChargedStay
    room: int
    start: int
    end: int

    def totals_of(self, amount: int) -> NightTotals:
        """Return what a night of this amount comes to; taxes by the head or the night are in the shape."""
        night = date.fromordinal(self.stay.stay.first_ordinal + self.start)
        charge = Chargeable(code=ROOM, category=ROOM, amount=amount, night=night, room=self.room)
        charges = carve_inclusions(self.inclusions, self.stay, (charge,))
        empty = charge_taxes(self.book.taxes, (_emptied(charge),), self.stay, self.book.tax_rounding)
        full = charge_taxes(self.book.taxes, charges, self.stay, self.book.tax_rounding)
        return full.net - empty.net, full.tax - empty.tax, full.city_tax - empty.city_tax


@frozen
class ChargeShape:
    """Stays of one length and party, sold alike: what they come to beside the price of the nights."""

    constant: Charged
    classes: tuple[tuple[NightClass, ...], ...]


def has_shapes(book: PriceBook) -> bool:
    """Return whether the charges of a book do not touch each other, and do not depend on the date."""
    return (
        book.tax_rounding.scope is RoundingScope.PER_LINE
        and all(isinstance(fee.amount, int) and fee.valid is None for fee in book.fees)
        and all(each.valid is None for each in book.inclusions)
        and all(tax.valid is None for tax in book.taxes.taxes)
        and not any(tax.is_inclusive and not isinstance(tax.rate, Percent) for tax in book.taxes.taxes)
        and not (book.inclusions and any(not isinstance(tax.rate, Percent) for tax in book.taxes.taxes))
    )


def shape_of(
    book: PriceBook,
    inclusions: tuple[Inclusion, ...],
    stay: ChargedStay,
    extras: Iterable[str],
    keys: dict[object, int],
) -> ChargeShape:
    """Return the shape of a stay; ``keys`` numbers the sets of taxes that nights of the book bear.

    Raises:
        InvalidInputError: field ``extras``; a chosen code is no fee, or is not to be had in this stay.
    """
    nightly = [[0] * stay.stay.length for _ in stay.rooms]
    rooms = room_charges(stay.stay, nightly)
    fees = charge_fees(book.fees, tuple(extras), stay, rooms)
    result = charge_taxes(book.taxes, (*rooms, *fees), stay, book.tax_rounding)
    return ChargeShape(
        _charged(result),
        tuple(_classes(book, inclusions, stay, room, keys) for room in range(len(stay.rooms))),
    )


@frozen
class RateShape:
    """The same for houses whose taxes are rounded by rate: fees by category, and the taxes of all charges together."""

    fees: tuple[tuple[str, tuple[int, ...]], ...]
    shown: int
    taxes: PlainTaxes
    party: GuestParty

    def totals_of(self, amounts: Sequence[int]) -> NightTotals:
        """Return what a stay with these nightly amounts comes to, fees and flat taxes included."""
        return self.taxes.due(((ROOM, amounts), *self.fees), len(amounts), self.party)


def rate_shape_of(book: PriceBook, stay: ChargedStay, extras: Iterable[str]) -> RateShape | None:
    """Return the shape of a stay in one room whose taxes are rounded by rate; None where only the engine will do.

    Raises:
        InvalidInputError: field ``extras``; a chosen code is no fee, or is not to be had in this stay.
    """
    (party, *others) = stay.rooms
    if others or any(fee.valid or isinstance(fee.amount, Percent) for fee in book.fees):
        return None
    taxes = plain_taxes(book.taxes, book.tax_rounding, None, stay.channel)
    if taxes is None:
        return None
    fees = charge_fees(book.fees, tuple(extras), stay, ())
    by_category: dict[str, list[int]] = {}
    for fee in fees:
        by_category.setdefault(fee.category, []).append(fee.amount)
    grouped = tuple((category, tuple(amounts)) for category, amounts in by_category.items())
    return RateShape(grouped, sum(fee.amount for fee in fees), taxes, party)


def room_charges(stay: StayRange, nightly: Iterable[Iterable[int]]) -> list[Chargeable]:
    """Return the lines of the nights of all rooms."""
    nights = stay.nights()
    return [
        Chargeable(ROOM, ROOM, amount, night, at)
        for at, amounts in enumerate(nightly)
        for night, amount in zip(nights, amounts, strict=True)
    ]


def _classes(
    book: PriceBook, inclusions: tuple[Inclusion, ...], stay: ChargedStay, room: int, keys: dict[object, int]
) -> tuple[NightClass, ...]:
    """Return the runs of nights that bear the same taxes."""
    found: list[NightClass] = []
    before: object = None
    for at, night in enumerate(stay.stay.nights()):
        borne = tuple(tax.code for tax in book.taxes.taxes if is_charged_on(tax, night, stay))
        alike = (borne, inclusions, stay.rooms[room])
        if alike != before:
            # Drawn, not counted: two threads that count at once would give two sets of taxes the same number.
            key = keys.setdefault(alike, next(_NUMBERS))
            found.append(NightClass(key, book, inclusions, stay, room, at, stay.stay.length))
            if len(found) > 1:
                last = found[-2]
                found[-2] = NightClass(last.key, book, inclusions, stay, room, last.start, at)
            before = alike
    return tuple(found)


def _charged(result: TaxResult) -> Charged:
    return Charged(
        sum(line.charge.amount for line in result.charges), result.net, result.tax, result.city_tax
    )


def _emptied(charge: Chargeable) -> Chargeable:
    return Chargeable(
        code=charge.code, category=charge.category, amount=0, night=charge.night, room=charge.room
    )
