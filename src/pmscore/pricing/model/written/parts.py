"""What all written forms are made of: amounts, shares, ranges of dates, ages, weekdays, times.

Owns their text both ways. Amounts are decimal text of the book's currency, percentages decimal text, ranges
half-open. Leaves the objects made of them to its neighbours; every field stands in
``docs/reference/price-cases.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import time

from pmscore.dates.nights import HalfOpen, parse_date
from pmscore.dates.ranges import DateRange
from pmscore.dates.recurrence import Weekdays
from pmscore.kernel.currency import Currency
from pmscore.kernel.errors import InvalidInputError
from pmscore.kernel.events import Json
from pmscore.kernel.money import Money
from pmscore.kernel.percent import Percent
from pmscore.kernel.reading import ObjectReader, joined
from pmscore.pricing.model.changes import Base, Change
from pmscore.pricing.model.charges.counting import EVERYBODY, AgeLimit

__all__ = [
    "age_limit",
    "age_limit_json",
    "ages",
    "amount",
    "amount_or_percent",
    "amount_or_percent_json",
    "amount_text",
    "change",
    "change_json",
    "date_range",
    "find_amount",
    "find_date_range",
    "ordered",
    "range_json",
    "stated",
    "time_of_day",
    "weekdays",
    "weekdays_json",
    "with_amounts_read",
    "with_amounts_written",
]

DEEPEST = 12


def stated(document: Mapping[str, Json], defaults: Mapping[str, Json]) -> dict[str, Json]:
    """Return the document without what it would mean anyway."""
    return {
        name: value
        for name, value in document.items()
        if name not in defaults or value != defaults[name] or type(value) is not type(defaults[name])
    }


def ordered(values: Iterable[str]) -> list[Json]:
    """Return texts whose order means nothing, in order."""
    return [*sorted(values)]


def amount_text(minor: int, currency: Currency) -> str:
    """Return an amount as decimal text with all digits of the currency: ``100.00``."""
    return Money(minor, currency).plain()


def amount(reader: ObjectReader, name: str, currency: Currency, default: int | None = None) -> int:
    """Return the amount written at a name, in minor units."""
    if default is not None and name not in reader.values:
        return default
    return Money.parse(reader.text(name), currency, field=reader.at(name)).minor


def find_amount(reader: ObjectReader, name: str, currency: Currency) -> int | None:
    """Return the amount written at a name, in minor units; None where there is none."""
    return amount(reader, name, currency) if reader.has(name) else None


def amount_or_percent(reader: ObjectReader, currency: Currency) -> int | Percent:
    """Return what is written ``{"amount": "12.00"}`` or ``{"percent": "8.875"}``; there may be other names."""
    if reader.has("amount") == reader.has("percent"):
        raise InvalidInputError(reader.path, "amount_or_percent")
    if reader.has("amount"):
        return amount(reader, "amount", currency)
    return Percent.parse(reader.text("percent"), field=reader.at("percent"))


def amount_or_percent_json(value: int | Percent, currency: Currency) -> dict[str, Json]:
    """Return the value as :func:`amount_or_percent` reads it."""
    if isinstance(value, Percent):
        return {"percent": value.plain()}
    return {"amount": amount_text(value, currency)}


def change(reader: ObjectReader, currency: Currency) -> Change:
    """Return the change written ``{"percent": "-10", "base": "plan"}`` or ``{"amount": "-5.00"}``."""
    reader.hold_to(optional=("amount", "percent", "base"))
    operand = amount_or_percent(reader, currency)
    return reader.make(lambda: Change(operand, reader.choice("base", Base, Base.RUNNING)))


def change_json(value: Change, currency: Currency) -> dict[str, Json]:
    """Return the change as :func:`change` reads it."""
    written = amount_or_percent_json(value.operand, currency)
    if value.base is not Base.RUNNING:
        written["base"] = value.base.value
    return written


def date_range(reader: ObjectReader) -> DateRange:
    """Return the half-open range written ``{"from": "2027-06-01", "to": "2027-09-01"}``."""
    reader.hold_to("from", "to")
    start = parse_date(reader.text("from"), field=reader.at("from"))
    end = parse_date(reader.text("to"), field=reader.at("to"))
    return reader.make(lambda: DateRange(start, end), renamed={"start": "from", "end": "to"})


def find_date_range(reader: ObjectReader, name: str) -> DateRange | None:
    """Return the range at a name, None where there is none."""
    inner = reader.find_inside(name)
    return None if inner is None else date_range(inner)


def range_json(value: HalfOpen | None) -> Json:
    """Return the range as :func:`date_range` reads it."""
    if value is None:
        return None
    return {"from": value.first_night.isoformat(), "to": value.day_after.isoformat()}


def ages(reader: ObjectReader) -> tuple[int, int]:
    """Return the ages written ``{"from": 3, "to": 12}``; the last year is the one before ``to``."""
    reader.hold_to("from", "to")
    return reader.integer("from"), reader.integer("to")


def age_limit(reader: ObjectReader | None) -> AgeLimit:
    """Return who counts, written ``{"adults": false, "ages": {"from": 3, "to": 12}}``; everybody where it is absent."""
    if reader is None:
        return EVERYBODY
    reader.hold_to(optional=("adults", "ages"))
    inner = reader.find_inside("ages")
    first, end = (EVERYBODY.from_age, EVERYBODY.to_age) if inner is None else ages(inner)
    counts_adults = reader.flag("adults", default=True)
    return reader.make(
        lambda: AgeLimit(counts_adults=counts_adults, from_age=first, to_age=end),
        renamed={"from_age": "ages.from", "to_age": "ages.to"},
    )


def age_limit_json(value: AgeLimit) -> Json:
    """Return who counts as :func:`age_limit` reads it."""
    written: dict[str, Json] = {}
    if not value.counts_adults:
        written["adults"] = False
    if (value.from_age, value.to_age) != (EVERYBODY.from_age, EVERYBODY.to_age):
        written["ages"] = {"from": value.from_age, "to": value.to_age}
    return written or None


def weekdays(reader: ObjectReader, name: str) -> Weekdays:
    """Return the weekdays in the list at a name, ``["fri", "sat"]``; every one where there is no list."""
    if not reader.has(name):
        return Weekdays.EVERY
    names = reader.texts(name)
    return reader.make(lambda: Weekdays.from_names(names), renamed={"weekdays": name})


def weekdays_json(value: Weekdays) -> Json:
    """Return the weekdays as :func:`weekdays` reads them."""
    return None if value == Weekdays.EVERY else list(value.names())


def time_of_day(reader: ObjectReader, name: str) -> time:
    """Return the wall time at a name, written ``18:00`` or ``18:00:30``.

    Raises:
        InvalidInputError: reason ``not_a_time``.
    """
    text = reader.text(name)
    try:
        found = time.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or not found.isoformat().startswith(text) or len(text) < len("18:00"):
        raise InvalidInputError(reader.at(name), "not_a_time", value=ascii(text[:32]))
    return found


def with_amounts_written(value: Json, currency: Currency) -> Json:
    """Return a rule's value in which every number called ``amount`` is decimal text, and names are in order."""
    match value:
        case dict():
            return {
                name: amount_text(each, currency)
                if name == "amount" and type(each) is int
                else with_amounts_written(each, currency)
                for name, each in sorted(value.items())
            }
        case list():
            return [with_amounts_written(each, currency) for each in value]
        case _:
            return value


def with_amounts_read(value: Json, currency: Currency, path: str, depth: int = DEEPEST) -> Json:
    """Return the value of which :func:`with_amounts_written` makes ``value``.

    Raises:
        InvalidInputError: an amount is no decimal text, or objects stand in each other without end.
    """
    if not depth:
        raise InvalidInputError(path, "too_deep", most=DEEPEST)
    match value:
        case dict():
            return {
                name: _rule_amount(each, currency, joined(path, name))
                if name == "amount" and not isinstance(each, dict | list)
                else with_amounts_read(each, currency, joined(path, name), depth - 1)
                for name, each in value.items()
            }
        case list():
            return [
                with_amounts_read(each, currency, joined(path, str(at)), depth - 1)
                for at, each in enumerate(value)
            ]
        case _:
            return value


def _rule_amount(value: Json, currency: Currency, path: str) -> int:
    if not isinstance(value, str):
        raise InvalidInputError(path, "not_text")
    return Money.parse(value, currency, field=path).minor
