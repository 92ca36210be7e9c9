"""What a change or a cancellation would cost, as JSON.

Owns names and shapes of the answers to questions about a booking. Amounts are text with their currency, dates and
instants are ISO 8601, ends are exclusive.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from pms_web.views import money_body
from pmscore.booking.policies.repricing import Repricing, RepricingBasis
from pmscore.booking.use_cases.previews import StayPreview
from pmscore.dates.nights import StayRange
from pmscore.kernel.currency import Currency
from pmscore.kernel.events import Json
from pmscore.kernel.ids import BookingId, BookingRoomId
from pmscore.kernel.money import Money
from pmscore.pricing.model.settlement import CancellationCharge, Deadline, FeeStep

__all__ = ["cancellation_body", "stay_body"]


def stay_body(
    booking_id: BookingId, stay: StayRange, basis: RepricingBasis, shown: StayPreview
) -> dict[str, Json]:
    """Return what a booking would cost with another stay."""
    return {
        "booking_id": str(booking_id),
        "version": shown.version,
        "arrival": stay.arrival.isoformat(),
        "departure": stay.departure.isoformat(),
        "basis": basis.value,
        "total_before": money_body(shown.before),
        "total_after": money_body(shown.after),
        "difference": money_body(shown.after - shown.before),
        "rooms": [_room(room_id, each, shown.after.currency) for room_id, each in shown.rooms.items()],
    }


def cancellation_body(booking_id: BookingId, charge: CancellationCharge | None) -> dict[str, Json]:
    """Return what cancelling comes to; ``charge`` is null where the booking was made without terms."""
    return {"booking_id": str(booking_id), "charge": None if charge is None else _charge(charge)}


def _room(room_id: BookingRoomId, found: Repricing, currency: Currency) -> dict[str, Json]:
    return {
        "room_id": str(room_id),
        "nightly": [money_body(Money(each, currency)) for each in found.nightly],
        "added": _nights(found.added, currency),
        "dropped": _nights(found.dropped, currency),
        "changed": [
            {
                "night": night.isoformat(),
                "before": money_body(Money(before, currency)),
                "after": money_body(Money(after, currency)),
            }
            for night, (before, after) in sorted(found.changed.items())
        ],
        "difference": money_body(Money(found.difference, currency)),
    }


def _nights(amounts: Mapping[date, int], currency: Currency) -> list[Json]:
    return [
        {"night": night.isoformat(), "amount": money_body(Money(amount, currency))}
        for night, amount in sorted(amounts.items())
    ]


def _charge(charge: CancellationCharge) -> dict[str, Json]:
    currency = charge.fee.currency
    return {
        "at": _instant(charge.at),
        "fee": money_body(charge.fee),
        "captured": money_body(charge.captured),
        "retained": money_body(charge.retained),
        "forfeited": money_body(charge.forfeited),
        "refund": money_body(charge.refund),
        "receivable": money_body(charge.receivable),
        "payer": charge.payer.value,
        "steps": [_step(each, currency) for each in charge.steps],
        "deadlines": [_deadline(each) for each in charge.deadlines],
    }


def _step(step: FeeStep, currency: Currency) -> dict[str, Json]:
    return {
        "rule": step.rule,
        "operand": step.operand,
        "before": money_body(Money(step.before, currency)),
        "after": money_body(Money(step.after, currency)),
        "rounding": step.rounding,
    }


def _deadline(deadline: Deadline) -> dict[str, Json]:
    return {
        "after_at": _instant(deadline.after_at),
        "until_at": _instant(deadline.until_at),
        "fee": money_body(deadline.fee),
    }


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
