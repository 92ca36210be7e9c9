"""A booking as the cancellation rules see it.

Law: what is owed is worked out from the terms and amounts that the booking was made with, never from today's. What
its quote agreed on beside the nights' amounts, and what of it a change of the booking leaves, says ``quoted``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from attrs import evolve

from pmscore.booking.model.booking import Booking
from pmscore.booking.model.cancellation import CancellationFee
from pmscore.booking.policies.quoted import QuotedRoom, agreed_of
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.house import House
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.ids import BookingRoomId
from pmscore.kernel.money import Money
from pmscore.pricing.model.settlement import CancellationCharge, Deadline, Payer, StayFacts
from pmscore.pricing.model.terms import Terms
from pmscore.pricing.policies.cancellation import cancellation_charge, no_show_charge, timeline

__all__ = ["cost_of_cancelling", "cost_of_no_show", "deadlines_of", "fee_at_cancelling", "terms_of"]


def terms_of(booking: Booking) -> Terms | None:
    """Return the terms that the booking was made on; None where it was made without any.

    Raises:
        InvalidInputError: the snapshot is none of ours; names the place in it.
    """
    return Terms.from_json(booking.terms) if booking.terms else None


def cost_of_cancelling(
    booking: Booking,
    house: House,
    at: datetime,
    *,
    captured: Money,
    removed: Mapping[BookingRoomId, DateRange | None] | None = None,
    quoted: Sequence[QuotedRoom] = (),
    payer: Payer = Payer.GUEST,
) -> CancellationCharge | None:
    """Return fee and refund if it is cancelled at ``at``; None where the booking has no terms.

    ``removed`` names the rooms that are given up, each with its nights (None: all); None is the whole booking.
    ``quoted`` has the rooms as they were quoted, in the order of the booking's, so that the fee is taken of fees and
    taxes, too; :func:`agreed_of` says what of it still counts where a room was changed since.

    Raises:
        NotFoundError: the booking has no such room.
        InvalidInputError: nights outside of the stay or in its middle; ``captured`` in another currency.
    """
    terms = terms_of(booking)
    if terms is None:
        return None
    return cancellation_charge(terms, _facts(booking, house, captured, removed, quoted, payer), at)


def fee_at_cancelling(
    booking: Booking, house: House, at: datetime, quoted: Sequence[QuotedRoom] = ()
) -> CancellationFee | None:
    """Return what cancelling the whole booking at ``at`` comes to with nothing captured, to be kept with it.

    None where the booking has no terms, or a snapshot that is none of ours, such as an import's: then nobody
    can say, and nobody is kept from cancelling for that.
    """
    try:
        charge = cost_of_cancelling(booking, house, at, captured=Money.zero(booking.currency), quoted=quoted)
    except InvalidInputError:
        return None
    return None if charge is None else CancellationFee.of(charge, at)


def cost_of_no_show(
    booking: Booking,
    house: House,
    *,
    captured: Money,
    quoted: Sequence[QuotedRoom] = (),
    payer: Payer = Payer.GUEST,
) -> CancellationCharge | None:
    """Return fee and refund if nobody arrives; None where the booking has no terms."""
    terms = terms_of(booking)
    if terms is None:
        return None
    return no_show_charge(terms, _facts(booking, house, captured, None, quoted, payer))


def deadlines_of(booking: Booking, house: House, quoted: Sequence[QuotedRoom] = ()) -> tuple[Deadline, ...]:
    """Return what cancelling the whole booking costs, from when on; nothing where it has no terms."""
    terms = terms_of(booking)
    if terms is None:
        return ()
    return timeline(terms, _facts(booking, house, Money.zero(booking.currency), None, quoted, Payer.GUEST))


def _facts(
    booking: Booking,
    house: House,
    captured: Money,
    removed: Mapping[BookingRoomId, DateRange | None] | None,
    quoted: Sequence[QuotedRoom],
    payer: Payer,
) -> StayFacts:
    for room_id in removed or ():
        booking.room(room_id)
    home = house.property
    rooms = tuple(
        evolve(
            agreed_of(room, quoted[at] if at < len(quoted) else None),
            removed=removed.get(room.room_id) if removed else None,
            is_kept=removed is not None and room.room_id not in removed,
        )
        for at, room in enumerate(booking.rooms)
    )
    return StayFacts(
        rooms=rooms,
        captured=captured,
        created_at=booking.created_at,
        zone=home.zone,
        check_in_at=home.check_in_at,
        payer=payer,
    )
