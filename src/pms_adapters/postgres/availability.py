"""Counts, free units and occupied ranges, read from both layers of stock.

Owns the queries that search and calendar ask; each answers in one round trip with one row a type. Dates are
compared as dates, since operators on ranges do not reach an index under row-level security.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import LiteralString
from uuid import UUID

from sqlalchemy import Engine

from pms_adapters.postgres.digits import VERSIONS_TEXT, KnownUnits
from pms_adapters.postgres.houses import HouseMemory, KnownHouse, load_house
from pms_adapters.postgres.occupied import occupied_ranges
from pms_adapters.postgres.session import Row, Session, Statement
from pmscore.availability.model import OccupiedRange
from pmscore.availability.ports import AvailabilityReader
from pmscore.dates.ranges import DateRange
from pmscore.inventory.model.house import House
from pmscore.inventory.model.stock import ClaimKind
from pmscore.inventory.ports import MOST_STALE_ATTEMPTS
from pmscore.kernel.errors import NotFoundError, StaleHouseError
from pmscore.kernel.ids import AgencyId, PropertyId, UnitId, UnitTypeId
from pmscore.restrictions.model.book import RuleBook

__all__ = ["CLAIMED", "CLAIMS_BY_KIND", "FREE_UNITS", "PostgresAvailability", "claims_counted", "counting"]

_COUNTED: LiteralString = """\
  FROM (SELECT n.*, n.night - %s::date AS at FROM type_nights n
         WHERE n.agency_id = %s AND n.unit_type_id = ANY(%s) AND n.night >= %s AND n.night < %s
         ORDER BY n.unit_type_id, n.night) AS counted
 GROUP BY unit_type_id"""
CLAIMED: LiteralString = f"""\
SELECT unit_type_id, array_agg(at), array_agg(booked + held + blocked + out_of_order + buffer + allotted)
{_COUNTED}"""
# Most nights have bookings and little else: the other kinds come as the nights that have any.
CLAIMS_BY_KIND: LiteralString = f"""\
SELECT unit_type_id, array_agg(at) FILTER (WHERE booked > 0), array_agg(booked) FILTER (WHERE booked > 0),
       array_agg(at) FILTER (WHERE held > 0), array_agg(held) FILTER (WHERE held > 0),
       array_agg(at) FILTER (WHERE blocked > 0), array_agg(blocked) FILTER (WHERE blocked > 0),
       array_agg(at) FILTER (WHERE out_of_order > 0), array_agg(out_of_order) FILTER (WHERE out_of_order > 0),
       array_agg(at) FILTER (WHERE buffer > 0), array_agg(buffer) FILTER (WHERE buffer > 0),
       array_agg(at) FILTER (WHERE oversold > 0), array_agg(oversold) FILTER (WHERE oversold > 0),
       array_agg(at) FILTER (WHERE allotted > 0), array_agg(allotted) FILTER (WHERE allotted > 0)
{_COUNTED}"""
_EXPIRED: LiteralString = """\
SELECT unit_type_id, arrival, departure, turnover_nights FROM holds
 WHERE agency_id = %s AND unit_type_id = ANY(%s) AND status = 'active' AND expires_at <= %s
   AND arrival < %s AND departure + turnover_nights > %s"""
# One digit a unit, by id, of which versions of the houses it speaks, and whether some hold of these nights has
# expired. So occupied units come from an index alone; whose claims they are is asked where a hold has expired.
FREE_UNITS: LiteralString = f"""\
SELECT coalesce(string_agg(CASE WHEN u.unit_id IN (
         SELECT n.unit_id FROM unit_nights n WHERE n.agency_id = %s AND n.night >= %s AND n.night < %s)
       THEN '0' ELSE '1' END, '' ORDER BY u.unit_id), ''), ({VERSIONS_TEXT}),
       EXISTS (SELECT 1 FROM holds h WHERE h.agency_id = %s AND h.status = 'active' AND h.expires_at <= %s
                  AND h.departure + h.turnover_nights > %s AND h.arrival < %s)
  FROM units u WHERE u.agency_id = %s"""
_FREE_UNITS_OF_TYPES: LiteralString = f"{FREE_UNITS} AND u.unit_type_id = ANY(%s)"
_UNITS_BEHIND_EXPIRED: LiteralString = """\
WITH expired AS MATERIALIZED (
  SELECT hold_id, unit_id FROM holds WHERE agency_id = %s AND status = 'active' AND expires_at <= %s)
