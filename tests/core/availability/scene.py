"""A small house and a reader that counts claims one by one; what the tests of search and board share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from attrs import Factory, frozen
from hypothesis import strategies as st

from pmscore.availability.model import Occupant, OccupiedRange
from pmscore.availability.ports import AvailabilityReader
from pmscore.dates.nights import StayRange
from pmscore.dates.ranges import DateRange
from pmscore.dates.zones import Zone
from pmscore.inventory.model.house import Capacity, House, Property, Unit, UnitType
from pmscore.inventory.model.stock import Claim, ClaimKind
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import NotFoundError
from pmscore.kernel.ids import HoldId, PropertyId, UnitId, UnitTypeId
from pmscore.restrictions.model.book import RuleBook

ORIGIN = date(2027, 3, 1)
NOW = datetime(2027, 2, 1, 12, tzinfo=UTC)
HOUSE = PropertyId(UUID(int=1))
POOL, ROOMS, HOME = (UnitTypeId(UUID(int=number)) for number in (11, 12, 13))
UNITS = tuple(UnitId(UUID(int=number)) for number in (21, 22, 23))
LODGE = UnitId(UUID(int=31))


def a_house(*types: UnitType, units: Iterable[Unit] = (), name: str = "Inn", number: int = 1) -> House:
    home = Property(
        property_id=PropertyId(UUID(int=number)),
        name=name,
        zone=Zone("Europe/Prague"),
        currency=Currency.of("CZK"),
        business_date=date(2027, 2, 1),
        check_in_at=time(15),
    )
    by_id = {each.unit_type_id: each for each in types}
    return House(property=home, types=by_id, units={unit.unit_id: unit for unit in units})


def a_type(unit_type_id: UnitTypeId = POOL, rooms: int = 2, **more: object) -> UnitType:
    named = {"name": f"type {unit_type_id.int}", "capacities": (Capacity(date(2020, 1, 1), rooms),), **more}
    return UnitType(unit_type_id=unit_type_id, **named)


def an_inn(overbooking: int = 0, turnover_nights: int = 0) -> House:
    """A pooled type, a type of three rooms, and a home that is a type of one unit."""
    return a_house(
        a_type(POOL, 2, overbooking=overbooking),
        a_type(ROOMS, 3, largest_party=3, turnover_nights=turnover_nights),
        a_type(HOME, 1, largest_party=6, turnover_nights=1),
        units=[
            *(Unit(unit_id=each, unit_type_id=ROOMS, name=f"10{at}") for at, each in enumerate(UNITS)),
            Unit(unit_id=LODGE, unit_type_id=HOME, name="Lodge"),
        ],
    )


@frozen
class CountingReader(AvailabilityReader):
    """Answers by walking over all claims; ``expiries`` says when the claims of a hold end."""

    shown: tuple[House, ...]
    claims: tuple[Claim, ...] = ()
    books: Mapping[PropertyId, RuleBook] = Factory(dict)
    expiries: Mapping[UUID, datetime] = Factory(dict)

    def houses(self, property_ids: Iterable[PropertyId] = ()) -> tuple[House, ...]:
        wanted = tuple(property_ids)
        found = {house.property.property_id: house for house in self.shown}
        for each in wanted:
            if each not in found:
                raise NotFoundError("property", each)
        return tuple(found[each] for each in wanted) if wanted else self.shown

    def rules(self, property_ids: Iterable[PropertyId]) -> Mapping[PropertyId, RuleBook]:
        return {each: self.books[each] for each in property_ids if each in self.books}

    def claims_by_kind(
        self, unit_type_ids: Iterable[UnitTypeId], nights: DateRange, now: datetime
    ) -> Mapping[UnitTypeId, Mapping[ClaimKind, tuple[int, ...]]]:
        wanted = set(unit_type_ids)
        live = [claim for claim in self._live(now) if claim.unit_type_id in wanted]
        return {
            type_id: {
                kind: tuple(
                    sum(
                        night in claim.nights
                        for claim in live
                        if (claim.unit_type_id, claim.kind) == (type_id, kind)
                    )
                    for night in nights.nights()
                )
                for kind in {claim.kind for claim in live if claim.unit_type_id == type_id}
            }
            for type_id in {claim.unit_type_id for claim in live}
        }

    def claimed(
        self, unit_type_ids: Iterable[UnitTypeId], nights: DateRange, now: datetime
    ) -> Mapping[UnitTypeId, tuple[int, ...]]:
        wanted = set(unit_type_ids)
        live = [claim for claim in self._live(now) if claim.kind is not ClaimKind.OVERSOLD]
        return {
            type_id: tuple(
                sum(night in claim.nights for claim in live if claim.unit_type_id == type_id)
                for night in nights.nights()
            )
            for type_id in {claim.unit_type_id for claim in live} & wanted
        }

    def free_units(
        self, wanted: Mapping[UnitTypeId, DateRange], now: datetime
    ) -> Mapping[UnitTypeId, tuple[UnitId, ...]]:
        live = tuple(self._live(now))
        return {
            type_id: tuple(
                unit.unit_id
                for house in self.shown
                for unit in house.units_of(type_id)
                if not any(claim.unit_id == unit.unit_id and claim.nights.overlaps(nights) for claim in live)
            )
            for type_id, nights in wanted.items()
        }

    def occupied(
        self, property_id: PropertyId, nights: DateRange, now: datetime
    ) -> tuple[OccupiedRange, ...]:
        self.houses([property_id])
        return tuple(
            OccupiedRange(
                kind=Occupant.HOLD,
                state=claim.kind,
                unit_type_id=claim.unit_type_id,
                unit_id=claim.unit_id,
                nights=claim.nights,
                hold_id=HoldId(claim.source_id),
            )
            for claim in self._live(now)
            if claim.nights.overlaps(nights)
        )

    def _live(self, now: datetime) -> Iterable[Claim]:
        return (
            each
            for each in self.claims
            if self.expiries.get(each.source_id, datetime.max.replace(tzinfo=UTC)) > now
        )


def a_claim(
    unit_type_id: UnitTypeId,
    start: int,
    length: int,
    unit_id: UnitId | None = None,
    kind: ClaimKind = ClaimKind.BOOKED,
    source: int = 500,
) -> Claim:
    nights = DateRange.of(ORIGIN + timedelta(start), length)
    return Claim(kind, UUID(int=source), unit_type_id, nights, unit_id)


def stays(days: int = 40, longest: int = 9) -> st.SearchStrategy[StayRange]:
    return st.builds(
        lambda at, length: StayRange.of(ORIGIN + timedelta(at), length),
        st.integers(0, days),
        st.integers(1, longest),
    )


@st.composite
def claim_lists(draw: st.DrawFn, days: int = 45) -> tuple[Claim, ...]:
    """Claims in which no unit is claimed twice on a night, as a store guarantees."""
    places = [(POOL, None), *((ROOMS, unit) for unit in UNITS), (ROOMS, None), (HOME, LODGE)]
    kinds = list(ClaimKind)
    kept: list[Claim] = []
    for number in range(draw(st.integers(0, 14))):
        type_id, unit_id = draw(st.sampled_from(places))
        kind = draw(st.sampled_from(kinds))
        claim = a_claim(
            type_id,
            draw(st.integers(0, days)),
            draw(st.integers(1, 9)),
            None if kind is ClaimKind.OVERSOLD else unit_id,
            kind,
            500 + number,
        )
        twice = any(each.unit_id == claim.unit_id and each.nights.overlaps(claim.nights) for each in kept)
        if claim.unit_id is None or not twice:
            kept.append(claim)
    return tuple(kept)
