"""What a change or a cancellation would cost, as JSON.

Owns names and shapes of the answers to questions about a booking. Amounts are text with their currency, dates and
instants are ISO 8601, ends are exclusive.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, TypedDict

from pms_web.reply_parts import MoneyBody, money_part
from pms_web.wire import DateText, IdText, InstantText, OneOf
from pmscore.booking.policies.repricing import Repricing, RepricingBasis
from pmscore.booking.use_cases.previews import StayPreview
from pmscore.dates.nights import StayRange
from pmscore.kernel.currency import Currency
from pmscore.kernel.ids import BookingId, BookingRoomId
from pmscore.kernel.money import Money
from pmscore.pricing.model.settlement import CancellationCharge, Deadline, FeeStep, Payer

__all__ = ["CancellationPreviewBody", "StayPreviewBody", "cancellation_body", "stay_body"]


class NightAmountBody(TypedDict):
    """What one night costs."""

    night: DateText
    amount: MoneyBody


class ChangedNightBody(TypedDict):
    """A night that costs something else."""

    night: DateText
    before: MoneyBody
    after: MoneyBody


class RoomPreviewBody(TypedDict):
    """What a room would cost, and the nights that would be new, gone or of another amount."""

    room_id: IdText
    nightly: list[MoneyBody]
    added: list[NightAmountBody]
    dropped: list[NightAmountBody]
    changed: list[ChangedNightBody]
    difference: MoneyBody


class StayPreviewBody(TypedDict):
    """What a booking would cost with another stay."""

    booking_id: IdText
    version: int
    arrival: DateText
    departure: DateText
    basis: Annotated[str, OneOf(RepricingBasis)]
    total_before: MoneyBody
    total_after: MoneyBody
    difference: MoneyBody
    rooms: list[RoomPreviewBody]


class FeeStepBody(TypedDict):
    """One step on the way to a fee."""

    rule: str
    operand: str
    before: MoneyBody
    after: MoneyBody
    rounding: str | None


class DeadlineBody(TypedDict):
    """What cancelling costs between two moments; null is without end."""

    after_at: InstantText | None
    until_at: InstantText | None
    fee: MoneyBody


class ChargeBody(TypedDict):
    """Fee and refund, how the fee came about, and what other moments would cost."""

    at: InstantText | None
    fee: MoneyBody
    captured: MoneyBody
    retained: MoneyBody
    forfeited: MoneyBody
    refund: MoneyBody
    receivable: MoneyBody
    payer: Annotated[str, OneOf(Payer)]
    steps: list[FeeStepBody]
    deadlines: list[DeadlineBody]


class CancellationPreviewBody(TypedDict):
    """What cancelling comes to; the charge is null where the booking was made without terms."""

    booking_id: IdText
    charge: ChargeBody | None


def stay_body(
    booking_id: BookingId, stay: StayRange, basis: RepricingBasis, shown: StayPreview
) -> StayPreviewBody:
    """Return what a booking would cost with another stay."""
    return {
        "booking_id": str(booking_id),
        "version": shown.version,
        "arrival": stay.arrival.isoformat(),
        "departure": stay.departure.isoformat(),
        "basis": basis.value,
        "total_before": money_part(shown.before),
        "total_after": money_part(shown.after),
        "difference": money_part(shown.after - shown.before),
        "rooms": [_room(room_id, each, shown.after.currency) for room_id, each in shown.rooms.items()],
    }


def cancellation_body(booking_id: BookingId, charge: CancellationCharge | None) -> CancellationPreviewBody:
    """Return what cancelling comes to; ``charge`` is null where the booking was made without terms."""
    return {"booking_id": str(booking_id), "charge": None if charge is None else _charge(charge)}


def _room(room_id: BookingRoomId, found: Repricing, currency: Currency) -> RoomPreviewBody:
    return {
        "room_id": str(room_id),
        "nightly": [money_part(Money(each, currency)) for each in found.nightly],
        "added": _nights(found.added, currency),
        "dropped": _nights(found.dropped, currency),
        "changed": [
            {
                "night": night.isoformat(),
                "before": money_part(Money(before, currency)),
                "after": money_part(Money(after, currency)),
            }
            for night, (before, after) in sorted(found.changed.items())
        ],
        "difference": money_part(Money(found.difference, currency)),
    }


def _nights(amounts: Mapping[date, int], currency: Currency) -> list[NightAmountBody]:
    return [
        {"night": night.isoformat(), "amount": money_part(Money(amount, currency))}
        for night, amount in sorted(amounts.items())
    ]


def _charge(charge: CancellationCharge) -> ChargeBody:
    currency = charge.fee.currency
    return {
        "at": _instant(charge.at),
        "fee": money_part(charge.fee),
        "captured": money_part(charge.captured),
        "retained": money_part(charge.retained),
        "forfeited": money_part(charge.forfeited),
        "refund": money_part(charge.refund),
        "receivable": money_part(charge.receivable),
        "payer": charge.payer.value,
        "steps": [_step(each, currency) for each in charge.steps],
        "deadlines": [_deadline(each) for each in charge.deadlines],
    }


def _step(step: FeeStep, currency: Currency) -> FeeStepBody:
    return {
        "rule": step.rule,
        "operand": step.operand,
        "before": money_part(Money(step.before, currency)),
        "after": money_part(Money(step.after, currency)),
        "rounding": step.rounding,
    }


def _deadline(deadline: Deadline) -> DeadlineBody:
    return {
        "after_at": _instant(deadline.after_at),
        "until_at": _instant(deadline.until_at),
        "fee": money_part(deadline.fee),
    }


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