SELECT DISTINCT e.unit_id FROM expired e
 WHERE e.unit_id IS NOT NULL AND NOT EXISTS (
         SELECT 1 FROM unit_nights n
          WHERE n.agency_id = %s AND n.unit_id = e.unit_id AND n.night >= %s AND n.night < %s
            AND n.source_id NOT IN (SELECT hold_id FROM expired))"""
_VERSIONS: LiteralString = "SELECT property_id, version FROM properties WHERE agency_id = %s"

_KINDS = (
    ClaimKind.BOOKED,
    ClaimKind.HELD,
    ClaimKind.BLOCKED,
    ClaimKind.OUT_OF_ORDER,
    ClaimKind.BUFFER,
    ClaimKind.OVERSOLD,
    ClaimKind.ALLOTTED,
)


class PostgresAvailability(AvailabilityReader):
    """One agency's stock on PostgreSQL, as far as ``reach`` goes; see the port for what each method promises."""

    def __init__(
        self,
        engine: Engine,
        agency_id: AgencyId,
        memory: HouseMemory | None = None,
        *,
        reach: frozenset[PropertyId] | None = None,
    ) -> None:
        self._engine = engine
        self._agency_id = agency_id
        self._reach = reach
        self._memory = memory or HouseMemory()

    @property
    def source(self) -> str:
        """Where the answers come from, as readers say it that have a choice."""
        return "sql"

    def houses(self, property_ids: Iterable[PropertyId] = ()) -> tuple[House, ...]:
        return tuple(known.house for known in self._known(tuple(property_ids)))

    def rules(self, property_ids: Iterable[PropertyId]) -> Mapping[PropertyId, RuleBook]:
        wanted = tuple(property_ids)
        if not wanted:
            return {}
        every = {known.house.property.property_id: known.rules for known in self._known(())}
        return {property_id: every[property_id] for property_id in wanted if property_id in every}

    def claimed(
        self, unit_type_ids: Iterable[UnitTypeId], nights: DateRange, now: datetime
    ) -> Mapping[UnitTypeId, tuple[int, ...]]:
        rows, expired = self._counts(CLAIMED, list(unit_type_ids), nights, now)
        return claims_counted(rows, expired, nights)

    def claims_by_kind(
        self, unit_type_ids: Iterable[UnitTypeId], nights: DateRange, now: datetime
    ) -> Mapping[UnitTypeId, Mapping[ClaimKind, tuple[int, ...]]]:
        rows, expired = self._counts(CLAIMS_BY_KIND, list(unit_type_ids), nights, now)
        found: dict[UnitTypeId, dict[ClaimKind, list[int]]] = {}
        for type_id, *pairs in rows:
            found[_type_id(type_id)] = {
                kind: _by_night(offsets, counts, nights.length)
                for kind, offsets, counts in zip(_KINDS, pairs[::2], pairs[1::2], strict=True)
                if counts is not None
            }
        for type_id, held, buffered in _expired_nights(expired, nights):
            for offset in held:
                found[type_id][ClaimKind.HELD][offset] -= 1
            for offset in buffered:
                found[type_id][ClaimKind.BUFFER][offset] -= 1
        return {
            type_id: {kind: tuple(counts) for kind, counts in by_kind.items() if any(counts)}
            for type_id, by_kind in found.items()
        }

    def free_units(
        self, wanted: Mapping[UnitTypeId, DateRange], now: datetime
    ) -> Mapping[UnitTypeId, tuple[UnitId, ...]]:
        agency = self._agency_id
        types: defaultdict[DateRange, list[UnitTypeId]] = defaultdict(list)
        for type_id, nights in wanted.items():
            types[nights].append(type_id)
        found: dict[UnitTypeId, tuple[UnitId, ...]] = {}
        with Session(self._engine, agency) as session:
            for nights, type_ids in types.items():
                found.update(self._free(session, type_ids, nights, now))
        return found

    def _free(
        self, session: Session, wanted: list[UnitTypeId], nights: DateRange, now: datetime
    ) -> Mapping[UnitTypeId, tuple[UnitId, ...]]:
        """Return the free units of each wanted type that has any.

        Raises:
            StaleHouseError: the houses changed during each of several attempts.
        """
        agency = self._agency_id
        window = (agency, nights.start, nights.end)
        values = (*window, agency, agency, now, nights.start, nights.end, agency)
        known = self._memory.units(agency)
        for _ in range(MOST_STALE_ATTEMPTS):
            are_few = known is None or known.are_few(wanted)
            statement = (_FREE_UNITS_OF_TYPES, (*values, wanted)) if are_few else (FREE_UNITS, values)
            ((digits, versions, has_expired),) = session.read([statement])[0]
            if known is not None and known.versions == versions:
                flags = known.flags(str(digits), wanted if are_few else None)
                if has_expired:
                    behind = session.read([(_UNITS_BEHIND_EXPIRED, (agency, now, *window))])[0]
                    flags = known.with_free(flags, [UnitId(_uuid(row[0])) for row in behind])
                return known.free(wanted, flags)
            rows = session.read([(_VERSIONS, (agency,))])[0]
            known = KnownUnits.of(each.house for each in self._as_of(session, rows, ()))
            self._memory.keep_units(agency, known)
        raise StaleHouseError

    def occupied(
        self, property_id: PropertyId, nights: DateRange, now: datetime
    ) -> tuple[OccupiedRange, ...]:
        with Session(self._engine, self._agency_id, self._reach) as session:
            session.check_reach(property_id, "property", property_id)
            return occupied_ranges(session, property_id, nights, now)

    def _known(self, property_ids: tuple[PropertyId, ...]) -> tuple[KnownHouse, ...]:
        """Return the houses with their rules as they are now."""
        with Session(self._engine, self._agency_id, self._reach) as session:
            for property_id in property_ids:
                session.check_reach(property_id, "property", property_id)
            rows = session.read([(_VERSIONS, (self._agency_id,))])[0]
            if not property_ids:
                rows = [row for row in rows if session.reaches(PropertyId(_uuid(row[0])))]
            return self._as_of(session, rows, property_ids)

    def _as_of(
        self, session: Session, rows: list[Row], property_ids: tuple[PropertyId, ...]
    ) -> tuple[KnownHouse, ...]:
        """Return the houses at the versions in ``rows``; those that are remembered are not read again."""
        versions = {PropertyId(_uuid(key)): version for key, version in rows}
        found: list[KnownHouse] = []
        for property_id in property_ids or tuple(versions):
            if property_id not in versions:
                raise NotFoundError("property", property_id)
            known = self._memory.find(self._agency_id, property_id)
            if known is None or known.house.property.version != versions[property_id]:
                known = load_house(session, property_id)
                self._memory.keep(self._agency_id, known)
            found.append(known)
        return tuple(
            sorted(found, key=lambda each: (each.house.property.name, each.house.property.property_id))
        )

    def _counts(
        self, sql: LiteralString, type_ids: list[UnitTypeId], nights: DateRange, now: datetime
    ) -> tuple[list[Row], list[Row]]:
        with Session(self._engine, self._agency_id) as session:
            counts, expired = session.read(counting(self._agency_id, type_ids, nights, now, sql=sql))
        return counts, expired


