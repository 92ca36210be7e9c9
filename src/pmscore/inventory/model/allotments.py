"""Allotments: rooms of a type that are kept for one channel, or the most that it may sell.

Owns what an allotment claims and how a sale through its channel moves that claim. Leaves who counts as a sale
to the channels, and the judgement to the stock ledger. Law: what is picked up and what is still kept never
come to more than was guaranteed, so a sale takes a room from the kept ones before it takes one from the
house.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import ClassVar

from attrs import evolve, frozen

from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.stock import Claim, ClaimKind
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Decision, Event
from pmscore.kernel.ids import AllotmentId, PropertyId, UnitTypeId
from pmscore.kernel.text import checked_code

__all__ = ["LONGEST_ALLOTMENT_NIGHTS", "MOST_GUARANTEED", "Allotment", "AllotmentChanged"]

LONGEST_ALLOTMENT_NIGHTS = 1096
MOST_GUARANTEED = 1_000
_MOST_RELEASE_DAYS = 1096


@frozen(kw_only=True)
class AllotmentChanged(Event):
    """An allotment was made, changed, sold from, released or ended."""

    aggregate: ClassVar[str] = "allotment"

    property_id: PropertyId
    unit_type_id: UnitTypeId
    channel: str
    first_night: date
    end: date


@frozen(kw_only=True)
class Allotment:
    """Rooms of a type for one channel, on each night of a range.

    ``guaranteed`` rooms are kept for it, and claim their nights until they are sold or released; ``cap`` is the most
    rooms that the channel may sell, None: as many as there are. ``sold`` has how many it has sold, a number a night.
    Nights are released ``release_days`` before they come, or all of them on ``release_on``; those before
    ``released_until`` are released already, and stay so.
    """

    allotment_id: AllotmentId
    property_id: PropertyId
    unit_type_id: UnitTypeId
    channel: str
    nights: DateRange
    guaranteed: int = 0
    cap: int | None = None
    release_days: int | None = None
    release_on: date | None = None
    sold: tuple[int, ...] = ()
    released_until: date | None = None
    version: int = 1

    def __attrs_post_init__(self) -> None:
        checked_code(self.channel, field="channel")
        if self.nights.length > LONGEST_ALLOTMENT_NIGHTS:
            raise InvalidInputError("end", "too_long", most_nights=LONGEST_ALLOTMENT_NIGHTS)
        if not 0 <= self.guaranteed <= MOST_GUARANTEED:
            raise InvalidInputError("guaranteed", "out_of_range", most=MOST_GUARANTEED)
        if self.cap is not None and not 0 <= self.cap <= MOST_GUARANTEED:
            raise InvalidInputError("cap", "out_of_range", most=MOST_GUARANTEED)
        if self.cap is not None and self.cap < self.guaranteed:
            raise InvalidInputError("cap", "below_guaranteed", least=self.guaranteed)
        if not self.guaranteed and self.cap is None:
            raise InvalidInputError("guaranteed", "neither_kept_nor_capped")
        if self.release_days is not None and not 0 <= self.release_days <= _MOST_RELEASE_DAYS:
            raise InvalidInputError("release_days", "out_of_range", most=_MOST_RELEASE_DAYS)
        if not self.sold:
            object.__setattr__(self, "sold", (0,) * self.nights.length)
        if len(self.sold) != self.nights.length or min(self.sold) < 0:
            raise InvalidInputError("sold", "not_one_a_night")

    def kept(self) -> tuple[int, ...]:
        """Return how many rooms are still kept, a number a night; these are what it claims."""
        released = self._released_nights(self.released_until)
        left = [max(self.guaranteed - sold, 0) for sold in self.sold]
        return (*(0,) * released, *left[released:])

    def room_to_sell(self) -> tuple[int | None, ...]:
        """Return how many more rooms the cap lets the channel sell, a number a night; None: no cap."""
        return tuple(None if self.cap is None else max(self.cap - sold, 0) for sold in self.sold)

    def claims(self) -> tuple[Claim, ...]:
        """Return what the allotment claims: a claim for each stretch of nights on which one more room is kept."""
        kept = self.kept()
        first = self.nights.first_ordinal
        return tuple(
            Claim(
                ClaimKind.ALLOTTED,
                self.allotment_id,
                self.unit_type_id,
                DateRange(date.fromordinal(first + start), date.fromordinal(first + end)),
            )
            for level in range(1, max(kept) + 1)
            for start, end in _stretches([each >= level for each in kept])
        )

    def made(self) -> Decision[Allotment]:
        """Return the new allotment with its event."""
        return Decision(self, (_event(self, "allotment.created"),))

    def changed(self, wanted: Allotment) -> Decision[Allotment]:
        """Return ``wanted`` as the next version, with what was sold on the nights that both have.

        Raises:
            InvalidInputError: it is of another property, type or channel.
        """
        for name in ("property_id", "unit_type_id", "channel"):
            if getattr(wanted, name) != getattr(self, name):
                raise InvalidInputError(name, "belongs_to_the_allotment")
        known = dict(zip(self.nights.nights(), self.sold, strict=True))
        sold = tuple(known.get(night, 0) for night in wanted.nights.nights())
        after = evolve(
            wanted,
            allotment_id=self.allotment_id,
            sold=sold,
            released_until=self.released_until,
            version=self.version + 1,
        )
        return Decision(after, (_event(after, "allotment.updated"),))

    def recounted(self, sold: Mapping[date, int]) -> Decision[Allotment]:
        """Return the allotment with what its channel has sold on some nights; other nights stay as they are."""
        counts = tuple(
            sold.get(night, before) for night, before in zip(self.nights.nights(), self.sold, strict=True)
        )
        if counts == self.sold:
            return Decision(self, ())
        after = evolve(self, sold=counts, version=self.version + 1)
        return Decision(after, (_event(after, "allotment.soldFrom"),))

    def picked(self, nights: DateRange, rooms: int = 1) -> Decision[Allotment]:
        """Return the allotment after its channel has sold rooms on these nights."""
        return self._moved(nights, rooms)

    def given_back(self, nights: DateRange, rooms: int = 1) -> Decision[Allotment]:
        """Return the allotment after its channel has given rooms back on these nights."""
        return self._moved(nights, -rooms)

    def released(self, today: date) -> Decision[Allotment]:
        """Return the allotment with the nights released that its rules release by ``today``, and those in the past."""
        until = max(today, self.released_until or today)
        if self.release_days is not None:
            until = max(until, today + timedelta(days=self.release_days))
        if self.release_on is not None and self.release_on <= today:
            until = max(until, self.nights.end)
        until = min(until, self.nights.end)
        if self._released_nights(until) == self._released_nights(self.released_until):
            return Decision(self, ())
        after = evolve(self, released_until=until, version=self.version + 1)
        return Decision(after, (_event(after, "allotment.released"),))

    def ended(self) -> Decision[Allotment]:
        """Return the allotment at its end with its event; whoever removes it gives up its claims."""
        after = evolve(self, version=self.version + 1)
        return Decision(after, (_event(after, "allotment.removed"),))

    def _moved(self, nights: DateRange, rooms: int) -> Decision[Allotment]:
        counts = zip(self.nights.nights(), self.sold, strict=True)
        return self.recounted({night: max(sold + rooms, 0) for night, sold in counts if night in nights})

    def _released_nights(self, until: date | None) -> int:
        if until is None:
            return 0
        return min(max(until.toordinal() - self.nights.first_ordinal, 0), self.nights.length)


def _event(allotment: Allotment, kind: str) -> AllotmentChanged:
    return AllotmentChanged(
        kind=kind,
        aggregate_id=allotment.allotment_id,
        version=allotment.version,
        property_id=allotment.property_id,
        unit_type_id=allotment.unit_type_id,
        channel=allotment.channel,
        first_night=allotment.nights.start,
        end=allotment.nights.end,
    )


def _stretches(wanted: list[bool]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    start: int | None = None
    for at, is_wanted in enumerate([*wanted, False]):
        if is_wanted and start is None:
            start = at
        elif not is_wanted and start is not None:
            found.append((start, at))
            start = None
    return found
