"""Who a room is priced for: adults, children by their age at arrival, pets.

Owns ages; beds and the largest party of a type are inventory's.
"""

from __future__ import annotations

from typing import Final

from attrs import frozen

from pmscore.kernel.errors import InvalidInputError

__all__ = ["MOST_GUESTS", "OLDEST", "GuestParty"]

OLDEST: Final = 120
MOST_GUESTS: Final = 100
MOST_PETS: Final = 20


@frozen(kw_only=True, cache_hash=True)
class GuestParty:
    """The guests of one room. ``ages`` are those of its children, in full years on the day of arrival.

    The order of ages says nothing: equal parties are equal values.
    """

    adults: int
    ages: tuple[int, ...] = ()
    pets: int = 0

    def __attrs_post_init__(self) -> None:
        if self.adults < 1:
            raise InvalidInputError("adults", "no_adult")
        if any(not 0 <= age <= OLDEST for age in self.ages):
            raise InvalidInputError("ages", "out_of_range", least=0, most=OLDEST)
        if not 0 <= self.pets <= MOST_PETS:
            raise InvalidInputError("pets", "out_of_range", least=0, most=MOST_PETS)
        if self.count > MOST_GUESTS:
            raise InvalidInputError("adults", "out_of_range", most=MOST_GUESTS)
        object.__setattr__(self, "ages", tuple(sorted(self.ages, reverse=True)))

    @property
    def count(self) -> int:
        """How many people there are."""
        return self.adults + len(self.ages)
