"""Fees and inclusions of a stay become lines to be charged.

Owns how often each is charged and on which nights. Leaves their taxes to ``taxing``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from pmscore.dates.ranges import DateRange
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.money import Rounding, round_ratio
from pmscore.kernel.percent import WHOLE, Percent
from pmscore.pricing.model.charges.counting import AgeLimit, ChargedStay, Per
from pmscore.pricing.model.charges.fees import Fee, Inclusion
from pmscore.pricing.model.charges.lines import Chargeable
from pmscore.pricing.model.guests import GuestParty

__all__ = ["carve_inclusions", "charge_fees", "quantity_of", "share_of"]


def quantity_of(per: Per, counted: AgeLimit, party: GuestParty) -> int:
    """Return how often a unit is charged for one room: in each night if ``per`` is nightly, else in all."""
    if per.counts_people:
        return counted.count(party)
    if per in (Per.PET, Per.PET_NIGHT):
        return party.pets
    return 1


def share_of(amount: int, percent: Percent, mode: Rounding) -> int:
    """Return the percentage of an amount in whole minor units."""
    return round_ratio(amount * percent.millionths, WHOLE, mode)


def charge_fees(
    fees: Sequence[Fee],
    chosen: Collection[str],
    stay: ChargedStay,
    room_charges: Sequence[Chargeable],
    mode: Rounding = Rounding.HALF_UP,
) -> tuple[Chargeable, ...]:
    """Return the lines of all mandatory and all chosen fees: by code, then room, then night.

    ``room_charges`` are the prices of the nights, of which percentages are taken. Nobody to count for means
    no line.

    Raises:
        InvalidInputError: field ``extras``; a chosen code is no fee (``unknown_fee``), or is not to be had in
            this stay (``not_available``).
    """
    known = {fee.code for fee in fees}
    for code in chosen:
        if code not in known:
            raise InvalidInputError("extras", "unknown_fee", value=ascii(code[:64]))
    lines: list[Chargeable] = []
    met: set[str] = set()
    for fee in sorted(fees, key=lambda fee: fee.code):
        if not fee.is_mandatory and fee.code not in chosen:
            continue
        nights = _nights(fee.per, fee.valid, stay)
        if nights:
            met.add(fee.code)
            lines.extend(_fee_lines(fee, nights, stay, room_charges, mode))
    for code in sorted(chosen):
        if code not in met:
            raise InvalidInputError("extras", "not_available", value=code)
    return tuple(sorted(lines, key=lambda line: (line.code, line.room)))


def carve_inclusions(
    inclusions: Sequence[Inclusion],
    stay: ChargedStay,
    room_charges: Sequence[Chargeable],
    mode: Rounding = Rounding.HALF_UP,
) -> tuple[Chargeable, ...]:
    """Return the charges with what they include as lines of their own, each after the charge it was part of.

    The law: the sum stays what it was, night by night. Inclusions are taken in the order of their codes, none
    more than is left.
    """
    if not inclusions:
        return tuple(room_charges)
    ordered = sorted(inclusions, key=lambda each: each.code)
    lines: list[Chargeable] = []
    for charge in room_charges:
        left = charge.amount
        carved: list[Chargeable] = []
        for each in ordered:
            if charge.night is None or not (each.valid is None or charge.night in each.valid):
                continue
            count = quantity_of(each.per, each.counted, stay.rooms[charge.room])
            if isinstance(each.amount, Percent):
                count, wanted = charge.amount, share_of(charge.amount, each.amount, mode)
            else:
                wanted = count * each.amount
            amount = min(wanted, left)
            if amount:
                left -= amount
                carved.append(_line(each, amount, count, charge.night, charge.room))
        lines += [_reduced(charge, left) if carved else charge, *carved]
    return tuple(lines)


def _nights(per: Per, valid: DateRange | None, stay: ChargedStay) -> tuple[date | None, ...]:
    """Return the nights on which it is charged; None alone for what belongs to no night."""
    if not per.is_nightly:
        return (None,) if valid is None or stay.arrival in valid else ()
    nights = stay.stay.nights()
    return nights if valid is None else tuple(night for night in nights if night in valid)


def _fee_lines(
    fee: Fee,
    nights: Sequence[date | None],
    stay: ChargedStay,
    room_charges: Sequence[Chargeable],
    mode: Rounding,
) -> list[Chargeable]:
    """Return the lines of a fee on its nights, room by room."""
    lines: list[Chargeable] = []
    for room in range(1 if fee.per is Per.BOOKING else len(stay.rooms)):
        if isinstance(fee.amount, Percent):
            for night in nights:
                count = sum(
                    charge.amount
                    for charge in room_charges
                    if (charge.room == room or fee.per is Per.BOOKING)
                    and (night is None or charge.night == night)
                )
                if count:
                    lines.append(_line(fee, share_of(count, fee.amount, mode), count, night, room))
            continue
        count = quantity_of(fee.per, fee.counted, stay.rooms[room])
        if count:
            amount = count * fee.amount
            lines += [_line(fee, amount, count, night, room) for night in nights]
    return lines


def _line(of: Fee | Inclusion, amount: int, count: int, night: date | None, room: int) -> Chargeable:
    return Chargeable(of.code, of.category, amount, night, room, count, of.amount)


def _reduced(charge: Chargeable, amount: int) -> Chargeable:
    return Chargeable(
        code=charge.code,
        category=charge.category,
        amount=amount,
        night=charge.night,
        room=charge.room,
        quantity=charge.quantity,
        unit=charge.unit,
    )
