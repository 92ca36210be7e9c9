"""Who a room is for, as numbers.

Owns the counting of guests; leaves age bands and prices by age to pricing.
"""

from __future__ import annotations

from attrs import frozen

from pmscore.kernel.errors import InvalidInputError

__all__ = ["Party"]

MOST_GUESTS = 100


@frozen
class Party:
    """Adults, children with a bed of their own, and infants without one; at least one adult."""

    adults: int
    children: int = 0
    infants: int = 0

    def __attrs_post_init__(self) -> None:
        if self.adults < 1:
            raise InvalidInputError("adults", "no_adult")
        if self.children < 0 or self.infants < 0:
            raise InvalidInputError("children", "negative")
        if self.adults + self.children + self.infants > MOST_GUESTS:
            raise InvalidInputError("adults", "out_of_range", most=MOST_GUESTS)

    @property
    def beds(self) -> int:
        """How many beds the party needs."""
        return self.adults + self.children
