"""Properties, types, units and stay rules: read whole, remembered by version, saved under a lock.

Owns the memory of houses. A house is remembered by the process until somebody raises its version; whoever
writes on a remembered one proves the version in the same transaction.
"""

from __future__ import annotations

import json
from datetime import date, time
from threading import Lock
from typing import LiteralString
from uuid import UUID

from attrs import frozen

from pms_adapters.postgres.session import Session, Statement, house_lock
from pms_adapters.postgres.writes import Expectation, WriteSet
from pmscore.dates.ranges import DateRange
from pmscore.dates.zones import Zone
from pmscore.inventory.model.house import Capacity, House, Property, Unit, UnitType
from pmscore.inventory.ports import HouseRepository
from pmscore.kernel.errors import NotFoundError, StaleHouseError
from pmscore.kernel.ids import AgencyId, PropertyId, UnitId, UnitTypeId
from pmscore.kernel.currency import Currency
from pmscore.restrictions.model.book import RuleBook
from pmscore.restrictions.model.rules import Rule, RuleValue
from pmscore.restrictions.ports import RestrictionRepository

__all__ = ["HouseMemory", "KnownHouse", "PostgresHouses", "PostgresRestrictions", "load_house"]

_PROPERTY: LiteralString = """\
SELECT name, zone, currency, address, business_date, check_in_at, check_out_at, version
  FROM properties WHERE agency_id = %s AND property_id = %s"""
_TYPES: LiteralString = """\
SELECT t.unit_type_id, t.name, t.largest_party, t.overbooking, t.turnover_nights,
       array_agg(k.valid_from ORDER BY k.valid_from), array_agg(k.rooms ORDER BY k.valid_from)
  FROM unit_types t JOIN unit_type_capacities k USING (agency_id, unit_type_id)
 WHERE t.agency_id = %s AND t.property_id = %s
 GROUP BY t.agency_id, t.unit_type_id ORDER BY t.name"""
_UNITS: LiteralString = """\
SELECT u.unit_id, u.unit_type_id, u.name FROM units u JOIN unit_types t USING (agency_id, unit_type_id)
 WHERE t.agency_id = %s AND t.property_id = %s"""
_RULES: LiteralString = """\
SELECT kind, first_night, end_date, weekdays, value, unit_type_id, plan, channel
  FROM stay_rules WHERE agency_id = %s AND property_id = %s ORDER BY position"""
_VERSION: LiteralString = "SELECT version FROM properties WHERE agency_id = %s AND property_id = %s"


@frozen
class KnownHouse:
    """A house and its stay rules at one version."""

    house: House
    rules: RuleBook


class HouseMemory:
    """The houses that this process has read; safe to share between threads."""

    def __init__(self) -> None:
        self._known: dict[tuple[AgencyId, PropertyId], KnownHouse] = {}
        self._lock = Lock()

    def find(self, agency_id: AgencyId, property_id: PropertyId) -> KnownHouse | None:
        """Return the remembered house, if there is one."""
        return self._known.get((agency_id, property_id))

    def keep(self, agency_id: AgencyId, known: KnownHouse) -> None:
        """Remember a house, unless a later version is remembered already."""
        key = (agency_id, known.house.property.property_id)
        with self._lock:
            other = self._known.get(key)
            if other is None or other.house.property.version <= known.house.property.version:
                self._known[key] = known

    def forget(self, agency_id: AgencyId, property_id: PropertyId) -> None:
        """Forget a house that has changed."""
        with self._lock:
            self._known.pop((agency_id, property_id), None)


def load_house(session: Session, property_id: PropertyId) -> KnownHouse:
    """Read a house and its rules as they are now, in one round trip.

    The version is read first: what is read after it is at least as new, so a version that still holds at
    the commit vouches for all of it.

    Raises:
        NotFoundError: no such property in this agency.
    """
    keys = (session.agency_id, property_id)
    found, types, units, rules = session.run([(sql, keys) for sql in (_PROPERTY, _TYPES, _UNITS, _RULES)])
    if not found:
        raise NotFoundError("property", property_id)
    loaded_types = [_unit_type(*row) for row in types]  # type: ignore[arg-type]
    loaded_units = [_unit(*row) for row in units]  # type: ignore[arg-type]
    house = House(
        property=_property(property_id, *found[0]),  # type: ignore[arg-type]
        types={each.unit_type_id: each for each in loaded_types},
        units={each.unit_id: each for each in loaded_units},
    )
    return KnownHouse(house, RuleBook(tuple(_rule(*row) for row in rules)))  # type: ignore[arg-type]


