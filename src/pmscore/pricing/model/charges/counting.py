"""What an amount is charged for, and who counts.

Owns the units of charging, the ages that count and the stay that is charged. Leaves the guests themselves to
``model.guests`` and prices by age to the rate plans.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Final

from attrs import frozen

from pmscore.dates.nights import StayRange
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.text import checked_code
from pmscore.pricing.model.guests import OLDEST, GuestParty

__all__ = ["EVERYBODY", "AgeLimit", "ChargedStay", "Per"]


class Per(StrEnum):
    """What an amount is charged once for; the values are persisted and never renamed."""

    NIGHT = "night"
    """Each night of each room."""
    PERSON = "person"
    """Each guest who counts, once a stay."""
    PERSON_NIGHT = "person_night"
    """Each guest who counts, each night."""
    STAY = "stay"
    """Each room's stay."""
    BOOKING = "booking"
    """Once, however many rooms are booked together."""
    PET = "pet"
    """Each pet, once a stay."""
    PET_NIGHT = "pet_night"
    """Each pet, each night."""

    @property
    def is_nightly(self) -> bool:
        """Whether it is charged night by night."""
        return self in _NIGHTLY

    @property
    def counts_people(self) -> bool:
        """Whether it depends on how many guests there are."""
        return self in _BY_PERSON


# Tuples, because members are then found by identity; the hash of an enum member is slow.
_NIGHTLY: Final = (Per.NIGHT, Per.PERSON_NIGHT, Per.PET_NIGHT)
_BY_PERSON: Final = (Per.PERSON, Per.PERSON_NIGHT)


@frozen(kw_only=True)
class AgeLimit:
    """Who counts: the adults or not, and of those whose age is known the ages in ``[from_age, to_age)``.

    Adults count as adults, whatever age they may have; a guest whose age is known counts by the age alone.
    "Guests under 13 are exempt" is ``AgeLimit(from_age=13)``.
    """

    counts_adults: bool = True
    from_age: int = 0
    to_age: int = OLDEST + 1

    def __attrs_post_init__(self) -> None:
        for name, age in (("from_age", self.from_age), ("to_age", self.to_age)):
            if type(age) is not int or not 0 <= age <= OLDEST + 1:
                raise InvalidInputError(name, "out_of_range", least=0, most=OLDEST + 1)
        if self.to_age < self.from_age:
            raise InvalidInputError("to_age", "before_from_age")
        if self.to_age == self.from_age and not self.counts_adults:
            raise InvalidInputError("to_age", "counts_nobody")

    def count(self, party: GuestParty) -> int:
        """Return how many of the party count."""
        known = sum(self.from_age <= age < self.to_age for age in party.ages)
        return known + (party.adults if self.counts_adults else 0)


EVERYBODY: Final = AgeLimit()


@frozen(kw_only=True)
class ChargedStay:
    """The stay that is charged: its nights, who sleeps in each of its rooms, and where it was sold.

    Rooms are counted from 0 in the order of ``rooms``; ``channel`` is None for a stay that the house sells
    itself.
    """

    stay: StayRange
    rooms: tuple[GuestParty, ...]
    channel: str | None = None

    def __attrs_post_init__(self) -> None:
        if not self.rooms:
            raise InvalidInputError("rooms", "empty")
        if self.channel is not None:
            checked_code(self.channel, field="channel")

    @property
    def arrival(self) -> date:
        """The day whose rules hold for what belongs to no night."""
        return self.stay.arrival
