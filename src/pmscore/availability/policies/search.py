"""Whether a type takes a stay, and every reason why it does not.

Owns the reasons that come from counts and from the size of the party; leaves stay rules to
:mod:`pmscore.restrictions` and alternatives to ``nearest``. The law: a type takes a stay if and only if there
is no reason against it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime

from attrs import frozen

from pmscore.availability.model import Offer, StaySearch, TypeNights
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.house import House, UnitType
from pmscore.inventory.model.stock import ClaimKind
from pmscore.kernel.errors import NotFoundError, Violation
from pmscore.kernel.ids import PropertyId, UnitId, UnitTypeId
from pmscore.restrictions.model.book import RuleBook
from pmscore.restrictions.model.rules import StayQuestion
from pmscore.restrictions.policies.evaluation import violation_order, violations_of

__all__ = [
    "Candidate",
    "Weighed",
    "capacities",
    "fits_party",
    "offered",
    "sellable_rooms",
    "type_counts",
    "types_asked",
    "weighed",
]


@frozen(kw_only=True)
class Candidate:
    """A type that a search asks about, with its house, the rules and the question that they answer.

    ``nights`` are those that the stay would claim: its own and the turnover nights after it.
    """

    house: House
    unit_type: UnitType
    rules: RuleBook
    question: StayQuestion
    nights: DateRange

    @property
    def type_id(self) -> UnitTypeId:
        """The id of the type."""
        return self.unit_type.unit_type_id


@frozen
class Weighed:
    """A type with the rooms left on each night that the stay would claim, and all reasons against it."""

    candidate: Candidate
    rooms: tuple[int, ...]
    reasons: tuple[Violation, ...]


def types_asked(
    search: StaySearch,
    houses: Iterable[House],
    rules: Mapping[PropertyId, RuleBook],
    asked_at: datetime,
) -> tuple[Candidate, ...]:
    """Return the types that the search means, by names of property and type.

    Raises:
        NotFoundError: none of the houses has a type that the search names.
        InvalidInputError: the turnover nights after the stay leave the calendar.
    """
    wanted = frozenset(search.unit_type_ids)
    claimed_nights: dict[int, DateRange] = {}
    found: list[Candidate] = []
    for house in houses:
        home = house.property
        book = rules.get(home.property_id, _NO_RULES)
        for unit_type in house.types.values():
            if wanted and unit_type.unit_type_id not in wanted:
                continue
            question = StayQuestion(
                stay=search.stay,
                unit_type_id=unit_type.unit_type_id,
                asked_at=asked_at,
                business_date=home.business_date,
                zone=home.zone,
                check_in_at=home.check_in_at,
                plan=search.plan,
                channel=search.channel,
            )
            turnover = unit_type.turnover_nights
            nights = claimed_nights.get(turnover)
            if nights is None:
                nights = DateRange.of(search.stay.arrival, search.stay.length + turnover)
                claimed_nights[turnover] = nights
            found.append(
                Candidate(house=house, unit_type=unit_type, rules=book, question=question, nights=nights)
            )
    missing = wanted.difference(each.type_id for each in found)
    if missing:
        raise NotFoundError("unit_type", min(missing))
    return tuple(sorted(found, key=_by_name))


def capacities(unit_type: UnitType, nights: DateRange) -> tuple[int, ...]:
    """Return how many rooms of a type there are on each night."""
    if len(unit_type.capacities) == 1 and unit_type.capacities[0].valid_from <= nights.start:
        return (unit_type.capacities[0].rooms,) * nights.length
    steps = [(max(each.valid_from, nights.start), each.rooms) for each in unit_type.capacities]
    counted: tuple[int, ...] = ()
    rooms = 0
    for valid_from, later_rooms in steps:
        until = min(valid_from, nights.end)
        counted += (rooms,) * ((until - nights.start).days - len(counted))
        rooms = later_rooms
    return counted + (rooms,) * (nights.length - len(counted))


def type_counts(
    types: Iterable[UnitType],
    nights: DateRange,
    claims: Mapping[UnitTypeId, Mapping[ClaimKind, tuple[int, ...]]],
) -> tuple[TypeNights, ...]:
    """Return the counts of types by night, from the claims on them; a type without any is free."""
    return tuple(
        TypeNights(
            unit_type_id=each.unit_type_id,
            nights=nights,
            capacity=capacities(each, nights),
            overbooking=each.overbooking,
            claims=claims.get(each.unit_type_id, {}),
        )
        for each in types
    )


def sellable_rooms(unit_type: UnitType, nights: DateRange, claimed: Sequence[int] | None) -> tuple[int, ...]:
    """Return how many rooms may still be sold on each night, given the claims (None where there are none)."""
    rooms = capacities(unit_type, nights)
    more = unit_type.overbooking
    if claimed is None:
        return tuple([count + more for count in rooms])
    left = [count + more - claims for count, claims in zip(rooms, claimed, strict=True)]
    return tuple(left) if min(left) >= 0 else tuple([max(0, each) for each in left])


def weighed(candidate: Candidate, search: StaySearch, claimed: Sequence[int] | None) -> Weighed:
    """Return the rooms left on each night that the stay would claim, and every reason against it.

    ``claimed`` counts the claims from the arrival on, at least until the end of ``candidate.nights``; None
    where there are none. The reasons, by date, code and level, are the stay rules' own and ``type_full`` (a
    night without enough rooms; the value is the type), ``turnover_taken`` (a night after the departure that
    has to stay empty and is claimed), ``party_too_large`` (the value is how many guests a room takes).
    """
    nights = candidate.nights
    counts = claimed[: nights.length] if claimed is not None else None
    rooms = sellable_rooms(candidate.unit_type, nights, counts)
    found = [*violations_of(candidate.rules, candidate.question)]
    if min(rooms) < search.rooms:
        found.extend(_full_nights(candidate, search.rooms, rooms))
    if not fits_party(candidate.unit_type, search):
        found.append(Violation("party_too_large", None, candidate.unit_type.largest_party, "type"))
    return Weighed(candidate, rooms, tuple(sorted(found, key=violation_order)) if found else ())


def fits_party(unit_type: UnitType, search: StaySearch) -> bool:
    """Return whether the rooms of a search have beds for its party."""
    return search.party.beds <= unit_type.largest_party * search.rooms


def offered(weighed: Weighed, search: StaySearch, free_units: tuple[UnitId, ...]) -> Offer:
    """Return the offer of a type that nothing speaks against."""
    house = weighed.candidate.house
    type_id = weighed.candidate.type_id
    return Offer(
        property_id=house.property.property_id,
        unit_type_id=type_id,
        stay=search.stay,
        free_rooms=min(weighed.rooms),
        free_units=free_units,
        needs_move=house.has_units(type_id) and len(free_units) < search.rooms,
    )


def _full_nights(candidate: Candidate, rooms: int, sellable: Sequence[int]) -> Iterator[Violation]:
    stay = candidate.question.stay
    first = stay.first_ordinal
    for offset, count in enumerate(sellable):
        if count < rooms:
            code = "type_full" if offset < stay.length else "turnover_taken"
            night = date.fromordinal(first + offset)
            yield Violation(code, night, str(candidate.type_id), "type")


def _by_name(candidate: Candidate) -> tuple[str, str, UnitTypeId]:
    return candidate.house.property.name, candidate.unit_type.name, candidate.type_id


_NO_RULES = RuleBook()