class PostgresHouses(HouseRepository):
    """Houses on PostgreSQL; see the port for what each method promises."""

    def __init__(self, session: Session, writes: WriteSet, memory: HouseMemory) -> None:
        self._session = session
        self._writes = writes
        self._memory = memory
        self._read: dict[PropertyId, KnownHouse] = {}
        self.locked: set[PropertyId] = set()

    @property
    def relied_on(self) -> dict[PropertyId, int]:
        """The versions of the houses that this transaction has worked from."""
        return {key: known.house.property.version for key, known in self._read.items()}

    def known(self, property_id: PropertyId) -> KnownHouse:
        """Return the house with its rules, the same throughout the transaction."""
        known = self._read.get(property_id)
        if known is None:
            known = self._memory.find(self._session.agency_id, property_id)
            if known is None:
                known = load_house(self._session, property_id)
                self._memory.keep(self._session.agency_id, known)
            self._read[property_id] = known
        return known

    def get(self, property_id: PropertyId) -> House:
        return self.known(property_id).house

    def lock(self, property_id: PropertyId) -> House:
        number = house_lock(self._session.agency_id, property_id)
        self._session.rows("SELECT pg_advisory_xact_lock(%s)", number)
        self.locked.add(property_id)
        known = load_house(self._session, property_id)
        self._read[property_id] = known
        return known.house

    def add(self, house: House) -> None:
        self._write(_insert_property(self._session.agency_id, house.property))
        for unit_type in house.types.values():
            property_id = house.property.property_id
            for statement in _upsert_type(self._session.agency_id, property_id, unit_type):
                self._write(statement)
        for unit in house.units.values():
            self._write(_upsert_unit(self._session.agency_id, unit))

    def save(self, house: House) -> None:
        before = self._read[house.property.property_id].house
        agency_id = self._session.agency_id
        self._write(_update_property(agency_id, house.property))
        for unit_type in house.types.values():
            if before.types.get(unit_type.unit_type_id) != unit_type:
                for statement in _upsert_type(agency_id, house.property.property_id, unit_type):
                    self._write(statement)
                self._write(_recount(agency_id, unit_type, house.property.business_date))
        for unit in house.units.values():
            if before.units.get(unit.unit_id) != unit:
                self._write(_upsert_unit(agency_id, unit))

    def refuse_if_stale(self) -> None:
        """Check, after a refusal, that it was decided on houses as they are.

        Raises:
            StaleHouseError: one of them has changed; it is forgotten.
        """
        for property_id, version in self.relied_on.items():
            rows = self._session.rows(_VERSION, self._session.agency_id, property_id)
            if rows != [(version,)]:
                raise self.stale(property_id)

    def stale(self, property_id: PropertyId) -> StaleHouseError:
        """Forget a house, and return the error that says so."""
        self._memory.forget(self._session.agency_id, property_id)
        return StaleHouseError(property_id=str(property_id))

    def forget_all(self) -> None:
        """Forget every house that this transaction has worked from."""
        for property_id in self._read:
            self._memory.forget(self._session.agency_id, property_id)

    def _write(self, statement: Statement) -> None:
        self._writes.aggregates.append(Expectation(statement, -1, NotFoundError("property", "")))


class PostgresRestrictions(RestrictionRepository):
    """Stay rules on PostgreSQL, read and remembered with their house."""

    def __init__(self, session: Session, writes: WriteSet, houses: PostgresHouses) -> None:
        self._session = session
        self._writes = writes
        self._houses = houses

    def get(self, property_id: PropertyId) -> RuleBook:
        return self._houses.known(property_id).rules

    def save(self, property_id: PropertyId, book: RuleBook) -> None:
        rows = [
            {
                "position": position,
                "kind": rule.kind,
                "first_night": rule.nights.start.isoformat(),
                "end_date": rule.nights.end.isoformat(),
                "weekdays": rule.weekdays,
                "value": list(rule.value) if isinstance(rule.value, tuple) else rule.value,
                "unit_type_id": None if rule.unit_type_id is None else str(rule.unit_type_id),
                "plan": rule.plan,
                "channel": rule.channel,
            }
            for position, rule in enumerate(book.rules)
        ]
        keys = (self._session.agency_id, property_id)
        for statement in (
            ("DELETE FROM stay_rules WHERE agency_id = %s AND property_id = %s", keys),
            (_INSERT_RULES, (*keys, json.dumps(rows))),
        ):
            self._writes.aggregates.append(Expectation(statement, -1, NotFoundError("property", "")))


_INSERT_RULES: LiteralString = """\
INSERT INTO stay_rules (agency_id, property_id, position, kind, first_night, end_date, weekdays, value,
                        unit_type_id, plan, channel)
SELECT %s, %s, r.position, r.kind, r.first_night, r.end_date, r.weekdays, r.value, r.unit_type_id, r.plan,
       r.channel
  FROM jsonb_to_recordset(%s::jsonb) AS r(position int, kind text, first_night date, end_date date,
         weekdays int, value jsonb, unit_type_id uuid, plan text, channel text)"""


