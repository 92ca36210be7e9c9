"""Looking before leaping: what a change of stay, or a cancellation, would cost. Nothing is written.

Both work from what the booking was made with: the kept quote, its book of prices, its terms. Whether the new
nights are free, and whether the house lets them be stayed, is judged when the change is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from attrs import evolve, field, frozen

from pmscore.availability.ports import AvailabilityReader
from pmscore.booking.model.booking import Booking
from pmscore.booking.model.lifecycle import AMENDABLE, Act, target_of
from pmscore.booking.policies.cancelling import cost_of_cancelling
from pmscore.booking.policies.quoted import quoted_rooms, request_of
from pmscore.booking.policies.repricing import Repricing, RepricingBasis, repriced
from pmscore.booking.ports import QuotedBookingWork
from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.kernel.errors import InvalidInputError, RefusedError, TransitionError
from pmscore.kernel.events import Command
from pmscore.kernel.ids import BookingId, BookingRoomId, QuoteId
from pmscore.kernel.money import Money
from pmscore.kernel.ports import Clock, IdSource, UnitOfWork
from pmscore.pricing.model.quote import Quote
from pmscore.pricing.model.settlement import CancellationCharge
from pmscore.pricing.policies.occupied import occupied_percent
from pmscore.pricing.ports import PriceReader

__all__ = ["PreviewCancellation", "PreviewStay", "StayPreview", "preview_cancellation", "preview_stay"]


@frozen(kw_only=True)
class PreviewStay(Command):
    """Ask what a booking would cost with another stay; ``basis`` says which nights are priced anew."""

    booking_id: BookingId
    stay: StayRange
    basis: RepricingBasis = RepricingBasis.AGREED


@frozen(kw_only=True)
class PreviewCancellation(Command):
    """Ask what cancelling would cost, now or ``at`` another moment: the whole booking, or what ``removed`` names.

    ``captured`` is what has been paid so far; None: nothing.
    """

    booking_id: BookingId
    captured: Money | None = None
    at: datetime | None = None
    removed: Mapping[BookingRoomId, DateRange | None] | None = field(default=None)


@frozen(kw_only=True)
class StayPreview:
    """What the rooms of a booking would cost, each with its nights before and after, and in all.

    ``version`` is the booking's: the amounts are for the booking as it was then.
    """

    rooms: Mapping[BookingRoomId, Repricing]
    before: Money
    after: Money
    version: int


def preview_stay(
    query: PreviewStay,
    *,
    uow: UnitOfWork[QuotedBookingWork],
    availability: AvailabilityReader,
    prices: PriceReader,
    clock: Clock,
    ids: IdSource,
) -> StayPreview:
    """Return what the stay would cost, quoted with the plan, party and promotion codes of the booking's own quote.

    Raises:
        NotFoundError: no such booking in this agency, or its plan is no longer sold.
        InvalidInputError: field ``booking_id``, ``made_without_quote``: nobody knows its plan.
        TransitionError: the booking has ended, so its stay can no longer be changed.
        RefusedError: there is no price for the stay; carries all reasons.
    """
    booking, quote = _booked_quote(query, query.booking_id, uow)
    anew = evolve(request_of(quote), stay=query.stay)
    quoter = prices.quoter(quote.property_id)
    occupied = None
    if quoter.has_yield:
        (house,) = availability.houses([quote.property_id])
        nights = DateRange.from_stay(query.stay)
        claimed = availability.claimed([quote.unit_type_id], nights, clock.now())
        unit_type = house.type_of(quote.unit_type_id)
        occupied = occupied_percent(unit_type, query.stay, claimed.get(quote.unit_type_id))
    quote_id = QuoteId(ids.new())
    found = quoter.quote(
        anew, quote.unit_type_id, quote.plan, now=clock.now(), quote_id=quote_id, occupied=occupied
    )
    if not isinstance(found, Quote):
        raise RefusedError(found)
    rooms = {
        room.room_id: repriced(room, query.stay, amounts, query.basis)
        for room, amounts in zip(booking.rooms, found.nightly, strict=True)
    }
    after = sum(sum(each.nightly) for each in rooms.values())
    return StayPreview(
        rooms=rooms,
        before=booking.total,
        after=Money(after, booking.currency),
        version=booking.version,
    )


def preview_cancellation(
    query: PreviewCancellation, *, uow: UnitOfWork[QuotedBookingWork], clock: Clock
) -> CancellationCharge | None:
    """Return fee and refund; None where the booking was made without terms, so that nothing is owed.

    The fee is taken of what was agreed: the rooms' nights and, where the booking was made from a quote, the fees and
    taxes of that quote. What was changed since counts as :func:`~pmscore.booking.policies.quoted.agreed_of` says:
    agreed nights stay as agreed, changed ones are as the booking has them.

    Raises:
        NotFoundError: no such booking in this agency, or no such room in it.
        InvalidInputError: nights outside of the stay or in its middle; ``captured`` in another currency.
        TransitionError: the booking has ended, or the guest is in the house and all of it would be cancelled.
    """
    with uow.begin(query) as work:
        booking = work.bookings.read(query.booking_id)
        house = work.houses.get(booking.property_id)
        quote = None if booking.quote_id is None else work.quotes.read(booking.quote_id).quote
    if query.removed is None:
        target_of(booking.status, Act.CANCEL)
    elif booking.status not in AMENDABLE:
        raise TransitionError("amend", booking.status.value)
    captured = Money.zero(booking.currency) if query.captured is None else query.captured
    if captured.currency is not booking.currency:
        raise InvalidInputError("captured", "mixed_currencies", expected=booking.currency.code)
    return cost_of_cancelling(
        booking,
        house,
        query.at or clock.now(),
        captured=captured,
        removed=query.removed,
        quoted=() if quote is None else quoted_rooms(quote),
    )


def _booked_quote(
    query: Command, booking_id: BookingId, uow: UnitOfWork[QuotedBookingWork]
) -> tuple[Booking, Quote]:
    with uow.begin(query) as work:
        booking = work.bookings.read(booking_id)
        if booking.status not in AMENDABLE:
            raise TransitionError("amend", booking.status.value)
        if booking.quote_id is None:
            raise InvalidInputError("booking_id", "made_without_quote")
        quote = work.quotes.read(booking.quote_id).quote
    if len(quote.parties) != len(booking.rooms):
        raise InvalidInputError("booking_id", "rooms_unlike_quote", rooms=len(booking.rooms))
    return booking, quote
