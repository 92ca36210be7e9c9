"""Rate plans and seasons in their written form.

Owns what a plan says of prices, limits and its parent. Leaves guests to ``guests`` and whether plans fit together
to the book.
"""

from __future__ import annotations

from collections.abc import Callable

from pmscore.dates.ranges import DateSet
from pmscore.dates.recurrence import Season
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Json
from pmscore.kernel.ids import UnitTypeId
from pmscore.kernel.money import Rounding
from pmscore.kernel.reading import ObjectReader, moved
from pmscore.kernel.text import checked_text
from pmscore.pricing.model.plans import (
    DatedPrice,
    Derivation,
    PriceLimits,
    RatePlan,
    TypePrices,
    WeekPrices,
)
from pmscore.pricing.model.written.guests import occupancy_from, occupancy_json
from pmscore.pricing.model.written.parts import (
    amount,
    amount_text,
    change,
    change_json,
    date_range,
    find_amount,
    ordered,
    range_json,
    stated,
    weekdays,
    weekdays_json,
)

__all__ = ["plan_from", "plan_json", "season_from", "season_json", "unit_type_at", "unit_types_from"]

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_OPTIONAL = (
    "prices",
    "derivation",
    "occupancy",
    "limits",
    "unit_types",
    "inclusions",
    "terms",
    "version",
)


def season_from(reader: ObjectReader) -> Season:
    """Return a season."""
    reader.hold_to("name", "nights", optional=("weekdays", "priority"))
    name = reader.text("name")
    reader.make(lambda: checked_text(name, field="name"))
    return Season(
        name=name,
        nights=DateSet.of(*[date_range(each) for each in reader.each("nights")]),
        weekdays=weekdays(reader, "weekdays"),
        priority=reader.integer("priority", 0),
    )


def season_json(season: Season) -> dict[str, Json]:
    """Return a season as :func:`season_from` reads it."""
    written: dict[str, Json] = {
        "name": season.name,
        "nights": [range_json(each) for each in season.nights.ranges()],
        "weekdays": weekdays_json(season.weekdays),
        "priority": season.priority,
    }
    return stated(written, {"weekdays": None, "priority": 0})


def plan_from(reader: ObjectReader, currency: Currency, unit_type: Callable[[str], UnitTypeId]) -> RatePlan:
    """Return a plan; ``unit_type`` says which type a text means, or refuses it."""
    reader.hold_to("code", "name", optional=_OPTIONAL)
    prices: dict[UnitTypeId, TypePrices] = {}
    if (listed := reader.find_inside("prices")) is not None:
        for text in listed.values:
            type_id = unit_type_at(unit_type, text, listed.at(text))
            if type_id in prices:
                raise InvalidInputError(listed.at(text), "twice")
            prices[type_id] = _type_prices(listed.inside(text), currency)
    derivation = reader.find_inside("derivation")
    occupancy = reader.find_inside("occupancy")
    limits = reader.find_inside("limits")
    derived = None if derivation is None else _derivation(derivation, currency)
    guests = None if occupancy is None else occupancy_from(occupancy, currency)
    limited = PriceLimits() if limits is None else _limits(limits, currency)
    unit_types = unit_types_from(reader, unit_type)
    return reader.make(
        lambda: RatePlan(
            code=reader.text("code"),
            name=reader.text("name"),
            prices=prices,
            derivation=derived,
            occupancy=guests,
            limits=limited,
            unit_types=unit_types,
            inclusions=reader.find_texts("inclusions"),
            terms=reader.find_text("terms"),
            version=reader.integer("version", 1),
        )
    )


def plan_json(plan: RatePlan, currency: Currency, unit_type: Callable[[UnitTypeId], str]) -> dict[str, Json]:
    """Return a plan as :func:`plan_from` reads it."""
    prices = {unit_type(type_id): _type_prices_json(each, currency) for type_id, each in plan.prices.items()}
    written: dict[str, Json] = {
        "code": plan.code,
        "name": plan.name,
        "prices": {text: prices[text] for text in sorted(prices)},
        "derivation": None if plan.derivation is None else _derivation_json(plan.derivation, currency),
        "occupancy": None if plan.occupancy is None else occupancy_json(plan.occupancy, currency),
        "limits": _limits_json(plan.limits, currency),
        "unit_types": ordered(unit_type(each) for each in plan.unit_types),
        "inclusions": [*plan.inclusions],
        "terms": plan.terms,
        "version": plan.version,
    }
    return stated(
        written,
        {
            "prices": {},
            "derivation": None,
            "occupancy": None,
            "limits": {},
            "unit_types": [],
            "inclusions": [],
            "terms": None,
            "version": 1,
        },
    )


def unit_type_at(unit_type: Callable[[str], UnitTypeId], text: str, place: str) -> UnitTypeId:
    """Return the type that a text means.

    Raises:
        InvalidInputError: none; names ``place``.
    """
    try:
        return unit_type(text)
    except InvalidInputError as error:
        raise moved(error, place) from error


