"""A house's rows: from values to statements that write them, and back from what a query answers.

Owns the columns of properties, types, units and stay rules; ``houses`` says when they are read and written.
"""

from __future__ import annotations

from datetime import date, time
from typing import LiteralString
from uuid import UUID

from pms_adapters.postgres.documents import as_document
from pms_adapters.postgres.session import Statement
from pmscore.dates.ranges import DateRange
from pmscore.dates.zones import Zone
from pmscore.inventory.model.house import Capacity, Property, Unit, UnitType
from pmscore.kernel.currency import Currency
from pmscore.kernel.ids import AgencyId, PropertyId, UnitId, UnitTypeId
from pmscore.restrictions.model.book import RuleBook
from pmscore.restrictions.model.rules import Rule, RuleValue

__all__ = [
    "counter_rewrite",
    "loaded_property",
    "loaded_rule",
    "loaded_unit",
    "loaded_unit_type",
    "property_insert",
    "property_update",
    "rule_statements",
    "type_statements",
    "unit_upsert",
]

_INSERT_PROPERTY: LiteralString = """\
INSERT INTO properties (agency_id, property_id, name, zone, currency, address, business_date, check_in_at,
                        check_out_at, version)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"""
_UPDATE_PROPERTY: LiteralString = """\
UPDATE properties SET name = %s, zone = %s, address = %s, business_date = %s, check_in_at = %s,
       check_out_at = %s, version = %s
 WHERE agency_id = %s AND property_id = %s"""
_UPSERT_TYPE: LiteralString = """\
INSERT INTO unit_types (agency_id, unit_type_id, property_id, name, largest_party, overbooking,
                        turnover_nights)
VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (agency_id, unit_type_id) DO UPDATE
  SET name = excluded.name, largest_party = excluded.largest_party, overbooking = excluded.overbooking,
      turnover_nights = excluded.turnover_nights"""
_DELETE_CAPACITIES: LiteralString = (
    "DELETE FROM unit_type_capacities WHERE agency_id = %s AND unit_type_id = %s"
)
_INSERT_CAPACITIES: LiteralString = """\
INSERT INTO unit_type_capacities (agency_id, unit_type_id, valid_from, rooms)
SELECT %s, %s, k.valid_from, k.rooms FROM jsonb_to_recordset(%s::jsonb) AS k(valid_from date, rooms int)"""
_REWRITE_COUNTERS: LiteralString = """\
UPDATE type_nights n
   SET overbooking = %s,
       capacity = coalesce((SELECT k.rooms FROM unit_type_capacities k
                             WHERE k.agency_id = n.agency_id AND k.unit_type_id = n.unit_type_id
                               AND k.valid_from <= n.night ORDER BY k.valid_from DESC LIMIT 1), 0)
 WHERE n.agency_id = %s AND n.unit_type_id = %s AND n.night >= %s"""
_UPSERT_UNIT: LiteralString = """\
INSERT INTO units (agency_id, unit_id, unit_type_id, name) VALUES (%s, %s, %s, %s)
ON CONFLICT (agency_id, unit_id) DO UPDATE SET name = excluded.name"""
_DELETE_RULES: LiteralString = "DELETE FROM stay_rules WHERE agency_id = %s AND property_id = %s"
_INSERT_RULES: LiteralString = """\
INSERT INTO stay_rules (agency_id, property_id, position, kind, first_night, end_date, weekdays, value,
                        unit_type_id, plan, channel)
SELECT %s, %s, r.position, r.kind, r.first_night, r.end_date, r.weekdays, r.value, r.unit_type_id, r.plan,
       r.channel
  FROM jsonb_to_recordset(%s::jsonb) AS r(position int, kind text, first_night date, end_date date,
         weekdays int, value jsonb, unit_type_id uuid, plan text, channel text)"""


def property_insert(agency_id: AgencyId, home: Property) -> Statement:
    """Return the writing of a new property."""
    values = (
        agency_id, home.property_id, home.name, home.zone.name, home.currency.code, home.address,
        home.business_date, home.check_in_at, home.check_out_at, home.version,
    )  # fmt: skip
    return _INSERT_PROPERTY, values


