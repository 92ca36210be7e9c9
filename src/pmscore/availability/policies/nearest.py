"""The nearest stays that a type would take in place of a refused one.

Owns the order of the alternatives. The law: every stay that is named passes, and none that is nearer was
left out. Stock is sieved by masks first, so rules are evaluated only where there is room. How it works:
``docs/algorithms/availability.md``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from attrs import evolve

from pmscore.dates.nights import FIRST_DAY, LAST_DAY, MAX_NIGHTS, StayRange, day_of_ordinal
from pmscore.dates.ranges import DateRange
from pmscore.restrictions.model.book import RuleBook
from pmscore.restrictions.model.rules import StayQuestion
from pmscore.restrictions.policies.evaluation import violations_of

__all__ = ["FARTHEST", "MOST_LENGTHS", "MOST_SHIFTS", "nearest_stays", "nearest_window"]

FARTHEST: Final = 14
MOST_SHIFTS: Final = 3
MOST_LENGTHS: Final = 2

_FIRST: Final = FIRST_DAY.toordinal()
_LAST: Final = LAST_DAY.toordinal()


def nearest_window(stay: StayRange, turnover_nights: int) -> DateRange:
    """Return the nights that :func:`nearest_stays` may look at, within the calendar."""
    first = max(_FIRST, stay.first_ordinal - FARTHEST)
    end = min(_LAST, stay.end_ordinal + FARTHEST + turnover_nights)
    return DateRange(day_of_ordinal(first, field="start"), day_of_ordinal(end, field="end"))


def nearest_stays(
    rules: RuleBook,
    question: StayQuestion,
    sellable: Sequence[int],
    window: DateRange,
    *,
    rooms: int = 1,
    turnover_nights: int = 0,
) -> tuple[StayRange, ...]:
    """Return the nearest stays that keep to all rules and have room, at most five.

    First up to three of the same length with another arrival, up to 14 days away: the smallest shift first,
    the earlier one of two equal shifts. Then up to two of another length (up to 14 nights more or less) from
    the same arrival: the smallest difference first, the shorter one of two. ``sellable`` counts the rooms
    of each night of ``window``; nights outside of it are taken as full.
    """
    origin = window.first_ordinal
    room = sum(1 << at for at, count in enumerate(sellable) if count >= rooms)
    stay = question.stay
    shifted = _shifts(stay, _arrivals(room, stay.length + turnover_nights), origin)
    resized = _lengths(stay, _room_from(room, stay.first_ordinal - origin) - turnover_nights)

    def passing(stays: Iterator[StayRange]) -> Iterator[StayRange]:
        return (each for each in stays if not violations_of(rules, evolve(question, stay=each)))

    return (*islice(passing(shifted), MOST_SHIFTS), *islice(passing(resized), MOST_LENGTHS))


def _arrivals(room: int, length: int) -> int:
    """Return the first nights of all runs of ``length`` nights in ``room``, by doubling."""
    have = 1
    while have < length and room:
        step = min(have, length - have)
        room &= room >> step
        have += step
    return room


def _room_from(room: int, offset: int) -> int:
    """Return how many nights in a row have room from an offset on."""
    ahead = room >> offset
    return (~ahead & (ahead + 1)).bit_length() - 1


def _shifts(stay: StayRange, arrivals: int, origin: int) -> Iterator[StayRange]:
    first, length = stay.first_ordinal, stay.length
    for distance in range(1, FARTHEST + 1):
        for arrival in (first - distance, first + distance):
            if arrival >= origin and arrivals >> (arrival - origin) & 1:
                yield StayRange.of(day_of_ordinal(arrival, field="arrival"), length)


def _lengths(stay: StayRange, longest: int) -> Iterator[StayRange]:
    for difference in range(1, FARTHEST + 1):
        for length in (stay.length - difference, stay.length + difference):
            if 1 <= length <= min(longest, MAX_NIGHTS):
                yield StayRange.of(stay.arrival, length)