def unit_types_from(reader: ObjectReader, unit_type: Callable[[str], UnitTypeId]) -> frozenset[UnitTypeId]:
    """Return the types in the list ``unit_types``; none where there is no list."""
    return frozenset(
        unit_type_at(unit_type, text, reader.at(f"unit_types.{at}"))
        for at, text in enumerate(reader.find_texts("unit_types"))
    )


def _type_prices(reader: ObjectReader, currency: Currency) -> TypePrices:
    reader.hold_to(optional=("default", "seasons", "dates", "occupancy"))
    occupancy = reader.find_inside("occupancy")
    seasons = reader.find_inside("seasons")
    return reader.make(
        lambda: TypePrices(
            default=_week(reader, "default", currency) if reader.has("default") else None,
            seasons={}
            if seasons is None
            else {name: _week(seasons, name, currency) for name in seasons.values},
            dates=tuple(_dated(each, currency) for each in reader.find_each("dates")),
            occupancy=None if occupancy is None else occupancy_from(occupancy, currency),
        )
    )


def _type_prices_json(prices: TypePrices, currency: Currency) -> dict[str, Json]:
    written: dict[str, Json] = {
        "default": None if prices.default is None else _week_json(prices.default, currency),
        "seasons": {name: _week_json(prices.seasons[name], currency) for name in sorted(prices.seasons)},
        "dates": [
            {
                "nights": range_json(each.nights),
                "price": None if each.price is None else amount_text(each.price, currency),
            }
            for each in prices.dates
        ],
        "occupancy": None if prices.occupancy is None else occupancy_json(prices.occupancy, currency),
    }
    return stated(written, {"default": None, "seasons": {}, "dates": [], "occupancy": None})


def _week(reader: ObjectReader, name: str, currency: Currency) -> WeekPrices:
    """Return prices written ``"100.00"``, or ``{"mon": "90.00", …}`` where a day left out is not sold."""
    if not isinstance(reader.value(name), dict):
        price = amount(reader, name, currency)
        return reader.make(lambda: WeekPrices((price,) * len(_DAYS)), renamed={"prices": name})
    days = reader.inside(name)
    days.hold_to(optional=_DAYS)
    prices = tuple(find_amount(days, day, currency) for day in _DAYS)
    return reader.make(lambda: WeekPrices(prices), renamed={"prices": name})


def _week_json(week: WeekPrices, currency: Currency) -> Json:
    first = week.by_weekday[0]
    if first is not None and week.by_weekday == (first,) * len(_DAYS):
        return amount_text(first, currency)
    return {
        day: amount_text(price, currency)
        for day, price in zip(_DAYS, week.by_weekday, strict=True)
        if price is not None
    }


def _dated(reader: ObjectReader, currency: Currency) -> DatedPrice:
    reader.hold_to("nights", "price")
    nights = date_range(reader.inside("nights"))
    return reader.make(lambda: DatedPrice(nights, find_amount(reader, "price", currency)))


def _derivation(reader: ObjectReader, currency: Currency) -> Derivation:
    reader.hold_to("parent", optional=("operations", "inherits", "inherits_price"))
    operations = tuple(change(each, currency) for each in reader.find_each("operations"))
    return reader.make(
        lambda: Derivation(
            parent=reader.text("parent"),
            operations=operations,
            inherits=frozenset(reader.find_texts("inherits")),
            inherits_price=reader.flag("inherits_price", default=True),
        )
    )


def _derivation_json(derivation: Derivation, currency: Currency) -> dict[str, Json]:
    written: dict[str, Json] = {
        "parent": derivation.parent,
        "operations": [change_json(each, currency) for each in derivation.operations],
        "inherits": ordered(derivation.inherits),
        "inherits_price": derivation.inherits_price,
    }
    return stated(written, {"operations": [], "inherits": [], "inherits_price": True})


def _limits(reader: ObjectReader, currency: Currency) -> PriceLimits:
    reader.hold_to(optional=("step", "rounding", "floor", "ceiling"))
    return reader.make(
        lambda: PriceLimits(
            step=amount(reader, "step", currency, 1),
            rounding=reader.choice("rounding", Rounding, Rounding.HALF_UP),
            floor=find_amount(reader, "floor", currency),
            ceiling=find_amount(reader, "ceiling", currency),
        )
    )


def _limits_json(limits: PriceLimits, currency: Currency) -> dict[str, Json]:
    written: dict[str, Json] = {
        "step": amount_text(limits.step, currency),
        "rounding": limits.rounding.value,
        "floor": None if limits.floor is None else amount_text(limits.floor, currency),
        "ceiling": None if limits.ceiling is None else amount_text(limits.ceiling, currency),
    }
    return stated(
        written,
        {
            "step": amount_text(1, currency),
            "rounding": Rounding.HALF_UP.value,
            "floor": None,
            "ceiling": None,
        },
    )