def property_update(agency_id: AgencyId, home: Property) -> Statement:
    """Return the writing of a property that is there; its currency never changes."""
    values = (
        home.name, home.zone.name, home.address, home.business_date, home.check_in_at, home.check_out_at,
        home.version, agency_id, home.property_id,
    )  # fmt: skip
    return _UPDATE_PROPERTY, values


def type_statements(agency_id: AgencyId, property_id: PropertyId, unit_type: UnitType) -> list[Statement]:
    """Return the writing of a type, new or not, with its capacities."""
    capacities = as_document(
        [{"valid_from": each.valid_from, "rooms": each.rooms} for each in unit_type.capacities]
    )
    keys = (agency_id, unit_type.unit_type_id)
    values = (
        *keys, property_id, unit_type.name, unit_type.largest_party, unit_type.overbooking,
        unit_type.turnover_nights,
    )  # fmt: skip
    return [(_UPSERT_TYPE, values), (_DELETE_CAPACITIES, keys), (_INSERT_CAPACITIES, (*keys, capacities))]


def counter_rewrite(agency_id: AgencyId, unit_type: UnitType, today: date) -> Statement:
    """Return the rewriting of the counters from the business date on; what is past stays as it was sold."""
    return _REWRITE_COUNTERS, (unit_type.overbooking, agency_id, unit_type.unit_type_id, today)


def unit_upsert(agency_id: AgencyId, unit: Unit) -> Statement:
    """Return the writing of a unit, new or not."""
    return _UPSERT_UNIT, (agency_id, unit.unit_id, unit.unit_type_id, unit.name)


def rule_statements(agency_id: AgencyId, property_id: PropertyId, book: RuleBook) -> list[Statement]:
    """Return the writing of a property's stay rules in place of those before."""
    keys = (agency_id, property_id)
    rows = as_document([{"position": place, **_rule_row(rule)} for place, rule in enumerate(book.rules)])
    return [(_DELETE_RULES, keys), (_INSERT_RULES, (*keys, rows))]


def _rule_row(rule: Rule) -> dict[str, object]:
    return {
        "kind": rule.kind,
        "first_night": rule.nights.start,
        "end_date": rule.nights.end,
        "weekdays": rule.weekdays,
        "value": rule.value,
        "unit_type_id": rule.unit_type_id,
        "plan": rule.plan,
        "channel": rule.channel,
    }


def loaded_property(
    property_id: PropertyId, name: str, zone: str, currency: str, address: str, business_date: date,
    check_in_at: time, check_out_at: time, version: int,
) -> Property:  # fmt: skip
    """Return the property that a row of ``properties`` holds."""
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


def loaded_unit_type(
    unit_type_id: UUID, name: str, largest_party: int, overbooking: int, turnover_nights: int,
    starts: list[date], rooms: list[int],
) -> UnitType:  # fmt: skip
    """Return the type that a row of ``unit_types`` holds, with its capacities."""
    return UnitType(
        unit_type_id=UnitTypeId(unit_type_id),
        name=name,
        capacities=tuple(Capacity(start, count) for start, count in zip(starts, rooms, strict=True)),
        largest_party=largest_party,
        overbooking=overbooking,
        turnover_nights=turnover_nights,
    )


def loaded_unit(unit_id: UUID, unit_type_id: UUID, name: str) -> Unit:
    """Return the unit that a row of ``units`` holds."""
    return Unit(unit_id=UnitId(unit_id), unit_type_id=UnitTypeId(unit_type_id), name=name)


def loaded_rule(
    kind: str, first_night: date, end_date: date, weekdays: int, value: object,
    unit_type_id: UUID | None, plan: str | None, channel: str | None,
) -> Rule:  # fmt: skip
    """Return the rule that a row of ``stay_rules`` holds."""
    read: RuleValue = tuple(value) if isinstance(value, list) else value  # type: ignore[assignment]
    owner = None if unit_type_id is None else UnitTypeId(unit_type_id)
    return Rule(kind, DateRange(first_night, end_date), weekdays, read, owner, plan, channel)
