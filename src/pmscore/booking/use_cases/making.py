"""What every way of making a booking has in common: holds taken up, all of it written.

Owns the writing of a drafted booking in one transaction. Leaves where its rooms and amounts come from to ``create``
and ``book_quote``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pmscore.booking.model.booking import Booking
from pmscore.booking.model.events import BookingCreated
from pmscore.booking.ports import BookingWork
from pmscore.booking.views import BookingReceipt
from pmscore.guests.model import Guest
from pmscore.inventory.model.holds import Hold, HoldStatus
from pmscore.inventory.model.stock import StockChange
from pmscore.inventory.ports import ExpiredHolds, change_stock
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Command
from pmscore.kernel.ids import GuestId
from pmscore.kernel.once import commit_once

__all__ = ["check_option", "take_up", "write_booking"]


def check_option(until: datetime | None, now: datetime) -> None:
    """Refuse an option that would end at once.

    Raises:
        InvalidInputError: field ``option_until``, reason ``in_the_past``.
    """
    if until is not None and until <= now:
        raise InvalidInputError("option_until", "in_the_past")


def take_up(work: BookingWork, holds: Sequence[Hold]) -> StockChange:
    """End holds that the booking follows; return the claims that they give up.

    Raises:
        TransitionError: one of them has come to an end before.
    """
    change = StockChange((), ())
    for hold in holds:
        decision = hold.ended(HoldStatus.TAKEN_UP)
        work.holds.save(decision.state)
        work.record(*decision.events)
        change = StockChange.releasing(*hold.claims()) + change
    return change


def write_booking(
    work: BookingWork,
    command: Command,
    booking: Booking,
    guest: GuestId | Guest,
    *,
    given_up: StockChange,
    now: datetime,
    expired: ExpiredHolds,
) -> BookingReceipt:
    """Write the booking with its claims, its guest's figures and its event, and commit once under the key."""
    change = given_up + StockChange.claiming(*booking.claims())
    if isinstance(guest, Guest):
        work.guests.add(guest)
        work.record(*guest.added().events)
    work.guests.count(booking.metrics_since(None))
    work.bookings.add(booking)
    work.record(BookingCreated(aggregate_id=booking.booking_id, version=1, booking=booking))
    change_stock(work, change, now=now, expired=expired)
    receipt = BookingReceipt.of(booking)
    return commit_once(work, command, receipt, BookingReceipt.reply, BookingReceipt.from_reply)