def counting(
    agency_id: AgencyId,
    type_ids: list[UnitTypeId],
    nights: DateRange,
    now: datetime,
    *,
    sql: LiteralString = CLAIMED,
) -> tuple[Statement, Statement]:
    """Return the two questions that claims are counted by: the counters, and the holds in them that have expired."""
    return (
        (sql, (nights.start, agency_id, type_ids, nights.start, nights.end)),
        (_EXPIRED, (agency_id, type_ids, now, nights.end, nights.start)),
    )


def claims_counted(
    rows: list[Row], expired: list[Row], nights: DateRange
) -> Mapping[UnitTypeId, tuple[int, ...]]:
    """Return the claims of each type on each night, from the answers to both questions."""
    found: dict[UnitTypeId, list[int]] = {}
    for type_id, offsets, counts in rows:
        found[_type_id(type_id)] = _by_night(offsets, counts, nights.length)
    for type_id, held, buffered in _expired_nights(expired, nights):
        for offset in (*held, *buffered):
            found[type_id][offset] -= 1
    return {type_id: tuple(counts) for type_id, counts in found.items()}


def _by_night(offsets: object, counts: object, length: int) -> list[int]:
    """Return one count a night from those of the nights that have any, which come in order."""
    if not isinstance(offsets, list) or not isinstance(counts, list):
        raise TypeError(type(counts))
    if len(offsets) == length:
        return counts
    by_night = [0] * length
    for offset, count in zip(offsets, counts, strict=True):
        by_night[offset] = count
    return by_night


def _expired_nights(rows: list[Row], nights: DateRange) -> Iterable[tuple[UnitTypeId, range, range]]:
    """Yield, for each expired hold, its own and its turnover nights as offsets within the range."""
    for type_id, arrival, departure, turnover in rows:
        if not isinstance(arrival, date) or not isinstance(departure, date) or not isinstance(turnover, int):
            raise TypeError(type(arrival))
        start = nights.start.toordinal()
        first, end = arrival.toordinal() - start, departure.toordinal() - start
        length = nights.length
        held = range(max(first, 0), max(min(end, length), 0))
        buffered = range(min(max(end, 0), length), max(min(end + turnover, length), 0))
        yield _type_id(type_id), held, buffered


def _type_id(value: object) -> UnitTypeId:
    return UnitTypeId(_uuid(value))


def _uuid(value: object) -> UUID:
    if not isinstance(value, UUID):
        raise TypeError(type(value))
    return value
