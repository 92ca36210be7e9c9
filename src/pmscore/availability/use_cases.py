"""Looking: for stays, at the calendar of counts, at what is occupied. Nothing is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from pmscore.availability.model import (
    Calendar,
    OccupiedRange,
    Offer,
    Refusal,
    SearchResult,
    StaySearch,
)
from pmscore.availability.policies.nearest import nearest_stays, nearest_window
from pmscore.availability.policies.search import (
    Candidate,
    Weighed,
    fits_party,
    offered,
    sellable_rooms,
    type_counts,
    types_asked,
    weighed,
)
from pmscore.availability.ports import AvailabilityReader
from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.ids import PropertyId, UnitId, UnitTypeId
from pmscore.kernel.ports import Clock

__all__ = ["calendar", "occupied_ranges", "search_stays"]

LONGEST_CALENDAR: Final = 1096


def search_stays(search: StaySearch, *, reader: AvailabilityReader, clock: Clock) -> SearchResult:
    """Return an offer or a refusal for every type that the search means.

    One read of counts for all types; one more of units for those that take the stay; one more of counts
    around the stay for those that refuse it.

    Raises:
        NotFoundError: no such property in this agency, or no such type in the properties searched.
        InvalidInputError: the turnover nights after the stay leave the calendar.
    """
    now = clock.now()
    houses = reader.houses(search.property_ids)
    rules = reader.rules([house.property.property_id for house in houses])
    candidates = types_asked(search, houses, rules, now)
    if not candidates:
        return SearchResult()
    nights = max((candidate.nights for candidate in candidates), key=lambda each: each.end)
    claimed = reader.claimed([each.type_id for each in candidates], nights, now)
    answers = [weighed(each, search, claimed.get(each.type_id)) for each in candidates]
    return SearchResult(
        _offers(search, [answer for answer in answers if not answer.reasons], reader, now),
        _refusals(search, [answer for answer in answers if answer.reasons], reader, now),
    )


def calendar(
    property_id: PropertyId,
    nights: DateRange,
    *,
    reader: AvailabilityReader,
    clock: Clock,
    unit_type_ids: Iterable[UnitTypeId] = (),
) -> Calendar:
    """Return the counts of a property's types (all where none is named) by night.

    Raises:
        NotFoundError: no such property in this agency, or no such type in it.
        InvalidInputError: more than 1,096 nights.
    """
    _check_length(nights)
    (house,) = reader.houses([property_id])
    named = [house.type_of(each) for each in unit_type_ids]
    types = sorted(named or house.types.values(), key=lambda each: (each.name, each.unit_type_id))
    claims = reader.claims_by_kind([each.unit_type_id for each in types], nights, clock.now())
    return Calendar(nights, type_counts(types, nights, claims))


def occupied_ranges(
    property_id: PropertyId, nights: DateRange, *, reader: AvailabilityReader, clock: Clock
) -> tuple[OccupiedRange, ...]:
    """Return what occupies the property on nights of the range, by first night, type and unit.

    Raises:
        NotFoundError: no such property in this agency.
        InvalidInputError: more than 1,096 nights.
    """
    _check_length(nights)
    return reader.occupied(property_id, nights, clock.now())


def _offers(
    search: StaySearch, fitting: list[Weighed], reader: AvailabilityReader, now: datetime
) -> tuple[Offer, ...]:
    wanted = {
        each.candidate.type_id: each.candidate.nights
        for each in fitting
        if each.candidate.house.has_units(each.candidate.type_id)
    }
    units: Mapping[UnitTypeId, tuple[UnitId, ...]] = reader.free_units(wanted, now) if wanted else {}
    return tuple(offered(each, search, units.get(each.candidate.type_id, ())) for each in fitting)


def _refusals(
    search: StaySearch, refused: list[Weighed], reader: AvailabilityReader, now: datetime
) -> tuple[Refusal, ...]:
    if not refused:
        return ()
    candidates = [each.candidate for each in refused]
    window = nearest_window(search.stay, max(each.unit_type.turnover_nights for each in candidates))
    claimed = reader.claimed([each.type_id for each in candidates], window, now)
    return tuple(
        Refusal(
            property_id=each.candidate.house.property.property_id,
            unit_type_id=each.candidate.type_id,
            stay=search.stay,
            violations=each.reasons,
            nearest=_nearest(each.candidate, search, window, claimed.get(each.candidate.type_id)),
        )
        for each in refused
    )


def _nearest(
    candidate: Candidate, search: StaySearch, window: DateRange, claimed: Sequence[int] | None
) -> tuple[StayRange, ...]:
    unit_type = candidate.unit_type
    if not fits_party(unit_type, search):
        return ()
    return nearest_stays(
        candidate.rules,
        candidate.question,
        sellable_rooms(unit_type, window, claimed),
        window,
        rooms=search.rooms,
        turnover_nights=unit_type.turnover_nights,
    )


def _check_length(nights: DateRange) -> None:
    if nights.length > LONGEST_CALENDAR:
        raise InvalidInputError("to", "too_long", nights=nights.length, most_nights=LONGEST_CALENDAR)
