"""What a quote says to whoever books it, and to who has booked it.

Owns the way back from a quote to its request, its guests as booked rooms count them, and what it agreed on
for rooms that may have been changed since. Laws: a quote is offered alike when the same question gets the
same fingerprint; of a room that was never changed all is agreed that was quoted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from pmscore.booking.model.rooms import BookedRoom
from pmscore.inventory.model.party import Party
from pmscore.pricing.model.guests import GuestParty
from pmscore.pricing.model.occupancy import OccupancyTerms
from pmscore.pricing.model.quote import Quote
from pmscore.pricing.model.request import QuoteRequest
from pmscore.pricing.model.settlement import AgreedRoom
from pmscore.pricing.policies.agreeing import agreed_rooms
from pmscore.pricing.policies.occupancy import beds_of

__all__ = ["QuotedRoom", "agreed_of", "guests_of", "is_offered_alike", "quoted_rooms", "request_of"]


@frozen(kw_only=True)
class QuotedRoom:
    """A room as it was quoted; all amounts are minor units.

    ``nightly`` has the amounts that its booking took over, ``agreed`` what they come to with fees and taxes.
    ``fees_of_stay`` and ``taxes_of_stay`` belong to no night; in ``agreed`` they stand with the first one.
    """

    nightly: tuple[int, ...]
    agreed: AgreedRoom
    fees_of_stay: int = 0
    taxes_of_stay: int = 0


def quoted_rooms(quote: Quote) -> tuple[QuotedRoom, ...]:
    """Return the rooms of a quote, in the order in which they were booked."""
    charged = quote.charged
    fees, taxes = [0] * len(quote.parties), [0] * len(quote.parties)
    for line in charged.charges:
        if line.charge.night is None:
            fees[line.charge.room] += line.gross
    for tax in charged.taxes:
        if tax.night is None and not tax.is_inclusive:
            taxes[tax.room] += tax.amount
    return tuple(
        QuotedRoom(nightly=tuple(nightly), agreed=agreed, fees_of_stay=fee, taxes_of_stay=tax)
        for nightly, agreed, fee, tax in zip(
            quote.nightly, agreed_rooms(quote, charged), fees, taxes, strict=True
        )
    )


def agreed_of(room: BookedRoom, quoted: QuotedRoom | None) -> AgreedRoom:
    """Return what is agreed for a booked room: as quoted what was not changed, the rest as the booking has it.

    A night that the room still has at the amount it was booked at keeps the fees and taxes of that night. A
    night that is new, or has another amount, counts at the booking's amount alone: nobody has quoted what
    else it would bear. What is owed once a stay, a final cleaning for instance, stays owed and stands with
    the first night that the stay has now. ``quoted`` is None where nobody quoted the room; then its amounts
    are all that was agreed.
    """
    if quoted is None:
        return AgreedRoom(stay=room.stay, nightly=room.nightly)
    then = quoted.agreed
    if (then.stay, quoted.nightly) == (room.stay, room.nightly):
        return then
    fees, taxes = list(then.fees), list(then.taxes)
    if fees:
        fees[0] -= quoted.fees_of_stay
    if taxes:
        taxes[0] -= quoted.taxes_of_stay
    places = {night: at for at, night in enumerate(then.stay.nights())}
    kept = {
        now: places[night]
        for now, night in enumerate(room.stay.nights())
        if night in places and quoted.nightly[places[night]] == room.nightly[now]
    }
    return AgreedRoom(
        stay=room.stay,
        nightly=tuple(then.nightly[kept[at]] if at in kept else each for at, each in enumerate(room.nightly)),
        fees=_moved(fees, kept, room.stay.length, quoted.fees_of_stay),
        taxes=_moved(taxes, kept, room.stay.length, quoted.taxes_of_stay),
    )


def _moved(amounts: Sequence[int], kept: Mapping[int, int], length: int, of_stay: int) -> tuple[int, ...]:
    """Return the amounts of the nights that were kept at their new places, and what is owed once with the first."""
    moved = [amounts[kept[at]] if amounts and at in kept else 0 for at in range(length)]
    moved[0] += of_stay
    return tuple(moved)


def request_of(quote: Quote) -> QuoteRequest:
    """Return the request that the quote answers, for its own type and plan."""
    return QuoteRequest(
        stay=quote.stay,
        parties=quote.parties,
        unit_type_ids=(quote.unit_type_id,),
        plans=(quote.plan,),
        codes=quote.codes,
        extras=quote.extras,
        channel=quote.channel,
    )


def is_offered_alike(quote: Quote, anew: Quote) -> bool:
    """Return whether a quote would be made the same way again."""
    return quote.fingerprint == anew.fingerprint


def guests_of(party: GuestParty, terms: OccupancyTerms) -> Party:
    """Return the guests of a room by number: children without a bed of their own are infants."""
    beds = beds_of(terms, party)
    return Party(party.adults, beds - party.adults, party.count - beds)
