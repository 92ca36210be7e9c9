"""Giving a booking another stay at the amounts that a preview shows.

Owns the order of the steps: prices are read and the amounts worked out first, on the booking as it was last
committed; then the change is made to that version of the booking or not at all, and the nights are judged in
its transaction. Leaves the amounts to ``previews`` and the change to ``amend``.
"""

from __future__ import annotations

from attrs import frozen

from pmscore.availability.ports import AvailabilityReader
from pmscore.booking.model.booking import Booking
from pmscore.booking.policies.repricing import RepricingBasis
from pmscore.booking.ports import QuotedBookingWork
from pmscore.booking.use_cases.amend import AmendBooking, RoomAmendment, amend_booking
from pmscore.booking.use_cases.previews import PreviewStay, StayPreview, preview_stay
from pmscore.dates.nights import StayRange
from pmscore.kernel.errors import InvalidInputError, PriceChangedError, StaleVersionError
from pmscore.kernel.events import Command
from pmscore.kernel.ids import BookingId
from pmscore.kernel.money import Money
from pmscore.kernel.ports import Clock, IdSource, UnitOfWork
from pmscore.pricing.ports import PriceReader

__all__ = ["ChangeStay", "change_stay"]


@frozen(kw_only=True)
class ChangeStay(Command):
    """Give all rooms of a booking another stay; ``basis`` says which nights are priced anew.

    ``expected_total`` is what the preview came to: the nights of all rooms. None takes whatever it comes to by now.
    ``expected_version`` is the version the asker has seen; None asks for no check. ``requests`` and ``notes`` are
    changed with it, None leaves them.
    """

    booking_id: BookingId
    stay: StayRange
    basis: RepricingBasis
    expected_total: Money | None = None
    expected_version: int | None = None
    requests: str | None = None
    notes: str | None = None
    overrides_rules: bool = False


def change_stay(
    command: ChangeStay,
    *,
    uow: UnitOfWork[QuotedBookingWork],
    availability: AvailabilityReader,
    prices: PriceReader,
    clock: Clock,
    ids: IdSource,
) -> Booking:
    """Make the change and return the booking after it; the history says on which basis it was priced.

    With ``AGREED`` every night that stays keeps its amount to the last unit, whatever the price list has become.

    Raises:
        NotFoundError: no such booking in this agency, or its plan is no longer sold.
        InvalidInputError: field ``booking_id``: it was made without a quote, or has other rooms than were
            quoted; field
            ``expected_total``, ``mixed_currencies``.
        PriceChangedError: it comes to something else than ``expected_total``; nothing was written.
        TransitionError: the booking has ended, or the arrival of a guest in house would change.
        RefusedError: there is no price for the stay, or it breaks rules of the house; carries all reasons.
        StaleVersionError: the booking has another version than expected, or was changed between price and change.
        NightsTakenError: the new nights are not free; the old ones are kept.
    """
    question = PreviewStay(
        request_id=command.request_id,
        agency_id=command.agency_id,
        actor_id=command.actor_id,
        property_ids=command.property_ids,
        booking_id=command.booking_id,
        stay=command.stay,
        basis=command.basis,
    )
    shown = preview_stay(question, uow=uow, availability=availability, prices=prices, clock=clock, ids=ids)
    if command.expected_version not in (None, shown.version):
        raise StaleVersionError(expected=command.expected_version, found=shown.version)
    _check_total(command, shown)
    change = AmendBooking(
        request_id=command.request_id,
        agency_id=command.agency_id,
        actor_id=command.actor_id,
        once=command.once,
        property_ids=command.property_ids,
        booking_id=command.booking_id,
        rooms=tuple(
            RoomAmendment(
                room_id=room_id,
                stay=found.stay,
                nightly=tuple(Money(each, shown.after.currency) for each in found.nightly),
            )
            for room_id, found in shown.rooms.items()
        ),
        requests=command.requests,
        notes=command.notes,
        overrides_rules=command.overrides_rules,
        expected_version=shown.version,
        basis=command.basis,
    )
    return amend_booking(change, uow=uow, clock=clock)


def _check_total(command: ChangeStay, shown: StayPreview) -> None:
    expected, found = command.expected_total, shown.after
    if expected is None or expected == found:
        return
    if expected.currency is not found.currency:
        raise InvalidInputError("expected_total", "mixed_currencies", expected=found.currency.code)
    raise PriceChangedError(
        old_minor=expected.minor,
        new_minor=found.minor,
        currency=found.currency.code,
        booking_id=str(command.booking_id),
    )