def _insert_property(agency_id: AgencyId, home: Property) -> Statement:
    return (
        "INSERT INTO properties (agency_id, property_id, name, zone, currency, address, business_date,"
        " check_in_at, check_out_at, version) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (agency_id, home.property_id, home.name, home.zone.name, home.currency.code, home.address,
         home.business_date, home.check_in_at, home.check_out_at, home.version),
    )  # fmt: skip


def _update_property(agency_id: AgencyId, home: Property) -> Statement:
    return (
        "UPDATE properties SET name = %s, zone = %s, address = %s, business_date = %s, check_in_at = %s,"
        " check_out_at = %s, version = %s WHERE agency_id = %s AND property_id = %s",
        (home.name, home.zone.name, home.address, home.business_date, home.check_in_at, home.check_out_at,
         home.version, agency_id, home.property_id),
    )  # fmt: skip


def _upsert_type(agency_id: AgencyId, property_id: PropertyId, unit_type: UnitType) -> list[Statement]:
    capacities = json.dumps(
        [{"valid_from": each.valid_from.isoformat(), "rooms": each.rooms} for each in unit_type.capacities]
    )
    keys = (agency_id, unit_type.unit_type_id)
    return [
        (
            "INSERT INTO unit_types (agency_id, unit_type_id, property_id, name, largest_party, overbooking,"
            " turnover_nights) VALUES (%s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (agency_id, unit_type_id) DO UPDATE SET name = excluded.name,"
            " largest_party = excluded.largest_party, overbooking = excluded.overbooking,"
            " turnover_nights = excluded.turnover_nights",
            (*keys, property_id, unit_type.name, unit_type.largest_party, unit_type.overbooking,
             unit_type.turnover_nights),
        ),
        ("DELETE FROM unit_type_capacities WHERE agency_id = %s AND unit_type_id = %s", keys),
        (
            "INSERT INTO unit_type_capacities (agency_id, unit_type_id, valid_from, rooms)"
            " SELECT %s, %s, k.valid_from, k.rooms"
            " FROM jsonb_to_recordset(%s::jsonb) AS k(valid_from date, rooms int)",
            (*keys, capacities),
        ),
    ]  # fmt: skip


def _recount(agency_id: AgencyId, unit_type: UnitType, today: date) -> Statement:
    """Return the rewriting of the counters from the business date on; what is past stays as it was sold."""
    return (
        "UPDATE type_nights n SET capacity = coalesce((SELECT k.rooms FROM unit_type_capacities k"
        " WHERE k.agency_id = n.agency_id AND k.unit_type_id = n.unit_type_id AND k.valid_from <= n.night"
        " ORDER BY k.valid_from DESC LIMIT 1), 0), overbooking = %s"
        " WHERE n.agency_id = %s AND n.unit_type_id = %s AND n.night >= %s",
        (unit_type.overbooking, agency_id, unit_type.unit_type_id, today),
    )


def _upsert_unit(agency_id: AgencyId, unit: Unit) -> Statement:
    return (
        "INSERT INTO units (agency_id, unit_id, unit_type_id, name) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT (agency_id, unit_id) DO UPDATE SET name = excluded.name",
        (agency_id, unit.unit_id, unit.unit_type_id, unit.name),
    )


def _property(
    property_id: PropertyId, name: str, zone: str, currency: str, address: str, business_date: date,
    check_in_at: time, check_out_at: time, version: int,
) -> Property:  # fmt: skip
    return Property(
        property_id=property_id,
        name=name,
        zone=Zone(zone),
        currency=Currency.recorded(currency),
        business_date=business_date,
        address=address,
        check_in_at=check_in_at,
        check_out_at=check_out_at,
        version=version,
    )


def _unit_type(
    unit_type_id: UUID, name: str, largest_party: int, overbooking: int, turnover_nights: int,
    starts: list[date], rooms: list[int],
) -> UnitType:  # fmt: skip
    return UnitType(
        unit_type_id=UnitTypeId(unit_type_id),
        name=name,
        capacities=tuple(Capacity(start, count) for start, count in zip(starts, rooms, strict=True)),
        largest_party=largest_party,
        overbooking=overbooking,
        turnover_nights=turnover_nights,
    )


def _unit(unit_id: UUID, unit_type_id: UUID, name: str) -> Unit:
    return Unit(unit_id=UnitId(unit_id), unit_type_id=UnitTypeId(unit_type_id), name=name)


def _rule(
    kind: str, first_night: date, end_date: date, weekdays: int, value: object,
    unit_type_id: UUID | None, plan: str | None, channel: str | None,
) -> Rule:  # fmt: skip
    read: RuleValue = tuple(value) if isinstance(value, list) else value  # type: ignore[assignment]
    owner = None if unit_type_id is None else UnitTypeId(unit_type_id)
    return Rule(kind, DateRange(first_night, end_date), weekdays, read, owner, plan, channel)


