"""Taking a booking one step through its life cycle.

Locks the booking, reads the house, moves status, nights, guest figures, uses of promotions and history in one
transaction.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from attrs import evolve, frozen

from pmscore.booking.model.booking import Booking
from pmscore.booking.model.cancellation import CancellationFee
from pmscore.booking.model.lifecycle import COUNTED, Act, Status, target_of
from pmscore.booking.policies.cancelling import fee_at_cancelling
from pmscore.booking.policies.guards import reason_against
from pmscore.booking.policies.quoted import quoted_rooms
from pmscore.booking.policies.transitions import stepped
from pmscore.booking.ports import QuotedBookingWork
from pmscore.booking.views import BookingReceipt
from pmscore.inventory.model.house import House
from pmscore.inventory.model.stock import StockChange
from pmscore.inventory.ports import ExpiredHolds, change_stock, claiming
from pmscore.kernel.errors import NightsTakenError, StaleVersionError, TransitionError
from pmscore.kernel.events import Command
from pmscore.kernel.ids import BookingId
from pmscore.kernel.once import commit_once, made_or_repeated
from pmscore.kernel.ports import Clock, UnitOfWork
from pmscore.kernel.text import checked_code
from pmscore.pricing.model.quote import Quote
from pmscore.pricing.policies.promotions import limited_promotions

__all__ = ["ChangeStatus", "change_status", "change_status_once"]

ResultT = TypeVar("ResultT")


@frozen(kw_only=True)
class ChangeStatus(Command):
    """Do ``act`` to a booking; ``reason`` is a code that the history keeps.

    ``expected_version`` is the version the asker has seen; None asks for no check.
    """

    booking_id: BookingId
    act: Act
    reason: str = "unstated"
    expected_version: int | None = None


def change_status(command: ChangeStatus, *, uow: UnitOfWork[QuotedBookingWork], clock: Clock) -> Booking:
    """Take the step and return the booking after it; cancelling twice changes nothing the second time.

    A cancelled booking keeps what that came to at its moment, with nothing captured, and so does the event.
    A reinstatement claims the nights anew, on the old units where they are free, else without. A booking uses the
    promotions of its quote as long as it counts among its guest's: ended without a stay it gives the use back, and a
    reinstatement takes it again.

    Raises:
        NotFoundError: no such booking in this agency.
        TransitionError: status or business date do not allow the act.
        StaleVersionError: the booking has another version than expected.
        RefusedError: a reinstatement finds a promotion used up.
        NightsTakenError: a reinstatement or undone check-out finds its nights taken.
    """

    def finish(work: QuotedBookingWork, after: Booking) -> Booking:
        work.commit()
        return after

    return _changed(command, uow, clock, finish)


def change_status_once(
    command: ChangeStatus, *, uow: UnitOfWork[QuotedBookingWork], clock: Clock
) -> BookingReceipt:
    """Take the step once under the command's key; a repetition gets the first receipt, whatever became of the booking.

    Raises:
        KeyReusedError: the idempotency key belongs to another request.
        PmsError: as for :func:`change_status`.
    """

    def finish(work: QuotedBookingWork, after: Booking) -> BookingReceipt:
        receipt = BookingReceipt.of(after)
        return commit_once(work, command, receipt, BookingReceipt.reply, BookingReceipt.from_reply)

    return made_or_repeated(
        command, uow, lambda: _changed(command, uow, clock, finish), BookingReceipt.from_reply
    )


def _changed(
    command: ChangeStatus,
    uow: UnitOfWork[QuotedBookingWork],
    clock: Clock,
    finish: Callable[[QuotedBookingWork, Booking], ResultT],
) -> ResultT:
    """Take the step; ``finish`` commits and returns what stands for the booking after it."""
    checked_code(command.reason, field="reason")
    now = clock.now()

    def attempt(expired: ExpiredHolds, *, keeps_units: bool = True) -> ResultT:
        with uow.begin(command) as work:
            before = work.bookings.get(command.booking_id)
            if command.expected_version not in (None, before.version):
                raise StaleVersionError(expected=command.expected_version, found=before.version)
            if command.act is Act.CANCEL and before.status is Status.CANCELLED:
                return finish(work, before)
            if not keeps_units:
                before = _without_units(before)
            house = work.houses.get(before.property_id)
            quote = _quote_at_stake(work, before, command.act)
            decision = stepped(
                before,
                command.act,
                today=house.property.business_date,
                now=now,
                reason=command.reason,
                fee=_fee(before, house, now, quote) if command.act is Act.CANCEL else None,
            )
            against = reason_against(before, command.act, house, now)
            if against is not None:
                raise TransitionError(command.act.value, before.status.value, against)
            after = decision.state
            work.bookings.save(after)
            work.record(*decision.events)
            work.guests.count(after.metrics_since(before))
            _move_uses(work, after, quote)
            change = StockChange(before.claims(), after.claims())
            if change.before != change.after:
                change_stock(work, change, now=now, expired=expired)
            return finish(work, after)

    try:
        return claiming(attempt)
    except NightsTakenError as error:
        only_units = bool(error.violations) and {each.code for each in error.violations} == {"unit_taken"}
        if command.act is not Act.REINSTATE or not only_units:
            raise
        return attempt(ExpiredHolds.RELEASE, keeps_units=False)


def _quote_at_stake(work: QuotedBookingWork, before: Booking, act: Act) -> Quote | None:
    """Return the quote that a booking was made from, if it stops or begins to count by ``act``."""
    target = target_of(before.status, act)
    if before.quote_id is None or (target in COUNTED) is (before.status in COUNTED):
        return None
    return work.quotes.read(before.quote_id).quote


def _fee(booking: Booking, house: House, now: datetime, quote: Quote | None) -> CancellationFee | None:
    return fee_at_cancelling(booking, house, now, () if quote is None else quoted_rooms(quote))


def _move_uses(work: QuotedBookingWork, after: Booking, quote: Quote | None) -> None:
    """Give back the uses of promotions, or take them again, where the booking stops or begins to count."""
    if quote is None:
        return
    for code, most in limited_promotions(quote, quote.source.book):
        if after.status in COUNTED:
            work.promotions.count(after.property_id, code, most=most)
        else:
            work.promotions.give_back(after.property_id, code)


def _without_units(booking: Booking) -> Booking:
    rooms = tuple(evolve(room, placements=(), is_locked=False) for room in booking.rooms)
    return evolve(booking, rooms=rooms)
