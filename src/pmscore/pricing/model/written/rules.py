"""Price rules in their written form.

Owns the row; of the value of a rule only that what it calls ``amount`` is decimal text. Leaves its meaning to
the kind.
"""

from __future__ import annotations

from collections.abc import Callable

from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Json
from pmscore.kernel.ids import UnitTypeId
from pmscore.kernel.reading import ObjectReader
from pmscore.pricing.model.rules import PriceRule
from pmscore.pricing.model.written.parts import (
    find_date_range,
    ordered,
    range_json,
    stated,
    weekdays,
    weekdays_json,
    with_amounts_read,
    with_amounts_written,
)
from pmscore.pricing.model.written.plans import unit_types_from

__all__ = ["rule_from", "rule_json"]

_OPTIONAL = (
    "excludes",
    "nights",
    "weekdays",
    "booked",
    "plans",
    "unit_types",
    "channels",
    "version",
)


def rule_from(reader: ObjectReader, currency: Currency, unit_type: Callable[[str], UnitTypeId]) -> PriceRule:
    """Return a rule; ``unit_type`` says which type a text means, or refuses it."""
    reader.hold_to("code", "name", "kind", "value", "rank", "group", optional=_OPTIONAL)
    value = with_amounts_read(reader.value("value"), currency, reader.at("value"))
    if not isinstance(value, dict):
        raise InvalidInputError(reader.at("value"), "not_an_object")
    nights = find_date_range(reader, "nights")
    booked = find_date_range(reader, "booked")
    unit_types = unit_types_from(reader, unit_type)
    return reader.make(
        lambda: PriceRule(
            code=reader.text("code"),
            name=reader.text("name"),
            kind=reader.text("kind"),
            value=value,
            rank=reader.integer("rank"),
            group=reader.text("group"),
            excludes=frozenset(reader.find_texts("excludes")),
            nights=nights,
            weekdays=weekdays(reader, "weekdays"),
            booked=booked,
            plans=frozenset(reader.find_texts("plans")),
            unit_types=unit_types,
            channels=frozenset(reader.find_texts("channels")),
            version=reader.integer("version", 1),
        )
    )


def rule_json(rule: PriceRule, currency: Currency, unit_type: Callable[[UnitTypeId], str]) -> dict[str, Json]:
    """Return a rule as :func:`rule_from` reads it."""
    written: dict[str, Json] = {
        "code": rule.code,
        "name": rule.name,
        "kind": rule.kind,
        "value": with_amounts_written(dict(rule.value), currency),
        "rank": rule.rank,
        "group": rule.group,
        "excludes": ordered(rule.excludes),
        "nights": range_json(rule.nights),
        "weekdays": weekdays_json(rule.weekdays),
        "booked": range_json(rule.booked),
        "plans": ordered(rule.plans),
        "unit_types": ordered(unit_type(each) for each in rule.unit_types),
        "channels": ordered(rule.channels),
        "version": rule.version,
    }
    return stated(
        written,
        {
            "excludes": [],
            "nights": None,
            "weekdays": None,
            "booked": None,
            "plans": [],
            "unit_types": [],
            "channels": [],
            "version": 1,
        },
    )
