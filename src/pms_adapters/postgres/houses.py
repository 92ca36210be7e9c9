"""Properties, types, units and stay rules: read whole, remembered by version, saved under a lock.

Owns the memory of houses. A house is remembered by the process until somebody raises its version; whoever
writes on a remembered one proves the version in the same transaction.
"""

from __future__ import annotations

from threading import Lock
from typing import LiteralString

from attrs import frozen

from pms_adapters.postgres.digits import KnownUnits
from pms_adapters.postgres.house_rows import (
    counter_rewrite,
    loaded_property,
    loaded_rule,
    loaded_unit,
    loaded_unit_type,
    property_insert,
    property_update,
    rule_statements,
    type_statements,
    unit_upsert,
)
from pms_adapters.postgres.session import Session, Statement, house_lock
from pms_adapters.postgres.writes import Expectation, WriteSet
from pmscore.inventory.model.house import House
from pmscore.inventory.ports import HouseRepository
from pmscore.kernel.errors import NotFoundError, StaleHouseError
from pmscore.kernel.ids import AgencyId, PropertyId
from pmscore.restrictions.model.book import RuleBook
from pmscore.restrictions.ports import RestrictionRepository

__all__ = [
    "HouseMemory",
    "KnownHouse",
    "PostgresHouses",
    "PostgresRestrictions",
    "load_house",
]

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
        self._units: dict[AgencyId, KnownUnits] = {}
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

    def units(self, agency_id: AgencyId) -> KnownUnits | None:
        """Return the units of all of the agency's houses, if they are remembered."""
        return self._units.get(agency_id)

    def keep_units(self, agency_id: AgencyId, units: KnownUnits) -> None:
        """Remember the units of all of the agency's houses; a reader asks for them by version."""
        self._units[agency_id] = units

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
    loaded_types = [loaded_unit_type(*row) for row in types]  # type: ignore[arg-type]
    loaded_units = [loaded_unit(*row) for row in units]  # type: ignore[arg-type]
    house = House(
        property=loaded_property(property_id, *found[0]),  # type: ignore[arg-type]
        types={each.unit_type_id: each for each in loaded_types},
        units={each.unit_id: each for each in loaded_units},
    )
    return KnownHouse(house, RuleBook(tuple(loaded_rule(*row) for row in rules)))  # type: ignore[arg-type]


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
        self._session.check_reach(property_id, "property", property_id)
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
        self._session.check_reach(property_id, "property", property_id)
        number = house_lock(self._session.agency_id, property_id)
        self._session.rows("SELECT pg_advisory_xact_lock(%s)", number)
        self.locked.add(property_id)
        known = load_house(self._session, property_id)
        self._read[property_id] = known
        return known.house

    def add(self, house: House) -> None:
        self._write(property_insert(self._session.agency_id, house.property))
        for unit_type in house.types.values():
            property_id = house.property.property_id
            for statement in type_statements(self._session.agency_id, property_id, unit_type):
                self._write(statement)
        for unit in house.units.values():
            self._write(unit_upsert(self._session.agency_id, unit))

    def save(self, house: House) -> None:
        before = self._read[house.property.property_id].house
        agency_id = self._session.agency_id
        self._write(property_update(agency_id, house.property))
        for unit_type in house.types.values():
            if before.types.get(unit_type.unit_type_id) != unit_type:
                for statement in type_statements(agency_id, house.property.property_id, unit_type):
                    self._write(statement)
                self._write(counter_rewrite(agency_id, unit_type, house.property.business_date))
        for unit in house.units.values():
            if before.units.get(unit.unit_id) != unit:
                self._write(unit_upsert(agency_id, unit))

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
        self._writes.aggregates.append(Expectation(statement, None, NotFoundError("property", "")))


class PostgresRestrictions(RestrictionRepository):
    """Stay rules on PostgreSQL, read and remembered with their house."""

    def __init__(self, session: Session, writes: WriteSet, houses: PostgresHouses) -> None:
        self._session = session
        self._writes = writes
        self._houses = houses

    def get(self, property_id: PropertyId) -> RuleBook:
        try:
            return self._houses.known(property_id).rules
        except NotFoundError:
            return RuleBook()

    def save(self, property_id: PropertyId, book: RuleBook) -> None:
        for statement in rule_statements(self._session.agency_id, property_id, book):
            self._writes.aggregates.append(Expectation(statement, None, NotFoundError("property", "")))
