"""What a quote says to whoever books it.

Owns the way back from a quote to its request, and its guests as booked rooms count them. Law: a quote is offered alike
when the same question gets the same fingerprint.
"""

from __future__ import annotations

from pmscore.inventory.model.party import Party
from pmscore.pricing.model.guests import GuestParty
from pmscore.pricing.model.occupancy import OccupancyTerms
from pmscore.pricing.model.quote import Quote
from pmscore.pricing.model.request import QuoteRequest
from pmscore.pricing.policies.occupancy import beds_of

__all__ = ["guests_of", "is_offered_alike", "request_of"]


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
