"""What a party makes of a plan's price.

Law: it is a straight line of the price, ``factor * price + addition``, both exact in millionths; so it can be worked
out once for a party and be used for every night.
"""

from __future__ import annotations

from attrs import frozen

from pmscore.kernel.percent import WHOLE, Percent
from pmscore.pricing.model.guests import GuestParty
from pmscore.pricing.model.occupancy import AgeBand, OccupancyTerms, PricedBy

__all__ = ["PartyCharge", "beds_of", "party_charge"]


@frozen
class PartyCharge:
    """``factor * price + addition``, both in millionths."""

    factor: int
    addition: int


def party_charge(terms: OccupancyTerms, party: GuestParty) -> PartyCharge:
    """Return what the party makes of a price."""
    bands = [terms.band_of(age) for age in party.ages]
    adults = party.adults + bands.count(None)
    children = [band for band in bands if band is not None]
    if terms.priced_by is PricedBy.PERSON:
        shares = [band.price.millionths for band in children if isinstance(band.price, Percent)]
        amounts = [band.price for band in children if isinstance(band.price, int)]
        return PartyCharge(adults * WHOLE + sum(shares), sum(amounts) * WHOLE)
    places = max(terms.included - adults, 0)
    addition = max(adults - terms.included, 0) * terms.extra_adult * WHOLE
    for band in children:
        if band.fills_place and places:
            places -= 1
        else:
            addition += _extra_child(band, terms.extra_adult)
    return PartyCharge(WHOLE, addition - places * terms.empty_place * WHOLE)


def beds_of(terms: OccupancyTerms, party: GuestParty) -> int:
    """Return how many beds the party needs; only children of a band that needs none go without."""
    bands = [terms.band_of(age) for age in party.ages]
    return party.adults + sum(band is None or band.needs_bed for band in bands)


def _extra_child(band: AgeBand, extra_adult: int) -> int:
    if isinstance(band.price, Percent):
        return extra_adult * band.price.millionths
    return band.price * WHOLE
