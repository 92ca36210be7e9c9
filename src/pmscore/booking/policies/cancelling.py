"""A booking as the cancellation rules see it.

Law: what is owed is worked out from the terms and amounts that the booking was made with, never from today's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from pmscore.booking.model.booking import Booking
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.house import House
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Json
from pmscore.kernel.ids import BookingRoomId
from pmscore.kernel.money import Money
from pmscore.pricing.model.settlement import AgreedRoom, CancellationCharge, Deadline, Payer, StayFacts
from pmscore.pricing.model.terms import Terms
from pmscore.pricing.policies.cancellation import cancellation_charge, no_show_charge, timeline

__all__ = ["cost_of_cancelling", "cost_of_no_show", "deadlines_of", "terms_of"]


def terms_of(booking: Booking) -> Terms | None:
    """Return the terms that the booking was made on; None where it was made without any.

    Raises:
        InvalidInputError: the snapshot is none of ours; names the place in it.
    """
    kept = booking.terms.get("terms")
    if kept is None:
        return None
    if not isinstance(kept, dict):
        raise InvalidInputError("terms", "not_an_object")
    return Terms.from_json(kept)


def cost_of_cancelling(
    booking: Booking,
    house: House,
    at: datetime,
    *,
    captured: Money,
    removed: Mapping[BookingRoomId, DateRange | None] | None = None,
    payer: Payer = Payer.GUEST,
) -> CancellationCharge | None:
    """Return fee and refund if it is cancelled at ``at``; None where the booking has no terms.

    ``removed`` names the rooms that are given up, each with its nights (None: all); None is the whole booking.

    Raises:
        NotFoundError: the booking has no such room.
        InvalidInputError: nights outside of the stay or in its middle; ``captured`` in another currency.
    """
    terms = terms_of(booking)
    if terms is None:
        return None
    return cancellation_charge(terms, _facts(booking, house, captured, removed, payer), at)


def cost_of_no_show(
    booking: Booking, house: House, *, captured: Money, payer: Payer = Payer.GUEST
) -> CancellationCharge | None:
    """Return fee and refund if nobody arrives; None where the booking has no terms."""
    terms = terms_of(booking)
    if terms is None:
        return None
    return no_show_charge(terms, _facts(booking, house, captured, None, payer))


def deadlines_of(booking: Booking, house: House) -> tuple[Deadline, ...]:
    """Return what cancelling the whole booking costs, from when on; nothing where it has no terms."""
    terms = terms_of(booking)
    if terms is None:
        return ()
    return timeline(terms, _facts(booking, house, Money.zero(booking.currency), None, Payer.GUEST))


def _facts(
    booking: Booking,
    house: House,
    captured: Money,
    removed: Mapping[BookingRoomId, DateRange | None] | None,
    payer: Payer,
) -> StayFacts:
    for room_id in removed or ():
        booking.room(room_id)
    fees, taxes = _extras(booking.terms, "fees"), _extras(booking.terms, "taxes")
    rooms = tuple(
        AgreedRoom(
            stay=room.stay,
            nightly=room.nightly,
            fees=fees[at] if at < len(fees) else (),
            taxes=taxes[at] if at < len(taxes) else (),
            removed=removed.get(room.room_id) if removed else None,
            is_kept=removed is not None and room.room_id not in removed,
        )
        for at, room in enumerate(booking.rooms)
    )
    return StayFacts(
        rooms=rooms,
        captured=captured,
        created_at=booking.created_at,
        zone=house.property.zone,
        check_in_at=house.property.check_in_at,
        payer=payer,
    )


def _extras(terms: Mapping[str, Json], name: str) -> tuple[tuple[int, ...], ...]:
    """Return the amounts by room and night that the snapshot keeps beside the prices; none where it keeps none."""
    kept = terms.get(name)
    rooms: Collection[Json] = kept if isinstance(kept, list) else ()
    return tuple(
        tuple(amount for amount in nights if isinstance(amount, int))
        for nights in rooms
        if isinstance(nights, list)
    )
