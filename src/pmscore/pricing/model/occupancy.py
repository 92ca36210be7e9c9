"""How a price depends on who stays: for the unit with so many included, or for each person.

Owns the terms; what they do to an amount stands in ``policies.occupancy``.
"""

from __future__ import annotations

from enum import StrEnum
from itertools import pairwise

from attrs import frozen

from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.percent import WHOLE, Percent
from pmscore.pricing.model.changes import checked_amount
from pmscore.pricing.model.guests import MOST_GUESTS, OLDEST

__all__ = ["AgeBand", "OccupancyTerms", "PricedBy"]


class PricedBy(StrEnum):
    """What the plan's price is for; the values are persisted and never renamed."""

    UNIT = "unit"
    """The unit, with the included guests in it."""
    PERSON = "person"
    """One adult."""


@frozen(kw_only=True)
class AgeBand:
    """Children from ``from_age`` until the day before they are ``to_age``, and what each costs a night.

    ``price`` is an amount, or a share of what an adult pays in the same place: of the extra adult where the
    unit is priced, of the price where the person is. ``fills_place``: takes an included place while there is one, and
    pays only without. ``needs_bed``: counts for the largest party of the type.
    """

    from_age: int
    to_age: int
    price: Percent | int = 0
    fills_place: bool = True
    needs_bed: bool = True

    def __attrs_post_init__(self) -> None:
        if not 0 <= self.from_age <= OLDEST:
            raise InvalidInputError("from_age", "out_of_range", least=0, most=OLDEST)
        if not 0 <= self.to_age <= OLDEST + 1:
            raise InvalidInputError("to_age", "out_of_range", least=1, most=OLDEST + 1)
        if self.to_age <= self.from_age:
            raise InvalidInputError("to_age", "not_after_start")
        if not isinstance(self.price, Percent):
            checked_amount(self.price, field="price")
        elif not 0 <= self.price.millionths <= WHOLE:
            raise InvalidInputError("price", "not_a_share", value=self.price.plain())

    def __contains__(self, age: int) -> bool:
        return self.from_age <= age < self.to_age


@frozen(kw_only=True)
class OccupancyTerms:
    """What more or fewer guests than included cost, a night.

    Adults take the included places first, then children, the oldest first. An age in no band is an adult's.
    ``empty_place`` is taken off for each included place that nobody takes. Where each person is priced there are no
    places, so neither an extra adult nor an empty place has a price.
    """

    priced_by: PricedBy = PricedBy.UNIT
    included: int = 2
    extra_adult: int = 0
    empty_place: int = 0
    children: tuple[AgeBand, ...] = ()

    def __attrs_post_init__(self) -> None:
        if not 1 <= self.included <= MOST_GUESTS:
            raise InvalidInputError("included", "out_of_range", least=1, most=MOST_GUESTS)
        for name, amount in (("extra_adult", self.extra_adult), ("empty_place", self.empty_place)):
            checked_amount(amount, field=name)
            if amount and self.priced_by is PricedBy.PERSON:
                raise InvalidInputError(name, "no_places_by_person")
        bands = tuple(sorted(self.children, key=lambda band: band.from_age))
        for band, following in pairwise(bands):
            if following.from_age < band.to_age:
                raise InvalidInputError("children", "overlapping_bands", value=following.from_age)
        object.__setattr__(self, "children", bands)

    def band_of(self, age: int) -> AgeBand | None:
        """Return the band of a child, None where the age is priced as an adult's."""
        return next((band for band in self.children if age in band), None)
