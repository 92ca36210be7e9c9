"""Taking one step of the life cycle.

Law: the step is the table's; the booking changes by exactly its status, its version, the business dates that the act
sets or clears, and what a cancellation came to.
"""

from __future__ import annotations

from datetime import date, datetime

from attrs import evolve

from pmscore.booking.model.booking import Booking
from pmscore.booking.model.cancellation import CancellationFee
from pmscore.booking.model.events import BookingCancelled, BookingStatusChanged
from pmscore.booking.model.lifecycle import EVENT_KINDS, Act, target_of
from pmscore.kernel.events import Decision

__all__ = ["stepped"]


def stepped(
    booking: Booking,
    act: Act,
    *,
    today: date,
    now: datetime,
    reason: str,
    fee: CancellationFee | None = None,
) -> Decision[Booking]:
    """Return the booking after ``act`` on the business date ``today``, and the event of the step.

    ``fee`` is what a cancellation comes to; a reinstatement takes it back.

    Raises:
        TransitionError: the status does not allow the act.
    """
    target = target_of(booking.status, act)
    checked_in_on, checked_out_on = _business_dates(booking, act, today)
    after = evolve(
        booking,
        status=target,
        checked_in_on=checked_in_on,
        checked_out_on=checked_out_on,
        option_until=None if act is Act.CONFIRM or act is Act.REINSTATE else booking.option_until,
        cancellation=_fee_after(booking, act, fee),
        version=booking.version + 1,
    )
    event = BookingStatusChanged(
        kind=EVENT_KINDS[act],
        aggregate_id=booking.booking_id,
        version=after.version,
        property_id=booking.property_id,
        guest_id=booking.guest_id,
        from_status=booking.status.value,
        to_status=target.value,
        business_date=today,
        at=now,
        reason=reason,
    )
    if act is Act.CANCEL:
        return Decision(after, (_cancelled(event, after),))
    return Decision(after, (event,))


def _fee_after(booking: Booking, act: Act, fee: CancellationFee | None) -> CancellationFee | None:
    match act:
        case Act.CANCEL:
            return fee
        case Act.REINSTATE:
            return None
        case _:
            return booking.cancellation


def _cancelled(event: BookingStatusChanged, after: Booking) -> BookingCancelled:
    return BookingCancelled(
        aggregate_id=event.aggregate_id,
        version=event.version,
        property_id=event.property_id,
        guest_id=event.guest_id,
        from_status=event.from_status,
        to_status=event.to_status,
        business_date=event.business_date,
        at=event.at,
        reason=event.reason,
        currency=after.currency.code,
        cancellation=after.cancellation,
    )


def _business_dates(booking: Booking, act: Act, today: date) -> tuple[date | None, date | None]:
    match act:
        case Act.CHECK_IN:
            return today, None
        case Act.UNDO_CHECK_IN:
            return None, None
        case Act.CHECK_OUT:
            return booking.checked_in_on, today
        case Act.UNDO_CHECK_OUT:
            return booking.checked_in_on, None
        case _:
            return booking.checked_in_on, booking.checked_out_on
